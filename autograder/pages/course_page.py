"""What the course page tells everybody: assignments, parts, deadlines, and how the class did as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from autograder.course.configuration import Assignment, Course, Part
from autograder.course.exam import Exam
from autograder.pages.points_distribution import Distribution, count_by_tenths
from autograder.record.standings import Standing, is_over


@dataclass(frozen=True)
class PartLine:
    """A part as everybody sees it; counts are None while the assignment's exam does not exist."""

    name: str
    deadline: datetime | None
    closed: bool
    exercises: int | None
    points: float | None


@dataclass(frozen=True)
class AssignmentCard:
    """An assignment as everybody sees it."""

    assignment: Assignment
    points: float | None
    parts: tuple[PartLine, ...]
    distribution: Distribution


@dataclass(frozen=True)
class CoursePage:
    """The course page; `next` is the part that falls due next and its assignment's title."""

    cards: tuple[AssignmentCard, ...]
    next: tuple[str, PartLine] | None


def make_course_page(
    course: Course, exams: Mapping[str, Exam], standings: Iterable[Mapping[str, Standing]], now: datetime
) -> CoursePage:
    """Return the course page as it is now."""
    everyone = list(standings)
    cards = tuple(
        _card(assignment, exams.get(name), [mine[name] for mine in everyone if name in mine], now)
        for name, assignment in course.assignments.items()
    )
    due = [
        (line.deadline, card.assignment.title, line)
        for card in cards
        for line in card.parts
        if line.deadline is not None and not line.closed
    ]
    soonest = min(due, key=lambda entry: entry[0], default=None)
    return CoursePage(cards, soonest[1:] if soonest else None)


def _card(assignment: Assignment, exam: Exam | None, standings: list[Standing], now: datetime) -> AssignmentCard:
    return AssignmentCard(
        assignment=assignment,
        points=exam.points if exam else None,
        parts=tuple(_line(part, exam, now) for part in assignment.parts),
        distribution=count_by_tenths(assignment, standings, now),
    )


def _line(part: Part, exam: Exam | None, now: datetime) -> PartLine:
    mine = [exercise for exercise in exam.exercises if exercise.part == part.name] if exam else None
    return PartLine(
        name=part.name,
        deadline=part.deadline,
        closed=is_over(part.deadline, now),
        exercises=None if mine is None else len(mine),
        points=None if mine is None else sum(exercise.points for exercise in mine),
    )
