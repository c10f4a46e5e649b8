"""One writer at a time in a course's folder.

Two runs at once would grade twice and get in each other's way in the gradebook. Whoever changes anything holds a lock,
which the kernel takes back when the process ends, however it ends. Who only reads needs none.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from autograder.course.errors import Busy, DiskFailed

LOCK = ".autograder.lock"


@contextmanager
def one_writer(root: Path, command: str, words: Callable[[datetime], str] = str) -> Iterator[None]:
    """Hold the lock of a course's folder.

    Parameters
    ----------
    root : Path
        The course's folder.
    command : str
        What is done, for whoever else would like to do something.
    words : callable
        Writes a moment as people read it.

    Raises
    ------
    Busy
        If another process holds it; the message says which, and since when.
    DiskFailed
        If the folder cannot be written.
    """
    path = root / LOCK
    try:
        # Not emptied: until the lock is ours, what stands there is about who has it.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DiskFailed.at(path, error) from None
    try:
        try:
            # Of the kernel and not the file's existence: a process that is killed leaves no lock.
            # The file itself stays, for removing it would let two processes lock two of them.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            said = _holder(path, words)
            raise Busy(
                f"{root}: {said}; nothing was done, run this again when that has ended"
            ) from None
        _write(
            descriptor, {"command": command, "process": os.getpid(), "host": socket.gethostname()}
        )
        yield
    finally:
        os.close(descriptor)


def _write(descriptor: int, holder: dict[str, object]) -> None:
    holder["since"] = datetime.now(UTC).isoformat()
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(holder).encode(), 0)


def _holder(path: Path, words: Callable[[datetime], str]) -> str:
    """Say who holds the lock, as far as they said it."""
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        since = words(datetime.fromisoformat(holder["since"]))
        where = f"process {holder['process']} on {holder['host']}"
        return f"'autograder {holder['command']}' ({where}) works here since {since}"
    except (OSError, ValueError, KeyError, TypeError):  # it began in this moment
        return "another autograder has just begun to work here"
