"""The errors a person sees, each with the exit code it stands for."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Self

# What is within a wall concerns one student or one assignment, which the text names; the others go
# on.
Wall = Callable[[str], AbstractContextManager[None]]


def no_wall(what: str) -> AbstractContextManager[None]:
    """Let whatever fails within end everything: for callers who do one thing."""
    return nullcontext()


class AutograderError(Exception):
    """Something a person can act on; the message names the thing and the next step.

    Attributes
    ----------
    exit_code : int
        1 when the work is wrong or could not be graded, 2 for wrong usage or configuration, 75 for
        "not now".
    """

    exit_code = 1


class UsageError(AutograderError):
    """The command was called wrongly: a missing file, an unknown assignment."""

    exit_code = 2


class ConfigError(AutograderError):
    """`grading_config.py`, the roster or the extensions say something that cannot be meant."""

    exit_code = 2


class ExamError(AutograderError):
    """A source notebook cannot serve as an exam; nothing was graded with it."""

    exit_code = 2


class ReleaseError(AutograderError):
    """A released notebook failed its proof; nothing was released."""


class RemoteFailed(AutograderError):
    """One student's repository could not be fetched; the others go on."""


class ForgeFailed(AutograderError):
    """The forge's API gave no answer that can be used; what git itself can tell goes on."""


class GitFailed(AutograderError):
    """git could not do what was asked, in a student's clone or in the public repository."""


class GradebookFailed(AutograderError):
    """nbgrader's gradebook cannot be read or written; the record has everything but the newest
    marks by hand.
    """


class Busy(AutograderError):
    """Another process works in the course's folder; nothing was done, and later it can be."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h: cron and scripts may try again


class PublishRefused(AutograderError):
    """The public repository would lose something or show something; nothing was pushed."""


class DiskFailed(AutograderError):
    """A file or folder could not be read or written; the message names it."""

    @classmethod
    def at(cls, path: Path | str, error: OSError) -> Self:
        """Return what to say of an error of the operating system at a path, with what to do."""
        return cls(f"{path}: {error.strerror}; {STEPS.get(error.errno or 0, LOOK)}")


WRITABLE = "make it readable and writable for you, or work in another folder"
SPACE = "free some, and run the same command again"
LOOK = "look at what is there, move it away, and run the same command again"
STEPS = {
    errno.EACCES: WRITABLE, errno.EPERM: WRITABLE, errno.EROFS: WRITABLE, errno.EBUSY: WRITABLE,
    errno.ENOSPC: SPACE, errno.EDQUOT: SPACE,
}  # fmt: skip


class Interrupted(AutograderError):
    """Somebody pressed Ctrl-C; what was done is kept."""


def describe_error(error: Exception) -> str:
    """Return what to say of an error that nobody foresaw, or of the operating system, with what to
    do.
    """
    if isinstance(error, AutograderError):
        return str(error)
    # Some are raised with a text alone: of those neither file nor step is known.
    if isinstance(error, OSError) and error.errno:
        return str(DiskFailed.at(error.filename or "a file", error))
    return f"{type(error).__name__}: {error}; please report this: it is a fault of the autograder's"


def describe_failure(error: Exception) -> str:
    """Say where executed source failed, and how: ``line 3 of mistakes.py: NameError: …``.

    Parameters
    ----------
    error : Exception
        What was raised by `compile` or `exec`; the source has a file name in angle brackets.
    """
    if isinstance(error, SyntaxError) and error.filename and error.filename.startswith("<"):
        # What cannot be compiled was never run: its own line is in the error, not in the traceback
        line = error.lineno
        file = error.filename
        reason = error.msg
    else:
        last = traceback.extract_tb(error.__traceback__)[-1]
        line = last.lineno
        file = last.filename
        reason = str(error)
    return f"line {line} of {file.strip('<>')}: {type(error).__name__}: {reason}"


class KernelError(Exception):
    """The jailed kernel of one submission cannot be asked any more."""


class KernelDied(KernelError):
    """The student's process is gone."""


class OutOfTime(KernelError):
    """The student's process did not answer within its time."""


class WireError(KernelError):
    """What the student's process sent is not a message of ours."""


class NoJail(AutograderError):
    """This machine cannot run students' code safely; the message says why and what to do."""

    # Nobody's work is wrong: the machine is to be set up first.
    exit_code = 2


class JailFailed(AutograderError):
    """A jail could not be made, or did not end; nothing is known about the submission."""
