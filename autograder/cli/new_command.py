"""The command that lays out a new assignment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import ConfigOption
from autograder.cli.screens import print_line
from autograder.course.configuration import CONFIG_FILE
from autograder.publishing.new_assignment import lay_out_assignment


def lay_out_new(
    name: Annotated[str, typer.Argument(help="The assignment's name, like hw05_kmeans.")],
    title: Annotated[
        str, typer.Option("--title", help="What students read; default: from the name.")
    ] = "",
    function: Annotated[
        str,
        typer.Option(
            "--function", help="What students write; default: the name without its number."
        ),
    ] = "",
    config: ConfigOption = None,
) -> None:
    """Lay out a new assignment: a source notebook with one exercise, its known answers, its line in
    the configuration.

    It can be released as it stands; rewrite it bit by bit. Example: autograder new hw05_kmeans --title "Clusters"
    """
    course = open_classroom(config).course
    made = lay_out_assignment(course, name, title, function)
    for path in made.files:
        print_line(f"made {_shorten_path(path)}")
    if made.configured:
        print_line(f"added to {CONFIG_FILE}: {made.line}")
    else:
        print_line(f"add to c.Course.assignments in {CONFIG_FILE}: {made.line}")
    print_line(f"write:     jupyter lab {_shorten_path(made.files[0])}")
    print_line(f"release:   autograder release {name}")
    print_line(f"test:      autograder audit {name}")
    print_line('deadline:  add "deadline": "YYYY-MM-DD HH:MM" to that line when it is known')
    print_line("guide:     docs/writing-exercises.md")


def _shorten_path(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
