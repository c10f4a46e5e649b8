"""Releases are proved: what would give something away is not released, and the reason is said."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import warm_autograder
from nbgrader_course import nbgrader
from small_course import (
    DOUBLE,
    REPOSITORY,
    TEST_DOUBLE,
    SmallCourse,
    code,
    dump,
    notebook,
    solution,
    test,
    text,
)

from autograder.course.configuration_file import load_course
from autograder.course.errors import AutograderError, ExamError, ReleaseError
from autograder.course.exam import read_exam
from autograder.course.reports import Status
from autograder.course.submissions import Submission
from autograder.grader.examiner import Examiner
from autograder.jail import Limits
from autograder.publishing.notebook_fields import find_attachment_names
from autograder.publishing.release import find_leaks, release_assignment

pytestmark = pytest.mark.slow

HIDDEN_LINE = "assert double(21) == 42"


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner(Limits(cell_seconds=20)) as examiner:
        yield examiner


def released(small_course: SmallCourse, examiner: Examiner) -> dict[str, Any]:
    made = release_assignment(load_course(small_course.config), "hw", examiner)
    return json.loads(made.path.read_text())


def test_a_release_has_stubs_and_visible_tests_only(
    small_course: SmallCourse, examiner: Examiner
) -> None:
    notebook = released(small_course, examiner)
    sources = "\n".join("".join(cell["source"]) for cell in notebook["cells"])
    assert "raise NotImplementedError" in sources
    assert "assert double(1) == 2" in sources
    assert "2 * x" not in sources
    assert HIDDEN_LINE not in sources
    assert sorted(path.name for path in (small_course.root / "assignments" / "hw").iterdir()) == [
        "hw.ipynb"
    ]


def test_a_solution_cell_without_markers_becomes_one_stub(
    small_course: SmallCourse, examiner: Examiner
) -> None:
    small_course.write(solution("def double(x):\n    return 2 * x"), test(TEST_DOUBLE))
    notebook = released(small_course, examiner)
    assert "".join(notebook["cells"][0]["source"]) == "raise NotImplementedError"


EIGHTHS = """\
### BEGIN HIDDEN TESTS
from autograder.marking import Marking

marking = Marking(points=0.125)


@marking.criterion(0.0625, "three doubled is six")
def three():
    assert double(3) == 6


@marking.criterion(0.0625, "four doubled is eight", needs="three")
def four():
    assert double(4) == 8


marking.score()
### END HIDDEN TESTS
"""


@pytest.mark.parametrize("points", [0, 1 / 3, 0.125])
def test_exercises_of_no_points_and_of_fractions_are_released_and_read_as_they_are(
    small_course: SmallCourse, examiner: Examiner, points: Any
) -> None:
    tests = test(EIGHTHS if points == 0.125 else TEST_DOUBLE, points=points)
    other = solution(
        "def triple(x):\n    ### BEGIN SOLUTION\n    return 3 * x\n    ### END SOLUTION",
        "triple_solution",
    )
    small_course.write(solution(DOUBLE), tests, other, test("assert triple(2) == 6", "triple", 3))
    release_assignment(load_course(small_course.config), "hw", examiner)
    exam = read_exam(small_course.source)
    for answer, status in (("return 2 * x", Status.PASSED), ("return x", Status.FAILED)):
        cells = [solution(f"def double(x):\n    {answer}"), test("", "double")]
        result = examiner.examine(exam, Submission("hw", "hw.ipynb", dump(cells))).report.exercises[
            0
        ]
        wanted = points if status is Status.PASSED else 0.0
        assert (result.points, result.status, bool(result.hint)) == (
            wanted,
            status,
            status is Status.FAILED,
        )


def test_released_again_nothing_changes(small_course: SmallCourse, examiner: Examiner) -> None:
    course = load_course(small_course.config)
    assert release_assignment(course, "hw", examiner).changed
    path = course.release_path("hw")
    before = path.stat().st_mtime_ns
    assert not release_assignment(course, "hw", examiner).changed
    assert path.stat().st_mtime_ns == before


def test_plain_nbgrader_makes_the_same(small_course: SmallCourse, examiner: Examiner) -> None:
    ours = released(small_course, examiner)
    (small_course.root / "assignments" / "hw" / "hw.ipynb").unlink()
    nbgrader(small_course.root, "generate_assignment", "hw", "--force")
    assert json.loads((small_course.root / "assignments" / "hw" / "hw.ipynb").read_text()) == ours


PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(90))).decode()
COLAB = {
    "colab": {"name": "of-the-instructor.ipynb", "provenance": [{"file_id": "1AbCdEfGhIjKlMn"}]}
}
ESSAY = {"grade_id": "why", "grade": True, "solution": True, "points": 4}
SCHEME = "Why?\n### BEGIN MARK SCHEME\nas in ![](attachment:answer.png)\n### END MARK SCHEME"


def test_of_fields_only_those_on_the_list_are_released(
    small_course: SmallCourse, examiner: Examiner
) -> None:
    """The instructor's kernel and account, widgets, and a picture whose text was cut out; what is shown stays."""
    shown = text("# See\n![](attachment:shown.png)") | {
        "attachments": {
            "shown.png": {"image/png": PICTURE},
            "old.png": {"image/png": PICTURE[::-1]},
        }
    }
    essay = text(SCHEME, **ESSAY) | {"attachments": {"answer.png": {"image/png": PICTURE}}}
    imports = code("import math")
    imports["metadata"] = {
        "tags": ["setup"],
        "executionInfo": {"user": {"displayName": "The Instructor"}},
    }
    cells = [shown, imports, solution(DOUBLE), test(TEST_DOUBLE), essay]
    source = notebook(*cells)
    source["metadata"] = COLAB | {
        "kernelspec": {"display_name": "my-env (3.11)", "language": "python", "name": "my-env"},
        "language_info": {"name": "python", "version": "3.11.7"},
        "authors": [{"name": "The Instructor"}],
        "widgets": {"state": {"a": "the answer"}},
    }
    small_course.source.write_text(json.dumps(source))
    got = released(small_course, examiner)
    assert got["metadata"] == {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python", "version": "3.11.7"},
    }
    assert got["cells"][0]["attachments"] == {"shown.png": {"image/png": PICTURE}}
    assert got["cells"][1]["metadata"] == {"tags": ["setup"]}
    assert "attachments" not in got["cells"][4]
    assert set(got["cells"][3]["metadata"]) == {"nbgrader", "deletable", "editable"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("![](attachment:a.png)", True),
        ("![](attachment:a%2Epng)", True),
        ('![b](attachment:a.png "a title")', True),
        ('<img src="attachment:a.png">', True),
        ("a.png", False),
        ("![](attachment:aa.png)", False),
        ("![](attachment:a.png2)", False),
    ],
)
def test_attachments_are_named_in_many_ways(text: str, named: bool) -> None:
    assert ("a.png" in find_attachment_names(text)) is named


def test_other_files_in_the_folder_of_a_release_stay(
    small_course: SmallCourse, examiner: Examiner
) -> None:
    """Somebody's notes, a folder, a copy that was solved there: released or not, they are not ours."""
    folder = small_course.root / "assignments" / "hw"
    (folder / "drafts").mkdir(parents=True)
    others = {"notes.txt": b"ask somebody", "drafts/plan.md": b"first", "hw_solved.ipynb": b"{}"}
    for name, content in others.items():
        (folder / name).write_bytes(content)
    (small_course.source.parent / "data.csv").write_text("1,2\n")
    (small_course.source.parent / "tools").mkdir()
    (small_course.source.parent / "tools" / "shapes.py").write_text("SIDES = 4\n")
    made = release_assignment(load_course(small_course.config), "hw", examiner)
    assert made.others == ("drafts/plan.md", "hw_solved.ipynb", "notes.txt")
    assert (folder / "tools" / "shapes.py").read_text() == "SIDES = 4\n", (
        "a folder beside the source is released"
    )
    assert {name: (folder / name).read_bytes() for name in others} == others
    assert sorted(path.name for path in folder.iterdir()) == [
        "data.csv", "drafts", "hw.ipynb", "hw_solved.ipynb", "notes.txt", "tools",
    ]  # fmt: skip


@pytest.mark.parametrize("points", ["2", True, -1, [2]], ids=str)
def test_points_that_are_no_number_are_refused_by_the_name_of_their_cell(
    small_course: SmallCourse, examiner: Examiner, points: Any
) -> None:
    small_course.write(solution(DOUBLE), test(TEST_DOUBLE, points=points))
    with pytest.raises(
        ExamError, match=r"hw\.ipynb: the cell 'double' is worth .* points; give it a number"
    ):
        release_assignment(load_course(small_course.config), "hw", examiner)


def autograder(
    small_course: SmallCourse, *words: str, say: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*warm_autograder.command(), *words, "--config", str(small_course.config)],
        input=say, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "say", "code", "released"),
    [
        ((), "", 2, False),
        ((), "\n", 2, False),
        ((), "hw\n", 0, True),
        ((), "all\n", 0, True),
        (("--all",), "", 0, True),
        (("hw", "--all"), "", 2, False),
        ((), "other\n", 2, False),
    ],
    ids=["nobody answers", "nothing", "a name", "all", "--all", "both", "an unknown name"],
)
def test_without_a_name_the_list_is_shown_and_asked_for(
    small_course: SmallCourse, words: tuple[Any, ...], say: str, code: int, released: bool
) -> None:
    done = autograder(small_course, "release", *words, say=say)
    assert done.returncode == code, done.stderr
    assert (small_course.root / "assignments" / "hw" / "hw.ipynb").exists() == released
    assert words or "hw: Homework, not released yet" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_test_prints_is_not_part_of_the_json(small_course: SmallCourse) -> None:
    """Neither what it prints itself, nor what a program that it starts does."""
    noisy = 'import os\nprint("{")\nos.system("echo loud")\n' + TEST_DOUBLE
    small_course.write(solution(DOUBLE), test(noisy))
    done = autograder(small_course, "examine", str(small_course.source), "-a", "hw", "--json")
    assert json.loads(done.stdout)["points"] == 2, done.stderr
    assert "loud" in done.stderr


MARKED_DOUBLE = """\
### BEGIN HIDDEN TESTS
from autograder.marking import Marking, reference_of

reference = reference_of("hw")
marking = Marking(points=2)


@marking.criterion(2, "twice as much")
def double_of_one():
    wanted = reference.double(1)
    assert double(1) == wanted


marking.score()
### END HIDDEN TESTS"""

BROKEN = {
    "a misspelt end of a solution": (
        [solution(DOUBLE.replace("END SOLUTION", "END SOLUTON")), test(TEST_DOUBLE)],
        ["could not convert", "No end solution statement found, in the cell that begins with: def double(x):"],
    ),
    "a misspelt begin of a solution": (
        [solution(DOUBLE.replace("BEGIN SOLUTION", "BEGIN SOLUTOIN")), test(TEST_DOUBLE)],
        ["cell 1 (double_solution)", "### BEGIN SOLUTOIN", "'BEGIN SOLUTION'"],
    ),
    "a solution in a cell that is not marked as one": (
        [code(DOUBLE), test(TEST_DOUBLE)],
        ["Solution region detected in a non-solution cell", "in the cell that begins with: def double(x):"],
    ),
    "criteria that do not add up": (
        [solution(DOUBLE), test(MARKED_DOUBLE.replace("points=2", "points=3"))],
        ["its own solution of double", "the criteria add up to 2 points, the exercise has 3"],
    ),
    "criteria whose points are not given": (
        [solution(DOUBLE), test(MARKED_DOUBLE.replace("marking.score()\n", ""))],
        ["scores on double", "its last line has to be marking.score()"],
    ),
    "a reference function that is not there": (
        [solution(DOUBLE), test(MARKED_DOUBLE.replace("reference.double", "reference.duoble"))],
        ["its own solution of double", "duoble"],
    ),
    "a solution that is no Python": (
        [solution(DOUBLE.replace("2 * x", "2 * (x")), test(TEST_DOUBLE)],
        ["fails at line 4 of hw: double_solution: SyntaxError"],
    ),
    "a solution outside of its cell": (
        [solution(DOUBLE), code("def double(x):\n    return 2 * x"), test(TEST_DOUBLE)], ["scores on double"],
    ),
    "a hidden test repeated in the open": (
        [solution(DOUBLE), code(HIDDEN_LINE + "  # try it"), test(TEST_DOUBLE), text(HIDDEN_LINE)], ["does not run"],
    ),
    "a test that anything passes": (
        [solution(DOUBLE), test("### BEGIN HIDDEN TESTS\nassert True\n### END HIDDEN TESTS")], ["too weak"],
    ),
    "a test its own solution fails": (
        [solution(DOUBLE), test("### BEGIN HIDDEN TESTS\nassert double(1) == 3\n### END HIDDEN TESTS")],
        ["its own solution of double gets 0 of 2"],
    ),
    "a cell that crashes while unsolved": (
        [solution(DOUBLE), test(TEST_DOUBLE), code("double(2)")], ["does not run", "NotImplementedError"],
    ),
    "a source that does not run": (
        [solution(DOUBLE), test(TEST_DOUBLE), code("1 / 0")], ["ZeroDivisionError"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("cells", "words"), BROKEN.values(), ids=BROKEN)
def test_a_failed_proof_releases_nothing_and_says_why(
    small_course: SmallCourse, examiner: Examiner, cells: list[Any], words: list[str]
) -> None:
    good = released(small_course, examiner)
    small_course.write(*cells)
    with pytest.raises(AutograderError) as caught:
        release_assignment(load_course(small_course.config), "hw", examiner)
    assert all(word in str(caught.value) for word in words), caught.value
    assert json.loads((small_course.root / "assignments" / "hw" / "hw.ipynb").read_text()) == good


def test_known_mistakes_that_are_no_python_are_told_with_their_line(
    small_course: SmallCourse, examiner: Examiner
) -> None:
    small_course.source.with_name("mistakes.py").write_text("import numpy\n\ndef wrong(x)\n")
    with pytest.raises(
        ExamError, match=r"known answers fail at line 3 of mistakes\.py: SyntaxError: expected ':'"
    ):
        release_assignment(load_course(small_course.config), "hw", examiner)


def test_a_cell_that_uses_an_answer_is_ordinary_where_the_proof_is_not_strict(
    small_course: SmallCourse, examiner: Examiner
) -> None:
    small_course.write(solution(DOUBLE), test(TEST_DOUBLE), code("double(2)"), code("1 / 0"))
    text = small_course.config.read_text()
    assert 'c.Course.proof = "strict"' in text
    small_course.config.write_text(text.replace('c.Course.proof = "strict"', ""))
    made = release_assignment(load_course(small_course.config), "hw", examiner)
    assert "NotImplementedError" not in str(made.warnings)
    assert "ZeroDivisionError" in str(made.warnings)


def test_instructors_files_beside_the_source_are_a_leak(
    small_course: SmallCourse, examiner: Examiner
) -> None:
    text = small_course.config.read_text().replace(
        'c.CourseDirectory.ignore = ["mistakes.py", "alternatives.py", "shortcuts.py"]', ""
    )
    small_course.config.write_text(text)
    with pytest.raises(ReleaseError, match=r"file mistakes\.py"):
        release_assignment(load_course(small_course.config), "hw", examiner)


@pytest.mark.parametrize(
    "name", sorted(path.name for path in (REPOSITORY / "solutions").iterdir() if path.is_dir())
)
def test_what_is_in_the_repository_is_released_from_its_sources(name: Any) -> None:
    """A changed source notebook must be released again before it is committed."""
    course = load_course(REPOSITORY / "grading_config.py")
    if name not in course.assignments:
        pytest.skip(f"{name} is not configured yet")
    if not course.release_path(name).exists():
        pytest.skip(f"{name} is not released yet")
    exam = read_exam(course.source_path(name), course.assignments[name].patterns)
    assert find_leaks(exam, course.release_path(name)) == []
    public = json.loads(course.release_path(name).read_text())
    source = json.loads(course.source_path(name).read_text())
    assert [cell["id"] for cell in public["cells"]] == [cell["id"] for cell in source["cells"]]
    prose = [cell["source"] for cell in source["cells"] if cell["cell_type"] == "markdown"]
    assert [cell["source"] for cell in public["cells"] if cell["cell_type"] == "markdown"] == prose
