"""The only place where a jailed process can write: its directories, its files, its environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

SCAFFOLD = ("work", "home", "home/.ipython", "home/.matplotlib", "tmp", "shm")
# The unit of st_blocks.
BLOCK = 512
# Each level is an open descriptor of the zygote's, which serves other submissions, too.
DEEPEST = 200


def furnish_scratch(
    scratch: str, files: Sequence[tuple[str, int]], contents: BinaryIO | None
) -> None:
    """Make the directories of a submission, put its files there and make it the working directory.

    Parameters
    ----------
    scratch : str
        The empty directory to furnish, owned by the jailed user.
    files : Sequence[tuple[str, int]]
        Name and size in bytes of each file of the working directory, in the order of `contents`.
    contents : BinaryIO | None
        The files' bytes, one after the other.
    """
    os.chdir(scratch)
    for directory in SCAFFOLD:
        os.mkdir(directory, 0o700)  # noqa: PTH102 - on the path of every submission, pathlib costs
    for name, size in files:
        path = Path("work", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents.read(size) if contents else b"")
    if contents:
        contents.close()
    os.chdir("work")
    os.environ.update(
        HOME=f"{scratch}/home",
        PWD=f"{scratch}/work",
        TMPDIR=f"{scratch}/tmp",
        IPYTHONDIR=f"{scratch}/home/.ipython",
        MPLCONFIGDIR=f"{scratch}/home/.matplotlib",
    )
    if "tempfile" in sys.modules:
        # What the zygote found is not what counts here.
        vars(sys.modules["tempfile"])["tempdir"] = None


def measure_scratch(scratch: str, enough: int) -> tuple[int, int]:
    """Return the bytes and the number of files below a directory; stops counting beyond `enough`
    files.

    Symbolic links are not followed. Directories nested so deeply that nobody can mean it count as too many files.
    """
    size = count = 0
    open_directories = [_scan(scratch, None)]
    try:
        while open_directories and count <= enough:
            directory, entries = open_directories[-1]
            entry = next(entries, None)
            if entry is None:
                os.close(open_directories.pop()[0])
                continue
            count += 1
            # It may have gone meanwhile.
            with suppress(OSError):
                size += entry.stat(follow_symlinks=False).st_blocks * BLOCK
                if entry.is_dir(follow_symlinks=False):
                    open_directories.append(_scan(entry.name, directory))
            if len(open_directories) > DEEPEST:
                count = enough + 1
    finally:
        for directory, entries in open_directories:
            entries.close()
            os.close(directory)
    return size, count


def _scan(name: str, parent: int | None) -> tuple[int, os._ScandirIterator[str]]:
    """Open a directory by its name in its parent, so that no path gets too long; returns it and its
    entries.
    """
    directory = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    return directory, os.scandir(directory)


def remove_scratch(scratch: str) -> None:
    """Remove a directory and all below it, however deep; nothing may be writing to it any more."""
    top = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _empty(top)
    finally:
        os.close(top)
    Path(scratch).rmdir()


def _empty(top: int) -> None:
    """Empty an open directory. What lies two levels down is moved up first, so that no depth is too
    deep.
    """
    moved = 0
    while names := os.listdir(top):
        for name in names:
            if _unlinked(name, top):
                continue
            # A notebook may have taken its own right to enter it away.
            os.chmod(name, 0o700, dir_fd=top)
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
            for child in os.listdir(inner):  # noqa: PTH208 - an open directory
                if not _unlinked(child, inner):
                    moved += 1
                    os.chmod(child, 0o700, dir_fd=inner)
                    os.rename(child, f".{moved}.moved", src_dir_fd=inner, dst_dir_fd=top)
            os.close(inner)
            os.rmdir(name, dir_fd=top)


def _unlinked(name: str, directory: int) -> bool:
    """Unlink a file; returns False for a directory."""
    try:
        # Tried instead of asked: for a symbolic link the answer would be about its target.
        os.unlink(name, dir_fd=directory)
    except OSError:
        return False
    return True
