"""Known answers: they turn a failed test into a hint that teaches, and they test the tests.

Beside a source notebook, `mistakes.py` lists functions that are wrong in a way real students were
wrong, `alternatives.py` right ones written otherwise, and `shortcuts.py` answers that are after
the points without doing the task. A failing answer that behaves like a known mistake, on the very
calls the hidden test made, gets that mistake's hint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from autograder.course.errors import ExamError, describe_failure

Function = Callable[..., Any]


@dataclass(frozen=True)
class Variant:
    """One way to write a function of an assignment; `hint` is empty for right ones and shortcuts.

    Attributes
    ----------
    family : tuple of str
        The functions that fit together only in this way, `of` among them; empty where it fits with
        the reference's.
    keeps : tuple of int
        For a mistake: the criteria that it has to meet all the same, by their position, the first
        is 1.
    """

    of: str
    name: str
    function: Function
    hint: str = ""
    family: tuple[str, ...] = ()
    keeps: tuple[int, ...] = ()


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

    def _add_members(self, functions: tuple[str, ...], variant: Function) -> None:
        """Add a variant of one function, or call it for a variant of each of several."""
        if len(functions) == 1:
            self._add(Variant(functions[0], variant.__name__, variant))
            return
        for function, member in zip(functions, variant(), strict=True):
            self._add(Variant(function, variant.__name__, member, family=functions))

    def _add(self, variant: Variant) -> None:
        key = (variant.of, variant.name)
        if key in self._variants:
            raise ValueError(
                f"{self.assignment}: {variant.of} has two variants called {variant.name!r}"
            )
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

    def of(
        self, function: str, *, hint: str, keeps: Iterable[int] = ()
    ) -> Callable[[Function], Function]:
        """Register the decorated function as a known wrong way to write `function`.

        Parameters
        ----------
        function : str
            Which function it is a way to write.
        hint : str
            What a student reads who made this mistake.
        keeps : iterable of int
            The criteria that have to be met in spite of the mistake, by their position in the test
            cell, the first is 1: one slip costs what it concerns. `autograder audit` holds the
            test to it.

        Raises
        ------
        ValueError
            If a position is not a whole number from 1.
        """
        kept = tuple(keeps)
        if not all(type(position) is int and position >= 1 for position in kept):
            raise ValueError(
                f"{self.assignment}: keeps={kept!r} of a mistake in {function}; positions count from 1"
            )

        def add(wrong: Function) -> Function:
            self._add(Variant(function, wrong.__name__, wrong, hint, keeps=kept))
            return wrong

        return add


class Alternatives(Variants):
    """Right answers of an assignment, written otherwise than the reference.

    Attributes
    ----------
    equivalents : dict
        Mutants of the reference that are as right as it is, and why: by function, line before and
        line after.
    """

    def __init__(self, assignment: str) -> None:
        super().__init__(assignment)
        self.equivalents: dict[tuple[str, str, str], str] = {}

    def of(self, *functions: str) -> Callable[[Function], Function]:
        """Register the decorated function as a right way to write a function.

        With several names it is called, takes nothing, and returns as many functions, which fit
        together only: a `linear_forward` and the `linear_backward` that reads its cache.
        """

        def add(right: Function) -> Function:
            self._add_members(functions, right)
            return right

        return add

    def equivalent(self, function: str, before: str, after: str, *, because: str) -> None:
        """Say that a mutant of `function` is no mistake: with the line `after` for `before` it is
        as right.

        Both lines are written as `autograder audit` prints them.
        """
        self.equivalents[function, before, after] = because


class Shortcuts(Variants):
    """Answers of an assignment that are after the points without doing the task; none may keep all
    of them.

    Constants; a closed form where an iteration is asked; another start in every run, so that
    nothing can be compared; what the visible checks show learned by heart; calls counted,
    arguments remembered; a right first step and nothing after.

    Examples
    --------
    >>> shortcuts = Shortcuts("hw00")
    >>> @shortcuts.of("mean")
    ... def a_constant(x):
    ...     return 0.5
    """

    def of(self, *functions: str) -> Callable[[Function], Function]:
        """Register the decorated function as a shortcut around writing a function.

        With several names it is called, takes nothing, and returns as many functions, which work
        together. The exercise of the first name is the one whose points it is after.
        """

        def add(shortcut: Function) -> Function:
            self._add_members(functions, shortcut)
            return shortcut

        return add


def load_variants(source: str, name: str) -> Variants | None:
    """Run the source of a file of variants and return its registry, None where it has none.

    Raises
    ------
    ExamError
        If it fails, with the line of the file.
    """
    namespace: dict[str, Any] = {"__name__": name}
    try:
        exec(compile(source, f"<{name}>", "exec"), namespace)
    except Exception as error:
        raise ExamError(f"the known answers fail at {describe_failure(error)}") from error
    for value in namespace.values():
        if isinstance(value, Variants):
            return value
    return None
