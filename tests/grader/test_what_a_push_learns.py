"""What a push can learn of the hidden inputs that its functions were given: only by words and numbers of ours.

Each of these notebooks tries to carry hidden inputs to where its author can read them: the report for students.
"""

from __future__ import annotations

import builtins
import contextlib
import copy
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from small_course import DOUBLE, REPOSITORY, SmallCourse, code, dump, solution, test

from autograder.course.exam import Exam, read_exam
from autograder.course.notebook_files import Notebook, read_notebook
from autograder.course.reports import Report
from autograder.course.submissions import Submission
from autograder.grader.accidents import WORDS
from autograder.grader.evidence import Evidence
from autograder.grader.examiner import MAX_PROBLEMS, Examiner
from autograder.grader.hints import REFUSALS
from autograder.grader.test_cells import CellGlobals, run_test_cell
from autograder.grader.verdict import judge_exercise
from autograder.jail import Limits
from autograder.kernel.proxies import Call
from autograder.kernel.wire import CannotCross
from autograder.mistakes import Variants, load_variants
from autograder.reference import current, run_reference

pytestmark = pytest.mark.slow

SECRET = 4711
KEEPING = "seen = []\ndef double(x):\n    seen.append(x)\n    return 2 * x"
HIDDEN = f"### BEGIN HIDDEN TESTS\nassert double({SECRET}) == {2 * SECRET}\n### END HIDDEN TESTS"


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner(Limits(cell_seconds=1, call_seconds=1, seconds=120, memory_mb=512)) as examiner:
        yield examiner


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Exam:
    course = SmallCourse(tmp_path_factory.mktemp("course"))
    course.write(solution(DOUBLE), test(HIDDEN))
    return read_exam(course.source)


def pushed(examiner: Examiner, exam: Exam, *cells: dict[str, Any]) -> Report:
    return examiner.examine(
        exam, Submission("hw", "hw_solved.ipynb", dump(cells))
    ).report.for_students()


def test_an_exception_in_the_place_of_a_cells_outputs_carries_nothing(
    examiner: Examiner, exam: Exam
) -> None:
    forging = """
import autograder.kernel.worker as worker
perform = worker.Worker.perform
def forged(self, operation, *rest):
    if operation == "cell" and seen:
        raise type(f"inputs_{seen[0]}", (Exception,), {})(seen[0])
    return perform(self, operation, *rest)
worker.Worker.perform = forged
"""
    report = pushed(
        examiner, exam, solution(KEEPING), code(forging), test("", "double"), code("1"), code("2")
    )
    assert report.points == 2.0
    assert str(SECRET) not in json.dumps(report.to_json())
    assert report.problems == (
        "1 cell below the first test was stopped, or ended the Python process. It was left out.",
    )


def test_an_error_of_the_trials_own_is_told_without_its_class(
    examiner: Examiner, exam: Exam, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise type(f"inputs_{SECRET}", (Exception,), {"__module__": "student"})(SECRET)

    monkeypatch.setattr("autograder.grader.trial.judge_exercise", failing)
    report = pushed(examiner, exam, solution(KEEPING), test("", "double"))
    assert str(SECRET) not in json.dumps(report.to_json())
    assert report.problems == ("Grading was cut short by an error; please tell your instructor.",)


def test_which_cells_end_the_process_below_a_hidden_test_is_not_told(
    examiner: Examiner, exam: Exam
) -> None:
    def problems(dead: list[int]) -> tuple[str, ...]:
        ends = "import os; os._exit(0)"
        cells = [code(ends if number in dead else "1") for number in range(6)]
        return pushed(examiner, exam, solution(KEEPING), test("", "double"), *cells).problems

    assert problems([0]) == problems([5])
    assert problems([0, 3]) == problems([2, 4]) != problems([0])
    assert "Cell" not in " ".join(problems([1]))


def test_cells_above_the_first_hidden_test_are_named(examiner: Examiner, exam: Exam) -> None:
    cells = [code("import os; os._exit(0)"), solution(KEEPING), test("", "double")]
    (problem,) = pushed(examiner, exam, *cells).problems
    assert problem.startswith("Cell 1 ended the Python process")


def test_a_notebook_that_ends_its_process_again_and_again_is_told_so_once(
    examiner: Examiner, exam: Exam
) -> None:
    cells = [code(f"import os; os._exit({number})") for number in range(300)]
    report = pushed(examiner, exam, *cells, solution(KEEPING), test("", "double"))
    assert len(report.problems) == 6
    assert report.problems[-1].startswith("The notebook ended its Python process too often")
    below = pushed(examiner, exam, solution(KEEPING), test("", "double"), *cells)
    assert below.points == 2.0
    assert len(below.problems) == 2


def test_there_is_a_limit_to_problems(
    examiner: Examiner, exam: Exam, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.grader.trial_process.read_notebook", _with_many_problems)
    report = pushed(examiner, exam, solution(KEEPING), test("", "double"))
    assert report.points == 2.0
    assert len(report.problems) == MAX_PROBLEMS == 50
    assert report.problems[-1] == "There is more of this kind: 251 further sentences were left out."


def _with_many_problems(content: bytes) -> Notebook:
    return replace(
        read_notebook(content), problems=tuple(f"problem {number}" for number in range(300))
    )


# ------------------------------------------------------------------------------------------------ how much it is

BITS = 10  # what docs/security.md says


def distorted(value: np.ndarray) -> Iterator[object]:
    """Every way in which a result can be wrong that has words of its own, and some that have not."""
    yield from (
        -value,
        2 * value,
        value / 2,
        -2 * value,
        3 * value,
        value / 3,
        5 * value,
        value / 5,
        7 * value,
    )
    yield from (
        value + 1,
        value[::-1],
        value.T,
        value * np.nan,
        value.astype(complex),
        value * 1j,
        value.ravel(),
    )
    yield from (
        value[..., None],
        value[:0],
        value.sum(),
        value**3 + 1,
        value.tolist(),
        str(value),
        None,
        {},
        [],
        0,
    )
    changed = value.copy()
    changed[0] += 1
    yield changed
    yield np.sort(value, axis=None).reshape(value.shape)


def failures() -> Iterator[Exception]:
    """Every exception that has words of its own, and every one of Python's."""
    kinds = [
        kind
        for kind in vars(builtins).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ]
    worded = [(kind, pattern.strip("^").split("|")[0]) for kind, pattern, _ in WORDS]
    for kind, message in (*worded, *((kind, "4711") for kind in kinds)):
        with contextlib.suppress(TypeError):
            error = kind(message)
            error.student_traceback = "Traceback"  # type: ignore[attr-defined]
            yield error  # type: ignore[misc]
    for refusal in REFUSALS:
        yield CannotCross(f"linreg_gradients returned {refusal}")


def behaviours(right: Callable[..., Any], mistakes: Variants) -> Iterator[Callable[..., Any]]:
    """What an answer may do in a call."""
    yield right
    yield from (mistake.function for mistake in mistakes if mistake.of == "linreg_gradients")

    def raising(error: Exception) -> Callable[..., Any]:
        def behave(*_: object) -> None:
            raise error

        return behave

    yield from map(raising, failures())
    number = len(list(distorted(np.ones((2, 3)))))

    def distorting(which: int, first: bool, second: bool) -> Callable[..., Any]:
        def behave(Z: Any, X: Any, Y: Any) -> Any:
            a, b = right(Z, X, Y)
            change = list(distorted(a))[which] if first else a
            return change, list(distorted(b))[which] if second else b

        return behave

    for which in range(number):
        yield from (
            distorting(which, *parts) for parts in ((True, False), (False, True), (True, True))
        )
        yield lambda Z, X, Y, which=which: list(distorted(right(Z, X, Y)[0]))[which]


def outcome(
    exam: Exam, reference: Mapping[str, Any], mistakes: Variants, answer: Callable[..., Any]
) -> object:
    """What a student can read of an exercise whose answer does this."""
    calls: list[Call] = []

    def linreg_gradients(*args: Any) -> Any:
        before = copy.deepcopy(args)
        try:
            result = answer(*args)
        except Exception as error:
            calls.append(Call("linreg_gradients", before, {}, error=error, args_after=args))
            raise
        calls.append(Call("linreg_gradients", before, {}, result, args_after=args))
        return result

    exercise = next(one for one in exam.exercises if one.id == "linreg_gradients")
    error, value = None, None
    try:
        value = run_test_cell(
            exam.tests[exercise.id],
            CellGlobals({}, {"linreg_gradients": linreg_gradients}, reference),
        )
    except Exception as raised:
        error = raised
    evidence = Evidence("", value, error, tuple(calls))
    result = judge_exercise(exercise, evidence, ["…"], mistakes, reference, ["linreg_gradients"])
    return (
        result.points,
        result.status,
        result.hint,
        tuple(criterion.outcome for criterion in result.criteria),
    )


@pytest.mark.filterwarnings("ignore")
def test_what_one_exercise_can_tell_by_its_points_and_hints_is_measured() -> None:
    """An answer that knows a secret picks what it does by it: what it can tell is which of these a student reads."""
    exam = read_exam(
        REPOSITORY / "solutions" / "hw02_linear_regression" / "hw02_linear_regression.ipynb"
    )
    reference = run_reference(exam)
    token = current.set(SimpleNamespace(**reference))
    mistakes = load_variants(exam.mistakes, "mistakes.py")
    right = reference["linreg_gradients"]
    with np.errstate(all="ignore"):
        read = {
            outcome(exam, reference, mistakes, answer) for answer in behaviours(right, mistakes)
        }
        for late in (4, 12):  # right at first, and then not

            def changing(answer: Callable[..., Any], late: int = late) -> Callable[..., Any]:
                calls = itertools.count()
                return lambda *args: (right if next(calls) < late else answer)(*args)

            some = list(behaviours(right, mistakes))[::5]
            read |= {outcome(exam, reference, mistakes, changing(answer)) for answer in some}
    current.reset(token)
    assert 2 ** (BITS - 4) < len(read) < 2**BITS, len(read)
    page = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
    assert f"less than {BITS} bits" in page
