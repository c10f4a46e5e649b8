import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from autograder.checks import Unmet
from autograder.course.errors import KernelDied
from autograder.course.exam import Exercise
from autograder.course.reports import CriterionOutcome, Status
from autograder.grader.accidents import TOO_LONG
from autograder.grader.call_replays import Replays
from autograder.grader.evidence import Evidence
from autograder.grader.hints import (
    ALWAYS_ONE_FACTOR,
    COMPARE,
    NO_VALUE,
    PERHAPS,
    PRINTS,
    REACHED,
    RETURNS_NONE,
    RETURNS_NONE_SOMETIMES,
    STILL_RAISES,
)
from autograder.grader.mistake_recognition import recognise_mistake
from autograder.grader.result_comparison import are_same
from autograder.grader.test_cells import CellGlobals, run_test_cell
from autograder.grader.verdict import judge_exercise
from autograder.kernel.jailed_kernel import CannotCross
from autograder.kernel.proxies import Call
from autograder.marking import Hint, Marking
from autograder.mistakes import Mistakes

EXERCISE = Exercise("double", "", 2.0, False, ("double_solution",))
ANSWER = ["def double(x):\n    return 2 * x"]
STUB = ["def double(x):\n    raise NotImplementedError"]


def marked(*criteria: Any) -> Any:
    marking = Marking(points=sum(points for _, points, _, _ in criteria))
    for name, points, error, needs in criteria:

        def check(error: Any = error) -> None:
            if error:
                raise error

        check.__name__ = name
        marking.criterion(points, f"about {name}", needs=needs)(check)
    return marking.score()


def test_met_criteria_add_up() -> None:
    score = marked(("shape", 1, None, ()), ("values", 2, AssertionError(), ()))
    assert float(score) == 1.0
    assert repr(score) == "1.0", "nbgrader reads the printed value"
    assert [criterion.outcome for criterion in score.criteria] == [
        CriterionOutcome.MET,
        CriterionOutcome.NOT_MET,
    ]


def test_what_depends_on_a_failed_check_is_skipped_not_failed() -> None:
    score = marked(
        ("shape", 1, AssertionError(), ()), ("values", 1, None, "shape"), ("more", 1, None, ("values",)),
        ("other", 1, None, ()),
    )  # fmt: skip
    outcomes = [criterion.outcome for criterion in score.criteria]
    assert outcomes == [
        CriterionOutcome.NOT_MET,
        CriterionOutcome.SKIPPED,
        CriterionOutcome.SKIPPED,
        CriterionOutcome.MET,
    ]
    assert float(score) == 1.0


def test_points_must_add_up() -> None:
    marking = Marking(points=3)
    marking.criterion(1, "one")(lambda: None)
    with pytest.raises(ValueError, match="add up to 1 points, the exercise has 3"):
        marking.score()


def test_names_are_unique_and_needs_stand_above() -> None:
    marking = Marking(points=1)
    marking.criterion(1, "one")(_passes)
    with pytest.raises(ValueError, match="two criteria"):
        marking.criterion(1, "again")(_passes)
    with pytest.raises(ValueError, match="not above it"):
        marking.criterion(1, "other", needs="below")(lambda: None)


def _passes() -> None:
    pass


def test_a_lost_kernel_ends_the_test() -> None:
    marking = Marking(points=1)

    def check() -> None:
        raise KernelDied("gone")

    with pytest.raises(KernelDied):
        marking.criterion(1, "one")(check)


# ------------------------------------------------------------------------------------------------ verdicts


def verdict(
    value: Any = None,
    error: Any = None,
    answer: Any = ANSWER,
    source: str = "",
    calls: Any = (),
    mistakes: Any = None,
    reference: Any = None,
    **rest: Any,
) -> Any:
    evidence = Evidence(source, value, error, tuple(calls), **rest)
    return judge_exercise(EXERCISE, evidence, answer, mistakes, reference or {})


def student_error(kind: Any, message: str = "") -> Any:
    error = kind(message)
    error.student_traceback = "Traceback of the student"
    return error


@pytest.mark.parametrize(
    ("value", "points", "status"),
    [
        (None, 2.0, Status.PASSED),
        ("a text", 2.0, Status.PASSED),
        (True, 2.0, Status.PASSED),
        (1, 1.0, Status.PARTIAL),
        (0.5, 0.5, Status.PARTIAL),
        (0, 0.0, Status.FAILED),
        (7, 2.0, Status.PASSED),
        (-1, 0.0, Status.FAILED),
        (math.nan, 0.0, Status.FAILED),
    ],
)
def test_the_cells_value_is_partial_credit_as_in_nbgrader(
    value: Any, points: float, status: Any
) -> None:
    result = verdict(value)
    assert (result.points, result.status) == (points, status)


def of_points(points: Any, value: Any = None, error: Any = None) -> Any:
    exercise = Exercise("double", "", points, False, ("double_solution",))
    return judge_exercise(exercise, Evidence("", value, error), ANSWER, None, {})


def third(met: Any) -> Any:
    marking = Marking(points=0.625)
    for number in range(3):

        def check(number: Any = number) -> None:
            assert number < met

        check.__name__ = f"third_{number}"
        marking.criterion(0.625 / 3, f"third {number}")(check)
    return marking.score()


@pytest.mark.parametrize(
    ("points", "value", "wanted", "status"),
    [
        (0.625, third(3), 0.625, Status.PASSED),
        (0.625, third(2), 0.42, Status.PARTIAL),
        (0.625, 0.625, 0.625, Status.PASSED),
        (0.125, None, 0.125, Status.PASSED),
        (1 / 3, None, 1 / 3, Status.PASSED),
        (2.0, 1.999, 1.999, Status.PARTIAL),
        (2.0, 0.001, 0.001, Status.PARTIAL),
        (1.0, 0.1 + 0.2 + 0.3 + 0.4, 1.0, Status.PASSED),
    ],
)
def test_points_are_compared_before_they_are_rounded(
    points: Any, value: Any, wanted: Any, status: Any
) -> None:
    result = of_points(points, value)
    assert (result.points, result.status) == (wanted, status)


def zero_points(*met: Any) -> Any:
    marking = Marking(points=0)
    for number, is_met in enumerate(met):

        def check(is_met: Any = is_met) -> None:
            assert is_met

        check.__name__ = f"check_{number}"
        marking.criterion(0, f"sentence {number}")(check)
    return marking.score()


@pytest.mark.parametrize(
    ("value", "error", "status"),
    [
        (None, None, Status.PASSED),
        (None, AssertionError(), Status.FAILED),
        (0, None, Status.FAILED),
        (1, None, Status.PASSED),
        (zero_points(True, True), None, Status.PASSED),
        (zero_points(True, False), None, Status.PARTIAL),
        (zero_points(False, False), None, Status.FAILED),
    ],
    ids=[
        "it ends well",
        "it fails",
        "a number of 0",
        "a number",
        "all criteria",
        "some criteria",
        "no criterion",
    ],
)
def test_an_exercise_of_no_points_takes_its_status_from_its_test(
    value: Any, error: Any, status: Any
) -> None:
    result = of_points(0.0, value, error)
    assert (result.points, result.status) == (0.0, status)


def test_a_stub_is_not_attempted() -> None:
    assert (
        verdict(error=student_error(NotImplementedError), answer=STUB).status
        is Status.NOT_ATTEMPTED
    )


def test_calling_another_stub_is_failed_and_says_so() -> None:
    result = verdict(
        error=student_error(NotImplementedError), answer=["def double(x):\n    return add(x, x)"]
    )
    assert result.status is Status.FAILED
    assert "not written yet" in result.hint


def test_an_answer_below_the_stub_is_said_in_words() -> None:
    answer = ["def double(x):\n    raise NotImplementedError\n    return 2 * x"]
    result = verdict(error=student_error(NotImplementedError), answer=answer)
    assert (result.status, result.hint) == (Status.FAILED, STILL_RAISES)


def test_a_missing_name_is_not_found() -> None:
    error = NameError("name 'double' is not defined", name="double")
    result = verdict(error=error, answer=["def twice(x): return 2 * x"])
    assert result.status is Status.NOT_FOUND
    assert "`double`" in result.hint


def test_a_hint_meant_for_students_reaches_them() -> None:
    assert verdict(error=Hint("Look at the sign.")).hint == "Look at the sign."


@pytest.mark.parametrize("hidden", [False, True])
def test_only_messages_of_visible_assertions_reach_students(hidden: bool) -> None:
    line = 'assert 1 == 2, "secret 4711"'
    source = f"### BEGIN HIDDEN TESTS\n{line}\n### END HIDDEN TESTS" if hidden else line
    with pytest.raises(AssertionError) as caught:
        run_test_cell(source, CellGlobals({}, {}, {}))
    result = verdict(error=caught.value, source=source)
    assert ("4711" in result.hint) is not hidden
    assert "4711" in result.detail


@pytest.mark.parametrize(
    "error", [ValueError("inputs 4711"), AssertionError("4711"), KeyError("4711")]
)
def test_nothing_raised_in_a_hidden_test_is_told(error: Any) -> None:
    assert "4711" not in verdict(error=error).hint
    assert "4711" not in verdict(error=student_error(type(error), "4711")).hint


def test_which_limit_ended_the_process_is_told() -> None:
    assert "memory" in verdict(error=KernelDied("gone"), limit="more than 1024 MB of memory").hint


# ------------------------------------------------------------------------------------------------ known mistakes

mistakes = Mistakes("hw")


@mistakes.of("double", hint="squared")
def squared(x: Any) -> Any:
    return x * x


@mistakes.of("double", hint="raises")
def raises(x: Any) -> None:
    raise ValueError("no such thing")


def double(x: Any) -> Any:
    return 2 * x


def call(x: Any, result: Any = None, error: Any = None) -> Any:
    return Call("double", (np.array(x, float),), {}, result, error)


@pytest.mark.parametrize(
    ("calls", "name"),
    [
        ([call([1, 2], np.array([1.0, 4.0]))], "squared"),
        ([call([2], np.array([4.0]))], None),
        ([call([2], np.array([4.0])), call([3], np.array([9.0]))], "squared"),
        ([call([3], np.array([9.0])), call([4], np.array([17.0]))], None),
        ([call([3], error=ValueError("no such thing"))], "raises"),
        ([call([3], error=ValueError("other words"))], None),
        ([call([3], error=ValueError("other words")), call([4], error=ValueError("no such thing"))], "raises"),
        ([call([3], error=KeyError("no such thing"))], None),
        ([call([3], np.array([[9.0]]))], None),
        ([], None),
    ],
    ids=["agrees", "agrees with the right answer too", "agrees on all", "differs once", "same error", "other words",
         "other words once", "another error", "shape", "none"],
)  # fmt: skip
def test_a_mistake_is_recognised_by_what_it_does(calls: list[Any], name: str | None) -> None:
    found = recognise_mistake(Replays(calls, {"double": double}), mistakes)
    assert (found.mistake.name if found else None) == name


def test_two_variants_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="squared"):
        mistakes.of("double", hint="again")(squared)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1.0, 1.0 + 1e-9, True),
        (1.0, 1.1, False),
        ({"W": np.ones(2)}, {"W": np.ones(2)}, True),
        ({"W": np.ones(2)}, {"b": np.ones(2)}, False),
        ((1, [2]), (1, [2]), True),
        ((1, 2), (1, 2, 3), False),
        (np.array([np.nan]), np.array([np.nan]), True),
        (np.ones((2, 1)), np.ones(2), False),
        ("a", "a", True),
        (None, None, True),
    ],
)
def test_sameness_is_of_structure_shape_and_value(one: Any, other: Any, equal: bool) -> None:
    assert are_same(one, other) is equal


# ----------------------------------------------------------------------------------------------- which hint comes first


def triple(x: Any) -> Any:
    return 3 * x


others = {"double": double, "triple": triple}
SQUARED = [call([3], np.array([9.0]))]
HALF = [call([3, 4], np.array([3.0, 4.0]))]


def wrong(
    *calls: Any,
    error: Any = None,
    functions: Any = ("double",),
    known: Any = mistakes,
    failed: Any = (),
) -> Any:
    evidence = Evidence("", None, error or AssertionError(), calls)
    return judge_exercise(EXERCISE, evidence, ANSWER, known, others, functions, failed).hint


def test_a_known_mistake_comes_before_what_the_test_says() -> None:
    assert wrong(*SQUARED, error=Hint("from the test")) == "squared"
    assert wrong(*HALF, error=Hint("from the test")) == "from the test"


def test_errors_alone_may_have_other_reasons() -> None:
    raised = call([3], error=ValueError("no such thing"))
    assert wrong(raised) == f"{PERHAPS}raises"
    assert wrong(raised, error=Hint("from the test")) == "from the test"


def test_a_mistake_in_another_exercises_function_is_said_to_be_there() -> None:
    failed = ["double"]
    assert wrong(*SQUARED, functions=["triple"], failed=failed) == "In `double`: squared"
    assert (
        wrong(*SQUARED, error=Hint("from the test"), functions=["triple"], failed=failed)
        == "from the test"
    )


def test_a_function_that_passed_its_own_test_is_not_blamed() -> None:
    assert wrong(*SQUARED, functions=["triple"]) == COMPARE


def printing(x: Any) -> Any:
    return Call(
        "double",
        (x,),
        {},
        None,
        output=({"output_type": "stream", "name": "stdout", "text": "4711"},),
    )


@pytest.mark.parametrize(
    ("calls", "hint"),
    [
        ([call([3]), call([4])], RETURNS_NONE),
        ([printing(3), printing(4)], PRINTS),
        ([printing(3), call([4])], RETURNS_NONE),
        ([call([3]), call([4], np.array([8.0]))], RETURNS_NONE_SOMETIMES),
        ([call([3]), call([4], np.array([5.0]))], RETURNS_NONE_SOMETIMES),
    ],
    ids=[
        "always",
        "printed",
        "printed once",
        "in some cases",
        "in some cases, and wrong in others",
    ],
)
def test_that_nothing_is_returned_comes_before_what_the_test_says(
    calls: list[Any], hint: Any
) -> None:
    assert wrong(*calls, error=Hint("use the argument")) == hint.format(function="double")
    assert "4711" not in wrong(*calls)


def test_nothing_is_what_some_functions_return() -> None:
    append = Call("append", ([],), {}, None, args_after=([2],))
    evidence = Evidence("", None, Hint("from the test"), (append,))
    reference = {"append": lambda x: x.append(1)}
    assert (
        judge_exercise(EXERCISE, evidence, ANSWER, None, reference, ["append"]).hint
        == "from the test"
    )


def test_a_stub_in_a_branch_is_not_another_functions() -> None:
    answer = ["def double(x):\n    if x:\n        return 2 * x\n    raise NotImplementedError"]
    evidence = Evidence(
        "", marked(("one", 1, None, ()), ("two", 1, student_error(NotImplementedError), ())), None
    )
    assert judge_exercise(EXERCISE, evidence, answer, None, {}).hint == REACHED


def mean(x: Any) -> Any:
    return float(np.mean(x))


def averaged(of: Any, *shapes: Any) -> Any:
    """What calls of a function that takes a mean tell, if it takes `of` instead."""
    arrays = [np.random.default_rng(shape).uniform(1, 2, size=shape) for shape in shapes]
    calls = tuple(Call("loss", (x,), {}, of(x)) for x in arrays)
    evidence = Evidence("", None, AssertionError(), calls)
    return judge_exercise(
        EXERCISE, evidence, ANSWER, None, {"loss": lambda Z: float(np.sum(Z) / len(Z))}, ["loss"]
    ).hint


def test_what_is_half_only_for_two_columns_is_too_small_by_their_number() -> None:
    words = "The result is too small, by the number of columns of Z: is it divided once too often?"
    assert averaged(mean, (5, 2), (7, 3), (4, 1)) == words
    assert averaged(mean, (5, 2)) == "The result is half of what it should be."
    assert (
        averaged(mean, (5, 3)) == COMPARE
    )  # one number, wrong once, is off by a size of something too easily


def test_one_number_that_is_always_off_by_one_factor_is_told_so() -> None:
    assert (
        averaged(lambda Z: 1.44 * np.sum(Z) / len(Z), (5, 2), (7, 3), (4, 1)) == ALWAYS_ONE_FACTOR
    )
    assert averaged(lambda Z: 1.44 * np.sum(Z) / len(Z), (5, 2), (7, 3)) == COMPARE
    assert averaged(lambda Z: float(np.sum(Z**2)) / len(Z), (5, 2), (7, 3), (4, 1)) == COMPARE


def test_what_a_single_comparison_saw_is_said_to_be_of_one_case() -> None:
    error = Unmet("4711", seen="the step of W is half of what it should be")
    assert wrong(error=error) == "In one case the step of W is half of what it should be."
    assert wrong(*HALF, error=error) == "The result is half of what it should be."


def test_an_expectations_own_hint_comes_before_what_the_numbers_tell() -> None:
    assert (
        wrong(*HALF, error=Unmet("4711", hint="the second half is missing"))
        == "the second half is missing"
    )
    assert wrong(*HALF, error=Unmet("4711")) == "The result is half of what it should be."


def test_without_known_mistakes_the_numbers_tell() -> None:
    assert wrong(*HALF, known=None) == "The result is half of what it should be."


def test_what_most_wrong_calls_have_in_common_is_told() -> None:
    calls = [
        call([n, n + 1], np.array([1.0, 1.0]) * factor * n)
        for n, factor in ((1, -2), (2, 7), (3, 7))
    ]
    calls += [call([n, n + 2], -np.array([2.0 * n, 2.0 * n + 4])) for n in (5, 6, 7, 8)]
    assert wrong(*calls) == "In most cases: the result has the wrong sign."


def test_a_factor_that_is_a_size_of_an_argument_is_called_by_its_name() -> None:
    x, y = np.arange(12.0).reshape(6, 2), np.arange(1.0, 11.0).reshape(5, 2)
    calls = [Call("double", (value,), {}, 2 * value * len(value)) for value in (x, y)]
    assert (
        wrong(*calls) == "The result is too large, by the number of rows of x: is a mean missing?"
    )


def test_nothing_is_told_of_numbers_that_were_drawn() -> None:
    def draw(n: Any) -> Any:
        return np.random.randn(n)

    evidence = Evidence("", None, AssertionError(), (Call("draw", (3,), {}, np.ones(3)),))
    assert (
        judge_exercise(EXERCISE, evidence, ANSWER, None, {"draw": draw}, ["draw"]).hint == COMPARE
    )


def test_a_cache_that_contains_itself_costs_its_hint_only() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert wrong(Call("double", (endless,), {}, np.ones(2))) == COMPARE


def test_a_changed_argument_is_told() -> None:
    x = np.array([3.0])
    assert "changed" in wrong(Call("double", (x,), {}, 2 * x, args_after=(2 * x,)))


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (CannotCross("double returned an array of objects: was it built from None?"),
         "double returned an array of objects: was it built from None?"),
        (CannotCross("double returned a value of dtype [('4711', '<f8')]"), NO_VALUE),
        (CannotCross("4711 returned an array of objects: was it built from None?"), NO_VALUE),
        (student_error(TimeoutError, "it took longer than 20 seconds and was stopped"), TOO_LONG),
        (student_error(ValueError, "4711"), "Your code stopped with a ValueError in this test."),
        (AssertionError("4711"), COMPARE),
    ],
    ids=["a result that cannot cross", "its own text", "its own name", "out of time", "an error", "nothing known"],
)  # fmt: skip
def test_accidents_have_words_of_their_own(error: Any, hint: Any) -> None:
    assert wrong(call([3], error=error), error=error) == hint


# ------------------------------------------------------------------------------------------------ names in a test cell


def test_tests_and_builtins_come_before_the_students_names() -> None:
    student = {"isinstance": lambda *_: True, "np": "mine", "helper": "forged", "answer": 42}
    names = CellGlobals({"helper": "the test's"}, student, {"np": np})
    value = run_test_cell("(isinstance(1, str), np.__name__, helper, answer)", names)
    assert value == (False, "numpy", "the test's", 42)


def test_an_exercise_named_like_a_builtin_is_the_students() -> None:
    assert (
        run_test_cell("sum([1, 2])", CellGlobals({}, {"sum": lambda x: "mine"}, {"sum": sum}))
        == "mine"
    )


def test_what_a_test_defines_is_there_for_the_next_one() -> None:
    tests: dict[str, object] = {}
    run_test_cell("def helper():\n    return answer + 1", CellGlobals(tests, {"answer": 41}, {}))
    assert run_test_cell("helper()", CellGlobals(tests, {"answer": 1}, {})) == 42


def test_what_the_notebook_imports_for_everybody_is_not_the_students() -> None:
    forged = {
        "isclose": lambda *_: True,
        "pi": 0,
        "Fraction": "their own class",
        "sqrt": "an answer",
    }
    reference = {"isclose": math.isclose, "pi": math.pi, "Fraction": Fraction, "sqrt": math.sqrt}
    names = CellGlobals(
        {}, forged, reference, frozenset({"isclose", "pi", "Fraction", "not there"})
    )
    assert run_test_cell("isclose(1, 2), pi, Fraction, sqrt", names) == (
        False,
        math.pi,
        "their own class",
        "an answer",
    )


def test_what_a_test_below_defines_is_not_the_students() -> None:
    with pytest.raises(NameError, match="near"):
        run_test_cell(
            "near(1, 2)",
            CellGlobals({}, {"near": lambda *_: True}, {}, reserved=frozenset({"near"})),
        )
    assert run_test_cell("x", CellGlobals({}, {"x": 1}, {"x": 2}, reserved=frozenset({"x"}))) == 1


def test_an_unknown_name_is_a_name_error() -> None:
    with pytest.raises(NameError) as caught:
        run_test_cell("nothing", CellGlobals({}, {}, {}))
    assert caught.value.name == "nothing"
