"""Right answers to homework 2, written otherwise than in the reference."""

import numpy as np

from autograder.mistakes import Alternatives
from autograder.reference import reference_of

alternatives = Alternatives("hw02_linear_regression")


@alternatives.of("linreg_model")
def columns_first(W, b, X):
    return (np.matmul(W, X.T) + b).T


@alternatives.of("linreg_model")
def example_by_example(W, b, X):
    Z = np.zeros((X.shape[0], W.shape[0]))
    for i in range(X.shape[0]):
        Z[i] = np.dot(W, X[i]) + b.flatten()
    return Z


@alternatives.of("linreg_model")
def model_with_einsum(W, b, X):
    return np.einsum("kn,mn->mk", W, X) + b.reshape(1, -1)


@alternatives.of("linreg_model")
def model_in_single_precision(W, b, X):
    return X.astype(np.float32) @ W.astype(np.float32).T + b.astype(np.float32).T


@alternatives.of("linreg_loss")
def loss_in_loops(prediction, Y):
    total = 0.0
    for i in range(Y.shape[0]):
        for k in range(Y.shape[1]):
            total += (prediction[i, k] - Y[i, k]) ** 2
    return total / 2 / Y.shape[0]


@alternatives.of("linreg_loss")
def mean_of_row_sums(prediction, Y):
    return np.array(0.5 * np.mean(np.sum(np.square(prediction - Y), axis=1)))


@alternatives.of("linreg_loss")
def loss_with_norm(prediction, Y):
    print("computing the loss")
    return np.linalg.norm(prediction - Y) ** 2 / (2 * Y.shape[0])


@alternatives.of("linreg_gradients")
def outer_products(Z, X, Y):
    M = X.shape[0]
    dLdW, dLdb = np.zeros((Y.shape[1], X.shape[1])), np.zeros((Y.shape[1], 1))
    for i in range(M):
        dLdW += np.outer(Z[i] - Y[i], X[i]) / M
        dLdb += (Z[i] - Y[i]).reshape(-1, 1) / M
    return dLdW, dLdb


@alternatives.of("linreg_gradients")
def gradients_with_einsum(Z, X, Y):
    return np.einsum("mk,mn->kn", Z - Y, X) / len(Z), np.mean(Z - Y, axis=0)[:, None]


@alternatives.of("linreg_gradients")
def gradients_with_ones(Z, X, Y):
    both = np.dot((Z - Y).T, np.hstack([X, np.ones((X.shape[0], 1))])) / X.shape[0]
    return [both[:, :-1], both[:, -1:]]


@alternatives.of("linreg_numeric_gradients")
def on_copies(W, b, X, Y, h=1e-5):
    right = reference_of("hw02_linear_regression")

    def loss(V, c):
        return right.linreg_loss(right.linreg_model(V, c, X), Y)

    dLdW = np.empty_like(W)
    for k in range(W.shape[0]):
        for n in range(W.shape[1]):
            above, below = W.copy(), W.copy()
            above[k, n] += h
            below[k, n] -= h
            dLdW[k, n] = (loss(above, b) - loss(below, b)) / 2 / h
    rows = [
        [(loss(W, b + h * unit) - loss(W, b - h * unit)) / (2 * h)]
        for unit in np.eye(len(b))[:, :, None]
    ]
    return dLdW, np.array(rows)


@alternatives.of("linreg_numeric_gradients")
def in_place_and_back(W, b, X, Y, h=1e-5):
    right = reference_of("hw02_linear_regression")
    gradients = []
    for parameter in (W, b):
        gradient = np.zeros(parameter.shape)
        for index, here in np.ndenumerate(parameter.copy()):
            losses = []
            for value in (here - h, here + h):
                parameter[index] = value
                losses.append(right.linreg_loss(right.linreg_model(W, b, X), Y))
            parameter[index] = here
            gradient[index] = (losses[1] - losses[0]) / (2 * h)
        gradients.append(gradient)
    return gradients


@alternatives.of("linreg_numeric_gradients")
def fourth_order(W, b, X, Y, h=1e-5):
    right = reference_of("hw02_linear_regression")
    theta = np.hstack([W, b])

    def loss(t):
        return right.linreg_loss(right.linreg_model(t[:, :-1], t[:, -1:], X), Y)

    gradient = np.zeros(theta.shape)
    for index in np.ndindex(theta.shape):
        step = np.zeros(theta.shape)
        step[index] = h
        near, far = (
            loss(theta + step) - loss(theta - step),
            loss(theta + 2 * step) - loss(theta - 2 * step),
        )
        gradient[index] = (8 * near - far) / (12 * h)
    return gradient[:, :-1], gradient[:, -1:]


@alternatives.of("linreg_numeric_gradients")
def there_and_back(W, b, X, Y, h=1e-5):
    right = reference_of("hw02_linear_regression")
    gradients = np.zeros(W.shape), np.zeros(b.shape)
    for parameter, gradient in zip((W, b), gradients, strict=True):
        for index in np.ndindex(parameter.shape):
            parameter[index] += h
            above = right.linreg_loss(right.linreg_model(W, b, X), Y)
            parameter[index] -= 2 * h
            below = right.linreg_loss(right.linreg_model(W, b, X), Y)
            parameter[index] += h
            gradient[index] = above / (2 * h) - below / (2 * h)
    return gradients


@alternatives.of("linreg_numeric_gradients")
def sums_of_squares(W, b, X, Y, h=1e-5):
    def squares(V, c):
        return sum(np.sum((V @ x + c[:, 0] - y) ** 2) for x, y in zip(X, Y, strict=True))

    M, dLdW, dLdb = len(X), W.copy(), b.copy()
    for k, row in enumerate(W):
        unit = np.zeros(b.shape)
        unit[k] = h
        dLdb[k] = (squares(W, b + unit) - squares(W, b - unit)) / (2 * M) / (2 * h)
        for n in range(len(row)):
            step = unit * (np.arange(len(row)) == n)
            dLdW[k, n] = (squares(W + step, b) - squares(W - step, b)) / (4 * M * h)
    return dLdW, dLdb


@alternatives.of("linreg_fit")
def random_start(X, Y, num_iteration=1000, learning_rate=0.1):
    right = reference_of("hw02_linear_regression")
    W, b = 0.01 * np.random.randn(Y.shape[1], X.shape[1]), np.zeros((Y.shape[1], 1))
    train_loss = np.zeros(num_iteration)
    for i in range(num_iteration):
        Z = right.linreg_model(W, b, X)
        dLdW, dLdb = right.linreg_gradients(Z, X, Y)
        train_loss[i] = right.linreg_loss(Z, Y)
        W -= learning_rate * dLdW
        b -= learning_rate * dLdb
    return W, b, train_loss


@alternatives.of("linreg_fit")
def another_start_every_time(X, Y, num_iteration=1000, learning_rate=0.1, seed=None):
    right = reference_of("hw02_linear_regression")
    draw = np.random.default_rng(seed)
    W, b = draw.normal(size=(Y.shape[1], X.shape[1])), draw.normal(size=(Y.shape[1], 1))
    losses = [right.linreg_loss(right.linreg_model(W, b, X), Y)]
    for _ in range(num_iteration):
        dLdW, dLdb = right.linreg_gradients(right.linreg_model(W, b, X), X, Y)
        W, b = W - learning_rate * dLdW, b - learning_rate * dLdb
        losses.append(right.linreg_loss(right.linreg_model(W, b, X), Y))
    return W, b, losses


@alternatives.of("linreg_fit")
def without_helpers(X, Y, num_iteration=1000, learning_rate=0.1):
    M, A = len(X), np.hstack([X, np.ones((len(X), 1))])
    theta, losses = np.zeros((A.shape[1], Y.shape[1])), []
    while len(losses) < num_iteration:
        misses = A @ theta - Y
        losses.append(0.5 / M * (misses**2).sum())
        theta -= learning_rate / M * A.T @ misses
    return theta[:-1].T, theta[-1:].T, losses


@alternatives.of("linreg_fit")
def losses_and_the_last_one(X, Y, num_iteration=1000, learning_rate=0.1, verbose=False):
    right = reference_of("hw02_linear_regression")
    W, b = (
        np.random.uniform(-0.1, 0.1, (Y.shape[1], X.shape[1])),
        np.random.uniform(-0.1, 0.1, (Y.shape[1], 1)),
    )
    losses = [right.linreg_loss(right.linreg_model(W, b, X), Y)]
    while len(losses) <= num_iteration:
        dLdW, dLdb = right.linreg_gradients(right.linreg_model(W, b, X), X, Y)
        W, b = W - learning_rate * dLdW, b - learning_rate * dLdb
        losses.append(right.linreg_loss(right.linreg_model(W, b, X), Y))
    print("the last loss", losses[-1])
    return [W, b, losses]


@alternatives.of("linreg_rmse")
def rmse_of_flat_arrays(prediction, Y):
    misses = np.ravel(prediction) - np.ravel(Y)
    return (misses @ misses / misses.size) ** 0.5


@alternatives.of("linreg_rmse")
def rmse_from_the_loss(prediction, Y):
    return np.sqrt(
        2 * reference_of("hw02_linear_regression").linreg_loss(prediction, Y) / Y.shape[1]
    )


@alternatives.of("linreg_rmse")
def rmse_with_norm(prediction, Y):
    return np.linalg.norm(prediction - Y) / np.sqrt(Y.size)


@alternatives.of("linreg_closed_form")
def normal_equations(X, Y):
    A = np.column_stack([np.ones(len(X)), X])
    theta = np.linalg.solve(A.T @ A, A.T @ Y)
    return theta[1:].T, theta[0].reshape(-1, 1)


@alternatives.of("linreg_closed_form")
def centred(X, Y):
    W = (np.linalg.pinv(X - X.mean(axis=0)) @ (Y - Y.mean(axis=0))).T
    return W, Y.mean(axis=0)[:, None] - W @ X.mean(axis=0)[:, None]


@alternatives.of("linreg_closed_form")
def pseudo_inverse(X, Y):
    theta = np.linalg.pinv(np.c_[X, np.ones(X.shape[0])]).dot(Y)
    return theta[:-1, :].T, theta[[-1], :].T


# --- mutants of the reference that are as right as it -----------------------------------------------------------------

alternatives.equivalent(
    "linreg_numeric_gradients",
    "dLdW, dLdb = (np.zeros(W.shape), np.zeros(b.shape))",
    "dLdW, dLdb = (np.ones(W.shape), np.zeros(b.shape))",
    because="every entry is overwritten",
)
alternatives.equivalent(
    "linreg_numeric_gradients",
    "dLdW, dLdb = (np.zeros(W.shape), np.zeros(b.shape))",
    "dLdW, dLdb = (np.zeros(W.shape), np.ones(b.shape))",
    because="every entry is overwritten",
)
alternatives.equivalent(
    "linreg_numeric_gradients",
    "above = linreg_loss(linreg_model(W + step, b, X), Y)",
    "above = linreg_loss(Y, linreg_model(W + step, b, X))",
    because="the loss is the same with its arguments exchanged",
)
alternatives.equivalent(
    "linreg_numeric_gradients",
    "below = linreg_loss(linreg_model(W - step, b, X), Y)",
    "below = linreg_loss(Y, linreg_model(W - step, b, X))",
    because="the loss is the same with its arguments exchanged",
)
alternatives.equivalent(
    "linreg_numeric_gradients",
    "above = linreg_loss(linreg_model(W, b + step, X), Y)",
    "above = linreg_loss(Y, linreg_model(W, b + step, X))",
    because="the loss is the same with its arguments exchanged",
)
alternatives.equivalent(
    "linreg_numeric_gradients",
    "below = linreg_loss(linreg_model(W, b - step, X), Y)",
    "below = linreg_loss(Y, linreg_model(W, b - step, X))",
    because="the loss is the same with its arguments exchanged",
)
alternatives.equivalent(
    "linreg_fit",
    "train_loss.append(linreg_loss(Z, Y))",
    "train_loss.append(linreg_loss(Y, Z))",
    because="the loss is the same with its arguments exchanged",
)
alternatives.equivalent(
    "linreg_fit",
    "W, b = (np.zeros((Y.shape[1], X.shape[1])), np.zeros((Y.shape[1], 1)))",
    "W, b = (np.ones((Y.shape[1], X.shape[1])), np.zeros((Y.shape[1], 1)))",
    because="any start will do",
)
alternatives.equivalent(
    "linreg_fit",
    "W, b = (np.zeros((Y.shape[1], X.shape[1])), np.zeros((Y.shape[1], 1)))",
    "W, b = (np.zeros((Y.shape[1], X.shape[1])), np.ones((Y.shape[1], 1)))",
    because="any start will do",
)
alternatives.equivalent(
    "linreg_fit",
    "W = W - learning_rate * dLdW",
    "W -= learning_rate * dLdW",
    because="W belongs to the function",
)
alternatives.equivalent(
    "linreg_fit",
    "b = b - learning_rate * dLdb",
    "b -= learning_rate * dLdb",
    because="b belongs to the function",
)
alternatives.equivalent(
    "linreg_closed_form",
    "solution = np.linalg.lstsq(np.hstack([X, np.ones((len(X), 1))]), Y, rcond=None)[0]",
    "solution = np.linalg.lstsq(np.hstack([X, np.ones((len(X), 1))]), Y)[0]",
    because="the cut-off only matters where columns depend on each other",
)
