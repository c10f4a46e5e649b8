"""nbgrader's gradebook opened, with its troubles told as ours."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbgrader
from nbgrader import api
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import configure_mappers

from autograder.course.configuration import Course
from autograder.course.errors import GradebookFailed
from autograder.gradebook.projection_memory import database_file

MADE_ANEW = (
    "close what has it open and run autograder gradebook again; if it is damaged, move it away first: it is made anew, "
    "but for marks given in it since the last run"
)


def prepare_database_tools(course: Course) -> None:
    """Load and arrange what opening a course's gradebook would begin with; no database is
    touched.
    """
    create_engine(course.database).dispose()
    configure_mappers()


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
        _begin_database(course)
        with api.Gradebook(course.database) as book:
            yield book
    except SQLAlchemyError as error:
        reason = describe_database_error(error)
        raise GradebookFailed(f"{course.database}: {reason}; {MADE_ANEW}") from None


def describe_database_error(error: SQLAlchemyError) -> str:
    """Say in a line what a database would not do."""
    # SQLAlchemy's own words go on with the statement, values of students in it.
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def _begin_database(course: Course) -> None:
    """Write into a database that is not there yet which of nbgrader's schemas it has.

    nbgrader does so, too, and starts a program to find out, which takes three seconds.
    """
    path = database_file(course)
    # One on a server is nbgrader's to begin: whether it is empty only asking it would say.
    if path is None or path.exists():
        return
    # Not at the top: it takes a tenth of a second to load, and a term begins one gradebook.
    from alembic.script import ScriptDirectory

    head = ScriptDirectory(str(Path(nbgrader.__file__).parent / "alembic")).get_current_head()
    engine = create_engine(course.database)
    try:
        with engine.begin() as connection:
            connection.execute(
                text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
            )
            connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head})
    finally:
        engine.dispose()


def put_tools_on_path() -> None:
    """Let nbgrader find `alembic`, which it starts by name, also where no virtual environment is
    activated.
    """
    folder = sysconfig.get_path("scripts")
    if folder not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", os.defpath)])
