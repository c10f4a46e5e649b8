"""The command that says what a course takes of the disk, and frees what can be made again."""

from __future__ import annotations

from typing import Annotated

import typer

from autograder.classroom.disk_use import free_disk_space, measure_disk_use
from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import ConfigOption, JsonOption
from autograder.cli.long_work import hold_course_lock, print_troubles
from autograder.cli.screens import out, print_line


def tidy_course(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what there is.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say what a course takes of the disk, remove what can be made again, and pack what students
    pushed.

    The record, and whatever could be the last copy of a notebook, stays.

    Example: autograder tidy --dry-run
    """
    classroom = open_classroom(config)
    done: list[str] = []
    if not dry_run:
        with hold_course_lock(classroom, "tidy"):
            done = list(free_disk_space(classroom))
    found = measure_disk_use(classroom)
    if as_json:
        kinds = []
        for use in found:
            kinds.append(
                {
                    "what": use.what,
                    "place": str(use.place),
                    "bytes": use.size,
                    "freeable": use.freeable,
                }
            )
        out.print_json(data={"done": done, "kinds": kinds})
    else:
        for sentence in done:
            print_line(sentence)
        for use in found:
            more = f", {use.freeable / 1e6:.1f} MB of it not needed" if use.freeable else ""
            print_line(f"{use.size / 1e6:10.1f} MB  {use.what} ({use.place}){more}")
    raise typer.Exit(print_troubles(classroom))
