"""Every formula and gradient of the homework against an independent truth: differences, SciPy, scikit-learn, hand."""

from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from repetitions import first_now
from scipy.optimize import approx_fprime
from scipy.spatial.distance import cdist
from scipy.special import expit
from scipy.special import softmax as scipy_softmax
from sklearn.datasets import load_diabetes, load_digits, load_linnerud
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.preprocessing import StandardScaler

from autograder.course.exam import read_exam
from autograder.reference import run_reference

SOLUTIONS = Path(__file__).parents[2] / "solutions"


@cache
def homework(name: Any) -> Any:
    return SimpleNamespace(**run_reference(read_exam(SOLUTIONS / name / f"{name}.ipynb")))


@pytest.fixture
def hw01() -> Any:
    return homework("hw01_numpy")


@pytest.fixture
def hw02() -> Any:
    return homework("hw02_linear_regression")


@pytest.fixture
def hw03() -> Any:
    return homework("hw03_neural_networks")


@pytest.fixture
def hw04() -> Any:
    return homework("hw04_optimizers")


@pytest.fixture
def draw() -> Any:
    return np.random.default_rng(20)


def slope(loss: Any, at: Any) -> Any:
    """The gradient of `loss(array)` by SciPy's forward differences, in the shape of the array."""
    return approx_fprime(at.ravel(), lambda flat: loss(flat.reshape(at.shape)), 1e-7).reshape(
        at.shape
    )


def digits(seed: int = 1) -> Any:
    data = load_digits()
    order = np.random.default_rng(seed).permutation(len(data.target))
    return data.data[order] / 16, data.target[order]


# --- homework 1 ----------------------------------------------------------------------------------------------------


def test_pauli_matrices_obey_their_algebra(hw01: Any) -> None:
    X, Y, Z = (np.array(sigma) for sigma in hw01.graded_generate_pauli())
    assert np.allclose(hw01.graded_commutator(X, Y), 2j * Z)
    assert np.allclose(hw01.graded_commutator(Y, Z), 2j * X)
    assert np.allclose(hw01.graded_commutator(Z, X), 2j * Y)
    for coordinate, sigma in zip("xyz", (X, Y, Z), strict=True):
        det, square, trace = hw01.graded_pauli_check(coordinate)
        values = np.linalg.eigvalsh(sigma)
        assert np.isclose(det, values.prod()) and np.isclose(trace, values.sum())
        assert np.allclose(square, np.einsum("ik,kj->ij", sigma, sigma))


def test_worked_case_of_the_pauli_check() -> None:
    A = np.array([[2, 1], [1, 3]])
    assert np.isclose(np.linalg.det(A), 5) and np.trace(A) == 5
    assert np.array_equal(A @ A, [[5, 5], [5, 10]])


def test_standardised_columns_are_those_of_scikit_learn(hw01: Any) -> None:
    pixels = load_digits().data
    assert (
        np.count_nonzero(pixels.std(axis=0) == 0) == 3
    )  # the three pixels that are 0 in every picture
    assert np.allclose(hw01.graded_standardise(pixels), StandardScaler().fit_transform(pixels))


def test_a_constant_column_of_decimals_has_no_deviation_but_that_of_rounding(hw01: Any) -> None:
    X = np.array([[0.1, 3.0], [0.1, 5.0], [0.1, 1.0]])
    deviation = X.std(axis=0)[0]
    assert f"{deviation:.1e}" == "1.4e-17"
    assert np.allclose((X[:, 0] - X[:, 0].mean()) / deviation, -1)
    assert np.allclose(hw01.graded_standardise(X), StandardScaler().fit_transform(X))


def test_distances_are_those_of_scipy(hw01: Any, draw: Any) -> None:
    A, B = draw.normal(size=(7, 3)), draw.normal(size=(5, 3)) + 100
    assert np.allclose(hw01.graded_pairwise_distances(A, B), cdist(A, B))


def test_most_digits_lie_closest_to_their_own_kind(hw01: Any) -> None:
    pixels, labels = load_digits(return_X_y=True)
    scaled = hw01.graded_standardise(pixels)
    D = hw01.graded_pairwise_distances(scaled[600:900], scaled[:600])
    assert np.mean(labels[np.argmin(D, axis=1)] == labels[600:900]) > 0.9
    means = [
        [D[labels[600:900] == i][:, labels[:600] == k].mean() for k in range(10)] for i in range(10)
    ]
    closest = np.argmin(means, axis=1)
    assert (
        closest[1] == 8 and np.sum(closest == np.arange(10)) >= 8
    )  # as the text below the picture says


# --- homework 2 ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("M", "N", "K"), [(5, 3, 2), (6, 4, 1), (1, 2, 3)])
def test_linear_regression_loss_and_gradients(hw02: Any, draw: Any, M: int, N: int, K: int) -> None:
    W, b, X, Y = (draw.normal(size=shape) for shape in ((K, N), (K, 1), (M, N), (M, K)))
    Z = hw02.linreg_model(W, b, X)
    assert np.allclose(Z, [[W[k] @ x + b[k, 0] for k in range(K)] for x in X])
    assert np.isclose(hw02.linreg_loss(Z, Y), K * mean_squared_error(Y, Z) / 2)
    assert np.isclose(hw02.linreg_rmse(Z, Y), mean_squared_error(Y, Z) ** 0.5)
    dLdW, dLdb = hw02.linreg_gradients(Z, X, Y)
    assert np.allclose(
        dLdW, slope(lambda V: hw02.linreg_loss(hw02.linreg_model(V, b, X), Y), W), atol=1e-5
    )
    assert np.allclose(
        dLdb, slope(lambda c: hw02.linreg_loss(hw02.linreg_model(W, c, X), Y), b), atol=1e-5
    )
    for h in (1e-5, 0.1):  # central differences of a parabola have no error but rounding
        numeric = hw02.linreg_numeric_gradients(W, b, X, Y, h)
        assert np.allclose(numeric[0], dLdW, atol=1e-8) and np.allclose(numeric[1], dLdb, atol=1e-8)


def diabetes() -> Any:
    data = load_diabetes(scaled=False)
    return StandardScaler().fit_transform(data.data), data.target.reshape(-1, 1)


@pytest.mark.parametrize(
    "data", [diabetes(), load_linnerud(return_X_y=True)], ids=["diabetes", "linnerud"]
)
def test_closed_form_is_that_of_scikit_learn(hw02: Any, data: Any) -> None:
    W, b = hw02.linreg_closed_form(*data)
    expected = LinearRegression().fit(*data)
    assert np.allclose(W, expected.coef_) and np.allclose(b.ravel(), expected.intercept_)


def test_gradient_descent_reaches_the_closed_form(hw02: Any) -> None:
    X, Y = diabetes()
    best = hw02.linreg_loss(LinearRegression().fit(X, Y).predict(X), Y)
    W, b, losses = hw02.linreg_fit(X, Y)
    assert (
        len(losses) == 1000 and best < hw02.linreg_loss(hw02.linreg_model(W, b, X), Y) < 1.01 * best
    )


def test_learning_rates_of_the_text_lie_on_both_sides_of_the_limit(hw02: Any) -> None:
    X, Y = diabetes()
    assert 0.48 < 2 / np.linalg.eigvalsh(X.T @ X / len(X)).max() < 0.5
    assert hw02.linreg_fit(X, Y, 300, 0.48)[2][-1] < hw02.linreg_fit(X, Y, 300, 0.1)[2][10]
    diverging = hw02.linreg_fit(X, Y, 300, 0.5)[2]
    assert diverging[-1] > 10 * diverging[0]


# --- homework 3 ----------------------------------------------------------------------------------------------------


def test_one_hot_rows_pick_rows(hw03: Any) -> None:
    y = np.array([3, 0, 3, 1])
    assert np.array_equal(hw03.one_hot(y) @ np.arange(4), y)
    assert hw03.one_hot(y, 6).shape == (4, 6) and np.array_equal(
        hw03.one_hot(y, 6).sum(axis=1), np.ones(4)
    )


def test_sigmoid_and_softmax_are_those_of_scipy(hw03: Any, draw: Any) -> None:
    Z = np.concatenate(
        [draw.normal(size=(4, 3)), [[1000.0, -1000.0, 0.0], [-1000.0, -1001.0, -999.0]]]
    )
    assert np.allclose(hw03.activation_forward(Z), expit(Z), atol=1e-15)
    assert np.allclose(hw03.softmax(Z), scipy_softmax(Z, axis=1), atol=1e-15)


def test_crossentropy_is_that_of_scikit_learn(hw03: Any, draw: Any) -> None:
    y = np.array([0, 3, 1, 1, 2, 0])
    P = scipy_softmax(draw.normal(size=(6, 4)), axis=1)
    assert np.isclose(hw03.crossentropy(P, hw03.one_hot(y)), log_loss(y, P, labels=range(4)))
    assert np.isclose(hw03.crossentropy(np.full((5, 10), 0.1), np.eye(10)[:5]), np.log(10))


def test_half_of_the_loss_has_the_relative_error_one_third(hw03: Any, draw: Any) -> None:
    Z, Y = draw.normal(size=(5, 3)), hw03.one_hot(np.array([0, 2, 1, 1, 0]))
    gradient = hw03.losssoftmax_backward(hw03.softmax(Z), Y).T
    whole = slope(lambda at: hw03.crossentropy(hw03.softmax(at), Y), Z)
    assert np.allclose(gradient, whole, atol=1e-6)
    half = whole / 2
    error = np.linalg.norm(gradient - half) / (np.linalg.norm(gradient) + np.linalg.norm(half))
    assert np.isclose(error, 1 / 3, atol=1e-5)


def test_units_backwards(hw03: Any, draw: Any) -> None:
    W, b, a, upstream = (draw.normal(size=shape) for shape in ((3, 2), (3, 1), (2, 5), (3, 5)))
    Z, cache = hw03.linear_forward(W, b, a)
    dLda, dLdW, dLdb = hw03.linear_backward(upstream, cache)
    for gradient, at, loss in (
        (dLda, a, lambda at: np.sum(upstream * hw03.linear_forward(W, b, at)[0])),
        (dLdW, W, lambda at: np.sum(upstream * hw03.linear_forward(at, b, a)[0])),
        (dLdb, b, lambda at: np.sum(upstream * hw03.linear_forward(W, at, a)[0])),
        (hw03.activation_backward(upstream, cache), Z, lambda at: np.sum(upstream * expit(at))),
    ):
        assert gradient.shape == at.shape
        assert np.allclose(gradient, slope(loss, at), atol=1e-5)


@pytest.mark.parametrize(
    "sizes", [[4, 3], [4, 5, 3], [4, 2, 6, 5, 3]], ids=["one layer", "two", "four"]
)
def test_backpropagation(hw03: Any, draw: Any, sizes: list[int]) -> None:
    np.random.seed(0)
    parameters = hw03.initialize_weights(sizes)
    X, Y = draw.normal(size=(7, 4)), hw03.one_hot(np.array([0, 1, 1, 0, 1, 0, 0]), 3)
    a = X  # the network once more, with examples in rows
    for layer in range(1, len(sizes)):
        z = a @ parameters[f"W{layer}"].T + parameters[f"b{layer}"].T
        a = expit(z)
    P, caches = hw03.nn_forward(parameters, X)
    assert np.allclose(P, scipy_softmax(z, axis=1))
    gradients = hw03.nn_backward(X, Y, P, caches)
    assert gradients.keys() == {f"dLd{name}" for name in parameters}
    for name, value in parameters.items():
        numeric = slope(
            lambda at, n=name: hw03.crossentropy(hw03.nn_forward(parameters | {n: at}, X)[0], Y),
            value,
        )
        assert np.allclose(gradients[f"dLd{name}"], numeric, atol=1e-6)


def test_weights_keep_the_size_of_the_signal(hw03: Any, draw: Any) -> None:
    np.random.seed(1)
    parameters = hw03.initialize_weights([300, 300, 300, 300])
    signal = draw.normal(size=(300, 50))
    for layer in (1, 2, 3):
        signal = parameters[f"W{layer}"] @ signal
        assert 0.8 < signal.std() < 1.2


# The oldest scikit-learn that is allowed calls a newer SciPy as one did in its time.
@pytest.mark.filterwarnings("ignore:scipy.optimize. The `disp` and `iprint` options")
def test_one_layer_learns_what_logistic_regression_learns(hw03: Any, draw: Any) -> None:
    X = draw.normal(size=(60, 3))
    y = np.argmax(X @ draw.normal(size=(3, 3)) + draw.gumbel(size=(60, 3)), axis=1)
    _, losses = hw03.nn_train_gd(X, hw03.one_hot(y), [3, 3], n_iter=3000, lr=1.0)
    best = log_loss(y, LogisticRegression(C=np.inf, max_iter=1000).fit(X, y).predict_proba(X))
    assert np.isclose(losses[-1], best, rtol=1e-4)


def test_digits_are_read_with_the_settings_of_the_notebook(hw03: Any) -> None:
    X, y = digits()
    np.random.seed(0)
    parameters, _ = hw03.nn_train_sgd(
        X[360:], hw03.one_hot(y[360:]), [64, 32, 10], batch_size=32, epochs=50, lr=0.5
    )
    accuracy = np.mean(np.argmax(hw03.nn_forward(parameters, X[:360])[0], axis=1) == y[:360])
    assert accuracy >= 0.95


def test_with_the_default_learning_rate_fifty_steps_hardly_leave_guessing(hw03: Any) -> None:
    X, y = digits(seed=0)  # the seeds of the notebook
    X_train, Y_train = X[360:], hw03.one_hot(y[360:])
    assert -(-len(X_train) // 32) == 45
    np.random.seed(5)
    by_steps, losses = hw03.nn_train_gd(X_train, Y_train, [64, 32, 10], n_iter=50)
    np.random.seed(5)
    by_batches, _ = hw03.nn_train_sgd(X_train, Y_train, [64, 32, 10], batch_size=32, epochs=50)
    guessing, somewhere = (
        np.mean(np.argmax(hw03.nn_forward(found, X[:360])[0], axis=1) == y[:360])
        for found in (by_steps, by_batches)
    )
    assert guessing < 0.15 and losses[-1] > np.log(10)
    assert 0.6 < somewhere < 0.85


# --- homework 4 ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.98])
def test_averages_are_those_of_a_linear_filter(hw04: Any, draw: Any, beta: float) -> None:
    x = draw.normal(size=(30, 2, 3))
    V = hw04.ewa(x, beta)
    # It brings all of scipy's statistics: not for every process that collects tests.
    from scipy.signal import lfilter

    assert np.allclose(V, lfilter([1 - beta], [1, -beta], x, axis=0))
    lags = np.arange(30)
    weights = [np.sum((1 - beta) * beta ** lags[: t + 1]) for t in range(30)]
    assert np.allclose(hw04.bias_corrected(V, beta), V / np.reshape(weights, (30, 1, 1)))


def test_weights_of_an_average_fall_to_about_a_third_within_its_memory() -> None:
    for beta in (0.9, 0.98, 0.999):
        assert beta ** (1 / (1 - beta)) == pytest.approx(np.exp(-1), rel=0.06)


def test_momentum_and_the_other_convention_take_the_same_path(hw04: Any, draw: Any) -> None:
    w, V, other, velocity = np.ones(4), np.zeros(4), np.ones(4), np.zeros(4)
    for gradient in draw.normal(size=(6, 4)):
        w, V = hw04.momentum_step(w, gradient, V, alpha=0.3, beta=0.8)
        velocity = 0.8 * velocity + gradient
        other = other - 0.3 * (1 - 0.8) * velocity
        assert np.allclose(w, other)


def test_rmsprop_from_its_sum(hw04: Any, draw: Any) -> None:
    gradients, w, S = draw.normal(size=(5, 3)), np.zeros(3), np.zeros(3)
    expected = np.zeros(3)
    for t, g in enumerate(gradients):
        w, S = hw04.rmsprop_step(w, g, S, alpha=0.1, beta=0.7, epsilon=0.01)
        squares = sum(0.3 * 0.7 ** (t - k) * gradients[k] ** 2 for k in range(t + 1))
        expected -= 0.1 * g / (np.sqrt(squares) + 0.01)
    assert np.allclose(w, expected)


def test_adam_as_libraries_write_it(hw04: Any, draw: Any) -> None:
    w, V, S = np.zeros(3), np.zeros(3), np.zeros(3)
    expected, m, v = np.zeros(3), np.zeros(3), np.zeros(3)
    for t, g in enumerate(1e-3 * draw.normal(size=(7, 3)), start=1):
        w, V, S = hw04.adam_step(w, g, V, S, t, alpha=0.1, beta1=0.8, beta2=0.95, epsilon=1e-4)
        m += (g - m) * (1 - 0.8)
        v *= 0.95
        v += (1 - 0.95) * g * g
        denominator = np.sqrt(v) / np.sqrt(1 - 0.95**t) + 1e-4
        expected -= 0.1 / (1 - 0.8**t) * m / denominator
    assert np.allclose(w, expected)


def test_first_steps_have_the_lengths_of_the_text(hw04: Any) -> None:
    g = np.array([1e-3, 1.0, -50.0])
    rmsprop = hw04.rmsprop_step(np.zeros(3), g, np.zeros(3), alpha=0.1, beta=0.9)[0]
    assert np.allclose(rmsprop, -np.sign(g) * 0.1 / np.sqrt(1 - 0.9), rtol=1e-4)
    adam = hw04.adam_step(np.zeros(3), g, np.zeros(3), np.zeros(3), 1, alpha=0.1)[0]
    assert np.allclose(adam, -np.sign(g) * 0.1, rtol=1e-4)


def heights_in_the_valley(hw04: Any, optimizer: Any, alpha: Any, steps: int = 300) -> Any:
    """How high above the bottom of the narrow valley an optimizer is after each step."""
    curvature, heights = np.array([0.1, 10.0]), []
    w, V, S = np.array([-10.0, 1.5]), np.zeros(2), np.zeros(2)
    with np.errstate(all="ignore"):  # plain descent diverges with a large rate
        for t in range(1, steps + 1):
            g = curvature * w
            if optimizer == "gd":
                w = w - alpha * g
            elif optimizer == "momentum":
                w, V = hw04.momentum_step(w, g, V, alpha=alpha)
            elif optimizer == "rmsprop":
                w, S = hw04.rmsprop_step(w, g, S, alpha=alpha)
            else:
                w, V, S = hw04.adam_step(w, g, V, S, t, alpha=alpha)
            heights.append(0.5 * np.sum(curvature * w**2))
    return np.array(heights)


def steps_until_settled(hw04: Any, optimizer: Any, alpha: Any) -> Any:
    """The step from which on the height stays below 0.01, infinity where there is none."""
    low = heights_in_the_valley(hw04, optimizer, alpha) < 1e-2
    if not low[-1]:
        return np.inf
    return np.flatnonzero(~low)[-1] + 2


@pytest.mark.parametrize("count", [25, 40, 64])
def test_at_their_best_momentum_and_adam_settle_in_less_than_half_of_the_steps_of_plain_descent(
    hw04: Any, count: int
) -> None:
    alphas = np.geomspace(0.02, 5, count)
    best = {
        name: min(steps_until_settled(hw04, name, alpha) for alpha in alphas)
        for name in ("gd", "momentum", "adam")
    }
    assert max(best["momentum"], best["adam"]) < best["gd"] / 2 < np.inf


def test_momentum_and_adam_settle_over_a_wide_range_of_rates_and_plain_descent_does_not(
    hw04: Any,
) -> None:
    alphas = np.geomspace(0.15, 3.5, 24)
    assert (
        max(
            steps_until_settled(hw04, name, alpha)
            for alpha in alphas
            for name in ("momentum", "adam")
        )
        < 300
    )
    assert all(steps_until_settled(hw04, "gd", alpha) == np.inf for alpha in alphas if alpha > 0.2)


def test_rmsprop_settles_with_small_rates_only_and_crosses_the_bottom_early_with_larger_ones(
    hw04: Any,
) -> None:
    assert all(
        steps_until_settled(hw04, "rmsprop", alpha) == np.inf for alpha in np.geomspace(0.1, 5, 24)
    )
    assert all(
        steps_until_settled(hw04, "rmsprop", alpha) < 250 for alpha in np.geomspace(0.047, 0.08, 8)
    )
    for alpha in np.geomspace(0.1, 0.35, 8):
        assert np.argmax(heights_in_the_valley(hw04, "rmsprop", alpha) < 1e-2) < 120


SWEEP = {
    "gd": (0.5, 2.0, 4.0),
    "momentum": (0.5, 2.0, 8.0),
    "rmsprop": (0.003, 0.01, 0.03),
    "adam": (0.003, 0.01, 0.03),
}


@pytest.mark.parametrize("seed", first_now(3, 4, 5))
def test_on_the_digits_the_rate_makes_more_than_the_rule(hw04: Any, seed: int) -> None:
    losses = {name: [] for name in SWEEP}
    for name, alphas in SWEEP.items():
        for alpha in alphas:
            np.random.seed(seed)
            Y = np.eye(10)[hw04.y_train]
            losses[name].append(
                hw04.train_network(hw04.X_train, Y, [64, 32, 10], name, alpha, epochs=5)[1][-1]
            )
    best = {name: min(values) for name, values in losses.items()}
    assert max(best.values()) < 0.2 and min(best, key=best.get) == "momentum"
    between_rules = max(best.values()) / min(best.values())
    assert all(max(values) / min(values) > between_rules for values in losses.values())


def test_gradients_of_the_given_network(hw04: Any, draw: Any) -> None:
    np.random.seed(2)
    parameters = hw04.initial_parameters([4, 5, 2, 3])
    X, Y = draw.normal(size=(6, 4)), np.eye(3)[[0, 2, 1, 1, 0, 2]]
    _, gradients = hw04.loss_and_gradients(parameters, X, Y)
    for name, value in parameters.items():
        numeric = slope(
            lambda at, n=name: hw04.loss_and_gradients(parameters | {n: at}, X, Y)[0], value
        )
        assert np.allclose(gradients[name], numeric, atol=1e-6)


@pytest.mark.parametrize(
    ("optimizer", "alpha"), [("gd", 0.5), ("momentum", 0.5), ("rmsprop", 0.01), ("adam", 0.01)]
)
def test_every_optimizer_reads_digits(hw04: Any, optimizer: str, alpha: float) -> None:
    X, y = digits()
    np.random.seed(0)
    parameters, losses = hw04.train_network(
        X[360:], np.eye(10)[y[360:]], [64, 32, 10], optimizer, alpha, epochs=15
    )
    P, _ = hw04.probabilities(parameters, X[:360])
    assert losses[-1] < 0.25 and np.mean(np.argmax(P, axis=1) == y[:360]) >= 0.93
