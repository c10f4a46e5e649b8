"""Zygotes lent to all processes of a test run: one for each rung and set of modules.

A zygote takes a second or two of the processor to start, and the tests open two hundred jails. They are those of the
grader, as are the jails; only that a zygote is there already, as for the grader's own processes, which share one. Who
looks at a zygote itself, or is in a situation of their own, starts one as outside of tests.

    lend_zygotes(meeting)         from now on, jails of this process come from lent zygotes
    start_own_zygotes()           and not in this context
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import socket
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from meeting import leave_parent, listen, start_once

from autograder.jail import JailFailed, NoJail, rungs
from autograder.jail.keeper import PASSED_ON, JoinedKeeper, Keeper

NAME = "zygotes"
LARGEST_ORDER = 1 << 16
START = rungs.start_strongest


# --- who borrows -----------------------------------------------------------------------------------------------------


def lend_zygotes(meeting: Path) -> None:
    """Let the jails of this process and its forks come from lent zygotes."""
    # As it is now: a test may change it before the first jail is opened.
    borrow = functools.partial(_borrow, meeting, dict(os.environ))
    rungs.start_strongest = borrow  # type: ignore[assignment]


@contextlib.contextmanager
def start_own_zygotes() -> Iterator[None]:
    """Start zygotes within this context as outside of tests."""
    lent = rungs.start_strongest
    rungs.start_strongest = START
    try:
        yield
    finally:
        rungs.start_strongest = lent


def _borrow(
    meeting: Path,
    environment: Mapping[str, str],
    rung: int | None,
    modules: Sequence[str] | None = None,
    *,
    single: bool = False,
    meanwhile: Iterable[object] = (),
) -> Keeper:
    """Do as `start_strongest`; it is ready at once, so that nothing is done meanwhile."""
    start_once(meeting, NAME, __file__, environment)
    named = None if modules is None else list(modules)
    zygote = {"rung": rung, "modules": named, "single": single}
    order = {"zygote": zygote, "situation": _situation()}
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        folder = os.open(meeting, os.O_PATH)
        connection.connect(f"/proc/self/fd/{folder}/{NAME}")  # the whole path may be too long
        os.close(folder)
        connection.send(json.dumps(order).encode())
        reply, controls, _, _ = socket.recv_fds(connection, 16, 1)
    if not controls:
        return START(rung, modules, single=single, meanwhile=meanwhile)
    keeper = JoinedKeeper(int(reply), socket.socket(fileno=controls[0]))
    keeper.modules = modules  # should it die, another is started
    return keeper


def _situation() -> list[object]:
    """Return what a zygote has from who starts it."""
    namespaces = [str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in ("net", "mnt", "user")]
    status = Path("/proc/self/status").read_text()
    mask = [line for line in status.splitlines() if line.startswith("Umask")]
    limits = Path("/proc/self/limits").read_text()
    variables = [os.environ.get(name) for name in PASSED_ON]
    return [os.geteuid(), tempfile.gettempdir(), *namespaces, *mask, limits, *variables]


# --- who lends -------------------------------------------------------------------------------------------------------


def serve(meeting: Path, ready: int) -> None:
    """Lend zygotes until the test run has ended."""
    os.umask(0o022)
    listener, lasting = listen(meeting, NAME, ready)
    own_situation = json.loads(json.dumps(_situation()))
    keepers: dict[str, Keeper] = {}
    while lasting not in select.select([listener.fileno(), lasting], [], [])[0]:
        connection, _ = listener.accept()
        # Who asks may be killed, before the question or before the answer.
        with connection, contextlib.suppress(OSError, json.JSONDecodeError):
            order = json.loads(connection.recv(LARGEST_ORDER))
            keeper = None
            if order["situation"] == own_situation:
                keeper = _find_zygote(keepers, order["zygote"])
            if keeper is None:
                connection.send(b"none")
            else:
                rung = str(keeper.rung).encode()
                socket.send_fds(connection, [rung], [keeper.control.fileno()])
    for keeper in keepers.values():
        keeper.close()


def _find_zygote(keepers: dict[str, Keeper], zygote: dict[str, Any]) -> Keeper | None:
    """Return a living zygote; None where there is none to be had, which who asked finds out again."""
    key = json.dumps(zygote)
    if key in keepers and keepers[key]._process.poll() is not None:
        keepers.pop(key).close()
    if key not in keepers:
        try:
            keepers[key] = START(**zygote)
        except (JailFailed, NoJail, ValueError):
            return None
    return keepers[key]


if __name__ == "__main__":
    leave_parent()
    sys.path.pop(0)  # the folder of this file
    serve(Path(sys.argv[1]), int(sys.argv[2]))
