"""Every notebook of the course through the real grader: sources get everything, releases nothing, halves a half."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from released_homework import released_notebook
from small_course import REPOSITORY

from autograder.course.configuration_file import load_course
from autograder.course.exam import Exam, read_exam
from autograder.course.reports import Report, Status
from autograder.course.submissions import Submission
from autograder.grader.examiner import Examiner
from autograder.rehearsal.student_roles import StudentDesk

pytestmark = pytest.mark.slow

COURSE = load_course(REPOSITORY / "grading_config.py")


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner(COURSE.limits) as examiner:
        yield examiner


def exam_of(name: str) -> Exam:
    return read_exam(COURSE.source_path(name), COURSE.assignments[name].patterns)


def examine(examiner: Examiner, exam: Exam, content: bytes) -> Report:
    examined = examiner.examine(exam, Submission(exam.assignment, "notebook.ipynb", content))
    errors = [
        output
        for cell in examined.cells
        for output in cell["outputs"]
        if output["output_type"] == "error"
    ]
    assert errors == []
    assert examined.report.problems == ()
    return examined.report


@pytest.mark.parametrize("name", COURSE.assignments)
def test_a_source_gets_all_points_but_those_a_person_gives(examiner: Examiner, name: Any) -> None:
    exam = exam_of(name)
    report = examine(examiner, exam, COURSE.source_path(name).read_bytes())
    manual = sum(exercise.points for exercise in exam.exercises if exercise.manual)
    assert report.points == report.max_points - manual
    assert {entry.status for entry in report.exercises} <= {Status.PASSED, Status.TO_BE_MARKED}


ODD_GUESSES = (
    "(4, 4)",
    '"no idea"',
    "None",
    "[[1], [2, 3]]",
    "print",
    "1 / 3",
    '"é" * 10_000',
    "np.zeros((300, 300))",
)


@pytest.mark.parametrize("name", COURSE.assignments)
def test_whatever_is_predicted_costs_no_point_and_stops_nothing(
    examiner: Examiner, name: Any
) -> None:
    notebook = json.loads(COURSE.source_path(name).read_bytes())
    asked = 0
    for cell in notebook["cells"]:
        lines = list(cell["source"])
        for place, line in enumerate(lines):
            if line.startswith("predictions["):
                guess = ODD_GUESSES[asked % len(ODD_GUESSES)]
                lines[place] = line.replace("] = ...  #", f"] = {guess}  #")
                asked += 1
        cell["source"] = lines
    report = examine(examiner, exam_of(name), json.dumps(notebook).encode())
    assert asked >= 2
    assert {entry.status for entry in report.exercises} <= {Status.PASSED, Status.TO_BE_MARKED}


@pytest.mark.parametrize("name", COURSE.assignments)
def test_a_release_gets_nothing_and_each_exercise_reads_not_attempted(
    examiner: Examiner, name: Any, tmp_path: Path
) -> None:
    report = examine(examiner, exam_of(name), released_notebook(COURSE, name, tmp_path, examiner))
    assert report.points == 0.0
    assert {entry.status for entry in report.exercises} == {Status.NOT_ATTEMPTED}


def test_who_fills_only_the_forward_part_gets_exactly_its_points(
    examiner: Examiner, tmp_path: Path
) -> None:
    exam = exam_of("hw03_neural_networks")
    desk = StudentDesk(
        "half", exam, json.loads(released_notebook(COURSE, exam.assignment, tmp_path, examiner))
    )
    forward = {
        cell for entry in exam.exercises if entry.part == "forward" for cell in entry.solutions
    }
    content = desk.notebook(
        {cell: source for cell, source in desk.answers.items() if cell in forward}
    )
    report = examine(examiner, exam, content)
    assert (
        report.points
        == 30.0
        == sum(entry.points for entry in report.exercises if entry.part == "forward")
    )
    assert {entry.status for entry in report.exercises if entry.part == "backward"} == {
        Status.NOT_ATTEMPTED
    }
