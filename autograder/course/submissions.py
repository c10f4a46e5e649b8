"""What flows into the house: students, their repositories and pushes, the notebooks in them.

Every record is a frozen dataclass of plain values, so that it can cross a process boundary, be written as JSON and
be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

SUBMODULE = ".gitmodules"  # the file that names them


class Clock(StrEnum):
    """Who says when a push happened."""

    SERVER = "server"
    FIRST_SEEN = "first seen"
    COMMIT_DATE = "commit date, unverified"
    PLATFORM = "platform it was handed in on"


@dataclass(frozen=True)
class Student:
    """A line of the roster: who takes the course, and where they push.

    Attributes
    ----------
    remote : str
        A URL or path for git, or `owner/repository` on the forge.
    repository : int
        The forge's number of the repository where the roster insists on it, else 0.
    number : str
        What the university calls the student, where that is not `id`.
    account : str
        What the forge calls the student.
    remotes : tuple of (str, str)
        Where each assignment has a repository of its own: assignments, and what `remote` is
        otherwise.
    """

    id: str
    remote: str
    name: str = ""
    email: str = ""
    group: str = ""
    repository: int = 0
    number: str = ""
    account: str = ""
    remotes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class NotebookFile:
    """A notebook in a pushed tree.

    Attributes
    ----------
    path, blob, size
        Its path, its git blob and its size in bytes.
    holds : str or None
        The assignment whose cells it holds, whatever its name is; "" for none, None where nobody
        has looked.
    written : tuple of str
        nbgrader ids of the solution cells in which something was written.
    changed : bool
        Whether it holds anything, beside answers, that the released notebook does not.
    beside, left_out : tuple of str
        Paths, from its folder, of the student's own files that are part of the submission, and of
        those that are too many or too large for it. Where there are any, `blob` is that of all
        together: see `submission_files`.
    """

    path: str
    blob: str
    size: int
    holds: str | None = None
    written: tuple[str, ...] = ()
    changed: bool = True
    beside: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> NotebookFile:
        """Read what `dataclasses.asdict` gave."""
        # Older lines lack some; tuples, for files are compared and put into sets.
        lists = {name: tuple(data.get(name, ())) for name in ("written", "beside", "left_out")}
        return cls(**{**data, **lists})


@dataclass(frozen=True)
class Push:
    """One state of a student's branch, and when the world first had it.

    Attributes
    ----------
    activity : int
        The forge's number of this push, 0 where no forge told of it.
    lost : bool
        Whether the commit was gone before it could be fetched, or is too large: then nothing of it
        can be graded.
    aside : bool
        Whether it went to another branch than the one that was graded then.
    pointers : tuple of (str, str)
        Paths at which no file was pushed: links and what they lead to, repositories within it with
        "", and those that were meant to be there, as submodules, with `SUBMODULE`.
    assignment : str
        The one it concerns, where a repository, or an archive, is for one only; else empty.
    """

    student: str
    commit: str
    branch: str
    time: datetime
    clock: Clock
    notebooks: tuple[NotebookFile, ...] = ()
    activity: int = 0
    lost: bool = False
    aside: bool = False
    pointers: tuple[tuple[str, str], ...] = ()
    assignment: str = ""


@dataclass(frozen=True)
class Repository:
    """A student's repository as a forge described it. Names change; the numbers never do.

    Attributes
    ----------
    id, owner : int
        The forge's numbers of the repository and of the account it belongs to.
    name : str
        `owner/repository` as it is called now.
    remote : str
        What the roster said when this was found.
    created : datetime
        When the repository was made.
    pushed : datetime or None
        The forge's time of the last push of which the record holds everything, None while it holds
        nothing.
    assignment : str
        The only one it is for, else empty.
    """

    id: int
    owner: int
    name: str
    remote: str
    created: datetime
    pushed: datetime | None = None
    assignment: str = ""


@dataclass(frozen=True)
class Submission:
    """The bytes of one notebook, to be graded as one assignment."""

    assignment: str
    notebook: str
    content: bytes = field(repr=False)
