"""What nbgrader's database knows of a course that was not made here: who takes it, and until
when.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from autograder.course.submissions import Student


@dataclass(frozen=True)
class KnownCourse:
    """Students, and deadlines by assignment; nbgrader keeps these in UTC, without a zone."""

    students: tuple[Student, ...] = ()
    deadlines: Mapping[str, datetime] = field(default_factory=dict)


def read_known_course(database: str) -> KnownCourse:
    """Read a gradebook; nothing is known where there is none yet."""
    # Only a file: a server's database may need a password, and adopting asks for none.
    path = database.removeprefix("sqlite:///")
    if path == database or not Path(path).is_file():
        return KnownCourse()
    from nbgrader.api import Gradebook

    students = []
    deadlines = {}
    with Gradebook(database) as book:
        for entry in book.students:
            name = f"{entry.first_name or ''} {entry.last_name or ''}".strip()
            students.append(Student(entry.id, "", name=name, email=entry.email or ""))
        for assignment in book.assignments:
            if assignment.duedate:
                deadlines[assignment.name] = assignment.duedate
    return KnownCourse(tuple(students), deadlines)
