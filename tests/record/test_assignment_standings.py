"""An assignment of several notebooks judged as one; and records that call its notebooks as they were called once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from autograder.course.configuration import Assignment, Course, LateRule, Part
from autograder.course.exam import WHOLE, Exam, Exercise
from autograder.course.reports import ExerciseResult, Report, Status
from autograder.course.submissions import Clock, NotebookFile, Push, Student
from autograder.record.assignment_standings import join_standings, judge_notebooks
from autograder.record.ledger import Ledger, StudentRecord
from autograder.record.ledger_entries import RecordedReport
from autograder.record.manual_marks import ManualMark
from autograder.record.standings import PartState, Standing, decided_sum

DEADLINE = datetime(2027, 3, 6, 22, 59, tzinfo=UTC)
DAY = timedelta(days=1)
STUDENT = Student("on-time", "/forks/on-time.git")
ONE, TWO = "ps1/one", "ps1/two"
LATE = LateRule(0.1, 7)


def make_course(late: LateRule | None = None) -> Course:
    part = Part(WHOLE, ("*",), DEADLINE)
    entries = {}
    for name in (ONE, TWO):
        entries[name] = Assignment(name, "Set 1", (part,), late)
    return Course(Path("/course"), "Course", ZoneInfo("UTC"), entries)


EXAMS = {
    ONE: Exam(ONE, (), (Exercise("a", WHOLE, 5.0, False, ()),)),
    TWO: Exam(TWO, (), (Exercise("a", WHOLE, 5.0, False, ()),)),
}


def push(name: str, time: datetime, **blobs: str) -> Push:
    """A push; `blobs` says which state of each notebook is in it."""
    files = []
    for notebook, blob in blobs.items():
        path = f"assignments/ps1/{notebook}_solved.ipynb"
        files.append(NotebookFile(path, blob, 1, f"ps1/{notebook}", ("a_answer",)))
    return Push(STUDENT.id, name, "master", time, Clock.FIRST_SEEN, tuple(files))


def graded(name: str, blob: str, points: float) -> RecordedReport:
    result = ExerciseResult("a", WHOLE, points, 5.0, Status.PARTIAL)
    report = Report(name, "", "graded", (result,), exam=EXAMS[name].version)
    return RecordedReport("commit", blob, DEADLINE, report)


def judge(course: Course, record: StudentRecord) -> tuple[dict[str, Standing], Standing]:
    notebooks = tuple(course.assignments.values())
    released = dict.fromkeys(course.assignments, True)
    found = judge_notebooks(course, notebooks, EXAMS, STUDENT, record, {}, released)
    return found, join_standings(course.list_notebooks(), found)["ps1"]


def test_a_push_may_change_one_notebook_only_and_a_standing_sums_them() -> None:
    first = push("first", DEADLINE - 2 * DAY, one="one right", two="two stub")
    second = push("second", DEADLINE - DAY, one="one right", two="two right")
    reports = (graded(ONE, "one right", 5), graded(TWO, "two right", 4))
    record = StudentRecord(STUDENT.id, (first, second), reports)
    found, whole = judge(make_course(), record)
    assert {name: one.points for name, one in found.items()} == {ONE: 5.0, TWO: 4.0}
    assert (whole.points, whole.max_points) == (9.0, 10.0)
    (part,) = whole.parts
    assert part.state is PartState.GRADED
    assert [result.id for result in part.exercises] == ["one/a", "two/a"]
    assert part.push == second


def test_who_began_one_notebook_has_its_points_and_none_of_the_other() -> None:
    only = push("only", DEADLINE - DAY, one="one right")
    record = StudentRecord(STUDENT.id, (only,), (graded(ONE, "one right", 5),))
    _, whole = judge(make_course(), record)
    assert whole.points == decided_sum(whole, DEADLINE - DAY) == 5.0
    assert whole.parts[0].why.startswith("one: The push of"), whole.parts[0].why
    assert "two: There is no notebook" in whole.parts[0].why


def test_nothing_is_settled_while_one_notebook_waits_to_be_graded() -> None:
    both = push("both", DEADLINE - DAY, one="one right", two="two right")
    record = StudentRecord(STUDENT.id, (both,), (graded(ONE, "one right", 5),))
    _, whole = judge(make_course(), record)
    assert whole.parts[0].state is PartState.WAITING
    assert whole.points is None


@pytest.mark.parametrize(
    ("late_points", "expected", "factor"),
    [(5, 9.0, 0.9), (0.5, 5.0, 1.0)],
    ids=["the late push is worth more", "the late push is worth less"],
)
def test_a_late_push_counts_for_all_notebooks_or_for_none(
    late_points: float, expected: float, factor: float
) -> None:
    in_time = push("in time", DEADLINE - DAY, one="one right", two="two stub")
    late = push("late", DEADLINE + DAY / 2, one="one right", two="two right")
    two = (graded(TWO, "two stub", 0), graded(TWO, "two right", late_points))
    reports = (graded(ONE, "one right", 5), *two)
    record = StudentRecord(STUDENT.id, (in_time, late), reports)
    found, whole = judge(make_course(LATE), record)
    assert whole.points == expected, "0.9 of both, not all of one and 0.9 of the other"
    assert {part.factor for one in found.values() for part in one.parts} == {factor}
    assert whole.parts[0].factor == factor
    if factor < 1:
        assert {part.push for one in found.values() for part in one.parts} == {late}
        assert "at 90%" in whole.parts[0].why


def test_of_two_late_pushes_the_sum_decides_which_counts() -> None:
    pushes = (
        push("in time", DEADLINE - DAY, one="one stub"),
        push("a day", DEADLINE + DAY / 2, one="one right", two="two half"),
        push("three days", DEADLINE + 2.5 * DAY, one="one right", two="two right"),
    )
    reports = (
        graded(ONE, "one stub", 0),
        graded(ONE, "one right", 5),
        graded(TWO, "two half", 4),
        graded(TWO, "two right", 5),
    )
    record = StudentRecord(STUDENT.id, pushes, reports)
    _, whole = judge(make_course(LATE), record)
    assert whole.points == 8.1, "0.9 of 9, not 0.7 of 10"
    assert whole.parts[0].push == pushes[1]


def test_one_notebook_is_judged_as_ever() -> None:
    part = Part(WHOLE, ("*",), DEADLINE)
    entry = Assignment("hw", "Homework", (part,), LATE)
    course = Course(Path("/course"), "Course", ZoneInfo("UTC"), {"hw": entry})
    exam = Exam("hw", (), EXAMS[ONE].exercises)
    found = judge_notebooks(
        course, (entry,), {"hw": exam}, STUDENT, StudentRecord(STUDENT.id), {}, {"hw": True}
    )
    assert join_standings(course.list_notebooks(), found) == found


def test_a_record_that_has_the_former_names_goes_on(tmp_path: Path) -> None:
    course = make_course()
    old = Ledger(tmp_path)
    before = push("both", DEADLINE - DAY, one="one right", two="two right")
    holding = [
        NotebookFile(f"assignments/ps1.{n}/ps1.{n}_solved.ipynb", f"{n} right", 1, f"ps1.{n}", ("a_answer",))
        for n in ("one", "two")
    ]  # fmt: skip
    old.add_push(Push(STUDENT.id, "both", "master", before.time, Clock.FIRST_SEEN, tuple(holding)))
    for name, points in ((ONE, 5), (TWO, 3)):
        report = graded(name, f"{name.partition('/')[2]} right", points).report
        former = Report(name.replace("/", "."), "", "graded", report.exercises, exam=report.exam)
        blob = f"{name.partition('/')[2]} right"
        old.add_report(STUDENT.id, "both", blob, former, DEADLINE)
    old.add_mark(STUDENT.id, ManualMark("ps1.two", "a", DEADLINE, 4.0))

    found, whole = judge(course, Ledger(tmp_path, course.former_names).read(STUDENT.id))
    assert {name: one.points for name, one in found.items()} == {ONE: 5.0, TWO: 4.0}
    assert whole.points == 9.0
    _, without = judge(course, old.read(STUDENT.id))
    assert without.points != 9.0, "the names are what makes it go on"
