"""Submissions that nbgrader's formgrader counts, though they lie in no folder of its own.

It counts the folders in `submitted/`, and shows a submission as graded where the time in there is
the gradebook's. Work that came by git or from a platform is in our record instead: for it there is
a folder with that time and nothing else.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from autograder.course.configuration import Course
from autograder.course.names import name_assignment

TIMESTAMP = "timestamp.txt"


def counted_folder(course: Course, student: str, assignment: str) -> Path:
    """Return the folder by which nbgrader counts a submission."""
    return course.submitted / student / name_assignment(assignment)


def count_submission(
    course: Course, student: str, assignment: str, timestamp: datetime | None
) -> None:
    """Let nbgrader count a submission, handed in at that time, in UTC."""
    folder = counted_folder(course, student, assignment)
    if _holds_work(folder):
        return  # what nbgrader collected says itself when it came
    said = f"{timestamp} UTC\n" if timestamp else ""
    path = folder / TIMESTAMP
    with suppress(OSError):
        if path.read_text(encoding="utf-8") == said:
            return
    folder.mkdir(parents=True, exist_ok=True)
    # Not written whole, as other files are: that waits for the disk, a thousand times for a class,
    # and half a time only makes the formgrader ask for the submission to be graded.
    path.write_text(said, encoding="utf-8")


def uncount_submission(course: Course, student: str, assignment: str) -> None:
    """Let nbgrader count a submission no more; work that lies there stays."""
    folder = counted_folder(course, student, assignment)
    if folder.is_dir() and not _holds_work(folder):
        (folder / TIMESTAMP).unlink(missing_ok=True)
        with suppress(OSError):  # somebody put something there this moment
            folder.rmdir()


def _holds_work(folder: Path) -> bool:
    return folder.is_dir() and any(path.name != TIMESTAMP for path in folder.iterdir())
