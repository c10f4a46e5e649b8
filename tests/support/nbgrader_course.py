"""A course folder with submissions, graded by nbgrader itself: the independent truth about points."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import meeting
import warm_autograder

ENVIRONMENT = os.environ | {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
}
START_NBGRADER = [sys.executable, "-m", "nbgrader"]


def prepare(
    repository: Path, root: Path, assignment: str, submissions: Mapping[str, bytes]
) -> None:
    """Lay out a course for nbgrader: source, configuration, a submission per student."""
    shutil.copytree(repository / "solutions" / assignment, root / "solutions" / assignment)
    for name in ("grading_config.py", "nbgrader_config.py"):
        shutil.copy(repository / name, root / name)
    for student, content in submissions.items():
        folder = root / "submitted" / student / assignment
        folder.mkdir(parents=True)
        (folder / f"{assignment}.ipynb").write_bytes(content)


def nbgrader(root: Path, *arguments: str) -> None:
    """Run a plain nbgrader command in the course."""
    # Some helpers are programs, too: there is no test run to meet in.
    in_tests = meeting.VARIABLE in os.environ
    program = warm_autograder.command("nbgrader") if in_tests else START_NBGRADER
    command = [*program, *arguments]
    done = subprocess.run(command, cwd=root, env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"nbgrader {' '.join(arguments)}:\n{done.stderr[-4000:]}")


def scores(root: Path, assignment: str) -> dict[str, dict[str, float]]:
    """Read the automatic points by student and exercise from nbgrader's gradebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        return {
            submission.student.id: {
                grade.name: grade.auto_score for grade in submission.notebooks[0].grades
            }
            for submission in book.assignment_submissions(assignment)
        }
