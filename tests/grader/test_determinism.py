"""The same notebook always gets the same report: whichever process grades it, whatever the student's code draws."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_course import SmallCourse, code, dump, solution, test

from autograder.course.exam import Exam, read_exam
from autograder.course.reports import Report
from autograder.course.submissions import Submission
from autograder.grader.examiner import Examiner
from autograder.jail import Limits

pytestmark = pytest.mark.slow

START = "def start(n):\n    return np.random.randn(n, n)"
TEST_START = """\
### BEGIN HIDDEN TESTS
from autograder.marking import Marking

marking = Marking(points=4)


@marking.criterion(1, "the numbers are drawn")
def drawn():
    assert len(np.unique(start(4))) == 16


@marking.criterion(3, "they come from the seed", needs="drawn")
def lucky():
    assert start(3).sum() > np.random.rand()  # only a seed makes this fair


marking.score()
### END HIDDEN TESTS
"""
TEST_FIRST = "### BEGIN HIDDEN TESTS\nassert first('abcdef') == 'a'\n### END HIDDEN TESTS"
ANSWERS = {
    "right": START,
    "of Python": "import random\ndef start(n):\n    return np.array([[random.random() - 0.4] * n] * n)",
    "seeded by the clock": f"np.random.seed()\n{START}",
    "by a set": "def first(letters):\n    return list(set(letters))[0]",
    "by a hash": "def first(letters):\n    return 'a' if hash('text') % 2 else 'b'",
    "raises": "def first(letters):\n    raise ValueError(letters)",
}


@pytest.fixture
def exam(small_course: SmallCourse) -> Exam:
    return read_exam(
        small_course.write(
            code("import numpy as np"), solution(START, "start_solution"), test(TEST_START, "start", 4),
            solution("def first(letters):\n    return letters[0]", "first_solution"), test(TEST_FIRST, "first", 2),
        )
    )  # fmt: skip


def report(examiner: Examiner, exam: Exam, answer: str) -> Report:
    cells = [
        code("import numpy as np"), code("noise = np.random.default_rng().random(3)"),
        solution(answer if "start" in answer else START, "start_solution"), test("", "start", 4),
        solution(answer if "first" in answer else "", "first_solution"), test("", "first", 2),
    ]  # fmt: skip
    examined = examiner.examine(exam, Submission("hw", "hw_solved.ipynb", dump(cells)))
    return replace(examined.report, seconds=0.0)


def test_the_same_class_gets_the_same_reports_from_every_examiner(exam: Exam) -> None:
    gradings = []
    for times in (2, 1):
        with Examiner(Limits(cell_seconds=10, call_seconds=10, seconds=60)) as examiner:
            gradings += [
                {name: report(examiner, exam, answer) for name, answer in ANSWERS.items()}
                for _ in range(times)
            ]
    assert all(grading == gradings[0] for grading in gradings)
    assert gradings[0]["right"].points > 0
