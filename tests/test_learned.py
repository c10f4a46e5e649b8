"""What a push can learn of the hidden inputs that its functions were given: only by words and numbers of ours.

Each of these notebooks tries to carry hidden inputs to where its author can read them: the report for students.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from conftest import DOUBLE, SmallCourse, code, dump, solution, test

from autograder.exam import Exam, read_exam
from autograder.grader.examiner import MAX_PROBLEMS, Examiner
from autograder.grader.notebooks import Notebook, read_notebook
from autograder.jail import Limits
from autograder.records import Report, Submission

SECRET = 4711
KEEPING = "seen = []\ndef double(x):\n    seen.append(x)\n    return 2 * x"
HIDDEN = f"### BEGIN HIDDEN TESTS\nassert double({SECRET}) == {2 * SECRET}\n### END HIDDEN TESTS"


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner(Limits(cell_seconds=4, call_seconds=4, seconds=120, memory_mb=512)) as examiner:
        yield examiner


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Exam:
    course = SmallCourse(tmp_path_factory.mktemp("course"))
    course.write(solution(DOUBLE), test(HIDDEN))
    return read_exam(course.source)


def pushed(examiner: Examiner, exam: Exam, *cells: dict) -> Report:
    return examiner.examine(exam, Submission("hw", "hw_solved.ipynb", dump(cells))).report.for_students()


def test_an_exception_in_the_place_of_a_cells_outputs_carries_nothing(examiner, exam):
    forging = """
import autograder.jail.worker as worker
perform = worker.Worker.perform
def forged(self, operation, *rest):
    if operation == "cell" and seen:
        raise type(f"inputs_{seen[0]}", (Exception,), {})(seen[0])
    return perform(self, operation, *rest)
worker.Worker.perform = forged
"""
    report = pushed(examiner, exam, solution(KEEPING), code(forging), test("", "double"), code("1"), code("2"))
    assert report.points == 2.0
    assert str(SECRET) not in json.dumps(report.to_json())
    assert report.problems == (
        "1 cell below the first test was stopped, or ended the Python process. It was left out.",
    )


def test_an_error_of_the_trials_own_is_told_without_its_class(examiner, exam, monkeypatch):
    def failing(*_: object, **__: object) -> None:
        raise type(f"inputs_{SECRET}", (Exception,), {"__module__": "student"})(SECRET)

    monkeypatch.setattr("autograder.grader.trial.judge", failing)
    report = pushed(examiner, exam, solution(KEEPING), test("", "double"))
    assert str(SECRET) not in json.dumps(report.to_json())
    assert report.problems == ("Grading was cut short by an error; please tell your instructor.",)


def test_which_cells_end_the_process_below_a_hidden_test_is_not_told(examiner, exam):
    def problems(dead: list[int]) -> tuple[str, ...]:
        ends = "import os; os._exit(0)"
        cells = [code(ends if number in dead else "1") for number in range(6)]
        return pushed(examiner, exam, solution(KEEPING), test("", "double"), *cells).problems

    assert problems([0]) == problems([5])
    assert problems([0, 3]) == problems([2, 4]) != problems([0])
    assert "Cell" not in " ".join(problems([1]))


def test_cells_above_the_first_hidden_test_are_named(examiner, exam):
    cells = [code("import os; os._exit(0)"), solution(KEEPING), test("", "double")]
    (problem,) = pushed(examiner, exam, *cells).problems
    assert problem.startswith("Cell 1 ended the Python process")


def test_a_notebook_that_ends_its_process_again_and_again_is_told_so_once(examiner, exam):
    cells = [code(f"import os; os._exit({number})") for number in range(300)]
    report = pushed(examiner, exam, *cells, solution(KEEPING), test("", "double"))
    assert len(report.problems) == 6
    assert report.problems[-1].startswith("The notebook ended its Python process too often")
    below = pushed(examiner, exam, solution(KEEPING), test("", "double"), *cells)
    assert below.points == 2.0
    assert len(below.problems) == 2


def test_there_is_a_limit_to_problems(examiner, exam, monkeypatch):
    monkeypatch.setattr("autograder.grader.examiner.read_notebook", _with_many_problems)
    report = pushed(examiner, exam, solution(KEEPING), test("", "double"))
    assert report.points == 2.0
    assert len(report.problems) == MAX_PROBLEMS == 50
    assert report.problems[-1] == "There is more of this kind: 251 further sentences were left out."


def _with_many_problems(content: bytes) -> Notebook:
    return replace(read_notebook(content), problems=tuple(f"problem {number}" for number in range(300)))
