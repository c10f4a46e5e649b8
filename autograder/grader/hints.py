"""The sentence a student reads beside an exercise that did not get all its points.

In the order in which they help: which known mistake it is, that nothing was returned, what the
test says itself, what kind of accident it was, in which way the numbers are wrong. A cause is
named only where it is certain; otherwise it is said what was seen, or asked. No sentence quotes a
hidden test, its inputs, or what the student's function printed or raised during it.
"""

from __future__ import annotations

import inspect
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.checks import Unmet
from autograder.course.errors import KernelDied, OutOfTime
from autograder.course.source_markers import mark_hidden_lines
from autograder.grader.accidents import TOO_LONG, describe_accident
from autograder.grader.call_replays import Replays
from autograder.grader.evidence import Evidence, answer_below_stub
from autograder.grader.mistake_recognition import RecognisedMistake, recognise_mistake
from autograder.grader.result_differences import describe_differences
from autograder.grader.test_cells import FILENAME
from autograder.kernel import wire
from autograder.kernel.proxies import Call
from autograder.kernel.wire import CannotCross
from autograder.marking import NOTHING_COMPARED, Hint, NothingCompared
from autograder.mistakes import Variants

STILL_RAISES = "`raise NotImplementedError` still stands above your answer: delete that line."
NOT_WRITTEN = "It calls a function that is not written yet."
REACHED = "A `raise NotImplementedError` in your answer was reached."
RETURNS_NONE = "`{function}` returns None: is a `return` missing?"
PRINTS = "`{function}` returns None: `print` only shows a value, a `return` hands it on."
RETURNS_NONE_SOMETIMES = (
    "`{function}` returns None in some cases: does every way through it end in a `return`?"
)
IN_MOST_CASES = "In most cases: "
ALWAYS_ONE_FACTOR = "The result is off by a factor, the same one in every case."
ENOUGH = 3  # single numbers that are off by one factor are so by chance no more
DISTURBED = "Your code disturbed the exchange with the test."
ENDED = "Your code ended the Python process during this test."
COMPARE = "The result is not what it should be: compare it by hand on a small case with other shapes and sizes."
PERHAPS = "Your code stopped with an error; perhaps it is this: "
NO_VALUE = (
    "Your code gives something else than numbers, text, lists, dictionaries or arrays of them."
)
# Why a value does not cross comes from the jail, as any text that the student likes: only these
# words are repeated.
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


def choose_hint(
    evidence: Evidence,
    answer: Sequence[str],
    functions: Sequence[str],
    mistakes: Variants | None,
    reference: Mapping[str, Any],
    wrong: Collection[str] = (),
) -> str:
    """Return the hint for a failed exercise.

    Parameters
    ----------
    evidence : Evidence
        What its test saw.
    answer : sequence of str
        Sources of the student's solution cells.
    functions : sequence of str
        The functions that the exercise asks for; where it is empty, all that the test called
        count.
    mistakes, reference
        The assignment's known mistakes and its reference namespace.
    wrong : collection of str
        Functions of other exercises that did not pass their own test: no others are blamed.
    """
    if evidence.lost:
        return _of_loss(evidence)
    # Before all else: where a stub was reached, no result says anything about the answer.
    if any(isinstance(error, NotImplementedError) for error in evidence.errors):
        return _of_stub(answer)
    # What a student's function returned may be anything, a list that contains itself for one; the
    # points are known by now, and no hint is worth losing them.
    try:
        return _from_evidence(evidence, functions, mistakes, reference, wrong)
    except Exception:
        return COMPARE


def _of_stub(answer: Sequence[str]) -> str:
    if answer_below_stub(answer):
        return STILL_RAISES
    return REACHED if any("NotImplementedError" in source for source in answer) else NOT_WRITTEN


def _from_evidence(
    evidence: Evidence,
    functions: Sequence[str],
    mistakes: Variants | None,
    reference: Mapping[str, Any],
    wrong: Collection[str],
) -> str:
    own = functions or _called_functions(evidence.calls)
    # A mistake of its own was looked for already.
    elsewhere = [name for name in wrong if name not in own]
    replays = Replays(evidence.calls, reference)
    known = recognise_mistake(replays, mistakes, own) if mistakes is not None and own else None
    # The surest first; each is asked only where none before it has an answer, for replays are dear.
    return (
        _certain(known)
        or _nothing_returned(replays, own)
        or _written_hint(evidence.errors)
        or _perhaps(known)
        or _known_elsewhere(replays, mistakes, elsewhere)
        or _of_errors(evidence.errors, reference)
        or _derived(replays, reference, own)
        or _seen_once(evidence.errors)
        or _visible_message(evidence)
        or _nothing_compared(evidence.errors)
        or COMPARE
    )


def _called_functions(calls: Sequence[Call]) -> list[str]:
    """Return the functions that were called, in the order of their first calls."""
    return list(dict.fromkeys(call.function for call in calls))


def _certain(known: RecognisedMistake | None) -> str:
    return known.mistake.hint if known is not None and known.certain else ""


def _perhaps(known: RecognisedMistake | None) -> str:
    return PERHAPS + known.mistake.hint if known is not None else ""


def _written_hint(errors: Sequence[BaseException]) -> str:
    """Return what the test's author wrote for students to read."""
    for error in errors:
        if isinstance(error, Hint):
            return str(error)
    return ""


def _of_errors(errors: Sequence[BaseException], reference: Mapping[str, Any]) -> str:
    for error in errors:
        words = _of_error(error, reference)
        if words:
            return words
    return ""


def _seen_once(errors: Sequence[BaseException]) -> str:
    """Say what is true of one comparison and perhaps of no other."""
    for error in errors:
        if isinstance(error, Unmet) and error.seen:
            return as_sentence(f"in one case {error.seen}")
    return ""


def _nothing_compared(errors: Sequence[BaseException]) -> str:
    for error in errors:
        if isinstance(error, NothingCompared):
            return NOTHING_COMPARED
    return ""


def _of_loss(evidence: Evidence) -> str:
    if evidence.limit:
        return f"Your code was stopped while it was tested: {evidence.limit.rstrip('.')}."
    if isinstance(evidence.error, OutOfTime):
        return TOO_LONG
    return ENDED if isinstance(evidence.error, KernelDied) else DISTURBED


def _known_elsewhere(replays: Replays, mistakes: Variants | None, wrong: Sequence[str]) -> str:
    """Return the hint of a mistake in a wrong function of another exercise, which this one's test
    called as well.
    """
    others = [name for name in _called_functions(replays.calls) if name in wrong]
    if mistakes is None or not others:
        return ""
    known = recognise_mistake(replays, mistakes, others)
    if known is None or not known.certain:
        return ""
    return f"In `{known.mistake.of}`: {known.mistake.hint}"


def _of_error(error: BaseException, reference: Mapping[str, Any]) -> str:
    if isinstance(error, CannotCross):
        name, _, rest = str(error).partition(" ")
        _, _, refusal = rest.partition(" ")
        return str(error) if name in reference and refusal in REFUSALS else NO_VALUE
    hint = getattr(error, "hint", "")
    return hint if isinstance(hint, str) and hint else describe_accident(error)


def _nothing_returned(replays: Replays, functions: Sequence[str]) -> str:
    """Say so where a function returns None instead of something."""
    calls = replays.calls
    for function in functions:
        nothing = []
        is_sometimes = False
        always_printed = True
        for index in replays.of(function):
            call = calls[index]
            if call.error is not None:
                continue
            if call.result is None:
                nothing.append(index)
                always_printed = always_printed and _printed(call)
            else:
                is_sometimes = True
        # Some functions are meant to return nothing.
        if not nothing or replays.right(nothing[0]).result is None:
            continue
        if is_sometimes:
            return RETURNS_NONE_SOMETIMES.format(function=function)
        return (PRINTS if always_printed else RETURNS_NONE).format(function=function)
    return ""


def _printed(call: Call) -> bool:
    return any(output["output_type"] == "stream" for output in call.output)


def _derived(replays: Replays, reference: Mapping[str, Any], functions: Sequence[str]) -> str:
    """Say in which way results are wrong, if all wrong calls agree on it, or in which way most
    are.
    """
    found: list[tuple[str, ...]] = []
    results: list[tuple[Any, Any]] = []
    for call, right, words in _wrong_calls(replays, reference, functions):
        found.append(words or _changed(call))
        results.append((call.result, right))
    for sentence in found[0] if found else ():
        if all(sentence in others for others in found):
            return as_sentence(sentence)
    counts = Counter(words[0] for words in found if words)
    for sentence, times in counts.most_common(1):
        if 2 * times > len(found):
            return as_sentence(IN_MOST_CASES + sentence)
    return ALWAYS_ONE_FACTOR if _has_one_factor(results) else ""


def _has_one_factor(pairs: Sequence[tuple[Any, Any]]) -> bool:
    """Whether single numbers, of which each is off by some factor, are all off by the same."""
    if len(pairs) < ENOUGH or not all(isinstance(got, (float, np.floating)) for got, _ in pairs):
        return False
    factors = np.empty(len(pairs))
    for position, (got, wanted) in enumerate(pairs):
        with np.errstate(all="ignore"):
            factors[position] = np.float64(got) / float(wanted)
    return bool(np.all(np.isfinite(factors)) and np.allclose(factors, factors[0], rtol=1e-6))


def _wrong_calls(
    replays: Replays, reference: Mapping[str, Any], functions: Sequence[str]
) -> list[tuple[Call, Any, tuple[str, ...]]]:
    """Return wrong calls that ended with a result, each with the right one and how the difference
    can be called.
    """
    calls = replays.calls
    wrong = []
    for function in functions:
        for index in replays.of(function):
            if calls[index].error is not None or replays.is_right(index):
                continue
            right = replays.right(index)
            # Where the reference draws random numbers, another result need not be a wrong one.
            if right.error is None and not right.drew:
                wrong.append((calls[index], right.result))
    alone = len(wrong) == 1
    described = []
    for call, wanted in wrong:
        # One number that is wrong once may be off by the size of something just by chance.
        by_chance = alone and np.size(call.result) == 1
        sizes = {} if by_chance else _sizes(reference[call.function], call)
        described.append((call, wanted, describe_differences(call.result, wanted, sizes)))
    return described


def _changed(call: Call) -> tuple[str, ...]:
    """Say whether a call changed an argument."""
    pairs = zip(
        (*call.args, *call.kwargs.values()),
        (*call.args_after, *call.kwargs_after.values()),
        strict=False,
    )
    for before, after in pairs:
        if isinstance(before, np.ndarray) and not np.array_equal(
            before, after, equal_nan=before.dtype.kind in "fc"
        ):
            return ("an argument changed during the call: work on a copy",)
    return ()


def _sizes(function: Callable[..., Any], call: Call) -> dict[str, int]:
    """Return the sizes of array arguments by how to call them."""
    try:
        given = inspect.signature(function).bind(*call.args, **call.kwargs).arguments
    except (TypeError, ValueError):
        return {}
    sizes = {}
    for name, value in given.items():
        shape = value.shape if isinstance(value, np.ndarray) else ()
        for length, what in zip(shape, ("rows", "columns"), strict=False):
            sizes[f"the number of {what} of {name}"] = length
    return sizes


def as_sentence(words: str) -> str:
    """Return words with a capital letter and a full stop."""
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "?", "!")) else ".")


def _visible_message(evidence: Evidence) -> str:
    """Return the message of an assertion the student can read in the released notebook."""
    error = evidence.error
    if not isinstance(error, AssertionError) or not str(error):
        return ""
    # The outermost of the test's lines: a helper in the visible part may be called by the hidden.
    line = None
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == FILENAME:
            line = frame.lineno
            break
    if line is None:
        return ""
    marked = mark_hidden_lines(evidence.source, False, evidence.markers)
    hidden = marked[min(line, len(marked)) - 1][1]
    return "" if hidden else str(error)
