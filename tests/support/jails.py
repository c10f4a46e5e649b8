"""Jails for tests, on each rung that works here."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping

import pytest

from autograder.jail import Jail, Limits
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


def eventually(condition: Callable[[], bool]) -> bool:
    """Wait a while for a condition."""
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
