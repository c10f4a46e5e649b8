"""A kernel without its jail: the worker in a forked process, its trusted end here. For tests of what they say."""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import os
import shutil
import signal
import socket
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from autograder.course.limits import Limits
from autograder.jail.enclosures import Order
from autograder.jail.font_lists import lay_out_font_lists, open_font_lists
from autograder.jail.keeper import JoinedKeeper
from autograder.jail.zygote import Zygote
from autograder.kernel import worker
from autograder.kernel.jailed_kernel import Kernel

NO_RUNG = 0
LIMITS = Limits(cell_seconds=60, call_seconds=60, seconds=3600)


class Open:
    """An enclosure that encloses nothing: a directory of its own is all a submission has."""

    def __init__(self) -> None:
        self.scratch = Path(tempfile.mkdtemp(prefix="jailless-"))

    def fork(self) -> int:
        return os.fork()

    def shut_in(self, order: Order) -> None:
        place = self.scratch / str(order.slot)
        place.mkdir()
        os.chdir(place)

    def kill(self, first: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(first, signal.SIGKILL)

    def tree(self, first: int) -> list[int]:
        return []

    def disk_usage(self, order: Order, tree: list[int]) -> tuple[int, int]:
        return 0, 0

    def user(self, order: Order) -> int:
        return os.geteuid()

    def clear(self, order: Order) -> None:
        shutil.rmtree(self.scratch / str(order.slot), ignore_errors=True)

    def enter(self) -> None:
        pass

    def settle(self) -> None:
        pass

    def leave(self) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)


class OpenZygote(Zygote):
    """A zygote whose submissions find the socket of their worker without a search, which spares attacks a second."""

    def _work(self, wire: int, limits: Limits, test: str | None) -> NoReturn:
        os.environ["SOCKET_OF_THE_WORKER"] = str(wire)
        super()._work(wire, limits, test)


@contextlib.contextmanager
def kernels() -> Iterator[JoinedKeeper]:
    """Fork a process of this one that warms up and forks a worker for every kernel; nothing of it happens here."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = os.fork()
    if process == 0:
        try:
            ours.close()
            _be_the_zygote(theirs)
        finally:
            os._exit(1)
    theirs.close()
    keeper = JoinedKeeper(NO_RUNG, ours)
    try:
        yield keeper
    finally:
        keeper.close()
        os.waitpid(process, 0)


def _be_the_zygote(control: socket.socket) -> None:
    os.setsid()
    importlib.reload(warnings)  # pytest would record what the student is warned of
    zygote = OpenZygote(control, Open(), ())
    scratch = str(zygote.enclosure.scratch)  # type: ignore[attr-defined]
    lay_out_font_lists(open_font_lists(), scratch)
    os.environ.update(IPYTHONDIR=scratch, MPLCONFIGDIR=scratch)
    # What belongs to the course uses it, and comes first.
    importlib.import_module("matplotlib.pyplot")
    zygote.shell = worker.warm_up()
    zygote.serve()
    zygote.close()
    os._exit(0)


@functools.cache
def shared_keeper() -> JoinedKeeper:
    """Return the kernels of this test run, warmed up once."""
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(kernels())


@contextlib.contextmanager
def kernel(
    limits: Limits = LIMITS,
    watch: Callable[[], str | None] | None = None,
    keeper: JoinedKeeper | None = None,
) -> Iterator[Kernel]:
    """Fork a worker, and end it when the context is left."""
    unhurried = replace(
        limits, seconds=3600
    )  # the trusted end alone keeps the time, and nobody the memory
    with (keeper or shared_keeper()).spawn({}, unhurried) as jailed:
        kernel = Kernel(jailed.socket, limits, watch)
        try:
            yield kernel
        finally:
            kernel.close()
