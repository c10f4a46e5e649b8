"""What the course page tells everybody: assignments, parts, deadlines, and how the class did as a
whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from autograder.course.configuration import Assignment, Course, Part
from autograder.course.exam import Exam
from autograder.pages.exercise_rows import list_exercises
from autograder.pages.points_distribution import Distribution, count_by_tenths
from autograder.pages.template_environment import make_anchor
from autograder.record.assignment_standings import join_standings
from autograder.record.standings import PartState, Standing, is_over


@dataclass(frozen=True)
class PartLine:
    """A part as everybody sees it; counts are None while the assignment is not released."""

    name: str
    deadline: datetime | None
    closed: bool
    exercises: int | None
    points: float | None


@dataclass(frozen=True)
class AssignmentCard:
    """An assignment as everybody sees it, with all its notebooks."""

    assignment: Assignment
    points: float | None
    parts: tuple[PartLine, ...]
    distribution: Distribution
    is_released: bool

    @property
    def anchor(self) -> str:
        """Id of its heading in the page."""
        return f"card-{make_anchor(self.assignment.whole)}"

    @property
    def is_over(self) -> bool:
        """Whether every deadline of it has passed."""
        return self.is_released and all(line.closed for line in self.parts)


@dataclass(frozen=True)
class CoursePage:
    """The course page; `next` is the part that falls due next and its assignment's title."""

    cards: tuple[AssignmentCard, ...]
    next: tuple[str, PartLine] | None

    @property
    def open(self) -> tuple[AssignmentCard, ...]:
        """The assignments to work on."""
        return tuple(card for card in self.cards if card.is_released and not card.is_over)

    @property
    def coming(self) -> tuple[AssignmentCard, ...]:
        """The assignments that are not released yet."""
        return tuple(card for card in self.cards if not card.is_released)

    @property
    def over(self) -> tuple[AssignmentCard, ...]:
        """The assignments whose deadlines have passed, the newest first."""
        return tuple(card for card in reversed(self.cards) if card.is_over)


def make_course_page(
    course: Course,
    exams: Mapping[str, Exam],
    standings: Iterable[Mapping[str, Standing]],
    now: datetime,
) -> CoursePage:
    """Return the course page as it is now."""
    everyone = list(standings)
    cards = []
    for name, notebooks in course.list_notebooks().items():
        of_class = []
        for of_student in everyone:
            joined = join_standings({name: notebooks}, of_student)
            if name in joined:
                of_class.append(joined[name])
        given_out = []
        for entry in notebooks:
            of_notebook = [mine[entry.name] for mine in everyone if entry.name in mine]
            if entry.name in exams and _is_released(course, entry.name, of_notebook):
                given_out.append(exams[entry.name])
        cards.append(_make_card(notebooks[0], given_out, of_class, now))
    return CoursePage(tuple(cards), _find_next(cards))


def _is_released(course: Course, name: str, standings: Sequence[Standing]) -> bool:
    """Whether students have an assignment: by their standings, or before there are any, by its
    release.
    """
    if not standings:
        return course.release_path(name).exists()
    for standing in standings:
        for part in standing.parts:
            if part.state is not PartState.UNRELEASED:
                return True
    return False


def _make_card(
    assignment: Assignment, exams: Sequence[Exam], standings: list[Standing], now: datetime
) -> AssignmentCard:
    return AssignmentCard(
        assignment=assignment,
        points=sum(exam.points for exam in exams) if exams else None,
        parts=tuple(_make_line(part, exams, now) for part in assignment.parts),
        distribution=count_by_tenths(assignment, standings, now),
        is_released=bool(exams),
    )


def _make_line(part: Part, exams: Sequence[Exam], now: datetime) -> PartLine:
    is_closed = is_over(part.deadline, now)
    # Before the release neither points nor exercises are told: they may change, and tell of tests.
    if not exams:
        return PartLine(part.name, part.deadline, is_closed, None, None)
    number = 0
    points: float = 0
    for exam in exams:
        for exercise in list_exercises(exam, part.name):
            number += 1
            points += exercise.points
    return PartLine(part.name, part.deadline, is_closed, number, points)


def _find_next(cards: Sequence[AssignmentCard]) -> tuple[str, PartLine] | None:
    """Return the part of a released assignment that falls due next."""
    due = []
    for card in cards:
        for line in card.parts:
            if card.is_released and line.deadline is not None and not line.closed:
                due.append((line.deadline, card.assignment.title, line))
    # By the deadline alone: where two are equal the first in the configuration is named.
    soonest = min(due, key=lambda entry: entry[0], default=None)
    return soonest[1:] if soonest else None
