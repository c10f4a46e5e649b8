"""The one way to run git: within a time, without a question to anybody, and never longer than who
asked.

git starts helpers of its own, which may hang on a network long after git itself is gone. So each git has a process
group, which ends as a whole: at its time limit, when it is interrupted, and when the process that asked for it dies,
however it dies. It is asked to end first, so that it removes its lock files, and killed a moment later.
"""

from __future__ import annotations

import errno
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from autograder.course.errors import GitFailed
from autograder.course.faults import reached

SECONDS = 600.0
SECONDS_TO_ANSWER = 120.0  # for a question to another machine that moves no files
ROOM = 1 << 16  # bytes; with less no commit can be written, and git fails for that reason
MOMENT = 3.0  # seconds a git that is to end has for removing its locks
MAX_COMPLAINT = 1 << 16  # bytes of what git says went wrong
NO_GIT = "git is not installed, or not on the PATH; get it from https://git-scm.com"
NOT_FOUND = 127  # the shell's code for a program that is not there
TOO_LARGE = os.strerror(errno.EFBIG).encode()  # what git says of a file that became too large
OUT_OF_TIME = 124  # the code of a git that was ended at its time limit, as `timeout` has it

# What a surrounding command says of another repository, or settings from the environment, must not
# reach git. What a person needs for getting in, and says of themself, may.
PASSING = {"GIT_ASKPASS", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_PROXY_COMMAND", "GIT_EXEC_PATH"}
PASSING_KINDS = ("GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_SSL_", "GIT_TRACE")
PASSING_FILES = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")
ASK_NOBODY = {"GIT_TERMINAL_PROMPT": "0", "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}

# Git runs below a shell that ends the whole group when who asked has died: it waits at a pipe of
# which nobody else has the other end. What waits is gone before the shell is, as a lock held for git
# would be held by it, too. A child that prepares itself in Python, as `preexec_fn` has it, would
# begin as a copy of this process, which takes ten times as long as a small git.
SHELL = "/bin/sh"
# By a descriptor of its own: a shell gives an empty input to what it starts with `&`.
KEEPER = """\
given=/dev/fd/$1 spare=$2 blocks=$3 beyond=$4
shift 4
trap 'trap "" TERM; kill -TERM 0; sleep 1; kill -KILL 0' TERM
[ "$blocks" = 0 ] || ulimit -f "$blocks"
[ "$beyond" = end ] || trap '' XFSZ
eval "exec $spare<&0"
"$@" <"$given" &
git=$!
{ read -r nothing <&$spare; kill -TERM $$; } &
waiting=$!
wait $git
code=$?
{ kill -KILL $waiting; wait $waiting; } 2>/dev/null
exit $code
"""
Streams = tuple[IO[bytes] | int, IO[bytes], IO[bytes]]
BLOCKS = 2048  # that `ulimit -f` counts in a megabyte


@dataclass(frozen=True)
class EndedGit:
    """How a git ended: its exit code, and the bytes of what it printed and of what it complained
    about.
    """

    code: int
    output: bytes
    errors: bytes

    @property
    def wrote_too_much(self) -> bool:
        """Whether it ended because it wanted to write a file larger than it may."""
        killed = sys.platform != "win32" and self.code in {-signal.SIGXFSZ, 128 + signal.SIGXFSZ}
        return killed or (self.code != 0 and TOO_LARGE in self.errors)


def run_git(
    arguments: Sequence[str],
    *,
    folder: Path | None = None,
    variables: Mapping[str, str] | None = None,
    input: bytes = b"",
    seconds: float | None = None,
    most_mb: int = 0,
    says_too_much: bool = False,
    held: int | None = None,
) -> EndedGit:
    """Run git with these arguments and return how it ended, whatever its code is.

    Parameters
    ----------
    folder : Path or None
        Where it runs; None for here.
    variables : mapping of str to str or None
        What its environment has besides; what a surrounding git says there is taken out.
    seconds : float or None
        Its time limit; None for `SECONDS_TO_ANSWER` where it only asks, else `SECONDS`. At the
        limit the code is `OUT_OF_TIME`.
    most_mb : int
        How large a file it may write, its output among them; 0 for no limit.
    says_too_much : bool
        Whether beyond that git is not ended but left to say so. One that only lists would go on for
        ever; of one that fetches, who waits for a helper that was ended says something else.
    held : int or None
        A file descriptor it inherits, and all its helpers: a lock that is held as long as any of
        them lives.

    Raises
    ------
    GitFailed
        If git is not installed, or `folder` is none.
    """
    asks = "ls-remote" in arguments
    limit = seconds or (SECONDS_TO_ANSWER if asks else SECONDS)
    environment = _make_environment(variables or {})
    # Files and no pipes: the limit of size holds for files, and a helper that lives on would hold a
    # pipe open.
    # What git is given comes last: where standard streams are closed, the others take their numbers,
    # and by one of these the shell would find its own stream.
    with (
        TemporaryFile() as said,
        _complaints() as complained,
        _lifeline() as lives,
        TemporaryFile() as given,
    ):
        given.write(input)
        given.seek(0)
        reached("before git", arguments)
        command = ["git", *arguments]
        streams: Streams = (given, said, complained)
        inherited = [] if held is None else [held]
        if sys.platform != "win32":
            beyond = "live" if says_too_much else "end"
            # Of one digit: a shell knows no others.
            spare = min({3, 4, 5} - {given.fileno(), held})
            order = [str(given.fileno()), str(spare), str(most_mb * BLOCKS), beyond]
            command = [SHELL, "-c", KEEPER, "git's keeper", *order, *command]
            streams = (lives, said, complained)
            inherited.append(given.fileno())
        process = _start(command, folder, environment, streams, inherited)
        try:
            code = _wait(process, limit)
        except BaseException:  # an interrupt: git's helpers must not live on
            _end(process)
            raise
        reached("after git", arguments)
        said.seek(0)
        if code is None:
            _end(process)
            return EndedGit(
                OUT_OF_TIME, said.read(), f"fatal: no answer within {limit:g} s".encode()
            )
        complained.seek(max(0, complained.seek(0, os.SEEK_END) - MAX_COMPLAINT))
        errors = complained.read()
        if code == NOT_FOUND and b"git" in errors:
            raise GitFailed(NO_GIT)
        if code != 0 and _is_disk_full(arguments, folder):
            # Git itself says what it could not do, not always why
            errors += b"\nfatal: No space left on device\n"
        return EndedGit(code, said.read(), errors)


def _is_disk_full(arguments: Sequence[str], folder: Path | None) -> bool:
    """Whether there is hardly any room where a git works."""
    place = folder or Path()
    for word in arguments:
        if word.startswith("--git-dir="):
            place = Path(word.partition("=")[2])
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free < ROOM


def _complaints() -> IO[bytes]:
    """Return a file for what git complains about: in memory, since that the disk is full must be
    told, too.
    """
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("git's complaints"), "w+b")
    return TemporaryFile()


def write_options(settings: Iterable[str]) -> list[str]:
    """Return settings like `user.name=Someone` as options of git, for one command."""
    options = []
    for setting in settings:
        options += ["-c", setting]
    return options


@contextmanager
def _lifeline() -> Iterator[int]:
    """Return the end of a pipe at which nothing comes before this process ends."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(writing)
        os.close(reading)


def _make_environment(variables: Mapping[str, str]) -> dict[str, str]:
    environment = {}
    for name, value in os.environ.items():
        if may_pass(name):
            environment[name] = value
    return environment | ASK_NOBODY | dict(variables)


def may_pass(name: str) -> bool:
    """Whether git may see a variable of this process's environment."""
    if name == "SSH_ASKPASS":  # a window that waits for somebody
        return False
    return (
        not name.startswith("GIT_")
        or name in {*PASSING, *PASSING_FILES}
        or name.startswith(PASSING_KINDS)
    )


def _start(
    command: list[str],
    folder: Path | None,
    environment: Mapping[str, str],
    streams: Streams,
    inherited: Sequence[int],
) -> subprocess.Popen[bytes]:
    given, said, complained = streams
    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=given,
            stdout=said,
            stderr=complained,
            start_new_session=True,  # also without a terminal, on which ssh would ask
            pass_fds=inherited,
        )
    except (FileNotFoundError, NotADirectoryError):
        # Python raises the same for a folder that is not there and for a program.
        if folder is not None and not folder.is_dir():
            raise GitFailed(f"{folder}: no such folder") from None
        raise GitFailed(NO_GIT) from None


def _wait(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """Wait for the end of a process and return its code, None if it does not end in time."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # not Linux, or a sandbox: the library looks again and again
        with suppress(subprocess.TimeoutExpired):
            return process.wait(seconds)
        return None
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return process.wait() if poll.poll(seconds * 1000) else None
    finally:
        os.close(descriptor)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all its helpers."""
    if sys.platform == "win32":
        process.kill()
        process.wait()
        return
    # KILL also where TERM ended git itself: it is the group that has to be gone.
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(MOMENT)
