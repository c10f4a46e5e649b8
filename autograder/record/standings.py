"""Who stands where: deadlines, extensions and late rules applied to the record. Pure functions of what is given.

For each part of an assignment the last push not after its deadline counts. Times are those of the record: the
server's or the collector's, never the commit's own, and grading again changes none of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from autograder.collecting.roster import Extensions
from autograder.config import Assignment, Course, LateRule, Part
from autograder.exam import Exam
from autograder.grader.notebooks import find_notebook, misplaced, places, where_it_belongs
from autograder.record.ledger import Record
from autograder.record.marks import ManualMark, marked, standing_marks
from autograder.records import ExerciseResult, NotebookFile, Push, Report, Student, rounded


class State(StrEnum):
    """Why a part has the points it has."""

    GRADED = "graded"
    LATE = "graded late"
    MISSING = "no notebook"
    WAITING = "not graded yet"
    NOTHING = "nothing pushed"
    TOO_LATE = "pushed too late"
    UNRELEASED = "not released yet"


@dataclass(frozen=True)
class PartStanding:
    """A student's points in one part.

    Attributes
    ----------
    deadline : datetime or None
        The student's own, with any extension; `extended` says whether it differs from everybody's.
    push : Push or None
        The push that counts.
    late : Push or None
        The newest push after the deadline, which does not count or counts less.
    exercises : tuple of ExerciseResult
        Results of the push that counts, with the marks a person gave; empty while there are none.
    automatic : tuple of ExerciseResult
        The same results as grading gave them.
    marks : tuple of ManualMark
        What a person said of these exercises.
    factor : float
        Share of the points the late rule leaves, 1 on time.
    why : str
        One sentence for the student.
    """

    part: str
    deadline: datetime | None
    extended: bool
    state: State
    why: str
    max_points: float
    push: Push | None = None
    late: Push | None = None
    exercises: tuple[ExerciseResult, ...] = ()
    automatic: tuple[ExerciseResult, ...] = ()
    marks: tuple[ManualMark, ...] = ()
    factor: float = 1.0

    @property
    def points(self) -> float | None:
        """Points that count, None while they are not known."""
        if self.state in (State.WAITING, State.UNRELEASED):
            return None
        return rounded(self.factor * sum(exercise.points for exercise in self.exercises))


@dataclass(frozen=True)
class Standing:
    """A student's points in one assignment, part by part."""

    student: str
    assignment: str
    parts: tuple[PartStanding, ...]
    problems: tuple[str, ...] = ()

    @property
    def points(self) -> float | None:
        """Points of all parts, None while one of them is not graded yet."""
        points = [part.points for part in self.parts]
        return None if None in points else rounded(sum(point or 0.0 for point in points))

    @property
    def max_points(self) -> float:
        """Points there are to be had."""
        return rounded(sum(part.max_points for part in self.parts))


def standing(
    course: Course,
    assignment: Assignment,
    exam: Exam,
    student: Student,
    record: Record,
    extensions: Extensions,
    *,
    released: bool = True,
) -> Standing:
    """Return where a student stands in an assignment; one that is not `released` yet has no points, and not 0."""
    judge = _Judge(course, assignment, exam, record, released)
    parts = tuple(
        judge.part(part, extensions.get((student.id, assignment.name, part.name))) for part in assignment.parts
    )
    return Standing(student.id, assignment.name, parts, judge.problems(parts))


def wanted_pushes(assignment: Assignment, student: str, record: Record, extensions: Extensions) -> tuple[Push, ...]:
    """Return the pushes of a student that must be graded for an assignment: those that count, and the newest."""
    pushes = {push.commit: push for push in record.pushes[-1:]}
    for part in assignment.parts:
        deadline = extensions.get((student, assignment.name, part.name), part.deadline)
        on_time, late = split(record.pushes, deadline)
        chosen = [on_time, late if assignment.late and _factor(assignment.late, late, deadline) else None]
        pushes |= {push.commit: push for push in chosen if push is not None}
    return tuple(pushes.values())


def is_released(course: Course, assignment: str, records: Iterable[Record]) -> bool:
    """Whether students have an assignment: its release is here, or, where this copy lags behind, one has pushed it."""
    if course.release(assignment).exists():
        return True
    return any(find_notebook(push.notebooks, assignment) for record in records for push in record.pushes)


def split(pushes: tuple[Push, ...], deadline: datetime | None) -> tuple[Push | None, Push | None]:
    """Return the last push not after the deadline, and the last one after it."""
    on_time = [push for push in pushes if deadline is None or push.time <= end_of(deadline)]
    late = [push for push in pushes if deadline is not None and push.time > end_of(deadline)]
    return _newest(on_time), _newest(late)


def _newest(pushes: list[Push]) -> Push | None:
    return pushes[-1] if pushes else None


def end_of(deadline: datetime) -> datetime:
    """Return the last moment that is not after a deadline: the minute named counts to its end."""
    return deadline + timedelta(seconds=59, microseconds=999_999) if deadline.second == 0 else deadline


def closed(deadline: datetime | None, now: datetime) -> bool:
    """Whether a deadline is over; its minute counts to its end."""
    return deadline is not None and now > end_of(deadline)


def decided_points(part: PartStanding, now: datetime) -> float | None:
    """Return the points of a part, None while they may not be called points yet.

    Who has pushed nothing, or not this notebook, has no points to show before the deadline and 0 after it.
    """
    if part.state in (State.NOTHING, State.MISSING) and not closed(part.deadline, now):
        return None
    return part.points


def missing_sentence(assignment: str, files: tuple[NotebookFile, ...]) -> str:
    """Say that an assignment's notebook is not where, or not called what, it must be, and what was found instead."""
    found = misplaced(files, assignment)
    if found:
        return f"The notebook {where_it_belongs(found[0], assignment)} and push again."
    return f"There is no notebook at {places(assignment)[0]}."


@dataclass(frozen=True)
class _Judge:
    """Judges the parts of one student's assignment."""

    course: Course
    assignment: Assignment
    exam: Exam
    record: Record
    released: bool

    def part(self, part: Part, extension: datetime | None) -> PartStanding:
        deadline = extension or part.deadline
        on_time, late = split(self.record.pushes, deadline)
        rule = self.assignment.late
        mine = [exercise for exercise in self.exam.exercises if exercise.part == part.name]
        blank = PartStanding(
            part.name,
            deadline,
            extended=extension is not None and extension != part.deadline,
            state=State.NOTHING,
            why="Nothing has been pushed yet.",
            max_points=rounded(sum(exercise.points for exercise in mine)),
            late=late,
        )
        if not self.released:
            return _changed(blank, State.UNRELEASED, "This homework is not released yet.", late=None)
        candidates = [self._standing(blank, push, 1.0) for push in (on_time,) if push is not None]
        if rule and late is not None and (factor := _factor(rule, late, deadline)):
            candidates.append(self._standing(blank, late, factor))
        if candidates:
            return _best(candidates)
        if late is not None:
            return _changed(blank, State.TOO_LATE, f"The push of {self._when(late)} came after the deadline.")
        return blank

    def _standing(self, blank: PartStanding, push: Push, factor: float) -> PartStanding:
        file = find_notebook(push.notebooks, self.assignment.name)
        when = self._when(push)
        if file is None:
            return _changed(blank, State.MISSING, missing_sentence(self.assignment.name, push.notebooks), push=push)
        report = self._report(file)
        if report is None:
            return _changed(blank, State.WAITING, f"The push of {when} is waiting to be graded.", push=push)
        graded = self._with_marks(blank, report)
        if factor < 1.0:
            why = f"The push of {when} counts, at {factor:.0%} because it came after the deadline."
            return _changed(graded, State.LATE, why, push=push, factor=factor)
        newer = blank.late is not None
        why = f"The push of {when} counts: " + ("the last one before the deadline." if newer else "the newest one.")
        return _changed(graded, State.GRADED, why, push=push)

    def _with_marks(self, blank: PartStanding, report: Report) -> PartStanding:
        """A part with a report's results, and what a person made of them."""
        marks = standing_marks(self.record.marks, self.assignment.name)
        automatic = tuple(exercise for exercise in report.exercises if exercise.part == blank.part)
        return replace(
            blank,
            exercises=tuple(marked(exercise, marks.get(exercise.id)) for exercise in automatic),
            automatic=automatic,
            marks=tuple(marks[exercise.id] for exercise in automatic if exercise.id in marks),
        )

    def _when(self, push: Push) -> str:
        return self.course.words(push.time)

    def _report(self, file: NotebookFile) -> Report | None:
        """The report of a notebook under the exam as it is now; a student's older report serves until then."""
        reports = self.record.reports
        current = reports.get((self.assignment.name, file.blob, self.exam.version))
        if current is not None:
            return current
        older = [report for key, report in reports.items() if key[:2] == (self.assignment.name, file.blob)]
        return older[-1] if older else None

    def problems(self, parts: tuple[PartStanding, ...]) -> tuple[str, ...]:
        """What the reports behind the parts said about the notebook as a whole, each sentence once."""
        sentences: dict[str, None] = {}
        for part in parts:
            files = part.push.notebooks if part.push else ()
            file = find_notebook(files, self.assignment.name)
            report = self._report(file) if file else None
            sentences |= dict.fromkeys(report.problems if report else ())
            if misplaced(files, self.assignment.name):
                sentences[missing_sentence(self.assignment.name, files)] = None
        return tuple(sentences)


def _best(candidates: list[PartStanding]) -> PartStanding:
    """Return what counts of a push in time and a late one: while one of them is not graded, nothing is settled."""
    waiting = [candidate for candidate in candidates if candidate.state is State.WAITING]
    return waiting[0] if waiting else max(candidates, key=lambda candidate: candidate.points or 0.0)


def _factor(rule: LateRule, push: Push | None, deadline: datetime | None) -> float:
    """Share of the points a late push keeps; 0 when it is later than the rule allows."""
    if push is None or deadline is None:
        return 0.0
    days = math.ceil((push.time - end_of(deadline)) / timedelta(days=1))
    return max(0.0, 1.0 - rule.per_day * days) if days <= rule.days else 0.0


def _changed(standing: PartStanding, state: State, why: str, **changes: object) -> PartStanding:
    return replace(standing, state=state, why=why, **changes)  # type: ignore[arg-type]
