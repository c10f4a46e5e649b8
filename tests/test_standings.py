from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from autograder.config import Assignment, Course, LateRule, Part
from autograder.exam import Exam, Exercise
from autograder.record.ledger import Graded, Record
from autograder.record.marks import ManualMark
from autograder.record.standings import State, decided_points, is_released, standing, wanted_pushes
from autograder.records import Clock, ExerciseResult, NotebookFile, Push, Report, Status, Student

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


def graded(name: str, one: float, two: float, exam: str = EXAM.version) -> Graded:
    results = (
        ExerciseResult("one", "first", one, 4.0, Status.PARTIAL),
        ExerciseResult("two", "second", two, 6.0, Status.PARTIAL),
    )
    return Graded(name, f"blob {name}", DEADLINE, Report("hw", PATH, "graded", results, exam=exam))


def judge(pushes, reports, *, extensions=None, late=None, marks=(), released=True):
    entry = assignment(late)
    course = Course(Path("/course"), "Course", ZoneInfo("UTC"), {"hw": entry})
    record = Record(STUDENT.id, tuple(pushes), tuple(reports), marks=tuple(marks))
    return standing(course, entry, EXAM, STUDENT, record, extensions or {}, released=released)


def test_each_part_counts_its_own_last_push_before_its_own_deadline():
    found = judge(
        [push("a", DEADLINE - timedelta(days=1)), push("b", DEADLINE + timedelta(days=1))],
        [graded("a", 4, 1), graded("b", 0, 6)],
    )
    assert [(part.push.commit, part.points) for part in found.parts] == [("a", 4.0), ("b", 6.0)]
    assert (found.points, found.max_points) == (10.0, 10.0)


def test_a_later_worse_push_before_the_deadline_counts_all_the_same():
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
def test_the_minute_of_the_deadline_counts_to_its_end(seconds, counts):
    found = judge([push("a", DEADLINE + timedelta(seconds=seconds))], [graded("a", 4, 6)])
    assert found.parts[0].state is (State.GRADED if counts else State.TOO_LATE)


def test_an_extension_moves_one_part_only():
    late = DEADLINE + timedelta(days=8)
    moved = {(STUDENT.id, "hw", "first"): DEADLINE + timedelta(days=9)}
    found = judge([push("a", late)], [graded("a", 4, 6)], extensions=moved)
    assert [part.state for part in found.parts] == [State.GRADED, State.TOO_LATE]
    assert [part.extended for part in found.parts] == [True, False]


def test_not_graded_yet_is_not_zero():
    found = judge([push("a", DEADLINE)], [])
    assert found.parts[0].state is State.WAITING
    assert found.points is None


def test_nothing_pushed_is_zero():
    found = judge([], [])
    assert found.parts[0].state is State.NOTHING
    assert found.points == 0.0


def test_a_misplaced_notebook_is_named_with_its_right_place():
    found = judge([push("a", DEADLINE, "hw_solved.ipynb")], [])
    assert found.parts[0].state is State.MISSING
    assert "hw_solved.ipynb" in found.parts[0].why
    assert PATH in found.parts[0].why


def test_a_renamed_copy_beside_the_graded_original_is_named():
    found = judge([push("a", DEADLINE, "assignments/hw/hw.ipynb", "assignments/hw/hw_final.ipynb")], [])
    (sentence,) = found.problems
    assert "assignments/hw/hw_final.ipynb is not graded under this name; rename it to hw_solved.ipynb" in sentence


@pytest.mark.parametrize(("days", "points"), [(0.5, 3.0), (1.5, 2.0), (2.5, None)])
def test_a_late_rule_takes_a_share_for_each_day_begun(days, points):
    rule = LateRule(per_day=0.25, days=2)
    found = judge([push("a", DEADLINE + timedelta(days=days))], [graded("a", 4, 6)], late=rule)
    first = found.parts[0]
    assert first.points == (points if points is not None else 0.0)
    assert first.state is (State.LATE if points is not None else State.TOO_LATE)


def test_the_better_of_on_time_and_late_counts():
    rule = LateRule(per_day=0.5, days=2)
    pushes = [push("a", DEADLINE - timedelta(days=1)), push("b", DEADLINE + timedelta(hours=1))]
    worse_late = judge(pushes, [graded("a", 3, 0), graded("b", 4, 0)], late=rule).parts[0]
    better_late = judge(pushes, [graded("a", 1, 0), graded("b", 4, 0)], late=rule).parts[0]
    assert (worse_late.push.commit, worse_late.points) == ("a", 3.0)
    assert (better_late.push.commit, better_late.points) == ("b", 2.0)


def test_a_report_of_an_older_exam_serves_until_the_new_one_is_there():
    old, new = graded("a", 1, 1, exam="older"), graded("a", 4, 6)
    assert judge([push("a", DEADLINE)], [old]).points == 2.0
    assert judge([push("a", DEADLINE)], [old, new]).points == 10.0


def test_what_must_be_graded_is_what_counts_and_what_is_newest():
    pushes = (
        push("early", DEADLINE - timedelta(days=9)),
        push("first", DEADLINE - timedelta(days=1)),
        push("middle", DEADLINE + timedelta(days=1)),
        push("second", DEADLINE + timedelta(days=2)),
        push("newest", DEADLINE + timedelta(days=20)),
    )
    wanted = wanted_pushes(assignment(), STUDENT.id, Record(STUDENT.id, pushes), {})
    assert {entry.commit for entry in wanted} == {"first", "second", "newest"}


def test_a_push_seen_out_of_order_counts_by_its_time():
    pushes = [push("later", DEADLINE), push("earlier", DEADLINE - timedelta(days=1))]
    assert judge(pushes, [graded("later", 4, 6), graded("earlier", 0, 0)]).parts[0].push.commit == "later"


def test_a_mark_counts_in_its_part_before_the_late_rule_and_the_automatic_points_stay_known():
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


def test_a_mark_without_a_push_that_counts_gives_nothing():
    mark = ManualMark("hw", "one", DEADLINE, points=4.0)
    assert judge([], [], marks=[mark]).points == 0.0


@pytest.mark.parametrize("pushes", [[], [push("a", DEADLINE, "README.md")]], ids=["nothing pushed", "something else"])
def test_homework_that_is_not_released_is_not_zero(pushes):
    found = judge(pushes, [], released=False)
    assert {part.state for part in found.parts} == {State.UNRELEASED}
    assert found.points is None
    after = DEADLINE + timedelta(days=30)
    assert {decided_points(part, after) for part in found.parts} == {None}


def test_homework_is_released_once_it_lies_there_or_somebody_has_pushed_it(tmp_path):
    course = Course(tmp_path, "Course", ZoneInfo("UTC"), {"hw": assignment()}, releases=tmp_path)
    forks = [Record("a", (push("a", DEADLINE, "README.md"),), ()), Record("b", (push("b", DEADLINE),), ())]
    assert not is_released(course, "hw", forks[:1])
    assert is_released(course, "hw", forks)
    course.release("hw").parent.mkdir()
    course.release("hw").touch()
    assert is_released(course, "hw", [])
