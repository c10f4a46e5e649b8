"""The calls of a hidden test made again on other functions, to see who does what the student's did.

Equal means: the same results, to rounding, the same errors and the same changes of arguments, with
the same arguments and from the same random states.

How a student's functions hand things to each other, like the layout of a cache, is the student's
choice. Where a call is given something that came from the student's own functions, it is therefore
tried with what the reference would have handed on, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from autograder.grader.result_comparison import (
    are_built_alike,
    are_same,
    are_same_but_layout,
    are_same_where_finite,
    find_containers,
    find_other_layouts,
    holds_handle,
    is_finite,
    is_packed,
)
from autograder.kernel.copies import copy_value
from autograder.kernel.proxies import Call
from autograder.kernel.randomness import RandomStates
from autograder.kernel.wire import CannotCross
from autograder.mistakes import Function

# Results of one function after which its layout is known.
ENOUGH_ALIKE = 5


class Agreement(IntEnum):
    """Whether a function did what the student's did; an error of the same kind with other words
    convinces nobody.
    """

    NONE = 0
    KIND_OF_ERROR = 1
    SAME_ERROR = 2
    FULL = 3


@dataclass(frozen=True)
class CallOutcome:
    """What a call came to: its result or error, its arguments afterwards, and whether it drew
    random numbers.
    """

    result: Any
    error: BaseException | None
    arguments: Any
    drew: bool


class Replays:
    """The calls of a test, to be made again on other functions.

    Parameters
    ----------
    calls : sequence of Call
        The student's calls.
    reference : mapping of str to object
        The reference's names.
    """

    def __init__(self, calls: Sequence[Call], reference: Mapping[str, Any]) -> None:
        self.calls = calls
        self._reference = reference
        self._right: dict[int, bool] = {}
        # What the reference makes of a call with the student's arguments: each is asked for again
        # and again, by every mistake that is tried.
        self._outcomes: dict[int, CallOutcome] = {}
        self._random_states = RandomStates()
        self._handed: list[tuple[Any, Any]] | None = None

    def of(self, function: str) -> list[int]:
        """Return the indices of the calls of a function that the reference has too."""
        if not callable(self._reference.get(function)):
            return []
        indices = []
        for index, call in enumerate(self.calls):
            if call.function == function:
                indices.append(index)
        return indices

    def is_right(self, index: int) -> bool:
        """Whether the student's call did what the reference does."""
        if index not in self._right:
            function = self._reference[self.calls[index].function]
            self._right[index] = self.agreement(index, function) is not Agreement.NONE
        return self._right[index]

    def agreement(self, index: int, function: Function) -> Agreement:
        """Say whether a function does what the student's did in a call."""
        call = self.calls[index]
        given = call.args, call.kwargs
        found = Agreement.NONE
        if not holds_handle(given):
            outcome = self._replay(index, function)
            found = _agreement(call, outcome) if _changed_alike(call, outcome) else Agreement.NONE
        if found is Agreement.NONE:
            translated = self._translated(given)
            if translated is not given and not holds_handle(translated):
                return _agreement(
                    call, replay_call(function, call, translated, self._random_states)
                )
        return found

    def _replay(self, index: int, function: Function) -> CallOutcome:
        """Make a call again with the student's own arguments; on the reference's function only
        once.
        """
        call = self.calls[index]
        given = call.args, call.kwargs
        if function is not self._reference.get(call.function):
            return replay_call(function, call, given, self._random_states)
        if index not in self._outcomes:
            self._outcomes[index] = replay_call(function, call, given, self._random_states)
        return self._outcomes[index]

    def agrees_where_finite(self, index: int, function: Function) -> bool:
        """Whether a function does what the student's did in a call, where both gave finite
        numbers.
        """
        if is_finite(self.calls[index].result):
            return self.agreement(index, function) is Agreement.FULL
        call = self.calls[index]
        given = self._translated((call.args, call.kwargs))
        if call.error is not None or holds_handle(given):
            return False
        outcome = replay_call(function, call, given, self._random_states)
        return outcome.error is None and are_same_where_finite(call.result, outcome.result)

    def right(self, index: int) -> CallOutcome:
        """Return what the reference makes of a call."""
        call = self.calls[index]
        given = self._translated((call.args, call.kwargs))
        if holds_handle(given):
            return CallOutcome(None, CannotCross("an object of the student's"), given, False)
        return self._replay_right(index, given)

    def _replay_right(self, index: int, given: Any) -> CallOutcome:
        """Make a call again on the reference's function, with the student's own arguments or with
        translated ones.
        """
        call = self.calls[index]
        right = self._reference[call.function]
        if given[0] is call.args and given[1] is call.kwargs:
            return self._replay(index, right)
        return replay_call(right, call, given, self._random_states)

    def with_own_layouts(self) -> set[str]:
        """Return the functions that gave, or were given, something in a layout of the student's
        own.
        """
        handed: list[Any] = []
        found = set()
        for index, call in enumerate(self.calls):
            given = call.args, call.kwargs
            translated = self._translated(given)
            values = (*call.args, *call.kwargs.values())
            if translated is not given or _share_a_container(values, handed):
                found.add(call.function)
            right = self._reference.get(call.function)
            if call.error is None and callable(right) and not holds_handle(translated):
                ours = self._replay_right(index, translated)
                if ours.error is None and not are_built_alike(call.result, ours.result):
                    found.add(call.function)
                    handed += find_containers(call.result)
        return found

    def _translated(self, given: Any) -> Any:
        """Return arguments with the reference's in the place of what the student's own functions
        handed on.
        """
        args, kwargs = given
        # Plain numbers and arrays have no layout of anybody's own: most calls end here.
        if not any(map(is_packed, (*args, *kwargs.values()))):
            return given
        handed = self._handed_on()
        is_translated = False
        new_args = []
        for value in args:
            new = _exchanged(value, handed)
            is_translated = is_translated or new is not value
            new_args.append(new)
        new_kwargs = {}
        for name, value in kwargs.items():
            new_kwargs[name] = _exchanged(value, handed)
            is_translated = is_translated or new_kwargs[name] is not value
        # The very same arguments tell the caller that nothing was translated.
        return (tuple(new_args), new_kwargs) if is_translated else given

    def _handed_on(self) -> list[tuple[Any, Any]]:
        """Return pairs of what the student's functions gave in a layout of their own, and what the
        reference gives.
        """
        if self._handed is None:
            # Bound before the loop: translating a call asks for what the calls above it handed on.
            self._handed = []
            alike: Counter[str] = Counter()
            for index, call in enumerate(self.calls):
                right = self._reference.get(call.function)
                # A function whose first results are laid out as the reference's are hands on
                # nothing else: a test may call it hundreds of times.
                if alike[call.function] >= ENOUGH_ALIKE:
                    continue
                given = self._translated((call.args, call.kwargs))
                if call.error is None and callable(right) and not holds_handle(given):
                    ours = self._replay_right(index, given)
                    if ours.error is None:
                        self._handed += find_other_layouts(call.result, ours.result)
                    if not self._handed:
                        alike[call.function] += 1
        return self._handed


def replay_call(
    function: Function, call: Call, given: Any, random_states: RandomStates
) -> CallOutcome:
    """Call a function as a student's was called: with copies of the arguments, from the same random
    states.
    """
    args, kwargs = copy_value(given, {})
    before = random_states.copy()
    start = before
    if call.random_states:
        start = call.random_states[0], call.random_states[1]
    result: Any = None
    failure: Exception | None = None
    try:
        random_states.set(start)
        with np.errstate(all="ignore"):
            result = function(*args, **kwargs)
    except Exception as error:
        failure = error
    drew = random_states.have_changed()
    # At a glance one sees only that nothing can have changed; copying the states costs far more.
    if drew:
        after = random_states.copy()
        drew = not are_same(after[0], start[0]) or after[1] != start[1]
    random_states.set(before)
    return CallOutcome(result, failure, (args, kwargs), drew)


def _agreement(call: Call, outcome: CallOutcome) -> Agreement:
    if call.error is None and outcome.error is None:
        is_same = are_same_but_layout(call.result, outcome.result)
        return Agreement.FULL if is_same else Agreement.NONE
    # By name: the student's own exception was made anew here, as a class of the same name.
    if type(call.error).__name__ != type(outcome.error).__name__:
        return Agreement.NONE
    if str(call.error) == str(outcome.error):
        return Agreement.SAME_ERROR
    return Agreement.KIND_OF_ERROR


def _changed_alike(call: Call, outcome: CallOutcome) -> bool:
    """Whether both left their arguments alike; the record of a call may not say."""
    known = bool(call.args_after or call.kwargs_after)
    return not known or are_same((call.args_after, call.kwargs_after), outcome.arguments)


def _share_a_container(values: Sequence[Any], handed: Sequence[Any]) -> bool:
    """Whether a container among the values, or within them, is one of those handed on."""
    for container in find_containers(values):
        for part in handed:
            if are_same(container, part):
                return True
    return False


def _exchanged(value: Any, handed: Sequence[tuple[Any, Any]]) -> Any:
    if not is_packed(value):
        return value
    for theirs, ours in handed:
        if are_same(value, theirs):
            return ours
    return value
