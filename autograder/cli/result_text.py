"""Results as text for a terminal and as JSON: pure functions of what they are given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autograder.course.configuration import Course
from autograder.course.reports import CriterionOutcome, ExerciseResult, Report, Status, round_points
from autograder.forge.repository_identity import describe_changes
from autograder.record.ledger import StudentRecord
from autograder.record.manual_marks import ManualMark
from autograder.record.standings import (
    PartStanding,
    PartState,
    Standing,
    decided_points,
    decided_sum,
)

MARKS = {CriterionOutcome.MET: "✓", CriterionOutcome.NOT_MET: "✗", CriterionOutcome.SKIPPED: "–"}
# When every deadline is over
AFTER_ALL = datetime.max.replace(tzinfo=UTC)
# What a table is measured in, to know whether it would be cut
WIDEST = 10_000
COLOURS = {
    Status.PASSED: "green",
    Status.PARTIAL: "yellow",
    Status.FAILED: "red",
    Status.NOT_FOUND: "red",
    Status.NOT_ATTEMPTED: "dim",
    Status.TO_BE_MARKED: "cyan",
}


def print_report(report: Report, console: Console) -> None:
    """Print a report: a row per exercise, then what was odd."""
    console.print(build_exercise_table(report.exercises, f"{report.assignment}: {report.notebook}"))
    console.print(
        f"{report.points:g} of {report.max_points:g} points in {report.seconds:.1f} s", markup=False
    )
    for problem in report.problems:
        console.print(f"! {problem}", markup=False)


def build_exercise_table(exercises: tuple[ExerciseResult, ...], title: str) -> Table:
    """Return a table of exercises with points, status, criteria and hints."""
    table = Table(
        "exercise", "points", "status", "what was checked", title=escape(title), box=box.SIMPLE_HEAD
    )
    for exercise in exercises:
        lines = []
        for criterion in exercise.criteria:
            lines.append(f"{MARKS[criterion.outcome]} {criterion.sentence}")
        if exercise.hint:
            lines.append(f"→ {exercise.hint}")
        table.add_row(
            escape(exercise.id),
            f"{exercise.points:g} / {exercise.max_points:g}",
            f"[{COLOURS[exercise.status]}]{exercise.status.value}[/]",
            escape("\n".join(lines)),
        )
    return table


def print_standings(
    standings: Mapping[str, Mapping[str, Standing]], console: Console, now: datetime = AFTER_ALL
) -> None:
    """Print who has how many points: a column per assignment, or a row where those would not
    fit.
    """
    unreleased = _find_unreleased(standings)
    shown = {}
    for student, mine in standings.items():
        shown[student] = {name: mine[name] for name in mine if name not in unreleased}
    wide = build_standings_table(shown, now)
    needed = console.measure(wide, options=console.options.update(width=WIDEST)).maximum
    console.print(wide if needed <= console.width else build_standings_list(shown, now))
    if unreleased:
        names = ", ".join(sorted(unreleased))
        console.print(f"{PartState.UNRELEASED.value}: {names}", markup=False)


def build_standings_table(standings: Mapping[str, Mapping[str, Standing]], now: datetime) -> Table:
    """Return a table of students with points and state per assignment."""
    assignments = next(iter(standings.values()), {})
    table = Table("student", box=box.SIMPLE_HEAD)
    for name in assignments:
        table.add_column(escape(name), no_wrap=True)
    table.add_column("points", justify="right")
    for student, by_assignment in standings.items():
        cells = []
        for entry in by_assignment.values():
            lines = [_describe_part(part, now) for part in entry.parts]
            cells.append(escape("\n".join(lines)))
        table.add_row(escape(student), *cells, _sum_points(by_assignment, now))
    return table


def build_standings_list(standings: Mapping[str, Mapping[str, Standing]], now: datetime) -> Table:
    """Return a table with a row for each assignment of each student, and one for each of its
    parts.
    """
    table = Table("student", "assignment", box=box.SIMPLE_HEAD)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for student, by_assignment in standings.items():
        for name, entry in by_assignment.items():
            whole = entry.parts[0].state.value if len(entry.parts) == 1 else ""
            points = _say_points(decided_sum(entry, now), entry.max_points)
            table.add_row(escape(student), escape(name), points, whole)
            for part in entry.parts if not whole else ():
                points = _say_points(decided_points(part, now), part.max_points)
                table.add_row(escape(student), escape(f"  {part.part}"), points, part.state.value)
        total = _sum_points(by_assignment, now)
        table.add_row(escape(student), "all", total, "", end_section=True)
    return table


def _find_unreleased(standings: Mapping[str, Mapping[str, Standing]]) -> set[str]:
    """Return the assignments that nobody can have begun."""
    names: set[str] = set()
    released: set[str] = set()
    for by_assignment in standings.values():
        for name, standing in by_assignment.items():
            names.add(name)
            if standing.states - {PartState.UNRELEASED}:
                released.add(name)
    return names - released


def _sum_points(standings: Mapping[str, Standing], now: datetime) -> str:
    total = 0.0
    for standing in standings.values():
        total += decided_sum(standing, now) or 0.0
    return f"{round_points(total):g}"


def _say_points(points: float | None, max_points: float) -> str:
    """Write points; a dash, which is not 0, where they are not decided yet."""
    said = "–" if points is None else f"{points:g}"
    return f"{said} / {max_points:g}"


def _describe_part(part: PartStanding, now: datetime) -> str:
    name = f"{part.part}: " if part.part else ""
    return f"{name}{_say_points(decided_points(part, now), part.max_points)}  {part.state.value}"


def print_student(
    course: Course, standings: Mapping[str, Standing], record: StudentRecord, console: Console
) -> None:
    """Print everything about one student."""
    for push in sorted((*record.pushes, *record.aside, *record.lost), key=lambda push: push.time):
        when = f"{course.to_local_time(push.time):%Y-%m-%d %H:%M}"
        if push.aside:
            when += f" to the branch {push.branch}, which is not graded"
        lost = ", could not be fetched: it cannot be graded" if push.lost else ""
        console.print(
            f"pushed {push.commit[:10]} at {when} ({push.clock.value}){lost}", markup=False
        )
    for sentence in describe_changes(course, record.student, record.repositories):
        console.print(f"! {sentence}", markup=False)
    for standing in standings.values():
        for part in standing.parts:
            title = f"{standing.assignment} {part.part}".strip()
            console.print(build_exercise_table(part.exercises, f"{title}: {part.state.value}"))
            console.print(part.why, markup=False)
            for mark in part.marks:
                console.print(_describe_mark(course, mark), markup=False)
            for exercise in part.exercises:
                if exercise.detail:
                    console.print(
                        f"\n{exercise.id}, for instructors only:\n{exercise.detail}", markup=False
                    )
        for problem in standing.problems:
            console.print(f"! {problem}", markup=False)


def _describe_mark(course: Course, mark: ManualMark) -> str:
    """Say what a person gave, and when it was read."""
    points = "" if mark.points is None else f"{mark.points:g} points"
    extra = f"{mark.extra:+g} extra" if mark.extra else ""
    given = " and ".join(filter(None, (points, extra))) or "no points"
    comment = f", {mark.comment!r}" if mark.comment else ""
    return f"{mark.exercise}: {given} by hand, read {course.to_local_time(mark.time):%Y-%m-%d %H:%M}{comment}"


def standings_json(
    standings: Mapping[str, Mapping[str, Standing]], now: datetime = AFTER_ALL
) -> dict[str, Any]:
    """Return points, states and reasons by student and assignment; there are no points before they
    are decided.
    """
    data: dict[str, Any] = {}
    for student, by_assignment in standings.items():
        data[student] = {}
        for name, standing in by_assignment.items():
            data[student][name] = {
                "points": decided_sum(standing, now),
                "max_points": standing.max_points,
                "problems": list(standing.problems),
                "parts": [_part_json(part, now) for part in standing.parts],
            }
    return data


def _part_json(part: PartStanding, now: datetime) -> dict[str, Any]:
    return {
        "part": part.part,
        "points": decided_points(part, now),
        "max_points": part.max_points,
        "state": part.state.value,
        "why": part.why,
        "commit": part.push.commit if part.push else None,
        "exercises": {exercise.id: exercise.points for exercise in part.exercises},
        "by_hand": [mark.exercise for mark in part.marks if mark.changes_points],
    }
