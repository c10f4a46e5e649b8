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
from autograder.course.names import name_assignment
from autograder.course.reports import Status, round_points
from autograder.course.submissions import Student
from autograder.record.assignment_standings import join_class
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
    notebooks = course.list_notebooks()
    named = [name_assignment(course.find_notebooks(name)[0]) for name in assignments]
    standings = join_class(notebooks, standings)
    points: dict[str, list[float | None]] = {}
    outdated: Counter[str] = Counter()
    for name in named or notebooks:
        points[name] = []
        for student in students:
            standing = standings[student.id][name]
            points[name].append(decided_assignment_points(standing, now))
            outdated[name] += any(part.outdated for part in standing.parts)
    # `+` leaves out those of which nothing is outdated.
    outdated = +outdated
    wanted = []
    for name, of_class in points.items():
        is_begun = of_class.count(None) < len(of_class)
        # A column without a number would tell other systems to make an empty grade item.
        if named or is_begun or name in outdated:
            wanted.append(name)
    list_rows = {
        Format.CSV: _list_plain_rows,
        Format.MOODLE: _list_moodle_rows,
        Format.CANVAS: _list_canvas_rows,
    }[form]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        list_rows(_ClassTable(course, students, standings, now, wanted))
    )
    undecided = 0
    for name in wanted:
        undecided += points[name].count(None)
    return Export(text.getvalue(), undecided, outdated)


def decided_assignment_points(standing: Standing, now: datetime) -> float | None:
    """Return the points of an assignment, None while a part, a person's mark or another grading is
    missing.
    """
    waits = any(part.outdated or _list_unmarked(part) for part in standing.parts)
    return None if waits else decided_sum(standing, now)


@dataclass(frozen=True)
class _ClassTable:
    """What a table is made table."""

    course: Course
    students: Sequence[Student]
    standings: Mapping[str, Mapping[str, Standing]]
    now: datetime
    wanted: Sequence[str]

    @property
    def titles(self) -> list[str]:
        """Titles of the assignments, names where two have the same."""
        notebooks = self.course.list_notebooks()
        titles = [notebooks[name][0].title for name in self.wanted]
        times = Counter(titles)
        told = []
        for name, title in zip(self.wanted, titles, strict=True):
            # Moodle and Canvas know a column by its heading.
            told.append(title if times[title] == 1 else name)
        return told

    def points(self, student: Student) -> Iterator[str]:
        """Yield the student's points in each assignment."""
        for name in self.wanted:
            yield _write_points(
                decided_assignment_points(self.standings[student.id][name], self.now)
            )

    def max_points(self) -> Iterator[str]:
        """Yield the points there are to be had in each assignment."""
        # Equal for everybody, so anybody's standing serves.
        standing = next(iter(self.standings.values()), None)
        for name in self.wanted:
            yield _write_points(standing[name].max_points if standing else None)


def _list_plain_rows(table: _ClassTable) -> Iterator[Row]:
    """A line for each part of each assignment of each student, with what it rests on."""
    yield PLAIN
    for student in table.students:
        who = (student.id, student.number, student.name, student.email, student.group)
        for name in table.wanted:
            for part in table.standings[student.id][name].parts:
                yield (*who, name, *_make_part_fields(table, part))


def _make_part_fields(table: _ClassTable, part: PartStanding) -> Row:
    """What the plain table tells of a part: deadline, push, state, points."""
    push = part.push
    return (
        part.part,
        _write_moment(table.course, part.deadline),
        _write_moment(table.course, push.time if push else None),
        push.commit if push else "",
        part.state.value,
        _write_points(None if part.outdated else decided_points(part, table.now)),
        _write_points(part.max_points),
        " ".join(_list_unmarked(part)),
    )


def _list_moodle_rows(table: _ClassTable) -> Iterator[Row]:
    """The columns of Moodle's own export, which its import takes: people by number or address, then
    grade items.
    """
    yield (*MOODLE, *table.titles)
    for student in table.students:
        first, last = _split_name(student)
        yield (first, last, student.number or student.id, student.email, *table.points(student))


def _list_canvas_rows(table: _ClassTable) -> Iterator[Row]:
    """The columns of Canvas's gradebook file; its second line holds the points possible."""
    yield (*CANVAS, *table.titles)
    # With its four blanks: Canvas knows the line by them.
    yield ("    Points Possible", "", "", "", "", *table.max_points())
    for student in table.students:
        first, last = _split_name(student)
        name = ", ".join(filter(None, (last, first)))
        yield (
            name,
            "",
            student.number or student.id,
            student.email,
            student.group,
            *table.points(student),
        )


def _list_unmarked(part: PartStanding) -> list[str]:
    """Exercises that a person has yet to mark."""
    unmarked = []
    for exercise in part.exercises:
        if exercise.status is Status.TO_BE_MARKED:
            unmarked.append(exercise.id)
    return unmarked


def _split_name(student: Student) -> tuple[str, str]:
    first, _, last = student.name.rpartition(" ")
    return first, last


def _write_points(points: float | None) -> str:
    return "" if points is None else f"{round_points(points):.2f}".rstrip("0").rstrip(".")


def _write_moment(course: Course, moment: datetime | None) -> str:
    return course.to_local_time(moment).isoformat(timespec="seconds") if moment else ""
