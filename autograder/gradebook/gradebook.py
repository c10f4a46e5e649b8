"""nbgrader's gradebook and the notebooks of its formgrader, filled from the record through nbgrader's own API.

A projection: it may be deleted and is then made again. Marks that people gave in it are read into the record before
anything is written or removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nbgrader import api
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from autograder.course.configuration import Assignment, Course
from autograder.course.errors import GradebookFailed, RemoteFailed, Wall, no_wall
from autograder.course.exam import Exam
from autograder.course.faults import reached
from autograder.course.submissions import Status, Student
from autograder.gradebook.assignment_conversion import enter_assignment, put_tools_on_path
from autograder.gradebook.autograded_notebooks import autograded_path, shown_file, shown_push, write_autograded
from autograder.gradebook.formgrader_marks import put_marks, read_marks
from autograder.record.open_tasks import GradingTask
from autograder.record.standings import PartStanding, PartState, Standing

MADE_ANEW = (
    "close what has it open and run autograder gradebook again; if it is damaged, move it away first: it is made anew, "
    "but for marks given in it since the last run"
)
Standings = Mapping[str, Mapping[str, Standing]]
Cells = set[tuple[str, str, float]]  # kind, nbgrader's id and points of each cell


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


def read_gradebook(course: Course, exams: Mapping[str, Exam], wall: Wall = no_wall) -> int:
    """Append to the record every mark that a person gave since this was last done; return how many there were."""
    with open_gradebook(course) as book:
        return read_marks(course, exams, book, datetime.now(UTC), wall)


def update_gradebook(
    course: Course,
    exams: Mapping[str, Exam],
    students: Sequence[Student],
    standings: Standings,
    read: Callable[[GradingTask], bytes],
    wall: Wall = no_wall,
) -> list[str]:
    """Bring `gradebook.db` and the autograded notebooks up to the standings.

    Assignments that are neither released nor handed in by anyone are left out: they are for later in the term.

    Parameters
    ----------
    read : callable
        Returns the bytes of a notebook that was pushed once; `lost_notebooks.restored` makes it.

    Returns
    -------
    list of str
        A sentence for each notebook that the formgrader cannot show, because it is nowhere to be had.

    Raises
    ------
    ReleaseError
        If nbgrader cannot read the source notebook of an assignment.
    """
    put_tools_on_path()
    entered = []
    for assignment in course.assignments.values():
        if _is_given_out(course, assignment.name, standings):
            with wall(f"{assignment.name}: the gradebook does not get it"):
                _enter_exam(course, exams[assignment.name])
                entered.append(assignment)
    sentences: list[str] = []
    with open_gradebook(course) as book:
        for assignment in entered:
            deadlines = [part.deadline for part in assignment.parts if part.deadline]
            book.update_or_create_assignment(assignment.name, duedate=_naive(max(deadlines, default=None)))
        known, handed_in = {student.id: student for student in book.students}, _handed_in(book)
        entries = _Entries(course, exams, book, read, handed_in)
        for student in students:
            with wall(f"{student.id}: the gradebook keeps what it had"), _undone_if_it_fails(book):
                _update_student(book, student, known.get(student.id))
                for assignment in entered:
                    sentences += entries.update(student, assignment, standings[student.id][assignment.name])
    return sentences


@contextmanager
def _undone_if_it_fails(book: api.Gradebook) -> Iterator[None]:
    """Leave nothing half entered: the next student's commit would write it."""
    try:
        yield
    except Exception:
        book.db.rollback()
        raise


def knows_exam(course: Course, exam: Exam) -> bool:
    """Return whether the gradebook knows an exam with the cells and points it has now."""
    with open_gradebook(course) as book:
        return _known_cells(book, exam.assignment) == _cells(exam)


def clear_outdated_exam(course: Course, exam: Exam) -> bool:
    """Return whether the gradebook does not know an exam as it is now, after clearing away what it knows instead.

    nbgrader refuses to add cells to an assignment, or take some out, once it was handed in. Marks that people gave are
    in the record before anything goes, and come back with `update_gradebook`.
    """
    with open_gradebook(course) as book:
        known = _known_cells(book, exam.assignment)
        if known == _cells(exam):
            return False
        if known and book.assignment_submissions(exam.assignment):
            read_marks(course, {exam.assignment: exam}, book, datetime.now(UTC))
            book.remove_assignment(exam.assignment)
        return True


def _known_cells(book: api.Gradebook, assignment: str) -> Cells:
    try:
        notebook = book.find_notebook(assignment, assignment)
    except api.MissingEntry:
        return set()
    known: Cells = {("grade", cell.name, cell.max_score) for cell in (*notebook.grade_cells, *notebook.task_cells)}
    known |= {("solution", cell.name, 0.0) for cell in (*notebook.solution_cells, *notebook.task_cells)}
    return known | {("source", cell.name, 0.0) for cell in notebook.source_cells}


def _cells(exam: Exam) -> Cells:
    cells = [cell for cell in exam.cells if cell.grade_id]
    return (
        {("grade", cell.grade_id, cell.points) for cell in cells if cell.graded}
        | {("solution", cell.grade_id, 0.0) for cell in cells if cell.solution}
        | {("source", cell.grade_id, 0.0) for cell in cells if cell.graded or cell.solution or cell.locked}
    )


def _enter_exam(course: Course, exam: Exam) -> None:
    if clear_outdated_exam(course, exam):
        enter_assignment(course, exam.assignment)


def _is_given_out(course: Course, assignment: str, standings: Standings) -> bool:
    return course.release_path(assignment).exists() or any(_counted(entry[assignment]) for entry in standings.values())


def _handed_in(book: api.Gradebook) -> set[tuple[str, str]]:
    """Return student and assignment of every submission the gradebook holds."""
    submission, assignment = api.SubmittedAssignment, api.Assignment
    joined = select(submission.student_id, assignment.name).join(assignment, submission.assignment_id == assignment.id)
    return {(student, name) for student, name in book.db.execute(joined)}


def _update_student(book: api.Gradebook, student: Student, known: Any) -> None:
    first, _, last = student.name.rpartition(" ")
    wanted = {"first_name": first or None, "last_name": last or None, "email": student.email or None}
    if known is None or any(getattr(known, name) != value for name, value in wanted.items()):
        book.update_or_create_student(student.id, **wanted)


@dataclass(frozen=True)
class _Entries:
    """Enters submissions into an open gradebook; `handed_in` is what it held before."""

    course: Course
    exams: Mapping[str, Exam]
    book: api.Gradebook
    read: Callable[[GradingTask], bytes]
    handed_in: set[tuple[str, str]]

    def update(self, student: Student, assignment: Assignment, standing: Standing) -> Iterator[str]:
        """Enter one submission, or take out one that counts no more; yield a sentence if it cannot be shown."""
        counted = _counted(standing)
        if counted:
            changed = self._enter(student, assignment, standing, counted)
            yield from self._show(student, standing, changed=changed)
        elif self._knows(student, assignment) and all(part.state is not PartState.WAITING for part in standing.parts):
            self.book.remove_submission(assignment.name, student.id)

    def _knows(self, student: Student, assignment: Assignment) -> bool:
        return (student.id, assignment.name) in self.handed_in

    def _enter(
        self, student: Student, assignment: Assignment, standing: Standing, counted: Sequence[PartStanding]
    ) -> bool:
        """Return whether anything of the submission changed."""
        if self._knows(student, assignment):
            submission = self.book.find_submission(assignment.name, student.id)
        else:
            with self.book.db.no_autoflush:
                submission = self.book.add_submission(assignment.name, student.id)
        notebook = next(entry for entry in submission.notebooks if entry.name == assignment.name)
        changed = _set(submission, timestamp=_naive(max(part.push.time for part in counted if part.push)))
        changed |= _set(submission, extension=_extension(assignment, standing))
        changed |= _set(notebook, late_submission_penalty=sum(_penalty(part) for part in counted))
        new = _update_grades(notebook, counted)
        file, marks = shown_file(standing), [mark for part in counted for mark in part.marks]
        exam = self.exams[assignment.name]
        changed |= put_marks(self.book, exam, notebook, marks, file.blob if file else "", new) or bool(new)
        if changed:
            reached("gradebook: before a commit")
            self.book.db.commit()
            reached("gradebook: committed")
        return changed

    def _show(self, student: Student, standing: Standing, *, changed: bool) -> Iterator[str]:
        """Write the notebook for the formgrader where it is not there, or not any more what it should be."""
        push, file = shown_push(standing), shown_file(standing)
        there = autograded_path(self.course, student.id, standing.assignment).exists()
        if push is None or file is None or (there and not changed):
            return
        try:
            content = self.read(GradingTask(standing.assignment, file, student, [(student.id, push.commit)]))
        except RemoteFailed as error:
            yield f"{student.id}, {standing.assignment}: the formgrader cannot show it: {error}"
            return
        write_autograded(self.course, self.exams[standing.assignment], student.id, file.blob, content)


def _counted(standing: Standing) -> list[PartStanding]:
    return [part for part in standing.parts if part.state in {PartState.GRADED, PartState.LATE}]


def _update_grades(notebook: Any, counted: Sequence[PartStanding]) -> set[str]:
    """Enter the automatic points; return the exercises that have others than before."""
    results = {exercise.id: exercise for part in counted for exercise in part.automatic}
    new = set()
    for grade in notebook.grades:
        result = results.get(grade.cell.name)
        waits = result is not None and result.status is Status.TO_BE_MARKED
        if _set(grade, auto_score=None if waits else (result.points if result else 0.0)):
            new.add(grade.cell.name)
        if grade.manual_score is None and _set(grade, needs_manual_grade=waits):
            new.add(grade.cell.name)
    return new


def _set(entry: Any, **values: object) -> bool:
    different = {name: value for name, value in values.items() if getattr(entry, name) != value}
    for name, value in different.items():
        setattr(entry, name, value)
    return bool(different)


def _penalty(part: PartStanding) -> float:
    return (1.0 - part.factor) * sum(exercise.points for exercise in part.exercises)


def _extension(assignment: Assignment, standing: Standing) -> Any:
    """How much later than everybody's the student's last deadline is, None if it is not."""
    everybody = max((part.deadline for part in assignment.parts if part.deadline), default=None)
    own = max((part.deadline for part in standing.parts if part.deadline), default=None)
    return own - everybody if own and everybody and own != everybody else None


def _naive(moment: datetime | None) -> datetime | None:
    """nbgrader keeps times in UTC without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None
