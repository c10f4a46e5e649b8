"""Marks that a person gives in nbgrader's formgrader: read into the record, and put back from it.

Gradebook and record are two copies of the same marks, and both can change: a person enters marks in one, another
machine's come into the other. What both last agreed on is kept in a table of ours in the gradebook. So a mark that
was taken back can be told from a gradebook that was made anew, and a mark is never overwritten by an older one.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nbgrader import api
from sqlalchemy import (
    Boolean,
    Column,
    Float,
    MetaData,
    String,
    Table,
    Text,
    delete,
    insert,
    or_,
    select,
)

from autograder.course.configuration import Course
from autograder.course.errors import Wall, no_wall
from autograder.course.exam import Exam
from autograder.course.names import find_name_fault
from autograder.gradebook.autograded_notebooks import shown_blob
from autograder.record.ledger import Ledger
from autograder.record.manual_marks import ManualMark, newest_marks

Key = tuple[str, str]  # nbgrader's id of a submitted notebook, exercise
Given = tuple[float | None, float, tuple[tuple[str, str], ...]]  # as ManualMark.given
AGREED = Table(
    "autograder_mark",
    MetaData(),
    # As long as nbgrader's own columns: PostgreSQL refuses what is longer.
    Column("notebook_id", String(32), primary_key=True),
    Column("exercise", String(128), primary_key=True),
    Column("points", Float),
    Column("extra", Float, nullable=False),
    Column("comments", Text, nullable=False),
    Column("flagged", Boolean, nullable=False),
)


@dataclass(frozen=True)
class EnteredMark:
    """What the gradebook holds of an exercise; `flagged` when a person is asked to look at it."""

    given: Given = (None, 0.0, ())
    flagged: bool = False


@dataclass(frozen=True)
class NewMark:
    """A mark that a person entered; or only `confirmed`, when it was to be looked at again."""

    student: str
    assignment: str
    exercise: str
    given: Given
    confirmed: bool


BLANK = EnteredMark()


def read_marks(
    course: Course,
    exams: Mapping[str, Exam],
    book: api.Gradebook,
    now: datetime,
    wall: Wall = no_wall,
) -> int:
    """Append to the record what a person entered in the gradebook since it was last read; return
    how many marks.

    A mark that was only confirmed, after the student pushed anew, is appended too: the person has seen that notebook.
    """
    ledger = Ledger.of(course)
    number = 0
    # Each mark has a wall of its own: a record that cannot be written keeps nobody else's back.
    for new in find_new_marks(course, exams, book):
        with wall(f"{new.student}: marks by hand stay in the gradebook for now"):
            known = newest_marks(ledger.read(new.student).marks, new.assignment)
            recorded = known[new.exercise].given if new.exercise in known else BLANK.given
            if not new.confirmed and new.given == recorded:
                continue  # another machine's gradebook had it first
            shown = shown_blob(course, new.student, new.assignment)
            mark = ManualMark(new.assignment, new.exercise, now, *new.given, notebook=shown)
            ledger.add_mark(new.student, mark)
            number += 1
    return number


def find_new_marks(
    course: Course, exams: Mapping[str, Exam], book: api.Gradebook
) -> Iterator[NewMark]:
    """Yield what a person entered or confirmed since gradebook and record last agreed."""
    AGREED.metadata.create_all(book.engine)
    agreed = read_agreed(book)
    entered = _read_entered(book, course, exams, agreed)
    touched: dict[str, set[str]] = {}
    for notebook, exercise in (*agreed, *entered):
        touched.setdefault(notebook, set()).add(exercise)
    for notebook, (student, assignment) in _find_notebooks(book, course, touched).items():
        for exercise in sorted(touched[notebook]):
            here = entered.get((notebook, exercise), BLANK)
            before = agreed.get((notebook, exercise), BLANK)
            same = here.given == before.given
            confirmed = same and before.flagged and not here.flagged and here.given != BLANK.given
            if confirmed or not same:
                yield NewMark(student, assignment, exercise, here.given, confirmed)


def put_marks(
    book: api.Gradebook,
    exam: Exam,
    notebook: Any,
    marks: Sequence[ManualMark],
    shown: str,
    new: Container[str],
    agreed: Mapping[Key, EnteredMark],
) -> bool:
    """Put the record's marks of a submitted notebook into the gradebook, and ask a person to look
    again where needed.

    Parameters
    ----------
    notebook : nbgrader.api.SubmittedNotebook
        Where they belong.
    marks : sequence of ManualMark
        One of each exercise that has any, withdrawn ones among them.
    shown : str
        Blob of the notebook that the formgrader shows from now on.
    new : container of str
        Exercises that have other automatic points than before.
    agreed : mapping
        What `read_agreed` returned of this notebook, at least.

    Returns
    -------
    bool
        Whether anything in the gradebook changed.
    """
    if not marks:
        return False
    grades = {grade.cell.name: grade for grade in notebook.grades}
    comments_of = _group_comments(exam, notebook)
    changed = False
    for mark in marks:
        grade = grades.get(mark.exercise)
        if grade is None:
            continue  # of an exercise there is no more
        comments = comments_of.get(mark.exercise, [])
        before = agreed.get((notebook.id, mark.exercise))
        here = _given(grade, comments)
        if here not in (mark.given, (before or BLANK).given):
            continue  # entered this moment: the next run reads it
        if here != mark.given:
            _give(grade, comments, mark)
        if mark.points is not None:
            # Given for another answer than the one there is now: it stays, and somebody looks.
            again = before is not None and (grade.needs_manual_grade or mark.exercise in new)
            grade.needs_manual_grade = again or mark.notebook != shown
        now = EnteredMark(mark.given, bool(grade.needs_manual_grade))
        if now != before:
            _agree(book, (notebook.id, mark.exercise), now)
            changed = True
    return changed


def _find_owners(exam: Exam) -> dict[str, str]:
    """Which exercise a comment below a cell is about: the one that cell answers, else the last."""
    last = exam.exercises[-1].id
    owners = {}
    for cell in exam.cells:
        if cell.solution:
            owners[cell.grade_id] = last
    for exercise in exam.exercises:
        owners |= dict.fromkeys(exercise.solutions, exercise.id)
    return owners


def _group_comments(exam: Exam, notebook: Any) -> dict[str, list[api.Comment]]:
    """Return the comments of a submitted notebook by the exercise each is about."""
    owners = _find_owners(exam)
    comments: dict[str, list[api.Comment]] = {}
    for comment in notebook.comments:
        if comment.cell.name in owners:
            comments.setdefault(owners[comment.cell.name], []).append(comment)
    return comments


def _given(grade: api.Grade, comments: Iterable[api.Comment]) -> Given:
    written = []
    for entry in comments:
        if entry.manual_comment:
            written.append((entry.cell.name, entry.manual_comment))
    # Sorted: the database gives its rows in no order, and equal marks have to be equal.
    return grade.manual_score, grade.extra_credit or 0.0, tuple(sorted(written))


def _give(grade: api.Grade, comments: Iterable[api.Comment], mark: ManualMark) -> None:
    grade.manual_score = mark.points
    grade.extra_credit = mark.extra or None
    texts = dict(mark.comments)
    for comment in comments:
        comment.manual_comment = texts.get(comment.cell.name)


# ----------------------------------------------------------------------------------------------- from and to the tables


def read_agreed(
    book: api.Gradebook, notebooks: Sequence[str] | None = None
) -> dict[Key, EnteredMark]:
    """Return what gradebook and record last agreed on, of all submitted notebooks or of some."""
    query = select(AGREED)
    if notebooks is not None:
        query = query.where(AGREED.c.notebook_id.in_(notebooks))
    agreed = {}
    for row in book.db.execute(query):
        given = (row.points, row.extra, _read_comments(row.comments))
        agreed[row.notebook_id, row.exercise] = EnteredMark(given, row.flagged)
    return agreed


def _agree(book: api.Gradebook, key: Key, now: EnteredMark) -> None:
    points, extra, comments = now.given
    notebook, exercise = key
    book.db.execute(
        delete(AGREED).where(AGREED.c.notebook_id == notebook, AGREED.c.exercise == exercise)
    )
    values = {
        "points": points,
        "extra": extra,
        "comments": json.dumps(comments),
        "flagged": now.flagged,
    }
    book.db.execute(insert(AGREED).values(notebook_id=notebook, exercise=exercise, **values))


def _read_comments(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((cell, comment) for cell, comment in json.loads(text))


def _find_notebooks(
    book: api.Gradebook, course: Course, wanted: Container[str]
) -> dict[str, tuple[str, str]]:
    """Return student and assignment of submitted notebooks, by nbgrader's id; students of
    impossible names left out.
    """
    rows = book.db.execute(
        select(
            api.SubmittedNotebook.id,
            api.SubmittedAssignment.student_id,
            api.Assignment.name,
            api.Notebook.name,
        )
        .join(api.Notebook, api.SubmittedNotebook.notebook_id == api.Notebook.id)
        .join(
            api.SubmittedAssignment,
            api.SubmittedNotebook.assignment_id == api.SubmittedAssignment.id,
        )
        .join(api.Assignment, api.SubmittedAssignment.assignment_id == api.Assignment.id)
    )
    found = {}
    for submitted, student, assignment, notebook in rows:
        # A student's id becomes the name of a file of the ledger.
        if submitted in wanted and not find_name_fault(student):
            found[submitted] = (student, course.name_notebook(assignment, notebook))
    return found


def _read_entered(
    book: api.Gradebook,
    course: Course,
    exams: Mapping[str, Exam],
    agreed: Mapping[Key, EnteredMark],
) -> dict[Key, EnteredMark]:
    """Return all that people entered, by submitted notebook and exercise."""
    marks: dict[Key, tuple[float | None, float, bool]] = {}
    comments: dict[Key, list[tuple[str, str]]] = {}
    grade = api.Grade
    comment = api.Comment
    # Selects instead of nbgrader's objects: those ask the database once for each cell.
    for row in book.db.execute(
        select(
            grade.notebook_id,
            api.BaseCell.name,
            grade.manual_score,
            grade.extra_credit,
            grade.needs_manual_grade,
        )
        .join(api.BaseCell, grade.cell_id == api.BaseCell.id)
        .where(or_(grade.manual_score.is_not(None), grade.extra_credit != 0))
    ):
        marks[row[0], row[1]] = row[2], row[3] or 0.0, row[4]
    owners = {name: _find_owners(exam) for name, exam in exams.items()}
    # Which exercise a comment is about only the exam says. While there is none, what was read before
    # does, or the comment would be taken back.
    known = {}
    for (notebook, exercise), mark in agreed.items():
        for cell, _ in mark.given[2]:
            known[notebook, cell] = exercise
    for row in book.db.execute(
        select(
            comment.notebook_id,
            api.BaseCell.name,
            comment.manual_comment,
            api.Assignment.name,
            api.Notebook.name,
        )
        .join(api.BaseCell, comment.cell_id == api.BaseCell.id)
        .join(api.Notebook, api.BaseCell.notebook_id == api.Notebook.id)
        .join(api.Assignment, api.Notebook.assignment_id == api.Assignment.id)
        .where(comment.manual_comment.is_not(None), comment.manual_comment != "")
    ):
        owner = owners.get(course.name_notebook(row[3], row[4]))
        about = known.get((row[0], row[1])) if owner is None else owner.get(row[1])
        exercise = about or row[1]
        comments.setdefault((row[0], exercise), []).append((row[1], row[2]))
    found = {}
    for key in {*marks, *comments}:
        points, extra, flagged = marks.get(key, (None, 0.0, False))
        found[key] = EnteredMark((points, extra, tuple(sorted(comments.get(key, ())))), flagged)
    return found
