"""The command with which a student keeps up with the course."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.questions import ask_to_agree
from autograder.cli.screens import out, print_line
from autograder.course.course_card import read_card
from autograder.course.errors import AutograderError
from autograder.students.clone_situation import ReplacedFile, describe_news
from autograder.students.course_update import CourseUpdate
from autograder.students.student_clone import find_clone

KEPT = "your files as they were are in {0}; to get one back: git checkout {0} -- FILE"


def update_clone(
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Agree to everything; nothing is lost by it.")
    ] = False,
    checkpoints: Annotated[
        bool, typer.Option("--checkpoints", help="Take Jupyter's checkpoints out of git.")
    ] = False,
) -> None:
    """Get what is new in the course, and put right what would stand in its way. Your work is never
    lost.

    Example: autograder update
    """
    clone = find_clone(Path.cwd())
    update = CourseUpdate.open_clone(clone.root, read_card(clone.root))
    # Before anything is fetched or compared: a half-made merge has files that are neither side's
    if update.is_merging:
        _take_merge_back(update, yes)
    address = update.fetch_course()
    situation = update.compare_with_course()
    _describe_replaced(situation.asked)
    agreed = True
    if situation.asked:
        agreed = ask_to_agree("Do this? Your versions are kept in git as well.", yes, "update")
    # What is not in the way may stay as it is; with what is, nothing can be merged
    if not agreed and any(entry.in_the_way for entry in situation.asked):
        _stop_here()
    begun = [name for name in clone.assignments if clone.copy_path(name).exists()]
    replaced = [*situation.silent, *(situation.asked if agreed else ())]
    kept = update.carry_out(situation, replaced)
    for entry in situation.silent:
        print_line(f"put back {entry.path}, in which there was no work of yours")
    if kept:
        print_line(KEPT.format(kept))
    print_line(f"from {address}:")
    for line in describe_news(situation, begun):
        print_line(f"  {line}")
    _treat_checkpoints(update, situation.checkpoints, remove=checkpoints)
    for remark in update.describe_remotes():
        print_line(f"! {remark}")
    print_line("now push: git push")


def _take_merge_back(update: CourseUpdate, yes: bool) -> None:
    out.print("a merge was begun and stopped at a conflict")
    if not ask_to_agree("Take it back? Your files as they are now are kept in git.", yes, "update"):
        _stop_here()
    print_line(f"taken back; {KEPT.format(update.take_merge_back())}")


def _describe_replaced(replaced: Sequence[ReplacedFile]) -> None:
    for entry in replaced:
        if entry.beside:
            what = f"the course's notebook comes back, your version becomes {entry.beside}"
        elif entry.path.endswith(".ipynb"):
            what = "holds the marks of a conflict (<<<<<<<); your side of it stays"
        else:
            what = "the course's version comes back"
        print_line(f"{entry.path}: {what}")


def _treat_checkpoints(update: CourseUpdate, checkpoints: Sequence[str], *, remove: bool) -> None:
    number = len(checkpoints)
    if checkpoints and remove:
        update.forget_checkpoints(checkpoints)
        out.print(f"{number} checkpoint files are out of git, and still on your disk; commit that")
    elif checkpoints:
        out.print(
            f"! {number} checkpoint files of Jupyter are in git; autograder update --checkpoints"
        )


def _stop_here() -> None:
    raise AutograderError("stopped; nothing more was changed")
