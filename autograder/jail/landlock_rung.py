"""Rung 3: Landlock, seccomp and a watchdog, for kernels and containers that allow no namespaces.

The jailed process sees the machine's own file system, but can open only what Python needs and its scratch directory.
As root every submission gets a spare user id; otherwise Landlock itself must confine signals, since all of them share
the grader's.
"""

from __future__ import annotations

import os
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from autograder.jail import enclosures, landlock, lockdown, processes, scratch, seccomp
from autograder.jail import small_root as smallroot
from autograder.jail.enclosures import Order

PREFIX = "autograder-jail-"
# Threads that the grader's user may have beyond those of now; the watchdog counts exactly.
ROOM_FOR_OTHERS = 1000


class Landlocked:
    """The enclosure of rung 3."""

    def __init__(self) -> None:
        """Make ready.

        Raises
        ------
        OSError
            If this kernel's Landlock is missing, or not enough without root.
        """
        self._root = os.geteuid() == 0
        spoken = landlock.read_landlock_version()
        if not spoken:
            raise OSError("this kernel has no Landlock, or it is not switched on")
        if not self._root and spoken < landlock.SIGNALS_CONFINED_SINCE:
            raise OSError(
                f"this kernel's Landlock (version {spoken}) does not confine signals, which takes version 6"
            )
        self._filter = seccomp.compile_filter(shared_files=True)
        self._owner = os.getpid()
        self._uid_map = Path("/proc/self/uid_map").read_text("ascii")
        self._readable = tuple(
            path for path in smallroot.list_needed_paths() if Path(path).exists()
        )
        own = [] if self._root else processes.list_processes_of_user(os.getuid())
        # The kernel's limit counts a user, not a tree.
        self._others = processes.count_threads(own) + ROOM_FOR_OTHERS if own else 0
        self._base = Path(tempfile.gettempdir())

    def enter(self) -> None:
        """Make the directory in which the scratch directories will be."""
        _remove_abandoned(self._base)
        self._base = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{self._owner}-"))
        # Every submission's user passes through, and none can list what others have.
        self._base.chmod(0o711)

    def settle(self) -> None:
        """Nothing is left to do: the jailed processes live where the zygote does."""

    def fork(self) -> int:
        """Fork."""
        return os.fork()

    def shut_in(self, order: Order) -> None:
        """Fork the student's process; this one stays free and outside, since it adopts orphans and
        has to kill them.
        """
        lockdown.prctl(lockdown.PR_SET_CHILD_SUBREAPER, 1)
        signal.signal(signal.SIGTERM, _end_submission)
        # Not SIGKILL: it has to kill what it has adopted first.
        lockdown.die_with_parent(signal.SIGTERM)
        place = self._scratch(order)
        place.mkdir(0o700)
        if self._root:
            os.chown(place, self.user(order), self.user(order))
        student = os.fork()
        if student:
            _wait_for(student)
        # The student's process ends as any other, not by what this one does on SIGTERM.
        enclosures.reset_signals()
        self._confine(order)

    def _confine(self, order: Order) -> None:
        """Take everything away but the scratch directory and what Python needs."""
        place = str(self._scratch(order))
        if self._root:
            lockdown.drop_bounding_set()
            lockdown.become_user(self.user(order))
            # A change of user has cleared it; without it the process's own /proc belongs to root.
            lockdown.prctl(lockdown.PR_SET_DUMPABLE, 1)
        lockdown.die_with_parent(signal.SIGKILL)
        scratch.furnish_scratch(place, order.files, order.contents)
        enclosures.limit_submission(order, others=self._others)
        lockdown.drop_capabilities()
        landlock.confine_files(
            self._readable, [place, *(f"/dev/{device}" for device in smallroot.DEVICES)]
        )
        seccomp.install_filter(self._filter)

    def kill(self, first: int) -> None:
        """Kill the tree of processes from the leaves, then the one that adopts orphans."""
        processes.kill_descendants(first)
        with suppress(ProcessLookupError):
            os.kill(first, signal.SIGKILL)

    def tree(self, first: int) -> list[int]:
        """Return what descends from the first process, which is not the student's."""
        return processes.list_descendants(first)[1:]

    def user(self, order: Order) -> int:
        """Return the submission's user id."""
        return (
            enclosures.spare_user(self._owner, order.slot, self._uid_map)
            if self._root
            else os.getuid()
        )

    def disk_usage(self, order: Order, tree: list[int]) -> tuple[int, int]:
        """Return bytes and files in the scratch directory, and bytes of deleted files that are
        still open.
        """
        size, count = scratch.measure_scratch(
            str(self._scratch(order)), order.limits.inodes + order.own_files
        )
        return size + processes.measure_deleted_files(tree), count

    def clear(self, order: Order) -> None:
        """Remove the scratch directory."""
        with suppress(FileNotFoundError):
            scratch.remove_scratch(str(self._scratch(order)))

    def leave(self) -> None:
        """Remove the directory of all scratch directories."""
        with suppress(OSError):
            self._base.rmdir()

    def _scratch(self, order: Order) -> Path:
        return self._base / str(order.slot)


def _wait_for(student: int) -> NoReturn:
    """Collect ended children until the student's process has ended, then kill those that are
    left.
    """
    # It holds nothing of the conversation: only the student's process speaks.
    lockdown.close_descriptors()
    ended = 0
    while ended != student:
        ended, _ = os.wait()
    processes.kill_descendants(os.getpid())
    os._exit(0)


def _end_submission(number: int, frame: FrameType | None) -> None:
    """End everything below the first process when the zygote has ended."""
    processes.kill_descendants(os.getpid())
    os._exit(0)


def _remove_abandoned(directory: Path) -> None:
    """Remove scratch directories whose zygote was killed before it could."""
    for base in directory.glob(f"{PREFIX}*-*"):
        owner = base.name.removeprefix(PREFIX).split("-")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            # It may be somebody else's.
            with suppress(OSError):
                scratch.remove_scratch(str(base))
