"""A jailed process that tries the doors: run instead of a worker, it tells whether the jail of this
machine holds.
"""

from __future__ import annotations

import errno
import importlib
import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from autograder.jail import lockdown

SECCOMP_FILTER = 2


def report_open_doors(descriptor: int, forbidden: str) -> NoReturn:
    """Send the list of doors found open, as JSON, and end.

    Parameters
    ----------
    descriptor : int
        The connected socket to the trusted side.
    forbidden : str
        A file outside that anybody on the machine may read.
    """
    with socket.socket(fileno=descriptor) as connection:
        connection.sendall(json.dumps(list(find_open_doors(forbidden))).encode())
    os._exit(0)


def find_open_doors(forbidden: str) -> Iterator[str]:
    """Yield what is wrong with the jail this process is in."""
    attempts: dict[str, Callable[[], object]] = {
        "it can make a network socket": lambda: socket.socket(socket.AF_INET),
        "it can make a local socket": lambda: socket.socket(socket.AF_UNIX),
        "it can read a file outside": lambda: Path(forbidden).read_bytes(),
        "it can write outside": lambda: Path(os.__file__).with_name("written").write_bytes(b""),
        "it can make namespaces": lambda: lockdown.unshare(lockdown.CLONE_NEWUSER),
    }
    for finding, attempt in attempts.items():
        try:
            attempt()
        except OSError:
            continue
        yield finding
    if 0 in (*os.getresuid(), *os.getresgid()):
        yield "it runs as root"
    if lockdown.read_capabilities():
        yield "it has capabilities"
    if not lockdown.prctl(lockdown.PR_GET_NO_NEW_PRIVS):
        yield "it can gain privileges"
    if lockdown.prctl(lockdown.PR_GET_SECCOMP) != SECCOMP_FILTER:
        yield "it has no system call filter"
    yield from _closed_too_far()


def _closed_too_far() -> Iterator[str]:
    """Yield what a notebook needs and cannot have."""
    try:
        Path("written").write_text("something", "utf-8")
    except OSError as error:
        yield f"it cannot write in its own directory ({errno.errorcode.get(error.errno or 0)})"
    try:
        # One that nothing else has imported before.
        importlib.import_module("colorsys")
    except (ImportError, OSError) as error:
        yield f"it cannot read Python's library ({error}): install Python where every user can read it"
