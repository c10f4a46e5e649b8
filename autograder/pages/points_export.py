"""Points for other systems: as a plain table, and as the gradebooks of Moodle and Canvas take them.

The numbers are those of the pages. Where there is none yet, because something waits to be pushed, graded, graded again
or marked by a person, the field is empty: other systems would take a 0, or an older number, for a result.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from autograder.course.configuration import Course
from autograder.course.submissions import Status, Student, round_points
from autograder.record.standings import PartStanding, Standing, decided_points, decided_sum

Row = Sequence[object]
PLAIN = (
    "student", "number", "name", "email", "group", "assignment", "part", "deadline", "pushed", "commit", "state",
    "points", "max_points", "to_be_marked",
)  # fmt: skip
MOODLE = ("First name", "Last name", "ID number", "Email address")
CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")


class Format(StrEnum):
    """Who reads the table."""

    CSV = "csv"
    MOODLE = "moodle"
    CANVAS = "canvas"


@dataclass(frozen=True)
class Export:
    """A table, and how many results in it are empty because they are not decided yet.

    `outdated` are those that were graded with an older exam and wait to be graded again, by assignment.
    """

    text: str
    undecided: int
    outdated: Mapping[str, int]


def export_points(
    course: Course,
    students: Sequence[Student],
    standings: Mapping[str, Mapping[str, Standing]],
    form: Format,
    now: datetime,
    assignments: Sequence[str] = (),
) -> Export:
    """Return the points of a class as CSV.

    Parameters
    ----------
    standings : mapping of str to mapping of str to Standing
        Student id → assignment → where the student stands.
    assignments : sequence of str
        Names of those wanted; by default each of which anything is decided.

    Raises
    ------
    ConfigError
        If the course has no assignment of a name.
    """
    for name in assignments:
        course.find_assignment(name)
    points = {
        name: {student.id: decided_assignment_points(standings[student.id][name], now) for student in students}
        for name in assignments or course.assignments
    }
    outdated = Counter(
        name
        for name in points
        for student in students
        if any(part.outdated for part in standings[student.id][name].parts)
    )
    begun = {name for name, ours in points.items() if any(value is not None for value in ours.values())}
    wanted = [name for name in points if assignments or name in begun or name in outdated]
    table = {Format.CSV: _plain, Format.MOODLE: _moodle, Format.CANVAS: _canvas}[form]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table(_Class(course, students, standings, now, wanted)))
    undecided = sum(value is None for name in wanted for value in points[name].values())
    return Export(text.getvalue(), undecided, outdated)


def decided_assignment_points(standing: Standing, now: datetime) -> float | None:
    """Return the points of an assignment, None while a part, a person's mark or another grading is missing."""
    waits = any(part.outdated or _waiting(part) for part in standing.parts)
    return None if waits else decided_sum(standing, now)


@dataclass(frozen=True)
class _Class:
    """What a table is made of."""

    course: Course
    students: Sequence[Student]
    standings: Mapping[str, Mapping[str, Standing]]
    now: datetime
    wanted: Sequence[str]

    @property
    def titles(self) -> list[str]:
        """Titles of the assignments, names where two have the same."""
        titles = {name: self.course.assignments[name].title for name in self.wanted}
        times = Counter(titles.values())
        return [title if times[title] == 1 else name for name, title in titles.items()]

    def points(self, student: Student) -> Iterator[str]:
        """Yield the student's points in each assignment."""
        for name in self.wanted:
            yield _number(decided_assignment_points(self.standings[student.id][name], self.now))

    def max_points(self) -> Iterator[str]:
        """Yield the points there are to be had in each assignment."""
        for name in self.wanted:
            yield _number(next((by_name[name].max_points for by_name in self.standings.values()), None))


def _plain(of: _Class) -> Iterator[Row]:
    """A line for each part of each assignment of each student, with what it rests on."""
    yield PLAIN
    for student in of.students:
        who = (student.id, student.number, student.name, student.email, student.group)
        for name in of.wanted:
            for part in of.standings[student.id][name].parts:
                points = _number(None if part.outdated else decided_points(part, of.now))
                moments = (_moment(of.course, part.deadline), _moment(of.course, part.push.time if part.push else None))
                commit = part.push.commit if part.push else ""
                rest = (part.state.value, points, _number(part.max_points), " ".join(_waiting(part)))
                yield (*who, name, part.part, *moments, commit, *rest)


def _moodle(of: _Class) -> Iterator[Row]:
    """The columns of Moodle's own export, which its import takes: people by number or address, then grade items."""
    yield (*MOODLE, *of.titles)
    for student in of.students:
        first, last = _names(student)
        yield (first, last, student.number or student.id, student.email, *of.points(student))


def _canvas(of: _Class) -> Iterator[Row]:
    """The columns of Canvas's gradebook file; its second line holds the points possible."""
    yield (*CANVAS, *of.titles)
    yield ("    Points Possible", "", "", "", "", *of.max_points())
    for student in of.students:
        first, last = _names(student)
        name = ", ".join(part for part in (last, first) if part)
        yield (name, "", student.number or student.id, student.email, student.group, *of.points(student))


def _waiting(part: PartStanding) -> list[str]:
    """Exercises that a person has yet to mark."""
    return [exercise.id for exercise in part.exercises if exercise.status is Status.TO_BE_MARKED]


def _names(student: Student) -> tuple[str, str]:
    first, _, last = student.name.rpartition(" ")
    return first, last


def _number(points: float | None) -> str:
    return "" if points is None else f"{round_points(points):.2f}".rstrip("0").rstrip(".")


def _moment(course: Course, moment: datetime | None) -> str:
    return course.to_local_time(moment).isoformat(timespec="seconds") if moment else ""
