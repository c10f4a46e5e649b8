"""What is done for the class again and again: collect, grade, gradebook, pages, or `run` for all of
it.
"""

from __future__ import annotations

from typing import Annotated

import typer

from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import ConfigOption
from autograder.cli.long_work import (
    bring_gradebook_up,
    build_all_pages,
    collect_all,
    grade_all,
    hold_course_lock,
    note_empty_roster,
    print_troubles,
    run_all,
)


def collect_pushes(config: ConfigOption = None) -> None:
    """Ask every student's repository what was pushed, and record what is new.

    Example: autograder collect
    """
    classroom = open_classroom(config)
    note_empty_roster(classroom)
    with hold_course_lock(classroom, "collect"):
        done = collect_all(classroom)
    raise typer.Exit(0 if done else 1)


def grade_pushes(
    student: Annotated[
        list[str] | None, typer.Option("--student", "-s", help="Only these students.")
    ] = None,
    assignment: Annotated[
        str, typer.Option("--assignment", "-a", help="Only this assignment.")
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Grade again what is graded already.")
    ] = False,
    scheduler: Annotated[
        str, typer.Option("--scheduler", help="Address of a Dask scheduler to grade by.")
    ] = "",
    config: ConfigOption = None,
) -> None:
    """Grade what was collected and has no points yet, and what a changed exam made outdated.

    Example: autograder grade --student someone --assignment hw01_numpy --force
    """
    classroom = open_classroom(config)
    with hold_course_lock(classroom, "grade"):
        done = grade_all(classroom, student or [], assignment, force=force, scheduler=scheduler)
    raise typer.Exit(max(print_troubles(classroom), 0 if done else 1))


def refresh_gradebook(config: ConfigOption = None) -> None:
    """Read marks that people gave in nbgrader's formgrader, and bring its gradebook.db up to date.

    Example: autograder gradebook && nbgrader export
    """
    classroom = open_classroom(config)
    with hold_course_lock(classroom, "gradebook"):
        done = bring_gradebook_up(classroom)
    raise typer.Exit(max(print_troubles(classroom), 0 if done else 1))


def build_pages(config: ConfigOption = None) -> None:
    """Build the points pages.

    Example: autograder pages
    """
    classroom = open_classroom(config)
    with hold_course_lock(classroom, "pages"):
        build_all_pages(classroom)
    raise typer.Exit(print_troubles(classroom))


def run_everything(config: ConfigOption = None) -> None:
    """Do everything a poll does: collect, grade, gradebook, pages; exits with 75 while another one
    is at it.

    Example: autograder run
    """
    classroom = open_classroom(config)
    with hold_course_lock(classroom, "run"):
        code = run_all(classroom)
    raise typer.Exit(code)
