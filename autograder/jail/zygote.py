"""The zygote: a warm process that has imported everything, and forks and shuts in a child for every
submission.

It gets orders on a socket from `autograder.jail.launch`, one datagram each, with the sockets that belong to the
submission: one leads from the jailed process to whoever runs the notebook, the other, the leash, from the zygote to
whoever ordered it. On the leash the zygote says that the jail is ready, has failed, or that a limit was exceeded; a
word in the other direction, or its closing, ends the submission. When the zygote closes it, everything is gone.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn

from autograder.course.limits import CLOCK_FACTOR, Limits
from autograder.jail import control_groups as cgroups
from autograder.jail import enclosures, lockdown, processes, watchdog
from autograder.jail import self_check as selfcheck
from autograder.jail.enclosures import Enclosure, Order
from autograder.jail.font_lists import lay_out_font_lists
from autograder.jail.landlock_rung import Landlocked
from autograder.jail.namespace_rungs import Namespaces

# Seconds between two looks at the submissions.
TICK = 0.05
IDLE_TICK = 1.0
# Seconds by the clock after which the trusted side should have said so itself.
LATER = 2.0
# Ticks: half a second more of a limit's minutes harms nobody.
PROCESSOR_EVERY = 10
# Ticks: it means walking through a directory.
DISK_EVERY = 5
DATAGRAM = 1 << 20
MOST_DESCRIPTORS = 3
# What notebooks import of ours.
COURSE_MODULES = (
    "autograder.checks",
    "autograder.figures",
    "autograder.graphs",
    "autograder.predictions",
)
# The others import matplotlib.
PLAIN_MODULES = COURSE_MODULES[:1]


@dataclass
class LivingSubmission:
    """A living submission, as the zygote sees it."""

    order: Order
    first: int
    # The pidfd of the first process.
    ended: int
    leash: socket.socket
    deadline: float
    group: cgroups.Group | None
    looks: int = 0
    condemned: bool = False

    def exceeded(self, enclosure: Enclosure) -> str | None:
        """Return a sentence when a limit is exceeded."""
        self.looks += 1
        limits = self.order.limits
        if time.monotonic() > self.deadline:
            return watchdog.TOO_LONG.format(limits.seconds)
        if self.looks % PROCESSOR_EVERY == 0:
            used = processes.measure_processor_time(enclosure.tree(self.first))
            if used > limits.seconds:
                return watchdog.TOO_LONG.format(limits.seconds)
        if self.group is not None:
            return (
                watchdog.TOO_MUCH_MEMORY.format(limits.memory_mb)
                if self.group.out_of_memory()
                else None
            )
        return watchdog.find_excess(
            enclosure, self.order, self.first, at_disk=self.looks % DISK_EVERY == 0
        )


class Zygote:
    """The loop that forks, watches and ends submissions."""

    def __init__(
        self,
        control: socket.socket,
        enclosure: Enclosure,
        hierarchies: tuple[cgroups.Hierarchy, ...],
    ):
        """Take orders from `control`; `shell`, what the worker warms up, is set later."""
        self.control = control
        self.enclosure = enclosure
        self.hierarchies = hierarchies
        self.shell: Any = None
        self.submissions: dict[int, LivingSubmission] = {}
        # Ended, but the kernel still holds the group.
        self.forsaken: list[cgroups.Group] = []
        self.owner = os.getpid()
        self.parent = os.getppid()
        self.count = 0

    def serve(self) -> None:
        """Serve until the trusted side hangs up."""
        while os.getppid() == self.parent:
            poll = select.poll()
            poll.register(self.control, select.POLLIN)
            for submission in self.submissions.values():
                poll.register(submission.ended, select.POLLIN)
                poll.register(submission.leash, select.POLLIN)
            wait = TICK if self.submissions or self.forsaken else IDLE_TICK
            ready = {descriptor for descriptor, _ in poll.poll(wait * 1000)}
            for slot, submission in list(self.submissions.items()):
                self._attend(slot, submission, ready)
            self._remove_forsaken()
            if self.control.fileno() in ready and not self._take_order():
                return

    def close(self) -> None:
        """End all submissions and remove what is left of them."""
        for submission in self.submissions.values():
            self.enclosure.kill(submission.first)
        for slot, submission in list(self.submissions.items()):
            self._bury(slot, submission)
        deadline = time.monotonic() + 2
        while self.forsaken and time.monotonic() < deadline:
            self._remove_forsaken()
            time.sleep(0.005)
        self.enclosure.leave()

    def _remove_forsaken(self) -> None:
        # One that still has a dying process in it is tried again at the next tick.
        self.forsaken = [group for group in self.forsaken if not group.remove()]

    def _attend(self, slot: int, submission: LivingSubmission, ready: set[int]) -> None:
        if submission.ended in ready:
            self._bury(slot, submission)
        # A word or a hang-up: either way whoever ordered it is done.
        elif submission.leash.fileno() in ready:
            self.enclosure.kill(submission.first)
            self._bury(slot, submission)
        elif not submission.condemned and (sentence := submission.exceeded(self.enclosure)):
            _tell(submission.leash, exceeded=sentence)
            submission.condemned = True
            self.enclosure.kill(submission.first)

    def _bury(self, slot: int, submission: LivingSubmission) -> None:
        """Wait for a submission's last process and remove what it leaves; then, and only then, let
        go of the leash.
        """
        # Its number stays its own until here, so that no kill can hit another process.
        os.waitpid(submission.first, 0)
        os.close(submission.ended)
        if submission.group is not None:
            # The kernel may have killed it between two looks; the group knows.
            if submission.group.out_of_memory() and not submission.condemned:
                _tell(
                    submission.leash,
                    exceeded=watchdog.TOO_MUCH_MEMORY.format(submission.order.limits.memory_mb),
                )
            if not submission.group.remove():
                self.forsaken.append(submission.group)
        self.enclosure.clear(submission.order)
        submission.leash.close()
        del self.submissions[slot]

    def _take_order(self) -> bool:
        """Take one order from the trusted side; returns False when it has hung up."""
        data, descriptors, _, _ = socket.recv_fds(self.control, DATAGRAM, MOST_DESCRIPTORS)
        if not data:
            return False
        wire, leash_descriptor, *contents = descriptors
        leash = socket.socket(fileno=leash_descriptor)
        try:
            order, test = self._read_order(
                json.loads(data), os.fdopen(contents[0], "rb") if contents else None
            )
            self._start(order, wire, leash, test)
        except OSError as error:
            _tell(leash, failed=str(error))
            leash.close()
        os.close(wire)
        return True

    def _read_order(
        self, message: dict[str, Any], contents: BinaryIO | None
    ) -> tuple[Order, str | None]:
        free = set(range(enclosures.SLOTS)) - self.submissions.keys()
        if not free:
            raise OSError(f"more than {enclosures.SLOTS} submissions at the same time")
        files = tuple((str(name), int(size)) for name, size in message["files"])
        return Order(Limits(**message["limits"]), files, min(free), contents), message["test"]

    def _start(self, order: Order, wire: int, leash: socket.socket, test: str | None) -> None:
        """Fork a submission's first process and begin to watch it."""
        self.count += 1
        group = (
            cgroups.create_group(self.hierarchies, self.owner, self.count, order.limits)
            if self.hierarchies
            else None
        )
        entrances = group.entrances() if group else []
        # The group is there before: nothing of a submission runs outside of one.
        first = self.enclosure.fork()
        if not first:
            self._live(order, wire, leash, entrances, test)
        for entrance in entrances:
            os.close(entrance)
        if order.contents is not None:
            order.contents.close()
        deadline = time.monotonic() + CLOCK_FACTOR * order.limits.seconds + LATER
        self.submissions[order.slot] = LivingSubmission(
            order, first, os.pidfd_open(first), leash, deadline, group
        )

    def _live(
        self, order: Order, wire: int, leash: socket.socket, entrances: list[int], test: str | None
    ) -> NoReturn:
        """Be a submission, from the fork to the end."""
        try:
            enclosures.reset_signals()
            lockdown.die_with_parent(signal.SIGKILL)
            os.setsid()
            # Before anything is locked: the files of the groups are out of sight afterwards.
            for entrance in entrances:
                os.write(entrance, b"0")
            contents = [] if order.contents is None else [order.contents.fileno()]
            lockdown.close_descriptors(wire, leash.fileno(), *contents)
            self.enclosure.shut_in(order)
            _tell(leash, ready=True)
            leash.close()
            lockdown.close_descriptors(wire)
            self._work(wire, order.limits, test)
        except BaseException as error:
            _tell(leash, failed=f"{type(error).__name__}: {error}")
        finally:
            # Never back into the zygote's loop, whatever happened.
            os._exit(70)

    def _work(self, wire: int, limits: Limits, test: str | None) -> NoReturn:
        """Run the student's notebook, or the check of the jail itself."""
        enclosures.reset_signals()
        # As in a notebook, where an interruption is a KeyboardInterrupt.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if test is not None:
            selfcheck.report_open_doors(wire, test)
        from autograder.kernel import worker

        worker.serve_kernel(wire, self.shell, limits)


def _tell(leash: socket.socket, **words: object) -> None:
    with suppress(OSError):
        leash.send(json.dumps(words).encode())


def warm_worker(control: socket.socket, modules: list[str] | None, *, single: bool) -> object:
    """Import what notebooks import, these modules where they are known, and what runs them; return
    the shell.
    """
    # matplotlib and IPython insist on a home to write to.
    with tempfile.TemporaryDirectory(prefix="autograder-home-") as home:
        _, (font_lists,), _, _ = socket.recv_fds(control, DATAGRAM, 1)
        lay_out_font_lists(os.fdopen(font_lists, "rb"), home)
        os.environ.update(HOME=home, MPLCONFIGDIR=home, IPYTHONDIR=home)
        from autograder.kernel import worker

        plain = modules is not None and set(modules).isdisjoint(COURSE_MODULES[1:])
        for course_module in PLAIN_MODULES if plain else COURSE_MODULES:
            # A course may go without.
            with suppress(ImportError):
                __import__(course_module)
        return worker.warm_up(modules, draw=not single)


def main() -> NoReturn:
    """Run the zygote: socket on file descriptor 0, options as JSON in the first argument."""
    control = socket.socket(fileno=os.dup(0))
    options = json.loads(sys.argv[1])
    # Only if the grader's main thread started it: see `Keeper`.
    if options["dies_with_parent"]:
        lockdown.die_with_parent(signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    try:
        enclosure: Enclosure = (
            Landlocked() if options["rung"] == 3 else Namespaces(privileged=options["rung"] == 1)
        )
        hierarchies = cgroups.find_hierarchies() if options["rung"] == 1 else ()
        cgroups.remove_abandoned_groups(hierarchies)
        zygote = Zygote(control, enclosure, hierarchies)
        # Before imports, which may start threads: namespaces take a process with one.
        enclosure.enter()
        zygote.parent = os.getppid()
        if options["warm"]:
            modules = options["modules"]
            zygote.shell = warm_worker(control, modules, single=options["single"])
        # After them: what they read is out of sight from here on.
        enclosure.settle()
    except (OSError, ImportError) as error:
        _tell(control, failed=str(error))
        os._exit(1)
    # Frozen, they are never looked at again: the collector would write to every page it looks at,
    # and a fork would copy them.
    gc.collect()
    gc.freeze()
    # It takes as long as it saves in five forks.
    if options["warm"] and not options["single"]:
        # Last: what is allocated later is not gathered.
        lockdown.gather_memory()
    _tell(control, ready=True)
    try:
        zygote.serve()
    finally:
        zygote.close()
        os._exit(0)
