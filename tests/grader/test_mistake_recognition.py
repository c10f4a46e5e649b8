"""Known mistakes recognised in recorded calls: random numbers, changed arguments, caches of another layout."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograder.grader.call_replays import Replays
from autograder.grader.mistake_recognition import recognise_mistake
from autograder.kernel.proxies import Call, Handle
from autograder.mistakes import Mistakes

X = np.array([[1.0, 2.0], [3.0, 5.0], [7.0, 11.0]])


def call_of(function: Any, *args: Any, name: str = "", seed: int = 1) -> Call:
    """The record of a call, made as the proxy makes it."""
    before = [np.copy(value) if isinstance(value, np.ndarray) else value for value in args]
    np.random.seed(seed)
    random.seed(seed)
    states = np.random.get_state(), random.getstate()
    result = function(*args)
    return Call(
        name or function.__name__, tuple(before), {}, result, args_after=args, random_states=states
    )


# --------------------------------------------------------------------------------------------- random numbers, changes


def draw(n: Any) -> Any:
    return np.random.randn(n) / np.sqrt(n)


def centre(x: Any) -> Any:
    return x - x.mean()


reference = {"draw": draw, "centre": centre}
mistakes = Mistakes("hw")


@mistakes.of("draw", hint="Divide by √n.")
def not_scaled(n: Any) -> Any:
    return np.random.randn(n)


@mistakes.of("draw", hint="The same numbers every time.")
def seeded(n: Any) -> Any:
    np.random.seed(5)
    return np.random.randn(n) / np.sqrt(n)


@mistakes.of("draw", hint="Python's numbers.")
def of_python(n: Any) -> Any:
    return np.array([random.gauss(0, 1) for _ in range(n)])


@mistakes.of("centre", hint="Work on a copy.")
def in_place(x: Any) -> Any:
    x -= x.mean()
    return x


@mistakes.of("centre", hint="Subtract.")
def added(x: Any) -> Any:
    return x + x.mean()


@pytest.mark.parametrize("mistake", list(mistakes), ids=lambda mistake: mistake.name)
def test_every_mistake_is_recognised_by_what_it_does(mistake: Any) -> None:
    given = (3, 4) if mistake.of == "draw" else (X.copy(), X[:1].copy())
    calls = [call_of(mistake.function, value, name=mistake.of) for value in given]
    found = recognise_mistake(Replays(calls, reference), mistakes)
    assert found is not None
    assert found.mistake.name == mistake.name


@pytest.mark.parametrize("function", [draw, centre])
def test_a_right_answer_is_no_mistake(function: Callable[..., Any]) -> None:
    given = 3 if function is draw else X.copy()
    assert recognise_mistake(Replays([call_of(function, given)], reference), mistakes) is None


def test_a_wrong_answer_that_also_changes_its_argument_is_not_the_one_that_does_not() -> None:
    def added_in_place(x: Any) -> Any:
        x += x.mean()
        return x

    assert (
        recognise_mistake(
            Replays([call_of(added_in_place, X.copy(), name="centre")], reference), mistakes
        )
        is None
    )


def test_recognising_leaves_the_random_states_alone() -> None:
    calls = [call_of(not_scaled, 3, name="draw")]
    np.random.seed(9)
    random.seed(9)
    recognise_mistake(Replays(calls, reference), mistakes)
    assert (np.random.rand(), random.random()) == (
        np.random.RandomState(9).rand(),
        random.Random(9).random(),
    )


def test_only_mistakes_of_the_functions_asked_for_count() -> None:
    calls = [call_of(added, X, name="centre")]
    assert recognise_mistake(Replays(calls, reference), mistakes, ["draw"]) is None


def test_replaying_gives_up_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.grader.mistake_recognition.CPU_SECONDS", -1.0)
    assert (
        recognise_mistake(Replays([call_of(added, X, name="centre")], reference), mistakes) is None
    )


# -------------------------------------------------------------------------------------------- caches of another layout


def forward(W: Any, x: Any) -> Any:
    return x @ W, (W, x)


def backward(d: Any, cache: Any) -> Any:
    W, x = cache
    return d @ W.T, x.T @ d


units = {"forward": forward, "backward": backward}
of_units = Mistakes("units")


@of_units.of("forward", hint="Not transposed.")
def transposed(W: Any, x: Any) -> Any:
    return x @ W.T, (W, x)


@of_units.of("backward", hint="The sign.")
def uphill(d: Any, cache: Any) -> Any:
    return tuple(-gradient for gradient in backward(d, cache))


W = np.array([[1.0, 2.0], [-1.0, 0.5]])


class Packed(Handle):
    """A student's object, as far as these tests need one."""

    def __init__(self) -> None:
        pass

    def __len__(self) -> None:
        raise AssertionError("a student's object was asked")

    __getitem__ = __iter__ = __len__  # type: ignore[assignment]


@pytest.mark.parametrize(
    "pack",
    [
        lambda W, x: {"W": W, "x": x},
        lambda W, x: (x, W, "more"),
        lambda W, x: [[W], [x]],
        lambda W, x: Packed(),
    ],
    ids=["a dictionary", "another order", "nested", "an object"],
)
def test_a_mistake_is_recognised_whatever_the_layout_of_the_cache(pack: Callable[..., Any]) -> None:
    Z, cache = X @ W, pack(W, X)
    calls = [
        Call("forward", (W, X), {}, (Z, cache)),
        Call("backward", (Z, cache), {}, tuple(-gradient for gradient in backward(Z, (W, X)))),
    ]
    found = recognise_mistake(Replays(calls, units), of_units)
    assert found is not None
    assert found.mistake.name == "uphill"


def test_another_layout_alone_is_no_mistake() -> None:
    Z, cache = X @ W, {"W": W, "x": X}
    calls = [
        Call("forward", (W, X), {}, (Z, cache)),
        Call("backward", (Z, cache), {}, backward(Z, (W, X))),
    ]
    assert recognise_mistake(Replays(calls, units), of_units) is None
    assert Replays(calls, units).is_right(1)


def test_the_cache_of_a_wrong_forward_may_be_laid_out_otherwise_too() -> None:
    calls = [Call("forward", (W, X), {}, (X @ W.T, {"W": W, "x": X}))]
    found = recognise_mistake(Replays(calls, units), of_units)
    assert found is not None
    assert found.mistake.name == "transposed"


def test_an_object_that_no_call_made_says_nothing() -> None:
    calls = [Call("backward", (X, Packed()), {}, (X, X))]
    assert recognise_mistake(Replays(calls, units), of_units) is None


# ------------------------------------------------------------------------------------------------ numbers not finite


def crossentropy(P: Any, Y: Any) -> Any:
    return float(-np.sum(Y * np.log(np.clip(P, 1e-12, 1))) / len(P))


entropies = Mistakes("hw")


@entropies.of("crossentropy", hint="Sum over the classes, average over the examples.")
def averaged_over_classes(P: Any, Y: Any) -> Any:
    return float(-np.mean(Y * np.log(np.clip(P, 1e-12, 1))))


@entropies.of("crossentropy", hint="Without Y.")
def without_labels(P: Any, Y: Any) -> Any:
    return float(-np.sum(np.log(np.clip(P, 1e-12, 1))) / len(P))


def unclipped(of_logarithms: Any) -> Any:
    """The calls of an answer that does not clip: one with a probability of 0, where it gives inf or nan."""
    labels = np.eye(3)[[0, 2]]
    probabilities = [
        np.array([[0.5, 0.2, 0.3], [0.1, 0.1, 0.8]]),
        np.array([[0.0, 0.5, 0.5], [0.2, 0.2, 0.6]]),
    ]
    with np.errstate(all="ignore"):
        results = [float(of_logarithms(labels * np.log(P))) for P in probabilities]
    return [
        Call("crossentropy", (P, labels), {}, result)
        for P, result in zip(probabilities, results, strict=True)
    ]


def test_a_mistake_is_recognised_where_both_are_finite() -> None:
    found = recognise_mistake(
        Replays(unclipped(lambda logs: -np.mean(logs)), {"crossentropy": crossentropy}), entropies
    )
    assert found is not None
    assert (found.mistake.name, found.certain) == ("averaged_over_classes", True)


def test_who_is_right_where_the_numbers_are_finite_made_no_known_mistake() -> None:
    calls = unclipped(lambda logs: -np.sum(logs) / 2)
    assert recognise_mistake(Replays(calls, {"crossentropy": crossentropy}), entropies) is None
    assert recognise_mistake(Replays(calls[1:], {"crossentropy": crossentropy}), entropies) is None
