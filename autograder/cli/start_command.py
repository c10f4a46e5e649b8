"""The command with which a student begins a homework."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.screens import print_line
from autograder.course.course_card import Card, read_card
from autograder.course.names import name_assignment, quote_name
from autograder.students.student_clone import StudentClone, find_clone


def start_homework(
    name: Annotated[
        str | None, typer.Argument(help="The homework; without one, all there are are listed.")
    ] = None,
) -> None:
    """Make your copy of a homework, NAME_solved.ipynb, to work in.

    Example: autograder start hw01_numpy
    """
    clone = find_clone(Path.cwd())
    if name is None:
        _list_homework(clone, read_card(clone.root))
        return
    notebooks = clone.find_notebooks(name)
    # Of several, those begun already are left as they are; if all are, the first one says so.
    fresh = [one for one in notebooks if not clone.copy_path(one).exists()] or notebooks[:1]
    for notebook in fresh:
        copy = clone.relative_path(clone.start_homework(notebook))
        print_line(f"made {copy}: your copy, which no update of the course touches")
        print_line(f"open it:   jupyter lab {quote_name(copy)}")
    assignment = notebooks[0] if len(notebooks) == 1 else name_assignment(notebooks[0])
    print_line(f"check it:  autograder check {quote_name(assignment)}")
    print_line(f"hand in:   autograder submit {quote_name(assignment)}; as often as you like")


def _list_homework(clone: StudentClone, card: Card) -> None:
    for assignment in clone.assignments:
        is_begun = clone.copy_path(assignment).exists()
        begun = "begun" if is_begun else f"begin with: autograder start {quote_name(assignment)}"
        words = [f"{assignment}: {begun}"]
        homework = card.assignments.get(assignment)
        if homework:
            for part, when in homework.deadlines.items():
                words.append(f"{part} due {when:%a %d %b %H:%M}".strip())
        print_line("; ".join(words))
