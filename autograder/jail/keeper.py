"""The trusted end of a zygote: starts its process, orders jails from it, holds a leash on each."""

from __future__ import annotations

import json
import os
import select
import site
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO

from autograder.course.errors import JailFailed
from autograder.course.limits import Limits
from autograder.jail import enclosures
from autograder.jail import small_root as smallroot
from autograder.jail.font_lists import open_font_lists

PROGRAM = "from autograder.jail.zygote import main; main()"
# A cold disk and a slow machine: importing takes a second or two elsewhere.
START_SECONDS = 120.0
READY_SECONDS = 60.0
END_SECONDS = 30.0
ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "LOGNAME": "student",
    "USER": "student",
    # An arena for each thread counts against the limit of address space.
    "MALLOC_ARENA_MAX": "2",
    # Each jail may have the processor once; and threads do not live through a fork.
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    # Sets of texts have one order everywhere: equal notebooks get equal points
    "PYTHONHASHSEED": "0",
}
PASSED_ON = ("LD_LIBRARY_PATH", "TZ")


class ZygoteDied(JailFailed):
    """The process that makes jails has ended."""


class Jailed:
    """One submission in its jail.

    Attributes
    ----------
    socket : socket.socket
        A stream socket to the jailed process; it may be handed on to another process.
    """

    def __init__(self, connection: socket.socket, leash: socket.socket) -> None:
        """Hold both ends; made by `Keeper.spawn`."""
        self.socket = connection
        self._leash = leash
        self._sentence: str | None = None
        self._gone = False

    def check_limits(self) -> str | None:
        """Return a sentence for the student when a limit was exceeded, else None; costs next to
        nothing.

        After a sentence everything in the jail is dead, or dies within milliseconds.
        """
        return self._listen(0)

    def await_end(self, seconds: float = 5.0) -> str | None:
        """Wait until everything in the jail has ended, and return why, if it was for a limit.

        For the moment when the socket has closed unexpectedly.
        """
        deadline = time.monotonic() + seconds
        while not self._gone and (left := deadline - time.monotonic()) > 0:
            self._listen(left)
        return self._sentence

    def close(self) -> None:
        """Kill everything in the jail and wait until it is gone.

        Raises
        ------
        JailFailed
            If something in it cannot be killed.
        """
        self.socket.close()
        if self._leash.fileno() == -1:
            return
        # The zygote may have hung up already.
        with suppress(OSError):
            self._leash.shutdown(socket.SHUT_WR)
        self.await_end(END_SECONDS)
        self._leash.close()
        if not self._gone:
            raise JailFailed(
                f"a submission's processes did not end within {END_SECONDS:g} seconds of being killed"
            )

    def _listen(self, seconds: float) -> str | None:
        """Take what the zygote says within some seconds."""
        if self._gone or not _readable(self._leash, seconds):
            return self._sentence
        words = _receive(self._leash)
        self._gone = words is None
        if words is not None and "exceeded" in words:
            self._sentence = str(words["exceeded"])
        return self._sentence

    def __enter__(self) -> Jailed:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill everything in the jail."""
        self.close()


class Keeper:
    """A running zygote.

    Parameters
    ----------
    rung : int
        1, 2 or 3.
    warm : bool
        Whether it imports numpy and IPython first; without it can only check the jail itself.
    modules : sequence of str, optional
        What else the notebooks to come import; whatever is usual where it is not known.
    single : bool
        Whether one submission is all that is to come: what pays only for several is left out.
    meanwhile : iterator, optional
        What this process can do while the zygote imports, a step each time it is asked: it is asked
        until the zygote is ready.

    Raises
    ------
    JailFailed
        With the reason, if the zygote does not get ready.

    Attributes
    ----------
    rung : int
        Its rung.
    control : socket.socket
        Where orders go, each in one datagram: several processes may send them.
    """

    def __init__(
        self,
        rung: int,
        *,
        warm: bool = True,
        modules: Sequence[str] | None = None,
        single: bool = False,
        meanwhile: Iterable[object] = (),
    ) -> None:
        """Start the zygote and wait until it is ready."""
        self.rung = rung
        self.modules = modules
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # "Parent" means the thread, for the kernel: a thread that ends would take the zygote along.
        lasting = threading.current_thread() is threading.main_thread()
        options = {
            "rung": rung,
            "warm": warm,
            "modules": None if modules is None else list(modules),
            "single": single,
            "dies_with_parent": lasting,
        }
        with theirs, tempfile.TemporaryFile() as complaints:
            try:
                self._process = _start(rung, options, theirs, complaints)
            except JailFailed:
                self.control.close()
                raise
            theirs.close()
            try:
                if warm:
                    self._hand_font_lists()
                for _ in meanwhile:
                    if _readable(self.control, 0):
                        break
                self._wait_until_ready(complaints)
            except BaseException:
                self.close()
                raise

    def _hand_font_lists(self) -> None:
        # A zygote that has ended already says why in a moment.
        with open_font_lists() as lists, suppress(OSError):
            socket.send_fds(self.control, [b"fonts"], [lists.fileno()])

    def _wait_until_ready(self, complaints: IO[bytes]) -> None:
        if not _readable(self.control, START_SECONDS):
            raise JailFailed(f"the zygote was not ready after {START_SECONDS:g} seconds")
        words = _receive(self.control)
        if words is None:
            complaints.seek(0)
            said = complaints.read().decode("utf-8", "replace").strip().splitlines()
            raise JailFailed(said[-1] if said else "the zygote ended at once")
        if "failed" in words:
            raise JailFailed(str(words["failed"]))

    def spawn(
        self, files: Mapping[str, bytes], limits: Limits, *, test: str | None = None
    ) -> Jailed:
        """Make a jail.

        Parameters
        ----------
        files : Mapping[str, bytes]
            Relative path and content of the files in the working directory of the notebook, which
            may change them.
        limits : Limits
            What the submission may use.
        test : str | None
            Instead of a worker, run `autograder.jail.self_check` with this path.

        Raises
        ------
        ZygoteDied
            If the zygote has ended.
        JailFailed
            If this jail could not be made.
        ValueError
            If a file's path leads out of the working directory.
        """
        order = {
            "limits": asdict(limits),
            "files": [(_checked(name), len(content)) for name, content in files.items()],
            "test": test,
        }
        ours, theirs = socket.socketpair()
        leash, its_leash = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        jailed = Jailed(ours, leash)
        with theirs, its_leash, _contents(files) as contents:
            descriptors = [
                theirs.fileno(),
                its_leash.fileno(),
                *([contents.fileno()] if files else []),
            ]
            try:
                socket.send_fds(self.control, [json.dumps(order).encode()], descriptors)
            except OSError as error:
                jailed.socket.close()
                leash.close()
                raise ZygoteDied(f"the process that makes jails has ended ({error})") from error
        self._wait_for(jailed, leash)
        return jailed

    def _wait_for(self, jailed: Jailed, leash: socket.socket) -> None:
        """Wait until a jail is ready."""
        words = (
            _receive(leash)
            if _readable(leash, READY_SECONDS)
            else {"failed": "it was not ready in time"}
        )
        if words is not None and "ready" in words:
            return
        with suppress(JailFailed):
            jailed.close()
        if words is None:
            raise ZygoteDied(
                "the process that makes jails, or the jail itself, ended before the jail was ready"
            )
        raise JailFailed(
            f"a jail could not be made: {words.get('failed') or words.get('exceeded')}"
        )

    def close(self) -> None:
        """End the zygote, with every jail it has made, and wait for it."""
        with suppress(OSError):
            self.control.shutdown(socket.SHUT_RDWR)
        self.control.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class JoinedKeeper(Keeper):
    """Somebody else's zygote: jails can be ordered from it, but its end is not ours."""

    def __init__(self, rung: int, control: socket.socket) -> None:
        """Send orders to this socket; the zygote is of this rung."""
        self.rung = rung
        self.modules = None
        self.control = control

    def close(self) -> None:
        """Send no more orders."""
        self.control.close()


def _start(
    rung: int, options: Mapping[str, object], control: socket.socket, complaints: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start the zygote's process: with sudo when its rung needs root, as nobody in particular when
    root would harm.
    """
    environment = ENVIRONMENT | {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/",
        "TMPDIR": tempfile.gettempdir(),
        "PYTHONUSERBASE": site.getuserbase(),
    }
    # -P: nothing of the working directory is imported, whatever lies there.
    command = [sys.executable, "-P", "-c", PROGRAM, json.dumps(options)]
    spare: int | None = None
    closed = smallroot.find_closed_folder()
    if os.geteuid() == 0 and rung > 1 and closed:
        raise JailFailed(f"Python is installed in {closed}, which ordinary users cannot enter")
    # The submissions of rung 2 keep the zygote's user id in the kernel's eyes: not root's.
    if os.geteuid() == 0 and rung == 2:
        spare = enclosures.spare_user(os.getpid(), 0, Path("/proc/self/uid_map").read_text("ascii"))
    elif os.geteuid() != 0 and rung == 1:
        # sudo replaces the environment by its own, so it is given on the other side of it.
        variables = [f"{name}={value}" for name, value in environment.items()]
        command = ["sudo", "-n", "--", "env", "-i", *variables, *command]
        environment = dict(os.environ)
    try:
        return subprocess.Popen(
            command,
            stdin=control.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            env=environment,
            cwd="/",
            # A Ctrl-C in the terminal is for the grader alone.
            start_new_session=True,
            user=spare,
            group=spare,
            extra_groups=None if spare is None else [],
        )
    except OSError as error:
        raise JailFailed(str(error)) from error


def _checked(name: str) -> str:
    """Return a file's path if it stays in the working directory."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"{name!r} is not a path in the working directory of the notebook")
    return name


def _contents(files: Mapping[str, bytes]) -> IO[bytes]:
    """Return an open file without a name, with the files' bytes one after the other."""
    # In memory: a path would have to be readable for the jailed user.
    file = os.fdopen(os.memfd_create("files"), "r+b")
    for content in files.values():
        file.write(content)
    file.seek(0)
    return file


def _readable(connection: socket.socket, seconds: float) -> bool:
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _receive(connection: socket.socket) -> dict[str, object] | None:
    """Return what the zygote says, None when it has closed the connection."""
    try:
        data = connection.recv(1 << 16)
    except OSError:
        return None
    return json.loads(data) if data else None
