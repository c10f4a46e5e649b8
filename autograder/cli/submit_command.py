"""The command with which a student hands in: it shows what would be sent, sends it, and says what
becomes of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.check_command import check_notebook
from autograder.cli.questions import ask_to_agree
from autograder.cli.screens import out, print_line
from autograder.course.course_card import Card, read_card
from autograder.course.errors import AutograderError, UsageError
from autograder.course.names import name_assignment, quote_name
from autograder.students.check_run import CheckRun
from autograder.students.homework_push import HomeworkPush, PendingFile
from autograder.students.student_clone import StudentClone, find_clone

CELL_SECONDS = 120.0
NOTHING_TO_SEND = "nothing to send: your fork has everything as it is here"


def submit_homework(
    names: Annotated[
        list[str] | None, typer.Argument(help="Homework; default: all that changed.")
    ] = None,
    message: Annotated[
        str,
        typer.Option(
            "--message", "-m", help="What the commit says; default: the homework's names."
        ),
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Send without a question.")] = False,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Do not run the practice checks first.")
    ] = False,
) -> None:
    """Show what would be sent, run its practice checks, and after a yes commit it and push it to
    your fork.

    As often as you like: the last push before the deadline counts. Example: autograder submit hw01_numpy
    """
    clone = find_clone(Path.cwd())
    card = read_card(clone.root)
    push = HomeworkPush.open_clone(clone, card)
    pending = _find_pending(clone, push, names or ())
    for remark in clone.describe_misplaced():
        print_line(f"! {remark}")
    if not pending:
        print_line(NOTHING_TO_SEND)
        print_line(card.where)
        return
    for assignment, files in pending.items():
        _show_homework(clone, assignment, files, checked=not no_check)
    if not ask_to_agree(f"Send this to {push.address}?", yes, "submit"):
        raise AutograderError("stopped; nothing was committed and nothing sent")
    everything: list[PendingFile] = []
    for files in pending.values():
        everything += files
    commit = push.commit_files(everything, message or f"Homework {', '.join(pending)}")
    sent = push.push(commit)
    print_line(f"sent: commit {sent.commit[:10]} on branch {sent.branch} of {sent.address}")
    for line in _describe_deadlines(card, pending, datetime.now(UTC)):
        print_line(line)
    print_line(f"{card.where}, after the course's next update; there it says which commit counts")


def _find_pending(
    clone: StudentClone, push: HomeworkPush, names: Sequence[str]
) -> dict[str, list[PendingFile]]:
    """Return what would be sent, by homework: of those named, else of all in the clone."""
    named = clone.find_all_notebooks(names)
    meant: dict[str, list[str]] = {}
    for notebook in named or clone.assignments:
        meant.setdefault(name_assignment(notebook), []).append(notebook)
    pending: dict[str, list[PendingFile]] = {}
    for assignment, notebooks in meant.items():
        if names and not any(map(clone.find_graded_notebook, notebooks)):
            start = f"autograder start {quote_name(assignment)}"
            raise UsageError(f"there is no notebook of {assignment} to send; begin with: {start}")
        files = push.find_pending(assignment)
        if files:
            pending[assignment] = files
    return pending


def _show_homework(
    clone: StudentClone, assignment: str, files: Sequence[PendingFile], *, checked: bool
) -> None:
    out.print(assignment, style="bold", markup=False)
    for name in clone.find_notebooks(assignment):
        notebook = clone.find_graded_notebook(name)
        if checked and notebook is not None:
            run = check_notebook(clone, name, notebook, CELL_SECONDS)
            for line in _describe_checks(run):
                print_line(f"  {line}")
    for file in files:
        print_line(f"  {file.state + ':':<10} {file.path} ({_say_size(file.size)})")


def _describe_checks(run: CheckRun) -> Iterator[str]:
    passed = 0
    total = 0
    for entry in run.exercises:
        passed += entry.passed
        total += len(entry.outcomes)
    verdict = f"practice checks: {passed} of {total} pass"
    if passed < total or run.failed:
        verdict += f"; the others: autograder check {quote_name(run.assignment)}"
    yield verdict
    for problem in run.problems:
        yield f"! {problem}"


def _say_size(size: int) -> str:
    # Rounded up: no file is shown as 0 kB
    kilobytes = -(-size // 1000)
    return f"{kilobytes} kB" if kilobytes < 1000 else f"{size / 1e6:.1f} MB"


def _describe_deadlines(card: Card, sent: Mapping[str, object], now: datetime) -> Iterator[str]:
    for assignment in sent:
        # All notebooks of an assignment are due together.
        notebooks = [name for name in card.assignments if name_assignment(name) == assignment]
        homework = card.assignments[notebooks[0]] if notebooks else None
        if homework is None:
            continue
        for part, deadline in homework.deadlines.items():
            name = f"{assignment} {part}".strip()
            moment = f"{deadline:%a %d %b %H:%M}"
            if deadline < now:
                yield f"{name}: was due {moment}; a later push counts only where the course has a late rule"
            else:
                yield f"{name}: due {moment}, in {_say_duration(deadline - now)}; until then send as often as you like"


def _say_duration(left: timedelta) -> str:
    hours = int(left.total_seconds() // 3600)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} hours" if hours >= 2 else f"{int(left.total_seconds() // 60)} minutes"
