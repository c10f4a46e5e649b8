"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")
# How many lines a long run prints where there is no terminal: enough to see that it goes on, in a workflow's log
PLAIN_LINES = 4


def track_progress(items: Iterable[T], total: int, title: str, console: Console) -> Iterator[T]:
    """Yield the items, showing on the console how many of how many are done."""
    if total == 0:
        yield from items
        return
    if console.is_terminal:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        # Drawn as items are done, not by a thread: a process that has one is not forked.
        with Progress(*columns, console=console, transient=True, auto_refresh=False) as progress:
            yield from progress.track(items, total=total, description=title)
        return
    # Rounded up, or a short run would print a line for each
    step = -(-total // PLAIN_LINES)
    for number, item in enumerate(items, start=1):
        yield item
        if number % step == 0 or number == total:
            console.print(f"{title}: {number} of {total}")


@contextmanager
def show_steps(title: str, console: Console) -> Iterator[Callable[[str], object]]:
    """Give something to call with what is done next; a terminal shows the newest, other places a
    line for each.
    """
    if not console.is_terminal:
        yield lambda step: console.print(f"{title}{step}", markup=False)
        return
    with console.status(title) as status:
        yield lambda step: status.update(f"{escape(title + step)} …")
