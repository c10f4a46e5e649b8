"""A whole term of twenty homework for the pages: who has not begun, who is in the middle of it, who has done it all.

The one in the middle has pushed 300 times. It is the practice class's Sunday of March 2027: ten homework are over, one
is due in six days, nine are not released.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pages_class import (
    NOW,
    SENTENCES,
    PracticeClass,
    Work,
    make_course,
)

from autograder.course.configuration import Assignment, Part
from autograder.course.exam import WHOLE, Exam, Exercise, SourceCell
from autograder.course.reports import Criterion, CriterionOutcome, ExerciseResult, Report, Status
from autograder.course.submissions import Clock, NotebookFile, Push, Student
from autograder.record.ledger import StudentRecord
from autograder.record.ledger_entries import RecordedReport
from autograder.record.standings import judge_assignment

HOMEWORK = 20
EXERCISES = 7
RELEASED = 11
PUSHES = 300
HINT = (
    "dLdW and dLdb are M times too large: average over the examples, do not only sum. "
    "It happened in line 7 of cell 23: `dLdW = (Z - Y).T @ X`."
)


def name_of(number: int) -> str:
    """A homework's name."""
    return f"hw{number + 1:02d}_topic"


def deadline_of(number: int) -> datetime:
    """A homework's deadline: one a week, the first that is open is the eleventh."""
    return NOW.replace(hour=23, minute=59) + timedelta(days=6 + 7 * (number - RELEASED + 1))


def make_exam(number: int) -> Exam:
    """A homework's exam: its tasks have headings."""
    cells = []
    exercises = []
    for index in range(EXERCISES):
        identity = f"topic_{number + 1}_function_{index + 1}"
        cells.append(
            SourceCell("markdown", f"### Exercise: what function {index + 1} gives (3 points)")
        )
        cells.append(SourceCell("code", "", f"{identity}_solution", solution=True))
        cells.append(SourceCell("code", "", identity, graded=True, locked=True, points=3.0))
        exercises.append(
            Exercise(identity, WHOLE, 3.0, manual=False, solutions=(f"{identity}_solution",))
        )
    return Exam(name_of(number), tuple(cells), tuple(exercises))


def make_report(exam: Exam, solved: int) -> Report:
    """A report in which the first exercises are right and the next one has a known mistake."""
    results = []
    for index, exercise in enumerate(exam.exercises):
        met = 3 if index < solved else 1 if index == solved else 0
        outcomes = [CriterionOutcome.MET] * met + [CriterionOutcome.NOT_MET] * (3 - met)
        criteria = tuple(
            Criterion(sentence, float(outcome is CriterionOutcome.MET), 1.0, outcome)
            for sentence, outcome in zip(SENTENCES, outcomes, strict=True)
        )
        status = (Status.NOT_ATTEMPTED, Status.PARTIAL, Status.PASSED, Status.PASSED)[met]
        hint = HINT if index == solved else ""
        shown = criteria if met else ()
        results.append(ExerciseResult(exercise.id, WHOLE, float(met), 3.0, status, hint, shown))
    return Report(
        exam.assignment,
        f"{exam.assignment}_solved.ipynb",
        "graded",
        tuple(results),
        exam=exam.version,
    )


def make_record(student: str, pushes: int, homework: int, *, best: int) -> StudentRecord:
    """A record in which one homework after the other gets better push by push, up to `best` exercises."""
    record = Work(student).record
    made: list[Push] = []
    graded: list[RecordedReport] = []
    files: dict[str, NotebookFile] = {}
    each = pushes // homework
    for index in range(each * homework):
        number, step = divmod(index, each)
        exam = make_exam(number)
        blob = f"{index:040x}"
        path = f"assignments/{exam.assignment}/{exam.assignment}_solved.ipynb"
        files[path] = NotebookFile(path, blob, 20_000)
        time = deadline_of(number) - timedelta(days=6.9) + timedelta(minutes=7 * step)
        commit = f"{index * 7919 + 1:07x}{blob}"[:40]
        made.append(Push(student, commit, "master", time, Clock.SERVER, tuple(files.values())))
        solved = min(best, 1 + step * EXERCISES // max(each - 1, 1))
        graded.append(
            RecordedReport(commit, blob, time + timedelta(minutes=5), make_report(exam, solved))
        )
    return StudentRecord(record.student or student, tuple(made), tuple(graded))


def term_class() -> PracticeClass:
    """Return the class of three."""
    assignments = {}
    exams = {}
    for number in range(HOMEWORK):
        name = name_of(number)
        part = Part(WHOLE, ("*",), deadline_of(number))
        assignments[name] = Assignment(
            name, f"Topic {number + 1}, and what it is good for", (part,)
        )
        exams[name] = make_exam(number)
    course = make_course(*assignments.values())
    records = {
        "not-begun": StudentRecord("not-begun"),
        "mid-term": make_record("mid-term", PUSHES, RELEASED, best=5),
        "all-done": make_record("all-done", 2 * HOMEWORK, RELEASED, best=EXERCISES),
    }
    students = tuple(Student(name, f"https://example.org/{name}/course.git") for name in records)
    standings = {}
    for student in students:
        record = records[student.id]
        own = {}
        for index, (name, assignment) in enumerate(assignments.items()):
            is_released = index < RELEASED
            own[name] = judge_assignment(
                course, assignment, exams[name], student, record, {}, released=is_released
            )
        standings[student.id] = own
    return PracticeClass(course, exams, standings, records, students)
