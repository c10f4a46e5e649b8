"""nbgrader's gradebook and the notebooks of its formgrader, filled from the record.

A projection: it may be deleted and is then made again. Marks that people gave in it are read into the record before
anything is written or removed.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from nbgrader import api

from autograder.course.configuration import Assignment, Course
from autograder.course.errors import Interrupted, NoJail, Wall
from autograder.course.exam import Exam
from autograder.gradebook.exam_entries import enter_exam
from autograder.gradebook.formgrader_marks import find_new_marks, read_marks
from autograder.gradebook.gradebook_database import open_gradebook, put_tools_on_path
from autograder.gradebook.projection_memory import fingerprint_database
from autograder.gradebook.submission_entries import BATCH, SubmissionEntries
from autograder.gradebook.wanted_submissions import WantedSubmission, without_zone
from autograder.record.open_tasks import GradingTask


@dataclass
class GradebookUpdate:
    """What came of bringing a gradebook up to date.

    Attributes
    ----------
    assignments : list of Assignment
        Those it holds now as they are.
    entered : list of WantedSubmission
        Those it holds, and the formgrader shows, as they are.
    sentences : list of str
        One for each notebook that the formgrader cannot show.
    database : str
        Fingerprint of the database when no mark in it was unread; "" if there is one.
    """

    assignments: list[Assignment] = field(default_factory=list)
    entered: list[WantedSubmission] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    database: str = ""


def read_all_marks(course: Course, exams: Mapping[str, Exam], wall: Wall) -> int:
    """Append to the record every mark that a person gave since this was last done; return how
    many.
    """
    with open_gradebook(course) as book:
        return read_marks(course, exams, book, datetime.now(UTC), wall)


def enter_submissions(
    course: Course,
    exams: Mapping[str, Exam],
    assignments: Sequence[Assignment],
    changed: Container[str],
    wanted: Sequence[WantedSubmission],
    read: Callable[[GradingTask], bytes],
    wall: Wall,
) -> GradebookUpdate:
    """Bring assignments, and the submissions that are wanted of them, into the gradebook.

    Parameters
    ----------
    changed : container of str
        Names of the assignments that it may not hold as they are now; each costs a look at all of
        its cells.
    """
    put_tools_on_path()
    _remove_former(course)
    done = GradebookUpdate()
    # Assignments before the one long session below: nbgrader's converter opens its own, and SQLite
    # lets one writer in at a time.
    for assignment in assignments:
        with wall(f"{assignment.name}: the gradebook does not get it"):
            if assignment.name in changed:
                enter_exam(course, exams[assignment.name])
            done.assignments.append(assignment)
    names = {assignment.name for assignment in done.assignments}
    with open_gradebook(course) as book:
        for assignment in done.assignments:
            if assignment.name not in changed:
                continue
            deadline = without_zone(assignment.last_deadline)
            book.update_or_create_assignment(assignment.whole, duedate=deadline)
        entries = SubmissionEntries(course, exams, book, read)
        enterable = [entry for entry in wanted if entry.assignment in names]
        for batch in _batches_of_students(enterable):
            _enter_batch(entries, batch, done, wall)
        # In this order: who gives a mark after it changes the file, and what was given before is
        # found.
        database = fingerprint_database(course)
        if not any(find_new_marks(course, exams, book)):
            done.database = database
    return done


def _remove_former(course: Course) -> None:
    """Remove what was entered while each notebook of several was an assignment of its own.

    The marks given there are in the record: they were read before anything is entered.
    """
    if not course.former_names:
        return
    with open_gradebook(course) as book:
        known = {assignment.name for assignment in book.assignments}
        for name in known & course.former_names.keys():
            book.remove_assignment(name)


def _batches_of_students(
    wanted: Sequence[WantedSubmission],
) -> Iterator[list[list[WantedSubmission]]]:
    """Yield what is wanted in batches, in each of them student by student."""
    by_student: dict[str, list[WantedSubmission]] = {}
    for entry in wanted:
        by_student.setdefault(entry.student.id, []).append(entry)
    students = list(by_student.values())
    for start in range(0, len(students), BATCH):
        yield students[start : start + BATCH]


def _enter_batch(
    entries: SubmissionEntries,
    batch: Sequence[Sequence[WantedSubmission]],
    done: GradebookUpdate,
    wall: Wall,
) -> None:
    """Enter a batch at once; where one of it fails, each student's by itself, so that only that one
    is left out.
    """
    together: list[WantedSubmission] = []
    for mine in batch:
        together += mine
    try:
        _enter_together(entries, together, done)
        return
    except (Interrupted, NoJail):
        raise
    except Exception:
        _forget(entries.book)
    for mine in batch:
        with wall(f"{mine[0].student.id}: the gradebook keeps what it had"):
            try:
                _enter_together(entries, mine, done)
            except Exception:
                _forget(entries.book)
                raise


def _enter_together(
    entries: SubmissionEntries, wanted: Sequence[WantedSubmission], done: GradebookUpdate
) -> None:
    batch = entries.enter(wanted)
    done.entered += batch.entered
    done.sentences += batch.sentences


def _forget(book: api.Gradebook) -> None:
    """Leave nothing half entered: the next commit would write it."""
    book.db.rollback()
    book.db.expunge_all()
