"""What becomes of a task wherever it is graded: its report is in the ledger, or a sentence says why not."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime

from autograder.course.configuration import Course
from autograder.course.errors import AutograderError, describe_error
from autograder.course.reports import Report
from autograder.record.ledger import Ledger
from autograder.record.open_tasks import GradingTask


@dataclass(frozen=True)
class FinishedTask:
    """A task that is done; `error` says why it could not be, or not in full."""

    task: GradingTask
    report: Report | None = None
    error: str = ""


def make_failed(task: GradingTask, reason: str) -> FinishedTask:
    """Return a task that could not be graded."""
    return FinishedTask(task, error=f"{task.student.id}, {task.assignment}: {reason}")


def record_report(course: Course, task: GradingTask, report: Report) -> list[str]:
    """Append a report to the ledger for all who wait for it; return a sentence for each who cannot
    have it.
    """
    ledger = Ledger.of(course)
    now = datetime.now(UTC)
    failed = []
    for student, commit in task.waiting:
        try:
            ledger.add_report(student, commit, task.file.blob, report, now)
        except (AutograderError, OSError) as error:  # others may wait for the same notebook
            reason = describe_error(error)
            failed.append(f"{student}, {task.assignment}: graded, but not recorded: {reason}")
    return failed


def is_overloaded() -> bool:
    """Whether more processes want to run, in the last minute, than this machine has cores: its
    clock proves nothing.
    """
    return os.getloadavg()[0] > (os.cpu_count() or 1) + 0.5
