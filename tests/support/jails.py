"""Jails for tests, on each rung that works here."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from autograder.jail import Jail, Limits
from autograder.jail.processes import list_descendants
from autograder.kernel.jailed_kernel import Kernel

SMALL = Limits(
    cell_seconds=10, call_seconds=5, seconds=60, memory_mb=256, processes=24, disk_mb=16, inodes=200
)


@pytest.fixture(scope="module")
def jail(rung: int) -> Iterator[Jail]:
    """A jail on each rung that works here, see `pytest_generate_tests` in conftest.py."""
    with Jail(SMALL, rung=rung) as jail:
        yield jail


@contextlib.contextmanager
def jailed_kernel(
    jail: Jail, files: Mapping[str, bytes] | None = None, limits: Limits | None = None
) -> Iterator[Kernel]:
    """Run one submission."""
    with jail.spawn(files, limits) as jailed:
        kernel = Kernel(jailed.socket, limits or jail.limits, jailed.check_limits)
        yield kernel
        kernel.close()


def command_of(process: int) -> bytes:
    """Return the command line of a process; nothing where it has ended, or is only waited for."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def list_children() -> set[int]:
    """Return the processes below this one, but for Python's own tracker of shared resources, which stays."""
    _this, *below = list_descendants(os.getpid())
    return {process for process in below if b"resource_tracker" not in command_of(process)}


def eventually(condition: Callable[[], bool]) -> bool:
    """Wait a while for a condition."""
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
