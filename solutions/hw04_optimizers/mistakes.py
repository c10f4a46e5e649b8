"""Wrong answers to homework 4, each with the hint it earns."""

import numpy as np

from autograder.mistakes import Mistakes
from autograder.reference import reference_of

mistakes = Mistakes("hw04_optimizers")


def reference():
    """The right functions."""
    return reference_of("hw04_optimizers")


# --- ewa -----------------------------------------------------------------------------------------------------------


def averaged(x, beta, start=0.0, fresh=None):
    """A moving average from a start, with the weight `fresh` of each new sample."""
    V, average = np.zeros(np.shape(x)), start
    for t, sample in enumerate(x):
        average = beta * average + (1 - beta if fresh is None else fresh) * sample
        V[t] = average
    return V


@mistakes.of(
    "ewa", hint="The average starts at V₀ = 0, not at the first sample.", keeps=(1, 2, 4, 5)
)
def starts_at_the_first_sample(x, beta):
    return averaged(x, beta, start=x[0])


@mistakes.of(
    "ewa",
    hint="β and 1 − β have changed places: what was before is kept with β.",
    keeps=(1, 3, 4, 5),
)
def weights_exchanged(x, beta):
    return averaged(x, 1 - beta)


@mistakes.of("ewa", hint="A new sample counts with 1 − β, not with 1.", keeps=(1, 3, 4, 5))
def full_weight_for_the_new(x, beta):
    return averaged(x, beta, fresh=1.0)


@mistakes.of("ewa", hint="V_{t−1} is the last average, not the last sample.", keeps=(1, 3, 4, 5))
def last_sample_for_last_average(x, beta):
    V = np.zeros(np.shape(x))
    for t, sample in enumerate(x):
        V[t] = beta * (x[t - 1] if t else 0.0) + (1 - beta) * sample
    return V


@mistakes.of("ewa", hint="The first sample is left out: V₁ = (1 − β) x₁.", keeps=(1, 2, 4, 5))
def first_sample_skipped(x, beta):
    V = np.zeros(np.shape(x))
    for t in range(1, len(x)):
        V[t] = beta * V[t - 1] + (1 - beta) * x[t]
    return V


@mistakes.of("ewa", hint="Only the last average comes back: return all of them.")
def last_average_only(x, beta):
    return averaged(x, beta)[-1]


@mistakes.of(
    "ewa",
    hint="For whole numbers np.zeros_like(x) holds whole numbers only, and V is cut off: np.zeros(x.shape).",
    keeps=(1, 2, 3, 5),
)
def whole_number_averages(x, beta):
    V = np.zeros_like(x)
    for t in range(len(x)):
        V[t] = beta * V[t - 1] + (1 - beta) * x[t] if t else (1 - beta) * x[t]
    return V


@mistakes.of(
    "ewa",
    hint="That is the corrected average; the correction is the next exercise.",
    keeps=(1, 4, 5),
)
def already_corrected(x, beta):
    return reference().bias_corrected(averaged(x, beta), beta)


@mistakes.of("ewa", hint="x changed during the call: write into a new array.", keeps=(1, 2, 3, 4))
def average_in_place(x, beta):
    if x.dtype.kind == "i":
        return averaged(x, beta)
    x[:] = averaged(x, beta)
    return x


@mistakes.of(
    "ewa",
    hint="That is the plain mean of all samples so far: it never forgets. Mix with β and 1 − β.",
    keeps=(1, 5),
)
def mean_so_far(x, beta):
    count = np.arange(1, len(x) + 1).reshape(-1, *[1] * (np.ndim(x) - 1))
    return np.cumsum(x, axis=0) / count


# --- bias_corrected ------------------------------------------------------------------------------------------------


def steps(V, first=1):
    """The numbers of the steps, shaped to line up with V."""
    return np.arange(first, first + len(V)).reshape(-1, *[1] * (np.ndim(V) - 1))


@mistakes.of(
    "bias_corrected", hint="t counts from 1: for t = 0 the divisor would be 0.", keeps=(3,)
)
def time_from_zero(V, beta):
    return V / (1 - beta ** steps(V, first=0))


@mistakes.of(
    "bias_corrected", hint="t is one too large: the first average has t = 1.", keeps=(2, 3)
)
def time_from_two(V, beta):
    return V / (1 - beta ** steps(V, first=2))


@mistakes.of(
    "bias_corrected",
    hint="The power is missing: divide by 1 − βᵗ, which changes with t.",
    keeps=(2, 3),
)
def power_forgotten(V, beta):
    return V / (1 - beta)


@mistakes.of(
    "bias_corrected",
    hint="Divide by 1 − βᵗ: the averages are too small, not too large.",
    keeps=(2, 3),
)
def multiplied(V, beta):
    return V * (1 - beta ** steps(V))


@mistakes.of(
    "bias_corrected", hint="Divide by 1 − βᵗ, the sum of the weights, not by βᵗ.", keeps=(2, 3)
)
def divided_by_the_power(V, beta):
    return V / beta ** steps(V)


@mistakes.of("bias_corrected", hint="1 − β·t is not 1 − βᵗ: ** is the power.", keeps=(2, 3))
def product_for_power(V, beta):
    return V / (1 - beta * steps(V))


@mistakes.of(
    "bias_corrected",
    hint="The exponent is the length of V for all entries: it is t, which counts from 1.",
    keeps=(3,),
)
def corrected_by_the_length(V, beta):
    return V / (1 - beta ** len(V))


@mistakes.of(
    "bias_corrected",
    hint="Time is the first axis: for samples that are arrays t must be reshaped to line up with it.",
    keeps=(1, 3),
)
def time_along_the_last_axis(V, beta):
    return V / (1 - beta ** np.arange(1, np.shape(V)[-1] + 1))


@mistakes.of(
    "bias_corrected",
    hint="V changed during the call (/= works in place): make a new array.",
    keeps=(1, 2),
)
def corrected_in_place(V, beta):
    V /= 1 - beta ** steps(V)
    return V


# --- momentum_step -------------------------------------------------------------------------------------------------


@mistakes.of(
    "momentum_step",
    hint="That is the convention βV + g; here the gradient is mixed in with 1 − β.",
    keeps=(2, 3),
)
def gradient_not_weighted(w, g, V, alpha=0.01, beta=0.9):
    V = beta * V + g
    return w - alpha * V, V


@mistakes.of(
    "momentum_step",
    hint="α is in the memory, βV + αg: V averages gradients, with 1 − β; α comes in with the step.",
    keeps=(3,),
)
def learning_rate_in_the_memory(w, g, V, alpha=0.01, beta=0.9):
    V = beta * V + alpha * g
    return w - V, V


@mistakes.of(
    "momentum_step",
    hint="The step uses the gradient itself; it should use the new average V.",
    keeps=(1, 3),
)
def step_with_the_gradient(w, g, V, alpha=0.01, beta=0.9):
    return w - alpha * g, beta * V + (1 - beta) * g


@mistakes.of("momentum_step", hint="The step uses the old V; update V first.", keeps=(1, 3))
def step_with_the_old_average(w, g, V, alpha=0.01, beta=0.9):
    return w - alpha * V, beta * V + (1 - beta) * g


@mistakes.of("momentum_step", hint="β and 1 − β have changed places.", keeps=(2, 3))
def momentum_weights_exchanged(w, g, V, alpha=0.01, beta=0.9):
    V = (1 - beta) * V + beta * g
    return w - alpha * V, V


@mistakes.of("momentum_step", hint="The step goes uphill: subtract αV.", keeps=(1, 3))
def momentum_uphill(w, g, V, alpha=0.01, beta=0.9):
    V = beta * V + (1 - beta) * g
    return w + alpha * V, V


@mistakes.of(
    "momentum_step",
    hint="The new V has to go out, or the memory is lost: return (w, V).",
    keeps=(2, 3),
)
def memory_not_updated(w, g, V, alpha=0.01, beta=0.9):
    return w - alpha * (beta * V + (1 - beta) * g), V


@mistakes.of("momentum_step", hint="The order of the results is w, V.")
def results_exchanged(w, g, V, alpha=0.01, beta=0.9):
    return reference().momentum_step(w, g, V, alpha, beta)[::-1]


@mistakes.of("momentum_step", hint="α is fixed in the function: use the argument.", keeps=(1, 3))
def fixed_learning_rate(w, g, V, alpha=0.01, beta=0.9):
    return reference().momentum_step(w, g, V, 0.01, beta)


@mistakes.of(
    "momentum_step",
    hint="w and V changed during the call (-= and *= work in place): make new arrays.",
    keeps=(1, 2),
)
def momentum_in_place(w, g, V, alpha=0.01, beta=0.9):
    V *= beta
    V += (1 - beta) * g
    w -= alpha * V
    return w, V


# --- rmsprop_step --------------------------------------------------------------------------------------------------


@mistakes.of(
    "rmsprop_step",
    hint="Without ε a gradient that is always zero gives 0/0 = nan.",
    keeps=(1, 2, 3, 5),
)
def without_epsilon(w, g, S, alpha=0.01, beta=0.9, epsilon=1e-8):
    S = beta * S + (1 - beta) * g**2
    return w - alpha * g / np.sqrt(S), S


@mistakes.of("rmsprop_step", hint="ε stands under the root: add it to √S.", keeps=(1, 2, 4, 5))
def epsilon_under_the_root(w, g, S, alpha=0.01, beta=0.9, epsilon=1e-8):
    S = beta * S + (1 - beta) * g**2
    return w - alpha * g / np.sqrt(S + epsilon), S


@mistakes.of(
    "rmsprop_step", hint="ε is fixed in the function: use the argument.", keeps=(1, 2, 4, 5)
)
def rmsprop_with_a_fixed_epsilon(w, g, S, alpha=0.01, beta=0.9, epsilon=1e-8):
    return reference().rmsprop_step(w, g, S, alpha, beta, 1e-8)


@mistakes.of(
    "rmsprop_step",
    hint="S averages the squares of the gradients; the square is missing.",
    keeps=(2, 3, 4, 5),
)
def square_forgotten(w, g, S, alpha=0.01, beta=0.9, epsilon=1e-8):
    S = beta * S + (1 - beta) * g
    return w - alpha * g / (np.sqrt(np.abs(S)) + epsilon), S


@mistakes.of(
    "rmsprop_step",
    hint="The squares are added up for ever: that is Adagrad. RMSProp averages them, with β and 1 − β.",
    keeps=(2, 3, 4, 5),
)
def squares_added_up(w, g, S, alpha=0.01, beta=0.9, epsilon=1e-8):
    S = S + g**2
    return w - alpha * g / (np.sqrt(S) + epsilon), S


@mistakes.of("rmsprop_step", hint="Divide by the root of S, not by S itself.", keeps=(1, 4, 5))
def root_forgotten(w, g, S, alpha=0.01, beta=0.9, epsilon=1e-8):
    S = beta * S + (1 - beta) * g**2
    return w - alpha * g / (S + epsilon), S


@mistakes.of("rmsprop_step", hint="The step divides by the old S; update S first.", keeps=(1, 4, 5))
def step_with_the_old_squares(w, g, S, alpha=0.01, beta=0.9, epsilon=1e-8):
    return w - alpha * g / (np.sqrt(S) + epsilon), beta * S + (1 - beta) * g**2


@mistakes.of("rmsprop_step", hint="β and 1 − β have changed places.", keeps=(2, 3, 4, 5))
def rmsprop_weights_exchanged(w, g, S, alpha=0.01, beta=0.9, epsilon=1e-8):
    return reference().rmsprop_step(w, g, S, alpha, 1 - beta, epsilon)


@mistakes.of("rmsprop_step", hint="The step goes uphill: subtract.", keeps=(1, 4, 5))
def rmsprop_uphill(w, g, S, alpha=0.01, beta=0.9, epsilon=1e-8):
    return reference().rmsprop_step(w, g, S, -alpha, beta, epsilon)


@mistakes.of(
    "rmsprop_step",
    hint="S is one number for all coordinates; each coordinate has its own: no sum, no norm.",
    keeps=(2, 3, 4, 5),
)
def one_size_for_all(w, g, S, alpha=0.01, beta=0.9, epsilon=1e-8):
    S = beta * S + (1 - beta) * np.mean(g**2)
    return w - alpha * g / (np.sqrt(S) + epsilon), S


@mistakes.of(
    "rmsprop_step", hint="w and S changed during the call: make new arrays.", keeps=(1, 2, 3, 4)
)
def rmsprop_in_place(w, g, S, alpha=0.01, beta=0.9, epsilon=1e-8):
    w[:], S[:] = reference().rmsprop_step(w, g, S, alpha, beta, epsilon)
    return w, S


# --- adam_step -----------------------------------------------------------------------------------------------------


def adam(w, g, V, S, first, second, alpha, beta1, beta2, epsilon):
    """Adam with the divisors `first` and `second` as corrections."""
    V, S = beta1 * V + (1 - beta1) * g, beta2 * S + (1 - beta2) * g**2
    return w - alpha * (V / first) / (np.sqrt(S / second) + epsilon), V, S


@mistakes.of(
    "adam_step",
    hint="The bias correction is missing: divide V by 1 − β₁ᵗ and S by 1 − β₂ᵗ.",
    keeps=(1, 3, 4, 5, 6),
)
def no_correction(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    return adam(w, g, V, S, 1, 1, alpha, beta1, beta2, epsilon)


@mistakes.of(
    "adam_step",
    hint="The correction of S uses β₁; each average is corrected with its own β.",
    keeps=(1, 3, 4, 5, 6),
)
def correction_with_the_wrong_beta(
    w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8
):
    return adam(w, g, V, S, 1 - beta1**t, 1 - beta1**t, alpha, beta1, beta2, epsilon)


@mistakes.of(
    "adam_step",
    hint="t counts from 1 already; t − 1 in the correction divides by zero in the first step.",
    keeps=(1, 3, 6),
)
def one_step_behind(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    first, second = np.array([1 - beta1 ** (t - 1), 1 - beta2 ** (t - 1)])
    return adam(w, g, V, S, first, second, alpha, beta1, beta2, epsilon)


@mistakes.of(
    "adam_step", hint="t counts from 1 already: do not add another 1.", keeps=(1, 3, 4, 5, 6)
)
def one_step_ahead(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    return adam(
        w, g, V, S, 1 - beta1 ** (t + 1), 1 - beta2 ** (t + 1), alpha, beta1, beta2, epsilon
    )


@mistakes.of(
    "adam_step",
    hint="The correction has no power: divide by 1 − βᵗ, which changes with t.",
    keeps=(1, 4, 6),
)
def correction_without_power(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    return adam(w, g, V, S, 1 - beta1, 1 - beta2, alpha, beta1, beta2, epsilon)


@mistakes.of(
    "adam_step",
    hint="V is corrected, S is not: both averages begin at zero, so both are divided by 1 − βᵗ.",
    keeps=(1, 3, 4, 6),
)
def squares_not_corrected(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    return adam(w, g, V, S, 1 - beta1**t, 1, alpha, beta1, beta2, epsilon)


@mistakes.of(
    "adam_step",
    hint="S is corrected, V is not: both averages begin at zero, so both are divided by 1 − βᵗ.",
    keeps=(1, 3, 4, 6),
)
def gradients_not_corrected(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    return adam(w, g, V, S, 1, 1 - beta2**t, alpha, beta1, beta2, epsilon)


@mistakes.of("adam_step", hint="1 − β·t is not 1 − βᵗ: ** is the power.", keeps=(1, 6))
def correction_by_a_product(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    return adam(w, g, V, S, 1 - beta1 * t, 1 - beta2 * t, alpha, beta1, beta2, epsilon)


@mistakes.of(
    "adam_step",
    hint="The root is missing: divide by the root of the corrected S, plus ε.",
    keeps=(1, 4, 6),
)
def adam_without_the_root(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    V, S = beta1 * V + (1 - beta1) * g, beta2 * S + (1 - beta2) * g**2
    return w - alpha * (V / (1 - beta1**t)) / (S / (1 - beta2**t) + epsilon), V, S


@mistakes.of(
    "adam_step",
    hint="The exponent is the length of w; it is t, the number of this update.",
    keeps=(1, 4, 6),
)
def correction_by_the_length(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    return adam(w, g, V, S, 1 - beta1 ** len(w), 1 - beta2 ** len(w), alpha, beta1, beta2, epsilon)


@mistakes.of(
    "adam_step",
    hint="ε stands under the root: add it to the root of the corrected S.",
    keeps=(1, 2, 4, 5, 6),
)
def adam_epsilon_under_the_root(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    V, S = beta1 * V + (1 - beta1) * g, beta2 * S + (1 - beta2) * g**2
    return w - alpha * (V / (1 - beta1**t)) / np.sqrt(S / (1 - beta2**t) + epsilon), V, S


@mistakes.of(
    "adam_step",
    hint="The corrected averages go out; the state is V and S, uncorrected.",
    keeps=(2, 3, 4, 6),
)
def corrected_state_returned(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    w, V, S = reference().adam_step(w, g, V, S, t, alpha, beta1, beta2, epsilon)
    return w, V / (1 - beta1**t), S / (1 - beta2**t)


@mistakes.of(
    "adam_step",
    hint="S averages the squares of the gradients; the square is missing.",
    keeps=(2, 3, 4, 6),
)
def adam_square_forgotten(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    V, S = beta1 * V + (1 - beta1) * g, beta2 * S + (1 - beta2) * g
    return w - alpha * (V / (1 - beta1**t)) / (np.sqrt(np.abs(S) / (1 - beta2**t)) + epsilon), V, S


@mistakes.of(
    "adam_step",
    hint="The numerator is the gradient itself: that is RMSProp. Adam puts the corrected V there.",
    keeps=(1, 4, 6),
)
def gradient_in_the_numerator(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    V, S = beta1 * V + (1 - beta1) * g, beta2 * S + (1 - beta2) * g**2
    return w - alpha * g / (np.sqrt(S / (1 - beta2**t)) + epsilon), V, S


@mistakes.of(
    "adam_step", hint="The step uses the old V: update V first, then correct it.", keeps=(1, 4, 6)
)
def adam_with_the_old_average(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    _, new_V, new_S = reference().adam_step(w, g, V, S, t, alpha, beta1, beta2, epsilon)
    return (
        w - alpha * (V / (1 - beta1**t)) / (np.sqrt(new_S / (1 - beta2**t)) + epsilon),
        new_V,
        new_S,
    )


@mistakes.of(
    "adam_step", hint="ε is fixed in the function: use the argument.", keeps=(1, 2, 4, 5, 6)
)
def adam_with_a_fixed_epsilon(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    return reference().adam_step(w, g, V, S, t, alpha, beta1, beta2, 1e-8)


@mistakes.of("adam_step", hint="The step goes uphill: subtract.", keeps=(1, 4, 6))
def adam_uphill(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    return reference().adam_step(w, g, V, S, t, -alpha, beta1, beta2, epsilon)


@mistakes.of("adam_step", hint="β₁ and β₂ have changed places: β₁ belongs to V, β₂ to S.")
def betas_exchanged(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    return reference().adam_step(w, g, V, S, t, alpha, beta2, beta1, epsilon)


@mistakes.of(
    "adam_step",
    hint="Without ε a gradient that is always zero gives 0/0 = nan.",
    keeps=(1, 2, 3, 5, 6),
)
def adam_without_epsilon(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    return reference().adam_step(w, g, V, S, t, alpha, beta1, beta2, 0.0)


@mistakes.of(
    "adam_step", hint="w, V and S changed during the call: make new arrays.", keeps=(1, 2, 3, 4, 5)
)
def adam_in_place(w, g, V, S, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    w[:], V[:], S[:] = reference().adam_step(w, g, V, S, t, alpha, beta1, beta2, epsilon)
    return w, V, S


# --- train_network -------------------------------------------------------------------------------------------------


def trained(
    X,
    Y,
    layers,
    optimizer,
    alpha,
    batch_size,
    epochs,
    *,
    cut=None,
    forget=None,
    clock="update",
    moves=None,
    mix=True,
):
    """Train with some part of it wrong: `cut` makes the batches, `forget` empties the memory, `clock` counts t."""
    right = reference()
    parameters, losses, updates = right.initial_parameters(layers), [], 0
    V = {name: np.zeros(w.shape) for name, w in parameters.items()}
    S = {name: np.zeros(w.shape) for name, w in parameters.items()}
    for epoch in range(epochs):
        if mix or (mix is None and epoch == 0):
            order = np.random.permutation(len(X))
        elif mix is False:
            order = np.arange(len(X))
        pieces = [(order[i : i + batch_size],) * 2 for i in range(0, len(X), batch_size)]
        for number, (rows, labels) in enumerate(cut(order, batch_size) if cut else pieces):
            if forget == "update" or (forget == "epoch" and number == 0):
                V, S = (
                    {name: np.zeros(w.shape) for name, w in parameters.items()} for _ in range(2)
                )
            loss, gradients = right.loss_and_gradients(parameters, X[rows], Y[labels])
            losses.append(loss)
            for name, w in parameters.items():
                if moves and not moves(name):
                    continue
                updates += clock == "parameter"
                g = gradients[name]
                if optimizer == "gd":
                    parameters[name] = w - alpha * g
                elif optimizer == "momentum":
                    parameters[name], V[name] = right.momentum_step(w, g, V[name], alpha)
                elif optimizer == "rmsprop":
                    parameters[name], S[name] = right.rmsprop_step(w, g, S[name], alpha)
                else:
                    t = {
                        "epoch": epoch + 1,
                        "update": updates + 1,
                        "parameter": updates,
                        "never": 1,
                    }[clock]
                    parameters[name], V[name], S[name] = right.adam_step(
                        w, g, V[name], S[name], t, alpha
                    )
            updates += clock == "update"
    return parameters, losses


@mistakes.of(
    "train_network",
    hint="t counts epochs; it should count updates, across batches and epochs.",
    keeps=(1, 2, 3, 5, 6, 7),
)
def time_counts_epochs(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    return trained(X, Y, layers, optimizer, alpha, batch_size, epochs, clock="epoch")


@mistakes.of(
    "train_network",
    hint="t grows with every parameter; within one update it is the same for all of them.",
    keeps=(1, 3, 5, 6, 7),
)
def time_counts_parameters(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    return trained(X, Y, layers, optimizer, alpha, batch_size, epochs, clock="parameter")


@mistakes.of("train_network", hint="t is always 1: count the updates.", keeps=(1, 3, 5, 6, 7))
def time_stands_still(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    return trained(X, Y, layers, optimizer, alpha, batch_size, epochs, clock="never")


@mistakes.of(
    "train_network",
    hint="The memory is emptied before every update: make V and S once, before the loops.",
    keeps=(1, 3, 5, 6, 7),
)
def memory_emptied(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    return trained(X, Y, layers, optimizer, alpha, batch_size, epochs, forget="update")


@mistakes.of(
    "train_network",
    hint="The memory is emptied in every epoch: it lives through all of them.",
    keeps=(1, 3, 4, 5, 6, 7),
)
def memory_emptied_each_epoch(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    return trained(X, Y, layers, optimizer, alpha, batch_size, epochs, forget="epoch")


@mistakes.of(
    "train_network",
    hint="The biases never move: every parameter is updated.",
    keeps=(1, 3, 4, 5, 6, 7),
)
def biases_never_move(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    return trained(
        X, Y, layers, optimizer, alpha, batch_size, epochs, moves=lambda name: name[0] == "W"
    )


@mistakes.of(
    "train_network",
    hint="The last, smaller batch is dropped: every example is used in every epoch.",
    keeps=(1, 2, 4, 5, 7),
)
def remainder_dropped(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    def whole_batches(order, size):
        return [(order[i : i + size],) * 2 for i in range(0, len(order) - size + 1, size)]

    return trained(X, Y, layers, optimizer, alpha, batch_size, epochs, cut=whole_batches)


@mistakes.of(
    "train_network", hint="X and Y are shuffled in different orders: use one permutation for both."
)
def two_orders(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    def unrelated(order, size):
        other = np.random.permutation(len(order))
        return [(order[i : i + size], other[i : i + size]) for i in range(0, len(order), size)]

    return trained(X, Y, layers, optimizer, alpha, batch_size, epochs, cut=unrelated)


@mistakes.of(
    "train_network",
    hint="The examples come in the order of X in every epoch: shuffle them.",
    keeps=(1, 2, 3, 4, 5, 7),
)
def never_shuffled(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    return trained(X, Y, layers, optimizer, alpha, batch_size, epochs, mix=False)


@mistakes.of(
    "train_network",
    hint="One order is drawn for all epochs: draw a new one in each.",
    keeps=(1, 2, 3, 4, 5, 7),
)
def shuffled_once(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    return trained(X, Y, layers, optimizer, alpha, batch_size, epochs, mix=None)


@mistakes.of(
    "train_network",
    hint="The loss of an epoch is that of its last batch alone: take the mean over its batches.",
    keeps=(1, 2, 3, 4, 6, 7),
)
def loss_of_the_last_batch(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    parameters, losses = trained(X, Y, layers, optimizer, alpha, batch_size, epochs)
    count = -(-len(X) // batch_size)
    return parameters, losses[count - 1 :: count]


@mistakes.of(
    "train_network",
    hint="The argument `optimizer` is not used: this is Adam every time.",
    keeps=(1, 7),
)
def always_adam(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    return reference().train_network(X, Y, layers, "adam", alpha, batch_size, epochs)


@mistakes.of(
    "train_network",
    hint="X and Y are shuffled in place: pick rows by an index instead.",
    keeps=(1, 2, 3, 4, 5, 6),
)
def data_shuffled_in_place(X, Y, layers, optimizer="adam", alpha=0.01, batch_size=32, epochs=5):
    results = reference().train_network(X, Y, layers, optimizer, alpha, batch_size, epochs)
    order = np.arange(len(X))[::-1]
    X[:], Y[:] = X[order], Y[order]
    return results
