"""The command that grades one notebook file on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import ConfigOption, JsonOption
from autograder.cli.result_text import print_report
from autograder.cli.screens import out
from autograder.course.configuration import Course
from autograder.course.errors import UsageError
from autograder.course.names import name_notebook, quote_name
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
    name = choose_notebook(course, assignment, file)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}; name a notebook file") from None
    exam = course.read_exam(name)
    submission = Submission(name, str(file), content)
    with Examiner(course.limits, exams=[exam]) as examiner:
        report = examiner.examine(exam, submission).report
    if as_json:
        out.print_json(data=report.for_students().to_json())
    else:
        print_report(report, out)
    if report.status != "graded":
        raise typer.Exit(1)


def choose_notebook(course: Course, assignment: str, file: Path) -> str:
    """Return which of an assignment's notebooks a file is: of several, the one that is called so.

    Raises
    ------
    ConfigError
        If there is no such assignment.
    UsageError
        If it has several notebooks, and the file is called like none of them.
    """
    notebooks = course.find_notebooks(assignment)
    # `autograder start` gives a student's copy this ending.
    stem = file.stem.removesuffix("_solved")
    called_so = [name for name in notebooks if name_notebook(name) == stem]
    if len(notebooks) == 1:
        return notebooks[0]
    if called_so:
        return called_so[0]
    choices = " or ".join(map(quote_name, notebooks))
    raise UsageError(
        f"{assignment} has several notebooks; say which one {file} is: --assignment {choices}"
    )
