"""The processes of a submission are found, measured and killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.jail import processes

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the jail is Linux's")


@pytest.fixture
def family() -> Iterator[int]:
    """A process with 40 MB, which two forked children share and to which one of them adds 20 MB."""
    program = """
import os, sys, time
kept = bytearray(b"x" * (40 << 20))
if os.fork() == 0:
    os.setsid()
    more = bytearray(b"y" * (20 << 20))
elif os.fork() == 0:
    pass
print("ready", flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-S", "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        for _ in range(3):
            parent.stdout.readline()
        yield parent.pid
        processes.kill_descendants(parent.pid)
        parent.kill()


@linux_only
def test_memory_shared_by_processes_is_counted_once(family: int) -> None:
    tree = processes.list_descendants(family)
    assert len(tree) == 3
    assert processes.count_threads(tree) == 3
    assert 60 <= processes.measure_memory(tree, enough=1) >> 20 < 100
    assert (
        processes.measure_memory(tree, enough=1 << 30) >> 20 >= 140
    )  # the cheap upper bound will do


@linux_only
def test_the_processes_of_a_user_are_found(family: int) -> None:
    assert set(processes.list_descendants(family)) <= set(
        processes.list_processes_of_user(os.getuid())
    )
    assert family not in processes.list_processes_of_user(os.getuid() + 1)


@linux_only
def test_descendants_are_killed_stopped_or_not(family: int) -> None:
    children = processes.list_descendants(family)[1:]
    os.kill(children[0], signal.SIGSTOP)
    assert processes.kill_descendants(family)
    assert not any(running(child) for child in children)
    assert running(family)


def running(process: int) -> bool:
    state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    return state not in "ZX"


@linux_only
def test_deleted_files_are_counted_while_they_are_open(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb", buffering=0) as file:
        file.write(bytes(1 << 20))
        before = processes.measure_deleted_files([os.getpid()])
        (tmp_path / "file").unlink()
        assert processes.measure_deleted_files([os.getpid(), os.getpid()]) - before >= 1 << 20
