"""The overview's questions, each asked of a class made so that the answer is known."""

from __future__ import annotations

import csv
import io
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from pages_class import ARRAYS, NOW, REGRESSION, PracticeClass, Work, full, practice_class, result
from pages_reading import Text

from autograder.course.errors import UsageError
from autograder.course.reports import ExerciseResult, Status
from autograder.course.submissions import Student
from autograder.grader.hints import PERHAPS, RETURNS_NONE, STILL_RAISES
from autograder.overview import ClassOverview, make_overview, write_overview
from autograder.overview.exercise_statistics import compare_groups
from autograder.overview.needing_attention import Need
from autograder.overview.overview_plots import place_hours, stack_outcomes
from autograder.overview.overview_tables import write_tables
from autograder.record.ledger import StudentRecord
from autograder.record.standings import judge_assignment

HINT = "Average over the examples."
MISTAKES = f"""
from autograder.mistakes import Mistakes
mistakes = Mistakes("{ARRAYS}")
@mistakes.of("graded_vec_i", hint="{HINT}")
def forgot_the_mean(x):
    return x
"""


def overview_of(
    records: Mapping[str, StudentRecord], made: PracticeClass | None = None
) -> ClassOverview:
    """The overview of a class with these records in the practice course."""
    made = made or practice_class()
    exams = {
        name: replace(exam, mistakes=MISTAKES if name == ARRAYS else "")
        for name, exam in made.exams.items()
    }
    students = [Student(name, f"https://example.org/{name}/course") for name in records]
    standings = {}
    for student in students:
        standings[student.id] = {
            name: judge_assignment(
                made.course, assignment, made.exams[name], student, records[student.id], {}
            )
            for name, assignment in made.course.assignments.items()
        }
    return make_overview(made.course, exams, students, standings, records, NOW)


def hinted(points: float, hint: str, status: Status = Status.PARTIAL) -> dict[str, ExerciseResult]:
    """Everything right in the first homework but one exercise, which has a hint."""
    return full(ARRAYS) | {"graded_vec_i": result("graded_vec_i", "", points, 2, status, hint)}


def told(overview: ClassOverview, need: Need) -> dict[tuple[str, str], str]:
    return {
        (notice.student, notice.assignment): notice.sentence
        for notice in overview.list_notices(need)
    }


def test_who_has_not_begun_is_told_from_whose_work_lies_elsewhere() -> None:
    made = practice_class()
    names = ("nothing-pushed", "misplaced", "on-time", "late")
    overview = overview_of({name: made.records[name] for name in names})
    assert told(overview, Need.NOT_BEGUN) == {
        ("nothing-pushed", ARRAYS): "has never pushed anything",
        ("nothing-pushed", REGRESSION): "has never pushed anything",
    }
    slips = told(overview, Need.SLIP)
    assert (
        slips["misplaced", ARRAYS]
        == f"answers lie at {ARRAYS}_solved.ipynb, where nothing is graded"
    )
    assert slips["late", ARRAYS] == "pushed after the deadline only"
    assert not [who for who, _ in slips if who == "on-time"]


@pytest.mark.parametrize(
    ("points", "is_stuck"), [([1, 1, 1, 1, 1], True), ([1, 1, 1, 1, 2], False), ([1, 1], False)]
)
def test_many_pushes_without_a_gain_are_stuck(points: list[float], is_stuck: bool) -> None:
    work = Work("someone")
    for day, number in enumerate(points):
        status = Status.PASSED if number == 2 else Status.PARTIAL
        work = work.push(f"02-{10 + day} 18:00", {ARRAYS: hinted(number, HINT, status)})
    found = told(overview_of({"someone": work.record}), Need.STUCK)
    assert bool(found) is is_stuck
    if is_stuck:
        assert found == {("someone", ARRAYS): "4 pushes without a gain, at 9 of 10"}


@pytest.mark.parametrize(
    ("status", "hint", "words"),
    [
        (Status.NOT_FOUND, "No `graded_vec_i` was found", "graded_vec_i is not in the notebook"),
        (Status.FAILED, STILL_RAISES, "raise NotImplementedError still stands above the answer"),
        (
            Status.FAILED,
            RETURNS_NONE.format(function="graded_vec_i"),
            "graded_vec_i: nothing is returned",
        ),
        (Status.FAILED, "The sign is wrong.", ""),
    ],
    ids=["renamed", "raise left", "no return", "no slip"],
)
def test_a_slip_is_told_from_a_mistake(status: Status, hint: str, words: str) -> None:
    record = Work("someone").push("02-20 18:00", {ARRAYS: hinted(0, hint, status)}).record
    found = told(overview_of({"someone": record}), Need.SLIP)
    assert words in found.get(("someone", ARRAYS), "") if words else not found


def test_points_that_an_earlier_push_had_are_a_slip() -> None:
    work = Work("someone").push("02-20 18:00", {ARRAYS: full(ARRAYS)})
    record = work.push("02-21 18:00", {ARRAYS: hinted(0, HINT, Status.FAILED)}).record
    found = told(overview_of({"someone": record}), Need.SLIP)
    assert found == {("someone", ARRAYS): "graded_vec_i had 2 points in an earlier push, 0 count"}


def test_known_mistakes_are_named_also_where_the_grader_was_not_sure() -> None:
    line = " It happened in line 2 of cell 5: `secret = 1`."
    records = {
        "sure": Work("sure").push("02-20 18:00", {ARRAYS: hinted(1, HINT)}).record,
        "perhaps": Work("perhaps")
        .push("02-20 18:00", {ARRAYS: hinted(0, PERHAPS + HINT + line)})
        .record,
        "derived": Work("derived")
        .push("02-20 18:00", {ARRAYS: hinted(1, "Off by a factor.")})
        .record,
        "right": Work("right").push("02-20 18:00", {ARRAYS: full(ARRAYS)}).record,
    }
    overview = overview_of(records)
    (known,) = overview.known_mistakes
    assert (known.mistake, known.made, known.attempts, known.share) == (
        "forgot_the_mean", ("perhaps", "sure"), 4, 0.5,
    )  # fmt: skip
    (other,) = overview.other_hints
    assert (other.hint, other.made) == ("Off by a factor.", ("derived",))
    assert "secret" not in "".join(write_tables(overview).values())


def test_hints_are_measured_by_what_came_next() -> None:
    records = {}
    for number in range(4):
        work = Work(f"student-{number}").push("02-20 18:00", {ARRAYS: hinted(1, HINT)})
        after = full(ARRAYS) if number == 0 else hinted(1, HINT)
        records[f"student-{number}"] = work.push("02-21 18:00", {ARRAYS: after}).record
    (effect,) = overview_of(records).hints
    assert (effect.hint, effect.followed, effect.better, effect.solved) == (HINT, 4, 1, 1)
    three = {name: record for name, record in records.items() if name != "student-0"}
    assert [entry.better for entry in overview_of(three).hints] == [0]
    two = {name: record for name, record in three.items() if name != "student-1"}
    assert overview_of(two).hints == ()  # of so few nobody can say


def test_a_test_that_the_strong_fail_looks_wrong() -> None:
    records = {}
    for number in range(12):
        strong = number < 6
        statuses = {
            "graded_zero_vector": Status.PASSED if strong else Status.FAILED,
            "graded_generate_pauli": Status.PASSED if strong else Status.PARTIAL,
            "graded_pauli_check": Status.FAILED,  # nobody gets it
            "graded_vec_i": Status.PASSED if strong else Status.PARTIAL,
        }
        name = f"student-{number:02d}"
        records[name] = Work(name).push("02-20 18:00", {ARRAYS: full(ARRAYS, **statuses)}).record
    overview = overview_of(records)
    assert [entry.exercise for entry in overview.suspects] == ["graded_pauli_check"]
    statistics = {entry.exercise: entry for entry in overview.exercises}
    assert (statistics["graded_zero_vector"].strong, statistics["graded_zero_vector"].weak) == (
        1.0,
        0.0,
    )
    hardest = overview.criteria[0]
    assert (hardest.exercise, hardest.missed, hardest.met) == ("graded_pauli_check", 12, 0)
    pieces = stack_outcomes(statistics["graded_zero_vector"])
    assert [(piece.kind, piece.start, piece.width) for piece in pieces] == [
        ("right", 0, 50),
        ("wrong", 50, 50),
    ]


def test_of_a_small_class_nothing_is_said_about_strong_and_weak() -> None:
    assert compare_groups([{"a": 1.0, "b": 0.0}] * 7, "b") == (None, None)
    assert compare_groups([{"a": 1.0, "b": 0.0}] * 8, "b") == (0.0, 0.0)
    assert compare_groups([{"b": 0.0}] * 20, "b") == (
        None,
        None,
    )  # there is nothing else to be strong in


def test_time_and_progress_follow_the_pushes() -> None:
    slow = (
        Work("slow")
        .push("02-20 18:00", {ARRAYS: hinted(1, HINT)})
        .push("02-22 18:00", {ARRAYS: full(ARRAYS)})
    )
    quick = Work("quick").push("02-21 18:00", {ARRAYS: full(ARRAYS)})
    half = Work("half").push("02-21 19:00", {ARRAYS: hinted(0, HINT, Status.FAILED)})
    overview = overview_of({work.student: work.record for work in (slow, quick, half)})
    times = overview.times[0]
    assert (times.hours, times.median, times.on_the_way) == (
        (("quick", 0.0), ("slow", 48.0)),
        24.0,
        1,
    )
    steps = [(round(point.mean_share, 3), point.begun) for point in overview.progress[0].points]
    assert steps == [(0.3, 1), (0.633, 2), (0.9, 3), (0.933, 3)]
    assert place_hours(0) == place_hours(0.1) == 2
    assert place_hours(10**6) == 98


def test_the_page_is_its_owners_and_never_in_the_site(tmp_path: Path) -> None:
    made = practice_class()
    course = replace(made.course, site=tmp_path / "site")
    overview = replace(overview_of(made.records), course=course)
    page = write_overview(overview, tmp_path / "overview")
    assert stat.S_IMODE((tmp_path / "overview").stat().st_mode) == 0o700
    written = [path for path in (tmp_path / "overview").rglob("*") if path.is_file()]
    assert len(written) == 1 + 9 + 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}
    for folder in (tmp_path / "site", tmp_path / "site" / "overview"):
        with pytest.raises(UsageError, match="everybody can read"):
            write_overview(overview, folder)
    html = page.read_text()
    assert "script-src &#39;self&#39;" in html
    assert 'style="' not in html
    assert "forgot-the-mean" in Text(html).line
    assert page.stat().st_size < 100_000


def test_tables_are_csv_and_no_field_is_a_formula() -> None:
    overview = overview_of(
        {"=cmd": Work("=cmd").push("02-20 18:00", {ARRAYS: hinted(1, "=1+1")}).record}
    )
    tables = {
        name: list(csv.reader(io.StringIO(text))) for name, text in write_tables(overview).items()
    }
    assert tables["mistakes.csv"][1][3] == "'=1+1"
    assert tables["students.csv"][1][0] == "'=cmd"
    assert all(len(row) == len(rows[0]) for rows in tables.values() for row in rows)
