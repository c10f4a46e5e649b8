"""The command that grades one notebook file on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import ConfigOption, JsonOption
from autograder.cli.result_text import print_report
from autograder.cli.screens import out
from autograder.course.errors import UsageError
from autograder.course.submissions import Submission
from autograder.grader.examiner import Examiner


def examine_notebook(
    file: Annotated[Path, typer.Argument(help="A notebook file.")],
    assignment: Annotated[str, typer.Option("--assignment", "-a", help="What to grade it as.")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Grade one notebook file here and now, with hints; nothing is recorded.

    Example: autograder examine hw01_numpy_solved.ipynb --assignment hw01_numpy
    """
    course = open_classroom(config).course
    course.find_assignment(assignment)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}; name a notebook file") from None
    exam = course.read_exam(assignment)
    submission = Submission(assignment, str(file), content)
    with Examiner(course.limits, exams=[exam]) as examiner:
        report = examiner.examine(exam, submission).report
    if as_json:
        out.print_json(data=report.for_students().to_json())
    else:
        print_report(report, out)
    if report.status != "graded":
        raise typer.Exit(1)
