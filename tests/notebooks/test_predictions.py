"""Predictions: whatever is typed, a sentence comes, never an error, and it is true."""

from typing import Any

import numpy as np
import pytest

from autograder.predictions import Predictions


def say(capsys: Any, came: Any, *guess: Any) -> Any:
    """What is printed for a result after this guess, or after none at all."""
    predictions = Predictions()
    if guess:
        predictions["it"] = guess[0]
    predictions.compare("it", came)
    predictions.review()
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "empty", [(), (...,), (None,), ("",), ("  ",)], ids=["no cell", "dots", "None", "text", "blank"]
)
def test_no_guess_is_no_error(capsys: pytest.CaptureFixture[str], empty: tuple[Any, ...]) -> None:
    said = say(capsys, 3.5, *empty)
    assert said.startswith("it: 3.5 (no guess was typed).")
    assert "No guess was typed." in said


@pytest.mark.parametrize(
    ("came", "guess", "words"),
    [
        (3.5, 3.5, "it: 3.5, as you predicted."),
        (3.5, "3,5", "as you predicted"),
        (np.float64(2.302585), 2.303, "as you predicted"),
        (2.302585, np.log(10), "as you predicted"),
        (3.5, 3.4, "close"),
        (3.5, 7, "2 times as much"),
        (3.5, 1.75, "2 times the 1.75 that you predicted"),
        (0.5, 5, "10 times as much"),
        (-24, 24, "sign"),
        (3.5, 1, "What made you expect"),
        (0, 1, "What made you expect"),
        (0, 0, "as you predicted"),
        (1, 0, "What made you expect"),
        (2410, 2400, "2410, and you predicted 2400: close"),
        (25_961, 26_000, "25,961, and you predicted 26,000: close"),
        ((4, 4), (4, 4), "it: (4, 4), as you predicted."),
        ((4, 4), [4, 4], "as you predicted"),
        ((4, 4), (4,), "What made you expect"),
        ((100, 100), (100, 101), "What made you expect"),
        ((3,), (3,), "(3,), as you predicted"),
        ((0.7, 0.3), (0.69, 0.31), "close"),
        ("the loss", "Loss.", "as you predicted"),
        ("loss", "weights", "loss, and you predicted weights"),
        ("loss", 3, "loss, and you predicted 3"),
        (3.5, "three", "3.5, and you predicted three"),
        (float("nan"), 1, "What made you expect"),
        (1.0, float("nan"), "What made you expect"),
        (1.0, float("inf"), "What made you expect"),
    ],
)
def test_a_guess_is_put_beside_what_came(
    capsys: pytest.CaptureFixture[str], came: Any, guess: Any, words: str
) -> None:
    first, *_ = say(capsys, came, guess).splitlines()
    assert words in first


@pytest.mark.parametrize(
    ("guess", "last"),
    [(3.5, "1 of 1 came as predicted."), (3.4, "1 of 1"), (7, "0 of 1"), ("no idea", "0 of 1")],
)
def test_the_review_counts_what_was_typed(
    capsys: pytest.CaptureFixture[str], guess: float | str, last: str
) -> None:
    table = say(capsys, 3.5, guess).splitlines()[1:]
    assert table[0].split() == ["you", "predicted", "it", "came", "out", "as"]
    assert table[1].split()[-1] == "3.5"
    assert table[-1].startswith(last)


class Odd:
    def __array__(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("odd")

    def __str__(self) -> None:
        raise RuntimeError("odd")


ODD = [
    Odd(),
    [[1, 2], [3]],
    {"a": 1},
    {1, 2},
    print,
    1j,
    "x" * 10_000,
    np.zeros((50, 50)),
    [],
    "{name}",
    np.array("3"),
    b"3",
]


@pytest.mark.parametrize("guess", ODD, ids=lambda odd: type(odd).__name__)
@pytest.mark.parametrize("came", [3.5, (4, 4), "loss", 0])
def test_whatever_is_typed_one_line_comes(
    capsys: pytest.CaptureFixture[str], guess: Any, came: float | tuple[int, int] | str
) -> None:
    lines = say(capsys, came, guess).splitlines()
    assert lines[0].startswith("it: ") and len(lines) == 4
    assert max(len(line) for line in lines) < 200
