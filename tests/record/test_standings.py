from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from autograder.course.configuration import Assignment, Course, LateRule, Part
from autograder.course.exam import Exam, Exercise
from autograder.course.reports import ExerciseResult, Report, Status
from autograder.course.submissions import Clock, NotebookFile, Push, Student
from autograder.record.ledger import StudentRecord
from autograder.record.ledger_entries import RecordedReport
from autograder.record.manual_marks import ManualMark
from autograder.record.push_candidates import late_factor, list_wanted_notebooks
from autograder.record.standings import (
    PartState,
    decided_points,
    decided_sum,
    is_released,
    judge_assignment,
)

DEADLINE = datetime(2027, 3, 6, 22, 59, tzinfo=UTC)
STUDENT = Student("on-time", "/forks/on-time.git")
EXERCISES = (Exercise("one", "first", 4.0, False, ()), Exercise("two", "second", 6.0, False, ()))
EXAM = Exam("hw", (), EXERCISES)
PATH = "assignments/hw/hw_solved.ipynb"


def assignment(late: LateRule | None = None) -> Assignment:
    first = Part("first", ("one",), DEADLINE)
    second = Part("second", ("two",), DEADLINE + timedelta(days=7))
    return Assignment("hw", "Homework", (first, second), late)


def push(name: str, when: datetime, *paths: str) -> Push:
    files = tuple(NotebookFile(path, f"blob {name}", 1) for path in paths or [PATH])
    return Push(STUDENT.id, name, "master", when, Clock.FIRST_SEEN, files)


def seen(name: str, when: datetime, branch: str = "", **written: str) -> Push:
    """A push of files whose cells were looked at: `written` says of each path which answers are in it."""
    names = {
        "right": PATH,
        "original": "assignments/hw/hw.ipynb",
        "copy": "assignments/hw/Copy of hw.ipynb",
    }
    files = tuple(
        NotebookFile(
            names[path], f"blob {blob or name}", 1, "hw", tuple(cells.split()), bool(cells)
        )
        for path, (cells, _, blob) in (
            (path, text.partition("@")) for path, text in written.items()
        )
    )
    return Push(
        STUDENT.id, name, branch or "master", when, Clock.FIRST_SEEN, files, aside=bool(branch)
    )


def graded(name: str, one: float, two: float, exam: str = EXAM.version) -> RecordedReport:
    results = (
        ExerciseResult("one", "first", one, 4.0, Status.PARTIAL),
        ExerciseResult("two", "second", two, 6.0, Status.PARTIAL),
    )
    return RecordedReport(
        name, f"blob {name}", DEADLINE, Report("hw", PATH, "graded", results, exam=exam)
    )


def judge(
    pushes: Any,
    reports: Any,
    *,
    extensions: Any = None,
    late: Any = None,
    marks: Any = (),
    released: bool = True,
    aside: Any = (),
    find: str = "place",
) -> Any:
    entry = assignment(late)
    course = Course(Path("/course"), "Course", ZoneInfo("UTC"), {"hw": entry}, find=find)
    record = StudentRecord(
        STUDENT.id, tuple(pushes), tuple(reports), marks=tuple(marks), aside=tuple(aside)
    )
    return judge_assignment(
        course, entry, EXAM, STUDENT, record, extensions or {}, released=released
    )


def test_each_part_counts_its_own_last_push_before_its_own_deadline() -> None:
    found = judge(
        [push("a", DEADLINE - timedelta(days=1)), push("b", DEADLINE + timedelta(days=1))],
        [graded("a", 4, 1), graded("b", 0, 6)],
    )
    assert [(part.push.commit, part.points) for part in found.parts] == [("a", 4.0), ("b", 6.0)]
    assert (found.points, found.max_points) == (10.0, 10.0)


def test_a_later_worse_push_before_the_deadline_counts_all_the_same() -> None:
    found = judge(
        [push("a", DEADLINE - timedelta(days=2)), push("b", DEADLINE - timedelta(days=1))],
        [graded("a", 4, 6), graded("b", 1, 1)],
    )
    assert found.points == 2.0


@pytest.mark.parametrize(
    ("seconds", "counts"),
    [(0, True), (59, True), (60, False), (61, False)],
    ids=["on", "in its minute", "next", "past"],
)
def test_the_minute_of_the_deadline_counts_to_its_end(seconds: int, counts: bool) -> None:
    found = judge([push("a", DEADLINE + timedelta(seconds=seconds))], [graded("a", 4, 6)])
    assert found.parts[0].state is (PartState.GRADED if counts else PartState.TOO_LATE)


def test_an_extension_moves_one_part_only() -> None:
    late = DEADLINE + timedelta(days=8)
    moved = {(STUDENT.id, "hw", "first"): DEADLINE + timedelta(days=9)}
    found = judge([push("a", late)], [graded("a", 4, 6)], extensions=moved)
    assert [part.state for part in found.parts] == [PartState.GRADED, PartState.TOO_LATE]
    assert [part.extended for part in found.parts] == [True, False]


def test_not_graded_yet_is_not_zero() -> None:
    found = judge([push("a", DEADLINE)], [])
    assert found.parts[0].state is PartState.WAITING
    assert found.points is None


def test_nothing_pushed_is_zero() -> None:
    found = judge([], [])
    assert found.parts[0].state is PartState.NOTHING
    assert found.points == 0.0


def test_a_misplaced_notebook_is_named_with_its_right_place() -> None:
    found = judge([push("a", DEADLINE, "hw_solved.ipynb")], [])
    assert found.parts[0].state is PartState.MISSING
    assert "hw_solved.ipynb" in found.parts[0].why
    assert PATH in found.parts[0].why


def test_a_renamed_copy_beside_the_graded_original_is_named() -> None:
    found = judge(
        [push("a", DEADLINE, "assignments/hw/hw.ipynb", "assignments/hw/hw_final.ipynb")], []
    )
    (sentence,) = found.problems
    assert (
        "assignments/hw/hw_final.ipynb is not graded under this name; rename it to hw_solved.ipynb"
        in sentence
    )


@pytest.mark.parametrize(("days", "points"), [(0.5, 3.0), (1.5, 2.0), (2.5, None)])
def test_a_late_rule_takes_a_share_for_each_day_begun(days: float, points: float | None) -> None:
    rule = LateRule(per_day=0.25, days=2)
    found = judge([push("a", DEADLINE + timedelta(days=days))], [graded("a", 4, 6)], late=rule)
    first = found.parts[0]
    assert first.points == (points if points is not None else 0.0)
    assert first.state is (PartState.LATE if points is not None else PartState.TOO_LATE)


def test_the_better_of_on_time_and_late_counts() -> None:
    rule = LateRule(per_day=0.5, days=2)
    pushes = [push("a", DEADLINE - timedelta(days=1)), push("b", DEADLINE + timedelta(hours=1))]
    worse_late = judge(pushes, [graded("a", 3, 0), graded("b", 4, 0)], late=rule).parts[0]
    better_late = judge(pushes, [graded("a", 1, 0), graded("b", 4, 0)], late=rule).parts[0]
    assert (worse_late.push.commit, worse_late.points) == ("a", 3.0)
    assert (better_late.push.commit, better_late.points) == ("b", 2.0)


def test_a_report_of_an_older_exam_serves_until_the_new_one_is_there() -> None:
    old, new = graded("a", 1, 1, exam="older"), graded("a", 4, 6)
    assert judge([push("a", DEADLINE)], [old]).points == 2.0
    assert judge([push("a", DEADLINE)], [old, new]).points == 10.0


def test_what_must_be_graded_is_what_counts_and_what_is_newest() -> None:
    pushes = (
        push("early", DEADLINE - timedelta(days=9)),
        push("first", DEADLINE - timedelta(days=1)),
        push("middle", DEADLINE + timedelta(days=1)),
        push("second", DEADLINE + timedelta(days=2)),
        push("newest", DEADLINE + timedelta(days=20)),
    )
    entry = assignment()
    course = Course(Path("/course"), "Course", ZoneInfo("UTC"), {"hw": entry})
    found = list_wanted_notebooks(course, entry, STUDENT.id, StudentRecord(STUDENT.id, pushes), {})
    assert {entry.commit for entry, _ in found} == {"first", "second", "newest"}


def test_the_order_of_pushes_is_the_records_whatever_the_clock_said() -> None:
    pushes = [push("earlier", DEADLINE), push("later", DEADLINE - timedelta(days=1))]
    assert (
        judge(pushes, [graded("later", 4, 6), graded("earlier", 0, 0)]).parts[0].push.commit
        == "later"
    )


def test_a_mark_counts_in_its_part_before_the_late_rule_and_the_automatic_points_stay_known() -> (
    None
):
    mark = ManualMark("hw", "one", DEADLINE, points=4.0, extra=1.0)
    elsewhere = ManualMark("another", "two", DEADLINE, points=6.0)
    found = judge(
        [push("a", DEADLINE + timedelta(days=1))],
        [graded("a", 1, 2)],
        late=LateRule(per_day=0.5, days=2),
        marks=[mark, elsewhere],
    )
    first, second = found.parts
    assert (first.points, first.exercises[0].points, first.automatic[0].points) == (2.5, 5.0, 1.0)
    assert (first.marks, second.marks, second.points) == ((mark,), (), 2.0)


def test_a_mark_without_a_push_that_counts_gives_nothing() -> None:
    mark = ManualMark("hw", "one", DEADLINE, points=4.0)
    assert judge([], [], marks=[mark]).points == 0.0


@pytest.mark.parametrize(
    "pushes", [[], [push("a", DEADLINE, "README.md")]], ids=["nothing pushed", "something else"]
)
def test_homework_that_is_not_released_is_not_zero(pushes: list[Any]) -> None:
    found = judge(pushes, [], released=False)
    assert {part.state for part in found.parts} == {PartState.UNRELEASED}
    assert found.points is None
    after = DEADLINE + timedelta(days=30)
    assert {decided_points(part, after) for part in found.parts} == {None}


def test_homework_is_released_once_it_lies_there_or_somebody_has_pushed_it(tmp_path: Path) -> None:
    course = Course(tmp_path, "Course", ZoneInfo("UTC"), {"hw": assignment()}, releases=tmp_path)
    forks = [
        StudentRecord("a", (push("a", DEADLINE, "README.md"),), ()),
        StudentRecord("b", (push("b", DEADLINE),), ()),
    ]
    assert not is_released(course, "hw", forks[:1])
    assert is_released(course, "hw", forks)
    course.release_path("hw").parent.mkdir()
    course.release_path("hw").touch()
    assert is_released(course, "hw", [])


# ------------------------------------------------------------------------------------------------------- late rules

RULE = LateRule(per_day=0.1, days=3)


def first_part(pushes: Any, reports: Any, **options: Any) -> Any:
    return judge(pushes, reports, late=RULE, **options).parts[0]


def after(days: float) -> datetime:
    return DEADLINE + timedelta(days=days)


def test_the_next_homeworks_push_does_not_erase_a_late_one() -> None:
    later = push("b", after(8), "assignments/hw2/hw2_solved.ipynb", PATH)
    later = replace(
        later, notebooks=(later.notebooks[0], replace(later.notebooks[1], blob="blob a"))
    )
    found = first_part([push("a", after(0.5)), later], [graded("a", 4, 0)])
    assert (found.state, found.push.commit, found.points) == (PartState.LATE, "a", 3.6)


def test_of_all_late_pushes_the_one_worth_most_after_its_deduction_counts() -> None:
    pushes = [push("a", after(0.5)), push("b", after(1.5)), push("c", after(2.5))]
    found = first_part(pushes, [graded("a", 3, 0), graded("b", 4, 0), graded("c", 1, 0)])
    assert (found.push.commit, found.points, found.factor) == ("b", 3.2, 0.8)


@pytest.mark.parametrize("days", [1.5, 2.5, 20])
def test_an_unchanged_late_push_made_again_costs_no_other_day(days: float) -> None:
    again = replace(push("b", after(days)), notebooks=push("a", after(0.5)).notebooks)
    found = first_part([push("a", after(0.5)), again], [graded("a", 4, 0)])
    assert (found.push.commit, found.points, found.factor) == ("a", 3.6, 0.9)


def test_while_one_late_push_is_not_graded_nothing_is_settled() -> None:
    found = first_part([push("a", after(0.5)), push("b", after(1.5))], [graded("a", 4, 0)])
    assert (found.state, found.points) == (PartState.WAITING, None)


def test_what_is_graded_and_what_counts_is_decided_in_one_place() -> None:
    pushes = [
        push("early", after(-1)),
        *(push(f"late-{day}", after(day - 0.5)) for day in range(1, 6)),
    ]
    entry = assignment(RULE)
    course = Course(Path("/course"), "Course", ZoneInfo("UTC"), {"hw": entry})
    record = StudentRecord(STUDENT.id, tuple(pushes))
    to_grade = {
        push.commit for push, _ in list_wanted_notebooks(course, entry, STUDENT.id, record, {})
    }
    assert to_grade == {"early", "late-1", "late-2", "late-3", "late-5"}, (
        "the newest one is that of the second part"
    )
    found = judge_assignment(
        course, entry, EXAM, STUDENT, replace(record, graded=(graded("late-5", 4, 6),)), {}
    )
    assert [part.state for part in found.parts] == [PartState.WAITING, PartState.GRADED]


BUDAPEST = ZoneInfo("Europe/Budapest")


@pytest.mark.parametrize(
    ("deadline", "pushed", "days"),
    [
        ("2026-10-24 23:59", "2026-10-24 23:59", 0),
        ("2026-10-24 23:59", "2026-10-25 23:30", 1),
        ("2026-10-24 23:59", "2026-10-25 23:59", 1),
        ("2026-10-24 23:59", "2026-10-26 00:00", 2),
        ("2026-10-24 23:59", "2026-10-27 23:30", 3),
        ("2026-10-24 23:59", "2026-10-28 00:00", None),
        ("2026-03-28 23:59", "2026-03-29 23:59", 1),
        ("2026-03-28 23:59", "2026-03-30 00:00", 2),
        ("2026-03-28 02:30", "2026-03-29 03:30", 1),
        ("2026-03-28 02:30", "2026-03-29 03:31", 2),
        ("2026-10-24 02:30", "2026-10-25 02:30", 1),
        ("2026-10-24 12:00", "2026-10-25 12:00", 1),
        ("2027-01-10 12:00", "2027-01-10 18:00", 1),
    ],
    ids=[
        "in time", "clocks set back", "to the last minute", "the next day", "the third day", "the fourth day",
        "clocks set forward", "and the day after", "a time that is not there", "and a minute later",
        "a time that is there twice", "at noon", "the same evening",
    ],
)  # fmt: skip
def test_days_are_those_of_the_courses_calendar(
    deadline: str, pushed: str, days: int | None
) -> None:
    moments = [
        datetime.fromisoformat(text).replace(tzinfo=BUDAPEST, fold=1).astimezone(UTC)
        for text in (deadline, pushed)
    ]
    factor = late_factor(RULE, moments[1], moments[0], BUDAPEST)
    assert factor == pytest.approx(0.0 if days is None else 1 - 0.1 * days)


# ----------------------------------------------------------------------------------------- not begun, and elsewhere


def test_what_is_not_begun_is_no_points_before_the_deadline_and_0_after_it() -> None:
    (first, _) = judge([seen("a", after(-1), original="")], []).parts
    assert first.state is PartState.NOT_BEGUN
    assert (decided_points(first, DEADLINE), decided_points(first, after(1))) == (None, 0.0)
    assert "assignments/hw/hw.ipynb holds no answer yet" in first.why


def test_a_part_of_which_nothing_was_attempted_is_not_begun_while_another_is() -> None:
    report = graded("a", 4, 0)
    results = (
        report.report.exercises[0],
        replace(report.report.exercises[1], points=0.0, status=Status.NOT_ATTEMPTED),
    )
    report = replace(report, report=replace(report.report, exercises=results))
    found = judge([seen("a", after(-1), right="one_solution")], [report])
    assert [(part.state, decided_points(part, DEADLINE)) for part in found.parts] == [
        (PartState.GRADED, 4.0),
        (PartState.NOT_BEGUN, None),
    ]
    assert decided_sum(found, DEADLINE) is None and decided_sum(found, after(30)) == 4.0


def test_what_is_not_begun_is_not_graded_and_what_was_changed_is() -> None:
    entry = assignment()
    course = Course(Path("/course"), "Course", ZoneInfo("UTC"), {"hw": entry})
    untouched = seen("a", after(-1), right="")
    assert (
        list_wanted_notebooks(
            course, entry, STUDENT.id, StudentRecord(STUDENT.id, (untouched,)), {}
        )
        == ()
    )
    changed = replace(untouched, notebooks=(replace(untouched.notebooks[0], changed=True),))
    assert (
        len(
            list_wanted_notebooks(
                course, entry, STUDENT.id, StudentRecord(STUDENT.id, (changed,)), {}
            )
        )
        == 1
    )


def test_who_is_marked_by_a_person_has_begun() -> None:
    mark = ManualMark("hw", "one", DEADLINE, points=3.0)
    report = graded("a", 0, 0)
    found = judge([seen("a", after(-1), right="")], [report], marks=[mark]).parts[0]
    assert (found.state, found.points) == (PartState.GRADED, 3.0)


def test_a_stub_copy_does_not_hide_the_original_that_was_worked_in() -> None:
    found = judge(
        [seen("a", after(-1), right="@stub", original="one_solution")], [graded("a", 4, 6)]
    )
    assert found.points == 10.0 and found.problems == ()


def test_work_that_a_later_push_lost_still_counts() -> None:
    lost = [seen("b", after(-1), original="@stub"), replace(seen("b", after(-1)), notebooks=())]
    for newer in lost:
        first = judge(
            [seen("a", after(-2), right="one_solution"), newer], [graded("a", 4, 6)]
        ).parts[0]
        assert (first.state, first.push.commit, first.points) == (PartState.GRADED, "a", 4.0)
        assert "in the newer one of" in first.why


@pytest.mark.parametrize(
    "stub", [{}, {"right": "@stub"}, {"original": "@stub"}], ids=["alone", "a copy", "original"]
)
def test_answers_elsewhere_are_told_of_or_graded_as_the_course_says(stub: dict[str, Any]) -> None:
    pushes = [seen("a", after(-1), copy="one_solution two_solution", **stub)]
    told = judge(pushes, [graded("a", 4, 6)])
    assert told.points == 0.0 and decided_sum(told, DEADLINE) is None
    assert {part.state for part in told.parts} == {
        PartState.NOT_BEGUN if stub else PartState.MISSING
    }
    assert (
        "assignments/hw/Copy of hw.ipynb" in told.parts[0].why
        and "rename it to hw_solved.ipynb" in told.parts[0].why
    )
    assert ("in place of the one there" in told.parts[0].why) == ("right" in stub)
    assert told.problems == (), "it is not said twice"
    found = judge(pushes, [graded("a", 4, 6)], find="anywhere")
    assert found.points == 10.0
    assert any("move it there" in sentence for sentence in found.problems)


def test_answers_on_another_branch_are_told_of_or_graded_as_the_course_says() -> None:
    aside = [seen("a", after(-1), "main", right="one_solution")]
    told = judge([], [graded("a", 4, 6)], aside=aside)
    assert {part.state for part in told.parts} == {PartState.MISSING}
    assert (
        "branch main" in told.parts[0].why and "`git push origin main:master`" in told.parts[0].why
    )
    found = judge([], [graded("a", 4, 6)], aside=aside, find="anywhere")
    assert (found.points, found.parts[0].push.branch) == (10.0, "main")
    strange = [replace(aside[0], branch="$(reboot)")]
    assert "git push" not in judge([], [], aside=strange).parts[0].why


@pytest.mark.parametrize("days", [0.1, 9, 100])
def test_what_is_moved_to_its_place_unchanged_has_the_time_of_its_first_push(days: float) -> None:
    pushes = [
        seen("a", after(-1), copy="one_solution@x", right="@stub"),
        seen("b", after(days), right="one_solution@x"),
    ]
    for earlier in ([pushes[0]], [seen("z", after(-2), original="@stub"), pushes[0]]):
        first = judge([*earlier, pushes[1]], [graded("x", 4, 6)]).parts[0]
        assert (first.state, first.points, first.push.commit) == (PartState.GRADED, 4.0, "b")
        assert (
            "counts as one of Fri 5 Mar 2027, 22:59 UTC, when the same file was first pushed"
            in first.why
        )
    changed = [pushes[0], seen("b", after(days), right="one_solution@y")]
    assert (
        judge(changed, [graded("x", 4, 6), graded("y", 4, 6)]).parts[0].state is PartState.TOO_LATE
    )


def test_a_copy_of_what_is_graded_raises_no_alarm() -> None:
    for copy in ("one_solution", "one_solution@older", "@stub"):
        found = judge([seen("a", after(-1), right="one_solution", copy=copy)], [graded("a", 4, 6)])
        assert found.problems == () and found.points == 10.0, copy
    fuller = judge(
        [seen("a", after(-1), right="one_solution", copy="one_solution two_solution@fuller")],
        [graded("a", 4, 6)],
    )
    assert "Copy of hw.ipynb has answers in 1 cell more" in fuller.problems[0]


def test_work_that_went_on_under_another_name_is_told_of_and_loses_nothing() -> None:
    begun = seen("a", after(-2), right="one_solution@first")
    renamed = seen("b", after(-1), copy="one_solution two_solution@second")
    reports = [graded("first", 1, 1), graded("second", 4, 6)]
    told = judge([begun, renamed], reports)
    assert (
        told.points == 2.0
        and "Copy of hw.ipynb" in told.problems[0]
        and "rename it to" in told.problems[0]
    )
    assert judge([begun, renamed], reports, find="anywhere").points == 10.0
    moved = seen("c", after(1), right="one_solution two_solution@second")
    assert judge([begun, renamed, moved], reports).parts[0].points == 4.0
    back = seen("c", after(1), right="one_solution@first")
    assert (
        judge([begun, seen("b", after(-1), right="one_solution@second"), back], reports)
        .parts[0]
        .points
        == 4.0
    )


def test_late_work_found_elsewhere_is_graded_and_told_of() -> None:
    late = [seen("a", after(0.5), copy="one_solution", right="@stub")]
    first = judge(late, [graded("a", 4, 6)], late=RULE, find="anywhere")
    assert (first.parts[0].state, first.parts[0].points) == (PartState.LATE, 3.6)
    assert "is graded all the same" in first.problems[0]
