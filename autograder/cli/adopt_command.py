"""The command that takes a course made for nbgrader."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.screens import print_line, print_note
from autograder.course.configuration import CONFIG_FILE
from autograder.course.configuration_file import load_course
from autograder.course.database_addresses import say_what_nbgrader_needs
from autograder.course.marker_options import NBGRADER_FILE
from autograder.grader.examiner import Examiner
from autograder.publishing.adoption import (
    NotebookVerdict,
    find_course,
    try_notebooks,
    write_config,
)


def adopt_course(
    folder: Annotated[
        Path, typer.Argument(help="The course's folder, with nbgrader's source notebooks.")
    ],
    timezone: Annotated[str, typer.Option("--timezone", help="The zone deadlines are in.")] = "UTC",
) -> None:
    """Write grading_config.py for a course made for nbgrader, and say what each notebook will do;
    none is changed.

    Example: autograder adopt ~/teaching/statistics --timezone Europe/Paris
    """
    found = find_course(folder)
    written = write_config(found, timezone)
    for path in written:
        print_line(f"wrote {path}")
    if folder / CONFIG_FILE not in written:
        print_note(f"{folder / CONFIG_FILE} is there already, and was left as it is")
    for sentence in found.unusable:
        print_line(f"needs a hand: {sentence}")
    course = load_course(folder / CONFIG_FILE)
    needed = say_what_nbgrader_needs(course.database, folder / NBGRADER_FILE)
    if needed:
        print_line(f"needs a hand: {needed}")
    good = not found.unusable and not needed
    with Examiner(course.limits) as examiner:
        for verdict in try_notebooks(course, examiner):
            _print_verdict(verdict)
            good = good and not verdict.by_hand
    print_line(f"next: autograder release --all --config {folder / CONFIG_FILE}")
    raise typer.Exit(0 if good else 1)


def _print_verdict(verdict: NotebookVerdict) -> None:
    about = f"{verdict.exercises} exercises, {verdict.points:g} points"
    if not verdict.exercises:
        print_line(f"{verdict.assignment}: needs a hand")
    elif not verdict.inside:
        print_line(f"{verdict.assignment}: {about}, all tests run outside of the jail")
    else:
        print_line(f"{verdict.assignment}: {about}, {len(verdict.inside)} tested inside the jail")
    for exercise, reason in verdict.inside.items():
        print_line(f"  {exercise} inside: {reason}")
    for sentence in verdict.by_hand:
        print_line(f"  needs a hand: {sentence}")
