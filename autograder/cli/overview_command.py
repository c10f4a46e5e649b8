"""The class at a glance as a command: a page and tables for instructors, and the shortest of it in
the terminal.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import ConfigOption
from autograder.cli.long_work import print_troubles
from autograder.cli.screens import out, print_line, print_note
from autograder.course.names import name_assignment
from autograder.overview import ClassOverview, make_overview, write_overview
from autograder.overview.needing_attention import Need
from autograder.record.page_keys import PageKeys

MOST_ROWS = 12


def show_overview(
    to: Annotated[
        Path | None,
        typer.Option("--to", help="A folder; default: overview/ beside the points site."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Show how the class does: who is stuck, which mistakes were made, which tests look wrong. For
    instructors only.

    Example: autograder overview
    """
    classroom = open_classroom(config)
    records = classroom.records()
    standings = classroom.standings(records)
    course = classroom.gradable
    now = datetime.now(UTC)
    # Not made where they are missing: a look at the class changes nothing.
    keys = PageKeys(course.keys) if course.keys.exists() else None
    found = make_overview(
        course, classroom.exams, classroom.students, standings, records, now, keys
    )
    out.print(make_class_table(found))
    out.print(make_mistake_table(found))
    for entry in found.suspects:
        print_note(
            f"the test of {entry.exercise} looks wrong: those who are strong elsewhere fail it"
        )
    # Beside the site and never in it, for what is in there is published.
    page = write_overview(found, to or course.site.with_name("overview"))
    print_line(f"overview: {page}")
    raise typer.Exit(print_troubles(classroom))


def make_class_table(found: ClassOverview) -> Table:
    """Return a row for each assignment: how many have begun, are there, are stuck, lost points by a
    slip.
    """
    table = Table("assignment", title="the class", box=box.SIMPLE_HEAD)
    for column in ("students", "begun", "all points", "mean", *Need):
        table.add_column(column, justify="right")
    for work in found.works:
        shares = []
        begun = 0
        full = 0
        for own in work.students:
            begun += own.is_begun
            if own.share is not None:
                shares.append(own.share)
                full += own.share >= 1
        mean = f"{100 * sum(shares) / len(shares):.0f} %" if shares else "–"
        needs = []
        for need in Need:
            # Somebody may be stuck in two exercises of it, and is one student all the same
            students = set()
            for notice in found.list_notices(need):
                if name_assignment(notice.assignment) == work.name:
                    students.add(notice.student)
            needs.append(str(len(students)))
        table.add_row(
            escape(work.name), str(len(work.students)), str(begun), str(full), mean, *needs
        )
    return table


def make_mistake_table(found: ClassOverview) -> Table:
    """Return the most frequent known mistakes."""
    table = Table("exercise", "known mistake", title="mistakes the class made", box=box.SIMPLE_HEAD)
    for column in ("students", "share", "still"):
        table.add_column(column, justify="right")
    for count in found.known_mistakes[:MOST_ROWS]:
        share = f"{100 * count.share:.0f} %"
        numbers = (str(len(count.made)), share, str(len(count.still)))
        table.add_row(escape(count.exercise), escape(count.mistake), *numbers)
    return table
