"""Source notebooks of every kind that nbgrader knows: released as they are, and graded with nbgrader's points."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from notebook_kinds import KINDS, SCORES, write_course

from autograder.course.configuration import Course
from autograder.course.configuration_file import load_course
from autograder.course.submissions import Submission
from autograder.grader.examiner import Examiner
from autograder.publishing.release import ReleasedAssignment, release_assignment

pytestmark = pytest.mark.slow
IN_EVERY_RUN = ("tasks", "own-markers", "names-of-tests")
# What nbgrader gives for having done nothing is nobody's: there, too, our points are nbgrader's.
NOTHING_WRONG = {"tasks", "by-hand", "tight-markers", "own-markers"}


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner() as examiner:
        yield examiner


def make_course(folder: Path, name: str) -> Course:
    write_course(folder, [name])
    text = (folder / "nbgrader_config.py").read_text()
    ours = f'c.Course.name = "Kinds"\nc.Course.assignments = {{"{name}": {{"title": "Kinds"}}}}\n'
    (folder / "grading_config.py").write_text(text + ours)
    return load_course(folder / "grading_config.py")


def points(course: Course, name: str, notebook: Path, examiner: Examiner) -> dict[str, float]:
    submission = Submission(name, f"{name}.ipynb", notebook.read_bytes())
    report = examiner.examine(course.read_exam(name), submission).report
    return {result.id: result.points for result in report.exercises}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in IN_EVERY_RUN else pytest.mark.release)
        for name in KINDS
    ],
)
def test_a_kind_of_notebook_is_released_and_gets_nbgraders_points(
    name: str, tmp_path: Path, examiner: Examiner
) -> None:
    course = make_course(tmp_path, name)
    made: ReleasedAssignment = release_assignment(course, name, examiner)
    wanted = json.loads(SCORES.read_text())[name]
    notebooks = {"solved": course.source_path(name), "stub": made.path}
    for state, notebook in notebooks.items():
        by_machine = {cell: score or 0.0 for cell, score in wanted[state].items()}
        assert points(course, name, notebook, examiner) == pytest.approx(by_machine), (state, made)
    if name in NOTHING_WRONG:
        assert made.warnings == ()
