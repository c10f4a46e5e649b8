"""What a student's own page tells: which points, for which push, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from autograder.course.configuration import Course
from autograder.course.exam import Exam, Exercise
from autograder.course.layout import find_notebook
from autograder.course.submissions import Criterion, ExerciseResult, Push, Status, Student, round_points
from autograder.pages.push_history import Entry, find_newest_report, list_history
from autograder.pages.status_signs import OF_STATE, OF_STATUS, Mark
from autograder.pages.template_environment import make_commit_url
from autograder.record.ledger import StudentRecord
from autograder.record.manual_marks import ManualMark
from autograder.record.standings import PartStanding, PartState, Standing, decided_points, is_over

MOST_ENTRIES = 40  # of the history of a notebook: as many pushes as anybody looks at


@dataclass(frozen=True)
class Row:
    """One exercise; `points` is None while there are none to tell, `graded` whether it has a result of its own.

    `by_hand` says that its points are a person's, in whole or in part; `comment` is what the person wrote.
    """

    id: str
    points: float | None
    max_points: float
    mark: Mark
    graded: bool = True
    hint: str = ""
    criteria: tuple[Criterion, ...] = ()
    by_hand: bool = False
    comment: str = ""

    @property
    def passed(self) -> bool:
        """Whether there is nothing left to learn from its criteria."""
        return self.mark is OF_STATUS[Status.PASSED] and not self.hint and not self.comment

    @property
    def advice(self) -> str:
        """What the hint is called: who has all points needs none, but may be told how they came about."""
        return "Note" if self.mark is OF_STATUS[Status.PASSED] else "Hint"


@dataclass(frozen=True)
class Results:
    """The exercises of one push."""

    push: Push
    url: str
    rows: tuple[Row, ...]

    @property
    def points(self) -> float:
        """Points of all exercises, before any late rule."""
        return round_points(sum(row.points or 0.0 for row in self.rows))


@dataclass(frozen=True)
class PartView:
    """A part: its standing, how to say it, its exercises.

    `late` is the newest push after the deadline if it changed the notebook and does not count; `newer` what it gave.
    """

    standing: PartStanding
    mark: Mark
    points: float | None
    closed: bool
    url: str
    rows: tuple[Row, ...]
    late: Push | None
    newer: Results | None

    @property
    def sum(self) -> float:
        """Points of all exercises, before any late rule."""
        return round_points(sum(row.points or 0.0 for row in self.rows))


@dataclass(frozen=True)
class AssignmentView:
    """An assignment as its student sees it; of a long history, `left_out` entries are not shown."""

    standing: Standing
    title: str
    parts: tuple[PartView, ...]
    history: tuple[Entry, ...]
    left_out: int = 0

    @property
    def anchor(self) -> str:
        """Id of its section in the page."""
        return f"assignment-{self.standing.assignment}"

    @property
    def points(self) -> float | None:
        """Points of the parts that have any, None if none has."""
        known = [part.points for part in self.parts if part.points is not None]
        return round_points(sum(known)) if known else None

    @property
    def complete(self) -> bool:
        """Whether every part has points."""
        return all(part.points is not None for part in self.parts)


@dataclass(frozen=True)
class StudentPage:
    """A student's own page."""

    student: Student
    code: str
    assignments: tuple[AssignmentView, ...]

    @property
    def parts(self) -> tuple[PartView, ...]:
        """The parts of all assignments."""
        return tuple(part for view in self.assignments for part in view.parts)

    @property
    def points(self) -> float:
        """Points so far."""
        return round_points(sum(part.points or 0.0 for part in self.parts))

    @property
    def decided(self) -> float:
        """Points there were to be had in the parts that have points."""
        return round_points(sum(part.standing.max_points for part in self.parts if part.points is not None))

    @property
    def max_points(self) -> float:
        """Points there are to be had in all assignments."""
        return round_points(sum(part.standing.max_points for part in self.parts))

    @property
    def next(self) -> tuple[AssignmentView, PartView] | None:
        """The part that falls due next, by the student's own deadlines."""
        due = [
            (part.standing.deadline, view, part)
            for view in self.assignments
            for part in view.parts
            if part.standing.deadline is not None and not part.closed
        ]
        soonest = min(due, key=lambda entry: entry[0], default=None)
        return soonest[1:] if soonest else None


def make_student_page(
    course: Course,
    exams: Mapping[str, Exam],
    student: Student,
    code: str,
    standings: Mapping[str, Standing],
    record: StudentRecord,
    now: datetime,
) -> StudentPage:
    """Return a student's page as it is now."""
    views = [
        _assignment(assignment.title, exams[name], standings[name], student, record, now)
        for name, assignment in course.assignments.items()
        if name in standings and name in exams
    ]
    return StudentPage(student, code, tuple(views))


def _assignment(
    title: str, exam: Exam, standing: Standing, student: Student, record: StudentRecord, now: datetime
) -> AssignmentView:
    parts = tuple(_part(part, exam, student, record, now) for part in standing.parts)
    entries = list_history(record, standing)
    # All pages are padded to the size of the largest: whoever pushes without end must not make everybody's grow.
    shown = tuple(entry for number, entry in enumerate(entries) if number < MOST_ENTRIES or entry.counts)
    return AssignmentView(standing, title, parts, shown, len(entries) - len(shown))


def _part(part: PartStanding, exam: Exam, student: Student, record: StudentRecord, now: datetime) -> PartView:
    mine = [exercise for exercise in exam.exercises if exercise.part == part.part]
    late = _late(part, exam.assignment)
    return PartView(
        standing=part,
        mark=_mark(part),
        points=decided_points(part, now),
        closed=is_over(part.deadline, now),
        url=make_commit_url(student.remote, part.push) if part.push else "",
        rows=tuple(_row(exercise, part.exercises, part.state, part.marks) for exercise in mine),
        late=late,
        newer=_results(late, exam.assignment, mine, student, record) if late else None,
    )


def _late(part: PartStanding, assignment: str) -> Push | None:
    """The newest push after the deadline, None if it left the notebook as it was or counts itself."""
    if part.late is None or part.late == part.push:
        return None
    file = find_notebook(part.late.notebooks, assignment)
    return part.late if file and (part.file is None or file.blob != part.file.blob) else None


def _results(
    push: Push, assignment: str, exercises: list[Exercise], student: Student, record: StudentRecord
) -> Results | None:
    """What a push that does not count would give, for a student who goes on learning from it."""
    report = find_newest_report(record, find_notebook(push.notebooks, assignment), assignment)
    if report is None:
        return None
    rows = tuple(_row(exercise, report.exercises, PartState.GRADED) for exercise in exercises)
    return Results(push, make_commit_url(student.remote, push), rows)


def _row(
    exercise: Exercise, results: tuple[ExerciseResult, ...], state: PartState, marks: tuple[ManualMark, ...] = ()
) -> Row:
    result = next((result for result in results if result.id == exercise.id), None)
    if result is None:
        if state in (PartState.GRADED, PartState.LATE):
            return Row(exercise.id, 0.0, exercise.points, OF_STATUS[Status.NOT_FOUND])
        return Row(exercise.id, None, exercise.points, OF_STATE[state], graded=False)
    points = None if result.status is Status.TO_BE_MARKED else result.points
    hand = next((mark for mark in marks if mark.exercise == exercise.id), None)
    return Row(
        exercise.id,
        points,
        exercise.points,
        OF_STATUS[result.status],
        hint=result.hint,
        criteria=result.criteria,
        by_hand=points is not None and hand is not None and hand.changes_points,
        comment=hand.comment if hand else "",
    )


def _mark(part: PartStanding) -> Mark:
    """The mark of a part's state; only a part with all its points gets a tick."""
    mark = OF_STATE[part.state]
    if part.state is not PartState.GRADED or part.points == part.max_points:
        return mark
    return Mark("◐", mark.word, "partly") if part.points else Mark("○", mark.word, "bad")
