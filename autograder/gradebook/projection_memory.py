"""What the gradebook was last made from, in a file beside it: so that nothing is done again where
nothing changed.

The memory holds only for a database that is, byte for byte, the one that was left then: whoever else wrote to it,
formgrader or nbgrader, makes everything be compared again. It can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autograder.course.configuration import Course
from autograder.course.database_addresses import find_database_file
from autograder.course.whole_files import PRIVATE, write_whole

# Another version of what is made from a standing: then everything is compared again, once.
MEMORY_VERSION = 1


@dataclass(frozen=True)
class ProjectionMemory:
    """What a gradebook was made from.

    Attributes
    ----------
    database : str
        Fingerprint of the database as it was left.
    made_from : mapping of str to str
        Fingerprint of each assignment, by its name, and of each submission, by
        `student/assignment`.
    """

    database: str = ""
    made_from: Mapping[str, str] = field(default_factory=dict)

    def is_of(self, course: Course) -> bool:
        """Whether the course's database is still the one that was left."""
        return bool(self.database) and self.database == fingerprint_database(course)


def database_file(course: Course) -> Path | None:
    """Return the file of the gradebook, None where it is on a server."""
    return find_database_file(course.database)


def fingerprint_database(course: Course) -> str:
    """Return a fingerprint of the database's file, "" where there is none, or somebody is writing
    it.
    """
    path = database_file(course)
    if path is None or not path.exists():
        return ""
    # A journal beside it: a change that is not in the file yet, or that is to be taken back.
    if any(path.with_name(path.name + end).exists() for end in ("-journal", "-wal")):
        return ""
    # The bytes, not the time of the file: a copy put back is an older state with a new time.
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_projection_memory(course: Course) -> ProjectionMemory:
    """Return what the gradebook was last made from; nothing where that is not known."""
    path = _memory_path(course)
    try:
        said = json.loads(path.read_text()) if path is not None else {}
        if said["version"] != MEMORY_VERSION:
            return ProjectionMemory()
        return ProjectionMemory(str(said["database"]), dict(said["made_from"]))
    except (OSError, ValueError, KeyError, TypeError):  # then everything is compared again
        return ProjectionMemory()


def write_projection_memory(course: Course, memory: ProjectionMemory) -> None:
    """Remember what the gradebook was made from."""
    path = _memory_path(course)
    if path is None or not memory.database:
        return
    said = {
        "version": MEMORY_VERSION,
        "database": memory.database,
        "made_from": dict(memory.made_from),
    }
    write_whole(path, json.dumps(said).encode(), "memory of the gradebook", mode=PRIVATE)


def _memory_path(course: Course) -> Path | None:
    database = database_file(course)
    return database.with_name(f".{database.name}.made-from.json") if database is not None else None
