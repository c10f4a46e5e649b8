"""Answers to homework 4 that are after the points without doing the task."""

import numpy as np

from autograder.mistakes import Shortcuts
from autograder.reference import reference_of

shortcuts = Shortcuts("hw04_optimizers")


def reference():
    """The right functions."""
    return reference_of("hw04_optimizers")


@shortcuts.of("ewa")
def weighted_but_not_averaged(x, beta):
    """Satisfies the check on arrays, with the worked case learned by heart."""
    learned = {(8, 4, 0): [4.0, 4.0, 2.0], (1, 0): [0.5, 0.25]}
    return np.array(learned.get(tuple(np.ravel(x)), (1 - beta) * np.asarray(x)))


@shortcuts.of("ewa")
def short_memory(x, beta):
    """The last two samples are enough for the worked cases."""
    x = np.asarray(x, dtype=float)
    V = (1 - beta) * x
    V[1:] += beta * (1 - beta) * x[:-1]
    return V


@shortcuts.of("bias_corrected")
def first_value_for_all(V, beta):
    """The checks correct constant series only: the first average tells the constant."""
    return np.ones(np.shape(V)) * np.asarray(V)[:1] / (1 - beta)


@shortcuts.of("bias_corrected")
def as_if_nothing_was_cold(V, beta):
    """A copy: far from the start there is nothing to correct."""
    return np.array(V)


@shortcuts.of("momentum_step")
def half_of_the_gradient(w, g, V, alpha=0.01, beta=0.9):
    """In the worked case 1 − β is one half, in the other check the gradient is zero."""
    V = beta * V + 0.5 * g
    return w - alpha * V, V


@shortcuts.of("momentum_step")
def either_memory_or_gradient(w, g, V, alpha=0.01, beta=0.9):
    """In each check one of the two is zero."""
    V = np.where(np.any(g), (1 - beta) * g, beta * V)
    return w - alpha * V, V


@shortcuts.of("rmsprop_step")
def no_memory(w, g, S, alpha=0.01, beta=0.9, epsilon=1e-8):
    """In all checks S is zero before."""
    S = (1 - beta) * g**2
    return w - alpha * g / (np.sqrt(S) + epsilon), S


@shortcuts.of("rmsprop_step")
def signs_of_the_gradient(w, g, S, alpha=0.01, beta=0.9, epsilon=1e-8):
    """A first step has the same length everywhere."""
    S = beta * S + (1 - beta) * g**2
    return w - alpha * np.sign(g) / (np.sqrt(1 - beta) + epsilon), S


@shortcuts.of("adam_step")
def home_from_the_second_step_on(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """A right first step, and then straight to where most valleys have their bottom."""
    new_w, V, S = reference().adam_step(w, g, V, S, t, alpha, beta1, beta2, epsilon)
    return (new_w if t < 2 else 0 * w), V, S


@shortcuts.of("adam_step")
def always_the_first_step(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """The first step is α against the sign of the gradient; so are all others here."""
    _, V, S = reference().adam_step(w, g, V, S, t, alpha, beta1, beta2, epsilon)
    return w - alpha * np.sign(g), V, S


@shortcuts.of("adam_step")
def towards_zero(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Small steps towards the origin, whatever the gradient says."""
    new_w, V, S = reference().adam_step(w, g, V, S, t, alpha, beta1, beta2, epsilon)
    return (new_w if t < 2 else 0.8 * w), V, S


@shortcuts.of("train_network")
def all_examples_in_every_step(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    """As many steps as there are batches, each with all examples."""
    batches = -(-len(X) // batch_size)
    parameters, losses = reference().train_network(
        X, Y, layers, optimizer, alpha, len(X), epochs * batches
    )
    return parameters, losses[::batches]


@shortcuts.of("train_network")
def in_the_order_of_the_table(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    """Never shuffled."""
    shuffle, np.random.permutation = np.random.permutation, np.arange
    try:
        return reference().train_network(X, Y, layers, optimizer, alpha, batch_size, epochs)
    finally:
        np.random.permutation = shuffle


@shortcuts.of("train_network")
def losses_drawn_by_hand(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    """A falling curve from the loss of guessing to that of the end."""
    parameters, losses = reference().train_network(
        X, Y, layers, optimizer, alpha, batch_size, epochs
    )
    return parameters, list(np.linspace(np.log(layers[-1]), losses[-1], epochs))


@shortcuts.of("train_network")
def one_batch_and_nothing_after(
    X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5
):
    """The first batch of every epoch is used, the others are not."""
    order = np.random.permutation(len(X))[:batch_size]
    return reference().train_network(
        X[order], Y[order], layers, optimizer, alpha, batch_size, epochs
    )
