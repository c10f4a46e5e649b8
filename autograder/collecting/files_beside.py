"""What students push beside their notebook, a module of their own or data, made part of the
submission.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from autograder.course.errors import RemoteFailed
from autograder.course.layout import is_own_folder
from autograder.course.submission_files import (
    MAX_FILES,
    MAX_MB,
    SubmissionFiles,
    are_paths,
    is_path_beside,
    pack_submission,
)
from autograder.course.submissions import NotebookFile, Push
from autograder.git.pushed_trees import PushedTree, TreeFile
from autograder.git.student_stores import Fork
from autograder.git.tree_objects import name_of_blob


def add_files_beside(
    fork: Fork, push: Push, file: NotebookFile, tree: PushedTree, given: Container[str]
) -> NotebookFile:
    """Return a notebook as a submission with the files beside it, which is then in the student's
    store.

    Parameters
    ----------
    given : container of str
        Paths of the files that the course gives beside it: they are there anyway, as the course has
        them.
    """
    if not is_own_folder(PurePosixPath(file.path).parent.as_posix(), push.assignment):
        return file
    found = {}
    for path, entry in _list_beside(file.path, tree.files):
        if path not in given and is_path_beside(path):
            found[path] = entry
    if not found:  # the blob stays the notebook's own: alike notebooks are graded once
        return file
    taken = _choose_files(found)
    left_out = tuple(path for path in found if path not in taken)[:MAX_FILES]
    packed = _pack(fork, file, taken, left_out)
    return replace(file, blob=fork.keep(packed), beside=tuple(taken), left_out=left_out)


def rebuild_submission(fork: Fork, commit: str, wanted: NotebookFile) -> bool:
    """Put a submission with files beside it into the store again, made from a commit; return
    whether it could be.
    """
    tree = fork.tree(commit)
    # By what comes out: the path at which it was pushed may have been another notebook's since.
    for notebook in fork.notebooks(commit):
        there = dict(_list_beside(notebook.path, tree.files))
        if not there.keys() >= set(wanted.beside):
            continue
        files = {path: there[path] for path in wanted.beside}
        packed = _pack(fork, notebook, files, wanted.left_out)
        if name_of_blob(packed) == wanted.blob:
            fork.keep(packed)
            return True
    return False


def _list_beside(notebook: str, files: Sequence[TreeFile]) -> Iterator[tuple[str, TreeFile]]:
    """Yield what lies in a notebook's folder and the folders in it, by its path from there, the
    nearest first.
    """
    folder = PurePosixPath(notebook).parent.as_posix()
    prefix = "" if folder == "." else f"{folder}/"
    # Where there are too many, those in the notebook's own folder go along first.
    for entry in sorted(files, key=lambda entry: (entry.path.count("/"), entry.path)):
        if entry.path.startswith(prefix) and entry.path != notebook:
            yield entry.path.removeprefix(prefix), entry


def _choose_files(found: dict[str, TreeFile]) -> dict[str, TreeFile]:
    """Return as many of the files as are taken along."""
    taken: dict[str, TreeFile] = {}
    left = MAX_MB * 1_000_000
    for path, entry in found.items():
        if len(taken) < MAX_FILES and entry.size <= left and are_paths([*taken, path]):
            left -= entry.size
            taken[path] = entry
    return taken


def _pack(
    fork: Fork, file: NotebookFile, files: dict[str, TreeFile], left_out: tuple[str, ...]
) -> bytes:
    blobs = {file.blob: None}  # each once, in this order: git answers in the order it is asked
    for entry in files.values():
        blobs[entry.blob] = None
    contents = dict(fork.read_blobs(list(blobs)))
    if len(contents) < len(blobs):
        raise RemoteFailed(
            f"{fork.student.id}: {file.path}, or a file beside it, is not in the store"
        )
    beside = {path: contents[entry.blob] for path, entry in files.items()}
    return pack_submission(SubmissionFiles(contents[file.blob], beside, left_out))
