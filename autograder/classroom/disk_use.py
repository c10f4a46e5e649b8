"""What a course takes of the disk, and what of it can be made again.

Nothing that could be the last copy of anything is ever removed: not the ledger, not a pushed notebook, not a store
that was set aside. What goes is made again where somebody needs it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from autograder.classroom.classroom import Classroom
from autograder.course.configuration import Course
from autograder.git.stored_objects import BLOCK
from autograder.git.student_stores import open_fork
from autograder.gradebook.autograded_notebooks import find_unneeded_outputs
from autograder.gradebook.projection_memory import database_file
from autograder.gradebook.put_away_notebooks import SettledNotebook, find_settled, put_away

LEFT_BEHIND = ".*.new"  # what is written beside a file, and left by a process that was killed


@dataclass(frozen=True)
class DiskUse:
    """What one kind of files takes, and how much of it `tidy` can give back.

    Attributes
    ----------
    what : str
        The kind, in a person's words.
    place : Path
        Where it lies.
    size : int
        Bytes on the disk.
    freeable : int
        Bytes of files that are not needed any more. What packing a store saves is known only
        afterwards.
    """

    what: str
    place: Path
    size: int
    freeable: int = 0


def measure_disk_use(classroom: Classroom, now: datetime | None = None) -> list[DiskUse]:
    """Return what each kind of a course's files takes."""
    course = classroom.course
    unneeded = _list_unneeded(classroom)
    for settled in _list_settled(classroom, now):
        unneeded.append(settled.path)
    kinds = [
        ("record of pushes, points and marks", course.ledger),
        ("what students pushed", course.forks),
        ("outputs for the formgrader, to come", course.outputs),
        ("notebooks of the formgrader", course.autograded),
        ("points pages", course.site),
    ]
    database = database_file(course)
    if database is not None:
        kinds.append(("nbgrader's gradebook", database))
    found = []
    for what, place in kinds:
        freeable = sum(_size_on_disk(path) for path in unneeded if place in path.parents)
        found.append(DiskUse(what, place, _size_of_tree(place), freeable))
    return found


def free_disk_space(classroom: Classroom, now: datetime | None = None) -> Iterator[str]:
    """Remove what is not needed any more, put away what is marked, and pack the students' stores;
    yield a sentence for what was done.
    """
    unneeded = _list_unneeded(classroom)
    freed = 0
    for path in unneeded:
        size = _size_on_disk(path)
        # One file that stays is no reason to keep the others.
        with suppress(OSError):
            path.unlink()
            freed += size
    yield f"removed {len(unneeded)} files that nobody needs, {freed / 1e6:.1f} MB"
    settled = _list_settled(classroom, now)
    if settled:
        before = 0
        after = 0
        for notebook in settled:
            before += _size_on_disk(notebook.path)
            put_away(notebook)
            after += _size_on_disk(notebook.path)
        yield (
            f"put away {len(settled)} notebooks of the formgrader whose homework is over and marked, "
            f"{(before - after) / 1e6:.1f} MB; what stands in their place says how to see them again"
        )
    before = _size_of_tree(classroom.course.forks)
    failed = []
    for student in classroom.students:
        store = open_fork(classroom.course, student)
        # A student who never pushed has no store, and gets none by being tidied.
        if (store.store / "HEAD").exists() and not store.pack():
            failed.append(student.id)
    after = _size_of_tree(classroom.course.forks)
    yield f"packed the students' stores: {before / 1e6:.1f} MB are {after / 1e6:.1f} MB now"
    if failed:
        yield f"{len(failed)} stores could not be packed, and stay as they are: {', '.join(failed[:10])}"


def _list_unneeded(classroom: Classroom) -> list[Path]:
    """Return the files that can go: outputs that were shown or count no more, and what a killed
    process left.
    """
    course = classroom.course
    records = classroom.records()
    standings = classroom.standings(records)
    unneeded = []
    if len(standings) == len(classroom.students):  # else nobody knows what the others need
        unneeded += find_unneeded_outputs(classroom.gradable, standings, records)
    for place in _list_written_places(course):
        unneeded += filter(Path.is_file, place.rglob(LEFT_BEHIND))
    return unneeded


def _list_settled(classroom: Classroom, now: datetime | None) -> list[SettledNotebook]:
    moment = now or datetime.now(UTC)
    return list(find_settled(classroom.course, classroom.standings(), moment))


def _list_written_places(course: Course) -> Iterable[Path]:
    return (course.ledger, course.outputs, course.autograded, course.site)


def _size_of_tree(place: Path) -> int:
    if place.is_file():
        return _size_on_disk(place)
    size = 0
    for folder, folders, files in os.walk(place):
        for name in (*folders, *files):
            size += _size_on_disk(Path(folder, name))
    return size


def _size_on_disk(path: Path) -> int:
    try:
        # Of a link its own, and of a small file the whole block it takes.
        return path.lstat().st_blocks * BLOCK
    # It went since it was listed, as others may be at work here.
    except OSError:
        return 0
