"""How a class got on over the term: from first push to full points, and the class's mean day by
day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from autograder.overview.class_work import ALMOST, AssignmentWork, StudentWork

HOUR = 3600.0


@dataclass(frozen=True)
class TimeToFull:
    """Hours from the first graded push to the first one with all points, of those who got there."""

    assignment: str
    title: str
    hours: tuple[tuple[str, float], ...]
    on_the_way: int

    @property
    def median(self) -> float | None:
        """The median of the hours, None where nobody got there."""
        if not self.hours:
            return None
        return median(hours for _, hours in self.hours)


@dataclass(frozen=True)
class ProgressPoint:
    """At a moment, the mean share of an assignment's points over the whole class, and how many have
    begun.
    """

    time: datetime
    mean_share: float
    begun: int


@dataclass(frozen=True)
class Progress:
    """An assignment's points over time."""

    assignment: str
    title: str
    students: int
    points: tuple[ProgressPoint, ...]


def measure_times(work: AssignmentWork) -> TimeToFull:
    """Return how long students took for all points of an assignment."""
    hours = []
    on_the_way = 0
    for own in work.students:
        found = _find_hours(own)
        if found is not None:
            hours.append((own.student.id, found))
        elif own.gradings:
            on_the_way += 1
    return TimeToFull(
        work.name, work.title, tuple(sorted(hours, key=lambda entry: entry[1])), on_the_way
    )


def _find_hours(own: StudentWork) -> float | None:
    for grading in own.gradings:
        report = grading.report
        # The first time counts: who goes on trying things afterwards was no slower.
        if report.max_points > 0 and report.points >= report.max_points - ALMOST:
            return (grading.pushed - own.gradings[0].pushed).total_seconds() / HOUR
    return None


def trace_progress(work: AssignmentWork) -> Progress:
    """Return the class's mean after each push; who has pushed nothing counts as nothing."""
    steps = []
    for own in work.students:
        for grading in own.gradings:
            report = grading.report
            # Ungraded homework has no points to have a share of.
            share = report.points / report.max_points if report.max_points else 0.0
            steps.append((grading.pushed, own.student.id, share))
    # The id decides between pushes of one second, so that a plot is the same each time.
    points = _add_up(sorted(steps), len(work.students))
    return Progress(work.name, work.title, len(work.students), points)


def _add_up(
    steps: Sequence[tuple[datetime, str, float]], students: int
) -> tuple[ProgressPoint, ...]:
    newest: dict[str, float] = {}
    points = []
    for time, student, share in steps:
        # The newest, not the best: the last push before a deadline is the one that counts.
        newest[student] = share
        points.append(ProgressPoint(time, sum(newest.values()) / students, len(newest)))
    return tuple(points)
