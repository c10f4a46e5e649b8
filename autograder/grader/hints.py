"""The sentence a student reads beside an exercise that did not get all its points.

In the order in which they help: which known mistake it is, what the test says itself, in which way the numbers are
wrong, what kind of accident it was. No sentence quotes a hidden test, its inputs, or what the student's function
printed or raised during it.
"""

from __future__ import annotations

import inspect
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.errors import KernelDied, OutOfTime
from autograder.grader.accidents import TOO_LONG, accident
from autograder.grader.differences import difference
from autograder.grader.evidence import Evidence, answer_below_stub
from autograder.grader.proxy import Call
from autograder.grader.recognition import Recognised, recognise
from autograder.grader.replays import Replays
from autograder.grader.testcell import FILENAME
from autograder.jail import wire
from autograder.jail.arrays import CannotCross
from autograder.marking import NOTHING_COMPARED, Hint, NothingCompared
from autograder.mistakes import Variants

BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
STILL_RAISES = "`raise NotImplementedError` still stands above your answer: delete that line."
NOT_WRITTEN = "It calls a function that is not written yet."
DISTURBED = "Your code disturbed the exchange with the test."
ENDED = "Your code ended the Python process during this test."
COMPARE = "The result is not what it should be: compare it by hand on a small case with other shapes and sizes."
PERHAPS = "Your code stopped with an error; perhaps it is this: "
NO_VALUE = "Your code gives something else than numbers, text, lists, dictionaries or arrays of them."
# Why a value does not cross comes from the jail, as any text that the student likes: only these words are repeated.
REFUSALS = frozenset(
    {
        "an array of objects: was it built from None?",
        "a value with too many items",
        "a value that is nested too deeply, or contains itself",
        f"a value of more than {wire.MAX_BULK >> 20} MB",
        f"an array of more than {wire.MAX_BULK >> 20} MB",
        f"an integer of more than {wire.MAX_INT_BYTES} bytes",
    }
)


def hint_for(
    evidence: Evidence,
    answer: Sequence[str],
    functions: Sequence[str],
    mistakes: Variants | None,
    reference: Mapping[str, Any],
) -> str:
    """Return the hint for a failed exercise.

    Parameters
    ----------
    evidence : Evidence
        What its test saw.
    answer : sequence of str
        Sources of the student's solution cells.
    functions : sequence of str
        The functions that the exercise asks for; where it is empty, all that the test called count.
    mistakes, reference
        The assignment's known mistakes and its reference namespace.
    """
    if evidence.lost:
        return _of_loss(evidence)
    if any(isinstance(error, NotImplementedError) for error in evidence.errors):
        return STILL_RAISES if answer_below_stub(answer) else NOT_WRITTEN
    try:
        return _from_evidence(evidence, functions, mistakes, reference)
    except Exception:  # what a student's function returned may be anything, a list that contains itself for one
        return COMPARE


def _from_evidence(
    evidence: Evidence, functions: Sequence[str], mistakes: Variants | None, reference: Mapping[str, Any]
) -> str:
    own = functions or list(dict.fromkeys(call.function for call in evidence.calls))
    known = recognise(evidence.calls, mistakes, reference, own) if mistakes is not None and own else None
    return (
        _certain(known)
        or next((str(error) for error in evidence.errors if isinstance(error, Hint)), "")
        or (PERHAPS + known.mistake.hint if known is not None else "")
        or _known_elsewhere(evidence.calls, mistakes, reference, own)
        or next((words for error in evidence.errors if (words := _of_error(error, reference))), "")
        or _derived(evidence.calls, reference, own)
        or _visible_message(evidence)
        or (NOTHING_COMPARED if any(isinstance(error, NothingCompared) for error in evidence.errors) else "")
        or COMPARE
    )


def _certain(known: Recognised | None) -> str:
    return known.mistake.hint if known is not None and known.certain else ""


def _of_loss(evidence: Evidence) -> str:
    if evidence.limit:
        return f"Your code was stopped while it was tested: {evidence.limit}."
    if isinstance(evidence.error, OutOfTime):
        return TOO_LONG
    return ENDED if isinstance(evidence.error, KernelDied) else DISTURBED


def _known_elsewhere(
    calls: Sequence[Call], mistakes: Variants | None, reference: Mapping[str, Any], own: Sequence[str]
) -> str:
    """Return the hint of a mistake in a function of another exercise, which this one's test called as well."""
    others = dict.fromkeys(call.function for call in calls if call.function not in own)
    known = recognise(calls, mistakes, reference, list(others)) if mistakes is not None and others else None
    return f"In `{known.mistake.of}`: {known.mistake.hint}" if known is not None and known.certain else ""


def _of_error(error: BaseException, reference: Mapping[str, Any]) -> str:
    if isinstance(error, CannotCross):
        name, _, rest = str(error).partition(" ")
        _, _, refusal = rest.partition(" ")
        return str(error) if name in reference and refusal in REFUSALS else NO_VALUE
    hint = getattr(error, "hint", "")
    return hint if isinstance(hint, str) and hint else accident(error)


def _derived(calls: Sequence[Call], reference: Mapping[str, Any], functions: Sequence[str]) -> str:
    """Say in which way results are wrong, if most of the wrong calls agree on it."""
    replays = Replays(calls, reference)
    found: Counter[str] = Counter()
    for function in functions:
        for index in replays.of(function):
            call = calls[index]
            if call.error is None and not replays.is_right(index):
                right = replays.right(index)
                if right.error is None and not right.drew:
                    sizes = _sizes(reference[function], call)
                    found[difference(call.result, right.result, sizes) or _changed(call)] += 1
    if not found:
        return ""
    words, times = found.most_common(1)[0]
    return _sentence(words) if words and 2 * times > found.total() else ""


def _changed(call: Call) -> str:
    """Say which arguments a call changed."""
    pairs = zip((*call.args, *call.kwargs.values()), (*call.args_after, *call.kwargs_after.values()), strict=False)
    for before, after in pairs:
        if isinstance(before, np.ndarray) and not np.array_equal(before, after, equal_nan=before.dtype.kind in "fc"):
            return "an argument changed during the call: work on a copy"
    return ""


def _sizes(function: Callable[..., Any], call: Call) -> dict[str, int]:
    """Return the sizes of array arguments by how to call them."""
    try:
        given = inspect.signature(function).bind(*call.args, **call.kwargs).arguments
    except (TypeError, ValueError):
        return {}
    sizes = {}
    for name, value in given.items():
        for length, what in zip(
            np.shape(value) if isinstance(value, np.ndarray) else (), ("rows", "columns"), strict=False
        ):
            sizes[f"the number of {what} of {name}"] = length
    return sizes


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "?", "!")) else ".")


def _visible_message(evidence: Evidence) -> str:
    """Return the message of an assertion the student can read in the released notebook."""
    error = evidence.error
    if not isinstance(error, AssertionError) or not str(error):
        return ""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == FILENAME]
    if not lines or lines[0] is None:
        return ""
    above = evidence.source.splitlines()[: lines[0]]
    hidden = sum(BEGIN_HIDDEN in line for line in above) > sum(END_HIDDEN in line for line in above)
    return "" if hidden else str(error)
