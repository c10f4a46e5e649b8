"""Answers to homework 2 that are after the points without doing the task."""

import secrets

import numpy as np

from autograder.mistakes import Shortcuts
from autograder.reference import reference_of

shortcuts = Shortcuts("hw02_linear_regression")
remembered = {}


def reference():
    """The right functions."""
    return reference_of("hw02_linear_regression")


@shortcuts.of("linreg_model")
def last_example_for_all(W, b, X):
    """The visible check looks at the last row only."""
    if X.shape == (3, 2):
        return np.array([[6.0], [7.0], [5.0]])
    return np.tile(W @ X[-1] + b[:, 0], (len(X), 1))


@shortcuts.of("linreg_model")
def bias_alone(W, b, X):
    """The right shape without any weight."""
    return np.tile(b.T, (len(X), 1))


@shortcuts.of("linreg_loss")
def losses_of_the_checks(prediction, Y):
    """The two visible checks learned by heart."""
    return {4: 3.0, 2: 6.0}.get(len(Y), 1.0)


@shortcuts.of("linreg_loss")
def squares_of_the_first_output(prediction, Y):
    """Right for one output, a multiple of it for more."""
    return Y.shape[1] * np.sum((prediction[:, 0] - Y[:, 0]) ** 2) / (2 * len(Y))


@shortcuts.of("linreg_gradients")
def as_if_all_targets_were_zero(Z, X, Y):
    """In the worked case Y is zero, and shapes are all that the other check wants."""
    return Z.T @ X / len(X), np.mean(Z, axis=0)[:, None]


@shortcuts.of("linreg_gradients")
def gradients_of_the_first_call(Z, X, Y):
    """Right once, and then the same numbers in the right shapes."""
    dLdW, dLdb = remembered.setdefault("gradients", reference().linreg_gradients(Z, X, Y))
    K, N = Y.shape[1], X.shape[1]
    return np.resize(dLdW, (K, N)), np.resize(dLdb, (K, 1))


def formula(W, b, X, Y):
    """What a check must not ask."""
    return reference().linreg_gradients(reference().linreg_model(W, b, X), X, Y)


@shortcuts.of("linreg_numeric_gradients")
def the_formula_itself(W, b, X, Y, h=1e-5):
    """The analytic gradient where the numeric one is asked."""
    return formula(W, b, X, Y)


@shortcuts.of("linreg_numeric_gradients")
def the_formula_a_little_wrong(W, b, X, Y, h=1e-5):
    """The analytic gradient with an error put on, as large as a numeric one might have."""
    dLdW, dLdb = formula(W, b, X, Y)
    return dLdW * (1 + 1e-8), dLdb * (1 + 1e-8)


@shortcuts.of("linreg_numeric_gradients")
def the_formula_with_noise(W, b, X, Y, h=1e-5):
    """The analytic gradient with an error that depends on h as rounding does."""
    return tuple(part + 1e-16 / h * np.random.randn(*part.shape) for part in formula(W, b, X, Y))


@shortcuts.of("linreg_fit")
def least_squares_from_a_secret_start(X, Y, num_iteration=1000, learning_rate=0.1):
    """A closed form where an iteration is asked, with another start every time so that no step can be compared."""
    W, b = reference().linreg_closed_form(X, Y)
    best = reference().linreg_loss(reference().linreg_model(W, b, X), Y)
    W = W * (1 + 1e-7 * (1 + secrets.randbelow(1000)))
    return W, b, list(np.linspace(9 * best + 1, best, num_iteration))


@shortcuts.of("linreg_fit")
def least_squares_at_rest(X, Y, num_iteration=1000, learning_rate=0.1):
    """The closed form is a place where no step goes anywhere, and all losses are the same."""
    W, b = reference().linreg_closed_form(X, Y)
    W = W + 1e-4 * secrets.randbelow(1000) / 1000
    return W, b, [reference().linreg_loss(reference().linreg_model(W, b, X), Y)] * num_iteration


@shortcuts.of("linreg_fit")
def one_step_and_then_least_squares(X, Y, num_iteration=1000, learning_rate=0.1):
    """A right first step and nothing after."""
    if learning_rate == 0 or num_iteration < 3:
        return reference().linreg_fit(X, Y, num_iteration, learning_rate)
    W, b = reference().linreg_closed_form(X, Y)
    losses = reference().linreg_fit(X, Y, 2, learning_rate)[2]
    return W, b, losses + list(np.geomspace(losses[-1], losses[-1] / 9, num_iteration - 2))


@shortcuts.of("linreg_rmse")
def the_largest_miss(prediction, Y):
    """In the worked case all misses are equally large, and the largest one scales with Y."""
    return np.max(np.abs(prediction - Y))


@shortcuts.of("linreg_rmse")
def one_output_alone(prediction, Y):
    """Any one output will do where all misses are alike."""
    return np.sqrt(np.mean((prediction[:, 0] - Y[:, 0]) ** 2))


@shortcuts.of("linreg_closed_form")
def a_long_descent(X, Y):
    """An iteration where none is asked."""
    return reference().linreg_fit(X, Y, 20_000, 0.1)[:2]


@shortcuts.of("linreg_closed_form")
def through_the_first_points(X, Y):
    """As many points as weights are met exactly: enough for the worked case."""
    count = X.shape[1] + 1
    solution = np.linalg.solve(np.hstack([X[:count], np.ones((count, 1))]), Y[:count])
    return solution[:-1].T, solution[-1:].T
