import json
from typing import Any

import pytest

from autograder.course.errors import AutograderError
from autograder.record.state_merging import FileVersions, merge_keys, merge_lines, merge_table


def line(**entry: Any) -> bytes:
    return json.dumps(entry).encode() + b"\n"


def seen(commit: str, time: int) -> bytes:
    return line(entry="push", commit=commit, clock="first seen", time=time)


def told(commit: str, activity: int) -> bytes:
    return line(entry="push", commit=commit, clock="server", activity=activity, time=activity)


def graded(blob: str, exam: str, time: int) -> bytes:
    return line(
        entry="report", commit="c", blob=blob, time=time, report={"assignment": "hw", "exam": exam}
    )


def mark(points: float, time: int) -> bytes:
    return line(
        entry="mark",
        assignment="hw",
        exercise="plot",
        points=points,
        comments={"plot": "x"},
        time=time,
    )


A, B, C = seen("a", 1), seen("b", 2), seen("c", 3)


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "merged"),
    [
        (None, None, A + B, A + B),
        (None, A + B, None, A + B),
        (A, A, A + B, A + B),
        (A, A + B, A, A + B),
        (A, A + B, A + C, A + B + C),
        (A, A + B, A + seen("b", 9) + C, A + B + C),
        (A, A + told("b", 7), A + told("b", 8), A + told("b", 7) + told("b", 8)),
        (A, A + B, A + told("b", 7), A + B + told("b", 7)),
        (A, A + graded("x", "1", 2), A + graded("x", "1", 3), A + graded("x", "1", 2)),
        (A, A + graded("x", "1", 2), A + graded("x", "2", 3), A + graded("x", "1", 2) + graded("x", "2", 3)),
        (graded("x", "1", 1), graded("x", "1", 1), graded("x", "1", 1) + graded("x", "1", 2), None),
        (A, A + mark(1, 2), A + mark(2, 3) + mark(1, 4), A + mark(1, 2) + mark(2, 3) + mark(1, 4)),
        (A + B, A, A + B + C, A + C),
        (A, A + B, A + b'{"entry":"pu', A + B),
        (b"", b"no json\n", b"neither\n", b"no json\nneither\n"),
    ],
    ids=[
        "only here", "only there", "new here", "new there", "new on both sides", "both saw the same", "two pushes",
        "seen there, told here", "both graded the same", "graded under two exams", "graded again here",
        "marked on both sides", "taken out there", "torn here", "damaged",
    ],
)  # fmt: skip
def test_a_ledger_keeps_the_lines_of_both_sides_and_no_work_done_twice(
    base: Any, theirs: Any, ours: Any, merged: Any
) -> None:
    assert merge_lines(FileVersions(base, theirs, ours)) == (ours if merged is None else merged)


def test_merging_again_changes_nothing() -> None:
    once = merge_lines(FileVersions(A, A + B, A + C))
    assert merge_lines(FileVersions(A, once, A + C)) == once
    assert merge_lines(FileVersions(once, once, once)) == once


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "merged"),
    [
        (b"1", b"1", b"1", b"1"),
        (b"1", b"2", b"1", b"2"),
        (b"1", b"1", b"2", b"2"),
        (b"1", b"2", b"2", b"2"),
        (None, b"1", None, b"1"),
        (None, None, b"1", b"1"),
        (b"1", b"1", None, b"1"),
        (None, None, None, None),
    ],
)
def test_a_table_is_taken_from_the_side_that_changed_it(
    base: bytes | None, theirs: bytes | None, ours: bytes | None, merged: bytes | None
) -> None:
    assert merge_table("roster.csv", FileVersions(base, theirs, ours)) == merged


@pytest.mark.parametrize("base", [b"1", None])
def test_a_table_changed_on_both_sides_is_for_a_person(base: bytes | None) -> None:
    with pytest.raises(AutograderError, match=r"roster\.csv was changed here and on the branch"):
        merge_table("roster.csv", FileVersions(base, b"2", b"3"))


def keys(secret: str = "s", **students: str) -> bytes:
    return json.dumps(
        {"version": 1, "secret": secret, "students": {n: {"page": p} for n, p in students.items()}}
    ).encode()


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "merged"),
    [
        (None, keys(a="1"), None, keys(a="1")),
        (None, None, keys(a="1"), keys(a="1")),
        (keys(a="1"), keys(a="1", b="2"), keys(a="1", c="3"), keys(a="1", b="2", c="3")),
        (keys(), keys(b="2"), keys(b="9"), keys(b="2")),
        (keys(a="1"), keys(a="1"), keys(a="9"), keys(a="9")),
        (keys(a="1"), keys(a="8"), keys(a="1"), keys(a="8")),
        (keys(a="1"), keys(a="8"), keys(a="9"), keys(a="8")),
        (None, keys("theirs", a="1"), keys("ours", a="2"), keys("theirs", a="1")),
        (keys("old"), keys("old"), keys("new"), keys("new")),
    ],
    ids=[
        "only there", "only here", "new on both sides", "both new for one student", "changed here", "changed there",
        "changed on both sides", "two first files", "new secret here",
    ],
)  # fmt: skip
def test_page_keys_of_both_sides_are_kept_and_the_branch_decides(
    base: Any, theirs: Any, ours: Any, merged: Any
) -> None:
    assert json.loads(merge_keys(FileVersions(base, theirs, ours))) == json.loads(merged)


def test_a_damaged_file_of_keys_is_not_merged() -> None:
    with pytest.raises(AutograderError, match="damaged"):
        merge_keys(FileVersions(None, keys(a="1"), b"{"))


def test_new_lines_of_both_sides_come_by_their_time_and_a_clock_that_jumped_turns_nothing_around() -> (
    None
):
    def at(commit: str, moment: str) -> bytes:
        return line(
            entry="push", commit=commit, clock="first seen", time=f"2027-03-{moment}:00+00:00"
        )

    ahead, after = at("b", "30T12"), at("d", "01T15")  # one collector's clock was ahead for a poll
    repository = line(entry="repository", id=1, pushed=None)
    theirs = at("c", "01T14") + repository + at("e", "01T16")
    merged = merge_lines(FileVersions(A, A + theirs, A + at("a2", "01T13") + ahead + after))
    assert merged == A + at("a2", "01T13") + theirs + ahead + after
