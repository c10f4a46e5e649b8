"""The command that makes the students' notebooks."""

from __future__ import annotations

from typing import Annotated

import typer

from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import ConfigOption
from autograder.cli.progress_bar import show_steps
from autograder.cli.screens import err, print_line, print_note
from autograder.course.configuration import Course
from autograder.course.errors import UsageError
from autograder.grader.examiner import Examiner
from autograder.publishing.release import release_assignment

# What answers the question for names
EVERY = "all"


def release_assignments(
    assignments: Annotated[
        list[str] | None, typer.Argument(help="Names; without any you are asked.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All in grading_config.py.")] = False,
    config: ConfigOption = None,
) -> None:
    """Make the students' notebooks from solutions/, and prove that they give nothing away.

    Example: autograder release hw01_numpy
    """
    course = open_classroom(config).course
    if every and assignments:
        raise UsageError("name assignments, or say --all, not both")
    named = list(course.assignments) if every else assignments or _ask_for_names(course)
    # All names before the first release: a slip in the last one is told at once
    names = course.find_all_notebooks(named)
    with Examiner(course.limits) as examiner:
        for name in names:
            _release_one(course, name, examiner)


def _release_one(course: Course, name: str, examiner: Examiner) -> None:
    with show_steps(f"{name}: ", err) as tell:
        made = release_assignment(course, name, examiner, tell)
    state = "released" if made.changed else "unchanged"
    print_line(f"{name}: {state}, {made.exercises} exercises, {made.points:g} points → {made.path}")
    for exercise, reason in made.inside.items():
        print_line(f"  {exercise} is tested inside the jail: {reason}")
    for warning in made.warnings:
        print_line(f"  look at this: {warning}")
    for other in made.others:
        print_note(f"{made.path.parent / other} is no part of the release; left as it is")


def _ask_for_names(course: Course) -> list[str]:
    """Show what there is to be released, and return the names that somebody answers.

    Raises
    ------
    UsageError
        If nobody answers, or nothing.
    """
    for name, entry in course.assignments.items():
        state = "released before" if course.release_path(name).exists() else "not released yet"
        err.print(f"  {name}: {entry.title}, {state}", markup=False)
    err.print(f"release which? names, or {EVERY!r}: ", end="")
    try:
        answer = input().split()
    except EOFError:
        answer = []
    if not answer:
        raise UsageError("nothing was released; name the assignments to release, or say --all")
    return list(course.assignments) if answer == [EVERY] else answer
