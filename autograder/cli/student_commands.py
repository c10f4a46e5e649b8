"""Commands of students: begin a homework, check it, keep up with the course. They need no more than the course does."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.cli.application import JsonOption, app, err, out

if TYPE_CHECKING:
    from autograder.course.course_card import Card
    from autograder.students.check_run import CheckRun
    from autograder.students.clone_situation import ReplacedFile
    from autograder.students.course_update import CourseUpdate
    from autograder.students.student_clone import StudentClone

NOTHING = "you have begun no homework yet; begin with: autograder start NAME"
KEPT = "your files as they were are in {0}; to get one back: git checkout {0} -- FILE"
UNCHANGED = "no notebook of yours changed in this push"


@app.command()
def start(
    name: Annotated[str | None, typer.Argument(help="The homework; without one, all there are are listed.")] = None,
) -> None:
    """Make your copy of a homework, NAME_solved.ipynb, to work in.

    Example: autograder start hw01_numpy
    """
    from autograder.course.course_card import read_card
    from autograder.students.student_clone import find_clone

    clone = find_clone(Path.cwd())
    if name is None:
        _list_homework(clone, read_card(clone.root))
        return
    assignment = clone.find_assignment(name)
    short = clone.relative_path(clone.start_homework(assignment))
    out.print(f"made {short}: your copy, which no update of the course touches", markup=False)
    out.print(f"open it:   jupyter lab {short}", markup=False)
    out.print(f"check it:  autograder check {assignment}", markup=False)
    out.print("hand in:   git add assignments, git commit -m Homework, git push; as often as you like", markup=False)


def _list_homework(clone: StudentClone, card: Card) -> None:
    for assignment in clone.assignments:
        begun = "begun" if clone.copy_path(assignment).exists() else f"begin with: autograder start {assignment}"
        homework = card.assignments.get(assignment)
        due = (
            [f"{part} due {when:%a %d %b %H:%M}".strip() for part, when in homework.deadlines.items()]
            if homework
            else []
        )
        out.print("; ".join([f"{assignment}: {begun}", *due]), markup=False)


@app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(help="Homework; default: all you have begun.")] = None,
    since: Annotated[str, typer.Option("--since", help="Only notebooks that changed after this commit.")] = "",
    cell_seconds: Annotated[float, typer.Option("--cell-seconds", min=1, help="How long one cell may run.")] = 120,
    as_json: JsonOption = False,
) -> None:
    """Run your notebooks from top to bottom, here, and show what their visible checks say.

    These are practice results; official points come after you push. Example: autograder check hw01_numpy
    """
    from autograder.course.course_card import read_card
    from autograder.students.check_run import run_checks
    from autograder.students.check_text import build_check_table
    from autograder.students.student_clone import find_clone

    clone = find_clone(Path.cwd())
    card, chosen, lost = read_card(clone.root), _to_check(clone, names or (), since), clone.describe_misplaced()
    runs = []
    with _commands_stopped(enough=as_json):
        for assignment, path in chosen.items():
            short = clone.relative_path(path)
            with _progress(short) as tell:
                run = run_checks(
                    assignment, path, clone.original_path(assignment), short, cell_seconds=cell_seconds, progress=tell
                )
            runs.append(run)
            if not as_json:
                out.print(build_check_table(run))
                for problem in run.problems:
                    out.print(f"! {problem}", markup=False)
        remarks = [*lost, *([] if runs else [NOTHING if not since else UNCHANGED])]
        if as_json:
            out.print_json(data={"runs": [run.to_json() for run in runs], "remarks": remarks, "points": card.points})
        else:
            for remark in remarks:
                out.print(f"! {remark}", markup=False)
            out.print(f"practice results; {card.where}", markup=False)
    _tell_github(runs, remarks, card)
    raise typer.Exit(1 if lost or any(run.failed for run in runs) else 0)


def _to_check(clone: StudentClone, names: Sequence[str], since: str) -> dict[str, Path]:
    """The notebooks that are meant, by assignment: those named, else those begun."""
    from autograder.course.errors import UsageError
    from autograder.students.check_run import is_started

    meant = [clone.find_assignment(name) for name in names] or clone.assignments
    found = {name: path for name in meant if (path := clone.find_graded_notebook(name))}
    if names:
        missing = next((name for name in meant if name not in found), None)
        if missing:
            raise UsageError(f"there is no notebook of {missing} to check; begin with: autograder start {missing}")
        return found
    changed = clone.changed_since(since) if since else None
    return {
        name: path
        for name, path in found.items()
        if (changed is None or clone.relative_path(path) in changed)
        and (path.name.endswith("_solved.ipynb") or is_started(path))
    }


@app.command()
def update(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree to everything; nothing is lost by it.")] = False,
    checkpoints: Annotated[bool, typer.Option("--checkpoints", help="Take Jupyter's checkpoints out of git.")] = False,
) -> None:
    """Get what is new in the course, and put right what would stand in its way. Your work is never lost.

    Example: autograder update
    """
    from autograder.course.course_card import read_card
    from autograder.students.clone_situation import describe_news
    from autograder.students.course_update import CourseUpdate
    from autograder.students.student_clone import find_clone

    clone = find_clone(Path.cwd())
    updater = CourseUpdate.open_clone(clone.root, read_card(clone.root))
    if updater.is_merging:
        out.print("a merge was begun and stopped at a conflict")
        if not _agree("Take it back? Your files as they are now are kept in git.", yes):
            _stop()
        out.print(f"taken back; {KEPT.format(updater.take_merge_back())}", markup=False)
    address = updater.fetch_course()
    situation = updater.compare_with_course()
    _describe(situation.asked)
    agreed = not situation.asked or _agree("Do this? Your versions are kept in git as well.", yes)
    if not agreed and any(entry.in_the_way for entry in situation.asked):
        _stop()
    begun = [name for name in clone.assignments if clone.copy_path(name).exists()]
    kept = updater.carry_out(situation, [*situation.silent, *(situation.asked if agreed else ())])
    for entry in situation.silent:
        out.print(f"put back {entry.path}, in which there was no work of yours", markup=False)
    if kept:
        out.print(KEPT.format(kept), markup=False)
    out.print(f"from {address}:", markup=False)
    for line in describe_news(situation, begun):
        out.print(f"  {line}", markup=False)
    _mind_checkpoints(updater, situation.checkpoints, checkpoints)
    for remark in updater.describe_remotes():
        out.print(f"! {remark}", markup=False)
    out.print("now push: git push", markup=False)


def _describe(replaced: Sequence[ReplacedFile]) -> None:
    for entry in replaced:
        if entry.beside:
            out.print(
                f"{entry.path}: the course's notebook comes back, your version becomes {entry.beside}", markup=False
            )
        elif entry.path.endswith(".ipynb"):
            out.print(f"{entry.path}: holds the marks of a conflict (<<<<<<<); your side of it stays", markup=False)
        else:
            out.print(f"{entry.path}: the course's version comes back", markup=False)


def _mind_checkpoints(updater: CourseUpdate, checkpoints: Sequence[str], remove: bool) -> None:
    if checkpoints and remove:
        updater.forget_checkpoints(checkpoints)
        out.print(f"{len(checkpoints)} checkpoint files are out of git, and still on your disk; commit that")
    elif checkpoints:
        out.print(f"! {len(checkpoints)} checkpoint files of Jupyter are in git; autograder update --checkpoints")


def _agree(question: str, yes: bool) -> bool:
    from autograder.course.errors import AutograderError

    try:
        return yes or typer.confirm(question)
    except typer.Abort:
        out.print()
        raise AutograderError("not answered; nothing more was changed; autograder update --yes agrees") from None


def _stop() -> None:
    from autograder.course.errors import AutograderError

    raise AutograderError("stopped; nothing more was changed")


@contextmanager
def _progress(short: str) -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal which cell runs."""
    with err.status(f"{short}: starting Python") as status:
        yield lambda cell, cells: status.update(f"{short}: cell {cell} of {cells}")


@contextmanager
def _commands_stopped(*, enough: bool) -> Iterator[None]:
    """Keep what notebooks say from being taken for commands by GitHub's runner; JSON cannot be taken for one."""
    if enough or not _on_github():
        yield
        return
    mark = secrets.token_hex(16)
    out.print(f"::stop-commands::{mark}", markup=False)
    try:
        yield
    finally:
        out.print(f"::{mark}::", markup=False)


def _tell_github(runs: Sequence[CheckRun], remarks: Sequence[str], card: Card) -> None:
    """Write the summary of the job, and annotate what failed, where a job on GitHub runs."""
    from autograder.students.check_text import build_annotations, summarise_runs

    if not _on_github():
        return
    for annotation in build_annotations(runs):
        out.print(annotation, markup=False)
    page = os.environ.get("GITHUB_STEP_SUMMARY")
    if page:
        with Path(page).open("a", encoding="utf-8") as file:
            file.write(summarise_runs(runs, remarks, card.where))


def _on_github() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"
