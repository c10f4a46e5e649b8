"""Faults on purpose, for the tests: at named places a run can be made to die, to be interrupted or
to fail.

`reached` does nothing at all, unless an environment variable names a fault when the program starts:

    AUTOGRADER_FAULT="kill at ledger: line written, 2"     the second time that place is reached
    AUTOGRADER_FAULT="list to FILE"                        write down which places are reached

What can happen is in `HAPPENING`. The places are those of the process that was started first: its workers, which have
the same environment, are left alone.
"""

from __future__ import annotations

import errno
import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Sequence

VARIABLE = "AUTOGRADER_FAULT"
OWNER = "AUTOGRADER_FAULT_OWNER"  # the process the fault is meant for
PLAN = re.compile(r"(?P<what>[a-z]+) at (?P<place>.+), (?P<number>\d+)")
LISTING = re.compile(r"list to (?P<file>.+)")
Reached = Callable[..., None]


def _send(name: str) -> None:
    os.kill(os.getpid(), getattr(signal, name))


def _fill_disk() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


HAPPENING: dict[str, Callable[[], None]] = {
    "kill": lambda: _send("SIGKILL"),
    "term": lambda: _send("SIGTERM"),
    "interrupt": lambda: _send("SIGINT"),
    "full": _fill_disk,
}


def do_nothing(place: str, command: Sequence[str] = ()) -> None:
    """Do nothing, which is what happens in production.

    Parameters
    ----------
    place : str
        The place's name.
    command : sequence of str
        Of a place at which a program is run: its arguments, of which the verb belongs to the name.
    """


def from_variable(text: str) -> Reached:
    """Return what is to be called at each place, as the variable's text says.

    Raises
    ------
    ValueError
        If the text cannot be meant.
    """
    if not text:
        return do_nothing
    listing = LISTING.fullmatch(text)
    plan = PLAN.fullmatch(text)
    if listing is None and (plan is None or plan["what"] not in HAPPENING):
        raise ValueError(
            f"{VARIABLE}={text!r}; '{'|'.join(HAPPENING)} at PLACE, NUMBER' or 'list to FILE' is meant"
        )
    os.environ.setdefault(OWNER, str(os.getpid()))
    counts: Counter[str] = Counter()

    def happen(place: str, command: Sequence[str] = ()) -> None:
        if os.environ[OWNER] != str(os.getpid()):
            return
        name = " ".join([place, *_verb(command)])
        if listing is not None:
            with open(listing["file"], "a", encoding="utf-8") as file:  # noqa: PTH123 - as early as any import
                file.write(name + "\n")
        elif plan is not None and name == plan["place"]:
            counts[name] += 1
            if counts[name] == int(plan["number"]):
                HAPPENING[plan["what"]]()

    return happen


def _verb(command: Sequence[str]) -> list[str]:
    """Return what git is to do, of its arguments."""
    words = iter(command)
    for word in words:
        if word == "-c":
            next(words, "")
        elif not word.startswith("-"):
            return [word]
    return []


reached = from_variable(os.environ.get(VARIABLE, ""))
