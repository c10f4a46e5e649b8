"""What every rung must be able to do, and what all of them share.

The order of the steps is not free: mounts need the capabilities that a change of identity takes away, a change of
identity forgets the signal that the parent's death sends, and seccomp forbids most of what comes before it.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Protocol

from autograder.course.limits import Limits
from autograder.jail import lockdown, scratch

# Beyond every range that distributions, systemd and container engines hand out.
SPARE_USERS = 0x70000000
PAGE = 4096
# Submissions alive at the same time in one zygote.
SLOTS = 256


@dataclass(frozen=True)
class Order:
    """One submission to shut in.

    Attributes
    ----------
    limits : Limits
        What it may use.
    files : tuple[tuple[str, int], ...]
        Name and size in bytes of each file for its working directory, in the order of `contents`.
    slot : int
        A number below `SLOTS` that no other living submission of the zygote has.
    contents : BinaryIO | None
        The files' bytes, one after the other.
    """

    limits: Limits
    files: tuple[tuple[str, int], ...]
    slot: int
    contents: BinaryIO | None = None

    @property
    def own_bytes(self) -> int:
        """The bytes of its files, which do not count as the student's."""
        # A file takes whole pages; one more for each covers what its last one wastes.
        return sum(size + PAGE for _, size in self.files)

    @property
    def own_files(self) -> int:
        """The number of files and directories which do not count as the student's."""
        count = len(scratch.SCAFFOLD) + 1
        for name, _ in self.files:
            # Its folders, too, as if it shared them with no other.
            count += len(PurePosixPath(name).parts)
        return count


class Enclosure(Protocol):
    """What the zygote asks of a rung."""

    def enter(self) -> None:
        """Leave the machine's namespaces, before anything is imported."""

    def settle(self) -> None:
        """Move to where the jailed processes will live, after everything has been imported."""

    def fork(self) -> int:
        """Fork the first process of a submission, with which all its others end; returns as os.fork
        does.
        """

    def shut_in(self, order: Order) -> None:
        """Shut the first process in; returns in the process that is to run the student's code."""

    def kill(self, first: int) -> None:
        """End every process of a submission, from the zygote."""

    def tree(self, first: int) -> list[int]:
        """Return the processes of a submission that count as the student's."""

    def user(self, order: Order) -> int:
        """Return the user id under which the zygote can look at a submission's processes."""

    def disk_usage(self, order: Order, tree: list[int]) -> tuple[int, int]:
        """Return bytes and files that the processes of a submission keep, zeros where the kernel
        itself counts them.
        """

    def clear(self, order: Order) -> None:
        """Remove what is left of a submission when its processes have ended."""

    def leave(self) -> None:
        """Remove what is left of the zygote's own."""


def spare_user(owner: int, slot: int, uid_map: str) -> int:
    """Return a user id that belongs to nobody, different for every living submission of the
    machine.

    Parameters
    ----------
    owner : int
        The process id of the grader's zygote.
    slot : int
        The submission's number within it, below `SLOTS`.
    uid_map : str
        The text of /proc/self/uid_map: which user ids exist here; in some containers few do.

    Raises
    ------
    OSError
        If there is hardly any id but root's.
    """
    wanted = owner * SLOTS + slot
    largest = range(0)
    for line in uid_map.splitlines():
        first, _, count = map(int, line.split())
        extent = range(first, first + count)
        if SPARE_USERS in extent and SPARE_USERS + wanted in extent:
            return SPARE_USERS + wanted
        largest = max(largest, extent, key=len)
    first = largest.start
    count = len(largest)
    if count < 2 * SLOTS:
        raise OSError("this container has no user ids to give to submissions")
    # The upper half: a container gives out its lower ids.
    return first + count // 2 + wanted % (count // 2)


def limit_submission(order: Order, *, others: int = 0) -> None:
    """Set the kernel's limits of this process, the first line before those of the whole submission.

    `others` is room for processes that are not the submission's but run under the same user id.
    """
    limits = order.limits
    lockdown.limit_process(
        cpu_seconds=int(limits.seconds) + 1,
        # What the zygote has mapped counts for the kernel, but is not the student's.
        address_space=lockdown.measure_address_space() + (limits.memory_mb << 20),
        file_bytes=(limits.disk_mb << 20) + order.own_bytes,
        processes=limits.processes + others,
    )


def reset_signals() -> None:
    """Undo what the zygote and Python have set: an ordinary process ends when told to."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
