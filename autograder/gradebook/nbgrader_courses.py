"""What nbgrader's database knows of a course that was not made here: who takes it, and until
when.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nbgrader.api import Gradebook
from sqlalchemy.exc import SQLAlchemyError

from autograder.course.database_addresses import address_database, find_database_file
from autograder.course.errors import GradebookFailed
from autograder.course.submissions import Student
from autograder.course.temporary_folders import temporary_folder
from autograder.gradebook.gradebook_database import describe_database_error, put_tools_on_path


@dataclass(frozen=True)
class KnownCourse:
    """Students, and deadlines by assignment; nbgrader keeps these in UTC, without a zone."""

    students: tuple[Student, ...] = ()
    deadlines: Mapping[str, datetime] = field(default_factory=dict)


def read_known_course(database: str) -> KnownCourse:
    """Read a gradebook; nothing is known where there is none yet.

    Raises
    ------
    GradebookFailed
        If nbgrader cannot read it.
    """
    # Only a file: a server's database may need a password, and adopting asks for none.
    path = find_database_file(database)
    if path is None or not path.is_file():
        return KnownCourse()
    put_tools_on_path()
    # A copy: nbgrader writes its schema's version into a gradebook of an older one when it opens it.
    with temporary_folder("known-course") as folder:
        copy = folder / "gradebook.db"
        shutil.copyfile(path, copy)
        try:
            with Gradebook(address_database(copy)) as book:
                return _read_book(book)
        except SQLAlchemyError as error:
            raise GradebookFailed(
                f"{path}: {describe_database_error(error)}; move it away to adopt the course without it, "
                "or `nbgrader db upgrade` where it is of an older nbgrader"
            ) from None


def _read_book(book: Any) -> KnownCourse:
    students = []
    for entry in book.students:
        name = f"{entry.first_name or ''} {entry.last_name or ''}".strip()
        students.append(Student(entry.id, "", name=name, email=entry.email or ""))
    deadlines = {}
    for assignment in book.assignments:
        if assignment.duedate is not None:
            deadlines[assignment.name] = assignment.duedate
    return KnownCourse(tuple(students), deadlines)
