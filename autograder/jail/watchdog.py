"""Limits that the kernel does not keep by itself, and the sentence for a student whose notebook exceeded one."""

from __future__ import annotations

from autograder.jail import lockdown, processes
from autograder.jail.limits import Limits

TOO_LONG = "The notebook ran for more than {:g} seconds in all and was stopped."
TOO_MUCH_MEMORY = "The notebook used more than {} MB of memory and was stopped."
TOO_MANY_PROCESSES = "The notebook started more than {} processes and was stopped."
TOO_MUCH_DISK = "The notebook wrote more than {} MB of files and was stopped."
TOO_MANY_FILES = "The notebook made more than {} files and was stopped."


def too_much_memory(first: int, user: int, limits: Limits) -> str | None:
    """Return a sentence when the processes from `first` on use more memory or processes than allowed.

    Parameters
    ----------
    first
        The submission's first process.
    user
        The user id under which the kernel lets its memory be looked at.
    limits
        What is allowed.
    """
    tree = processes.descendants(first)
    if processes.threads(tree) > limits.processes + 1:  # the first is not the student's
        return TOO_MANY_PROCESSES.format(limits.processes)
    allowed = limits.memory_mb << 20
    lockdown.act_on_files_as(user)
    try:
        used = processes.memory(tree[1:], allowed)
    finally:
        lockdown.act_on_files_as(0)
    return TOO_MUCH_MEMORY.format(limits.memory_mb) if used > allowed else None


def too_much_disk(used: tuple[int, int], limits: Limits, shipped: tuple[int, int]) -> str | None:
    """Return a sentence when a scratch directory holds more than allowed, beyond the files shipped in it."""
    if used[0] > (limits.disk_mb << 20) + shipped[0]:
        return TOO_MUCH_DISK.format(limits.disk_mb)
    if used[1] > limits.inodes + shipped[1]:
        return TOO_MANY_FILES.format(limits.inodes)
    return None
