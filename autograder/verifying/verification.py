"""Everything the course remembers verified, and what can be rebuilt rebuilt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from autograder.classroom.classroom import Classroom
from autograder.course.roster import list_ids
from autograder.gradebook.projection_memory import database_file
from autograder.verifying.ledger_check import (
    check_ledger,
    ledger_files,
    read_ledger_file,
    set_lines_aside,
)
from autograder.verifying.projection_check import check_gradebook, check_pages, is_damaged
from autograder.verifying.record_trouble import RecordTrouble
from autograder.verifying.store_check import (
    REMOTE,
    check_state,
    check_stores,
    pushed_homework,
    repair_stores,
)


@dataclass(frozen=True)
class Verification:
    """What was looked at, and what is not as it must be."""

    students: int
    lines: int
    notebooks: int
    troubles: tuple[RecordTrouble, ...]

    @property
    def wrong(self) -> int:
        """How many things are wrong."""
        return sum(trouble.serious for trouble in self.troubles)

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return self.wrong == 0


def verify_course(
    classroom: Classroom, *, remote: str = REMOTE, now: datetime | None = None
) -> Verification:
    """Hold the ledger against itself, and stores, state branch, gradebook and pages against it.
    Nothing is changed.
    """
    course = classroom.course
    students = classroom.students
    moment = now or datetime.now(UTC)
    troubles = check_ledger(course, classroom.exams, list_ids(students), moment)
    records = classroom.records()
    standings = classroom.standings()
    waiting = len(classroom.open_tasks())
    if waiting:
        what = f"{waiting} notebooks have no report under the exam as it is now"
        troubles.append(
            RecordTrouble(str(course.ledger), what, "autograder grade makes them", serious=False)
        )
    troubles += check_stores(course, students, records)
    troubles += check_state(course, remote)
    troubles += check_gradebook(course, standings)
    troubles += check_pages(course, classroom.exams, students, standings, records)
    lines = 0
    for path in ledger_files(course):
        lines += len(read_ledger_file(path).lines)
    notebooks = 0
    for record in records.values():
        notebooks += len(pushed_homework(course, record))
    return Verification(len(students), lines, notebooks, tuple(troubles))


def repair_course(
    classroom: Classroom, *, remote: str = REMOTE, now: datetime | None = None
) -> Iterator[RecordTrouble]:
    """Set aside what cannot be read, get what is missing, build gradebook and pages anew; yield
    what was done.

    Nothing is deleted: lines go to `ledger/set-aside/`, a damaged store or gradebook gets another name.
    """
    course = classroom.course
    moment = now or datetime.now(UTC)
    for path in ledger_files(course):
        yield from set_lines_aside(course, read_ledger_file(path), moment)
    # The record first, then what is needed for grading, then what is made of both
    yield from repair_stores(course, classroom.students, classroom.records(), remote)
    database = database_file(course)
    if database is not None and is_damaged(database):
        # Not deleted: marks that were not read yet may still be got out of it.
        aside = database.with_name(f"{database.name}.damaged-{moment:%Y%m%dT%H%M%S}")
        database.rename(aside)
        yield RecordTrouble(str(database), f"moved to {aside.name}", serious=False)
    for sentence in classroom.update_gradebook():
        yield RecordTrouble(course.database, sentence)
    yield RecordTrouble(course.database, "brought up to the record", serious=False)
    classroom.build_pages(now)
    yield RecordTrouble(str(course.site), "built from the record", serious=False)
