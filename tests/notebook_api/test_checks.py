from typing import Any

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from autograder import checks
from autograder.checks import Outcome, Unmet, attempt, check


def run_notebook(*cells: Any) -> Any:
    """The outputs of some cells, as an IPython shell shows them."""
    shell = InteractiveShell.instance()
    try:
        shell.run_cell("from autograder.checks import *\nimport numpy as np")
        with capture_output() as captured:
            results = [shell.run_cell(cell) for cell in cells]
    finally:
        InteractiveShell.clear_instance()
    assert all(result.success for result in results), "a visible check must never raise"
    return captured


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ("answer()", "passed", ""),
        ("empty()", "not attempted", "not attempted yet"),
        ("nowhere()", "not attempted", "not attempted yet (there is no `nowhere`)"),
        ("typo()", "failed", "it raised NameError (line 4 of typo): name 'nmupy' is not defined"),
        ("forgotten()", "failed", "`raise NotImplementedError` still stands above your answer (line 6 of its cell): "
         "delete that line"),
        ("expect_shape(np.ones((3, 2)), (2, 3), 'dLdW', like='W')", "failed",
         "dLdW has shape (3, 2), W has (2, 3): transpose?"),
        ("assert 1 == 2", "failed", "not yet"),
        ("np.ones(2) + np.ones(3)", "failed", "it raised ValueError (line 4 of finds): operands could not be broadcast "
         "together with shapes (2,) (3,)"),
    ],
    ids=["passed", "stub", "missing", "typo-inside", "raise-left", "transpose", "bare-assert", "exception"],
)  # fmt: skip
def test_one_line_per_check(body: str, status: str, message: str) -> None:
    functions = (
        "def answer(): return 1\n"
        "def empty(): raise NotImplementedError\n"
        "def typo():\n    return nmupy.zeros(3)\n"
        "def forgotten():\n    raise NotImplementedError\n    return 1\n"
    )
    captured = run_notebook(
        functions, f"@check\ndef finds():\n    'the answer is right.'\n    {body}"
    )
    (outcome,) = checks.outcomes([{"data": output.data} for output in captured.outputs])
    assert (outcome.check, outcome.sentence, outcome.status) == (
        "finds",
        "the answer is right",
        status,
    )
    assert outcome.message.strip() == message
    assert captured.outputs[0].data["text/plain"] == str(outcome)


def test_a_notebook_shows_the_mark_in_colour_and_a_students_value_as_text() -> None:
    captured = run_notebook(
        "@check\ndef finds():\n    'a < b is kept'\n    assert False, '<script>alert(1)</script>'"
    )
    data = captured.outputs[0].data
    assert data["text/plain"] == "✗ a < b is kept: <script>alert(1)</script>"
    assert (
        "--jp-error-color1" in data["text/html"]
        and ">✗</b> a &lt; b is kept: &lt;script&gt;" in data["text/html"]
    )
    assert "<script" not in data["text/html"]
    passed = (
        run_notebook("@check\ndef finds():\n    'it holds'\n    assert True")
        .outputs[0]
        .data["text/html"]
    )
    assert "--jp-success-color1" in passed and ">✓</b> it holds" in passed


def test_without_jupyter_the_line_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    @check
    def two_is_even() -> None:
        assert 2 % 2 == 0

    assert two_is_even == Outcome("two_is_even", "two is even", "passed")
    assert capsys.readouterr().out == "✓ two is even\n"


def test_a_console_that_cannot_print_the_mark(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = []

    def old_console(line: Any) -> None:
        line.encode("cp1252")
        lines.append(line)

    monkeypatch.setattr("builtins.print", old_console)

    @check
    def fine() -> None:
        pass

    assert lines == ["? fine"]


@pytest.mark.parametrize(
    ("cell", "printed"),
    [
        ("with attempt():\n    empty()\n", "– not attempted yet\n"),
        (
            "with attempt():\n    print(W)\n",
            "– not attempted yet: `W` comes from an exercise above\n",
        ),
        ("with attempt():\n    print('fine')\n", "fine\n"),
    ],
    ids=["stub", "missing-variable", "written"],
)
def test_attempt_says_what_is_not_there_yet(cell: str, printed: str) -> None:
    assert run_notebook("def empty(): raise NotImplementedError", cell).stdout == printed


@pytest.mark.parametrize("error", [ValueError("wrong"), KeyError("W1")], ids=["value", "key"])
def test_attempt_lets_real_errors_through(error: Any) -> None:
    with pytest.raises(type(error)), attempt():
        raise error


def test_attempt_lets_a_typo_inside_an_answer_through() -> None:
    def answer() -> Any:
        return nmupy.zeros(3)  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(NameError), attempt():
        answer()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            np.zeros(3),
            "dLdb has shape (3,), it should have (3, 1): an axis is missing (keepdims=True? reshape?)",
        ),
        (np.zeros((1, 3)), "dLdb has shape (1, 3), it should have (3, 1): transpose?"),
        (np.zeros((2, 2)), "dLdb has shape (2, 2), it should have (3, 1)"),
        (None, "dLdb is None: is a `return` missing?"),
        ([[1], [2, 3]], "dLdb is a list with rows of different lengths, not an array"),
        ("b", "dLdb is a str, not numbers"),
    ],
    ids=["flat", "row", "other", "none", "ragged", "text"],
)
def test_shapes_are_said_in_words(value: Any, message: str) -> None:
    with pytest.raises(Unmet) as caught:
        checks.expect_shape(value, (3, 1), "dLdb")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[2, 4], [6, 8]], "Z is 2 times what it should be"),
        ([[-1, -2], [-3, -4]], "Z has the wrong sign"),
        ([[1, 3], [2, 4]], "Z is transposed"),
        ([[1, 2], [3, np.nan]], "Z contains nan or inf"),
        (
            [[1, 2], [3.5, 4]],
            "Z has the right shape but other values: at [1, 0] it is 3.5, expected 3",
        ),
    ],
    ids=["factor", "sign", "transposed", "nan", "entry"],
)
def test_values_are_said_in_words(value: list[list[int]], message: str) -> None:
    with pytest.raises(Unmet) as caught:
        checks.expect_close(value, [[1.0, 2.0], [3.0, 4.0]], "Z")
    assert str(caught.value) == message


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize(
    "container", [list, np.matrix, np.float32], ids=["lists", "matrix", "float32"]
)
def test_the_same_numbers_in_another_container_are_fine(container: Any) -> None:
    checks.expect_close(container([[1, 2], [3, 4]]), np.array([[1, 2], [3, 4]]), "A")


def test_single_precision_is_enough_where_large_terms_cancel() -> None:
    draw = np.random.default_rng(0)
    W, a = draw.normal(size=(40, 30)), draw.normal(size=(30, 50))
    single = W.astype(np.float32) @ a.astype(np.float32)
    assert not np.allclose(single, W @ a, rtol=1e-6, atol=1e-9)
    checks.expect_close(single, W @ a, "Z")


def test_complex_numbers_are_compared_with_their_imaginary_parts() -> None:
    with pytest.raises(Unmet, match="other values"):
        checks.expect_close([[0, 1j], [1j, 0]], np.array([[0, -1j], [1j, 0]]), "Y")


def test_changed_arguments_are_named() -> None:
    X, y = np.ones((2, 3)), np.zeros(3)
    with pytest.raises(Unmet, match="X changed"), checks.expect_unchanged(X=X, y=y):
        X *= 2
    with checks.expect_unchanged(X=X, y=y):
        X = X + 1


@pytest.mark.parametrize(
    ("factor", "message"),
    [(1.0, ""), (2.0, "2 times"), (-1.0, "wrong sign"), (0.5, "0.5 times")],
    ids=["right", "double", "sign", "half"],
)
def test_gradients_against_central_differences(factor: float, message: str) -> None:
    x = np.array([[0.3, -1.2, 2.0]])
    gradient = factor * np.cos(x)
    if not message:
        checks.expect_gradient(gradient, lambda: np.sum(np.sin(x)), x, "dLdx")
        return
    with pytest.raises(Unmet, match=message):
        checks.expect_gradient(gradient, lambda: np.sum(np.sin(x)), x, "dLdx")


def test_central_difference_leaves_the_point_where_it_was() -> None:
    x = np.array([0.1, 0.7])
    before = x.copy()
    numeric = checks.central_difference(lambda: float(x[0] ** 3 * x[1]), x)
    assert np.allclose(numeric, [3 * 0.1**2 * 0.7, 0.1**3], rtol=1e-8)
    assert np.array_equal(x, before)


@pytest.mark.parametrize(
    ("a", "b", "error"),
    [([1, 2], [2, 4], 1 / 3), ([1, 2], [-1, -2], 1), ([0, 0], [0, 0], 0), ([3], [3], 0)],
    ids=["factor-two", "sign", "zeros", "equal"],
)
def test_relative_error(a: list[int], b: list[int], error: Any) -> None:
    assert checks.relative_error(a, b) == pytest.approx(error)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ([[3.0, 5.0], [7.0, 9.0]], ""),
        ([[1.001, 2.0], [3.0, 3.998]], "Z is nearly right: is something rounded on the way?"),
        ([[2.0, 4.0], [6.0, 8.0]], "Z is twice what it should be"),
        ([[7.0, 14.0], [21.0, 28.0]], ""),
        ([[1.0], [2.0]], "Z has the wrong shape"),
        (
            [1.0, 2.0, 3.0, 4.0],
            "Z has the wrong shape: an axis is missing (keepdims=True? reshape?)",
        ),
    ],
    ids=["values", "rounded", "twice", "factor", "shape", "axis"],
)
def test_a_hint_tells_no_number_of_the_test(value: list[Any], hint: str) -> None:
    with pytest.raises(Unmet) as caught:
        checks.expect_close(value, [[1.0, 2.0], [3.0, 4.0]], "Z")
    assert (caught.value.hint or caught.value.seen) == hint


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        (None, []),
        ((), []),
        ("Z, W and a_prev", []),
        (([1.0, 2.0], {"W": np.eye(2), "layer": 3}), [1, 2, 1, 0, 0, 1, 3]),
        ((np.ones(2), object()), None),
        ([np.ones(2), lambda: 1], None),
    ],
)
def test_numbers_in_anything(value: Any, numbers: list[int] | None) -> None:
    found = checks.numbers_in(value)
    assert found is None if numbers is None else found.tolist() == numbers
