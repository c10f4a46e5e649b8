"""What a hidden test lends stands in the place of the student's own function, for as long as the block lasts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from small_course import SmallCourse, dump, solution, test

from autograder.course.errors import ExamError
from autograder.course.exam import Exam, read_exam
from autograder.course.reports import ExerciseResult
from autograder.course.submissions import Submission
from autograder.grader.examiner import Examiner
from autograder.jail import Limits
from autograder.lending import lent

pytestmark = pytest.mark.slow

MATRIX = "def matrix():\n    return 3"
TWICE = "def twice():\n    return 2 * matrix()"
TEST = """\
### BEGIN HIDDEN TESTS
from autograder.checks import expect
from autograder.lending import lent
from autograder.marking import Hint, Marking

marking = Marking(points=3)


@marking.criterion(1, "it is twice the matrix")
def twice_three():
    expect(twice() == 6, "twice three is six")


@marking.criterion(1, "it is computed")
def twice_another():
    with lent(matrix=lambda: 5):
        got = twice()
    if got != 10:
        raise Hint("it does not use `matrix`")
    expect(twice() == 6, "afterwards the student's own function is back")


@marking.criterion(1, "errors pass through")
def matrix_fails():
    def fail():
        raise KeyError("of the test")

    try:
        with lent(matrix=fail):
            twice()
    except KeyError:
        pass
    else:
        raise Hint("the error was swallowed")


marking.score()
### END HIDDEN TESTS"""
MISTAKES = """\
from autograder.mistakes import Mistakes

mistakes = Mistakes("hw")


@mistakes.of("twice", hint="That is the number itself.")
def once():
    return 3
"""


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Exam:
    course = SmallCourse(tmp_path_factory.mktemp("course"))
    cells = [
        solution(MATRIX, "matrix_solution"),
        solution(TWICE, "twice_solution"),
        test(TEST, "twice", 3.0),
    ]
    source = course.write(*cells)
    source.with_name("mistakes.py").write_text(MISTAKES, encoding="utf-8")
    return read_exam(source)


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner(Limits(cell_seconds=10, call_seconds=10, seconds=60)) as examiner:
        yield examiner


def result(examiner: Examiner, exam: Exam, answer: str) -> ExerciseResult:
    cells = [
        solution(MATRIX, "matrix_solution"),
        solution(answer, "twice_solution"),
        test("", "twice"),
    ]
    (found,) = examiner.examine(
        exam, Submission("hw", "hw_solved.ipynb", dump(cells))
    ).report.exercises
    return found


def test_what_is_computed_changes_with_what_is_lent(examiner: Examiner, exam: Exam) -> None:
    assert result(examiner, exam, TWICE).points == 3.0


def test_what_is_written_down_does_not_change(examiner: Examiner, exam: Exam) -> None:
    found = result(examiner, exam, "def twice():\n    return 6")
    assert (found.points, found.hint) == (1.0, "it does not use `matrix`")


def test_calls_while_something_is_lent_do_not_hide_a_known_mistake(
    examiner: Examiner, exam: Exam
) -> None:
    found = result(examiner, exam, "def twice():\n    return matrix()")
    assert found.hint == "That is the number itself."


def test_without_a_grader_and_a_notebook_nothing_is_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("IPython.get_ipython", lambda: None)
    with pytest.raises(ExamError, match="only inside of a notebook"), lent(matrix=lambda: 5):
        pass
