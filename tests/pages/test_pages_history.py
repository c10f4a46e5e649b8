"""What the pages count and compare: the history of pushes and the distribution of points."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pages_class import ARRAYS, NOW, PracticeClass, at, practice_class

from autograder.course.reports import ExerciseResult, Status
from autograder.pages.points_distribution import count_by_tenths
from autograder.pages.push_history import Change, list_history
from autograder.record.standings import PartStanding, PartState, Standing


@pytest.fixture(scope="module")
def everyone() -> PracticeClass:
    return practice_class()


def test_the_history_tells_what_changed_from_grading_to_grading(everyone: PracticeClass) -> None:
    entries = list_history(everyone.records["corrected"], everyone.standings["corrected"][ARRAYS])
    told = [
        (entry.push.time, entry.graded.report.points, entry.changes, entry.again, entry.counts)
        for entry in entries
    ]
    assert told == [
        (at("03-02 19:45"), 10.0, (Change("graded_pauli_check", 2.0, 3.0),), False, ()),
        (at("02-24 21:15"), 9.0, (Change("graded_pauli_check", 0.0, 2.0),), True, ("",)),
        (at("02-24 21:15"), 7.0, (Change("graded_generate_pauli", 0.0, 3.0),), False, ()),
        (at("02-20 16:00"), 4.0, (), False, ()),
    ]
    assert [entry.first for entry in entries] == [False, False, False, True]


def test_a_push_that_left_the_notebook_alone_is_no_entry(everyone: PracticeClass) -> None:
    record = everyone.records["on-time"]
    assert len(record.pushes) == 2
    (entry,) = list_history(record, everyone.standings["on-time"][ARRAYS])
    assert entry.push == record.pushes[0]
    assert entry.counts == ("",)


def test_the_history_tells_what_was_never_graded_and_what_is_gone(everyone: PracticeClass) -> None:
    first, second = everyone.records["late"].pushes
    skipped = replace(
        first, commit="a" * 40, notebooks=(replace(first.notebooks[0], blob="another state"),)
    )
    gone = replace(second, commit="b" * 40, notebooks=())
    back = replace(first, commit="c" * 40)
    record = replace(everyone.records["late"], pushes=(first, skipped, gone, back))
    entries = list_history(record, everyone.standings["late"][ARRAYS])
    assert [
        (entry.push.commit, entry.file is None, entry.graded is None, entry.superseded)
        for entry in entries
    ] == [
        ("c" * 40, False, False, False),
        ("b" * 40, True, True, True),
        ("a" * 40, False, True, True),
        (first.commit, False, False, False),
    ]


def graded(
    points: float, max_points: float = 10.0, state: PartState = PartState.GRADED
) -> Standing:
    result = ExerciseResult("exercise", "", points, max_points, Status.PARTIAL)
    some = (result,) if state in (PartState.GRADED, PartState.LATE) else ()
    part = PartStanding("", at("02-27 23:59"), False, state, "", max_points, exercises=some)
    return Standing("someone", ARRAYS, (part,))


def test_students_are_counted_by_tenths_of_the_points(everyone: PracticeClass) -> None:
    standings = [graded(points) for points in (0, 0.9, 1, 2.9, 3, 5.99, 6, 7, 9.99, 10)]
    shown = count_by_tenths(everyone.course.assignments[ARRAYS], standings, NOW)
    assert [bar.students for bar in shown.bars] == [2, 1, 1, 1, 0, 1, 1, 1, 0, 2]
    assert (shown.students, shown.absent) == (10, "")
    assert [bar.share for bar in shown.bars][:2] == [100.0, 50.0]


def test_who_has_nothing_graded_is_not_counted(everyone: PracticeClass) -> None:
    waiting = [
        graded(0, state=state)
        for state in (PartState.WAITING, PartState.NOTHING, PartState.TOO_LATE, PartState.MISSING)
    ]
    shown = count_by_tenths(
        everyone.course.assignments[ARRAYS], [*waiting, *(graded(5) for _ in range(5))], NOW
    )
    assert shown.students == 5
    few = count_by_tenths(
        everyone.course.assignments[ARRAYS], [*waiting, *(graded(5) for _ in range(4))], NOW
    )
    assert few.bars == ()
    assert "once 5 students are graded" in few.absent


@pytest.mark.parametrize(
    ("moment", "shown"),
    [("02-27 23:59", False), ("02-28 00:00", True)],
    ids=["the last minute", "after it"],
)
def test_nothing_is_shown_before_the_deadline_is_over(
    everyone: PracticeClass, moment: str, shown: bool
) -> None:
    result = count_by_tenths(
        everyone.course.assignments[ARRAYS], [graded(5) for _ in range(9)], at(moment)
    )
    assert bool(result.bars) is shown
    assert ("after the last deadline" in result.absent) is not shown
