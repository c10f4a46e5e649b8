"""The command with which a student checks their notebooks before a push."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.command_options import JsonOption
from autograder.cli.screens import err, out, print_line
from autograder.cli.workflow_files import runs_on_github, show_on_run_page
from autograder.course.course_card import Card, read_card
from autograder.course.errors import UsageError
from autograder.course.names import quote_name
from autograder.students.check_run import CheckRun, is_started, run_checks
from autograder.students.check_text import build_annotations, build_check_table, summarise_runs
from autograder.students.student_clone import StudentClone, find_clone

NOTHING_BEGUN = "you have begun no homework yet; begin with: autograder start NAME"
NOTHING_CHANGED = "no notebook of yours changed in this push"


def check_homework(
    names: Annotated[
        list[str] | None, typer.Argument(help="Homework; default: all you have begun.")
    ] = None,
    since: Annotated[
        str, typer.Option("--since", help="Only notebooks that changed after this commit.")
    ] = "",
    cell_seconds: Annotated[
        float, typer.Option("--cell-seconds", min=1, help="How long one cell may run.")
    ] = 120,
    as_json: JsonOption = False,
) -> None:
    """Run your notebooks from top to bottom, here, and show what their visible checks say.

    These are practice results; official points come after you push. Example: autograder check hw01_numpy
    """
    clone = find_clone(Path.cwd())
    card = read_card(clone.root)
    notebooks = _choose_notebooks(clone, names or (), since)
    remarks = list(clone.describe_misplaced())
    is_misplaced = bool(remarks)
    runs = []
    with _stop_commands(enough=as_json):
        for assignment, path in notebooks.items():
            run = check_notebook(clone, assignment, path, cell_seconds)
            runs.append(run)
            if not as_json:
                _print_run(run)
        if not runs:
            remarks.append(NOTHING_CHANGED if since else NOTHING_BEGUN)
        if as_json:
            checked = [run.to_json() for run in runs]
            out.print_json(data={"runs": checked, "remarks": remarks, "points": card.points})
        else:
            for remark in remarks:
                print_line(f"! {remark}")
            print_line(f"practice results; {card.where}")
    _tell_github(runs, remarks, card)
    raise typer.Exit(1 if is_misplaced or any(run.failed for run in runs) else 0)


def check_notebook(
    clone: StudentClone, assignment: str, path: Path, cell_seconds: float
) -> CheckRun:
    """Run the checks of one notebook, showing which cell runs."""
    name = clone.relative_path(path)
    original = clone.original_path(assignment)
    with _show_cell(name) as progress:
        return run_checks(
            assignment, path, original, name, cell_seconds=cell_seconds, progress=progress
        )


def _print_run(run: CheckRun) -> None:
    out.print(build_check_table(run))
    for problem in run.problems:
        print_line(f"! {problem}")


def _choose_notebooks(clone: StudentClone, names: Sequence[str], since: str) -> dict[str, Path]:
    """Return the notebooks that are meant, by assignment: those named, else those begun."""
    named = clone.find_all_notebooks(names)
    meant = named or clone.assignments
    found: dict[str, Path] = {}
    for name in meant:
        path = clone.find_graded_notebook(name)
        if path is not None:
            found[name] = path
        elif names:
            start = f"autograder start {quote_name(name)}"
            raise UsageError(f"there is no notebook of {name} to check; begin with: {start}")
    if names:
        return found
    # None also where git does not know the commit, after a force-push for example: then all are checked
    changed = clone.changed_since(since) if since else None
    chosen: dict[str, Path] = {}
    for name, path in found.items():
        is_changed = changed is None or clone.relative_path(path) in changed
        if is_changed and (path.name.endswith("_solved.ipynb") or is_started(path)):
            chosen[name] = path
    return chosen


@contextmanager
def _show_cell(name: str) -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal which cell runs."""
    with err.status(f"{name}: starting Python") as status:
        yield lambda cell, cells: status.update(f"{name}: cell {cell} of {cells}")


@contextmanager
def _stop_commands(*, enough: bool) -> Iterator[None]:
    """Keep what notebooks say from being taken for commands by GitHub's runner; JSON cannot be
    taken for one.
    """
    if enough or not runs_on_github():
        yield
        return
    # Nobody can guess it, or a notebook could print it and give commands again
    mark = secrets.token_hex(16)
    print_line(f"::stop-commands::{mark}")
    try:
        yield
    finally:
        print_line(f"::{mark}::")


def _tell_github(runs: Sequence[CheckRun], remarks: Sequence[str], card: Card) -> None:
    """Write the summary of the job, and annotate what failed, where a job on GitHub runs."""
    if not runs_on_github():
        return
    for annotation in build_annotations(runs):
        print_line(annotation)
    show_on_run_page(summarise_runs(runs, remarks, card.where))
