from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from autograder.course.reports import ExerciseResult, Status
from autograder.record.ledger import Ledger
from autograder.record.manual_marks import ManualMark, apply_mark, newest_marks

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
MARK = ManualMark("hw", "plot", NOON, 3.0, 0.0, (("plot", "Name the axes."),), "b" * 40)
WAITS = ExerciseResult("plot", "", 0.0, 4.0, Status.TO_BE_MARKED)
WRONG = ExerciseResult("ewa", "", 1.0, 4.0, Status.PARTIAL, "Look at the first value.")


@pytest.mark.parametrize(
    ("result", "points", "extra", "wanted", "status"),
    [
        (WAITS, 4.0, 0.0, 4.0, Status.PASSED),
        (WAITS, 2.5, 0.0, 2.5, Status.PARTIAL),
        (WAITS, 0.0, 0.0, 0.0, Status.FAILED),
        (WAITS, 4.0, 1.0, 5.0, Status.PASSED),
        (WAITS, None, 1.0, 0.0, Status.TO_BE_MARKED),
        (WAITS, None, 0.0, 0.0, Status.TO_BE_MARKED),
        (WRONG, 4.0, 0.0, 4.0, Status.PASSED),
        (WRONG, 0.0, 0.0, 0.0, Status.FAILED),
        (WRONG, None, 0.5, 1.5, Status.PARTIAL),
        (WRONG, None, 0.0, 1.0, Status.PARTIAL),
    ],
    ids=[
        "all points", "some points", "no points", "more than there are", "extra without points", "taken back",
        "against the test", "against the test, down", "extra on top", "a comment alone",
    ],
)  # fmt: skip
def test_a_mark_decides_as_nbgrader_counts(
    result: ExerciseResult, points: float | None, extra: float, wanted: float, status: Any
) -> None:
    found = apply_mark(result, replace(MARK, points=points, extra=extra))
    assert (found.points, found.status) == (wanted, status)


def test_a_mark_of_all_points_is_all_points_also_where_they_are_no_hundredths() -> None:
    eighth = replace(WAITS, max_points=0.625)
    for points, status in ((0.625, Status.PASSED), (0.5, Status.PARTIAL)):
        found = apply_mark(eighth, replace(MARK, points=points))
        assert (found.points, found.status) == (points, status)


def test_a_hint_goes_when_a_person_gave_everything_and_stays_otherwise() -> None:
    assert apply_mark(WRONG, replace(MARK, points=4.0)).hint == ""
    assert apply_mark(WRONG, replace(MARK, points=2.0)).hint == WRONG.hint
    assert apply_mark(WRONG, None) == WRONG


def test_the_last_mark_of_an_exercise_stands_whatever_the_clock_said() -> None:
    late = replace(MARK, points=1.0, time=NOON + timedelta(hours=2))
    early = replace(MARK, points=2.0, time=NOON + timedelta(hours=1))
    other = replace(MARK, assignment="hw2", points=4.0, time=NOON + timedelta(hours=9))
    assert newest_marks([MARK, late, early, other], "hw") == {"plot": early}


def test_a_mark_in_the_ledger_is_read_again(tmp_path: Path) -> None:
    blank = ManualMark("hw", "ewa", NOON + timedelta(hours=1))
    for mark in (MARK, blank):
        Ledger(tmp_path).add_mark("on-time", mark)
    assert Ledger(tmp_path).read("on-time").marks == (MARK, blank)


def test_a_damaged_mark_is_named(tmp_path: Path) -> None:
    (tmp_path / "on-time.jsonl").write_text(
        '{"entry":"mark","assignment":"hw","exercise":"plot"}\n'
    )
    (sentence,) = Ledger(tmp_path).read("on-time").damaged
    assert "on-time.jsonl, line 1: cannot be read" in sentence
