"""What an attack is, and the cells it is run as."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from autograder.jail import Limits

LIMITS = Limits(
    cell_seconds=8,
    call_seconds=4,
    seconds=20,
    memory_mb=256,
    processes=24,
    disk_mb=16,
    inodes=200,
    output_bytes=1 << 16,
)

PRELUDE = """\
import contextlib, ctypes, errno, glob, mmap, os, pathlib, signal, socket, stat, struct, subprocess
import sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
machine = os.uname().machine

def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

def call(number, *arguments):  # a number alone is the same on every processor, a pair is for x86_64 and aarch64
    number = number if isinstance(number, int) else number[machine == "aarch64"]
    return checked(libc.syscall(ctypes.c_long(number), *arguments))

def in_child(function):
    process = os.fork()
    if not process:
        code = 1
        try:
            code = 0 if function() else 1
        finally:
            os._exit(code)
    return os.waitpid(process, 0)[1] == 0

def outlast_the_watchdog():  # it looks every 50 ms, at the disk every 250 ms: one moment beyond a limit is not staying
    time.sleep(1)
    return True

def stay(count, act=lambda: None):  # children that are all there at the same time
    ready, children = os.pipe(), []
    for _ in range(count):
        process = os.fork()
        if not process:
            try:
                act()
                os.write(ready[1], b"x")
                time.sleep(30)
            finally:
                os._exit(1)
        children.append(process)
    os.close(ready[1])
    arrived = 0
    try:
        while arrived < count and (got := os.read(ready[0], 100)):
            arrived += len(got)
        outlast_the_watchdog()
    finally:
        for process in children:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
    return arrived == count
"""

HIDDEN_TEST = "np.testing.assert_allclose(double(np.array([10.5])), [21.0], err_msg='{marker}')"


@dataclass(frozen=True)
class Attack:
    """A cell that tries to do what it must not.

    Attributes
    ----------
    name : str
        What it tries.
    source : str
        The body of a function that returns something true when it has succeeded. It knows `world`, see `World.facts`.
    without_jail : bool
        Whether it can be shown to succeed without a jail: it does no harm, and any machine lets an ordinary user do it.
    leaves : bool
        Whether it also succeeds by leaving a process, or a file, that bears `world["trace"]` when all has ended.
    signals : bool
        Whether it succeeds by a signal (SIGURG, which hurts nobody) that reaches the grader.
    spies : bool
        Whether a hidden test is run first: for the jail by value from outside, without it in the same kernel, as other
        graders do. The source then defines `double` for the test, and `attack`.
    cheats : bool
        Whether it succeeds when the hidden test accepts the wrong `double` that the source defines.
    test : str
        The hidden test.
    limits : Limits
        What it may use.
    """

    name: str
    source: str
    without_jail: bool = True
    leaves: bool = False
    signals: bool = False
    spies: bool = False
    cheats: bool = False
    test: str = HIDDEN_TEST
    limits: Limits = field(default=LIMITS)

    def within(self, **limits: float) -> Attack:
        """Return the attack with other limits."""
        return replace(self, limits=replace(self.limits, **limits))  # type: ignore[arg-type]

    def cells(self, world: Mapping[str, object]) -> list[str]:
        """Return the cells that make it; the last says whether it has succeeded."""
        first = f"{PRELUDE}world = {dict(world)!r}\n"
        source = textwrap.dedent(self.source).strip()
        if not self.spies and not self.cheats:
            source = "def attack():\n" + textwrap.indent(source, "    ")
        return [first, source, REPORT]

    def hidden_test(self, marker: str) -> str:
        """Return the source of its hidden test, with a marker that no student may ever see."""
        return f"the_hidden_test = {marker!r}\n{self.test.replace('{marker}', marker)}\n"


REPORT = """\
try:
    print(world["success"] if attack() else "it failed")
except BaseException as error:
    print("it was stopped:", repr(error))
"""
