"""Rungs 1 and 2: a small root directory, and for every submission processes, mounts and an identity
of its own.

Rung 1 takes root and gives each submission a spare user id. Rung 2 takes no privilege: the zygote is root of a user
namespace only, and each submission an ordinary user of a namespace within that one.
"""

from __future__ import annotations

import os
import select
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from autograder.jail import enclosures, lockdown, processes, scratch, seccomp
from autograder.jail import small_root as smallroot
from autograder.jail.enclosures import Order

INNER_ROOT = 0
INNER_STUDENT = 1000
PROC_FLAGS = lockdown.MS_NOSUID | lockdown.MS_NODEV | lockdown.MS_NOEXEC


class Namespaces:
    """The enclosure of rungs 1 and 2."""

    def __init__(self, *, privileged: bool) -> None:
        """Make ready for rung 1 (`privileged`) or 2."""
        self._privileged = privileged
        self._filter = seccomp.compile_filter(shared_files=False)
        self._owner = os.getpid()
        self._uid_map = Path("/proc/self/uid_map").read_text("ascii")
        self._own_processes = -1

    def enter(self) -> None:
        """Become the first process of new namespaces; the old process stays behind, waiting."""
        if not self._privileged:
            lockdown.enter_user_namespace(INNER_ROOT)
        lockdown.unshare(lockdown.CLONE_NEWNS | lockdown.CLONE_NEWPID)
        parent = os.getppid()
        inside = os.fork()
        if inside:
            _wait_outside(inside, parent)
        lockdown.die_with_parent(signal.SIGTERM)

    def settle(self) -> None:
        """Build the small root directory and move into it."""
        base = Path(tempfile.mkdtemp(prefix="autograder-root-"))
        # Kept open: after the change of root the mount point can be removed only through it.
        above = os.open(base.parent, os.O_RDONLY | os.O_DIRECTORY)
        smallroot.build_root(str(base), smallroot.list_needed_paths())
        lockdown.mount("proc", f"{base}/proc", "proc", PROC_FLAGS)
        lockdown.change_root(str(base))
        # Submissions share it: nobody may leave anything there.
        lockdown.make_read_only("/", recursive=False)
        os.rmdir(base.name, dir_fd=above)
        os.close(above)
        # To come back to: after a fork this process makes children in the submission's namespace.
        self._own_processes = os.open("/proc/self/ns/pid", os.O_RDONLY)

    def fork(self) -> int:
        """Fork into a new process namespace; the parent stays in the old one."""
        lockdown.unshare(lockdown.CLONE_NEWPID)
        try:
            process = os.fork()
        except OSError:
            # Else the next submission would be forked into the namespace that was not used.
            lockdown.enter_namespace(self._own_processes, lockdown.CLONE_NEWPID)
            raise
        if process:
            lockdown.enter_namespace(self._own_processes, lockdown.CLONE_NEWPID)
        return process

    def shut_in(self, order: Order) -> None:
        """Give the process its own mounts, network and identity, and take everything else away."""
        lockdown.unshare(
            lockdown.CLONE_NEWNS
            | lockdown.CLONE_NEWIPC
            | lockdown.CLONE_NEWUTS
            | lockdown.CLONE_NEWNET
        )
        # Mounts take capabilities over the outer user namespace, which the next step leaves.
        self._mount(order)
        if not self._privileged:
            lockdown.enter_user_namespace(INNER_STUDENT)
        # While it is still privileged: afterwards nobody may.
        lockdown.drop_bounding_set()
        if self._privileged:
            lockdown.become_user(self.user(order))
        # A change of user has cleared it; without it the process's own /proc belongs to root.
        lockdown.prctl(lockdown.PR_SET_DUMPABLE, 1)
        # Once more: the change of user has cancelled it.
        lockdown.die_with_parent(signal.SIGKILL)
        # As the student's user, who is to own the files.
        scratch.furnish_scratch(smallroot.SCRATCH, order.files, order.contents)
        enclosures.limit_submission(order)
        lockdown.drop_capabilities()
        seccomp.install_filter(self._filter)

    def _mount(self, order: Order) -> None:
        """Mount the submission's own /proc in place of the zygote's, and its scratch directory."""
        # Mounted aside first: the kernel wants a /proc to be seen while it makes another.
        lockdown.mount("proc", smallroot.SCRATCH, "proc", PROC_FLAGS, "subset=pid,hidepid=2")
        lockdown.unmount("/proc")
        lockdown.mount(smallroot.SCRATCH, "/proc", None, lockdown.MS_MOVE)
        size = (order.limits.disk_mb << 20) + order.own_bytes
        options = f"size={size},nr_inodes={order.limits.inodes + order.own_files},mode=700"
        if self._privileged:
            options += f",uid={self.user(order)},gid={self.user(order)}"
        lockdown.mount(
            "tmpfs", smallroot.SCRATCH, "tmpfs", lockdown.MS_NOSUID | lockdown.MS_NODEV, options
        )

    def kill(self, first: int) -> None:
        """Kill the first process of the namespace, and with it all others."""
        with suppress(ProcessLookupError):
            os.kill(first, signal.SIGKILL)

    def tree(self, first: int) -> list[int]:
        """Return all processes of the namespace."""
        return processes.list_descendants(first)

    def user(self, order: Order) -> int:
        """Return the submission's user id in the zygote's eyes."""
        return (
            enclosures.spare_user(self._owner, order.slot, self._uid_map)
            if self._privileged
            else INNER_ROOT
        )

    def disk_usage(self, order: Order, tree: list[int]) -> tuple[int, int]:
        """Return zeros: the scratch directory is a file system of limited size."""
        return 0, 0

    def clear(self, order: Order) -> None:
        """Nothing is left: the mounts have gone with the last process."""

    def leave(self) -> None:
        """Nothing is left."""


def _wait_outside(inside: int, parent: int) -> NoReturn:
    """Wait for the zygote in the old namespaces; end with it, or with the grader."""
    # Its copy of the socket would hide from the grader that the zygote has hung up.
    lockdown.close_descriptors()
    ended = os.pidfd_open(inside)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    while not poll.poll(1000):
        if os.getppid() != parent:
            # The grader was killed: the zygote, in namespaces of its own, does not learn of it.
            os.kill(inside, signal.SIGTERM)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(inside, 0)[1]) & 0xFF)
