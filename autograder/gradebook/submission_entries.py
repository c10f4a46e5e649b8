"""Submissions entered into nbgrader's gradebook, and shown in its formgrader, many at once.

A batch of students is read with a few selects, changed in memory, and committed as one: nbgrader's own methods commit
after each row and select each row by itself. What is entered is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbgrader import api
from sqlalchemy import insert, select
from sqlalchemy.orm import selectinload

from autograder.course.configuration import Course
from autograder.course.errors import RemoteFailed
from autograder.course.exam import Exam
from autograder.course.faults import reached
from autograder.course.names import name_notebook
from autograder.course.submissions import Student
from autograder.git.store_batches import StoredBlob, read_from_stores
from autograder.gradebook.autograded_notebooks import shows_blob, write_autograded
from autograder.gradebook.counted_submissions import count_submission, uncount_submission
from autograder.gradebook.formgrader_marks import put_marks, read_agreed
from autograder.gradebook.wanted_submissions import WantedSubmission, waits_for_mark
from autograder.record.open_tasks import GradingTask, outputs_path

BATCH = 100  # students: few commits, and no more than some thousand rows in memory at once
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class EnteredBatch:
    """What a batch came to: who is entered, and a sentence for each notebook that cannot be
    shown.
    """

    entered: tuple[WantedSubmission, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class SubmissionEntries:
    """Enters submissions into an open gradebook.

    Attributes
    ----------
    read : callable
        Returns the bytes of a notebook that was pushed once, wherever it still is.
    """

    course: Course
    exams: Mapping[str, Exam]
    book: api.Gradebook
    read: Callable[[GradingTask], bytes]

    def enter(self, wanted: Sequence[WantedSubmission]) -> EnteredBatch:
        """Enter submissions of some students, and commit them together.

        Notebooks are written before the commit: who is killed between finds rows that still are to be changed.
        """
        book = self.book
        self._enter_students(wanted)
        # Held here, so that no row asks the database for its own cell.
        cells = list(book.db.scalars(select(api.BaseCell)))
        self._add_missing(wanted)
        submissions = self._load_submissions(wanted)
        notebooks: list[str] = []
        for submission in submissions.values():
            notebooks += [notebook.id for notebook in submission.notebooks]
        agreed = read_agreed(book, notebooks)
        changed = []
        left_over = []
        counted: dict[tuple[str, str], Any] = {}
        # SQLAlchemy would write before each select, row by row; the commit writes all at once.
        with book.db.no_autoflush:
            for entry in wanted:
                submission = submissions.get(entry.key)
                if entry.is_counted:
                    counted[entry.key] = submission
                    if self._change(submission, entry, agreed):
                        changed.append(entry)
                elif submission is not None and not entry.waits:
                    left_over.append(entry.key)
        for (student, assignment), row in counted.items():
            count_submission(self.course, student, assignment, row.timestamp)
        shown, sentences = self._show(wanted, {entry.name for entry in changed})
        reached("gradebook: before a commit")
        book.db.commit()
        reached("gradebook: committed")
        # The next batch would drag these rows along: memory and every flush grow with the class.
        del cells
        book.db.expunge_all()
        for student, assignment in dict.fromkeys(left_over):
            book.remove_submission(assignment, student)
            uncount_submission(self.course, student, assignment)
        return EnteredBatch(tuple(shown), tuple(sentences))

    def _enter_students(self, wanted: Sequence[WantedSubmission]) -> None:
        students = _list_students(wanted)
        known = {}
        for row in self.book.db.scalars(
            select(api.Student).where(api.Student.id.in_(list(students)))
        ):
            known[row.id] = row
        new: Rows = []
        for student in students.values():
            if student.id in known:
                set_changed(known[student.id], **_student_columns(student))
            else:
                new.append({"id": student.id, **_student_columns(student)})
        if new:
            self.book.db.execute(insert(api.Student), new)

    def _add_missing(self, wanted: Sequence[WantedSubmission]) -> None:
        """Add the rows that nbgrader's `add_submission` makes, for all submissions that have
        none.
        """
        there = self._list_entered(wanted)
        assignments: dict[str, Any] = {}
        for row in self.book.db.scalars(select(api.Assignment)):
            assignments[row.name] = row
        submissions: Rows = []
        notebooks: Rows = []
        grades: Rows = []
        comments: Rows = []
        for entry in wanted:
            if not entry.is_counted or entry.key in there:
                continue
            there.add(entry.key)
            assignment = assignments[entry.key[1]]
            submission = {
                "id": api.new_uuid(),
                "assignment_id": assignment.id,
                "student_id": entry.student.id,
            }
            submissions.append(submission)
            for notebook in assignment.notebooks:
                own = {
                    "id": api.new_uuid(),
                    "notebook_id": notebook.id,
                    "assignment_id": submission["id"],
                }
                notebooks.append(own)
                grades += _blank_rows((*notebook.grade_cells, *notebook.task_cells), own["id"])
                comments += _blank_rows((*notebook.solution_cells, *notebook.task_cells), own["id"])
        # In this order: a row refers to those of the tables before it.
        for table, rows in (
            (api.SubmittedAssignment, submissions),
            (api.SubmittedNotebook, notebooks),
            (api.Grade, grades),
            (api.Comment, comments),
        ):
            if rows:
                self.book.db.execute(insert(table), rows)

    def _list_entered(self, wanted: Sequence[WantedSubmission]) -> set[tuple[str, str]]:
        submission = api.SubmittedAssignment
        assignment = api.Assignment
        rows = self.book.db.execute(
            select(submission.student_id, assignment.name)
            .join(assignment, submission.assignment_id == assignment.id)
            .where(submission.student_id.in_(list(_list_students(wanted))))
        )
        return {(student, name) for student, name in rows}

    def _load_submissions(self, wanted: Sequence[WantedSubmission]) -> dict[tuple[str, str], Any]:
        notebooks = selectinload(api.SubmittedAssignment.notebooks)
        rows = self.book.db.scalars(
            select(api.SubmittedAssignment)
            .where(api.SubmittedAssignment.student_id.in_(list(_list_students(wanted))))
            .options(
                selectinload(api.SubmittedAssignment.assignment),
                notebooks.selectinload(api.SubmittedNotebook.notebook),
                notebooks.selectinload(api.SubmittedNotebook.grades),
                notebooks.selectinload(api.SubmittedNotebook.comments),
            )
        )
        return {(row.student_id, row.assignment.name): row for row in rows}

    def _change(self, submission: Any, wanted: WantedSubmission, agreed: Mapping[Any, Any]) -> bool:
        """Make a submission what it is to be; return whether anything changed."""
        name = name_notebook(wanted.assignment)
        notebook = next(entry for entry in submission.notebooks if entry.name == name)
        changed = set_changed(submission, timestamp=wanted.timestamp, extension=wanted.extension)
        changed |= set_changed(notebook, late_submission_penalty=wanted.penalty)
        new = _update_grades(notebook, wanted)
        exam = self.exams[wanted.assignment]
        marked = put_marks(self.book, exam, notebook, wanted.marks, wanted.blob, new, agreed)
        return changed or marked or bool(new)

    def _show(
        self, wanted: Sequence[WantedSubmission], changed: set[str]
    ) -> tuple[list[WantedSubmission], list[str]]:
        """Write the notebooks for the formgrader that are not there, or not any more what they
        should be.

        Return whose gradebook and formgrader are complete now, and a sentence for each that cannot be shown.
        """
        stale = []
        complete = set()
        for entry in wanted:
            if self._has_to_be_shown(entry, changed):
                stale.append(entry)
            else:
                complete.add(entry.name)
        sentences = []
        for entry, content in self._read_notebooks(stale):
            if isinstance(content, RemoteFailed):
                about = f"{entry.student.id}, {entry.assignment}"
                sentences.append(f"{about}: the formgrader cannot show it: {content}")
                continue
            exam = self.exams[entry.assignment]
            write_autograded(self.course, exam, entry.student.id, entry.blob, content)
            complete.add(entry.name)
        return [entry for entry in wanted if entry.name in complete], sentences

    def _has_to_be_shown(self, wanted: WantedSubmission, changed: set[str]) -> bool:
        """Whether the formgrader's notebook is not there, or not any more what it should be."""
        if not wanted.is_counted or wanted.file is None:
            return False
        shown = shows_blob(self.course, wanted.student.id, wanted.assignment, wanted.blob)
        # Outputs that are still there are newer than the notebook: they go once it has them.
        new_outputs = outputs_path(self.course, wanted.assignment, wanted.blob).exists()
        return wanted.name in changed or not shown or new_outputs

    def _read_notebooks(
        self, wanted: Sequence[WantedSubmission]
    ) -> Iterator[tuple[WantedSubmission, bytes | RemoteFailed]]:
        """Yield the notebooks' bytes: from the stores all at once, what is not there one by one."""
        files = []
        for entry in wanted:
            if entry.file is not None:
                store = self.course.forks / f"{entry.student.id}.git"
                files.append(StoredBlob(store, entry.file.blob, entry.file.size))
        found = read_from_stores(files)
        for entry in wanted:
            if entry.file is None or entry.push is None:
                continue
            content = next(found)
            if content is not None:
                yield entry, content
                continue
            waiting = [(entry.student.id, entry.push.commit)]
            try:
                yield (
                    entry,
                    self.read(GradingTask(entry.assignment, entry.file, entry.student, waiting)),
                )
            except RemoteFailed as error:
                yield entry, error


def _student_columns(student: Student) -> dict[str, str | None]:
    first, _, last = student.name.rpartition(" ")
    return {"first_name": first or None, "last_name": last or None, "email": student.email or None}


def _blank_rows(cells: Iterable[Any], notebook: str) -> Rows:
    rows = []
    for cell in cells:
        rows.append({"id": api.new_uuid(), "cell_id": cell.id, "notebook_id": notebook})
    return rows


def _list_students(wanted: Sequence[WantedSubmission]) -> dict[str, Student]:
    """Return the students of submissions, by id."""
    return {entry.student.id: entry.student for entry in wanted}


def _update_grades(notebook: Any, wanted: WantedSubmission) -> set[str]:
    """Enter the automatic points; return the exercises that have others than before."""
    results = {result.id: result for result in wanted.results}
    new = set()
    for grade in notebook.grades:
        exercise = grade.cell.name
        result = results.get(exercise)
        # Without an automatic score the formgrader lists it among those that need a person.
        waits = waits_for_mark(result)
        points = result.points if result is not None else 0.0
        if set_changed(grade, auto_score=None if waits else points):
            new.add(exercise)
        if grade.manual_score is None and set_changed(grade, needs_manual_grade=waits):
            new.add(exercise)
    return new


def set_changed(row: Any, **values: object) -> bool:
    """Set columns of a row to values, where they are others; return whether one was."""
    changed = False
    for name, value in values.items():
        # Setting what is there already would make SQLAlchemy write the row.
        if getattr(row, name) != value:
            setattr(row, name, value)
            changed = True
    return changed
