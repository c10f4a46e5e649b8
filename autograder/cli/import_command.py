"""Work that does not come by git: what was handed in on a learning platform, put into the
record.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import ConfigOption
from autograder.cli.long_work import hold_course_lock, note_empty_roster, print_troubles
from autograder.cli.screens import print_error, print_line, print_note
from autograder.course.errors import UsageError
from autograder.course.option_values import MOMENT, read_moment

TIME_HELP = "When that was handed in of which nothing says it, like '2027-03-06 23:00' in the course's zone."


def import_folder(
    folder: Annotated[
        Path, typer.Argument(help="The folder, or the archive as it was downloaded.")
    ],
    assignment: Annotated[
        str,
        typer.Option("--assignment", "-a", help="The assignment, where the files do not say it."),
    ] = "",
    time: Annotated[str, typer.Option("--time", help=TIME_HELP)] = "",
    config: ConfigOption = None,
) -> None:
    """Record what was handed in elsewhere; then grade, show, pages and export as for pushes.

    Takes nbgrader's submitted/ (also what zip_collect makes), and the archives that Moodle and
    Canvas let one download, with the times that stand there. What is in the record already is not
    recorded twice.

    Example: autograder import submissions.zip --assignment hw01_numpy
    """
    classroom = open_classroom(config)
    note_empty_roster(classroom)
    moment = None
    if time:
        try:
            moment = read_moment(time, classroom.course.timezone)
        except ValueError:
            raise UsageError(f"--time {time!r} is not {MOMENT}") from None
    new = known = failed = 0
    with hold_course_lock(classroom, "import"):
        for done in classroom.import_work(folder, assignment, moment):
            if done.error:
                print_error(done.error)
                failed += 1
            elif done.push is None:
                known += 1
            else:
                when = classroom.course.write_moment(done.push.time)
                print_line(f"{done.student}: {done.assignment}, handed in {when}")
                new += 1
            if done.note:
                print_note(done.note)
    print_line(f"{new} new, {known} in the record already, {failed} not taken")
    raise typer.Exit(max(print_troubles(classroom), 1 if failed else 0))
