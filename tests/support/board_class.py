"""A class of four who want to be on a leaderboard, built by hand from what was measured of their pushes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pages_class import ARRAYS, NOW, PracticeClass, practice_class

from autograder.course.leaderboard import Leaderboard
from autograder.course.reports import BoardEntry, Report
from autograder.course.submissions import Clock, NotebookFile, Push, Student
from autograder.record.ledger import StudentRecord
from autograder.record.ledger_entries import RecordedReport
from autograder.record.standings import judge_assignment

MEASURED = Leaderboard("Digits read right, of 1,000", False, "1")
STUDENTS = (
    Student("ab12cd", "https://example.org/margit77/course", "Margit Kovács", "mk@example.org"),
    Student("ef34gh", "https://example.org/octo/course", "Ann Lee", number="20260417"),
    Student("ij56kl", "git@example.org:winnie-the-b/course.git", account="winnie-the-b"),
    Student("mn78op", "/forks/mn78op.git"),
    Student("qr90st", "/forks/qr90st.git"),
)


class Pushes:
    """Makes a student's record: one push a call, each with what was measured of it."""

    def __init__(self, student: str) -> None:
        self.record = StudentRecord(student)

    def push(self, day: float, code_name: str | None, score: float | None = 1.0) -> Pushes:
        record = self.record
        number = len(record.pushes)
        moment = NOW + timedelta(days=day)
        blob = f"{record.student}-{number}"
        file = NotebookFile(
            f"assignments/{ARRAYS}/{ARRAYS}_solved.ipynb", blob, 10, ARRAYS, ("graded_vec_i",)
        )
        commit = f"{number:040}"
        push = Push(record.student, commit, "master", moment, Clock.SERVER, (file,))
        entry = None if code_name is None else BoardEntry(code_name, score)
        report = Report(ARRAYS, file.path, "graded", (), exam="v", entry=entry)
        graded = RecordedReport(commit, blob, moment, report)
        self.record = replace(
            record, pushes=(*record.pushes, push), graded=(*record.graded, graded)
        )
        return self


def make_class(*pushes: Pushes, less_is_better: bool = False) -> PracticeClass:
    """Return the practice class with these students and records."""
    small = practice_class()
    board = replace(MEASURED, less_is_better=less_is_better)
    exams = dict(small.exams) | {ARRAYS: replace(small.exams[ARRAYS], leaderboard=board)}
    records = {maker.record.student: maker.record for maker in pushes}
    standings = {}
    for student in STUDENTS:
        record = records.setdefault(student.id, StudentRecord(student.id))
        standings[student.id] = {
            name: judge_assignment(small.course, assignment, exams[name], student, record, {})
            for name, assignment in small.course.assignments.items()
        }
    return replace(small, exams=exams, records=records, standings=standings, students=STUDENTS)


def whole_board() -> PracticeClass:
    """Return a class with everything a board can say: ranks, a tie, a refused name, nothing measured."""
    return make_class(
        Pushes("ab12cd").push(-4, "?", 930.0),
        Pushes("ef34gh").push(-3, "Árvíztűrő Crow", 940.0),
        Pushes("ij56kl").push(-2, "Pangolin", 930.0),
        Pushes("mn78op").push(-1, "<b>", 999.0),
        Pushes("qr90st").push(-1, "Bee", None),
    )
