"""Processes that grade, one per core: each has an examiner, and all have their jails forked from
one warm process.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

from autograder.course.errors import AutograderError, NoJail
from autograder.course.exam import Exam
from autograder.course.lasting_imports import import_to_stay
from autograder.grader.needed_modules import list_needed_modules
from autograder.jail import Jail, lockdown
from autograder.jail.launch import SharedJail

if TYPE_CHECKING:  # it is loaded where it is needed: by the processes that grade
    from autograder.grader.examiner import Examiner


@dataclass(frozen=True)
class WorkerDesk:
    """What a process that grades has before it: its examiner, and the exams by assignment."""

    examiner: Examiner
    exams: Mapping[str, Exam]


class Workers:
    """Processes that grade; to be closed, also where they were given no jail.

    Parameters
    ----------
    count : int
        How many.
    exams : mapping of str to Exam
        The assignments by name. Each process prepares them all before its first task.

    Attributes
    ----------
    count : int
        How many there are.
    """

    def __init__(self, count: int, exams: Mapping[str, Exam]) -> None:
        self.count = count
        # On it each of them waits for the way to the jail.
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid() if _is_lasting() else None
        self._pool = ProcessPoolExecutor(
            count,
            mp_context=multiprocessing.get_context(_choose_start_method(count)),
            initializer=_sit_down,
            initargs=(self._theirs, exams, parent),
        )

    def get_ready(self) -> None:
        """Start the processes: they import what grades, and prepare the exams, while a jail's warm
        process imports what notebooks do.
        """
        # One that is killed is missed when there is something for it to do.
        with suppress(BrokenProcessPool):
            for _ in range(self.count):
                self._pool.submit(_do_nothing)

    def enter(self, jail: Jail) -> ProcessPoolExecutor:
        """Give them the jail; return what takes their tasks, which find their process's desk by
        `current_desk`.

        The jail stays the caller's to close, after these processes have ended.
        """
        shared = jail.share_zygote()
        for _ in range(self.count):
            shared.send(self._ours)
        return self._pool

    def close(self) -> None:
        """Cancel what still waits, and wait for the processes' end."""
        # Not only closed: a forked process has a copy of it, and would wait for the jail for ever.
        with suppress(OSError):
            self._ours.shutdown(socket.SHUT_RDWR)
        self._pool.shutdown(cancel_futures=True)
        self._ours.close()
        self._theirs.close()


@contextmanager
def open_workers(
    count: int, jail: Jail, exams: Mapping[str, Exam]
) -> Iterator[ProcessPoolExecutor]:
    """Start processes that grade in a jail that there is already; see `Workers`."""
    with closing(Workers(count, exams)) as workers:
        yield workers.enter(jail)


def _is_lasting() -> bool:
    """Whether processes that this thread starts may end with it."""
    # "Parent" means the thread, for the kernel: processes of another thread would end with it.
    return threading.current_thread() is threading.main_thread()


def _choose_start_method(count: int) -> str:
    """Return how processes are started: a single one has what is imported here, by a fork.

    That saves a tenth of a second of what one push costs. Many processes are started anew: a fork
    would hold, as long as they live, everything that the command has read.
    """
    # Another thread could hold a lock that the fork would copy. And the kernel has to end the
    # process with this one: holding both ends of its queue, it would wait for ever.
    alone = _is_lasting() and threading.active_count() == 1
    return "fork" if count == 1 and alone else "spawn"


def current_desk() -> WorkerDesk:
    """Return the desk of this process, in a task.

    Raises
    ------
    ExamError
        If a source notebook fails.
    """
    if isinstance(_here[0], AutograderError):
        raise _here[0]
    return _here[0]


# A pool's initializer can hand over what it made, or why it could not, only through the module.
_here: list[WorkerDesk | AutograderError] = []


def _sit_down(place: socket.socket, exams: Mapping[str, Exam], parent: int | None) -> None:
    # A Ctrl-C is the grader's to tell: this process goes silently.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if parent is not None:
        lockdown.die_with_parent(signal.SIGKILL)
        if os.getppid() != parent:  # it was killed a moment ago
            os._exit(1)
    _load_what_grades(exams)
    from autograder.grader.examiner import Examiner
    from autograder.grader.prepared_exams import PreparedExams

    try:
        prepared = PreparedExams()
        for exam in exams.values():
            prepared.prepare(exam)
        shared = SharedJail.receive(place)
        if shared is None:
            raise NoJail("the jail was given up")
        examiner = Examiner(jail=shared.join_zygote(), prepared=prepared)
        Finalize(None, examiner.__exit__, args=(None, None, None), exitpriority=10)
        _here.append(WorkerDesk(examiner, exams))
    except AutograderError as error:
        # An initializer that raises would break the pool without a reason.
        _here.append(error)


def _load_what_grades(exams: Mapping[str, Exam]) -> None:
    """Import what grades, and what the exams import."""
    with import_to_stay():
        importlib.import_module("autograder.grader.examiner")
        # As where a reference is run, and before pyplot: nothing is shown on a screen.
        os.environ.setdefault("MPLBACKEND", "Agg")
        for name in list_needed_modules(exams.values()):
            with suppress(Exception):  # the source notebook's own import will say so
                importlib.import_module(name)


def _do_nothing() -> None:
    """Be a task: a pool starts its processes when it has some."""
