"""Releases are proved: what would give something away is not released, and the reason is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DOUBLE, REPOSITORY, TEST_DOUBLE, SmallCourse, code, solution, test, text

from autograder.config import load_course
from autograder.errors import AutograderError, ReleaseError
from autograder.exam import read_exam
from autograder.grader.examiner import Examiner
from autograder.jail import Limits
from autograder.publishing.release import leaks, release

HIDDEN_LINE = "assert double(21) == 42"


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner(Limits(cell_seconds=20)) as examiner:
        yield examiner


def released(small_course: SmallCourse, examiner: Examiner) -> dict:
    made = release(load_course(small_course.config), "hw", examiner)
    return json.loads(made.path.read_text())


def test_a_release_has_stubs_and_visible_tests_only(small_course, examiner):
    notebook = released(small_course, examiner)
    sources = "\n".join("".join(cell["source"]) for cell in notebook["cells"])
    assert "raise NotImplementedError" in sources
    assert "assert double(1) == 2" in sources
    assert "2 * x" not in sources
    assert HIDDEN_LINE not in sources
    assert sorted(path.name for path in (small_course.root / "assignments" / "hw").iterdir()) == ["hw.ipynb"]


def test_a_solution_cell_without_markers_becomes_one_stub(small_course, examiner):
    small_course.write(solution("def double(x):\n    return 2 * x"), test(TEST_DOUBLE))
    notebook = released(small_course, examiner)
    assert "".join(notebook["cells"][0]["source"]) == "raise NotImplementedError"


def test_released_again_nothing_changes(small_course, examiner):
    course = load_course(small_course.config)
    assert release(course, "hw", examiner).changed
    path = course.release("hw")
    before = path.stat().st_mtime_ns
    assert not release(course, "hw", examiner).changed
    assert path.stat().st_mtime_ns == before


def test_plain_nbgrader_makes_the_same(small_course, examiner):
    ours = released(small_course, examiner)
    (small_course.root / "assignments" / "hw" / "hw.ipynb").unlink()
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "hw", "--force"]
    subprocess.run(command, cwd=small_course.root, env=environment, check=True, capture_output=True)
    assert json.loads((small_course.root / "assignments" / "hw" / "hw.ipynb").read_text()) == ours


BROKEN = {
    "a misspelt end of a solution": (
        [solution(DOUBLE.replace("END SOLUTION", "END SOLUTON")), test(TEST_DOUBLE)], ["could not convert"],
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
def test_a_failed_proof_releases_nothing_and_says_why(small_course, examiner, cells, words):
    good = released(small_course, examiner)
    small_course.write(*cells)
    with pytest.raises(AutograderError) as caught:
        release(load_course(small_course.config), "hw", examiner)
    assert all(word in str(caught.value) for word in words), caught.value
    assert json.loads((small_course.root / "assignments" / "hw" / "hw.ipynb").read_text()) == good


def test_instructors_files_beside_the_source_are_a_leak(small_course, examiner):
    text = small_course.config.read_text().replace(
        'c.CourseDirectory.ignore = ["mistakes.py", "alternatives.py", "shortcuts.py"]', ""
    )
    small_course.config.write_text(text)
    with pytest.raises(ReleaseError, match=r"file mistakes\.py"):
        release(load_course(small_course.config), "hw", examiner)


@pytest.mark.parametrize("name", sorted(path.name for path in (REPOSITORY / "solutions").iterdir() if path.is_dir()))
def test_what_is_in_the_repository_is_released_from_its_sources(name):
    """A changed source notebook must be released again before it is committed."""
    course = load_course(REPOSITORY / "grading_config.py")
    if name not in course.assignments:
        pytest.skip(f"{name} is not configured yet")
    if not course.release(name).exists():
        pytest.skip(f"{name} is not released yet")
    exam = read_exam(course.source(name), course.assignments[name].patterns)
    assert leaks(exam, course.release(name)) == []
    public = json.loads(course.release(name).read_text())
    source = json.loads(course.source(name).read_text())
    assert [cell["id"] for cell in public["cells"]] == [cell["id"] for cell in source["cells"]]
    prose = [cell["source"] for cell in source["cells"] if cell["cell_type"] == "markdown"]
    assert [cell["source"] for cell in public["cells"] if cell["cell_type"] == "markdown"] == prose
