"""Which known mistake a student made, seen from what their functions did in a hidden test.

A mistake is recognised when it does what the student's function did on every call the test made,
while the reference does something else on at least one: agreement where all answers agree says
nothing. Where the student's results are not finite, because they guard against nothing, the
numbers that are finite on both sides decide.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.grader.call_replays import Agreement, Replays
from autograder.grader.result_comparison import is_finite
from autograder.mistakes import Variant, Variants

# That a mistake explains: a test with hundreds of calls learns nothing from the rest.
ENOUGH_WRONG_CALLS = 12
CPU_SECONDS = 10.0  # spent on one test's calls at most; none of the course's comes near


@dataclass(frozen=True)
class RecognisedMistake:
    """A known mistake, and whether it is certain: errors alone may have several reasons."""

    mistake: Variant
    certain: bool


def recognise_mistake(
    replays: Replays, mistakes: Variants, functions: Sequence[str] = ()
) -> RecognisedMistake | None:
    """Return the known mistake that behaves as the student's functions did, None if there is none.

    Parameters
    ----------
    replays : Replays
        What the test called, in order.
    mistakes : Variants
        The assignment's known mistakes.
    functions : sequence of str
        Only mistakes of these functions; all where it is empty.
    """
    end = time.process_time() + CPU_SECONDS
    perhaps: RecognisedMistake | None = None
    for mistake in mistakes:
        if functions and mistake.of not in functions:
            continue
        agreement = _agreement_of_all(mistake, replays, end)
        # Half of the calls looked at are no ground for blaming anybody's mistake.
        if time.process_time() > end:
            return None
        if agreement is Agreement.FULL:
            return RecognisedMistake(mistake, certain=True)
        if agreement is Agreement.SAME_ERROR and perhaps is None:
            perhaps = RecognisedMistake(mistake, certain=False)
    return perhaps or _recognise_where_finite(replays, mistakes, functions, end)


def _recognise_where_finite(
    replays: Replays, mistakes: Variants, functions: Sequence[str], end: float
) -> RecognisedMistake | None:
    for mistake in mistakes:
        if functions and mistake.of not in functions:
            continue
        indices = replays.of(mistake.of)
        finite = [index for index in indices if is_finite(replays.calls[index].result)]
        # Without a wrong number that is finite, any mistake would agree with a row of nan.
        if len(finite) == len(indices) or all(map(replays.is_right, finite)):
            continue
        if _agrees_where_finite(mistake, replays, indices, end):
            return RecognisedMistake(mistake, certain=True)
    return None


def _agrees_where_finite(
    mistake: Variant, replays: Replays, indices: Sequence[int], end: float
) -> bool:
    for index in indices:
        agrees = replays.agrees_where_finite(index, mistake.function)
        if not agrees or time.process_time() > end:
            return False
    return True


def _agreement_of_all(mistake: Variant, replays: Replays, end: float) -> Agreement:
    """Return the strongest agreement on a call that is not right, NONE if any call disagrees."""
    strongest = Agreement.NONE
    wrong = 0
    for index in replays.of(mistake.of):
        agreement = replays.agreement(index, mistake.function)
        if agreement is Agreement.NONE or time.process_time() > end:
            return Agreement.NONE
        if not replays.is_right(index):
            strongest = max(strongest, agreement)
            wrong += 1
        if wrong >= ENOUGH_WRONG_CALLS:
            break
    return strongest
