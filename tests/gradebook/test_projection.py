"""A gradebook that is up to date costs nothing, and whatever could make it another one is noticed."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from marked_course import EARLY, LATER, PLOT, MarkedCourse, make_marked_course
from nbgrader.api import Gradebook, get_alembic_version
from small_course import (
    CONFIG,
    DOUBLE,
    TEST_DOUBLE,
    SmallCourse,
    code,
    dump,
    make_small_course,
    solution,
)
from small_course import test as check

from autograder.classroom.classroom import Classroom
from autograder.course.reports import ExerciseResult, Report, Status
from autograder.course.submission_files import SubmissionFiles, pack_submission
from autograder.course.submissions import Clock, NotebookFile, Push, Student
from autograder.git.student_stores import Fork
from autograder.gradebook import gradebook
from autograder.gradebook.autograded_notebooks import autograded_notebook, autograded_path
from autograder.gradebook.projection_memory import database_file
from autograder.record.ledger import Ledger
from autograder.record.record_cache import RecordCache

pytestmark = pytest.mark.slow  # hundreds of git

UPDATE_TWICE = """
import sys
from pathlib import Path
from autograder.classroom.classroom import Classroom

classroom = Classroom.open(Path(sys.argv[1]))
print(classroom.read_gradebook(), classroom.update_gradebook(), sorted(classroom.troubles))
print("nbgrader" in sys.modules)
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course whose gradebook holds two students."""
    course = make_marked_course(tmp_path_factory.mktemp("fresh") / "course")
    course.grade("on-time", EARLY)
    course.grade("late", EARLY, double=1.0)
    assert course.update() == []
    return course.small.root


@pytest.fixture
def course(fresh: Path, tmp_path: Path) -> MarkedCourse:
    """A copy of it, which may lie elsewhere."""
    root = tmp_path / "course"
    shutil.copytree(fresh, root)
    return MarkedCourse(SmallCourse(root))


def test_nothing_new_loads_no_nbgrader_and_writes_nothing(course: MarkedCourse) -> None:
    files = {
        path: path.stat().st_mtime_ns for path in course.small.root.rglob("*") if path.is_file()
    }
    done = subprocess.run(
        [sys.executable, "-c", UPDATE_TWICE, course.small.config],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["0 [] []", "False"]
    assert files == {
        path: path.stat().st_mtime_ns for path in course.small.root.rglob("*") if path.is_file()
    }


def test_only_the_submission_that_changed_is_entered(
    course: MarkedCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradebook, "enter_exam", None)  # nobody looks at its cells again
    mine, other = (
        autograded_path(course.classroom.course, name, "hw") for name in ("late", "on-time")
    )
    before = other.stat().st_mtime_ns
    blob = course.grade("late", LATER, double=2.0, answer="plot(1)")
    assert course.update() == []
    assert course.entered("double", "late")["auto"] == 2.0
    assert json.loads(mine.read_text())["metadata"]["autograder_blob"] == blob
    assert other.stat().st_mtime_ns == before


def test_a_mark_given_since_is_read_though_nothing_else_is_new(course: MarkedCourse) -> None:
    course.enter(manual_score=3.0)
    assert course.classroom.read_gradebook() == 1
    assert course.classroom.read_gradebook() == 0
    assert course.points()["plot"] == (3.0, "partial")


def test_what_was_taken_away_is_made_again(course: MarkedCourse) -> None:
    shown = autograded_path(course.classroom.course, "late", "hw")
    shown.unlink()
    course.update()
    assert shown.exists()
    database = database_file(course.classroom.course)
    assert database is not None
    database.unlink()
    course.update()
    assert course.entered("double", "late")["auto"] == 1.0


def test_what_somebody_changed_in_the_database_is_put_right(course: MarkedCourse) -> None:
    with Gradebook(course.classroom.course.database) as book:
        book.remove_submission("hw", "late")
    course.update()
    assert course.entered("double", "late")["auto"] == 1.0


def test_when_a_notebook_of_several_changes_the_others_keep_their_points(tmp_path: Path) -> None:
    """nbgrader takes an assignment away with all its notebooks."""
    small = SmallCourse(tmp_path / "course")
    one = small.root / "solutions" / "hw" / "one.ipynb"
    cells = [solution(DOUBLE), check(TEST_DOUBLE)]
    small.write(*cells)
    shutil.copy(small.source, one.with_name("two.ipynb"))
    small.source.rename(one)
    notebooks = '"notebooks": ["one", "two"], "title": "Homework"'
    small.config.write_text(CONFIG.replace('"title": "Homework"', notebooks))
    (small.root / "roster.csv").write_text("student,remote\non-time,/forks/on-time.git\n")
    course = MarkedCourse(small)
    classroom = course.classroom
    content = dump(cells)
    store = Fork(Student("on-time", ""), classroom.course.forks / "on-time.git", "master")
    blob = store.keep(content)
    places = [f"assignments/hw/{name}_solved.ipynb" for name in ("one", "two")]
    files = tuple(NotebookFile(place, blob, len(content)) for place in places)
    course.ledger.add_push(Push("on-time", blob[:40], "master", EARLY, Clock.FIRST_SEEN, files))
    passed = (ExerciseResult("double", "", 2.0, 2.0, Status.PASSED),)

    def grade(name: str, place: str) -> None:
        exam = course.classroom.exams[name].version
        report = Report(name, place, "graded", passed, exam=exam)
        course.ledger.add_report("on-time", blob[:40], blob, report, EARLY)

    grade("hw/one", places[0])
    grade("hw/two", places[1])
    assert course.update() == []
    one.write_bytes(dump([*cells, code("1", grade_id="more", solution=True)]))
    grade("hw/one", places[0])
    assert course.update() == []
    with Gradebook(course.classroom.course.database) as book:
        (submission,) = book.assignment_submissions("hw")
        points = {notebook.name: notebook.score for notebook in submission.notebooks}
    assert points == {"one": 2.0, "two": 2.0}


def test_who_cannot_be_entered_holds_up_nobody_of_the_batch(course: MarkedCourse) -> None:
    course.grade("late", LATER, double=2.0)
    course.grade("on-time", LATER, double=1.0)
    place = autograded_path(course.classroom.course, "on-time", "hw")
    place.unlink()
    place.mkdir()  # what the formgrader shows of them cannot be written
    (place / "something").touch()
    classroom = course.classroom
    classroom.update_gradebook()
    assert [trouble.split(":")[0] for trouble in classroom.troubles] == ["on-time"]
    assert course.entered("double", "late")["auto"] == 2.0
    assert course.entered("double", "on-time")["auto"] == 2.0, "as it was before"
    shutil.rmtree(place)
    course.update()
    assert course.entered("double", "on-time")["auto"] == 1.0


def test_a_damaged_file_in_one_store_is_told_of_that_student_only(course: MarkedCourse) -> None:
    course.grade("late", LATER, double=2.0)
    blob = course.grade("on-time", LATER, double=1.0, answer="plot(9)")
    store = course.classroom.course.forks / "on-time.git" / "objects"
    (damaged,) = [path for path in store.glob(f"{blob[:2]}/*") if path.name == blob[2:]]
    damaged.chmod(0o600)
    damaged.write_bytes(b"nothing of git's")
    (sentence,) = course.update()
    assert sentence.startswith("on-time, hw: the formgrader cannot show it")
    assert course.entered("double", "late")["auto"] == 2.0
    (again,) = course.update()
    assert again == sentence, "as long as it is so"


def test_outputs_stay_when_points_change_though_their_file_is_gone(course: MarkedCourse) -> None:
    def shown() -> list[str]:
        notebook = json.loads(autograded_path(course.classroom.course, "late", "hw").read_text())
        return [output["text"] for cell in notebook["cells"] for output in cell.get("outputs", [])]

    given = [{"output_type": "stream", "name": "stdout", "text": "a line"}]
    blob = course.grade("late", EARLY, double=1.0)
    course.ran(blob, {1: given})
    course.update()
    assert shown() == ["a line"]
    assert list((course.small.root / "outputs").rglob("*.json")) == [], "it is in the notebook now"
    course.grade("late", EARLY, double=0.0)
    course.update()
    assert course.entered("double", "late")["auto"] == 0.0
    assert shown() == ["a line"]


def test_a_notebook_that_came_with_files_beside_it_is_shown(course: MarkedCourse) -> None:
    content = dump([solution("def double(x):\n    return helper.twice(x)")])
    packed = pack_submission(SubmissionFiles(content, {"helper.py": b"twice = lambda x: 2 * x"}))
    shown = autograded_notebook(course.classroom.exams["hw"], packed, {})
    assert "return helper.twice(x)" in "".join(cell["source"] for cell in shown["cells"])


def test_pictures_are_kept_where_a_person_marks_and_in_cells_of_the_students_own(
    course: MarkedCourse,
) -> None:
    data = {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"}
    given = {"outputs": [{"output_type": "display_data", "data": data, "metadata": {}}]}
    cells = [solution("def double(x):\n    return 2 * x"), code("mine()"), PLOT]
    shown = autograded_notebook(
        course.classroom.exams["hw"], dump(cells), {1: given, 2: given, 3: given}
    )
    kinds = [sorted(cell["outputs"][0]["data"]) for cell in shown["cells"] if cell.get("outputs")]
    both = ["image/png", "text/plain"]
    assert kinds == [["text/plain"], both, both]


def test_a_new_gradebook_has_nbgraders_schema(course: MarkedCourse) -> None:
    database = database_file(course.classroom.course)
    assert database is not None
    with closing(sqlite3.connect(database)) as book:
        versions = book.execute("select version_num from alembic_version").fetchall()
    assert versions == [(get_alembic_version(),)]


def test_a_record_is_read_once_until_its_file_changes(course: MarkedCourse) -> None:
    cache = RecordCache(Ledger(course.small.root / "ledger"))
    first = cache.read("late")
    assert cache.read("late") is first
    course.grade("late", LATER, answer="plot(2)")
    again = cache.read("late")
    assert len(again.pushes) == len(first.pushes) + 1
    assert cache.read("nobody").pushes == ()


def test_what_is_prepared_for_results_changes_nothing(tmp_path: Path) -> None:
    course = make_small_course(tmp_path / "course")
    before = sorted(course.root.rglob("*"))
    for take_step in Classroom.open(course.config).prepare_results():
        take_step()
    assert sorted(course.root.rglob("*")) == before
