"""Wrong answers to homework 2 as students gave them, each with the hint it earns."""

import numpy as np

from autograder.mistakes import Mistakes
from autograder.reference import reference_of

mistakes = Mistakes("hw02_linear_regression")


def reference():
    """The right functions."""
    return reference_of("hw02_linear_regression")


# --- linreg_model --------------------------------------------------------------------------------------------------


@mistakes.of(
    "linreg_model",
    hint="The bias is a column; added to Z it must be a row: b.T lines up with the outputs.",
    keeps=(1, 2),
)
def bias_as_a_column(W, b, X):
    return X @ W.T + b


@mistakes.of(
    "linreg_model", hint="Z should have a row per example; yours is transposed.", keeps=(2, 3)
)
def prediction_transposed(W, b, X):
    return W @ X.T + b


@mistakes.of("linreg_model", hint="The bias is missing.", keeps=(1, 2))
def without_bias(W, b, X):
    return X @ W.T


@mistakes.of("linreg_model", hint="The bias is subtracted; add it.", keeps=(1, 2))
def bias_subtracted(W, b, X):
    return X @ W.T - b.T


@mistakes.of("linreg_model", hint="Only the first bias is used, for every output.", keeps=(1, 2))
def first_bias_for_all(W, b, X):
    return X @ W.T + b[0, 0]


@mistakes.of("linreg_model", hint="Only one output is computed: take K from the shape of W.")
def one_output_only(W, b, X):
    return (X @ W[0]).reshape(-1, 1) + b[0, 0]


# --- linreg_loss ---------------------------------------------------------------------------------------------------


@mistakes.of(
    "linreg_loss", hint="Exactly twice the loss: the ½ in 1/(2M) is missing.", keeps=(1, 3, 4)
)
def without_the_half(prediction, Y):
    return np.sum((prediction - Y) ** 2) / len(Y)


@mistakes.of(
    "linreg_loss",
    hint="The mean runs over the M examples only; np.mean over everything divides by M·K.",
    keeps=(1, 2, 4),
)
def mean_over_outputs_too(prediction, Y):
    return np.mean((prediction - Y) ** 2) / 2


@mistakes.of(
    "linreg_loss",
    hint="np.mean divides by M·K; here the sum of all squares is divided by 2M.",
    keeps=(1, 4),
)
def plain_mean(prediction, Y):
    return np.mean((prediction - Y) ** 2)


@mistakes.of(
    "linreg_loss",
    hint="The differences are added before they are squared: misses of both signs cancel.",
    keeps=(1,),
)
def squared_after_the_sum(prediction, Y):
    return np.sum(prediction - Y) ** 2 / (2 * len(Y))


@mistakes.of(
    "linreg_loss", hint="The squares are summed but not averaged: divide by 2M.", keeps=(1, 3, 4)
)
def sum_without_mean(prediction, Y):
    return np.sum((prediction - Y) ** 2) / 2


@mistakes.of(
    "linreg_loss",
    hint="The loss is one number; yours keeps an axis: sum over both.",
    keeps=(2, 3, 4),
)
def loss_per_output(prediction, Y):
    return np.sum((prediction - Y) ** 2, axis=0) / (2 * len(Y))


@mistakes.of("linreg_loss", hint="Absolute values instead of squares.", keeps=(1, 3, 4))
def absolute_differences(prediction, Y):
    return np.sum(np.abs(prediction - Y)) / (2 * len(Y))


@mistakes.of("linreg_loss", hint="The root is not part of this loss.")
def root_of_the_loss(prediction, Y):
    return np.sqrt(np.sum((prediction - Y) ** 2)) / (2 * len(Y))


@mistakes.of(
    "linreg_loss",
    hint="1/2*M divides by 2 and then multiplies by M: write 1/(2*M).",
    keeps=(1, 3, 4),
)
def one_half_times_m(prediction, Y):
    return 1 / 2 * len(Y) * np.sum((prediction - Y) ** 2)


@mistakes.of(
    "linreg_loss",
    hint="M is the number of examples, the length of the first axis; you divided by K.",
)
def divided_by_outputs(prediction, Y):
    return np.sum((prediction - Y) ** 2) / (2 * Y.shape[1])


@mistakes.of(
    "linreg_loss",
    hint="The prediction changed during the call (-= works in place): make a new array.",
    keeps=(1, 2, 3),
)
def loss_in_place(prediction, Y):
    prediction -= Y
    return np.sum(prediction**2) / (2 * len(Y))


# --- linreg_gradients ----------------------------------------------------------------------------------------------


@mistakes.of(
    "linreg_gradients",
    hint="dLdW and dLdb are M times too large: average over the examples, do not only sum.",
    keeps=(1, 2, 3, 4, 6),
)
def forgot_the_mean(Z, X, Y):
    return (Z - Y).T @ X, np.sum(Z - Y, axis=0, keepdims=True).T


@mistakes.of(
    "linreg_gradients",
    hint="dLdW has the shape of W, (K, N); yours is transposed.",
    keeps=(2, 3, 4, 5, 6),
)
def weights_transposed(Z, X, Y):
    D = (Z - Y) / len(X)
    return X.T @ D, np.sum(D, axis=0, keepdims=True).T


@mistakes.of(
    "linreg_gradients",
    hint="dLdb has the shape of b, (K, 1); without keepdims an axis is lost.",
    keeps=(1, 3, 4, 5, 6),
)
def flat_bias_gradient(Z, X, Y):
    D = (Z - Y) / len(X)
    return D.T @ X, np.sum(D, axis=0)


@mistakes.of(
    "linreg_gradients",
    hint="dLdb is a row; it has the shape of b, a column.",
    keeps=(1, 3, 4, 5, 6),
)
def bias_gradient_as_a_row(Z, X, Y):
    D = (Z - Y) / len(X)
    return D.T @ X, np.sum(D, axis=0, keepdims=True)


@mistakes.of(
    "linreg_gradients",
    hint="The sign: the derivative of (Z − Y)²/2 is Z − Y, not Y − Z.",
    keeps=(1, 2, 3, 4, 6),
)
def wrong_sign(Z, X, Y):
    D = (Y - Z) / len(X)
    return D.T @ X, np.sum(D, axis=0, keepdims=True).T


@mistakes.of(
    "linreg_gradients",
    hint="A factor 2 too large: it cancels against the ½ of the loss.",
    keeps=(1, 2, 3, 4, 6),
)
def factor_two(Z, X, Y):
    D = 2 * (Z - Y) / len(X)
    return D.T @ X, np.sum(D, axis=0, keepdims=True).T


@mistakes.of(
    "linreg_gradients",
    hint="A factor 2 too small: the 2 of the square cancels the ½ of the loss.",
    keeps=(1, 2, 3, 4, 6),
)
def half_too_small(Z, X, Y):
    D = (Z - Y) / (2 * len(X))
    return D.T @ X, np.sum(D, axis=0, keepdims=True).T


@mistakes.of(
    "linreg_gradients",
    hint="dLdb adds up all outputs; each output has a bias of its own: sum over axis 0 only.",
    keeps=(1, 2, 3, 5, 6),
)
def bias_summed_over_outputs(Z, X, Y):
    D = (Z - Y) / len(X)
    return D.T @ X, np.full((Y.shape[1], 1), np.sum(D))


@mistakes.of(
    "linreg_gradients",
    hint="dLdb is one average over examples and outputs; each output has a bias of its own: axis 0 only.",
    keeps=(1, 2, 3, 5, 6),
)
def bias_averaged_over_outputs(Z, X, Y):
    return (Z - Y).T @ X / len(X), np.full((Y.shape[1], 1), np.mean(Z - Y))


@mistakes.of(
    "linreg_gradients",
    hint="dLdW is averaged over the examples, dLdb is only summed: both need the 1/M.",
    keeps=(1, 2, 3, 4, 6),
)
def mean_forgotten_in_the_bias(Z, X, Y):
    return (Z - Y).T @ X / len(X), np.sum(Z - Y, axis=0, keepdims=True).T


@mistakes.of("linreg_gradients", hint="The order of the results is dLdW, dLdb.", keeps=(6,))
def gradients_exchanged(Z, X, Y):
    return reference().linreg_gradients(Z, X, Y)[::-1]


@mistakes.of(
    "linreg_gradients",
    hint="Divide by the number of examples M, not by the number of features.",
    keeps=(1, 2, 3, 4, 6),
)
def divided_by_features(Z, X, Y):
    D = (Z - Y) / X.shape[1]
    return D.T @ X, np.sum(D, axis=0, keepdims=True).T


@mistakes.of(
    "linreg_gradients",
    hint="Y does not enter: the gradients are those of the misses, Z − Y.",
    keeps=(1, 2, 6),
)
def targets_left_out(Z, X, Y):
    D = Z / len(X)
    return D.T @ X, np.sum(D, axis=0, keepdims=True).T


# --- linreg_numeric_gradients --------------------------------------------------------------------------------------


def slopes(W, b, X, Y, slope):
    """Fill both gradients with `slope(loss, parameter, index)`."""
    right = reference()
    results = []
    for parameter in (W, b):
        gradient = np.zeros(parameter.shape)
        for index in np.ndindex(parameter.shape):
            gradient[index] = slope(
                lambda: right.linreg_loss(right.linreg_model(W, b, X), Y), parameter, index
            )
        results.append(gradient)
    return tuple(results)


def nudged(loss, parameter, index, step):
    """The loss with one entry moved by a step."""
    here = parameter[index]
    parameter[index] = here + step
    result = loss()
    parameter[index] = here
    return result


@mistakes.of(
    "linreg_numeric_gradients",
    hint="Only one side: (L(+h) − L) / h is wrong by about h. Step to both sides.",
    keeps=(1, 2, 3, 5),
)
def one_sided(W, b, X, Y, h=1e-5):
    return slopes(W, b, X, Y, lambda loss, p, i: (nudged(loss, p, i, h) - loss()) / h)


@mistakes.of(
    "linreg_numeric_gradients",
    hint="The two points are 2h apart: divide by 2h, not by h.",
    keeps=(1, 2, 4, 5),
)
def divided_by_h(W, b, X, Y, h=1e-5):
    return slopes(
        W, b, X, Y, lambda loss, p, i: (nudged(loss, p, i, h) - nudged(loss, p, i, -h)) / h
    )


@mistakes.of(
    "linreg_numeric_gradients", hint="/ 2 * h multiplies by h: write / (2 * h).", keeps=(1, 2, 5)
)
def multiplied_by_h(W, b, X, Y, h=1e-5):
    return slopes(
        W, b, X, Y, lambda loss, p, i: (nudged(loss, p, i, h) - nudged(loss, p, i, -h)) / 2 * h
    )


@mistakes.of(
    "linreg_numeric_gradients", hint="The sign: loss above minus loss below.", keeps=(1, 2, 4, 5)
)
def below_minus_above(W, b, X, Y, h=1e-5):
    return slopes(
        W, b, X, Y, lambda loss, p, i: (nudged(loss, p, i, -h) - nudged(loss, p, i, h)) / (2 * h)
    )


@mistakes.of(
    "linreg_numeric_gradients",
    hint="All entries are nudged together; nudge one at a time.",
    keeps=(1, 2, 5),
)
def all_at_once(W, b, X, Y, h=1e-5):
    right = reference()

    def loss(V, c):
        return right.linreg_loss(right.linreg_model(V, c, X), Y)

    dLdW = (loss(W + h, b) - loss(W - h, b)) / (2 * h)
    dLdb = (loss(W, b + h) - loss(W, b - h)) / (2 * h)
    return np.full(W.shape, dLdW), np.full(b.shape, dLdb)


@mistakes.of(
    "linreg_numeric_gradients",
    hint="A nudged entry is not put back: W and b drift during the check.",
    keeps=(1, 2, 3),
)
def weights_not_restored(W, b, X, Y, h=1e-5):
    right = reference()
    results = []
    for parameter in (W, b):
        gradient = np.zeros(parameter.shape)
        for index in np.ndindex(parameter.shape):
            parameter[index] += h
            above = right.linreg_loss(right.linreg_model(W, b, X), Y)
            parameter[index] -= 2 * h
            below = right.linreg_loss(right.linreg_model(W, b, X), Y)
            gradient[index] = (above - below) / (2 * h)
        results.append(gradient)
    return tuple(results)


@mistakes.of(
    "linreg_numeric_gradients",
    hint="The step is fixed in the function: use the argument h.",
    keeps=(1, 2, 3, 5),
)
def fixed_step(W, b, X, Y, h=1e-5):
    return reference().linreg_numeric_gradients(W, b, X, Y, 1e-5)


@mistakes.of(
    "linreg_numeric_gradients",
    hint="dLdb is zero: nudge every entry of b as well.",
    keeps=(1, 2, 5),
)
def weights_only(W, b, X, Y, h=1e-5):
    return reference().linreg_numeric_gradients(W, b, X, Y, h)[0], np.zeros(b.shape)


# --- linreg_fit ----------------------------------------------------------------------------------------------------


def descend(X, Y, steps, step):
    """Run gradient descent from zeros; `step(W, b, dLdW, dLdb)` returns the next W and b."""
    right = reference()
    W, b, losses = np.zeros((Y.shape[1], X.shape[1])), np.zeros((Y.shape[1], 1)), []
    for _ in range(steps):
        Z = right.linreg_model(W, b, X)
        losses.append(right.linreg_loss(Z, Y))
        W, b = step(W, b, *right.linreg_gradients(Z, X, Y))
    return W, b, losses


@mistakes.of("linreg_fit", hint="The bias never moves: update b as well as W.", keeps=(1, 3, 5, 6))
def bias_never_updated(X, Y, num_iteration=1000, learning_rate=0.1):
    return descend(X, Y, num_iteration, lambda W, b, dW, db: (W - learning_rate * dW, b))


@mistakes.of("linreg_fit", hint="The step goes uphill: subtract the gradient.", keeps=(1, 5, 6))
def uphill(X, Y, num_iteration=1000, learning_rate=0.1):
    return descend(
        X, Y, num_iteration, lambda W, b, dW, db: (W + learning_rate * dW, b + learning_rate * db)
    )


@mistakes.of(
    "linreg_fit",
    hint="The learning rate is fixed in the function: use its argument.",
    keeps=(1, 4, 5, 6),
)
def fixed_learning_rate(X, Y, num_iteration=1000, learning_rate=0.1):
    return descend(X, Y, num_iteration, lambda W, b, dW, db: (W - 0.1 * dW, b - 0.1 * db))


@mistakes.of(
    "linreg_fit",
    hint="The number of iterations is fixed in the function: use its argument.",
    keeps=(1, 4, 6),
)
def fixed_iterations(X, Y, num_iteration=1000, learning_rate=0.1):
    return descend(
        X, Y, 1000, lambda W, b, dW, db: (W - learning_rate * dW, b - learning_rate * db)
    )


@mistakes.of(
    "linreg_fit",
    hint="One iteration too few: range(num_iteration) is that many, it ends one before.",
    keeps=(1, 4, 6),
)
def one_iteration_too_few(X, Y, num_iteration=1000, learning_rate=0.1):
    return reference().linreg_fit(X, Y, num_iteration - 1, learning_rate)


@mistakes.of(
    "linreg_fit",
    hint="Only the last gradient is used: the weights start again from zero in every iteration.",
    keeps=(1, 2, 5, 6),
)
def starting_again(X, Y, num_iteration=1000, learning_rate=0.1):
    return descend(
        X, Y, num_iteration, lambda W, b, dW, db: (-learning_rate * dW, -learning_rate * db)
    )


@mistakes.of(
    "linreg_fit",
    hint="train_loss holds only the last loss: append one in every iteration.",
    keeps=(1, 2, 3, 4, 6),
)
def last_loss_only(X, Y, num_iteration=1000, learning_rate=0.1):
    W, b, losses = reference().linreg_fit(X, Y, num_iteration, learning_rate)
    return W, b, losses[-1:]


@mistakes.of(
    "linreg_fit", hint="X changed during the call: standardise a copy, or leave it to the caller."
)
def data_standardised_in_place(X, Y, num_iteration=1000, learning_rate=0.1):
    X -= X.mean(axis=0)
    return reference().linreg_fit(X, Y, num_iteration, learning_rate)


@mistakes.of(
    "linreg_fit",
    hint="All outputs share one bias: dLdb was summed over the outputs as well.",
    keeps=(1, 5, 6),
)
def one_bias_for_all(X, Y, num_iteration=1000, learning_rate=0.1):
    def step(W, b, dW, db):
        return W - learning_rate * dW, b - learning_rate * np.sum(db)

    return descend(X, Y, num_iteration, step)


@mistakes.of(
    "linreg_fit",
    hint="Each loss is recorded after the update: take it before, the first is that of the start.",
    keeps=(1, 2, 3, 4, 6),
)
def losses_after_the_update(X, Y, num_iteration=1000, learning_rate=0.1):
    losses = reference().linreg_fit(X, Y, num_iteration + 1, learning_rate)[2]
    return *reference().linreg_fit(X, Y, num_iteration, learning_rate)[:2], losses[1:]


@mistakes.of(
    "linreg_fit",
    hint="train_loss holds two losses for every iteration: append one, before the update.",
    keeps=(1, 2, 3, 4, 6),
)
def two_losses_for_every_iteration(X, Y, num_iteration=1000, learning_rate=0.1):
    losses = reference().linreg_fit(X, Y, num_iteration + 1, learning_rate)[2]
    W, b, _ = reference().linreg_fit(X, Y, num_iteration, learning_rate)
    return W, b, [losses[(step + 1) // 2] for step in range(2 * num_iteration)]


@mistakes.of(
    "linreg_fit",
    hint="The bias is overwritten by its last step: b = b − α dLdb goes on from where it was.",
    keeps=(1, 2, 5, 6),
)
def bias_overwritten(X, Y, num_iteration=1000, learning_rate=0.1):
    return descend(
        X, Y, num_iteration, lambda W, b, dW, db: (W - learning_rate * dW, -learning_rate * db)
    )


@mistakes.of(
    "linreg_fit",
    hint="The gradients are those of the start in every iteration: compute them inside the loop.",
    keeps=(1, 2, 5, 6),
)
def gradients_of_the_start(X, Y, num_iteration=1000, learning_rate=0.1):
    right = reference()
    W, b = np.zeros((Y.shape[1], X.shape[1])), np.zeros((Y.shape[1], 1))
    first = right.linreg_gradients(right.linreg_model(W, b, X), X, Y)
    return descend(
        X,
        Y,
        num_iteration,
        lambda W, b, *_: (W - learning_rate * first[0], b - learning_rate * first[1]),
    )


# --- linreg_rmse ---------------------------------------------------------------------------------------------------


@mistakes.of("linreg_rmse", hint="That is the mean squared error: take the root.", keeps=(2,))
def without_the_root(prediction, Y):
    return np.mean((prediction - Y) ** 2)


@mistakes.of(
    "linreg_rmse", hint="The squares are summed, not averaged, before the root.", keeps=(2,)
)
def without_the_mean(prediction, Y):
    return np.sqrt(np.sum((prediction - Y) ** 2))


@mistakes.of("linreg_rmse", hint="The ½ belongs to the loss, not to the RMSE.", keeps=(2,))
def root_of_the_half(prediction, Y):
    return np.sqrt(np.mean((prediction - Y) ** 2) / 2)


@mistakes.of(
    "linreg_rmse",
    hint="That is the mean absolute error: square, average, take the root.",
    keeps=(2,),
)
def mean_absolute_error(prediction, Y):
    return np.mean(np.abs(prediction - Y))


@mistakes.of(
    "linreg_rmse", hint="One number is asked for: average over the outputs as well.", keeps=(1,)
)
def one_per_output(prediction, Y):
    return np.sqrt(np.mean((prediction - Y) ** 2, axis=0))


@mistakes.of(
    "linreg_rmse", hint="Average over the outputs as well: divide by M·K, not by M.", keeps=(1,)
)
def divided_by_examples_only(prediction, Y):
    return np.sqrt(np.sum((prediction - Y) ** 2) / len(Y))


# --- linreg_closed_form --------------------------------------------------------------------------------------------


@mistakes.of(
    "linreg_closed_form",
    hint="Without the column of ones the line must go through the origin: b is not 0.",
    keeps=(1,),
)
def through_the_origin(X, Y):
    W = np.linalg.lstsq(X, Y, rcond=None)[0].T
    return W, np.zeros((Y.shape[1], 1))


def with_ones(X, Y):
    """The right solution, (N + 1, K)."""
    return np.linalg.lstsq(np.hstack([X, np.ones((len(X), 1))]), Y, rcond=None)[0]


@mistakes.of("linreg_closed_form", hint="W is (K, N): transpose the solution.", keeps=(2, 3))
def solution_not_transposed(X, Y):
    return with_ones(X, Y)[:-1], with_ones(X, Y)[-1:].T


@mistakes.of(
    "linreg_closed_form", hint="b is a column, (K, 1); yours has lost an axis.", keeps=(2, 3)
)
def flat_bias(X, Y):
    return with_ones(X, Y)[:-1].T, with_ones(X, Y)[-1]


@mistakes.of(
    "linreg_closed_form",
    hint="The ones stand on the right, so the bias is the last row, not the first.",
    keeps=(1,),
)
def bias_from_the_wrong_end(X, Y):
    return with_ones(X, Y)[1:].T, with_ones(X, Y)[:1].T


@mistakes.of(
    "linreg_closed_form",
    hint="The mean of Y is the bias only when the columns of X have mean zero.",
    keeps=(1, 2),
)
def mean_for_bias(X, Y):
    return with_ones(X, Y)[:-1].T, Y.mean(axis=0).reshape(-1, 1)


@mistakes.of(
    "linreg_closed_form", hint="The normal equations need the column of ones on both sides."
)
def normal_equations_without_ones(X, Y):
    W = (np.linalg.inv(X.T @ X) @ X.T @ Y).T
    return W, np.mean(Y - X @ W.T, axis=0).reshape(-1, 1)
