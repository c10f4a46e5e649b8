"""Right answers to homework 3, written otherwise than in the reference.

An alternative to one function meets the reference's others, so it reads and writes caches as (Z, W, a_prev).
"""

import numpy as np

from autograder.mistakes import Alternatives
from autograder.reference import reference_of

alternatives = Alternatives("hw03_neural_networks")


def reference():
    """The right functions."""
    return reference_of("hw03_neural_networks")


@alternatives.of("one_hot")
def one_hot_in_a_loop(y, classes=None):
    K = int(max(y)) + 1 if classes is None else classes
    Y = np.zeros((len(y), K), dtype=int)
    for i, label in enumerate(y):
        Y[i, label] = 1
    return Y


@alternatives.of("one_hot")
def one_hot_by_comparison(y, num_classes=None):
    K = num_classes or np.max(y) + 1
    return (np.asarray(y).reshape(-1, 1) == np.arange(K)).astype(np.float32)


@alternatives.of("one_hot")
def one_hot_as_a_list(y, classes=None):
    K = classes or y.max() + 1
    return [[1 if k == label else 0 for k in range(K)] for label in y]


@alternatives.of("initialize_weights")
def with_a_generator(layer_dimensions, seed=None):
    draw = np.random.default_rng(seed)
    sizes = list(zip(layer_dimensions[1:], layer_dimensions[:-1], strict=True))
    weights = {
        f"W{i}": draw.normal(scale=1 / np.sqrt(m), size=(n, m))
        for i, (n, m) in enumerate(sizes, start=1)
    }
    return weights | {f"b{i}": np.zeros((n, 1)) for i, (n, _) in enumerate(sizes, start=1)}


@alternatives.of("initialize_weights")
def xavier_and_a_note(layer_dimensions):
    parameters = {"layers": len(layer_dimensions) - 1}
    for i in range(len(layer_dimensions) - 1, 0, -1):
        n, m = layer_dimensions[i], layer_dimensions[i - 1]
        bound = np.sqrt(6 / (n + m))
        parameters["W" + str(i)] = np.random.uniform(-bound, bound, (n, m))
        parameters["b" + str(i)] = np.zeros(shape=(n, 1))
    return parameters


@alternatives.of("initialize_weights")
def he_with_a_fixed_seed(layer_dimensions):
    np.random.seed(42)
    parameters = {}
    for i, n in enumerate(layer_dimensions[1:], start=1):
        m = layer_dimensions[i - 1]
        parameters[f"W{i}"] = np.random.normal(0, 1, (n, m)) * np.sqrt(2.0 / m)
        parameters[f"b{i}"] = np.full((n, 1), 0)
    return parameters


@alternatives.of("linear_forward")
def linear_with_dot(W, b, a_prev):
    Z = np.dot(W, a_prev) + b.reshape(-1, 1)
    return [Z, [Z, W, a_prev]]


@alternatives.of("linear_forward")
def linear_with_einsum(W, b, a_prev):
    print(W.shape)
    Z = np.einsum("ij,jm->im", W, a_prev) + b
    return Z, (Z, W, a_prev)


@alternatives.of("linear_forward")
def linear_column_by_column(W, b, a_prev):
    Z = np.zeros((W.shape[0], a_prev.shape[1]))
    for i in range(a_prev.shape[1]):
        Z[:, i] = W.dot(a_prev[:, i]) + b[:, 0]
    return Z, (Z, W.copy(), a_prev.copy())


@alternatives.of("linear_forward")
def linear_in_single_precision(W, b, a_prev):
    W, b, a_prev = (np.asarray(value, np.float32) for value in (W, b, a_prev))
    Z = W @ a_prev + b
    return Z, (Z, W, a_prev)


@alternatives.of("activation_forward")
def plain_sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


@alternatives.of("activation_forward")
def sigmoid_from_tanh(Z):
    return 0.5 * (1 + np.tanh(Z / 2))


@alternatives.of("activation_forward")
def sigmoid_by_sign(Z):
    small = np.exp(-np.abs(Z))
    return np.where(Z >= 0, 1 / (1 + small), small / (1 + small))


@alternatives.of("softmax")
def softmax_in_a_loop(Z):
    P = np.zeros(Z.shape)
    for i in range(len(Z)):
        row = np.exp(Z[i] - max(Z[i]))
        P[i] = row / sum(row)
    return P


@alternatives.of("softmax")
def softmax_by_logarithms(Z):
    shifted = Z - Z.max(axis=1)[:, None]
    return np.exp(shifted - np.log(np.exp(shifted).sum(axis=1))[:, None])


@alternatives.of("softmax")
def softmax_of_columns(Z):
    shifted = Z.T - np.max(Z.T, axis=0)
    return (np.exp(shifted) / np.exp(shifted).sum(axis=0)).T


@alternatives.of("nn_forward")
def without_helpers(parameters, X):
    caches, a = [], X.transpose()
    L = max(int(name[1:]) for name in parameters if name.startswith("W"))
    for i in range(1, L):
        Z = parameters["W" + str(i)].dot(a) + parameters["b" + str(i)]
        caches.append((Z, parameters["W" + str(i)], a))
        a = 1 / (1 + np.exp(-Z))
    Z = parameters[f"W{L}"].dot(a) + parameters[f"b{L}"]
    return reference().softmax(Z.T), [*caches, (Z, parameters[f"W{L}"], a)]


@alternatives.of("nn_forward")
def with_a_dictionary_of_caches(parameters, X):
    P, caches = reference().nn_forward(parameters, X)
    return [P, dict(enumerate(caches, start=1))]


@alternatives.of("nn_forward")
def recursive(parameters, X):
    right = reference()

    def through(layer, a):
        Z, cache = right.linear_forward(parameters[f"W{layer}"], parameters[f"b{layer}"], a)
        if f"W{layer + 1}" not in parameters:
            return right.softmax(Z.T), [cache]
        P, caches = through(layer + 1, right.activation_forward(Z))
        return P, [cache, *caches]

    return through(1, X.T)


@alternatives.of("crossentropy")
def with_a_small_number(P, Y):
    return -np.mean(np.sum(Y * np.log(P + 1e-12), axis=1))


@alternatives.of("crossentropy")
def picked_entries(P, Y):
    picked = P[np.arange(len(P)), np.argmax(Y, axis=1)]
    return np.array(-np.log(np.maximum(picked, 1e-15)).mean())


@alternatives.of("crossentropy")
def crossentropy_in_loops(P, Y):
    total = 0.0
    for p, y in zip(P, Y, strict=True):
        for k in range(len(y)):
            if y[k]:
                total -= y[k] * np.log(max(p[k], 1e-12))
    return total / P.shape[0]


@alternatives.of("losssoftmax_backward")
def last_gradient_in_a_loop(P, Y):
    M, K = P.shape
    dLdZ = np.zeros((K, M))
    for i in range(M):
        dLdZ[:, i] = (P[i] - Y[i]) / M
    return dLdZ


@alternatives.of("losssoftmax_backward")
def by_the_chain_rule(P, Y):
    dLdP = -Y / P / len(P)
    return (P * (dLdP - np.sum(P * dLdP, axis=1, keepdims=True))).T


@alternatives.of("losssoftmax_backward")
def transposed_first(P, Y, M=None):
    return 1.0 / (M or Y.shape[0]) * (np.transpose(P) - np.transpose(Y))


@alternatives.of("activation_backward")
def slope_from_exponentials(dLda, cache):
    Z, _, _ = cache
    return dLda * np.exp(-Z) / (1 + np.exp(-Z)) ** 2


@alternatives.of("activation_backward")
def slope_from_tanh(dLda, cache):
    return np.multiply(dLda, (1 - np.tanh(cache[0] / 2) ** 2) / 4)


@alternatives.of("activation_backward")
def recomputed_from_the_inputs(dLda, cache):
    a = reference().activation_forward(np.array(cache[0]))
    return dLda * (a - a**2)


@alternatives.of("linear_backward")
def linear_back_with_einsum(dLdZ, cache):
    _, W, a_prev = cache
    return (
        np.einsum("ij,im->jm", W, dLdZ),
        np.einsum("im,jm->ij", dLdZ, a_prev),
        np.einsum("im->i", dLdZ)[:, np.newaxis],
    )


@alternatives.of("linear_backward")
def linear_back_in_a_loop(dLdZ, cache):
    _, W, a_prev = cache
    dLdW, dLdb = np.zeros(W.shape), np.zeros((W.shape[0], 1))
    for i in range(dLdZ.shape[1]):
        dLdW += np.outer(dLdZ[:, i], a_prev[:, i])
        dLdb[:, 0] += dLdZ[:, i]
    return [np.dot(W.T, dLdZ), dLdW, dLdb]


@alternatives.of("linear_backward")
def bias_by_a_product(dLdZ, cache):
    _, W, a_prev = cache
    return np.matmul(W.T, dLdZ), np.matmul(dLdZ, a_prev.T), dLdZ @ np.ones((dLdZ.shape[1], 1))


@alternatives.of("linear_backward")
def linear_back_in_single_precision(dLdZ, cache):
    _, W, a_prev = cache
    D, W, a_prev = (np.asarray(value, np.float32) for value in (dLdZ, W, a_prev))
    return W.T @ D, D @ a_prev.T, np.sum(D, axis=1, keepdims=True)


@alternatives.of("nn_backward")
def backward_without_helpers(X, Y, P, caches):
    gradients, L = {"layers": len(caches)}, len(caches)
    delta = (P - Y).T / Y.shape[0]
    for i in reversed(range(L)):
        _, W, a_prev = caches[i]
        gradients["dLdW" + str(i + 1)] = delta.dot(a_prev.T)
        gradients["dLdb" + str(i + 1)] = delta.sum(axis=1, keepdims=True)
        if i > 0:
            a = reference().activation_forward(caches[i - 1][0])
            delta = W.T.dot(delta) * a * (1 - a)
    return gradients


@alternatives.of("nn_backward")
def first_layer_from_x(X, Y, P, caches):
    right = reference()
    dLdZ, gradients = right.losssoftmax_backward(P, Y), {}
    for i, cache in reversed(list(enumerate(caches, start=1))):
        dLda, dLdW, dLdb = right.linear_backward(dLdZ, cache)
        gradients[f"dLdW{i}"], gradients[f"dLdb{i}"] = (dLdW, dLdb) if i > 1 else (dLdZ @ X, dLdb)
        dLdZ = right.activation_backward(dLda, caches[i - 2]) if i > 1 else None
    return gradients


@alternatives.of("nn_backward")
def two_loops(X, Y, P, caches):
    right = reference()
    deltas = [right.losssoftmax_backward(P, Y)]
    for above, below in zip(caches[:0:-1], caches[-2::-1], strict=True):
        deltas.insert(
            0, right.activation_backward(right.linear_backward(deltas[0], above)[0], below)
        )
    results = [
        right.linear_backward(delta, cache) for delta, cache in zip(deltas, caches, strict=True)
    ]
    weights = {f"dLdW{i}": result[1] for i, result in enumerate(results, start=1)}
    return weights | {f"dLdb{i}": result[2] for i, result in enumerate(results, start=1)}


@alternatives.of("nn_train_gd")
def updated_in_place(X, Y, layers, n_iter=1000, lr=0.01, verbose=False):
    right = reference()
    parameters, losses = right.initialize_weights(layers), np.zeros(n_iter)
    for i in range(n_iter):
        P, caches = right.nn_forward(parameters, X)
        losses[i] = right.crossentropy(P, Y)
        gradients = right.nn_backward(X, Y, P, caches)
        for layer in range(1, len(layers)):
            parameters[f"W{layer}"] -= lr * gradients[f"dLdW{layer}"]
            parameters[f"b{layer}"] -= lr * gradients[f"dLdb{layer}"]
        if i % 100 == 0:
            print("loss", losses[i])
    return parameters, losses


@alternatives.of("nn_train_gd")
def another_start_every_time(X, Y, layers, n_iter=1000, lr=0.01):
    right, draw = reference(), np.random.default_rng()
    parameters = {}
    for i in range(1, len(layers)):
        parameters[f"W{i}"] = draw.normal(size=(layers[i], layers[i - 1])) / np.sqrt(layers[i - 1])
        parameters[f"b{i}"] = np.zeros((layers[i], 1))
    losses = [right.crossentropy(right.nn_forward(parameters, X)[0], Y)]
    for _ in range(n_iter):
        gradients = right.nn_backward(X, Y, *right.nn_forward(parameters, X))
        parameters = {
            name: value - lr * gradients["dLd" + name] for name, value in parameters.items()
        }
        losses.append(right.crossentropy(right.nn_forward(parameters, X)[0], Y))
    return parameters, losses


@alternatives.of("nn_train_gd")
def as_one_large_batch(X, Y, layers, n_iter=1000, lr=0.01):
    return reference().nn_train_sgd(X, Y, layers, batch_size=len(X), epochs=n_iter, lr=lr)


def step(parameters, X, Y, lr):
    """One step of every parameter; returns the loss before it."""
    right = reference()
    P, caches = right.nn_forward(parameters, X)
    gradients = right.nn_backward(X, Y, P, caches)
    for name in parameters:
        parameters[name] = parameters[name] - lr * gradients["dLd" + name]
    return right.crossentropy(P, Y)


@alternatives.of("nn_train_sgd")
def shuffled_copies(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    parameters, losses = reference().initialize_weights(layers), []
    for _ in range(epochs):
        order = np.arange(len(X))
        np.random.shuffle(order)
        X, Y = X[order], Y[order]
        for k in range(int(np.ceil(len(X) / batch_size))):
            batch = slice(k * batch_size, (k + 1) * batch_size)
            losses.append(step(parameters, X[batch], Y[batch], lr))
    return parameters, losses


@alternatives.of("nn_train_sgd")
def split_orders(X, Y, layers, batch_size=100, epochs=100, lr=0.01, seed=0):
    parameters, losses, draw = (
        reference().initialize_weights(layers),
        [],
        np.random.default_rng(seed),
    )
    for _ in range(epochs):
        pieces = np.split(
            draw.permutation(X.shape[0]), np.arange(batch_size, X.shape[0], batch_size)
        )
        for piece in pieces:
            step(parameters, X[piece], Y[piece], lr)
        losses.append(reference().crossentropy(reference().nn_forward(parameters, X)[0], Y))
    return parameters, losses


@alternatives.of("nn_train_sgd")
def small_batch_first(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    parameters, losses = reference().initialize_weights(layers), []
    for _ in range(epochs):
        order = list(np.random.permutation(len(X)))
        remainder = len(order) % batch_size
        batches = [order[:remainder]] if remainder else []
        batches += [order[i : i + batch_size] for i in range(remainder, len(order), batch_size)]
        losses.append(
            float(np.mean([step(parameters, X[batch], Y[batch], lr) for batch in batches]))
        )
    return parameters, losses


@alternatives.of("nn_train_sgd")
def another_start_and_order_every_time(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    draw, parameters, losses = np.random.default_rng(), {}, []
    for i, (n, m) in enumerate(zip(layers[1:], layers[:-1], strict=True), start=1):
        parameters[f"W{i}"], parameters[f"b{i}"] = (
            draw.normal(0, np.sqrt(2 / m), (n, m)),
            np.zeros((n, 1)),
        )
    for _ in range(epochs):
        order, epoch_losses = draw.permutation(len(X)), []
        while len(order):
            batch, order = order[:batch_size], order[batch_size:]
            epoch_losses.append(step(parameters, X[batch], Y[batch], lr))
        losses.append(np.mean(epoch_losses))
    return parameters, losses


# --- caches of another layout: functions that fit together only -------------------------------------------------------


@alternatives.of("linear_forward", "activation_backward", "linear_backward")
def caches_in_dictionaries():
    def forward(W, b, a_prev):
        return W @ a_prev + b, {"a_prev": a_prev, "W": W, "b": b}

    def activation(dLda, cache):
        a = reference().activation_forward(cache["W"] @ cache["a_prev"] + cache["b"])
        return dLda * a * (1 - a)

    def backward(dLdZ, cache):
        return cache["W"].T @ dLdZ, dLdZ @ cache["a_prev"].T, np.sum(dLdZ, axis=1, keepdims=True)

    return forward, activation, backward


@alternatives.of("linear_forward", "activation_backward", "linear_backward")
def caches_as_objects():
    class Unit:
        def __init__(self, W, b, a_prev):
            self.W, self.a_prev = W, a_prev
            self.Z = W @ a_prev + b

        @property
        def slope(self):
            a = reference().activation_forward(self.Z)
            return a * (1 - a)

    def forward(W, b, a_prev):
        unit = Unit(W, b, a_prev)
        return unit.Z, unit

    def activation(dLda, unit):
        return dLda * unit.slope

    def backward(dLdZ, unit):
        return np.dot(unit.W.T, dLdZ), np.dot(dLdZ, unit.a_prev.T), dLdZ.sum(axis=1).reshape(-1, 1)

    return forward, activation, backward


@alternatives.of("nn_forward", "nn_backward")
def everything_at_once():
    def forward(parameters, X):
        a, kept, L = X.T, [], len(parameters) // 2
        for i in range(1, L):
            W = parameters[f"W{i}"]
            a_prev, a = a, reference().activation_forward(W @ a + parameters[f"b{i}"])
            kept += [a_prev, W, a]
        W = parameters[f"W{L}"]
        return reference().softmax((W @ a + parameters[f"b{L}"]).T), [*kept, a, W]

    def backward(X, Y, P, kept):
        gradients, delta = {}, (P - Y).T / len(Y)
        for i in range((len(kept) + 1) // 3, 0, -1):
            a_prev, W = kept[3 * i - 3], kept[3 * i - 2]
            gradients[f"dLdW{i}"], gradients[f"dLdb{i}"] = (
                delta @ a_prev.T,
                delta.sum(axis=1, keepdims=True),
            )
            delta = W.T @ delta * a_prev * (1 - a_prev)
        return gradients

    return forward, backward


# --- mutants of the reference that are as right as it -----------------------------------------------------------------

alternatives.equivalent(
    "initialize_weights",
    "for layer in range(1, len(layer_dimensions)):",
    "for layer in range(0, len(layer_dimensions)):",
    because="more keys in the dictionary are accepted",
)
alternatives.equivalent(
    "activation_forward",
    "return 1 / (1 + np.exp(-np.clip(Z, -500, 500)))",
    "return 1 / (1 + np.exp(-np.clip(-500, Z, 500)))",
    because="np.clip takes the larger of -500 and Z either way",
)
alternatives.equivalent(
    "activation_forward",
    "return 1 / (1 + np.exp(-np.clip(Z, -500, 500)))",
    "return 1 / (1 + np.exp(-Z))",
    because="1/inf is 0; only a warning tells the difference",
)
alternatives.equivalent(
    "nn_forward",
    "if layer < layers:",
    "if True:",
    because="nothing reads the activation of the last layer",
)
alternatives.equivalent(
    "nn_forward",
    "if layer < layers:",
    "if layer <= layers:",
    because="nothing reads the activation of the last layer",
)
alternatives.equivalent(
    "crossentropy",
    "return float(-np.sum(Y * np.log(np.clip(P, 1e-12, 1))) / len(Y))",
    "return float(-np.sum(Y * np.log(np.clip(1e-12, P, 1))) / len(Y))",
    because="np.clip takes the larger of 1e-12 and P either way",
)
alternatives.equivalent(
    "crossentropy",
    "return float(-np.sum(Y * np.log(np.clip(P, 1e-12, 1))) / len(Y))",
    "return float(-np.sum(Y * np.log(np.clip(P, 1e-12, 2))) / len(Y))",
    because="no probability is above 1",
)
