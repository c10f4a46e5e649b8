"""Predictions typed into a notebook before a result is seen, and put beside it when it comes.

A cell asks, and keeps what is typed in the place of the dots; a later one compares::

    predictions["loss of the two examples"] = ...

    predictions.compare("loss of the two examples", loss)

Nothing here raises, and nothing is graded: a wrong guess is worth more than none, and no guess is no error either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

EMPTY = "{name}: {came} (no guess was typed)."
SAME = "{name}: {came}, as you predicted."
NEAR = "{name}: {came}, and you predicted {guess}: close."
FACTOR = "{name}: {came}, and you predicted {guess}, {factor:.0f} times as much. Where does the factor come from?"
PART = "{name}: {came}, {factor:.0f} times the {guess} that you predicted. Where does the factor come from?"
SIGN = "{name}: {came}, and you predicted {guess}. The size is right; what decides the sign?"
OTHER = "{name}: {came}, and you predicted {guess}. What made you expect that? There is something to find here."
CLOSE = 0.1  # of the number that came: who guesses in the head should not have to guess digits
LONGEST = 60  # characters of a guess that are shown
ARTICLES = {"a", "an", "the"}


@dataclass(frozen=True)
class Comparison:
    """A result, the guess that was typed for it, and whether it holds; None where nothing was
    typed.
    """

    name: str
    came: str
    guess: str
    holds: bool | None


class Predictions:
    """The predictions of one notebook: assign to a name, compare under the same name, review at the
    end.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self._guesses: dict[str, object] = {}
        self._comparisons: dict[str, Comparison] = {}

    def __setitem__(self, name: str, guess: object) -> None:
        """Keep a guess; dots, None and an empty text are none."""
        self._guesses[name] = guess

    def compare(self, name: str, came: object) -> None:
        """Print what came beside what was predicted under this name.

        Parameters
        ----------
        name
            The name under which the prediction was assigned.
        came
            The result: a number, a word, or a tuple of numbers such as a shape. Words are compared
            without regard to capitals and articles, numbers to a tenth, tuples of whole numbers
            exactly.
        """
        guess = self._guesses.get(name, ...)
        holds, sentence = _judge(guess, came)
        shown = Comparison(name, _write(came), "" if holds is None else _write(guess), holds)
        self._comparisons[name] = shown
        factor = _find_factor(guess, came) or 0.0
        print(
            sentence.format(
                name=name, came=shown.came, guess=shown.guess, factor=max(factor, 1 / (factor or 1))
            )
        )

    def review(self) -> None:
        """Print all that was compared in one table, with a word for whoever predicted something."""
        rows = [("", "you predicted", "it came out as")]
        typed = 0
        hits = 0
        for each in self._comparisons.values():
            rows.append((each.name, each.guess or "–", each.came))
            typed += each.holds is not None
            hits += each.holds is True
        first = max(len(name) for name, _, _ in rows)
        second = max(len(guess) for _, guess, _ in rows)
        for name, guess, came in rows:
            print(f"{name:{first}}  {guess:{second}}  {came}")
        if typed:
            print(
                f"{hits} of {typed} came as predicted. The others are where you learned something."
            )
        else:
            print(
                "No guess was typed. The dots in the cells above wait for yours, on a second reading."
            )


def _judge(guess: object, came: object) -> tuple[bool | None, str]:
    """Whether the guess holds, None for no guess, and the sentence that says it."""
    if guess is None or guess is ... or (isinstance(guess, str) and not guess.strip()):
        return None, EMPTY
    if isinstance(came, str):
        return (True, SAME) if _words(guess) == _words(came) else (False, OTHER)
    guessed = _numbers(guess)
    result = _numbers(came)
    if guessed is None or result is None or guessed.shape != result.shape:
        return False, OTHER
    if np.array_equal(guessed, result) or _write(guess) == _write(came):
        return True, SAME
    # A shape is right or wrong: nobody is close to three axes.
    if result.ndim and np.array_equal(result, np.round(result)):
        return False, OTHER
    if np.allclose(guessed, result, rtol=CLOSE, atol=0):
        return True, NEAR
    if np.allclose(guessed, -result, rtol=CLOSE, atol=0):
        return False, SIGN
    factor = _find_factor(guess, came)
    if factor is None:
        return False, OTHER
    return False, FACTOR if factor > 1 else PART


def _find_factor(guess: object, came: object) -> float | None:
    """By which of the usual factors a guessed number is too large (or, below 1, too small); None
    for no such factor.
    """
    guessed = _numbers(guess)
    result = _numbers(came)
    if (
        guessed is None
        or result is None
        or guessed.ndim
        or result.ndim
        or not guessed
        or not result
    ):
        return None
    ratio = float(guessed / result)
    for factor in (2.0, 3.0, 4.0, 10.0):
        for candidate in (factor, 1 / factor):
            if np.isclose(ratio, candidate, rtol=0.02):
                return candidate
    return None


def _numbers(value: Any) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    """A number, or nested lists of them, as an array; None for anything else, however odd."""
    if isinstance(value, str):
        value = value.strip().replace(",", ".")
    try:
        return np.asarray(value, dtype=float)
    except Exception:  # whatever was typed: it is no number
        return None


def _words(value: object) -> list[str]:
    """The words of a text without capitals, articles and punctuation."""
    words = re.findall(r"\w+", _write(value).lower())
    return [word for word in words if word not in ARTICLES]


def _write(value: Any) -> str:
    """A value as a reader writes it: four digits of a number, the words of a text, a short form of
    all else.
    """
    numbers = None if isinstance(value, str) else _numbers(value)
    if numbers is not None and numbers.ndim == 0:
        return f"{numbers:.4g}" if abs(numbers) < 10_000 else f"{numbers:,.0f}"
    if numbers is not None and numbers.ndim == 1 and len(numbers) < 10:
        inside = ", ".join(f"{number:.4g}" for number in numbers)
        return f"({inside},)" if len(numbers) == 1 else f"({inside})"
    try:
        text = " ".join(str(value).split())
    except Exception:  # an object that cannot even be written
        text = f"a {type(value).__name__}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
