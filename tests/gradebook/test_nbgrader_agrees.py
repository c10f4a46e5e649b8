"""The same cells give the same points under plain `nbgrader autograde` and in the jail, for honest notebooks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nbgrader_course import nbgrader, prepare, scores
from released_homework import released_notebook
from small_course import REPOSITORY

from autograder.course.configuration_file import load_course
from autograder.course.exam import read_exam
from autograder.course.submissions import Submission
from autograder.gradebook.gradebook_database import put_tools_on_path
from autograder.grader.examiner import Examiner
from autograder.jail import Limits
from autograder.rehearsal.student_roles import (
    StudentDesk,
    answer_everything,
    answer_first_half,
    answer_with_mistake,
    leave_untouched,
)

pytestmark = pytest.mark.slow

ROLES = {
    "all-right": answer_everything,
    "half-done": answer_first_half,
    "known-mistake": answer_with_mistake,
    "not-attempted": leave_untouched,
}


@pytest.mark.parametrize(
    "roles",
    [("half-done", "known-mistake"), pytest.param(tuple(ROLES), marks=pytest.mark.release)],
    ids=["two roles", "every role"],
)
def test_nbgrader_autograde_gives_the_same_points_exercise_by_exercise(
    tmp_path: Path, roles: tuple[str, ...]
) -> None:
    assignment = "hw01_numpy"
    course = load_course(REPOSITORY / "grading_config.py")
    exam = read_exam(course.source_path(assignment), course.assignments[assignment].patterns)
    with Examiner(Limits()) as examiner:
        released = json.loads(
            released_notebook(course, assignment, tmp_path / "released", examiner)
        )
        submissions = {
            name: ROLES[name](StudentDesk(name, exam, released))[
                f"assignments/{assignment}/{assignment}_solved.ipynb"
            ]
            for name in roles
        }
        reports = {
            name: examiner.examine(exam, Submission(assignment, name, content)).report
            for name, content in submissions.items()
        }
    prepare(REPOSITORY, tmp_path, assignment, submissions)
    nbgrader(tmp_path, "generate_assignment", assignment)
    nbgrader(tmp_path, "autograde", assignment)
    put_tools_on_path()
    theirs = scores(tmp_path, assignment)

    ours = {
        name: {entry.id: entry.points for entry in report.exercises}
        for name, report in reports.items()
    }
    assert ours == theirs
    assert ours["known-mistake"] != ours["half-done"]
    if "all-right" in ours:
        assert ours["all-right"] not in (ours["known-mistake"], ours["half-done"])
