"""nbgrader's gradebook and folders filled from the record, through nbgrader's own API.

A projection: it may be deleted and made again, except for marks a person gave in the formgrader, which live in the
database only and are never touched here.
"""

from __future__ import annotations

import json
import os
import sysconfig
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from nbgrader.api import Gradebook, MissingEntry

from autograder.collect import fork_of
from autograder.config import Assignment, Course
from autograder.errors import ConfigError
from autograder.exam import Exam, SourceCell
from autograder.grading import outputs_path
from autograder.notebooks import Unreadable, find_notebook, read_notebook
from autograder.records import ExerciseResult, Status, Student
from autograder.standings import PartStanding, Standing, State

Standings = Mapping[str, Mapping[str, Standing]]


def update_gradebook(
    course: Course, exams: Mapping[str, Exam], students: Sequence[Student], standings: Standings
) -> None:
    """Bring `gradebook.db` and the autograded notebooks up to the standings.

    Raises
    ------
    ConfigError
        If an assignment was never released into this gradebook.
    """
    put_tools_on_path()
    with Gradebook(course.database) as book:
        for assignment in course.assignments.values():
            _check_released(book, exams[assignment.name])
            deadlines = [part.deadline for part in assignment.parts if part.deadline]
            book.update_or_create_assignment(assignment.name, duedate=_naive(max(deadlines, default=None)))
        known = {student.id: student for student in book.students}
        for student in students:
            _update_student(book, student, known.get(student.id))
            for assignment in course.assignments.values():
                standing = standings[student.id][assignment.name]
                if _update_submission(book, assignment, student, standing):
                    write_autograded(course, exams[assignment.name], student, standing)


def put_tools_on_path() -> None:
    """Let nbgrader find `alembic`, which it starts by name, also where no virtual environment is activated."""
    folder = sysconfig.get_path("scripts")
    if folder not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", os.defpath)])


def _update_student(book: Gradebook, student: Student, known: Any) -> None:
    first, _, last = student.name.rpartition(" ")
    wanted = {"first_name": first or None, "last_name": last or None, "email": student.email or None}
    if known is None or any(getattr(known, name) != value for name, value in wanted.items()):
        book.update_or_create_student(student.id, **wanted)


def _check_released(book: Gradebook, exam: Exam) -> None:
    wanted = {exercise.id for exercise in exam.exercises}
    try:
        notebook = book.find_notebook(exam.assignment, exam.assignment)
        found = {cell.name for cell in (*notebook.grade_cells, *notebook.task_cells)}
    except MissingEntry:
        found = set()
    if found != wanted:
        raise ConfigError(
            f"the gradebook does not know {exam.assignment} as it is now; run `autograder release {exam.assignment}`"
        )


def _update_submission(book: Gradebook, assignment: Assignment, student: Student, standing: Standing) -> bool:
    """Enter one submission; return whether there was one and anything of it changed."""
    counted = [part for part in standing.parts if part.state in {State.GRADED, State.LATE}]
    pushes = [part.push.time for part in counted if part.push is not None]
    if not pushes:
        return False
    try:
        submission = book.find_submission(assignment.name, student.id)
    except MissingEntry:
        with book.db.no_autoflush:
            submission = book.add_submission(assignment.name, student.id)
    notebook = next(book for book in submission.notebooks if book.name == assignment.name)
    changed = _set(submission, timestamp=_naive(max(pushes)))
    changed |= _set(submission, extension=_extension(assignment, standing))
    changed |= _set(notebook, late_submission_penalty=sum(_penalty(part) for part in counted))
    results = {exercise.id: exercise for part in counted for exercise in part.exercises}
    for grade in notebook.grades:
        changed |= _update_grade(grade, results.get(grade.cell.name))
    if changed:
        book.db.commit()
    return changed


def _update_grade(grade: Any, result: ExerciseResult | None) -> bool:
    waits = result is not None and result.status is Status.TO_BE_MARKED
    points = None if waits else (result.points if result else 0.0)
    changed = _set(grade, auto_score=points)
    # as nbgrader does: a mark given by hand is looked at again when the automatic points changed
    needs = grade.manual_score is None if waits else (grade.manual_score is not None and changed)
    return _set(grade, needs_manual_grade=needs or (grade.needs_manual_grade and not changed)) or changed


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


# ---------------------------------------------------------------------------------------------- autograded notebooks


def write_autograded(course: Course, exam: Exam, student: Student, standing: Standing) -> None:
    """Write the notebook the formgrader shows: the student's cells with their outputs, the exam's tests restored."""
    push = next((part.push for part in reversed(standing.parts) if part.push and part.exercises), None)
    file = find_notebook(push.notebooks, exam.assignment) if push else None
    if file is None:
        return
    outputs = outputs_path(course, exam.assignment, file.blob)
    executed = {cell["number"]: cell for cell in json.loads(outputs.read_text())} if outputs.exists() else {}
    notebook = autograded_notebook(exam, fork_of(course, student).read(file.blob), executed)
    path = course.autograded / student.id / exam.assignment / f"{exam.assignment}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)


def autograded_notebook(exam: Exam, content: bytes, executed: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a notebook of format 4 from a submission and what its cells gave, by number from 1."""
    marks = {cell.grade_id: cell for cell in exam.cells if cell.grade_id}
    try:
        cells = read_notebook(content).cells
    except Unreadable:
        cells = ()
    written = []
    seen: set[str] = set()
    for number, cell in enumerate(cells, start=1):
        ran = executed.get(number, {})
        mark = marks.get(cell.grade_id) if cell.grade_id not in seen else None
        seen |= {cell.grade_id} if mark else set()
        source = mark.source if mark and (mark.is_test or mark.locked) else cell.source
        written.append(_cell(f"cell-{number}", cell.kind, source, mark, ran.get("outputs", [])))
    for mark in marks.values():
        if mark.graded and mark.grade_id not in seen:
            written.append(_cell(f"cell-{len(written) + 1}", mark.kind, mark.source, mark, []))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": written, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _cell(cell_id: str, kind: str, source: str, mark: SourceCell | None, outputs: Sequence[Any]) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if mark is not None:
        task = mark.graded and mark.solution and mark.kind == "markdown" and mark.locked
        metadata["nbgrader"] = {
            "grade": mark.graded and not task,
            "grade_id": mark.grade_id,
            "locked": mark.locked,
            "schema_version": 3,
            "solution": mark.solution and not task,
            "task": task,
        } | ({"points": mark.points} if mark.graded else {})
    cell = {"cell_type": kind, "id": cell_id, "metadata": metadata, "source": source}
    return cell | ({"execution_count": None, "outputs": list(outputs)} if kind == "code" else {})
