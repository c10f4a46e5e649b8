"""Trees of a git repository read and written without a working folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from autograder.course.errors import GitFailed
from autograder.git.object_batches import split_objects
from autograder.git.repository import GitRepository

NOTHING = ""  # the name of no blob


@dataclass(frozen=True)
class Tree:
    """The files of a commit, their blobs by path; the empty commit has none."""

    commit: str
    blobs: Mapping[str, str] = field(default_factory=dict)


def read_tree(repository: GitRepository, commit: str) -> Tree:
    """Return the regular files in a commit's tree."""
    if not commit:
        return Tree("")
    blobs = {}
    # -z: a path may have a newline in it, and git quotes what it prints line by line.
    for entry in repository.paths("ls-tree", "-r", "-z", "--full-tree", commit):
        about, _, path = entry.partition("\t")
        mode, _, blob = about.split()
        if mode in {"100644", "100755"}:
            blobs[path] = blob
    return Tree(commit, blobs)


def write_tree(
    repository: GitRepository, parent: Tree, files: Mapping[str, bytes], message: str
) -> str:
    """Make a commit on top of another, with its files and these, and return the new one's id.

    The files of the parent are those its `Tree` names: with none named, the new commit has only the new files.
    """
    blobs = dict(parent.blobs)
    for path, content in files.items():
        blobs[path] = repository.git("hash-object", "-w", "--stdin", input=content)
    lines = "".join(f"100644 {blob}\t{path}\0" for path, blob in sorted(blobs.items()))
    with repository.other_index() as beside:
        beside.git("update-index", "-z", "--index-info", input=lines)
        tree = beside.git("write-tree")
    return repository.commit_tree(tree, message, *([parent.commit] if parent.commit else []))


def read_blobs(repository: GitRepository, blobs: Iterable[str]) -> dict[str, bytes]:
    """Return the bytes of blobs by their names, read by one git for all."""
    wanted = list(dict.fromkeys(blobs))
    raw = repository.raw("cat-file", "--batch", input="\n".join(wanted)) if wanted else b""
    found = {}
    for blob, content in split_objects(raw, wanted):
        if content is None:
            raise GitFailed(f"{repository.path}: {blob} is not there; look at it with git fsck")
        found[blob] = content
    return found


def name_of_blob(content: bytes | None) -> str | None:
    """Return the name git gives a file's content, None for no file."""
    return (
        None if content is None else hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    )
