"""Known wrong answers: they turn a failed test into a hint that teaches, and they test the tests.

Beside a source notebook, `mistakes.py` lists functions that are wrong in a way real students were wrong, and
`alternatives.py` right ones written otherwise. A failing answer that behaves like a known mistake, on the very calls
the hidden test made, gets that mistake's hint.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.proxy import Call

Function = Callable[..., Any]


@dataclass(frozen=True)
class Variant:
    """One way to write a function of an assignment; `hint` is empty for right ones."""

    of: str
    name: str
    function: Function
    hint: str = ""


class Variants:
    """A registry of variants of an assignment's functions."""

    def __init__(self, assignment: str) -> None:
        self.assignment = assignment
        self._variants: dict[tuple[str, str], Variant] = {}

    def __iter__(self) -> Iterator[Variant]:
        """Iterate over the variants in the order they were written."""
        return iter(self._variants.values())

    def __len__(self) -> int:
        """Count the variants."""
        return len(self._variants)

    def _add(self, variant: Variant) -> None:
        key = (variant.of, variant.name)
        if key in self._variants:
            raise ValueError(f"{self.assignment}: {variant.of} has two variants called {variant.name!r}")
        self._variants[key] = variant


class Mistakes(Variants):
    """The known mistakes of an assignment.

    Examples
    --------
    >>> mistakes = Mistakes("hw00")
    >>> @mistakes.of("mean", hint="Divide by the number of examples.")
    ... def forgot_to_divide(x):
    ...     return x.sum()
    """

    def of(self, function: str, *, hint: str) -> Callable[[Function], Function]:
        """Register the decorated function as a known wrong way to write `function`."""

        def add(wrong: Function) -> Function:
            self._add(Variant(function, wrong.__name__, wrong, hint))
            return wrong

        return add


class Alternatives(Variants):
    """Right answers of an assignment, written otherwise than the reference."""

    def of(self, function: str) -> Callable[[Function], Function]:
        """Register the decorated function as a right way to write `function`."""

        def add(right: Function) -> Function:
            self._add(Variant(function, right.__name__, right))
            return right

        return add


def load_variants(source: str, name: str) -> Variants | None:
    """Run the source of a `mistakes.py` or `alternatives.py` and return its registry, None where it has none."""
    namespace: dict[str, Any] = {"__name__": name}
    exec(compile(source, f"<{name}>", "exec"), namespace)
    return next((value for value in namespace.values() if isinstance(value, Variants)), None)


def recognise(calls: Sequence[Call], mistakes: Variants, reference: Mapping[str, Any]) -> Variant | None:
    """Return the known mistake that behaves as the student's functions did, None if there is none.

    A mistake is recognised when it gives what the student's function gave on every recorded call, while the
    reference gives something else on at least one: agreement where all answers agree says nothing.
    """
    for mistake in mistakes:
        mine = [call for call in calls if call.function == mistake.of]
        right = reference.get(mistake.of)
        if not mine or not callable(right):
            continue
        if all(_gives(mistake.function, call) for call in mine) and not all(_gives(right, call) for call in mine):
            return mistake
    return None


def _gives(function: Function, call: Call) -> bool:
    args, kwargs = copy.deepcopy(call.args), copy.deepcopy(dict(call.kwargs))
    state = np.random.get_state()
    try:
        with np.errstate(all="ignore"):
            result = function(*args, **kwargs)
    except Exception as error:
        return call.error is not None and type(error).__name__ == type(call.error).__name__
    finally:
        np.random.set_state(state)
    return call.error is None and same(result, call.result)


def same(one: Any, other: Any) -> bool:
    """Whether two results are equal in structure, shape and, to rounding, value."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    try:
        a, b = np.asarray(one), np.asarray(other)
        if a.shape != b.shape:
            return False
        if a.dtype.kind in "biufc" and b.dtype.kind in "biufc":
            return bool(np.allclose(a, b, rtol=1e-6, atol=1e-9, equal_nan=True))
        return bool(np.array_equal(a, b))
    except (ValueError, TypeError):
        return False
