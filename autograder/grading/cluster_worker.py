"""What a worker of a Dask cluster does: it holds exams and a warm jail ready, and grades notebooks
it gets as bytes.

A plugin owns them for as long as a run lasts. Students' code is where it is on one machine: in jails forked from a
warm process, examined by grading processes, and never in the process that talks with the scheduler. No name of a
student comes here, no credential, and no file system is shared.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from autograder.course.errors import AutograderError, describe_error
from autograder.course.exam import GRADER_VERSION, Exam
from autograder.course.limits import Limits
from autograder.course.submissions import Submission
from autograder.grader.examined_notebooks import ExaminedNotebook
from autograder.grading.finished_tasks import is_overloaded
from autograder.grading.worker_pool import current_desk, open_workers
from autograder.jail import Jail

# A grading process that dies takes those beside it along: each notebook gets a second one.
TRIES = 2


class GradingPlugin(WorkerPlugin):
    """A worker's jail, exams and grading processes, one for each of its threads.

    Parameters
    ----------
    name : str
        Under which the worker knows it; a run has its own.
    exams : mapping of str to Exam
        By assignment.
    limits : Limits
        What a submission may use.
    """

    def __init__(self, name: str, exams: Mapping[str, Exam], limits: Limits) -> None:
        self.name = name
        self.exams = exams
        self.limits = limits
        self.version = GRADER_VERSION  # of who sends it; what is here may be another

    def setup(self, worker: Worker) -> None:
        """Make ready. What goes wrong is told by each task: an error here would end the worker."""
        self.count = worker.state.nthreads
        self.closing = ExitStack()
        self.alone = threading.Lock()
        self.unfit = ""
        try:
            if self.version != GRADER_VERSION:
                raise AutograderError(
                    f"the autograder of this worker grades as version {GRADER_VERSION}, the one that asks "
                    f"as version {self.version}; install the same on both"
                )
            self.jail = self.closing.enter_context(Jail(self.limits))
            self._open_pool()
        except AutograderError as error:
            self.unfit = str(error)

    def teardown(self, worker: Worker) -> None:
        """End the jail and the grading processes."""
        self.closing.close()

    def _open_pool(self) -> None:
        self.pool = self.closing.enter_context(open_workers(self.count, self.jail, self.exams))

    def examine(self, assignment: str, path: str, content: bytes) -> ExaminedNotebook:
        """Grade a notebook in one of the grading processes."""
        if self.unfit:
            raise AutograderError(self.unfit)
        for attempt in range(TRIES):
            pool = self.pool
            try:
                return pool.submit(_examine_here, assignment, path, content).result()
            except BrokenProcessPool:
                if attempt == TRIES - 1:
                    raise AutograderError(
                        "its grading process died; see the worker's system log"
                    ) from None
                with self.alone:
                    if self.pool is pool:  # else another thread was faster
                        self._open_pool()
        raise AssertionError("unreachable")


def grade_bytes(plugin: str, assignment: str, path: str, content: bytes) -> bytes:
    """Grade a notebook, as a task of the cluster; return JSON: a report, or why there is none.

    No exception leaves it: that would be pickled, and read by who asked.
    """
    try:
        owner: Any = get_worker().plugins[plugin]
        examined = owner.examine(assignment, path, content)
    except Exception as error:
        answer: dict[str, Any] = {"error": describe_error(error)}
    else:
        doubtful = examined.by_clock and is_overloaded()
        answer = {"report": examined.report.to_json(), "doubtful": doubtful}
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")


def _examine_here(assignment: str, path: str, content: bytes) -> ExaminedNotebook:
    desk = current_desk()
    return desk.examiner.examine(desk.exams[assignment], Submission(assignment, path, content))
