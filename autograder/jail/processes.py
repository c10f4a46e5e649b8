"""The processes of one submission, seen from outside: which they are, how much memory they use,
their end.
"""

from __future__ import annotations

import os
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# Seconds a killed tree may take to vanish: a process that writes to a slow disk ends late.
PATIENCE = 10.0


def list_descendants(process: int) -> list[int]:
    """Return the ids of a process and all its descendants at this moment."""
    found = [process]
    # The list grows while it is read.
    for parent in found:
        found.extend(_children(parent))
    return found


def _children(process: int) -> Iterator[int]:
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{process}/task"):  # noqa: PTH208 - names are all that is needed
            # A thread that has ended meanwhile has handed its children on.
            with suppress(OSError):
                children = Path(f"/proc/{process}/task/{thread}/children").read_text("ascii")
                yield from map(int, children.split())


def count_threads(processes: list[int]) -> int:
    """Return how many threads some processes have together."""
    return sum(_field(process, "status", "Threads:") for process in processes)


def measure_processor_time(processes: list[int]) -> float:
    """Return the seconds of processor time that processes, and what has ended below them, have
    used.
    """
    ticks = 0
    for process in processes:
        try:
            status = Path(f"/proc/{process}/stat").read_text("ascii", "replace")
        except OSError:
            # It has ended meanwhile, and its time is its parent's.
            continue
        # Behind the name, which may contain blanks and brackets. Of the process and of its ended
        # children, in the program and in the kernel.
        fields = status.rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def list_processes_of_user(user: int) -> list[int]:
    """Return the ids of all processes of a user on this machine."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if directory.stat().st_uid == user:
                found.append(int(directory.name))
    return found


def measure_memory(processes: list[int], enough: int) -> int:
    """Return the bytes of memory some processes use together, pages they share counted once.

    Parameters
    ----------
    processes : list[int]
        Their ids.
    enough : int
        Bytes below which the exact number does not matter: a cheap upper bound is returned then.
    """
    # Resident sizes count shared pages again and again, but are read in no time.
    bound = sum(_field(process, "status", "VmRSS:") for process in processes) << 10
    if bound < enough:
        return bound
    exact = 0
    for process in processes:
        # Where the kernel does not tell the shares of a process, all it has counts as its own.
        exact += _field(process, "smaps_rollup", "Pss:") or _field(process, "status", "VmRSS:")
    return exact << 10


def measure_deleted_files(processes: list[int]) -> int:
    """Return the bytes of files without a name that some processes have open."""
    sizes = {}
    for process in processes:
        with suppress(OSError):
            for descriptor in Path(f"/proc/{process}/fd").iterdir():
                with suppress(OSError):
                    found = descriptor.stat()
                    if stat.S_ISREG(found.st_mode) and not found.st_nlink:
                        sizes[found.st_dev, found.st_ino] = found.st_blocks * 512
    return sum(sizes.values())


def _field(process: int, file: str, name: str) -> int:
    """Return a number from a file of /proc, 0 when the process is gone."""
    with (
        suppress(OSError),
        Path(f"/proc/{process}/{file}").open(encoding="ascii", errors="replace") as lines,
    ):
        for line in lines:
            if line.startswith(name):
                return int(line.split()[1])
    return 0


def kill_descendants(process: int) -> bool:
    """Kill everything below a process that adopts orphans; returns whether it is gone.

    All are stopped before the first is killed: what has been stopped cannot start others meanwhile.
    """
    deadline = time.monotonic() + PATIENCE
    while alive := _list_living_descendants(process):
        if time.monotonic() > deadline:
            return False
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for child in alive:
                with suppress(ProcessLookupError):
                    os.kill(child, number)
        time.sleep(0.001)
    return True


def _list_living_descendants(process: int) -> list[int]:
    # A zombie waits for its parent, which may be stopped: there is nothing left to kill in it.
    return [child for child in list_descendants(process)[1:] if not _is_zombie(child)]


def _is_zombie(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text("ascii", "replace")
    except OSError:
        return True
    return status.rpartition(")")[2].split()[0] in "ZX"
