"""A class of 40 that made known mistakes of the course in shares we choose, really graded.

Every distinct notebook is graded once in the jail; students who wrote the same share its report. Half of those who
made a mistake pushed again, with it corrected.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from small_course import REPOSITORY

from autograder.auditing.audit_cases import CaseKind, build_cases
from autograder.course.configuration import Course, Part
from autograder.course.configuration_file import load_course
from autograder.course.exam import WHOLE, Exam
from autograder.course.reports import Report
from autograder.course.submissions import Clock, NotebookFile, Push, Student, Submission
from autograder.grader.examiner import Examiner
from autograder.record.ledger import StudentRecord
from autograder.record.ledger_entries import RecordedReport
from autograder.record.standings import Standing, judge_assignment
from autograder.rehearsal.student_roles import StudentDesk

HOMEWORK = "hw02_linear_regression"
SIZE = 40
# Known mistakes and the students who make them, of 40; the rest is right at once.
MADE_BY = {
    "forgot_the_mean": 12,
    "mean_over_outputs_too": 8,
    "without_the_half": 5,
    "bias_as_a_column": 4,
    "one_half_times_m": 3,
    "weights_transposed": 2,
}
RIGHT = ""
DEADLINE = datetime.fromisoformat("2027-03-06T23:59:00+01:00")


@cache
def read_course() -> tuple[Course, Exam]:
    """The course with one homework, and its exam."""
    course = load_course(REPOSITORY / "grading_config.py")
    assignment = replace(course.assignments[HOMEWORK], parts=(Part(WHOLE, ("*",), DEADLINE),))
    return replace(course, assignments={HOMEWORK: assignment}), course.read_exam(HOMEWORK)


def write_notebooks() -> dict[str, bytes]:
    """The right notebook, and one for each mistake."""
    course, exam = read_course()
    released = json.loads(course.release_path(HOMEWORK).read_text(encoding="utf-8"))
    desk = StudentDesk("somebody", exam, released)
    notebooks = {RIGHT: desk.notebook(desk.answers)}
    for case in build_cases(exam):
        if case.kind is CaseKind.MISTAKE and case.name in MADE_BY:
            notebooks[case.name] = desk.notebook({**desk.answers, **dict(case.changes)})
    return notebooks


def grade_notebooks() -> dict[str, Report]:
    """The report of each notebook."""
    course, exam = read_course()
    with Examiner(course.limits) as examiner:
        return {
            name: examiner.examine(
                exam, Submission(HOMEWORK, f"{name or 'right'}.ipynb", content)
            ).report
            for name, content in write_notebooks().items()
        }


def assign_mistakes() -> list[str]:
    """The mistake of each student."""
    made = [name for name, number in MADE_BY.items() for _ in range(number)]
    return made + [RIGHT] * (SIZE - len(made))


def make_class(
    reports: Mapping[str, Report],
) -> tuple[list[Student], dict[str, StudentRecord], dict[str, dict[str, Standing]]]:
    """The students, their records and where they stand; of each mistake's students the even ones corrected it."""
    course, exam = read_course()
    students = []
    records = {}
    standings = {}
    for number, mistake in enumerate(assign_mistakes()):
        student = Student(
            f"student-{number + 1:02d}", f"https://example.org/student-{number + 1}/course"
        )
        begin = DEADLINE - timedelta(days=5, minutes=-13 * number)
        states = [mistake, RIGHT] if mistake and number % 2 == 0 else [mistake]
        record = StudentRecord(student.id)
        for step, state in enumerate(states):
            time = begin + timedelta(hours=(2 + number % 7) * step)
            blob = f"{state or 'right'} of {student.id}"
            file = NotebookFile(f"assignments/{HOMEWORK}/{HOMEWORK}_solved.ipynb", blob, 20_000)
            commit = f"{number:02x}{step:x}".ljust(40, "f")
            push = Push(student.id, commit, "master", time, Clock.SERVER, (file,))
            graded = RecordedReport(commit, blob, time + timedelta(minutes=3), reports[state])
            record = replace(record, pushes=(*record.pushes, push), graded=(*record.graded, graded))
        students.append(student)
        records[student.id] = record
        standing = judge_assignment(course, course.assignments[HOMEWORK], exam, student, record, {})
        standings[student.id] = {HOMEWORK: standing}
    return students, records, standings
