"""Nothing partial is final: what waits for another grading is told, and what nobody needs any more goes."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from small_class import NOON, WRONG, Class, answer
from small_course import DOUBLE, TEST_DOUBLE, SmallCourse, code, solution, test

from autograder.classroom.classroom import Classroom
from autograder.course.submissions import Clock, NotebookFile, Push
from autograder.pages.assignment_view import MOST_ENTRIES
from autograder.pages.points_export import Export, Format, export_points
from autograder.pages.student_page import make_student_page
from autograder.record.ledger import Ledger

pytestmark = pytest.mark.slow
LATER = datetime(2027, 6, 1, tzinfo=UTC)


@pytest.fixture
def small_class(small_course: SmallCourse) -> Class:
    return Class(small_course)


def exported(small: Class, form: Format = Format.CSV) -> Export:
    classroom = Classroom.open(small.course.config)
    return export_points(classroom.course, classroom.students, classroom.standings(), form, LATER)


@pytest.mark.parametrize("form", [Format.CSV, Format.MOODLE])
def test_an_export_leaves_out_what_waits_for_regrading_and_says_so(
    small_class: Class, form: Any
) -> None:
    small_class.enrol("good")
    small_class.run()
    assert (exported(small_class, form).undecided, exported(small_class, form).outdated) == (0, {})
    small_class.course.write(code("import math"), solution(DOUBLE), test(TEST_DOUBLE, points=3))
    made = exported(small_class, form)
    assert (made.undecided, made.outdated) == (1, {"hw": 1})
    if form is Format.CSV:
        assert ",,3," in made.text, "no points, of 3"
    classroom = Classroom.open(small_class.course.config)
    assert classroom.standings()["good"]["hw"].parts[0].why.endswith("it will be graded again.")
    assert small_class.run() == (0, {"good": 3.0})
    assert exported(small_class, form).outdated == {}


def test_outputs_are_kept_once_where_the_formgrader_shows_them(small_class: Class) -> None:
    small_class.enrol("good", "wrong")
    small_class.run()
    for number in range(3):
        small_class.push("good", answer(f"good {number}", WRONG), f"push {number}")
        small_class.run()
    assert list((small_class.root / "outputs").rglob("*.json")) == []
    standing = Classroom.open(small_class.course.config).standings()["good"]["hw"]
    shown = json.loads((small_class.root / "autograded" / "good" / "hw" / "hw.ipynb").read_text())
    assert shown["metadata"]["autograder_blob"] == standing.parts[0].file.blob
    assert shown["metadata"]["autograder_ran"] is True


def test_who_pushes_without_end_does_not_make_pages_grow_without_end(small_class: Class) -> None:
    """Five hundred pushes of as many notebooks, before one that is graded."""
    small_class.enrol("good")
    first = Push("good", "", "master", NOON - timedelta(days=9), Clock.FIRST_SEEN)
    for number in range(500):
        file = NotebookFile("assignments/hw/hw_solved.ipynb", f"{number:040x}", 100)
        moment = first.time + timedelta(minutes=number)
        Ledger(small_class.root / "ledger").add_push(
            replace(first, commit=f"{number:040x}", time=moment, notebooks=(file,))
        )
    small_class.run()
    classroom = Classroom.open(small_class.course.config)
    (student,) = classroom.students
    record, mine = classroom.records()["good"], classroom.standings()["good"]
    page = make_student_page(classroom.course, classroom.exams, student, "CODE", mine, record, NOON)
    (view,) = page.assignments
    assert (len(view.history), view.left_out) == (MOST_ENTRIES, 501 - MOST_ENTRIES)
    assert view.history[0].counts
    (sealed,) = (small_class.root / "site" / "p").glob("*.html")
    assert sealed.stat().st_size < 30_000
