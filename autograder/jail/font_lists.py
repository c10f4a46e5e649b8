"""matplotlib's lists of fonts, handed on to a warm process, which would parse every font of the
machine to make its own.

matplotlib keeps its list in the home of whoever uses it; a warm process has a home of its own, which is new and empty.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from autograder.course.plain_files import open_plain_file
from autograder.jail import small_root as smallroot

# The version in the name is that of the list, and matplotlib looks for its own.
PATTERN = "fontlist-v*.json"
# A machine with thousands of fonts has a megabyte.
LARGEST = 16 << 20


def open_font_lists() -> BinaryIO:
    """Return an open file without a name, with the lists that this user's matplotlib has made.

    None of them is needed: one that is missing, damaged or somebody else's is made anew by whoever needs it.
    """
    lists = dict(_read_lists(_find_cache()))
    # In memory: the warm process may be a user who cannot enter this one's home.
    file = os.fdopen(os.memfd_create("fonts"), "r+b")
    file.write(json.dumps(lists).encode())
    file.seek(0)
    return file


def lay_out_font_lists(file: BinaryIO, folder: str) -> None:
    """Write what `open_font_lists` has found where matplotlib will look for it."""
    with file:
        lists = json.load(file)
    for name, fonts in lists.items():
        Path(folder, name).write_text(json.dumps(fonts), encoding="utf-8")


def _find_cache() -> Path:
    """Return the folder where matplotlib keeps what it has found out about the machine."""
    chosen = os.environ.get("MPLCONFIGDIR")
    if chosen:
        return Path(chosen)
    caches = os.environ.get("XDG_CACHE_HOME") or Path(os.environ.get("HOME", "/"), ".cache")
    return Path(caches, "matplotlib")


def _read_lists(cache: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    visible = tuple(f"{path}/" for path in smallroot.list_needed_paths())
    for path in sorted(cache.glob(PATTERN)):
        try:
            fonts = json.loads(_read_own(path))
            for kind in ("ttflist", "afmlist"):
                fonts[kind] = _keep_visible(fonts[kind], visible)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        yield path.name, fonts


def _read_own(path: Path) -> bytes:
    """Return a file's bytes if only this user can have written them.

    Raises
    ------
    OSError
        If somebody else can, or the file is no file.
    """
    with open_plain_file(path) as file:
        status = os.fstat(file.fileno())
        if status.st_uid != os.geteuid() or status.st_mode & stat.S_IWOTH:
            raise PermissionError(f"{path} is not this user's alone")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(f"{path} is larger than any list of fonts")
    return content


def _keep_visible(
    entries: Sequence[dict[str, Any]], visible: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Return the fonts that the jail can open; where this user keeps others is no business of it."""
    kept = []
    for entry in entries:
        path = entry["fname"]
        # What is not absolute is among matplotlib's own.
        seen = not path.startswith("/") or path.startswith(visible)
        if seen and ".." not in path.split("/"):
            kept.append(entry)
    return kept
