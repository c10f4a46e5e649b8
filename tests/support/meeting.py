"""Where the processes of a test run meet: a folder, and the servers in it that they share.

A server is a program that is started by whoever needs it first, and ends when the process that began the test run
does, which holds a pipe open.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "AUTOGRADER_TESTS_WARM"  # where the folder's name is


class Meeting:
    """The folder in which the processes of a test run meet; made and held by the one that begins it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="warm-"))
        os.mkfifo(self.folder / "lasting")
        self._held = os.open(self.folder / "lasting", os.O_RDWR)
        os.environ[VARIABLE] = str(self.folder)

    def end(self) -> None:
        """Let the servers end, and clear the folder away."""
        del os.environ[VARIABLE]
        os.close(self._held)
        shutil.rmtree(self.folder, ignore_errors=True)


def start_once(
    meeting: Path, name: str, program: str, environment: Mapping[str, str] | None = None
) -> None:
    """Start a server, unless it is there: its socket has this name, its two arguments are for `listen`."""
    with (meeting / f"{name}-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (meeting / name).exists():
            return
        ready, theirs = os.pipe()
        errors = str(meeting / f"{name}-errors")
        nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1)]
        os.set_inheritable(theirs, True)
        child = os.posix_spawn(
            sys.executable,
            [sys.executable, program, str(meeting), str(theirs)],
            {**(environment or os.environ), "OPENBLAS_NUM_THREADS": "1"},
            file_actions=[
                *nowhere,
                (os.POSIX_SPAWN_OPEN, 2, errors, os.O_WRONLY | os.O_CREAT, 0o600),
            ],
            setsid=True,
        )
        os.close(theirs)
        os.waitpid(child, 0)  # see `leave_parent`
        said = os.read(ready, 16)
        os.close(ready)
        assert said == b"ready", Path(errors).read_text()


def leave_parent() -> None:
    """Let a server be nobody's child: tests look at what is below their process, and kill it."""
    if os.fork():
        os._exit(0)


def listen(meeting: Path, name: str, ready: int) -> tuple[socket.socket, int]:
    """Return a server's socket, and what can be read when the test run has ended; who started it goes on."""
    lasting = os.open(meeting / "lasting", os.O_RDONLY)
    os.chdir(meeting)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(name)
    listener.listen(64)
    os.write(ready, b"ready")
    os.close(ready)
    return listener, lasting
