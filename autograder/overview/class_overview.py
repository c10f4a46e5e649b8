"""The class at a glance: everything the overview tells, counted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from autograder.course.configuration import Course
from autograder.course.exam import Exam
from autograder.course.names import name_assignment
from autograder.course.submissions import Student
from autograder.overview.class_mistakes import (
    HintEffect,
    MistakeCount,
    count_mistakes,
    measure_hints,
)
from autograder.overview.class_progress import Progress, TimeToFull, measure_times, trace_progress
from autograder.overview.class_work import AssignmentWork, StudentWork, gather_work
from autograder.overview.exercise_statistics import (
    CriterionStatistics,
    ExerciseStatistics,
    measure_exercises,
    rank_criteria,
)
from autograder.overview.needing_attention import (
    Need,
    Notice,
    find_notices,
    join_absences,
    sort_notices,
)
from autograder.overview.whole_assignments import join_works
from autograder.pages.leaderboards import Board, make_boards
from autograder.record.ledger import StudentRecord
from autograder.record.page_keys import PageKeys
from autograder.record.standings import Standing


@dataclass(frozen=True)
class StudentRow:
    """A student's work on every assignment, None where the student is not judged."""

    student: Student
    works: tuple[StudentWork | None, ...]

    @property
    def points(self) -> float:
        """All decided points."""
        points = 0.0
        for work in self.works:
            if work is not None and work.points is not None:
                points += work.points
        return points


@dataclass(frozen=True)
class ClassOverview:
    """What is told of a class; `works` are the released assignments."""

    course: Course
    now: datetime
    works: tuple[AssignmentWork, ...]
    rows: tuple[StudentRow, ...]
    notices: tuple[Notice, ...]
    mistakes: tuple[MistakeCount, ...]
    hints: tuple[HintEffect, ...]
    exercises: tuple[ExerciseStatistics, ...]
    criteria: tuple[CriterionStatistics, ...]
    times: tuple[TimeToFull, ...]
    progress: tuple[Progress, ...]
    boards: tuple[Board, ...] = ()

    def list_notices(self, need: Need) -> tuple[Notice, ...]:
        """Return the notices of one kind."""
        found = []
        for notice in self.notices:
            if notice.need is need:
                found.append(notice)
        return tuple(found)

    @property
    def known_mistakes(self) -> tuple[MistakeCount, ...]:
        """Known mistakes."""
        return tuple(count for count in self.mistakes if count.mistake)

    @property
    def other_hints(self) -> tuple[MistakeCount, ...]:
        """Hints that the grader derived by itself: where many got one, a known mistake may be worth
        writing.
        """
        return tuple(count for count in self.mistakes if not count.mistake)

    @property
    def suspects(self) -> tuple[ExerciseStatistics, ...]:
        """Exercises whose tests look wrong."""
        return tuple(entry for entry in self.exercises if entry.looks_wrong)


def make_overview(
    course: Course,
    exams: Mapping[str, Exam],
    students: Sequence[Student],
    standings: Mapping[str, Mapping[str, Standing]],
    records: Mapping[str, StudentRecord],
    now: datetime,
    keys: PageKeys | None = None,
) -> ClassOverview:
    """Return the overview of a class.

    Parameters
    ----------
    exams : mapping of str to Exam
        By assignment.
    standings : mapping of str to mapping of str to Standing
        By student id, then by assignment.
    records : mapping of str to StudentRecord
        By student id.
    now : datetime
        Deadlines are open or over by it.
    keys : PageKeys or None
        What code names are drawn by; without it the leaderboards are left out.
    """
    works = gather_work(course, exams, students, standings, records, now)
    # Assignment by assignment: each work holds its students' histories, which are read only once.
    notices: list[Notice] = []
    mistakes: list[MistakeCount] = []
    hints: list[HintEffect] = []
    exercises: list[ExerciseStatistics] = []
    criteria: list[CriterionStatistics] = []
    for work in works:
        notices += find_notices(work, dict(records))
        mistakes += count_mistakes(work)
        hints += measure_hints(work)
        exercises += measure_exercises(work)
        criteria += rank_criteria(work)
    # Points, deadlines and ways to them are of whole assignments, mistakes and tests of notebooks.
    wholes = join_works(course, works, now)
    return ClassOverview(
        course=course,
        now=now,
        works=wholes,
        rows=_make_rows(wholes, students),
        notices=sort_notices(
            join_absences(notices, Counter(name_assignment(work.name) for work in works))
        ),
        mistakes=tuple(sorted(mistakes, key=lambda count: -len(count.made))),
        hints=tuple(sorted(hints, key=lambda effect: (effect.share_better, -effect.followed))),
        exercises=tuple(exercises),
        criteria=tuple(sorted(criteria, key=lambda entry: -entry.share_missed)),
        times=tuple(map(measure_times, wholes)),
        progress=tuple(map(trace_progress, wholes)),
        boards=make_boards(course, exams, students, records, keys) if keys is not None else (),
    )


def _make_rows(
    works: Sequence[AssignmentWork], students: Sequence[Student]
) -> tuple[StudentRow, ...]:
    """Return a row for each student of whom anything is known, those with most points first."""
    rows = []
    for student in students:
        found = tuple(work.find_student(student.id) for work in works)
        if found.count(None) < len(found):
            rows.append(StudentRow(student, found))
    # By id where points are equal, or the table would be shuffled from one run to the next.
    return tuple(sorted(rows, key=lambda row: (-row.points, row.student.id)))
