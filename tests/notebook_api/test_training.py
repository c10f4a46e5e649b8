"""Training followed step by step, against loops written out here and against what is known in closed form."""

import itertools
from typing import Any

import numpy as np
import pytest

from autograder.training import (
    arrays,
    cuts,
    find_batches,
    find_batches_back,
    follow,
    is_recorded,
    moved,
    plain_steps,
    records,
    same,
    same_movement,
    sizes_of,
    walk_back,
)


def squares(parameters: Any, X: Any, Y: Any) -> Any:
    """Half the mean squared error of a linear model, and its gradients."""
    misses = X @ parameters["W"].T + parameters["b"].T - Y
    gradients = {"W": misses.T @ X / len(X), "b": misses.mean(axis=0)[:, None]}
    return 0.5 * np.sum(misses**2) / len(X), gradients


@pytest.fixture
def draw() -> Any:
    return np.random.default_rng(4)


def problem(draw: Any, M: Any, N: int = 3, K: int = 2) -> Any:
    start = {"W": draw.normal(size=(K, N)), "b": draw.normal(size=(K, 1))}
    return start, draw.normal(size=(M, N)), draw.normal(size=(M, K))


def loop(start: Any, X: Any, Y: Any, rate: Any, orders: Any, batch_size: Any) -> Any:
    """Mini-batches written out: the parameters at the end, and the mean loss of every epoch."""
    W, b, losses = start["W"].copy(), start["b"].copy(), []
    for order in orders:
        epoch = []
        for k in range(0, len(order), batch_size):
            x, y = X[order[k : k + batch_size]], Y[order[k : k + batch_size]]
            misses = x @ W.T + b.T - y
            epoch.append(0.5 * np.sum(misses**2) / len(x))
            W, b = W - rate * misses.T @ x / len(x), b - rate * misses.T.mean(axis=1, keepdims=True)
        losses.append(np.mean(epoch))
    return {"W": W, "b": b}, losses


@pytest.mark.parametrize(
    ("M", "batch_size", "sizes", "count"),
    [
        (6, 3, (3, 3), 20),
        (4, 3, (3, 1), 8),
        (5, 2, (2, 2, 1), 90),
        (3, 1, (1, 1, 1), 6),
        (2, 9, (2,), 1),
    ],
)
def test_every_way_to_cut_is_found_once(
    M: int, batch_size: int, sizes: tuple[Any, ...], count: int
) -> None:
    assert sizes_of(M, batch_size) == sizes
    ways = list(cuts(M, sizes))
    assert len(ways) == len(set(ways)) == count
    assert all(sorted(itertools.chain(*way)) == list(range(M)) for way in ways)


def test_sizes_that_do_not_add_up_leave_examples_out() -> None:
    assert sorted(cuts(3, (2,))) == [((0, 1),), ((0, 2),), ((1, 2),)]


def test_steps_without_a_bias_to_move_leave_it_alone(draw: Any) -> None:
    start, X, Y = problem(draw, 5)
    path = follow(start, plain_steps(squares, 0.3, moving=["W"]), X, Y, [None] * 3)
    assert moved(path.end, path.start) == ["W"]
    assert len(path.states) == 4


def test_full_steps_lead_where_the_eigenvalues_say(draw: Any) -> None:
    start, X, _ = problem(draw, 6)
    A = np.hstack([X, np.ones((6, 1))])
    steps = follow(start, plain_steps(squares, 0.1), X, np.zeros((6, 2)), [None] * 7)
    matrix = np.linalg.matrix_power(np.eye(4) - 0.1 * A.T @ A / 6, 7)
    expected = np.hstack([start["W"], start["b"]]) @ matrix
    assert np.allclose(np.hstack([steps.end["W"], steps.end["b"]]), expected)


@pytest.mark.parametrize(
    ("M", "batch_size", "epochs"), [(6, 3, 1), (7, 3, 1), (4, 3, 2), (3, 1, 2), (5, 64, 3)]
)
def test_the_batches_of_a_loop_are_found(draw: Any, M: int, batch_size: int, epochs: int) -> None:
    start, X, Y = problem(draw, M)
    orders = [list(draw.permutation(M)) for _ in range(epochs)]
    end, losses = loop(start, X, Y, 0.4, orders, batch_size)
    path = find_batches(start, end, plain_steps(squares, 0.4), X, Y, batch_size, epochs)
    used = [
        tuple(sorted(order[k : k + batch_size]))
        for order in orders
        for k in range(0, M, batch_size)
    ]
    assert list(path.batches) == used
    assert same_movement(path.end, end, start)
    assert is_recorded(losses, records(path, squares, X, Y))


def test_a_small_batch_may_come_first(draw: Any) -> None:
    start, X, Y = problem(draw, 5)
    end = follow(start, plain_steps(squares, 0.4), X, Y, [(3,), (0, 4), (1, 2)]).end
    assert find_batches(start, end, plain_steps(squares, 0.4), X, Y, 2).batches == (
        (3,),
        (0, 4),
        (1, 2),
    )


def test_the_search_ends_where_no_way_can_come_closer(draw: Any) -> None:
    start, X, Y = problem(draw, 5)
    right = plain_steps(squares, 0.4)
    steps = []

    def counted(*step: Any) -> Any:
        steps.append(step)
        return right(*step)

    end = follow(start, right, X, Y, [(0,), (1,), (2,), (3,), (4,)]).end
    assert find_batches(start, end, counted, X, Y, 1).end is not end
    assert len(steps) == 5


@pytest.mark.parametrize(
    "batches",
    [[None, None], [(0, 1, 2)], [(0, 1, 2), (3, 4, 0)], [(0, 1, 2), (3, 4, 5), (0, 1, 2)]],
    ids=["all in every step", "one batch", "overlap", "one too many"],
)
def test_no_batches_are_found_where_the_loop_is_wrong(draw: Any, batches: list[Any]) -> None:
    start, X, Y = problem(draw, 6)
    end = follow(start, plain_steps(squares, 0.4), X, Y, batches).end
    assert find_batches(start, end, plain_steps(squares, 0.4), X, Y, 3) is None


def test_an_end_that_is_nan_is_reached_by_nobody(draw: Any) -> None:
    start, X, Y = problem(draw, 3)
    end = {"W": np.full((2, 3), np.nan), "b": start["b"]}
    assert find_batches(start, end, plain_steps(squares, 0.4), X, Y, 1) is None
    assert not same_movement(end, start, start)


def test_memory_is_handed_on(draw: Any) -> None:
    start, X, Y = problem(draw, 3)

    def momentum(parameters: Any, memory: Any, x: Any, y: Any) -> Any:
        gradients = squares(parameters, x, y)[1]
        old = memory or {name: 0.0 for name in parameters}
        V = {name: 0.9 * old[name] + 0.1 * gradients[name] for name in parameters}
        return {name: value - 0.5 * V[name] for name, value in parameters.items()}, V

    V, w, rows = {"W": 0.0, "b": 0.0}, dict(start), (2, 0, 1, 1, 2, 0)
    for row in rows:
        gradients = squares(w, X[[row]], Y[[row]])[1]
        V = {name: 0.9 * V[name] + 0.1 * gradients[name] for name in w}
        w = {name: w[name] - 0.5 * V[name] for name in w}
    path = find_batches(start, w, momentum, X, Y, 1, epochs=2)
    assert path.batches == tuple((row,) for row in rows)


def test_steps_are_undone(draw: Any) -> None:
    start, X, Y = problem(draw, 6)
    batches = [(0, 1, 2, 3), (4, 5), None]
    end = follow(start, plain_steps(squares, 0.2), X, Y, batches).end
    assert np.allclose(
        walk_back(end, squares, X, Y, 0.2, batches).start["b"], start["b"], atol=1e-9
    )


def test_a_start_is_found_by_what_is_known_of_it(draw: Any) -> None:
    start, X, Y = problem(draw, 4)
    start["b"] = np.zeros((2, 1))
    end, _ = loop(start, X, Y, 0.05, [[3, 1, 0, 2], [0, 2, 3, 1]], 2)

    def biases_are_zero(parameters: Any) -> Any:
        return np.allclose(parameters["b"], 0, atol=1e-6)

    path = find_batches_back(end, biases_are_zero, squares, 0.05, X, Y, 2, epochs=2)
    assert path.batches == ((1, 3), (0, 2), (0, 2), (1, 3))
    assert np.allclose(path.start["W"], start["W"])
    elsewhere = {name: value + 0.1 for name, value in end.items()}
    assert find_batches_back(elsewhere, biases_are_zero, squares, 0.05, X, Y, 2) is None


def test_steps_too_large_to_be_undone_are_not(draw: Any) -> None:
    start, X, Y = problem(draw, 5)
    assert walk_back(start, squares, X, Y, 50.0, [None]) is None


def test_losses_that_are_not_of_the_path_are_not_recorded(draw: Any) -> None:
    start, X, Y = problem(draw, 6)
    path = follow(start, plain_steps(squares, 0.3), X, Y, [(0, 1, 2), (3, 4, 5)] * 3, epochs=3)
    right = records(path, squares, X, Y)
    last_batches = [squares(path.states[k], X[3:], Y[3:])[0] for k in (1, 3, 5)]
    for wrong in (
        last_batches,
        [squares(start, X, Y)[0]] * 3,
        np.linspace(2, 1, 3),
        [],
        0.5,
        [np.nan] * 3,
    ):
        assert not is_recorded(wrong, right)
    assert is_recorded([squares(path.states[k], X, Y)[0] for k in (2, 4, 6)], right)
    assert is_recorded([squares(path.states[k], X, Y)[0] for k in (0, 2, 4, 6)], right)


def test_parameters_are_copied_as_floats() -> None:
    given = {"W": [[1, 2]], "b": [[3]], "note": "mine"}
    copied = arrays(given, ["W", "b"])
    copied["W"][0, 0] = 9
    assert given["W"] == [[1, 2]] and copied["b"].dtype == float and type(copied["W"]) is np.ndarray
    assert same(arrays(given, ["b"]), {"b": np.array([[3.0]])})
