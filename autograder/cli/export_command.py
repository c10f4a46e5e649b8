"""Points for other systems as a command."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.application import ConfigOption, app, err, open_classroom, out
from autograder.cli.long_work import print_troubles
from autograder.course.errors import UsageError
from autograder.pages.points_export import Format, export_points


@app.command()
def export(
    form: Annotated[Format, typer.Option("--format", help="Who reads it.")] = Format.CSV,
    assignment: Annotated[
        list[str] | None, typer.Option("--assignment", "-a", help="Only this one; default: what has any points.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", help="A file; default: print it.")] = None,
    config: ConfigOption = None,
) -> None:
    """Write the points as CSV for a spreadsheet, Moodle or Canvas; what is not decided yet stays empty.

    Example: autograder export --format moodle --to points.csv
    """
    classroom = open_classroom(config)
    standings, now = classroom.standings(), datetime.now(UTC)
    students = [student for student in classroom.students if student.id in standings]
    made = export_points(classroom.gradable, students, standings, form, now, assignment or ())
    if to is None:
        print(made.text, end="")
    else:
        _write(to, made.text)
        out.print(f"exported: {len(students)} students → {to}", markup=False)
    if made.undecided:
        err.print(f"note: {made.undecided} results are empty: not pushed, graded or marked yet", markup=False)
    for name, number in made.outdated.items():
        what = f"{number} results of {name} are empty: its tests were changed, and they are not graded again yet"
        err.print(f"not decided: {what}; autograder run, then export again", style="red", markup=False)
    raise typer.Exit(max(print_troubles(classroom), 1 if made.outdated else 0))


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner can read: it holds names and points."""
    from autograder.course.whole_files import PRIVATE, write_whole

    if not path.parent.is_dir():
        raise UsageError(f"{path}: No such file or directory; name a file in a folder that is there")
    write_whole(path, text.encode(), "export", mode=PRIVATE)
