"""What is in a pushed tree: its files, and what looks like one but leads elsewhere."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from autograder.course.reports import make_printable
from autograder.course.submissions import SUBMODULE

# A tree of a few bytes can name millions of files, and all of these are told or read for each push
MAX_POINTERS = 20
MAX_LINKS = 500  # of which the targets are read
MAX_TARGET = 4096  # bytes of a path
MAX_NAMED = 65_536  # bytes of the file that names submodules
MAX_STEPS = 40  # from link to link, as in Linux
LINK = "120000"
REPOSITORY = "160000"
FILES = ("100644", "100755")


@dataclass(frozen=True)
class TreeFile:
    """A file of a tree; of a link to a file in the same tree the bytes are that file's."""

    path: str
    blob: str
    size: int


@dataclass(frozen=True)
class PushedTree:
    """A tree that was pushed.

    Attributes
    ----------
    files : tuple of TreeFile
        Its files, and the links to them.
    pointers : tuple of (str, str)
        Where nothing was pushed: as `Push.pointers` has it.
    """

    files: tuple[TreeFile, ...]
    pointers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Entry:
    """A line of git's listing."""

    mode: str
    blob: str
    size: int


def read_pushed_tree(
    listing: bytes, read: Callable[[list[str]], Iterable[tuple[str, bytes]]]
) -> PushedTree:
    """Return what a listing by `git ls-tree -r -z --long` names.

    Parameters
    ----------
    read : callable
        Returns the bytes of blobs, for the targets of links.
    """
    entries = dict(_list_entries(listing))
    targets = _read_targets(entries, read)
    meant = {line.strip() for line in targets.pop(SUBMODULE, "").splitlines()}
    files = []
    pointers = []
    for path, entry in entries.items():
        if entry.mode in FILES:
            files.append(TreeFile(make_printable(path), entry.blob, entry.size))
        elif entry.mode == REPOSITORY:
            is_meant = f"path = {path}" in meant
            pointers.append((make_printable(path), SUBMODULE if is_meant else ""))
    for path, target in targets.items():
        end = entries.get(_follow_links(path, targets))
        if end is not None and end.mode in FILES:
            files.append(TreeFile(make_printable(path), end.blob, end.size))
        else:
            pointers.append((make_printable(path), make_printable(target)[:200] or "nothing"))
    return PushedTree(tuple(files), tuple(pointers[:MAX_POINTERS]))


def _read_targets(
    entries: Mapping[str, _Entry], read: Callable[[list[str]], Iterable[tuple[str, bytes]]]
) -> dict[str, str]:
    """Return where notebooks' links lead, by their paths, and what the file that names submodules
    says, if there is one.
    """
    wanted: dict[str, str] = {}
    for path, entry in entries.items():
        if len(wanted) < MAX_LINKS and _is_notebooks_link(path, entry):
            wanted[path] = entry.blob
    named = entries.get(SUBMODULE)
    if named is not None and named.mode in FILES and named.size <= MAX_NAMED:
        wanted[SUBMODULE] = named.blob
    contents = dict(read(sorted(set(wanted.values()))))
    targets = {}
    for path, blob in wanted.items():
        if blob in contents:  # one that is lost leads nowhere
            targets[path] = contents[blob].decode("utf-8", "replace")
    return targets


def _list_entries(listing: bytes) -> Iterator[tuple[str, _Entry]]:
    for line in listing.split(b"\0")[:-1]:  # the last one is empty, or torn
        about, _, path = line.partition(b"\t")
        mode, _, blob, size = about.decode("ascii").split()
        yield path.decode("utf-8", "replace"), _Entry(mode, blob, 0 if size == "-" else int(size))


def _is_notebooks_link(path: str, entry: _Entry) -> bool:
    return (
        entry.mode == LINK
        and entry.size <= MAX_TARGET
        and ".ipynb" in posixpath.basename(path).lower()
    )


def _follow_links(path: str, targets: Mapping[str, str]) -> str:
    """Return where links lead at last, a path that is none if they lead out of the tree or in a
    circle.
    """
    for _ in range(MAX_STEPS):
        if path not in targets:
            return path
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), targets[path]))
        if path.startswith(("/", "..")):
            return ""
    return ""
