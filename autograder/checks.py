"""Visible checks: what a notebook says at once about an answer, in one line and without a
traceback.

A check is a short function whose docstring is the line the student reads::

    @check
    def zero_vector_is_a_column():
        "graded_zero_vector(4) is a column of four zeros"
        expect_shape(graded_zero_vector(4), (4, 1), "graded_zero_vector(4)")

It runs where it stands and prints ``✓``, ``✗`` or ``–``. It never raises, so an unfilled notebook
runs to its end. Under Jupyter the same outcome also travels in the cell's output as `CHECK_MIME`;
`outcomes` reads it back.
"""

from __future__ import annotations

import ast
import html
import linecache
import math
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from types import CodeType, TracebackType
from typing import Any

import numpy as np

from autograder.course.comparisons import note_comparison

CHECK_MIME = "application/vnd.autograder.check+json"
MARKS = {"passed": "✓", "failed": "✗", "not attempted": "–"}
# JupyterLab's own colours, which follow its theme; elsewhere ones that can be read on white and on
# black.
COLOURS = {
    "passed": "var(--jp-success-color1, #2e8540)",
    "failed": "var(--jp-error-color1, #d9363e)",
    "not attempted": "var(--jp-ui-font-color2, #767676)",
}
NOT_ATTEMPTED = "not attempted yet"
STILL_RAISES = "`raise NotImplementedError` still stands above your answer{where}: delete that line"
NO_VALUE = "{name} is None: is a `return` missing?"
FACTORS = {2.0: "twice", 0.5: "half of"}
NEAR = 2e-3  # of the largest number: three decimals
Numbers = np.ndarray[Any, np.dtype[Any]]


class Unmet(AssertionError):
    """An expectation that was not met.

    The message is for a visible check: it tells shapes and values. `hint` is what may be told of a
    hidden test: the kind of the difference, without the test's numbers; empty when there is
    nothing to tell. `seen` is what is true of this one comparison and perhaps of no other.
    """

    def __init__(self, message: str, hint: str = "", seen: str = "") -> None:
        """Keep the hint beside the message."""
        super().__init__(message)
        self.hint = hint
        self.seen = seen


@dataclass(frozen=True)
class Outcome:
    """What one visible check found: `status` is ``passed``, ``failed`` or ``not attempted``."""

    check: str
    sentence: str
    status: str
    message: str = ""

    def __str__(self) -> str:
        """The line the student reads."""
        return f"{MARKS[self.status]} {self.sentence}" + (
            f": {self.message}" if self.message else ""
        )


def check(function: Callable[[], object]) -> Outcome:
    """Run a check now, print its line, and leave its `Outcome` under the function's name.

    Parameters
    ----------
    function : callable
        Takes nothing. Its docstring is what should be true; what it raises becomes the message.
    """
    sentence = (
        (function.__doc__ or function.__name__.replace("_", " "))
        .strip()
        .splitlines()[0]
        .rstrip(".")
    )
    outcome = Outcome(function.__name__, sentence, *_judge(function))
    _show(outcome)
    return outcome


def _judge(function: Callable[[], object]) -> tuple[str, str]:
    try:
        with np.errstate(all="ignore"):
            function()
    except NotImplementedError as error:
        where = _answer_below(error.__traceback__)
        if where is None:
            return "not attempted", NOT_ATTEMPTED
        return "failed", STILL_RAISES.format(where=where)
    except NameError as error:
        if _is_of(error.__traceback__, function.__code__):
            return "not attempted", f"{NOT_ATTEMPTED} (there is no `{error.name}`)"
        return "failed", _raised(error)
    except AssertionError as error:
        return "failed", str(error) or "not yet"
    except Exception as error:
        return "failed", _raised(error)
    return "passed", ""


class attempt:
    """``with attempt():`` around code that uses exercises: says so in one line while they are not
    written yet.

    Real errors pass through with their traceback.
    """

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> bool:
        """Swallow what only means that an exercise above is empty."""
        if isinstance(error, NotImplementedError):
            where = _answer_below(tb)
            _say(f"– {NOT_ATTEMPTED}" if where is None else f"✗ {STILL_RAISES.format(where=where)}")
            return True
        if isinstance(error, NameError) and tb is not None and tb.tb_next is None:
            _say(f"– {NOT_ATTEMPTED}: `{error.name}` comes from an exercise above")
            return True
        return False


def outcomes(outputs: Iterable[Mapping[str, Any]]) -> list[Outcome]:
    """The outcomes that checks left in a cell's outputs (nbformat dictionaries)."""
    found = []
    for output in outputs:
        data = output.get("data", {}).get(CHECK_MIME)
        if data:
            found.append(Outcome(**data))
    return found


def _show(outcome: Outcome) -> None:
    # Late and optional: `autograder check` runs these without a notebook, perhaps without IPython.
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        get_ipython = None
    if get_ipython is None or get_ipython() is None:
        _say(str(outcome))
    else:
        bundle = {
            # For whoever shows no HTML: a terminal, nbconvert's scripts, nbval.
            "text/plain": str(outcome),
            "text/html": _write_html(outcome),
            CHECK_MIME: asdict(outcome),
        }
        display(bundle, raw=True)  # type: ignore[no-untyped-call]


def _write_html(outcome: Outcome) -> str:
    """Return the line with its mark in colour; what a student's value looks like is text and no
    markup.
    """
    mark, text = str(outcome).split(" ", 1)
    colour = COLOURS[outcome.status]
    return f'<div style="white-space: pre-wrap"><b style="color: {colour}">{mark}</b> {html.escape(text)}</div>'


def _say(line: str) -> None:
    try:
        print(line)
    except UnicodeEncodeError:  # a Windows console of the old kind
        print(line.encode("ascii", "replace").decode())


def _is_of(tb: TracebackType | None, code: CodeType) -> bool:
    """Whether the error was raised by the check's own code (a lambda in it included), not by what
    it called.
    """
    while tb is not None and tb.tb_next is not None:
        tb = tb.tb_next
    if tb is None:
        return False
    last = tb.tb_frame.f_code
    left = [code]
    while left:
        candidate = left.pop()
        if candidate is last:
            return True
        for constant in candidate.co_consts:
            if isinstance(constant, CodeType):
                left.append(constant)
    return False


def _answer_below(tb: TracebackType | None) -> str | None:
    """Where code follows the `raise NotImplementedError` that ended the call; None when nothing
    follows it.
    """
    frames = traceback.extract_tb(tb)
    if not frames:
        return None
    last = frames[-1]
    try:
        tree = ast.parse("".join(linecache.getlines(last.filename)))
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for number, statement in enumerate(body if isinstance(body, list) else []):
            if (
                isinstance(statement, ast.Raise)
                and statement.lineno == last.lineno
                and body
                and number + 1 < len(body)
            ):
                return f" (line {last.lineno} of its cell)"
    return None


def _raised(error: Exception) -> str:
    """One line for an exception out of the student's code: its kind, its message and the line."""
    place = ""
    for frame in traceback.extract_tb(error.__traceback__):
        # Where a library stopped says less to a student than the line that called it.
        if "site-packages" not in frame.filename:
            place = f" (line {frame.lineno} of {frame.name})"
    text = " ".join(str(error).split()) or "no message"
    return f"it raised {type(error).__name__}{place}: {text[:200]}"


def expect(condition: object, message: str) -> None:
    """Raise `Unmet` with the message unless the condition holds."""
    if not condition:
        raise Unmet(message)
    note_comparison()


def expect_shape(value: object, shape: tuple[int, ...], name: str, like: str | None = None) -> None:
    """Expect an array of this shape; `like` names the thing whose shape it should share."""
    got = _array(value, name).shape
    if got == shape:
        note_comparison()
        return
    wanted = f"{like} has {shape}" if like else f"it should have {shape}"
    advice = ""
    if len(got) == 2 and got == shape[::-1]:
        advice = "transpose?"
    elif math.prod(got) == math.prod(shape):
        advice = (
            "an axis is missing (keepdims=True? reshape?)" if len(got) < len(shape) else "reshape?"
        )
    advice = f": {advice}" if advice else ""
    raise Unmet(f"{name} has shape {got}, {wanted}{advice}", f"{name} has the wrong shape{advice}")


def expect_close(
    value: object, expected: Any, name: str, rtol: float = 1e-6, atol: float | None = None
) -> None:
    """Expect numbers within the tolerance, after expecting the shape; the message says in which way
    they differ.

    Unless given, the absolute tolerance is `rtol` times the largest expected number, so that an
    entry in which large terms cancel does not ask for more digits than single precision has.
    """
    wanted = np.asarray(expected, dtype=complex if np.iscomplexobj(expected) else float)
    expect_shape(value, wanted.shape, name)
    got = _array(value, name)
    if not np.all(np.isfinite(got)):
        raise Unmet(f"{name} contains nan or inf", f"{name} contains nan or inf")
    if atol is None:
        # Not 0 where all numbers are: then any rounding would be wrong.
        atol = max(1e-9, rtol * float(np.max(np.abs(wanted), initial=0.0)))
    if not np.allclose(got, wanted, rtol=rtol, atol=atol):
        raise _difference(got, wanted, name)
    note_comparison()


def expect_gradient(gradient: object, loss: Callable[[], float], at: Numbers, name: str) -> None:
    """Expect the derivative of `loss()` with respect to the array `at`, which `loss` reads, by
    central differences.
    """
    expect_shape(gradient, at.shape, name, like="the array it belongs to")
    numeric = central_difference(loss, at)
    got = _array(gradient, name)
    if not relative_error(got, numeric) < 1e-6:
        raise _difference(got, numeric, name)
    note_comparison()


@contextmanager
def expect_unchanged(**arrays: Any) -> Iterator[None]:
    """Expect that the block leaves these arrays as they were."""
    before = {name: np.array(value, copy=True) for name, value in arrays.items()}
    yield
    changed = []
    for name, old in before.items():
        if not np.array_equal(old, arrays[name], equal_nan=True):
            changed.append(name)
    if changed:
        message = f"{' and '.join(changed)} changed during the call: work on a copy, not on the argument itself"
        raise Unmet(message, message)
    note_comparison()


def central_difference(loss: Callable[[], float], at: Numbers, h: float = 1e-5) -> Numbers:
    """The derivative of `loss()` for every entry of the float array `at`: (L(x + h) - L(x - h)) /
    2h.
    """
    gradient = np.zeros(at.shape)
    for index in np.ndindex(at.shape):
        here = at[index]
        at[index] = here + h
        above = float(loss())
        at[index] = here - h
        below = float(loss())
        at[index] = here
        gradient[index] = (above - below) / (2 * h)
    return gradient


def numbers_in(value: object) -> Numbers | None:
    """All numbers of nested tuples, lists, dictionaries and arrays in one row, None where something
    else is in it.

    For what is laid out as the student likes, a cache for instance: it has to depend on what it
    should keep.
    """
    if isinstance(value, (tuple, list, dict)):
        row = [np.zeros(0)]  # of nothing, too, there is a row
        for part in value.values() if isinstance(value, dict) else value:
            numbers = numbers_in(part)
            if numbers is None:
                return None
            row.append(numbers)
        return np.concatenate(row)
    if value is None or isinstance(value, (str, bytes)):
        return np.zeros(0)
    if not isinstance(value, (int, float, complex, np.generic, np.ndarray)):
        return None
    array = np.ravel(np.asarray(value))
    return array if array.dtype.kind in "biufc" else None


def relative_error(a: Any, b: Any) -> float:
    """|a - b| / (|a| + |b|) with Euclidean norms: 1/3 for a factor of two, 1 for a wrong sign, 0
    for two zeros.

    Where a number is nan or infinite it is infinity: nan would be neither above nor below any
    limit.
    """
    a = np.asarray(a, dtype=float)
    b = np.asarray(b, dtype=float)
    scale = float(np.linalg.norm(a) + np.linalg.norm(b))
    if not math.isfinite(scale):
        return math.inf
    return float(np.linalg.norm(a - b)) / scale if scale else 0.0


def _array(value: object, name: str) -> Numbers:
    if value is None:
        raise Unmet(NO_VALUE.format(name=name), NO_VALUE.format(name=name))
    try:
        array = np.asarray(value)
    except ValueError:
        raise Unmet(
            f"{name} is a {type(value).__name__} with rows of different lengths, not an array"
        ) from None
    if array.dtype.kind not in "biufc":
        raise Unmet(f"{name} is a {type(value).__name__}, not numbers")
    return array


def _difference(got: Numbers, wanted: Numbers, name: str) -> Unmet:
    """In which way the numbers differ: sign, factor, transpose, or the entry that is farthest
    off.
    """
    square = float(np.sum(np.abs(wanted) ** 2))
    factor = float(np.real(np.sum(np.conj(wanted) * got))) / square if square else 0.0
    if factor and np.allclose(got, factor * wanted, rtol=1e-5, atol=1e-9):
        if np.isclose(factor, -1, rtol=1e-4):
            return Unmet(f"{name} has the wrong sign", f"{name} has the wrong sign")
        seen = ""
        for value, word in FACTORS.items():
            if np.isclose(factor, value, rtol=1e-4):
                seen = f"{name} is {word} what it should be"
        return Unmet(f"{name} is {factor:.4g} times what it should be", seen=seen)
    if got.ndim == 2 and got.shape[0] == got.shape[1] and np.allclose(got.T, wanted, rtol=1e-5):
        return Unmet(f"{name} is transposed", f"{name} is transposed")
    near = NEAR * float(np.max(np.abs(wanted), initial=0.0))
    hint = ""
    if np.allclose(got, wanted, 0, near):
        hint = f"{name} is nearly right: is something rounded on the way?"
    if got.ndim == 0:
        return Unmet(f"{name} is {got:.6g}, expected {wanted:.6g}", hint)
    index = np.unravel_index(int(np.argmax(np.abs(got - wanted))), got.shape)
    place = ", ".join(str(int(i)) for i in index)
    values = f"at [{place}] it is {got[index]:.6g}, expected {wanted[index]:.6g}"
    return Unmet(f"{name} has the right shape but other values: {values}", hint)
