"""A bare store of ours, changed by one process at a time, and cleared of what a git that was killed
left in it.

The lock is inherited by every git that works in the store and by all its helpers. So whoever gets it knows that none
of them lives any more, and that a lock file of git's in there is nobody's.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from autograder.course.errors import GitFailed

LOCK = "autograder.lock"
IN_ORDER = b"in order"  # stands in the lock's file while nobody works, unless who did was killed
HIGH = 64  # above every descriptor that a shell uses for itself
PAUSE = 0.05  # seconds between two looks: no fetch ends sooner
LEFTOVERS = (
    "*.lock",
    "refs/**/*.lock",
    "objects/pack/tmp_*",
    "objects/pack/.tmp-*",
    "objects/??/tmp_obj_*",
)


@contextmanager
def hold_store(store: Path, seconds: float) -> Iterator[int]:
    """Hold a store's lock, and yield its descriptor, for `run_git` to pass on.

    Parameters
    ----------
    seconds : float
        How long another process may go on working there, before this one gives up.

    Raises
    ------
    GitFailed
        If another process works there for longer.
    """
    first = os.open(store / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    # git is started by a shell, and a shell uses the low numbers for itself.
    try:
        descriptor = fcntl.fcntl(first, fcntl.F_DUPFD_CLOEXEC, HIGH)
    finally:
        os.close(first)
    try:
        _wait_for(descriptor, store, time.monotonic() + seconds)
        if os.pread(descriptor, len(IN_ORDER), 0) != IN_ORDER:
            clear_leftovers(store)
        # Only work that came to its end puts the words back: not after an error, not after a kill.
        os.ftruncate(descriptor, 0)
        yield descriptor
        os.pwrite(descriptor, IN_ORDER, 0)
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, store: Path, end: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                raise GitFailed(
                    f"another process works in {store}; try again when it has ended"
                ) from None
            time.sleep(PAUSE)


def clear_leftovers(store: Path) -> None:
    """Remove what a git that was killed left in a store: its locks, and files it had only begun."""
    for pattern in LEFTOVERS:
        for path in store.glob(pattern):
            if path.name != LOCK:
                with suppress(OSError):
                    path.unlink()
