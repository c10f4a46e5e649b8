"""Temporary folders that go with whoever made them, also when that is killed: then the next one
takes them away.

A folder's name says which process made it, and while that lives it holds the folder's lock. So one that belongs to
nobody is known for certain, whatever a machine's process numbers do.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

PREFIX = "autograder-of-"
OURS = re.compile(rf"{PREFIX}(?P<process>\d+)-.*")


@contextmanager
def temporary_folder(purpose: str) -> Iterator[Path]:
    """Make a folder, and remove it afterwards; first remove those whose processes were killed.

    Parameters
    ----------
    purpose : str
        A word for its name, for whoever looks into the folder of temporary files.
    """
    if (
        sys.platform == "win32"
    ):  # where no instructor works, and a folder in use cannot be taken away
        with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-{purpose}-") as name:
            yield Path(name)
        return
    remove_abandoned(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-{purpose}-") as name:
        # Not inherited: a program that is started meanwhile would hold the lock after us.
        descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _lock(descriptor)
            yield Path(name)
        finally:
            os.close(descriptor)


def remove_abandoned(folder: Path) -> None:
    """Remove the temporary folders in a folder whose processes are gone."""
    for path in folder.glob(f"{PREFIX}*"):
        match = OURS.fullmatch(path.name)
        if match and not _is_alive(int(match["process"])):
            # Another run may take it away in this moment, or it is another user's.
            with suppress(OSError):
                # Everybody may write here: a link called like ours must lead nowhere.
                descriptor = os.open(
                    path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                )
                try:
                    _lock(descriptor)  # fails while a process of another container has it
                    shutil.rmtree(path, ignore_errors=True)
                finally:
                    os.close(descriptor)


def _lock(descriptor: int) -> None:
    if sys.platform != "win32":
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # Another user's process: that it may not be signalled shows that it lives.
    except PermissionError:
        return True
    return True
