"""What is lent to an exercise: the reference's functions in the place of wrong ones, and no more
than that takes.

A mistake costs its points once: what builds on a wrong function is tested with the reference's.
First only what is wrong is lent. Where that is not enough, and what is wrong exchanges values in a
layout of the student's own, a cache for instance, the others that exchange such values are lent
with it: a `linear_backward` of the reference's cannot read the caches of a `linear_forward` of
somebody else's. Whatever else is right stays the student's own, so two of their functions that do
not fit together are found out.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.course.exam import NO_LOAN, Exam, Exercise
from autograder.grader.bound_names import quote_code_names
from autograder.grader.call_replays import Replays
from autograder.grader.result_comparison import find_containers
from autograder.kernel.proxies import Call

CALLS = 3  # of a function that are looked at: enough to see how it lays out what it returns

Function = Callable[..., Any]


@dataclass
class Loan:
    """Functions of the reference's that stand in for the student's, and what was done with them.

    Attributes
    ----------
    names : tuple of str
        What is lent.
    wrong : tuple of str
        What of it was wrong.
    """

    names: tuple[str, ...]
    wrong: tuple[str, ...]
    _exchanged: dict[str, bool] = field(default_factory=dict)

    def functions(self, reference: Mapping[str, Any]) -> dict[str, Function]:
        """Return the functions, which note that they were called, and whether with or for something
        packed.
        """
        return {name: self._noting(reference[name], name) for name in self.names}

    def _noting(self, function: Function, name: str) -> Function:
        @functools.wraps(function)
        def noting(*args: Any, **kwargs: Any) -> Any:
            # Three there always are: the pair itself, the tuple of arguments, the dictionary.
            packed = bool(find_containers((args, kwargs))[3:])
            self._exchanged[name] = self._exchanged.get(name, False) or packed
            result = function(*args, **kwargs)
            # Results are looked at one by one: the tuple that holds them is everybody's.
            if isinstance(result, tuple) and any(map(find_containers, result)):
                self._exchanged[name] = True
            return result

        return noting

    @property
    def used(self) -> bool:
        """Whether anything of it was called."""
        return bool(self._exchanged)

    @property
    def packed(self) -> bool:
        """Whether something of it was given, or returned among its results, a container or an
        object.
        """
        return any(self._exchanged.values())

    @property
    def note(self) -> str:
        """What the student reads: what was lent, or, where only others' functions were called,
        why.
        """
        lent = [name for name in self.wrong if name in self._exchanged]
        verb = "is" if len(lent or self.wrong) == 1 else "are"
        if lent:
            names = quote_code_names(lent)
            return f"Marked with the reference's {names}, because yours {verb} not right yet."
        names = quote_code_names(self.wrong)
        return f"Marked with the reference's functions, because your {names} {verb} not right yet."


@dataclass
class Lender:
    """Knows what may be lent to an exercise.

    Attributes
    ----------
    wrong : list of str
        Functions of exercises that did not pass.
    """

    exam: Exam
    reference: Mapping[str, Any]
    wrong: list[str] = field(default_factory=list)
    _tested: set[str] = field(default_factory=set)  # ids of exercises whose test is over
    _calls: list[Call] = field(default_factory=list)

    def close(self, exercise: Exercise, calls: Sequence[Call], *, passed: bool) -> None:
        """Note how an exercise ended, and what its test called of the student's own functions."""
        if not passed:
            self.wrong += self._functions_of(exercise)
        self._tested.add(exercise.id)
        counts: Counter[str] = Counter()
        for call in calls:
            counts[call.function] += 1
            if counts[call.function] <= CALLS:
                self._calls.append(call)

    def loans(self, exercise: Exercise) -> Iterator[Loan]:
        """Yield what may be lent to an exercise, one after the other; each was used before the next
        is asked for.

        Functions of this exercise and of those below it in the source are not lent, wherever the
        student's test cells stand: they could answer it. Nor is any function that an exercise
        defines of which a test is still to come, the second of one answer for instance: what it
        returns could be kept for it.
        """
        if not self.exam.lend or NO_LOAN in self.exam.tags(exercise):
            return
        lendable = self._lendable(exercise)
        wrong = tuple(name for name in lendable if name in self.wrong)
        if not wrong:
            return
        first = Loan(wrong, wrong)
        yield first
        # Only now: what is laid out otherwise is found by replays, and most exercises are right by
        # then or have nothing packed.
        laid_out = Replays(self._calls, self.reference).with_own_layouts()
        more = tuple(name for name in lendable if name in wrong or name in laid_out)
        if more != wrong and (first.packed or not laid_out.isdisjoint(wrong)):
            yield Loan(more, wrong)

    def _lendable(self, exercise: Exercise) -> list[str]:
        """Return the functions above an exercise that no test to come is about, in their order."""
        kept = set(self.exam.defines(exercise))
        for one in self.exam.tested:
            if one.id not in self._tested:
                kept.update(self.exam.defines(one))
        names: dict[str, None] = {}
        for one in self.exam.exercises[: self.exam.exercises.index(exercise)]:
            names |= dict.fromkeys(self._functions_of(one))
        return [name for name in names if name not in kept]

    def _functions_of(self, exercise: Exercise) -> list[str]:
        """Return what an exercise defines and the reference has as something to call."""
        defined = self.exam.defines(exercise)
        return [name for name in defined if callable(self.reference.get(name))]
