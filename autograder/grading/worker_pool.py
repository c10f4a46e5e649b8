"""Processes that grade, one per core: each has an examiner, and all have their jails forked from
one warm process.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

from autograder.course.errors import AutograderError
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


@contextmanager
def open_workers(
    count: int, jail: Jail, exams: Mapping[str, Exam]
) -> Iterator[ProcessPoolExecutor]:
    """Start processes that grade; what is still waiting when the block is left is cancelled.

    Parameters
    ----------
    count : int
        How many.
    jail : Jail
        Where their jails come from, and their limits. It stays the caller's to close, after the
        block.
    exams : mapping of str to Exam
        The assignments by name. Each process prepares them all before its first task.

    Yields
    ------
    ProcessPoolExecutor
        Its tasks find their process's desk by `desk()`.
    """
    lasting = _is_lasting()
    context = multiprocessing.get_context(_choose_start_method(count))
    setting = (jail.share_zygote(), exams, os.getpid() if lasting else None)
    with ProcessPoolExecutor(
        count, mp_context=context, initializer=_sit_down, initargs=setting
    ) as pool:
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


def load_for_fork(count: int, exams: Mapping[str, Exam]) -> None:
    """Import what grades, and what the exams import, if `open_workers` will fork its process from
    this one: for the time in which a jail's warm process imports the same.
    """
    if _choose_start_method(count) != "fork":
        return
    with import_to_stay():
        importlib.import_module("autograder.grader.examiner")
        # As where a reference is run, and before pyplot: nothing is shown on a screen.
        os.environ.setdefault("MPLBACKEND", "Agg")
        for name in list_needed_modules(exams.values()):
            with suppress(Exception):  # the source notebook's own import will say so
                importlib.import_module(name)


def _is_lasting() -> bool:
    """Whether processes that this thread starts may end with it."""
    # "Parent" means the thread, for the kernel: processes of another thread would end with it.
    return threading.current_thread() is threading.main_thread()


def _choose_start_method(count: int) -> str:
    """Return how processes are started: a single one has what is imported here, by a fork.

    That saves what importing it again takes, a good part of what one push costs. Many processes
    are started anew: a fork would hold, as long as they live, everything that the command has read.
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


def _sit_down(jail: SharedJail, exams: Mapping[str, Exam], parent: int | None) -> None:
    # A Ctrl-C is the grader's to tell: this process goes silently.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from autograder.grader.examiner import Examiner

    if parent is not None:
        lockdown.die_with_parent(signal.SIGKILL)
        if os.getppid() != parent:  # it was killed a moment ago
            os._exit(1)
    try:
        examiner = Examiner(jail=jail.join_zygote())
        Finalize(None, examiner.__exit__, args=(None, None, None), exitpriority=10)
        for exam in exams.values():
            examiner.prepare(exam)
        _here.append(WorkerDesk(examiner, exams))
    except AutograderError as error:
        # An initializer that raises would break the pool without a reason.
        _here.append(error)
