"""A folder of its own for code that expects its notebook's files beside it."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.course.temporary_folders import temporary_folder


@contextlib.contextmanager
def working_folder(files: Mapping[str, bytes]) -> Iterator[Path]:
    """Work in a temporary folder that holds these files; modules among them can be imported.

    Whatever is written there goes with it, and so does every module that was imported from there:
    what one notebook brought must not be found by another.
    """
    before = Path.cwd()
    with temporary_folder("work") as folder:
        write_files(folder, files)
        enter_folder(folder)
        try:
            yield folder
        finally:
            sys.path.remove(str(folder))
            # Before the folder goes: a process in a removed one has no current folder.
            os.chdir(before)
            _forget_modules(folder)


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder, those of its folders too."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def enter_folder(folder: Path) -> None:
    """Work in a folder, and import modules from there first."""
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    # Python remembers what a folder held, and these files are a moment old.
    importlib.invalidate_caches()


def _forget_modules(folder: Path) -> None:
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        # Not every module has a file, and a program may have put anything there. There are thousands
        # of modules: only where the folder's name is told a path is made.
        if isinstance(file, str) and folder.name in file and Path(file).is_relative_to(folder):
            del sys.modules[name]
