"""Faults on purpose, for the tests: at named places a run can be made to die, to be interrupted or to fail.

`reached` does nothing at all, unless the environment variable names a fault when the program starts:

    AUTOGRADER_FAULT="kill at ledger: line written, 2"     the second time that place is reached
    AUTOGRADER_FAULT="list to FILE"                        write down which places are reached

What can happen is in `HAPPENING`. Worker processes have the same environment and are left alone: the places are those
of the process that was started first.
"""

from __future__ import annotations

import errno
import os
import re
import signal
from collections import Counter
from collections.abc import Callable

VARIABLE = "AUTOGRADER_FAULT"
OWNER = "AUTOGRADER_FAULT_OWNER"  # the process the fault is meant for
PLAN = re.compile(r"(?P<what>[a-z]+) at (?P<place>.+), (?P<number>\d+)")
LIST = re.compile(r"list to (?P<file>.+)")


def _signal(number: int) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


def _disk_full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a file")


HAPPENING = {
    "kill": _signal(signal.SIGKILL) if hasattr(signal, "SIGKILL") else _disk_full,
    "term": _signal(signal.SIGTERM),
    "interrupt": _signal(signal.SIGINT),
    "full": _disk_full,
}


def _nothing(place: str) -> None:
    """Do nothing, which is what happens in production."""


def reached_by(variable: str) -> Callable[[str], None]:
    """Return what is to happen at a place, as the variable's text says.

    Raises
    ------
    ValueError
        If the text cannot be meant.
    """
    if not variable:
        return _nothing
    if os.environ.setdefault(OWNER, str(os.getpid())) != str(os.getpid()):
        return _nothing
    listing, plan = LIST.fullmatch(variable), PLAN.fullmatch(variable)
    counts: Counter[str] = Counter()

    def write_down(place: str) -> None:
        if os.environ.get(OWNER) == str(os.getpid()) and listing:
            with open(listing["file"], "a", encoding="utf-8") as file:  # noqa: PTH123 - before any import of ours
                file.write(place + "\n")

    def happen(place: str) -> None:
        if plan is None or place != plan["place"] or os.environ.get(OWNER) != str(os.getpid()):
            return
        counts[place] += 1
        if counts[place] == int(plan["number"]):
            HAPPENING[plan["what"]]()

    if listing:
        return write_down
    if plan is None or plan["what"] not in HAPPENING:
        raise ValueError(f"{VARIABLE}={variable!r}: '{'|'.join(HAPPENING)} at PLACE, NUMBER' or 'list to FILE'")
    return happen


reached = reached_by(os.environ.get(VARIABLE, ""))
