"""The course to read in the browser as a command: the demo notebooks run once for each change,
beside the points.
"""

from __future__ import annotations

from typing import Annotated

import typer

from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import ConfigOption
from autograder.cli.long_work import build_all_pages, hold_course_lock, print_troubles
from autograder.cli.screens import print_error, print_line
from autograder.course.errors import AutograderError
from autograder.pages.demo_runs import execute_notebook
from autograder.pages.readings import list_sources, list_stale, load_notebook, make_reading


def make_readings(
    every: Annotated[bool, typer.Option("--all", help="Also those that have not changed.")] = False,
    config: ConfigOption = None,
) -> None:
    """Run the demo notebooks that have changed, and put them beside the points, to be read in the
    browser.

    The text of released homework is put there by every build of the pages; only the demos take
    their time.

    Example: autograder readings
    """
    classroom = open_classroom(config)
    course = classroom.course
    code = 0
    with hold_course_lock(classroom, "readings"):
        for source in list_sources(course) if every else list_stale(course):
            try:
                prepare = execute_notebook if source.is_demo else load_notebook
                reading = make_reading(course, source, prepare)
                print_line(f"{source.name}: {reading.title}, {len(reading.pictures)} pictures")
            # The others can be read all the same
            except AutograderError as error:
                print_error(f"autograder: {error}")
                code = 1
        build_all_pages(classroom)
    raise typer.Exit(max(code, print_troubles(classroom)))
