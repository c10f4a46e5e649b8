"""The only place where a jailed process can write: its directories, its files, its environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

SCAFFOLD = ("work", "home", "home/.ipython", "home/.matplotlib", "tmp", "shm")
READ_ONLY = 0o444


def furnish(scratch: str, files: Sequence[tuple[str, int]], contents: BinaryIO | None) -> None:
    """Make the directories of a submission, put its files there and make it the working directory.

    Parameters
    ----------
    scratch
        The empty directory to furnish, owned by the jailed user.
    files
        Name and size in bytes of each file of the working directory, in the order of `contents`.
    contents
        The files' bytes, one after the other.
    """
    os.chdir(scratch)
    for directory in SCAFFOLD:
        os.mkdir(directory, 0o700)  # noqa: PTH102 - on the path of every submission, pathlib costs
    for name, size in files:
        path = Path("work", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents.read(size) if contents else b"")
        path.chmod(READ_ONLY)
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
        vars(sys.modules["tempfile"])["tempdir"] = None  # what the zygote found is not what counts here


def usage(scratch: str, enough: int) -> tuple[int, int]:
    """Return the bytes and the number of files below a directory; stops counting at `enough` files.

    Symbolic links are not followed.
    """
    size = count = 0
    directories = [scratch]
    while directories and count < enough:
        with suppress(OSError), os.scandir(directories.pop()) as entries:
            for entry in entries:
                count += 1
                with suppress(OSError):
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        directories.append(entry.path)
    return size, count


def remove(scratch: str) -> None:
    """Remove a directory and all below it, however deep; nothing may be writing to it any more."""
    root = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _empty(root)
    finally:
        os.close(root)
    os.rmdir(scratch)  # noqa: PTH106 - as below


def _empty(root: int) -> None:
    """Empty an open directory. Sub-sub-directories are moved up first, so that no path grows with the depth."""
    moved = 0
    while names := os.listdir(root):
        for name in names:
            try:
                os.unlink(name, dir_fd=root)
                continue
            except OSError:
                pass
            os.chmod(name, 0o700, dir_fd=root, follow_symlinks=True)
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=root)
            for child in os.listdir(inner):  # noqa: PTH208
                try:
                    os.unlink(child, dir_fd=inner)
                except OSError:
                    moved += 1
                    os.chmod(child, 0o700, dir_fd=inner)
                    os.rename(child, f".{moved}.moved", src_dir_fd=inner, dst_dir_fd=root)
            os.close(inner)
            os.rmdir(name, dir_fd=root)
