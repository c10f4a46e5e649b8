"""Texts for mails to students as a command; nothing is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import ConfigOption
from autograder.cli.long_work import hold_course_lock, print_troubles
from autograder.cli.screens import print_note
from autograder.overview.overview_site import FOLDER
from autograder.overview.student_notices import keep_told, make_notices, read_told, write_notices


def print_notices(
    days: Annotated[
        float, typer.Option("--days", help="Tell of what is due within so many days.", min=0)
    ] = 2.0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print, and do not remember it as told.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Print what may be mailed to whom since the last time: changes and deadlines, as CSV. Never
    points, never links.

    Example: autograder notices > notices.csv
    """
    classroom = open_classroom(config)
    memory = classroom.course.site.with_name(FOLDER) / "notices.json"
    with hold_course_lock(classroom, "notices"):
        told = read_told(memory)
        standings = classroom.assignment_standings(classroom.standings())
        now = datetime.now(UTC)
        notices, remembered = make_notices(
            classroom.course, classroom.students, standings, told, now, days
        )
        # Printed first: what failed to be printed must not be remembered as told.
        print(write_notices(notices), end="")
        if not dry_run:
            keep_told(memory, remembered)
    if not told:
        print_note("the first time only deadlines are told; from the next time on, changes, too")
    raise typer.Exit(print_troubles(classroom))
