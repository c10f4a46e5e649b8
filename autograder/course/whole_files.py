"""Files written whole: whoever reads one finds the old content or the new one, never a part,
whenever we are killed.

The new content is written beside the file and put into its place by one rename. Its name beside is always the same,
so what a killed run left is used up by the next one that writes this file.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder.course.errors import DiskFailed
from autograder.course.faults import reached

PRIVATE = 0o600
SHARED = 0o666  # less what the umask takes


def write_whole(path: Path, content: bytes, what: str, *, mode: int = SHARED) -> None:
    """Replace a file, or make it, in one step.

    Parameters
    ----------
    what : str
        A word for the kind of file, by which the tests name the places where a fault may happen.
    mode : int
        Permissions of the file that is made.

    Raises
    ------
    DiskFailed
        If it cannot be written; the old content stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = place_beside(path)
        with _opened_alone(temporary, mode) as descriptor:
            try:
                # Not by O_TRUNC: until the lock was ours another process may have written here.
                os.ftruncate(descriptor, 0)
                _write(descriptor, content)
                reached(f"{what}: written beside its place")
                # Before the rename, or a power cut may keep the new name and lose the bytes.
                os.fsync(descriptor)
                temporary.replace(path)
            except OSError:
                # On a full disk what was begun would only take more of it.
                temporary.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise DiskFailed.at(path, error) from None
    reached(f"{what}: in its place")


def place_beside(path: Path) -> Path:
    """Return where the new content of a file is written first; a killed run may have left it."""
    return path.with_name(f".{path.name}.new")


@contextmanager
def _opened_alone(temporary: Path, mode: int) -> Iterator[int]:
    """Open a temporary file that nobody else writes at this moment, and hold its lock."""
    while True:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, mode)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_at(descriptor, temporary):  # else whoever had it has put it into its place
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    # By its inode: since it was opened the name may have gone to another file.
    here = os.fstat(descriptor)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def _write(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        # One write may take a part only, where the disk fills up.
        rest = rest[os.write(descriptor, rest) :]
