"""Limits that the kernel does not keep by itself, and the sentence for a student whose notebook
exceeded one.
"""

from __future__ import annotations

from autograder.jail import lockdown, processes
from autograder.jail.enclosures import Enclosure, Order

TOO_LONG = "The notebook ran for more than {:g} seconds in all and was stopped."
TOO_MUCH_MEMORY = "The notebook used more than {} MB of memory and was stopped."
TOO_MANY_PROCESSES = "The notebook started more than {} processes and was stopped."
TOO_MUCH_DISK = "The notebook wrote more than {} MB of files and was stopped."
TOO_MANY_FILES = "The notebook made more than {} files and was stopped."


def find_excess(enclosure: Enclosure, order: Order, first: int, *, at_disk: bool) -> str | None:
    """Return a sentence when a submission uses more memory, processes or disk than allowed.

    Parameters
    ----------
    enclosure : Enclosure
        Its rung's.
    order : Order
        What was ordered for it.
    first : int
        Its first process.
    at_disk : bool
        Whether to look at the disk too, which takes longer.
    """
    limits = order.limits
    tree = enclosure.tree(first)
    if processes.count_threads(tree) > limits.processes:
        return TOO_MANY_PROCESSES.format(limits.processes)
    # What /proc tells of a process it tells to that process's own user.
    lockdown.act_on_files_as(enclosure.user(order))
    try:
        memory = processes.measure_memory(tree, limits.memory_mb << 20)
        size, files = enclosure.disk_usage(order, tree) if at_disk else (0, 0)
    finally:
        lockdown.act_on_files_as(0)
    if memory > limits.memory_mb << 20:
        return TOO_MUCH_MEMORY.format(limits.memory_mb)
    if size > (limits.disk_mb << 20) + order.own_bytes:
        return TOO_MUCH_DISK.format(limits.disk_mb)
    return TOO_MANY_FILES.format(limits.inodes) if files > limits.inodes + order.own_files else None
