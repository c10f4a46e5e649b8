"""Exams in nbgrader's gradebook: which it knows, and room made for those that changed."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from nbgrader import api

from autograder.course.configuration import Course
from autograder.course.errors import ExamError
from autograder.course.exam import Exam
from autograder.course.names import name_assignment, name_notebook
from autograder.gradebook.formgrader_marks import read_marks
from autograder.gradebook.gradebook_database import open_gradebook

Cells = set[tuple[str, str, float]]  # kind, nbgrader's id and points of each cell


def enter_exam(course: Course, exam: Exam) -> None:
    """Enter an exam as it is now, unless the gradebook knows it."""
    if clear_outdated_exam(course, exam):
        # Not at the top: nbgrader's converters take a quarter of a second to load, and most runs
        # find the exam as it was.
        from autograder.gradebook.assignment_conversion import enter_assignment

        enter_assignment(course, exam.assignment)


def knows_exam(course: Course, exam: Exam) -> bool:
    """Return whether the gradebook knows an exam with the cells and points it has now."""
    with open_gradebook(course) as book:
        return _find_known_cells(book, exam.assignment) == _list_cells(exam)


def clear_outdated_exam(course: Course, exam: Exam) -> bool:
    """Return whether the gradebook does not know an exam as it is now, after clearing away what it
    knows instead.

    nbgrader refuses to add cells to an assignment, or take some out, once it was handed in. Marks that people gave are
    in the record before anything goes, and come back with `update_gradebook`.
    """
    with open_gradebook(course) as book:
        known = _find_known_cells(book, exam.assignment)
        if known == _list_cells(exam):
            return False
        whole = name_assignment(exam.assignment)
        if known and book.assignment_submissions(whole):
            # Removing an assignment removes its marks, too.
            read_marks(course, _read_exams(course, exam), book, datetime.now(UTC))
            book.remove_assignment(whole)
        return True


def _read_exams(course: Course, exam: Exam) -> dict[str, Exam]:
    """Return an exam, and those of all other notebooks that can be read: marks of these are read with
    its own, and which exercise a comment is about only its exam says.
    """
    exams = {exam.assignment: exam}
    for name in course.assignments:
        if name not in exams:
            with suppress(ExamError):
                exams[name] = course.read_exam(name)
    return exams


def _find_known_cells(book: api.Gradebook, assignment: str) -> Cells:
    try:
        notebook = book.find_notebook(name_notebook(assignment), name_assignment(assignment))
    except api.MissingEntry:
        return set()
    known: Cells = set()
    for cell in (*notebook.grade_cells, *notebook.task_cells):
        known.add(("grade", cell.name, cell.max_score))
    # A task cell is both: points are given for it, and comments below it.
    for cell in (*notebook.solution_cells, *notebook.task_cells):
        known.add(("solution", cell.name, 0.0))
    for cell in notebook.source_cells:
        known.add(("source", cell.name, 0.0))
    return known


def _list_cells(exam: Exam) -> Cells:
    wanted: Cells = set()
    for cell in exam.cells:
        if not cell.grade_id:
            continue
        if cell.graded:
            wanted.add(("grade", cell.grade_id, cell.points))
        if cell.solution:
            wanted.add(("solution", cell.grade_id, 0.0))
        # As nbgrader: it keeps the text of what it puts back, and a read-only cell is put back.
        if cell.graded or cell.solution or cell.locked:
            wanted.add(("source", cell.grade_id, 0.0))
    return wanted
