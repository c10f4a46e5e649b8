"""What a class has done, laid out for counting: each student's gradings of each assignment, in
their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from autograder.course.configuration import Course
from autograder.course.exam import Exam
from autograder.course.reports import ExerciseResult, Report, Status
from autograder.course.submissions import Student
from autograder.pages.exercise_titles import find_exercise_titles
from autograder.pages.push_history import list_history
from autograder.record.ledger import StudentRecord
from autograder.record.standings import PartState, Standing, decided_sum

# Points are sums of fractions, thirds for example, which binary numbers cannot hold exactly.
ALMOST = 1e-9


@dataclass(frozen=True)
class Grading:
    """One state of a notebook, when it was first pushed, and its newest report."""

    pushed: datetime
    commit: str
    report: Report

    def find_result(self, exercise: str) -> ExerciseResult | None:
        """Return the result of one exercise."""
        for result in self.report.exercises:
            if result.id == exercise:
                return result
        return None


@dataclass(frozen=True)
class StudentWork:
    """One student's work on one assignment; `gradings` are oldest first, one for each state of the
    notebook.
    """

    student: Student
    standing: Standing
    gradings: tuple[Grading, ...]
    points: float | None

    @cached_property
    def results(self) -> dict[str, ExerciseResult]:
        """The results that count now, by exercise."""
        found = {}
        for part in self.standing.parts:
            for result in part.exercises:
                found[result.id] = result
        return found

    @property
    def share(self) -> float | None:
        """Points as a share of all there are, None while they are not decided."""
        if self.points is None or self.standing.max_points <= 0:
            return None
        return self.points / self.standing.max_points

    @property
    def is_begun(self) -> bool:
        """Whether anything was answered, graded or not."""
        # A part that came too late was worked on: its student needs another word than one who
        # has not begun.
        begun = {PartState.GRADED, PartState.LATE, PartState.WAITING, PartState.TOO_LATE}
        return bool(self.gradings) or not begun.isdisjoint(self.standing.states)


@dataclass(frozen=True)
class AssignmentWork:
    """A class's work on one assignment."""

    name: str
    title: str
    exam: Exam
    students: tuple[StudentWork, ...]

    @cached_property
    def titles(self) -> dict[str, str]:
        """Titles of the exercises."""
        return find_exercise_titles(self.exam)

    @cached_property
    def _by_student(self) -> dict[str, StudentWork]:
        return {own.student.id: own for own in self.students}

    def find_student(self, student: str) -> StudentWork | None:
        """Return one student's work, None where the student is not judged."""
        return self._by_student.get(student)

    def call_exercise(self, exercise: str) -> str:
        """Return what an exercise is called: its title, or its id where it has none."""
        return self.titles.get(exercise) or exercise

    @property
    def is_released(self) -> bool:
        """Whether students have it."""
        for work in self.students:
            for part in work.standing.parts:
                if part.state is not PartState.UNRELEASED:
                    return True
        return False


def gather_work(
    course: Course,
    exams: Mapping[str, Exam],
    students: Sequence[Student],
    standings: Mapping[str, Mapping[str, Standing]],
    records: Mapping[str, StudentRecord],
    now: datetime,
) -> tuple[AssignmentWork, ...]:
    """Return the work of all students who can be judged, by assignment; what is not released is
    left out.
    """
    assignments = []
    for name, exam in exams.items():
        works = []
        for student in students:
            # Whose record cannot be read has no standing: counting them as idle would be untrue.
            if name in standings.get(student.id, {}):
                standing = standings[student.id][name]
                record = records.get(student.id, StudentRecord(student.id))
                gradings = list_gradings(record, standing)
                works.append(StudentWork(student, standing, gradings, decided_sum(standing, now)))
        work = AssignmentWork(name, course.assignments[name].full_title, exam, tuple(works))
        if work.is_released:
            assignments.append(work)
    return tuple(assignments)


def list_gradings(record: StudentRecord, standing: Standing) -> tuple[Grading, ...]:
    """Return the newest grading of each state of a notebook, oldest state first."""
    gradings: list[Grading] = []
    for entry in reversed(list_history(record, standing)):
        if entry.graded is None:
            continue
        grading = Grading(entry.push.time, entry.push.commit, entry.graded.report)
        # The same state with repaired tests: only what it gives now is of interest.
        if entry.again and gradings:
            gradings[-1] = grading
        else:
            gradings.append(grading)
    return tuple(gradings)


def has_all_points(result: ExerciseResult) -> bool:
    """Whether an exercise has all its points."""
    return result.points >= result.max_points - ALMOST


def was_attempted(result: ExerciseResult) -> bool:
    """Whether a test has something to say about an answer."""
    return result.status in (Status.PASSED, Status.PARTIAL, Status.FAILED)
