"""The command `autograder` without its start: one process imports it, and forks itself for each command.

Most of what a short command costs is importing nbgrader and what it needs, three seconds of the processor. The tests
start hundreds; each is a process of its own here, too, with the arguments, folder, environment and streams it is given.
Its network is theirs. Where the start itself, a fault switched on in the environment, or another namespace matters,
the real command is used.

    command()                     what to put before the arguments, for `subprocess`
    command("nbgrader")           the same for nbgrader's own commands
    folder_for_path()             a folder with a program `autograder`, for PATH

Processes of a test run share the warm one, see meeting.py.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import importlib
import json
import multiprocessing
import os
import select
import shlex
import shutil
import signal
import socket
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

from lent_zygotes import lend_zygotes
from meeting import VARIABLE, leave_parent, listen, start_once

NAME = "socket"
LARGEST_ORDER = 1 << 20
WORKER_POOL = "autograder.grading.worker_pool"
# In its place the processes that grade are forked: spawned, each would import everything once more, for a second.
FORKING = types.SimpleNamespace(get_context=lambda _: multiprocessing.get_context("fork"))
CLIENT = """\
import json, os, signal, socket, sys
connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
order = {"command": sys.argv[2:], "folder": os.getcwd(), "environment": dict(os.environ), "umask": os.umask(0o22)}
os.chdir(sys.argv[1])  # a socket's path may have 107 characters
connection.connect("socket")
network = os.open("/proc/self/ns/net", os.O_RDONLY)
socket.send_fds(connection, [json.dumps(order).encode()], [0, 1, 2, network])
code = int(connection.recv(16) or b"-9")
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
"""


# --- the tests' side -------------------------------------------------------------------------------------------------


def command(program: str = "autograder") -> list[str]:
    """Return what to put before the arguments of `autograder`, or `nbgrader`; the warm process is there afterwards."""
    meeting = _started()
    return [sys.executable, "-ISc", CLIENT, str(meeting), program]


def folder_for_path() -> Path:
    """Return a folder whose program `autograder` is the warm one."""
    words = " ".join(shlex.quote(word) for word in command())
    folder = Path(os.environ[VARIABLE], "bin")
    folder.mkdir(exist_ok=True)
    program = folder / "autograder"
    if not program.exists():
        fresh = folder / f"autograder-{os.getpid()}"
        fresh.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        fresh.chmod(0o755)
        fresh.rename(program)
    return folder


def _started() -> Path:
    meeting = Path(os.environ[VARIABLE])
    start_once(meeting, NAME, __file__)
    return meeting


# --- the warm process ------------------------------------------------------------------------------------------------


def serve(meeting: Path, ready: int) -> None:
    """Fork for each order, tell who ordered how it ended, and end with the test run."""
    sys.path.pop(0)  # the folder of this file, which no command sees
    import_everything()
    lend_zygotes(meeting)
    remember_templates(meeting)
    listener, lasting = listen(meeting, NAME, ready)
    waiting: dict[
        int, tuple[int, socket.socket]
    ] = {}  # by the descriptor of a process: its number, who ordered it
    while True:
        asking = {
            connection.fileno(): descriptor for descriptor, (_, connection) in waiting.items()
        }
        found, _, _ = select.select([listener.fileno(), lasting, *waiting, *asking], [], [])
        if lasting in found:
            break
        if listener.fileno() in found:
            connection, _ = listener.accept()
            order, (*streams, network), _, _ = socket.recv_fds(connection, LARGEST_ORDER, 4)
            process = os.fork()
            if process == 0:
                for descriptor, (_, other) in waiting.items():
                    os.close(descriptor)
                    other.close()
                listener.close()
                os.close(lasting)
                connection.close()  # who ordered it must not hear of it, but of its end
                enter_network(network)
                obey(json.loads(order), streams)
                return
            for descriptor in (*streams, network):
                os.close(descriptor)
            waiting[os.pidfd_open(process)] = (process, connection)
        for descriptor in found:
            if descriptor in waiting:
                process, connection = waiting.pop(descriptor)
                _, status = os.waitpid(process, 0)
                with contextlib.suppress(OSError):
                    connection.send(b"%d" % os.waitstatus_to_exitcode(status))
                connection.close()
                os.close(descriptor)
            elif (
                descriptor in asking and asking[descriptor] in waiting
            ):  # who ordered it was killed
                os.kill(waiting[asking[descriptor]][0], signal.SIGKILL)
                select.select([asking[descriptor]], [], [])
    for process, _ in waiting.values():
        os.kill(process, signal.SIGKILL)
    shutil.rmtree(meeting, ignore_errors=True)  # who began the test run may have been killed


def import_everything() -> None:
    """Import what the commands import when they are called."""
    from autograder.cli.application import leave_out_grammars
    from autograder.cli.command_table import COMMANDS
    from autograder.gradebook.gradebook_database import put_tools_on_path

    leave_out_grammars()
    for entry in COMMANDS:
        with contextlib.suppress(ImportError):  # the command itself says what is missing
            importlib.import_module(f"autograder.cli.{entry.module}")
    importlib.import_module("autograder.cli.entry_point")
    for name in ("nbgrader.api", "nbgrader.apps", "nbclient", "numpy", "jupyter_client.manager"):
        importlib.import_module(name)
    remember_alembic_version()
    importlib.import_module(WORKER_POOL).multiprocessing = FORKING  # type: ignore[attr-defined]
    put_tools_on_path()
    sys.modules["nbgrader.api"].get_alembic_version()
    gc.freeze()  # else the first collection in each fork would copy all of it


def remember_alembic_version() -> None:
    """Ask once what nbgrader asks a program for whenever it makes a gradebook: the version of its tables, 3 seconds."""
    api = sys.modules.get("nbgrader.api")
    if api is not None and not hasattr(api.get_alembic_version, "cache_info"):
        api.get_alembic_version = functools.cache(api.get_alembic_version)  # type: ignore[attr-defined]


def remember_templates(meeting: Path) -> None:
    """Compile the templates of pages once for all processes of a test run, instead of once for each site."""
    from jinja2 import FileSystemBytecodeCache

    from autograder.pages import template_environment

    folder = meeting / "templates"
    folder.mkdir(exist_ok=True)
    cache = FileSystemBytecodeCache(str(folder))
    template_environment._COMPILED = cache  # type: ignore[assignment]


def enter_network(descriptor: int) -> None:
    """See the network of who ordered the command, or none where they have none: `unshare --net`."""
    theirs, ours = os.fstat(descriptor), Path("/proc/self/ns/net").stat()
    if theirs.st_ino != ours.st_ino:
        result = ctypes.CDLL(None, use_errno=True).setns(descriptor, 0)
        assert result == 0, os.strerror(ctypes.get_errno())
    os.close(descriptor)


def obey(order: dict[str, Any], streams: list[int]) -> None:
    """Become the command that was ordered, up to the end of its process."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(order["folder"])
    os.umask(order["umask"])
    os.environ.clear()
    os.environ.update(order["environment"])
    tempfile.tempdir = None
    sys.argv = order["command"]
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(
        2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False
    )
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]
    main = types.ModuleType("__main__")
    main.__spec__ = None
    sys.modules["__main__"] = main  # what starts processes looks at it
    if sys.argv[0] == "nbgrader":
        from nbgrader.apps.nbgraderapp import main as nbgrader

        sys.exit(nbgrader())
    from autograder.cli.entry_point import run_process

    run_process()


if __name__ == "__main__":
    leave_parent()
    serve(Path(sys.argv[1]), int(sys.argv[2]))
