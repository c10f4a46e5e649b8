"""Notebooks that are larger than the course reads: they get a report, and nobody opens them."""

from __future__ import annotations

from autograder.course.configuration import Course
from autograder.course.exam import Exam
from autograder.course.reports import Report
from autograder.record.open_tasks import GradingTask


def is_too_large(course: Course, task: GradingTask) -> bool:
    """Whether a notebook is larger than the course reads."""
    return task.file.size > course.notebook_mb * 1e6


def report_too_large(course: Course, exam: Exam, task: GradingTask) -> Report:
    """Return the report of a notebook that is too large to be opened."""
    # Not at the top: it loads numpy, for which handing tasks out would wait.
    from autograder.grader.verdict import untested_result

    size = task.file.size / 1e6
    sentence = (
        f"The notebook has {size:.0f} MB, more than {course.notebook_mb:.0f}: clear its outputs."
    )
    exercises = tuple(untested_result(exercise) for exercise in exam.exercises)
    return Report(
        exam.assignment, task.file.path, "unreadable", exercises, (sentence,), exam=exam.version
    )
