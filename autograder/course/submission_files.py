"""A notebook and the files beside it as one: what is graded, and what a report is of.

Where a student pushed a module or data of their own beside the notebook, the answers depend on those, too. So they
are kept together with the notebook under one name, and another file beside it makes another submission.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from autograder.course.reports import make_printable

# No notebook has such a first key: the bytes alone tell which of the two they are.
MAGIC = b'{"submission":1,'
MAX_FILES = 200
MAX_MB = 10
MAX_NAMED = 5
MAX_PATH = 200  # characters
DEEPEST = 8  # folders within folders
NOT_SHIPPED = frozenset({"__pycache__", ".ipynb_checkpoints", ".git"})


@dataclass(frozen=True)
class SubmissionFiles:
    """The bytes of a notebook, and of the files beside it by their paths from its folder.

    `left_out` are the paths of those that were too many or too large.
    """

    notebook: bytes = field(repr=False)
    beside: Mapping[str, bytes] = field(repr=False, default_factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def problem(self) -> str:
        """A sentence for the student about what was left out, empty if nothing was."""
        if not self.left_out:
            return ""
        named = ", ".join(self.left_out[:MAX_NAMED])
        more = f" and {len(self.left_out) - MAX_NAMED} more" if self.left_out[MAX_NAMED:] else ""
        return (
            f"Beside the notebook, {named}{more} could not be taken along when it was graded: up to {MAX_FILES} files "
            f"with {MAX_MB} MB in all are. Take out what the notebook does not read and push again."
        )


def pack_submission(submission: SubmissionFiles) -> bytes:
    """Return a notebook and the files beside it as one; a notebook without any stays as it is."""
    if not submission.beside and not submission.left_out:
        return submission.notebook
    # In one order: equal files must become equal bytes, by which they are graded once.
    texts = {}
    for path, content in sorted(submission.beside.items()):
        texts[path] = b64encode(content).decode()
    fields = {
        "notebook": b64encode(submission.notebook).decode(),
        "beside": texts,
        "left_out": list(submission.left_out),
    }
    return MAGIC + json.dumps(fields, separators=(",", ":")).encode()[1:]


def unpack_submission(content: bytes) -> SubmissionFiles:
    """Return the notebook and the files of what `pack_submission` gave.

    Whatever else it is, is a notebook: also what a student made to look like ours and is not, which is then one that
    cannot be read. What is well made, whoever made it, gives files that are no more and lead nowhere else than ours.
    """
    if not content.startswith(MAGIC):
        return SubmissionFiles(content)
    try:
        fields = json.loads(content)
        notebook = b64decode(fields["notebook"], validate=True)
        beside = {}
        for path, text in fields["beside"].items():
            beside[str(path)] = b64decode(text, validate=True)
        left_out = tuple(make_printable(str(path)[:MAX_PATH]) for path in fields["left_out"])
    # A RecursionError is what Python's parser has for JSON nested beyond measure.
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return SubmissionFiles(content)
    size = sum(map(len, beside.values()))
    if len(beside) > MAX_FILES or size > MAX_MB * 1_000_000 or not are_paths(beside):
        return SubmissionFiles(content)
    return SubmissionFiles(notebook, beside, left_out[:MAX_FILES])


def is_path_beside(path: str) -> bool:
    """Whether a path from a notebook's folder is one at which a file can be put for it to read.

    Not a notebook, nothing hidden, nothing that leads out of the folder.
    """
    parts = PurePosixPath(path).parts
    if not parts or "\\" in path or "\0" in path or not path.isprintable():
        return False
    # `a//b` and `./a` are second names of one file, which two entries could not share.
    if len(path) > MAX_PATH or len(parts) > DEEPEST or PurePosixPath(*parts).as_posix() != path:
        return False
    # `..`, which would lead out of the folder, begins with a dot as well.
    if any(part.startswith(".") or part in NOT_SHIPPED or part == "/" for part in parts):
        return False
    return not path.endswith((".ipynb", ".pyc"))


def are_paths(paths: Collection[str]) -> bool:
    """Whether all of these can be put into one folder: none is a file and a folder at once."""
    folders: set[str] = set()
    for path in paths:
        for folder in PurePosixPath(path).parents:
            folders.add(folder.as_posix())
    return all(is_path_beside(path) and path not in folders for path in paths)


def merge_files(given: Mapping[str, bytes], own: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of a notebook's folder: the course's as it gives them, and the student's own
    beside them.
    """
    merged = dict(given)
    for path, content in own.items():
        # The course's goes first: no student changes the data that answers are tested with.
        if path not in given and are_paths([*merged, path]):
            merged[path] = content
    return merged
