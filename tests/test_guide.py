"""The worked example of the guide for instructors is an exercise that passes its own audit."""

from __future__ import annotations

import re

import pytest
from conftest import REPOSITORY, SmallCourse, code, solution, test

from autograder.auditing.audit import Auditor, Graded
from autograder.auditing.cases import Kind, read_cases
from autograder.auditing.tally import misnamed, shortfalls, survivors, tally
from autograder.config import load_course
from autograder.grader.examiner import Examiner
from autograder.jail import Limits

pytestmark = pytest.mark.slow

GUIDE = (REPOSITORY / "docs" / "writing-exercises.md").read_text(encoding="utf-8")


def block(name: str) -> str:
    """The code block that begins with this comment."""
    (found,) = re.findall(rf"```python\n# {re.escape(name)}\n(.*?)```", GUIDE, re.DOTALL)
    return found.replace('"NAME"', '"hw"')


@pytest.fixture
def guided(small_course: SmallCourse) -> SmallCourse:
    small_course.write(
        solution(block("solution cell"), "weighted_mean_solution"),
        code(block("checks cell"), grade_id="weighted_mean_checks", locked=True),
        test(block("tests cell"), "weighted_mean", 4),
    )
    for name in ("mistakes.py", "alternatives.py", "shortcuts.py"):
        small_course.source.with_name(name).write_text(block(name), encoding="utf-8")
    return small_course


def test_the_worked_example_passes_its_audit(guided):
    exam, cases = read_cases(load_course(guided.config), "hw")
    with Examiner(Limits(cell_seconds=10, call_seconds=10, seconds=60)) as examiner:
        auditor = Auditor(examiner, {"hw": exam})
        graded: list[Graded] = [auditor.grade(case) for case in cases]
    assert (shortfalls(graded), survivors(graded), misnamed(graded)) == ([], [], [])
    count = tally(graded)
    assert count.mistakes >= 5
    assert count.alternatives >= 2
    assert count.shortcuts >= 2
    assert count.keeping >= 1
    assert count.mutants >= 5
    assert {entry.case.kind for entry in graded} == set(Kind)


def test_the_worked_examples_visible_check_passes():
    names: dict[str, object] = {}
    exec(block("solution cell") + block("checks cell"), names)
    assert names["weighted_mean_of_two_rows"].status == "passed"
