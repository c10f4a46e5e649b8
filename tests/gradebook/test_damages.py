"""One submission damaged in many ways: never less than plain `nbgrader autograde` gives, and where more is listed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from damages import DAMAGES, FORMS, id_of, solved, source_cells
from nbgrader_course import ENVIRONMENT, nbgrader, prepare
from small_course import CONFIG, SmallCourse, notebook

from autograder.course.configuration_file import load_course
from autograder.course.exam import Exam, read_exam
from autograder.course.reports import Status
from autograder.course.submissions import Submission
from autograder.gradebook.gradebook_database import put_tools_on_path
from autograder.grader.examiner import Examiner
from autograder.jail import Limits

pytestmark = pytest.mark.slow

Grades = dict[str, float | None]  # by exercise; None where a person has to mark
# What nbgrader gives; `test_nbgrader_still…` makes it anew.
GOLDEN = Path(__file__).parents[1] / "support" / "damages_nbgrader.json"
REFUSED = "refused"  # nbgrader ends with an error at this notebook, and grades none after it
AUTOGRADE = """
import sys
from nbgrader.apps import NbGraderAPI
from traitlets.config import PyFileConfigLoader
api = NbGraderAPI(config=PyFileConfigLoader("nbgrader_config.py").load_config())
for student in sys.argv[1:]:
    print(student, api.autograde("hw", student)["success"])
"""
Gain = dict[str, tuple[float | None, float | None]]
DOUBLE: Gain = {"double": (0.0, 2.0)}
MEAN_ROWS: Gain = {"mean_rows": (0.0, 3.0)}
WHY: Gain = {"why": (0.0, None)}  # a person sees the answer
# What is otherwise than in nbgrader, by damage and exercise: (nbgrader, here). All of it is in the student's favour.
OTHERWISE: dict[str, Gain] = {
    "essay split, first part empty": WHY,
    "answer merged into test": DOUBLE,
    "test merged into answer": DOUBLE,
    "answer merged into locked": DOUBLE,
    "test above its answer": DOUBLE,
    "answer below all": DOUBLE,
    "upside down": DOUBLE | MEAN_ROWS,
    "metadata stripped": DOUBLE | MEAN_ROWS | WHY,
    "metadata of the essay lost": WHY,
    "test deleted": DOUBLE,
    "tests deleted": DOUBLE | MEAN_ROWS,
    "locked deleted": DOUBLE,
    "essay in a cell below": WHY,
    "imports fail": DOUBLE | MEAN_ROWS,
    "imports deleted": DOUBLE | MEAN_ROWS,
}


def students() -> dict[str, str]:
    return {f"damage{number}": name for number, name in enumerate([*DAMAGES, *FORMS])}


def make_course(root: Path) -> SmallCourse:
    course = SmallCourse(root)
    course.write(*source_cells())
    course.config.write_text(CONFIG)
    (course.root / "nbgrader_config.py").write_text('load_subconfig("grading_config.py")')
    return course


def released(course: SmallCourse, root: Path) -> Path:
    """Release the course with nbgrader, into a folder of its own."""
    root.mkdir()
    prepare(course.root, root, "hw", {})
    nbgrader(root, "generate_assignment", "hw")
    return root / "assignments" / "hw" / "hw.ipynb"


def damaged(release: Path, name: str) -> bytes:
    cells = json.loads(release.read_text())["cells"]
    if name in FORMS:
        return FORMS[name](notebook(*solved(cells)))
    return json.dumps(notebook(*DAMAGES[name](solved(cells)))).encode()


def nbgraders_grades(root: Path, release: Path) -> dict[str, Grades | str]:
    """What one run of nbgrader gives for all damages, by damage."""
    for student, name in students().items():
        path = root / "submitted" / student / "hw" / "hw.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(damaged(release, name))
    done = subprocess.run(
        [sys.executable, "-c", AUTOGRADE, *students()],
        cwd=root,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    graded = dict(line.split() for line in done.stdout.splitlines() if line.startswith("damage"))
    put_tools_on_path()
    from nbgrader.api import Gradebook

    found: dict[str, Grades | str] = {}
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        for student, name in students().items():
            if graded[student] != "True":
                found[name] = REFUSED
                continue
            autograded = json.loads((root / "autograded" / student / "hw" / "hw.ipynb").read_text())
            shown = {id_of(cell) for cell in autograded["cells"]}
            grades = book.find_submission("hw", student).notebooks[0].grades
            found[name] = {
                grade.name: _given(grade) if grade.name in shown else 0.0 for grade in grades
            }
    return found


def _given(grade: Any) -> float | None:
    """What nbgrader gives; a cell that is gone it flags, too, but the formgrader shows nothing to be marked there."""
    return None if grade.needs_manual_grade else grade.auto_score or 0.0


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> SmallCourse:
    return make_course(tmp_path_factory.mktemp("damages") / "course")


@pytest.fixture(scope="module")
def release(course: SmallCourse) -> Path:
    return released(course, course.root.parent / "theirs")


@pytest.fixture(scope="module")
def exam(course: SmallCourse, release: Path) -> Exam:
    return read_exam(course.source, load_course(course.config).assignments["hw"].patterns, release)


@pytest.fixture(scope="module")
def examiner() -> Iterator[Any]:
    with Examiner(Limits()) as examiner:
        yield examiner


def is_no_worse(theirs: float | None, ours: float | None) -> bool:
    return ours is None or (theirs is not None and ours >= theirs)


def test_there_are_many_damages() -> None:
    assert len(DAMAGES) > 60 and len(FORMS) > 20
    assert json.loads(GOLDEN.read_text()).keys() == DAMAGES.keys() | FORMS.keys()


@pytest.mark.parametrize("name", [*DAMAGES, *FORMS])
def test_a_damaged_notebook_gets_no_less_than_from_nbgrader_and_what_is_more_is_listed(
    examiner: Any, exam: Exam, release: Path, name: Any
) -> None:
    report = examiner.examine(
        exam, Submission("hw", "hw_solved.ipynb", damaged(release, name))
    ).report
    ours = {
        result.id: None if result.status is Status.TO_BE_MARKED else result.points
        for result in report.exercises
    }
    theirs = json.loads(GOLDEN.read_text())[name]
    if theirs == REFUSED:
        assert ours == {"double": 2.0, "mean_rows": 3.0, "why": None, "how": 0.0}
        return
    otherwise = {id_: (theirs[id_], ours[id_]) for id_ in ours if theirs[id_] != ours[id_]}
    assert all(is_no_worse(*pair) for pair in otherwise.values()), otherwise
    assert otherwise == OTHERWISE.get(name, {})


@pytest.mark.release
def test_nbgrader_still_gives_what_is_compared_with(tmp_path: Path) -> None:
    root = tmp_path / "theirs"
    release = released(make_course(tmp_path / "course"), root)
    assert nbgraders_grades(root, release) == json.loads(GOLDEN.read_text())
