"""Points for other systems as a command."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import ConfigOption
from autograder.cli.long_work import print_troubles
from autograder.cli.screens import print_error, print_line, print_note
from autograder.course.errors import UsageError
from autograder.course.whole_files import PRIVATE, write_whole
from autograder.pages.points_export import Format, export_points


def write_points_for_others(
    form: Annotated[Format, typer.Option("--format", help="Who reads it.")] = Format.CSV,
    assignment: Annotated[
        list[str] | None,
        typer.Option("--assignment", "-a", help="Only this one; default: what has any points."),
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", help="A file; default: print it.")] = None,
    config: ConfigOption = None,
) -> None:
    """Write the points as CSV for a spreadsheet, Moodle or Canvas; what is not decided yet stays
    empty.

    Example: autograder export --format moodle --to points.csv
    """
    classroom = open_classroom(config)
    now = datetime.now(UTC)
    standings = classroom.standings()
    students = classroom.list_judged_students(standings)
    made = export_points(classroom.gradable, students, standings, form, now, assignment or ())
    if to is None:
        print(made.text, end="")
    else:
        _write_private(to, made.text)
        print_line(f"exported: {len(students)} students → {to}")
    if made.undecided:
        print_note(f"{made.undecided} results are empty: not pushed, graded or marked yet")
    for name, number in made.outdated.items():
        print_error(
            f"not decided: {number} results of {name} are empty: its tests were changed, and they are not "
            "graded again yet; autograder run, then export again"
        )
    raise typer.Exit(max(print_troubles(classroom), 1 if made.outdated else 0))


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read: it holds names and points."""
    # `write_whole` would make it, and a slip in a path would become a folder.
    if not path.parent.is_dir():
        raise UsageError(
            f"{path}: No such file or directory; name a file in a folder that is there"
        )
    write_whole(path, text.encode(), "export", mode=PRIVATE)
