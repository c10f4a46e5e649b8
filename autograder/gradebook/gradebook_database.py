"""nbgrader's gradebook opened, with its troubles told as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nbgrader import api
from sqlalchemy.exc import SQLAlchemyError

from autograder.course.configuration import Course
from autograder.course.errors import GradebookFailed
from autograder.gradebook.assignment_conversion import put_tools_on_path

MADE_ANEW = (
    "close what has it open and run autograder gradebook again; if it is damaged, move it away first: it is made anew, "
    "but for marks given in it since the last run"
)


@contextmanager
def open_gradebook(course: Course) -> Iterator[api.Gradebook]:
    """Open nbgrader's gradebook.

    Raises
    ------
    GradebookFailed
        If it is damaged, in use, or cannot be written.
    """
    put_tools_on_path()
    try:
        with api.Gradebook(course.database) as book:
            yield book
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise GradebookFailed(f"{course.database}: {reason}; {MADE_ANEW}") from None
