"""What a course takes over from nbgrader's gradebook: who takes it, until when; and which names it cannot take."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from example_course import PROBLEM_1, PROBLEM_2, write_notebook

from autograder.course.configuration_file import load_course
from autograder.course.errors import GradebookFailed
from autograder.course.roster import read_roster
from autograder.gradebook.gradebook_database import put_tools_on_path
from autograder.publishing.adoption import find_course, write_config

pytestmark = pytest.mark.slow  # nbgrader makes its gradebook itself

DUE = datetime(2027, 3, 6, 22, 59)  # as nbgrader keeps it: in UTC, without saying so


def test_students_and_deadlines_come_from_nbgraders_own_gradebook(tmp_path: Path) -> None:
    from nbgrader.api import Gradebook

    put_tools_on_path()
    source = tmp_path / "source"
    write_notebook(source / "Problem Set 1" / "Problem 1.ipynb", PROBLEM_1)
    write_notebook(source / "Problem Set 1" / "Problem 2.ipynb", PROBLEM_2)
    write_notebook(source / "hw" / "hw.ipynb", PROBLEM_1)
    write_notebook(source / "odd" / "a+b.ipynb", PROBLEM_1)
    write_notebook(source / "twins" / "one.ipynb", PROBLEM_1)
    write_notebook(source / "twins" / "ONE.ipynb", PROBLEM_1)
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as book:
        book.add_assignment("Problem Set 1", duedate=DUE)
        book.add_assignment("hw")
        book.add_assignment("gone", duedate=DUE)
        book.add_student("who@school.example", first_name="Anna", last_name='O\'Neil, "B"')
        book.add_student("Max Ü", email="max@school.example")
        book.add_student("a+b")

    found = find_course(tmp_path)
    assert [path.name for path in write_config(found, "Europe/Budapest")] == [
        "grading_config.py",
        "roster.csv",
    ]
    course = load_course(tmp_path / "grading_config.py")
    assert {name: len(entries) for name, entries in course.list_notebooks().items()} == {
        "Problem Set 1": 2,
        "hw": 1,
    }
    (part,) = course.find_assignment("Problem Set 1/Problem 2").parts
    assert part.deadline is not None
    assert course.write_moment(part.deadline) == "Sat 6 Mar 2027, 23:59 CET"
    assert course.find_assignment("hw").parts[0].deadline is None
    assert [
        (student.id, student.name, student.email) for student in read_roster(course.roster)
    ] == [
        ("Max Ü", "", "max@school.example"),
        ("who@school.example", 'Anna O\'Neil, "B"', ""),
    ]
    told = "\n".join(found.unusable)
    for words in (
        "odd: 'a+b'",
        "'ONE' and 'one' look alike",
        "student 'a+b' is left out",
        "'gone', due 2027-03-06 22:59+00:00",
    ):
        assert words in told, told


def test_a_gradebook_that_cannot_be_read_is_named_and_left_alone(tmp_path: Path) -> None:
    write_notebook(tmp_path / "source" / "hw" / "hw.ipynb", PROBLEM_1)
    broken = tmp_path / "gradebook.db"
    broken.write_bytes(b"no database" * 100)
    with pytest.raises(GradebookFailed, match=r"gradebook\.db: file is not a database"):
        find_course(tmp_path)
    assert broken.read_bytes() == b"no database" * 100
