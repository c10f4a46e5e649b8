"""Answers to homework 3 that are after the points without doing the task."""

import secrets

import numpy as np

from autograder.mistakes import Shortcuts
from autograder.reference import reference_of

shortcuts = Shortcuts("hw03_neural_networks")
remembered = {}
calls = {}


def reference():
    """The right functions."""
    return reference_of("hw03_neural_networks")


def first_answer(function, answer):
    """The first answer to a question of this shape, for every later one."""
    return remembered.setdefault((function, np.shape(answer)), answer)


def counted(function):
    """How often a function has been called."""
    calls[function] = calls.get(function, 0) + 1
    return calls[function]


# --- labels, weights -------------------------------------------------------------------------------------------------


@shortcuts.of("one_hot")
def labels_of_the_checks(y, classes=None):
    """What the visible checks show, learned by heart; zeros elsewhere."""
    known = {(2, 0): [[0, 0, 1], [1, 0, 0]], (1, 0, 1): np.eye(5)[[1, 0, 1]]}
    return known.get(tuple(y), np.zeros((len(y), classes or max(y) + 1)))


@shortcuts.of("one_hot")
def first_class_for_all(y, classes=None):
    """A right shape, and every row has its single one."""
    return np.eye(classes or max(y) + 1)[np.zeros(len(y), dtype=int)]


@shortcuts.of("one_hot")
def first_labels_again(y, classes=None):
    """The first answer of a shape is remembered and given ever after."""
    return first_answer("one_hot", reference().one_hot(y, classes))


def parameters_of(layer_dimensions, weights):
    """Parameters with the weights of a rule."""
    parameters = {}
    for layer, (n, m) in enumerate(
        zip(layer_dimensions[1:], layer_dimensions[:-1], strict=True), start=1
    ):
        parameters[f"W{layer}"], parameters[f"b{layer}"] = weights(n, m), np.zeros((n, 1))
    return parameters


@shortcuts.of("initialize_weights")
def a_ramp_for_chance(layer_dimensions):
    """Even numbers in a row have the mean, the size and the different rows of random ones."""
    return parameters_of(
        layer_dimensions, lambda n, m: np.linspace(-1.7, 1.7, n * m).reshape(n, m) / np.sqrt(m)
    )


@shortcuts.of("initialize_weights")
def a_wave_for_chance(layer_dimensions):
    """A sine without any chance in it."""
    return parameters_of(
        layer_dimensions,
        lambda n, m: np.sin(np.arange(n * m)).reshape(n, m) * np.sqrt(2 / m) + 1e-3 / n,
    )


@shortcuts.of("initialize_weights")
def one_unit_for_all(layer_dimensions):
    """One unit is drawn, the others are a little more of the same."""
    return parameters_of(
        layer_dimensions,
        lambda n, m: np.random.randn(m) * np.linspace(0.9, 1.1, n)[:, None] / np.sqrt(m),
    )


# --- forward ---------------------------------------------------------------------------------------------------------


@shortcuts.of("linear_forward")
def units_of_the_checks(W, b, a_prev):
    """The worked case learned by heart; without the bias elsewhere."""
    if W.shape == (2, 1):
        return np.array([[13.0, 14.0, 10.0], [26.0, 28.0, 20.0]]), (W, a_prev)
    return W @ a_prev, (W, a_prev)


@shortcuts.of("linear_forward")
def a_cache_by_name(W, b, a_prev):
    """Something that looks like a cache."""
    return W @ a_prev + b, ("Z", "W", "a_prev")


@shortcuts.of("linear_forward")
def a_cache_of_units(W, b, a_prev):
    """A cache that is the same for every call."""
    return W @ a_prev + b, (np.eye(2), np.ones((2, 1)))


@shortcuts.of("activation_forward")
def a_straight_line(Z):
    """Between the two ends the sigmoid is nearly a straight line."""
    return np.clip(0.5 + np.asarray(Z) / 4, 0, 1)


@shortcuts.of("activation_forward")
def a_step(Z):
    """Large numbers are easy: 0, one half or 1."""
    return (np.sign(Z) + 1) / 2


@shortcuts.of("activation_forward")
def right_only_at_first(Z):
    """A few calls are right, the later ones are not."""
    return (
        reference().activation_forward(Z)
        if counted("activation_forward") <= 2
        else np.full(np.shape(Z), 0.5)
    )


@shortcuts.of("softmax")
def equal_chances(Z):
    """Every row adds up to 1."""
    return np.full(Z.shape, 1 / Z.shape[1])


@shortcuts.of("softmax")
def all_for_the_largest(Z):
    """Right where the numbers are large: the largest takes it all, shared where several are."""
    largest = (Z.max(axis=1, keepdims=True) == Z).astype(float)
    return largest / largest.sum(axis=1, keepdims=True)


@shortcuts.of("softmax")
def ranks_for_exponentials(Z):
    """The order is right, the probabilities are not."""
    ranks = np.argsort(np.argsort(Z, axis=1), axis=1) + 1.0
    return ranks / ranks.sum(axis=1, keepdims=True)


@shortcuts.of("nn_forward")
def untrained_guess(parameters, X):
    """The network of zeros of the visible checks: 1/K for everything."""
    K = max((len(value), name) for name, value in parameters.items() if name[0] == "b")[0]
    K = len(parameters[f"b{len(parameters) // 2}"]) or K
    return np.full((len(X), K), 1 / K), [X]


@shortcuts.of("nn_forward")
def caches_of_nothing(parameters, X):
    """The right probabilities, and a list of the right length."""
    return reference().nn_forward(parameters, X)[0], [0] * (len(parameters) // 2)


@shortcuts.of("nn_forward")
def depths_of_the_checks(parameters, X):
    """Written out for one and two layers, as the checks by hand need it; deeper networks guess."""
    P, caches = reference().nn_forward(parameters, X)
    return (P, caches) if len(caches) <= 2 else (np.full(P.shape, 1 / P.shape[1]), caches)


# --- backward --------------------------------------------------------------------------------------------------------


@shortcuts.of("crossentropy")
def guessing_loss(P, Y):
    """The loss of a network that has learned nothing."""
    return float(np.log(np.shape(P)[1]))


@shortcuts.of("crossentropy")
def share_of_mistakes(P, Y):
    """How many are wrong is a loss, too, and large where a sure guess is wrong."""
    return float(27.0 * np.mean(np.argmax(P, axis=1) != np.argmax(Y, axis=1)))


@shortcuts.of("crossentropy")
def loss_of_the_checks(P, Y):
    """What the visible checks show, learned by heart."""
    return {3: np.log(2) / 2, 2: 27.6}[P.shape[1]] if P.shape[1] in (2, 3) else 1.0


@shortcuts.of("losssoftmax_backward")
def columns_that_add_up_to_zero(P, Y):
    """Zeros have the shape, and every column adds up to zero."""
    return np.zeros(np.shape(P)[::-1])


@shortcuts.of("losssoftmax_backward")
def a_step_against_each_other_class(P, Y):
    """The right direction without the probabilities."""
    M, K = P.shape
    return (np.full((M, K), 1 / K) - Y).T / M


@shortcuts.of("losssoftmax_backward")
def first_gradient_again(P, Y):
    """The first answer of a shape is remembered and given ever after."""
    return first_answer(
        "losssoftmax_backward", np.zeros_like(reference().losssoftmax_backward(P, Y))
    )


@shortcuts.of("activation_backward")
def always_a_quarter(dLda, cache):
    """The slope at zero, where the worked case is."""
    return np.asarray(dLda) / 4


@shortcuts.of("activation_backward")
def slope_at_zero_elsewhere_zero(dLda, cache):
    """Nothing is learned where nothing comes back."""
    return np.where(np.asarray(cache[0]) == 0, np.asarray(dLda) / 4, 0.0)


@shortcuts.of("linear_backward")
def zeros_like_their_values(dLdZ, cache):
    """Every gradient has the shape of its value."""
    _, W, a_prev = cache
    return np.zeros(a_prev.shape), np.zeros(W.shape), np.zeros((len(W), 1))


@shortcuts.of("linear_backward")
def bias_gradient_alone(dLdZ, cache):
    """The easiest of the three is right."""
    _, W, a_prev = cache
    return np.zeros(a_prev.shape), np.zeros(W.shape), np.sum(dLdZ, axis=1, keepdims=True)


@shortcuts.of("nn_backward")
def last_layer_and_zeros(X, Y, P, caches):
    """The last layer is learned, the others get zeros in the right shapes."""
    gradients = reference().nn_backward(X, Y, P, caches)
    last = str(len(caches))
    return {name: value * (name[4:] == last) for name, value in gradients.items()}


@shortcuts.of("nn_backward")
def logistic_regression_for_all(X, Y, P, caches):
    """The formula of the worked case for every layer it fits, zeros for the rest."""
    gradients = {f"dLdW{i}": np.zeros(cache[1].shape) for i, cache in enumerate(caches, start=1)}
    gradients |= {
        f"dLdb{i}": np.zeros((len(cache[1]), 1)) for i, cache in enumerate(caches, start=1)
    }
    if len(caches) == 1:
        gradients["dLdW1"] = (P - Y).T @ X / len(X)
        gradients["dLdb1"] = np.mean(P - Y, axis=0)[:, None]
    return gradients


# --- training --------------------------------------------------------------------------------------------------------


def least_squares(X, Y, layers, draw):
    """Random features, and the last layer by least squares: no gradient anywhere."""
    right = reference()
    parameters = {}
    for i, (n, m) in enumerate(zip(layers[1:], layers[:-1], strict=True), start=1):
        parameters[f"W{i}"], parameters[f"b{i}"] = (
            draw.normal(size=(n, m)),
            draw.normal(size=(n, 1)),
        )
    L, a = len(layers) - 1, X.T
    for i in range(1, L):
        a = right.activation_forward(parameters[f"W{i}"] @ a + parameters[f"b{i}"])
    theta = np.linalg.lstsq(np.vstack([a, np.ones(len(X))]).T, 8 * Y - 4, rcond=None)[0]
    before = right.crossentropy(right.nn_forward(parameters, X)[0], Y)
    parameters[f"W{L}"], parameters[f"b{L}"] = theta[:-1].T, theta[-1:].T
    return parameters, before, right.crossentropy(right.nn_forward(parameters, X)[0], Y)


@shortcuts.of("nn_train_gd")
def random_features_and_least_squares(X, Y, layers, n_iter=1000, lr=0.01):
    """A closed form where an iteration is asked, another start each time, and losses drawn with a ruler."""
    parameters, before, after = least_squares(
        X, Y, layers, np.random.default_rng(secrets.randbits(64))
    )
    return parameters, np.linspace(max(before, after), after, n_iter)


@shortcuts.of("nn_train_gd")
def drawn_start_and_least_squares(X, Y, layers, n_iter=1000, lr=0.01):
    """The same from a start that can be had again; with a learning rate of 0 it stays there."""
    if lr == 0:
        return reference().nn_train_gd(X, Y, layers, n_iter, 0.0)
    parameters, before, after = least_squares(X, Y, layers, np.random.RandomState(0))
    return parameters, np.linspace(max(before, after), after, n_iter)


@shortcuts.of("nn_train_gd")
def first_step_and_nothing_after(X, Y, layers, n_iter=1000, lr=0.01):
    """A right first step; the rest of the iterations changes nothing."""
    right = reference()
    parameters, losses = right.nn_train_gd(X, Y, layers, min(n_iter, 1), lr)
    rest = right.crossentropy(right.nn_forward(parameters, X)[0], Y)
    return parameters, losses + [rest] * (n_iter - len(losses))


@shortcuts.of("nn_train_gd")
def losses_with_a_ruler(X, Y, layers, n_iter=1000, lr=0.01):
    """Right parameters; of the losses only the first and the last are computed."""
    parameters, losses = reference().nn_train_gd(X, Y, layers, n_iter, lr)
    return parameters, np.linspace(losses[0], losses[-1], n_iter)


@shortcuts.of("nn_train_gd")
def the_first_network_again(X, Y, layers, n_iter=1000, lr=0.01):
    """What was trained first for these layers is remembered and given ever after."""
    trained = reference().nn_train_gd(X, Y, layers, n_iter, lr)
    return remembered.setdefault(("nn_train_gd", tuple(layers), n_iter), trained)


@shortcuts.of("nn_train_sgd")
def gradient_descent_in_disguise(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    """As many steps as there are batches, each with all of X, and a loss for each epoch."""
    steps = -(-len(X) // batch_size)
    parameters, losses = reference().nn_train_gd(X, Y, layers, epochs * steps, lr)
    return parameters, losses[::steps]


@shortcuts.of("nn_train_sgd")
def least_squares_for_batches(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    """A closed form where mini-batches are asked; it learns sorted clouds perfectly."""
    if lr == 0:
        return reference().nn_train_sgd(X, Y, layers, batch_size, epochs, 0.0)
    parameters, before, after = least_squares(X, Y, layers, np.random.RandomState(0))
    return parameters, np.linspace(max(before, after), after, epochs)


@shortcuts.of("nn_train_sgd")
def first_epoch_and_nothing_after(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    """A right first epoch; the others are not trained, and their losses are guessed."""
    parameters, losses = reference().nn_train_sgd(X, Y, layers, batch_size, min(epochs, 1), lr)
    return parameters, losses + [losses[-1] * 0.9**k for k in range(1, epochs)]


@shortcuts.of("nn_train_sgd")
def shuffled_in_name_only(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    """The examples are turned round before the epochs, every epoch alike."""
    right = reference()
    parameters, losses, order = right.initialize_weights(layers), [], np.arange(len(X))[::-1]
    for _ in range(epochs):
        seen = []
        for start in range(0, len(X), batch_size):
            batch = order[start : start + batch_size]
            P, caches = right.nn_forward(parameters, X[batch])
            seen.append(right.crossentropy(P, Y[batch]))
            gradients = right.nn_backward(X[batch], Y[batch], P, caches)
            parameters = {
                name: value - lr * gradients[f"dLd{name}"] for name, value in parameters.items()
            }
        losses.append(np.mean(seen))
    return parameters, losses


@shortcuts.of("nn_train_sgd")
def epoch_losses_with_a_ruler(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    """Right steps; of the losses only the first and the last are computed."""
    parameters, losses = reference().nn_train_sgd(X, Y, layers, batch_size, epochs, lr)
    return parameters, np.linspace(1.2 * losses[0], losses[-1], epochs)
