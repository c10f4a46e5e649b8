"""The overview as tables for other programs: one CSV for each question."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from autograder.overview.class_overview import ClassOverview
from autograder.overview.class_work import StudentWork

Row = Sequence[object]
# A spreadsheet computes a field that begins so, whoever wrote it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_tables(overview: ClassOverview) -> dict[str, str]:
    """Return the CSV files of an overview by their names."""
    tables = {
        "students.csv": _list_students(overview),
        "attention.csv": _list_notices(overview),
        "mistakes.csv": _list_mistakes(overview),
        "hints.csv": _list_hints(overview),
        "exercises.csv": _list_exercises(overview),
        "criteria.csv": _list_criteria(overview),
        "times.csv": _list_times(overview),
        "progress.csv": _list_progress(overview),
        "leaderboard.csv": _list_places(overview),
    }
    texts = {}
    for name, rows in tables.items():
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for row in rows:
            writer.writerow(map(_write_field, row))
        texts[name] = text.getvalue()
    return texts


def _write_field(field: object) -> object:
    if field is None:
        return ""
    if isinstance(field, float):
        return f"{field:.4f}".rstrip("0").rstrip(".")
    if isinstance(field, str) and field.startswith(FORMULA):
        return f"'{field}"
    return field


def _list_students(overview: ClassOverview) -> Iterator[Row]:
    yield (
        "student",
        "name",
        "assignment",
        "points",
        "max_points",
        "states",
        "pushes",
        "first_push",
        "last_push",
    )
    for row in overview.rows:
        for work in row.works:
            if work is not None:
                yield _make_student_row(overview, work)


def _make_student_row(overview: ClassOverview, work: StudentWork) -> Row:
    first = ""
    last = ""
    if work.gradings:
        first = overview.course.to_local_time(work.gradings[0].pushed).isoformat()
        last = overview.course.to_local_time(work.gradings[-1].pushed).isoformat()
    return (
        work.student.id,
        work.student.name,
        work.standing.assignment,
        work.points,
        work.standing.max_points,
        "; ".join(part.state.value for part in work.standing.parts),
        len(work.gradings),
        first,
        last,
    )


def _list_notices(overview: ClassOverview) -> Iterator[Row]:
    yield ("need", "student", "assignment", "what", "points")
    for notice in overview.notices:
        yield (notice.need.value, notice.student, notice.assignment, notice.sentence, notice.points)


def _list_mistakes(overview: ClassOverview) -> Iterator[Row]:
    yield (
        "assignment",
        "exercise",
        "mistake",
        "hint",
        "made_by",
        "still_there",
        "attempts",
        "share",
        "students",
    )
    for count in overview.mistakes:
        numbers = (len(count.made), len(count.still), count.attempts, count.share)
        yield (
            count.assignment,
            count.exercise,
            count.mistake,
            count.hint,
            *numbers,
            " ".join(count.made),
        )


def _list_hints(overview: ClassOverview) -> Iterator[Row]:
    yield (
        "assignment",
        "exercise",
        "hint",
        "followed_by_a_push",
        "better",
        "solved",
        "share_better",
    )
    for effect in overview.hints:
        numbers = (effect.followed, effect.better, effect.solved, effect.share_better)
        yield (effect.assignment, effect.exercise, effect.hint, *numbers)


def _list_exercises(overview: ClassOverview) -> Iterator[Row]:
    yield (
        "assignment", "exercise", "title", "right", "partly", "wrong", "not_attempted", "to_be_marked", "mean_share",
        "strong", "weak", "discrimination", "test_looks_wrong",
    )  # fmt: skip
    for entry in overview.exercises:
        counts = (entry.right, entry.partly, entry.wrong, entry.untouched, entry.waiting)
        groups = (entry.mean_share, entry.strong, entry.weak, entry.discrimination)
        yield (
            entry.assignment,
            entry.exercise,
            entry.title,
            *counts,
            *groups,
            "yes" if entry.looks_wrong else "",
        )


def _list_criteria(overview: ClassOverview) -> Iterator[Row]:
    yield ("assignment", "exercise", "criterion", "met", "missed", "share_missed")
    for entry in overview.criteria:
        yield (
            entry.assignment,
            entry.exercise,
            entry.sentence,
            entry.met,
            entry.missed,
            entry.share_missed,
        )


def _list_times(overview: ClassOverview) -> Iterator[Row]:
    yield ("assignment", "student", "hours_from_first_push_to_full_points")
    for entry in overview.times:
        for student, hours in entry.hours:
            yield (entry.assignment, student, hours)


def _list_places(overview: ClassOverview) -> Iterator[Row]:
    yield ("assignment", "student", "code_name", "wished_for", "rank", "number", "why_not")
    for board in overview.boards:
        for student, place in board.places.items():
            rank = place.row.rank if place.row is not None else None
            score = place.row.score if place.row is not None else None
            names = (place.code_name, place.wished)
            yield (board.assignment, student, *names, rank, score, place.remark)


def _list_progress(overview: ClassOverview) -> Iterator[Row]:
    yield ("assignment", "time", "mean_share_of_the_class", "begun")
    for entry in overview.progress:
        for point in entry.points:
            time = overview.course.to_local_time(point.time).isoformat()
            yield (entry.assignment, time, point.mean_share, point.begun)
