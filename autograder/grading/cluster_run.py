"""Many submissions graded by many machines: a Dask cluster does the work, and this process keeps
the record.

Each notebook travels as bytes and comes back as a report in JSON, which is held against its exam like a stranger's.
Only some notebooks are under way at a time, so memory stays flat however many wait. A worker that dies loses what it
had in hand, and the scheduler gives that to another one. What has come back is in the ledger: when the scheduler
itself is lost, the next run does the rest.
"""

from __future__ import annotations

import json
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, field

from distributed import Client, Future, wait
from distributed.scheduler import KilledWorker

from autograder.course.configuration import Course
from autograder.course.errors import AutograderError, RemoteFailed, describe_error
from autograder.course.exam import Exam
from autograder.course.reports import Report
from autograder.grading.cluster_worker import GradingPlugin, grade_bytes
from autograder.grading.finished_tasks import (
    FinishedTask,
    make_failed,
    record_report,
)
from autograder.grading.oversized_notebooks import is_too_large, report_too_large
from autograder.grading.returned_reports import check_report
from autograder.record.open_tasks import GradingTask, keep_asked_exams

CONNECT_SECONDS = 20
# How long a cluster may be without any worker before the rest is left for the next run: workers of
# a batch system are started anew within this time.
PATIENCE_SECONDS = 120
LOOK_SECONDS = 2.0
# Notebooks under way for each thread of the cluster: none waits for the network, few are in memory
AHEAD = 3


def grade_on_cluster(
    course: Course,
    exams: Mapping[str, Exam],
    tasks: Sequence[GradingTask],
    read: Callable[[GradingTask], bytes],
    scheduler: str,
) -> Iterator[FinishedTask]:
    """Grade tasks on a Dask cluster, and yield each as it is done and in the ledger.

    Parameters
    ----------
    read : callable
        Returns the bytes of a task's notebook.
    scheduler : str
        Address of the cluster's scheduler, like `tcp://10.0.0.1:8786`.

    Raises
    ------
    RemoteFailed
        If the scheduler cannot be reached, or has no worker.
    """
    if not tasks:
        return
    wanted = keep_asked_exams(exams, tasks)
    # A name of its own: the plugin of a run that was killed may still sit on the workers.
    plugin = GradingPlugin(f"autograder-{uuid.uuid4().hex}", wanted, course.limits)
    with _connect(scheduler) as client:
        run = _ClusterRun(course, wanted, client, plugin.name, read, deque(tasks))
        run.wait_for_workers()
        client.register_plugin(plugin)
        try:
            yield from run.finish()
        finally:
            if run.is_connected:
                # The report is in the ledger already: a worker that cannot clear up harms nobody.
                with suppress(OSError, TimeoutError):
                    client.unregister_worker_plugin(plugin.name)


def _connect(scheduler: str) -> Client:
    try:
        return Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False, name="autograder")
    except (OSError, ValueError) as error:
        raise RemoteFailed(
            f"{scheduler}: no scheduler of a Dask cluster answers there ({error}); `dask scheduler` starts one"
        ) from None


@dataclass
class _ClusterRun:
    """The tasks of a run: those that wait, those under way, and those that are to be done once
    more, alone.
    """

    course: Course
    exams: Mapping[str, Exam]
    client: Client
    plugin: str
    read: Callable[[GradingTask], bytes]
    waiting: deque[GradingTask]
    doubtful: deque[GradingTask] = field(default_factory=deque)
    under_way: dict[Future, GradingTask] = field(default_factory=dict)
    seconds_without_workers: float = 0.0
    is_lost: bool = False

    @property
    def is_connected(self) -> bool:
        return not self.is_lost and bool(self.client.status == "running")

    def finish(self) -> Iterator[FinishedTask]:
        """Do all tasks; those the clock decided on a busy machine once more, one at a time."""
        yield from self._work_off(final=False)
        self.waiting = self.doubtful
        yield from self._work_off(final=True)

    def wait_for_workers(self) -> None:
        try:
            self.client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError:
            address = self.client.scheduler.address if self.client.scheduler else "the scheduler"
            raise RemoteFailed(
                f"{address}: it has no worker; `dask worker {address}` starts one"
            ) from None

    def _work_off(self, *, final: bool) -> Iterator[FinishedTask]:
        while self.waiting or self.under_way:
            if not self.is_connected or self.seconds_without_workers > PATIENCE_SECONDS:
                yield from self._give_up()
                return
            threads = self._count_threads()
            if self.is_lost:
                continue
            yield from self._send(1 if final else AHEAD * max(1, threads))
            for future in self._wait_for_some():
                task = self.under_way.pop(future)
                finished = self._receive(task, future, final=final)
                future.release()
                if finished is not None:
                    yield finished

    def _count_threads(self) -> int:
        try:
            threads = int(sum(self.client.nthreads().values()))
        except (OSError, TimeoutError):  # between its death and our hearing of it
            self.is_lost = True
            return 0
        self.seconds_without_workers = (
            0.0 if threads else self.seconds_without_workers + LOOK_SECONDS
        )
        return threads

    def _send(self, most: int) -> Iterator[FinishedTask]:
        """Send notebooks until so many are under way; yield those that need no grading, or cannot
        be had.
        """
        while self.waiting and len(self.under_way) < most:
            task = self.waiting.popleft()
            exam = self.exams[task.assignment]
            try:
                if is_too_large(self.course, task):
                    yield self._record(task, report_too_large(self.course, exam, task))
                    continue
                content = self.read(task)
            except (AutograderError, OSError) as error:
                yield make_failed(task, describe_error(error))
                continue
            # A key that never comes again, and not pure: a result that the cluster still holds from
            # another run must not be taken for this one's.
            future = self.client.submit(
                grade_bytes,
                self.plugin,
                task.assignment,
                task.file.path,
                content,
                key=f"grade-{task.assignment}-{task.file.blob}-{uuid.uuid4().hex}",
                pure=False,
            )
            self.under_way[future] = task

    def _wait_for_some(self) -> list[Future]:
        if not self.under_way:
            return []
        try:
            with self.client.as_current():
                some = wait(list(self.under_way), LOOK_SECONDS, "FIRST_COMPLETED")
            done = some.done
        except (TimeoutError, CancelledError, OSError):
            done = set()
        # Also what ended without being waited for, as all does when the scheduler is lost
        return [future for future in self.under_way if future in done or future.done()]

    def _receive(self, task: GradingTask, future: Future, *, final: bool) -> FinishedTask | None:
        """Return what became of a task; nothing where it is to be done again."""
        if future.status == "cancelled" or not self.is_connected:
            # First again: it waits longest, and the next run begins with the same ones.
            self.waiting.appendleft(task)
            return None
        try:
            answer = json.loads(future.result())
        except KilledWorker:
            return make_failed(task, "every worker that had it in hand died; see their system logs")
        except Exception as error:  # whatever a stranger's bytes make of the reading
            return make_failed(task, f"what came back cannot be read ({type(error).__name__})")
        if not isinstance(answer, dict) or "report" not in answer:
            return make_failed(task, _read_refusal(answer))
        if answer.get("doubtful") and not final:
            self.doubtful.append(task)
            return None
        try:
            report = check_report(answer["report"], self.exams[task.assignment])
        except AutograderError as error:
            return make_failed(task, f"what came back is refused: {error}")
        return self._record(task, report)

    def _record(self, task: GradingTask, report: Report) -> FinishedTask:
        return FinishedTask(task, report, "; ".join(record_report(self.course, task, report)))

    def _give_up(self) -> Iterator[FinishedTask]:
        reason = "the cluster was lost before it came back; the next run grades it"
        for task in (*self.under_way.values(), *self.waiting, *self.doubtful):
            yield make_failed(task, reason)
        self.under_way.clear()
        self.waiting.clear()
        self.doubtful.clear()


def _read_refusal(answer: object) -> str:
    """Return why a worker graded nothing, as far as it can be told."""
    reason = answer.get("error") if isinstance(answer, dict) else None
    return reason[:500] if isinstance(reason, str) else "what came back is no report"
