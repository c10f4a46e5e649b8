"""A class whose first assignment has three notebooks, with blanks and letters in their names.

It is the practice class's Sunday of March 2027. One student has handed in one notebook, one all of them, late; one has
pushed nothing; for one everything is right; the second assignment has a notebook only.
"""

from __future__ import annotations

from dataclasses import replace

from pages_class import (
    ARRAYS,
    MEAN_HINT,
    SET_NOTEBOOKS,
    PracticeClass,
    Work,
    at,
    exam,
    full,
    make_course,
    result,
)

from autograder.course.configuration import Assignment, LateRule, Part
from autograder.course.exam import WHOLE
from autograder.course.reports import Status
from autograder.course.submissions import Student
from autograder.record.assignment_standings import judge_notebooks
from autograder.record.ledger import StudentRecord

VECTORS, GRADIENTS, FIT = SET_NOTEBOOKS


def several_class() -> PracticeClass:
    """Return the class as it stands."""
    of_set = (Part(WHOLE, ("*",), at("03-09 23:59")),)
    late = LateRule(per_day=0.1, days=3)
    entries = [Assignment(name, "Vectors and gradients", of_set, late) for name in SET_NOTEBOOKS]
    entries.append(
        Assignment(ARRAYS, "Arrays and matrices", (Part(WHOLE, ("*",), at("03-05 23:59")),))
    )
    course = make_course(*entries)
    wrong_gradients = full(GRADIENTS) | {
        "linreg_gradients": result("linreg_gradients", WHOLE, 1.5, 4.0, Status.PARTIAL, MEAN_HINT),
        "norm": result("norm", WHOLE, 0.0, 1.0, Status.FAILED),
    }
    nothing = replace(Work("nothing-pushed"), record=StudentRecord("nothing-pushed"))
    makers = (
        Work("one-of-three")
        .push("03-01 10:00", {VECTORS: full(VECTORS, norm=Status.FAILED)})
        .push("03-05 10:00", {VECTORS: full(VECTORS), ARRAYS: full(ARRAYS)}),
        Work("all-of-them")
        .push("03-02 18:00", {VECTORS: full(VECTORS)})
        .push("03-04 18:00", {GRADIENTS: wrong_gradients}, "Cell 7 failed: `NameError`.")
        .push("03-06 18:00", {FIT: full(FIT, linreg_fit=Status.FAILED)}),
        Work("all-right").push("03-03 12:00", {name: full(name) for name in SET_NOTEBOOKS}),
        nothing,
    )
    records = {work.student: work.record for work in makers}
    students = tuple(Student(name, f"https://example.org/{name}/course.git") for name in records)
    exams = {entry.name: exam(entry.name) for entry in entries}
    standings = {}
    for student in students:
        mine = {}
        for notebooks in course.list_notebooks().values():
            mine |= judge_notebooks(
                course,
                notebooks,
                exams,
                student,
                records[student.id],
                {},
                dict.fromkeys(exams, True),
            )
        standings[student.id] = mine
    return PracticeClass(course, exams, standings, records, students)
