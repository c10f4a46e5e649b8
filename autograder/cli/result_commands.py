"""Commands that show the class: who has how many points and why, one student, and everybody's own
link.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import ConfigOption, JsonOption
from autograder.cli.long_work import (
    hold_course_lock,
    note_empty_roster,
    print_troubles,
    require_student,
)
from autograder.cli.result_text import print_standings, print_student, standings_json
from autograder.cli.screens import out
from autograder.pages import PageKeys, links_csv


def show_standings(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Print who has how many points, and why.

    Example: autograder standings --json
    """
    classroom = open_classroom(config)
    now = datetime.now(UTC)
    standings = classroom.assignment_standings(classroom.standings())
    note_empty_roster(classroom)
    if as_json:
        out.print_json(data=standings_json(standings, now))
    elif standings:
        print_standings(standings, out, now)
    code = print_troubles(classroom)
    if code:
        raise typer.Exit(code)


def show_student(
    student: Annotated[str, typer.Argument(help="The student's id in the roster.")],
    config: ConfigOption = None,
) -> None:
    """Show everything about one student: pushes, which one counts and why, points and hints.

    Example: autograder show someone
    """
    classroom = open_classroom(config)
    require_student(classroom, student)
    records = classroom.records()
    standings = classroom.assignment_standings(classroom.standings(records))
    if student in standings:
        print_student(classroom.course, standings[student], records[student], out)
    raise typer.Exit(print_troubles(classroom))


def print_links(
    rotate: Annotated[
        list[str] | None, typer.Option("--rotate", help="Give this student a new page and key.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Print each student's own link as CSV, for a mail merge; an old link ends when the pages are
    next built.

    Example: autograder links > links.csv
    """
    classroom = open_classroom(config)
    with hold_course_lock(classroom, "links"):
        keys = PageKeys.load_or_create(classroom.course.keys)
        for student in rotate or []:
            require_student(classroom, student)
            keys.rotate_key(student)
        links = classroom.build_pages()
    print(links_csv(classroom.students, links, classroom.course.site_url), end="")
    raise typer.Exit(print_troubles(classroom))
