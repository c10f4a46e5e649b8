"""Many submissions graded: what is missing in the record, worked off by one process per core.

A task is a submission's bytes and an exam; its result is a report. Equal notebooks are graded once, graded ones
never again while exam and notebook stay as they are. Each result is in the ledger before the next is asked for, so
a run that is killed continues where it was.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from autograder.course.configuration import Course
from autograder.course.errors import (
    AutograderError,
    DiskFailed,
    ExamError,
    RemoteFailed,
    describe_error,
)
from autograder.course.exam import Exam
from autograder.course.lasting_imports import import_to_stay
from autograder.course.submissions import Submission
from autograder.course.whole_files import write_whole
from autograder.git.student_stores import open_fork
from autograder.grader.examined_notebooks import ExaminedNotebook
from autograder.grader.needed_modules import list_needed_modules
from autograder.grading.finished_tasks import (
    FinishedTask,
    is_overloaded,
    make_failed,
    record_report,
)
from autograder.grading.oversized_notebooks import is_too_large, report_too_large
from autograder.grading.worker_pool import Workers, current_desk
from autograder.jail import Jail
from autograder.record.open_tasks import GradingTask, keep_asked_exams, outputs_path

# A pool whose process was killed is replaced; the last round has one process, so only the culprit
# fails
ROUNDS = 3
AHEAD = 4  # tasks under way for each process, so that none waits for the next one


def grade_tasks(
    course: Course,
    exams: Mapping[str, Exam],
    tasks: Sequence[GradingTask],
    restore: Callable[[GradingTask], bytes] | None = None,
    meanwhile: Sequence[Callable[[], object]] = (),
) -> Iterator[FinishedTask]:
    """Grade the tasks, many at once, and yield each as it is done and in the ledger.

    What a limit of time decided while this machine had more to do than it can do at once is graded
    once more, alone, after the others, and only that counts.

    Parameters
    ----------
    restore : callable, optional
        Brings a notebook back into the student's store, from wherever it still is; it raises
        `RemoteFailed` if that is nowhere. See `autograder.collecting.lost_notebooks`.
    meanwhile : sequence of callable
        Steps towards what the caller will do afterwards: taken while there is nothing to do here,
        as far as there is time for them. One that fails is the caller's to find out.

    Raises
    ------
    NoJail
        If this machine has no jail: then nothing is graded.
    ExamError
        If a source notebook fails.
    """
    left = _TasksLeft(list(tasks))
    if not left.tasks:
        return
    most = course.workers or os.cpu_count() or 1
    # Only what is graded: preparing an exam runs its source notebook.
    wanted = keep_asked_exams(exams, tasks)
    modules = list_needed_modules(wanted.values())
    single = len(left.tasks) == 1
    with closing(Workers(min(most, len(left.tasks)), wanted)) as workers:
        steps = _get_ready_in_steps(workers, meanwhile)
        with Jail(course.limits, modules=modules, single=single, meanwhile=steps) as jail:
            yield from _grade_in(workers, jail, course, left, steps)
            for number in range(1, ROUNDS):
                if left.tasks:
                    count = 1 if number == ROUNDS - 1 else min(most, len(left.tasks))
                    workers = Workers(count, wanted)
                    yield from _grade_in(workers, jail, course, left, steps)
            # By one process, with nothing else of ours beside it: now the clock says something.
            again = _TasksLeft([*left.doubtful], final=True)
            for task, failed in left.missing:
                try:
                    _bring_back(task, failed, restore)
                except (AutograderError, OSError) as error:
                    yield make_failed(task, describe_error(error))
                else:
                    again.tasks.append(task)
            if again.tasks:
                yield from _grade_in(Workers(1, wanted), jail, course, again, steps)
    for task in (*left.tasks, *again.tasks):
        yield make_failed(task, "its grading process died; see the system log")


def _get_ready_in_steps(
    workers: Workers, meanwhile: Sequence[Callable[[], object]]
) -> Iterator[None]:
    """Get the processes that grade ready, then go on with the caller's steps; whoever waits for
    another process takes a step.
    """
    workers.get_ready()
    yield
    for take_step in meanwhile:
        # Whoever needs it says what is wrong with it.
        with suppress(Exception), import_to_stay():
            take_step()
        yield


@dataclass
class _TasksLeft:
    """What is left to do.

    Attributes
    ----------
    tasks : list of GradingTask
        To begin, or whose process died.
    doubtful : list of GradingTask
        Those that the clock decided.
    missing : list
        Those without a notebook, each with what was said of it.
    final : bool
        Whether nothing is put off any more.
    """

    tasks: list[GradingTask]
    doubtful: list[GradingTask] = field(default_factory=list)
    missing: list[tuple[GradingTask, RemoteFailed]] = field(default_factory=list)
    final: bool = False


def _bring_back(
    task: GradingTask, failed: RemoteFailed, restore: Callable[[GradingTask], bytes] | None
) -> None:
    if restore is None:
        raise failed
    restore(task)


def _grade_in(
    workers: Workers, jail: Jail, course: Course, left: _TasksLeft, steps: Iterator[None]
) -> Iterator[FinishedTask]:
    """Have workers grade what is left in a jail, and end them; what has to be done once more stays
    in `left`.

    While nothing has come back, `steps` are taken.
    """
    under_way: dict[Future[ExaminedNotebook], GradingTask] = {}
    tasks = deque(left.tasks)
    left.tasks = []
    with closing(workers):
        pool = workers.enter(jail)
        # A few at a time, each forgotten when it is in the ledger: what came back, with all its
        # outputs, would fill the memory where writing it down is slower than grading.
        while tasks or under_way:
            while tasks and len(under_way) < AHEAD * workers.count:
                task = tasks.popleft()
                try:
                    under_way[pool.submit(_examine_task, course, task)] = task
                except BrokenProcessPool:
                    left.tasks.append(task)
            for _ in steps:
                if any(future.done() for future in under_way):
                    break
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                finished = _receive_result(course, left, under_way.pop(future), future)
                if finished is not None:
                    yield finished


def _receive_result(
    course: Course, left: _TasksLeft, task: GradingTask, future: Future[ExaminedNotebook]
) -> FinishedTask | None:
    """Return what became of a task; nothing where it is to be done once more."""
    try:
        examined = future.result()
    except BrokenProcessPool:
        left.tasks.append(task)
        return None
    except ExamError:  # nothing can be graded
        raise
    except Exception as error:
        # This one cannot be graded: its store was lost, its jail could not be made.
        if isinstance(error, RemoteFailed) and not left.final:
            left.missing.append((task, error))
            return None
        return make_failed(task, describe_error(error))
    if examined.by_clock and not left.final and is_overloaded():
        left.doubtful.append(task)
        return None
    return _record_examined(course, task, examined)


def _record_examined(course: Course, task: GradingTask, examined: ExaminedNotebook) -> FinishedTask:
    failed = []
    try:  # before the report, with which nobody would run it again
        _keep_outputs(outputs_path(course, task.assignment, task.file.blob), examined)
    except DiskFailed as error:  # the formgrader shows it without what it gave
        about = f"{task.student.id}, {task.assignment}"
        failed.append(f"{about}: graded, outputs not kept: {error}")
    failed += record_report(course, task, examined.report)
    return FinishedTask(task, examined.report, "; ".join(failed))


def _keep_outputs(path: Path, examined: ExaminedNotebook) -> None:
    write_whole(path, json.dumps(examined.cells).encode(), "outputs")


# ---------------------------------------------------------------------------------------------- in a worker process


def _examine_task(course: Course, task: GradingTask) -> ExaminedNotebook:
    here = current_desk()
    exam = here.exams[task.assignment]
    if is_too_large(course, task):
        return ExaminedNotebook(report_too_large(course, exam, task), ())
    content = open_fork(course, task.student).read(task.file.blob)
    return here.examiner.examine(exam, Submission(task.assignment, task.file.path, content))
