"""Points for other systems: their documented columns, the numbers of the pages and of nbgrader, no 0 for nothing."""

from __future__ import annotations

import csv
import io
import os
import stat
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import warm_autograder
from marked_course import EARLY, MarkedCourse, make_marked_course
from nbgrader_course import nbgrader
from pages_class import ARRAYS, NOW, REGRESSION, PracticeClass, at, practice_class

from autograder.course.errors import ConfigError
from autograder.pages.points_export import Format, export_points
from autograder.pages.student_page import make_student_page

AFTER = NOW + timedelta(days=30)
NAMES = {"on-time": "On The Time", "late": "Late", "corrected": "Corrected, Twice"}


def exported(
    made: PracticeClass, form: Format, now: datetime = NOW, assignments: tuple[str, ...] = ()
) -> list[list[str]]:
    students = [
        replace(student, name=NAMES.get(student.id, ""), group="Tuesday")
        for student in made.students
    ]
    return list(
        csv.reader(
            io.StringIO(
                export_points(made.course, students, made.standings, form, now, assignments).text
            )
        )
    )


@pytest.fixture(scope="module")
def made() -> PracticeClass:
    return practice_class(marks=True)


def test_moodle_gets_people_by_number_and_address_and_a_column_for_each_assignment(
    made: PracticeClass,
) -> None:
    header, *rows = exported(made, Format.MOODLE, assignments=(ARRAYS, REGRESSION))
    assert header == [
        "First name", "Last name", "ID number", "Email address", "Arrays and matrices with numpy", "Linear regression"
    ]  # fmt: skip
    by_id = {row[2]: row for row in rows}
    assert by_id["on-time"] == ["On The", "Time", "on-time", "on-time@example.org", "10", "19.5"]
    assert by_id["nothing-pushed"][4:] == ["0", ""], "the second one is open until Saturday"


def test_canvas_gets_its_five_columns_and_the_points_possible(made: PracticeClass) -> None:
    header, possible, *rows = exported(made, Format.CANVAS, assignments=(ARRAYS,))
    assert header == [
        "Student",
        "ID",
        "SIS User ID",
        "SIS Login ID",
        "Section",
        "Arrays and matrices with numpy",
    ]
    assert possible == ["    Points Possible", "", "", "", "", "10"]
    by_id = {row[2]: row for row in rows}
    assert by_id["on-time"] == [
        "Time, On The",
        "",
        "on-time",
        "on-time@example.org",
        "Tuesday",
        "10",
    ]
    assert by_id["corrected"][0] == "Twice, Corrected,"
    assert by_id["late"][5] == "0", "pushed too late"


def test_the_universitys_number_stands_for_the_id_where_there_is_one(made: PracticeClass) -> None:
    students = [replace(student, number=f"N{place}") for place, student in enumerate(made.students)]
    for form, column in ((Format.MOODLE, "ID number"), (Format.CANVAS, "SIS User ID")):
        rows = list(
            csv.DictReader(
                io.StringIO(export_points(made.course, students, made.standings, form, NOW).text)
            )
        )
        assert [row[column] for row in rows][-8:] == [f"N{place}" for place in range(8)]


def test_the_plain_table_has_a_line_for_each_part_with_what_it_rests_on(
    made: PracticeClass,
) -> None:
    header, *rows = exported(made, Format.CSV)
    assert len(rows) == len(made.students) * 3
    lines = {(row[0], row[5], row[6]): dict(zip(header, row, strict=True)) for row in rows}
    assert lines["late", REGRESSION, "forward"] == {
        "student": "late", "number": "", "name": "Late", "email": "late@example.org", "group": "Tuesday",
        "assignment": REGRESSION, "part": "forward", "deadline": "2027-03-06T23:59:00+01:00",
        "pushed": "2027-03-07T09:12:00+01:00", "commit": made.records["late"].pushes[1].commit,
        "state": "graded late", "points": "4.8", "max_points": "6", "to_be_marked": "",
    }  # fmt: skip
    assert lines["corrected", REGRESSION, "training"]["to_be_marked"] == "explain_the_half"
    waiting = lines["just-pushed", REGRESSION, "forward"]
    assert (waiting["state"], waiting["points"]) == ("not graded yet", "")


@pytest.mark.parametrize("form", [Format.MOODLE, Format.CANVAS])
def test_what_is_not_decided_is_empty_and_never_0(made: PracticeClass, form: Any) -> None:
    rows = exported(made, form, assignments=(REGRESSION,))
    cells = {row[2]: row[-1] for row in rows}
    assert cells["just-pushed"] == "", "waits for the grader"
    assert cells["corrected"] == "", "waits for a person"
    assert cells["nothing-pushed"] == "", "may still push"
    assert cells["on-time"] == "19.5"
    closed = {row[2]: row[-1] for row in exported(made, form, AFTER, (REGRESSION,))}
    assert (closed["just-pushed"], closed["corrected"], closed["nothing-pushed"]) == ("", "", "0")


def test_an_assignment_without_any_result_is_left_out_unless_it_is_asked_for(
    made: PracticeClass,
) -> None:
    nobody = replace(made, standings={name: {**own, REGRESSION: made.standings["nothing-pushed"][REGRESSION]}
                                      for name, own in made.standings.items()})  # fmt: skip
    assert exported(nobody, Format.MOODLE)[0][4:] == ["Arrays and matrices with numpy"]
    assert exported(nobody, Format.MOODLE, assignments=(REGRESSION,))[0][4:] == [
        "Linear regression"
    ]


def test_two_assignments_of_one_title_are_told_apart(made: PracticeClass) -> None:
    same = {
        name: replace(entry, title="Homework") for name, entry in made.course.assignments.items()
    }
    course = replace(made.course, assignments=same)
    assert exported(replace(made, course=course), Format.MOODLE)[0][4:] == [ARRAYS, REGRESSION]


def test_an_unknown_assignment_is_refused_with_the_nearest(made: PracticeClass) -> None:
    with pytest.raises(ConfigError, match="did you mean 'hw01_numpy'"):
        exported(made, Format.CSV, assignments=("hw1_numpy",))


@pytest.mark.parametrize(
    "now", [NOW, AFTER, at("02-20 12:00")], ids=["now", "at the end", "at the beginning"]
)
def test_the_numbers_are_those_of_the_pages(made: PracticeClass, now: Any) -> None:
    rows = exported(made, Format.MOODLE, now, (ARRAYS, REGRESSION))[1:]
    for student, row in zip(made.students, rows, strict=True):
        record, own = made.records[student.id], made.standings[student.id]
        page = make_student_page(made.course, made.exams, student, "", own, record, now)
        for view, cell in zip(page.assignments, row[4:], strict=True):
            complete = view.complete and all(
                row.points is not None for part in view.parts for row in part.rows if row.graded
            )
            assert cell == (f"{view.points:g}" if complete else ""), (student.id, view.title)


# --------------------------------------------------------------------------------------------------------- the command


@pytest.fixture
def course(tmp_path: Path) -> MarkedCourse:
    return make_marked_course(tmp_path / "course")


def autograder(course: MarkedCourse, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*warm_autograder.command(), *arguments]
    return subprocess.run(
        command, cwd=course.small.root, capture_output=True, text=True, env=os.environ, check=False
    )


@pytest.mark.slow
def test_the_command_writes_what_nbgrader_exports(course: MarkedCourse) -> None:
    course.grade("on-time", EARLY)
    course.grade("late", EARLY, double=1.0)
    course.update()
    course.enter(manual_score=2.5)
    course.enter(student="late", manual_score=0.0)
    assert autograder(course, "gradebook").returncode == 0
    done = autograder(course, "export", "--format", "moodle", "--to", "points.csv")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    nbgrader(course.small.root, "export", "--to=grades.csv")
    with (course.small.root / "grades.csv").open() as file:
        theirs = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    path = course.small.root / "points.csv"
    with path.open() as file:
        ours = {row["ID number"]: float(row["Homework"]) for row in csv.DictReader(file)}
    assert ours == theirs == {"on-time": 4.5, "late": 1.0}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.slow
def test_the_command_prints_and_says_what_is_empty(course: MarkedCourse) -> None:
    course.grade("on-time", EARLY)
    course.grade("late", EARLY, plot=None)
    done = autograder(course, "export", "--format", "canvas", "-a", "hw")
    assert done.stdout.splitlines()[2:] == [
        '"Time, On",,on-time,on-time@example.org,Tuesday,', '"Late, Always",,late,late@example.org,Friday,'
    ]  # fmt: skip
    assert done.stderr == "note: 2 results are empty: not pushed, graded or marked yet\n"


@pytest.mark.slow
def test_a_file_that_cannot_be_written_is_one_line(course: MarkedCourse) -> None:
    done = autograder(course, "export", "--to", "nowhere/points.csv")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "nowhere/points.csv: No such file or directory" in done.stderr
