"""Right answers to homework 4, written otherwise than in the reference."""

import numpy as np

from autograder.mistakes import Alternatives
from autograder.reference import reference_of

alternatives = Alternatives("hw04_optimizers")


def reference():
    """The right functions."""
    return reference_of("hw04_optimizers")


@alternatives.of("ewa")
def closed_form(x, beta):
    x = np.asarray(x, dtype=float)
    V = np.zeros(x.shape)
    for t in range(len(x)):
        for k in range(t + 1):
            V[t] += (1 - beta) * beta ** (t - k) * x[k]
    return V


@alternatives.of("ewa")
def list_of_averages(x, beta):
    averages = [(1 - beta) * x[0]]
    for sample in x[1:]:
        averages.append(beta * averages[-1] + (1 - beta) * sample)
    return averages


@alternatives.of("ewa")
def weights_as_a_matrix(x, beta):
    lag = np.subtract.outer(np.arange(len(x)), np.arange(len(x)))
    weights = np.where(lag >= 0, (1 - beta) * beta ** np.maximum(lag, 0.0), 0.0)
    return np.tensordot(weights, x, axes=1)


@alternatives.of("bias_corrected")
def corrected_in_a_loop(V, beta):
    result = np.zeros(V.shape)
    for i in range(V.shape[0]):
        result[i] = V[i] / (1 - beta ** (i + 1))
    return result


@alternatives.of("bias_corrected")
def corrected_from_the_end(V, beta):
    t = np.arange(1, len(V) + 1)
    return (np.asarray(V).T / (1 - np.power(beta, t))).T


@alternatives.of("bias_corrected")
def corrected_by_the_sum_of_weights(V, beta):
    weights = np.cumsum((1 - beta) * beta ** np.arange(len(V)))
    return np.array([value / weight for value, weight in zip(V, weights, strict=True)])


@alternatives.of("momentum_step")
def incremental_average(w, g, V, alpha=0.01, beta=0.9):
    new = V + (1 - beta) * (g - V)
    return [w - alpha * new, new]


@alternatives.of("momentum_step")
def momentum_on_copies(w, g, V, alpha=0.01, beta=0.9, nesterov=False):
    w, V = w.copy(), V.copy()
    V *= beta
    V += (1 - beta) * g
    w -= alpha * V
    return w, V


@alternatives.of("momentum_step")
def momentum_by_average(w, g, V, alpha=0.01, beta=0.9):
    V = np.average([V, g], axis=0, weights=[beta, 1 - beta])
    print("step", alpha * V)
    return np.subtract(w, alpha * V), V


@alternatives.of("rmsprop_step")
def rmsprop_with_powers(w, g, S, alpha=0.01, beta=0.9, epsilon=1e-8):
    S = np.multiply(beta, S) + (1 - beta) * np.power(g, 2)
    return w - alpha / (S**0.5 + epsilon) * g, S


@alternatives.of("rmsprop_step")
def rmsprop_element_by_element(w, g, S, alpha=0.01, beta=0.9, epsilon=1e-8):
    new_w, new_S = np.zeros(w.shape), np.zeros(w.shape)
    for i in np.ndindex(w.shape):
        new_S[i] = beta * S[i] + (1 - beta) * g[i] * g[i]
        new_w[i] = w[i] - alpha * g[i] / (np.sqrt(new_S[i]) + epsilon)
    return new_w, new_S


@alternatives.of("rmsprop_step")
def rmsprop_from_the_average(w, g, S, alpha=0.01, beta=0.9, epsilon=1e-8):
    _, squares = reference().momentum_step(w, np.square(g), S, 0.0, beta)
    return w - alpha * np.divide(g, epsilon + np.sqrt(squares)), squares


@alternatives.of("adam_step")
def adam_with_one_factor(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    V, S = beta1 * V + (1 - beta1) * g, beta2 * S + (1 - beta2) * g * g
    root = np.sqrt(1 - beta2**t)
    return w - alpha * root / (1 - beta1**t) * V / (np.sqrt(S) + epsilon * root), V, S


@alternatives.of("adam_step")
def adam_from_the_other_two(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    right = reference()
    V = right.momentum_step(w, g, V, alpha, beta1)[1]
    S = right.rmsprop_step(w, g, S, alpha, beta2, epsilon)[1]
    return [w - alpha * V / (1 - beta1**t) / (np.sqrt(S / (1 - beta2**t)) + epsilon), V, S]


@alternatives.of("adam_step")
def adam_on_copies(
    w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.0
):
    new_w, new_V, new_S = np.array(w), np.array(V), np.array(S)
    new_V += (1 - beta1) * (g - V)
    new_S += (1 - beta2) * (g**2 - S)
    new_w -= (
        alpha * np.divide(new_V, 1 - beta1**t) / (np.sqrt(np.divide(new_S, 1 - beta2**t)) + epsilon)
    )
    return new_w, new_V, new_S


@alternatives.of("adam_step")
def adam_in_the_papers_short_form(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    V, S = beta1 * V + (1 - beta1) * g, beta2 * S + (1 - beta2) * g**2
    alpha_t = alpha * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return w - alpha_t * V / (np.sqrt(S) + epsilon), V, S


@alternatives.of("train_network")
def state_in_one_dictionary(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    right = reference()
    parameters, losses, t = right.initial_parameters(layers), [], 1
    memory = {name: [0.0 * w, 0.0 * w] for name, w in parameters.items()}
    for _ in range(epochs):
        order = list(np.random.permutation(len(X)))
        while order:
            batch, order = order[:batch_size], order[batch_size:]
            loss, gradients = right.loss_and_gradients(parameters, X[batch], Y[batch])
            losses.append(loss)
            for name in parameters:
                w, g, (V, S) = parameters[name], gradients[name], memory[name]
                if optimizer == "gd":
                    w = w - alpha * g
                if optimizer == "momentum":
                    w, V = right.momentum_step(w, g, V, alpha=alpha)
                if optimizer == "rmsprop":
                    w, S = right.rmsprop_step(w, g, S, alpha=alpha)
                if optimizer == "adam":
                    w, V, S = right.adam_step(w, g, V, S, t, alpha=alpha)
                parameters[name], memory[name] = w, [V, S]
            t += 1
    return parameters, losses


@alternatives.of("train_network")
def with_a_class(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    right = reference()

    class Optimizer:
        def __init__(self, w):
            self.V, self.S, self.t = np.zeros(w.shape), np.zeros(w.shape), 0

        def step(self, w, g):
            self.t += 1
            if optimizer == "gd":
                return w - alpha * g
            if optimizer == "momentum":
                w, self.V = right.momentum_step(w, g, self.V, alpha)
            elif optimizer == "rmsprop":
                w, self.S = right.rmsprop_step(w, g, self.S, alpha)
            else:
                w, self.V, self.S = right.adam_step(w, g, self.V, self.S, self.t, alpha)
            return w

    parameters, losses = right.initial_parameters(layers), []
    optimizers = {name: Optimizer(w) for name, w in parameters.items()}
    for _ in range(epochs):
        order, total = np.random.permutation(X.shape[0]), 0.0
        for k in range(-(-len(X) // batch_size)):
            batch = order[k * batch_size : (k + 1) * batch_size]
            loss, gradients = right.loss_and_gradients(parameters, X[batch], Y[batch])
            parameters = {
                name: optimizers[name].step(w, gradients[name]) for name, w in parameters.items()
            }
            total += loss * len(batch)
        losses.append(total / len(X))
    return parameters, np.array(losses)


@alternatives.of("train_network")
def shuffled_copies(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    right, t = reference(), 0
    parameters, losses = right.initial_parameters(layers), []
    V, S = ({name: np.zeros_like(w) for name, w in parameters.items()} for _ in range(2))

    def plain(name, g, t):
        return parameters[name] - alpha * g

    def momentum(name, g, t):
        w, V[name] = right.momentum_step(parameters[name], g, V[name], alpha)
        return w

    def rmsprop(name, g, t):
        w, S[name] = right.rmsprop_step(parameters[name], g, S[name], alpha)
        return w

    def adam(name, g, t):
        w, V[name], S[name] = right.adam_step(parameters[name], g, V[name], S[name], t, alpha)
        return w

    step = {"gd": plain, "momentum": momentum, "rmsprop": rmsprop, "adam": adam}[optimizer]
    for _ in range(epochs):
        order = np.random.permutation(len(X))
        X, Y = X[order], Y[order]
        for start in range(0, len(X), batch_size):
            t += 1
            x, y = X[start : start + batch_size], Y[start : start + batch_size]
            gradients = right.loss_and_gradients(parameters, x, y)[1]
            parameters.update({name: step(name, gradients[name], t) for name in list(parameters)})
        losses.append(right.loss_and_gradients(parameters, X, Y)[0])
    return parameters, losses


@alternatives.of("train_network")
def another_order_every_time(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    right, draw, t = reference(), np.random.default_rng(), 0
    parameters, losses = right.initial_parameters(layers), []
    memory = {name: (np.zeros(w.shape), np.zeros(w.shape)) for name, w in parameters.items()}
    for _ in range(epochs):
        batches = np.array_split(
            draw.permutation(len(X)), np.arange(batch_size, len(X), batch_size)
        )
        epoch_losses = []
        for batch in batches:
            t += 1
            loss, gradients = right.loss_and_gradients(parameters, X[batch], Y[batch])
            epoch_losses.append(loss)
            for name, g in gradients.items():
                w, (V, S) = parameters[name], memory[name]
                if optimizer == "gd":
                    w = w - alpha * g
                elif optimizer == "momentum":
                    w, V = right.momentum_step(w, g, V, alpha)
                elif optimizer == "rmsprop":
                    w, S = right.rmsprop_step(w, g, S, alpha)
                else:
                    w, V, S = right.adam_step(w, g, V, S, t, alpha)
                parameters[name], memory[name] = w, (V, S)
        losses.append(sum(epoch_losses) / len(epoch_losses))
    return parameters, losses


# --- mutants of the reference that are as right as it -----------------------------------------------------------------

alternatives.equivalent(
    "ewa",
    "V, average = (np.zeros(np.shape(x)), 0.0)",
    "V, average = (np.ones(np.shape(x)), 0.0)",
    because="every entry is overwritten",
)
alternatives.equivalent(
    "bias_corrected",
    "t = np.arange(1, len(V) + 1).reshape(-1, *[1] * (np.ndim(V) - 1))",
    "t = np.arange(1, len(V) + 1).reshape(-2, *[1] * (np.ndim(V) - 1))",
    because="NumPy takes any negative length for the one to be found",
)
