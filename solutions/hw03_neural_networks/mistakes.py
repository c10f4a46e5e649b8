"""Wrong answers to homework 3 as students gave them, each with the hint it earns.

Caches are (Z, W, a_prev), as the notebook suggests.
"""

import numpy as np

from autograder.mistakes import Mistakes
from autograder.reference import reference_of

mistakes = Mistakes("hw03_neural_networks")


def reference():
    """The right functions."""
    return reference_of("hw03_neural_networks")


# --- one_hot -------------------------------------------------------------------------------------------------------


@mistakes.of("one_hot", hint="Y is transposed: one row per example, one column per class.")
def one_hot_transposed(y, classes=None):
    return reference().one_hot(y, classes).T


@mistakes.of(
    "one_hot",
    hint="The number of classes is fixed to ten: take it from the labels or the argument.",
)
def always_ten_classes(y, classes=None):
    return np.eye(10)[y]


@mistakes.of(
    "one_hot",
    hint="Counting the distinct labels forgets a class that no example has: K = max + 1.",
    keeps=(1, 2, 4),
)
def distinct_labels_counted(y, classes=None):
    Y = np.zeros((len(y), classes or len(np.unique(y))))
    Y[np.arange(len(y)), np.unique(y, return_inverse=True)[1]] = 1
    return Y


@mistakes.of(
    "one_hot",
    hint="Counting the distinct labels forgets a class that no example has: K = max + 1.",
    keeps=(1, 2),
)
def columns_for_distinct_labels(y, classes=None):
    Y = np.zeros((len(y), len(np.unique(y))))
    for i in range(len(y)):
        Y[i, y[i]] = 1
    return Y


@mistakes.of(
    "one_hot",
    hint="The classes count from 0: label y belongs into column y, not y − 1.",
    keeps=(1,),
)
def classes_from_one(y, classes=None):
    Y = np.zeros((len(y), classes or np.max(y) + 1))
    Y[np.arange(len(y)), y - 1] = 1
    return Y


@mistakes.of("one_hot", hint="One column short: the labels 0 … max need max + 1 columns.")
def one_column_short(y, classes=None):
    K = classes or np.max(y)
    return (y[:, None] == np.arange(K)).astype(float)


@mistakes.of(
    "one_hot",
    hint="The argument `classes` is not used: with it there are that many columns.",
    keeps=(1, 2, 3),
)
def number_of_classes_ignored(y, classes=None):
    return np.eye(np.max(y) + 1)[y]


@mistakes.of("one_hot", hint="The entry should be 1, not the label itself.")
def label_for_one(y, classes=None):
    return reference().one_hot(y, classes) * np.asarray(y)[:, None]


# --- initialize_weights --------------------------------------------------------------------------------------------


def layers_of(sizes, weight, bias=lambda n: np.zeros((n, 1))):
    """Parameters with weights from `weight(rows, columns)`."""
    parameters = {}
    for layer in range(1, len(sizes)):
        parameters[f"W{layer}"] = weight(sizes[layer], sizes[layer - 1])
        parameters[f"b{layer}"] = bias(sizes[layer])
    return parameters


@mistakes.of(
    "initialize_weights",
    hint="Weights of zero keep all units of a layer equal for ever: draw them at random.",
)
def zero_weights(layer_dimensions):
    return layers_of(layer_dimensions, lambda n, m: np.zeros((n, m)))


@mistakes.of(
    "initialize_weights", hint="Only the first layer is initialised: loop over all of them."
)
def first_layer_only(layer_dimensions):
    return layers_of(layer_dimensions[:2], lambda n, m: np.random.randn(n, m) / np.sqrt(m))


@mistakes.of(
    "initialize_weights", hint="W is transposed: layer l has n_l rows and n_{l−1} columns."
)
def weights_transposed(layer_dimensions):
    return layers_of(layer_dimensions, lambda n, m: np.random.randn(m, n) / np.sqrt(m))


@mistakes.of(
    "initialize_weights",
    hint="The biases have one axis only; they are columns, (n_l, 1).",
    keeps=(1, 2, 4, 5, 6),
)
def flat_biases(layer_dimensions):
    return layers_of(layer_dimensions, lambda n, m: np.random.randn(n, m) / np.sqrt(m), np.zeros)


@mistakes.of(
    "initialize_weights",
    hint="Standard deviation 1 is too large for layers with many inputs: divide by √n.",
    keeps=(1, 2, 3, 4, 5),
)
def weights_not_scaled(layer_dimensions):
    return layers_of(layer_dimensions, np.random.randn)


@mistakes.of(
    "initialize_weights",
    hint="0.01 is so small that the signal dies out in a deep network: use 1/√n.",
    keeps=(1, 2, 3, 4, 5),
)
def one_hundredth(layer_dimensions):
    return layers_of(layer_dimensions, lambda n, m: 0.01 * np.random.randn(n, m))


@mistakes.of(
    "initialize_weights",
    hint="1/n makes the weights shrink too fast with the number of inputs: divide by √n, its root.",
    keeps=(1, 2, 3, 4, 5),
)
def divided_by_n(layer_dimensions):
    return layers_of(layer_dimensions, lambda n, m: np.random.randn(n, m) / m)


@mistakes.of(
    "initialize_weights",
    hint="np.random.rand draws from 0 to 1: the weights should have mean 0, use randn.",
)
def positive_weights(layer_dimensions):
    return layers_of(layer_dimensions, lambda n, m: np.random.rand(n, m) / np.sqrt(m))


@mistakes.of(
    "initialize_weights", hint="The seed is set inside the loop, so layers of one size start equal."
)
def seed_in_the_loop(layer_dimensions):
    def weight(n, m):
        np.random.seed(0)
        return np.random.randn(n, m) / np.sqrt(m)

    return layers_of(layer_dimensions, weight)


@mistakes.of(
    "initialize_weights", hint="The biases are random; they start at zero.", keeps=(1, 2, 3, 4, 6)
)
def random_biases(layer_dimensions):
    return layers_of(
        layer_dimensions,
        lambda n, m: np.random.randn(n, m) / np.sqrt(m),
        lambda n: np.random.randn(n, 1),
    )


@mistakes.of(
    "initialize_weights",
    hint="The layers count from 1 in the keys: W1 is the first, there is no W0.",
    keeps=(2, 3, 4, 5, 6),
)
def keys_from_zero(layer_dimensions):
    parameters = reference().initialize_weights(layer_dimensions)
    return {f"{name[0]}{int(name[1:]) - 1}": value for name, value in parameters.items()}


# --- linear_forward ------------------------------------------------------------------------------------------------


def with_cache(Z, W, a_prev):
    """Z and the suggested cache."""
    return Z, (Z, W, a_prev)


@mistakes.of("linear_forward", hint="The bias is missing in Z = W a + b.", keeps=(1, 3, 4))
def without_bias(W, b, a_prev):
    return with_cache(W @ a_prev, W, a_prev)


@mistakes.of(
    "linear_forward",
    hint="The bias is turned into a row: b stays a column and broadcasts over the examples.",
)
def bias_as_a_row(W, b, a_prev):
    return with_cache(W @ a_prev + b.T, W, a_prev)


@mistakes.of("linear_forward", hint="Only Z comes back: return Z and the cache.", keeps=(1, 2, 4))
def without_cache(W, b, a_prev):
    return W @ a_prev + b


@mistakes.of(
    "linear_forward",
    hint="The cache is empty: the way back will need Z, W and a_prev.",
    keeps=(1, 2, 4),
)
def empty_cache(W, b, a_prev):
    return W @ a_prev + b, None


@mistakes.of(
    "linear_forward",
    hint="Examples are columns inside the network: Z is W a + b, of shape (n_l, M).",
)
def examples_in_rows(W, b, a_prev):
    return with_cache((W @ a_prev + b).T, W, a_prev)


@mistakes.of("linear_forward", hint="The sigmoid is a unit of its own: the linear unit returns Z.")
def sigmoid_included(W, b, a_prev):
    return with_cache(reference().activation_forward(W @ a_prev + b), W, a_prev)


@mistakes.of(
    "linear_forward", hint="Every unit has its own bias; yours adds the sum of all of them."
)
def biases_summed(W, b, a_prev):
    return with_cache(W @ a_prev + np.sum(b), W, a_prev)


# --- activation_forward --------------------------------------------------------------------------------------------


@mistakes.of(
    "activation_forward", hint="The sign in the exponent: σ(z) = 1/(1 + e^−z) rises with z."
)
def falling_sigmoid(Z):
    return 1 / (1 + np.exp(Z))


@mistakes.of(
    "activation_forward",
    hint="e^z/(1 + e^z) becomes inf/inf = nan for large z: write 1/(1 + e^−z).",
    keeps=(1, 3),
)
def overflowing_sigmoid(Z):
    return np.exp(Z) / (1 + np.exp(Z))


@mistakes.of("activation_forward", hint="That is tanh, from −1 to 1; the sigmoid goes from 0 to 1.")
def tanh_for_sigmoid(Z):
    return np.tanh(Z)


@mistakes.of(
    "activation_forward", hint="That is ReLU; this course's hidden layers use the sigmoid."
)
def relu_for_sigmoid(Z):
    return np.maximum(Z, 0)


@mistakes.of(
    "activation_forward", hint="That is the slope σ(1 − σ); forward, only σ itself is needed."
)
def slope_for_value(Z):
    a = reference().activation_forward(Z)
    return a * (1 - a)


@mistakes.of("activation_forward", hint="1 / 1 + e^−z is 1 + e^−z: the denominator needs brackets.")
def brackets_forgotten(Z):
    return 1 / 1 + np.exp(-Z)


@mistakes.of(
    "activation_forward", hint="Z changed during the call: work on a new array.", keeps=(1, 2)
)
def sigmoid_in_place(Z):
    Z[:] = reference().activation_forward(Z)
    return Z


# --- softmax -------------------------------------------------------------------------------------------------------


@mistakes.of(
    "softmax", hint="The sum runs down the columns: each row is an example, so sum over axis=1."
)
def columns_for_rows(Z):
    exponentials = np.exp(Z - np.max(Z, axis=0))
    return exponentials / np.sum(exponentials, axis=0)


@mistakes.of(
    "softmax",
    hint="e^1000 overflows and inf/inf is nan: subtract each row's maximum first.",
    keeps=(1, 2, 4),
)
def unshifted_softmax(Z):
    exponentials = np.exp(Z)
    return exponentials / np.sum(exponentials, axis=1, keepdims=True)


@mistakes.of(
    "softmax",
    hint="The maximum of the whole table is subtracted: rows far below it become 0/0. Each row its own.",
    keeps=(1, 2, 4),
)
def one_maximum_for_all(Z):
    exponentials = np.exp(Z - np.max(Z))
    return exponentials / np.sum(exponentials, axis=1, keepdims=True)


@mistakes.of("softmax", hint="The sum runs over the whole table: each row has its own sum, axis=1.")
def sum_over_everything(Z):
    exponentials = np.exp(Z - np.max(Z))
    return exponentials / np.sum(exponentials)


@mistakes.of(
    "softmax", hint="The sum has lost its axis and does not line up with the rows: keepdims=True."
)
def softmax_without_keepdims(Z):
    exponentials = np.exp(Z - np.max(Z, axis=1, keepdims=True))
    return exponentials / np.sum(exponentials, axis=1)


@mistakes.of(
    "softmax", hint="Without the exponential negative numbers stay negative: normalise e^Z, not Z."
)
def without_exponential(Z):
    shifted = Z - np.min(Z, axis=1, keepdims=True)
    return shifted / np.sum(shifted, axis=1, keepdims=True)


@mistakes.of(
    "softmax",
    hint="Z changed during the call (Z -= … works in place): make a new array.",
    keeps=(1, 2, 3),
)
def softmax_in_place(Z):
    Z -= np.max(Z, axis=1, keepdims=True)
    return np.exp(Z) / np.sum(np.exp(Z), axis=1, keepdims=True)


@mistakes.of("softmax", hint="The maximum is added instead of subtracted.")
def maximum_added(Z):
    exponentials = np.exp(Z + np.max(Z, axis=1, keepdims=True))
    return exponentials / np.sum(exponentials, axis=1, keepdims=True)


# --- nn_forward ----------------------------------------------------------------------------------------------------


def forward(parameters, X, layers=None, hidden=None, last=None):
    """The network with some of its units replaced."""
    right = reference()
    a, caches = X.T, []
    layers = layers or len(parameters) // 2
    for layer in range(1, layers + 1):
        Z, cache = right.linear_forward(parameters[f"W{layer}"], parameters[f"b{layer}"], a)
        caches.append(cache)
        a = (hidden or right.activation_forward)(Z) if layer < layers else Z
    return (last or (lambda Z: right.softmax(Z.T)))(a), caches


@mistakes.of(
    "nn_forward",
    hint="The last layer has no sigmoid: its Z goes straight into softmax.",
    keeps=(1, 4, 5),
)
def sigmoid_before_softmax(parameters, X):
    return forward(
        parameters, X, last=lambda Z: reference().softmax(reference().activation_forward(Z).T)
    )


@mistakes.of(
    "nn_forward",
    hint="Softmax runs over the wrong axis: transpose Z first, so that examples are rows.",
)
def softmax_over_examples(parameters, X):
    return forward(parameters, X, last=lambda Z: reference().softmax(Z).T)


@mistakes.of(
    "nn_forward",
    hint="The sigmoid between the layers is missing: this is one linear layer in disguise.",
)
def nothing_between_the_layers(parameters, X):
    return forward(parameters, X, hidden=lambda Z: Z)


@mistakes.of(
    "nn_forward",
    hint="The depth is fixed to two layers: take it from the number of parameters.",
    keeps=(1, 2, 5),
)
def always_two_layers(parameters, X):
    return forward(parameters, X, layers=2)


@mistakes.of("nn_forward", hint="P is transposed: examples are rows again at the end.")
def probabilities_transposed(parameters, X):
    return forward(parameters, X, last=lambda Z: reference().softmax(Z.T).T)


@mistakes.of(
    "nn_forward",
    hint="The last layer ends in the sigmoid; it needs softmax, so that each row adds up to 1.",
)
def sigmoid_for_softmax(parameters, X):
    return forward(parameters, X, last=lambda Z: reference().activation_forward(Z).T)


@mistakes.of("nn_forward", hint="The hidden layers end in softmax; only the last one does.")
def softmax_everywhere(parameters, X):
    return forward(parameters, X, hidden=lambda Z: reference().softmax(Z.T).T)


@mistakes.of("nn_forward", hint="The biases are left out.")
def network_without_biases(parameters, X):
    return forward({name: value * (name[0] == "W") for name, value in parameters.items()}, X)


@mistakes.of(
    "nn_forward",
    hint="The caches are empty: keep what linear_forward returns for every layer.",
    keeps=(1, 2, 3, 5),
)
def empty_caches(parameters, X):
    return forward(parameters, X)[0], []


@mistakes.of("nn_forward", hint="Only P comes back: return P and the caches.", keeps=(1, 2, 3, 5))
def probabilities_alone(parameters, X):
    return forward(parameters, X)[0]


@mistakes.of(
    "nn_forward",
    hint="Only the cache of the last layer comes back: keep those of all layers, the first one first.",
    keeps=(1, 2, 3, 5),
)
def last_cache_only(parameters, X):
    P, caches = forward(parameters, X)
    return P, caches[-1:]


# --- crossentropy --------------------------------------------------------------------------------------------------


@mistakes.of(
    "crossentropy",
    hint="Half of the loss: cross-entropy has 1/M; 1/(2M) belongs to the squares.",
    keeps=(1, 3, 4),
)
def half_of_the_loss(P, Y):
    return reference().crossentropy(P, Y) / 2


@mistakes.of("crossentropy", hint="The sum is not averaged: divide by the number of examples.")
def loss_not_averaged(P, Y):
    return -np.sum(Y * np.log(np.clip(P, 1e-12, 1)))


@mistakes.of(
    "crossentropy",
    hint="np.mean over everything divides by M·K: sum over the classes, average over the examples.",
    keeps=(1, 3, 4),
)
def averaged_over_classes(P, Y):
    return -np.mean(Y * np.log(np.clip(P, 1e-12, 1)))


@mistakes.of(
    "crossentropy",
    hint="The minus is missing: a logarithm of a probability is negative, a loss is not.",
)
def without_the_minus(P, Y):
    return -reference().crossentropy(P, Y)


@mistakes.of(
    "crossentropy",
    hint="0 · log 0 is nan: keep P above 1e-12 before the logarithm.",
    keeps=(1, 2, 4),
)
def logarithm_of_zero(P, Y):
    return -np.sum(Y * np.log(P)) / len(P)


@mistakes.of("crossentropy", hint="log10 is another logarithm: np.log is the natural one.")
def another_logarithm(P, Y):
    return -np.sum(Y * np.log10(np.clip(P, 1e-12, 1))) / len(P)


@mistakes.of(
    "crossentropy",
    hint="That is the formula for two classes, with a term (1 − Y) log(1 − P); here it is Y log P alone.",
)
def binary_crossentropy(P, Y):
    Q = np.clip(P, 1e-12, 1 - 1e-12)
    return -np.sum(Y * np.log(Q) + (1 - Y) * np.log(1 - Q)) / len(P)


@mistakes.of("crossentropy", hint="Y and P have changed places: the logarithm is taken of P.")
def logarithm_of_the_labels(P, Y):
    return -np.sum(P * np.log(np.clip(Y, 1e-12, 1))) / len(P)


@mistakes.of(
    "crossentropy",
    hint="M is the number of examples, the length of the first axis; you divided by K.",
)
def divided_by_classes(P, Y):
    return -np.sum(Y * np.log(np.clip(P, 1e-12, 1))) / P.shape[1]


@mistakes.of(
    "crossentropy",
    hint="Y is left out: of each row only the logarithm of the true class counts.",
    keeps=(1, 4),
)
def labels_left_out(P, Y):
    return -np.sum(np.log(np.clip(P, 1e-12, 1))) / len(P)


@mistakes.of("crossentropy", hint="One number is asked for; yours keeps one per example.")
def one_loss_per_example(P, Y):
    return -np.sum(Y * np.log(np.clip(P, 1e-12, 1)), axis=1) / len(P)


# --- losssoftmax_backward ------------------------------------------------------------------------------------------


@mistakes.of(
    "losssoftmax_backward",
    hint="Transpose: inside the network examples are columns, dLdZ is (K, M).",
)
def last_gradient_not_transposed(P, Y):
    return (P - Y) / len(P)


@mistakes.of(
    "losssoftmax_backward",
    hint="M times too large: the loss is a mean over the examples.",
    keeps=(1, 3),
)
def last_gradient_not_averaged(P, Y):
    return (P - Y).T


@mistakes.of(
    "losssoftmax_backward",
    hint="The sign: P − Y, so that a step against the gradient raises the right class.",
)
def last_gradient_sign(P, Y):
    return (Y - P).T / len(P)


@mistakes.of(
    "losssoftmax_backward", hint="A factor 2 too small: the loss has 1/M, not 1/(2M).", keeps=(1, 3)
)
def last_gradient_half(P, Y):
    return (P - Y).T / (2 * len(P))


@mistakes.of(
    "losssoftmax_backward",
    hint="That is dLdP, the slope of the loss alone; the softmax still has to be passed.",
)
def loss_without_softmax(P, Y):
    return -(Y / P).T / len(P)


@mistakes.of(
    "losssoftmax_backward",
    hint="M is the number of examples; you divided by the number of classes.",
)
def last_gradient_by_classes(P, Y):
    return (P - Y).T / P.shape[1]


@mistakes.of("losssoftmax_backward", hint="P is a probability already: no second softmax.")
def softmax_twice(P, Y):
    return (reference().softmax(P) - Y).T / len(P)


# --- activation_backward -------------------------------------------------------------------------------------------


@mistakes.of(
    "activation_backward", hint="a(1 − a) needs a = σ(Z); you put Z itself into it.", keeps=(1, 3)
)
def slope_from_z(dLda, cache):
    return dLda * cache[0] * (1 - cache[0])


@mistakes.of(
    "activation_backward",
    hint="Only the slope of the sigmoid: the chain rule multiplies it with dLda.",
)
def chain_forgotten(dLda, cache):
    a = reference().activation_forward(cache[0])
    return a * (1 - a)


@mistakes.of("activation_backward", hint="That multiplies with σ itself; its slope is σ(1 − σ).")
def value_for_slope(dLda, cache):
    return dLda * reference().activation_forward(cache[0])


@mistakes.of(
    "activation_backward", hint="1 − a² is the slope of tanh; that of the sigmoid is a(1 − a)."
)
def slope_of_tanh(dLda, cache):
    return dLda * (1 - reference().activation_forward(cache[0]) ** 2)


@mistakes.of("activation_backward", hint="The sign: σ(1 − σ), not σ(σ − 1).")
def slope_sign(dLda, cache):
    a = reference().activation_forward(cache[0])
    return dLda * a * (a - 1)


@mistakes.of(
    "activation_backward",
    hint="dLda is taken for a: the slope is that of σ(Z), with Z from the cache.",
)
def slope_at_the_gradient(dLda, cache):
    return dLda * (1 - dLda)


@mistakes.of(
    "activation_backward",
    hint="The sigmoid is applied twice: Z is the input of the sigmoid, a its output.",
)
def sigmoid_twice(dLda, cache):
    a = reference().activation_forward(reference().activation_forward(cache[0]))
    return dLda * a * (1 - a)


@mistakes.of(
    "activation_backward",
    hint="dLda changed during the call (*= works in place): make a new array.",
    keeps=(1, 2),
)
def gradient_in_place(dLda, cache):
    a = reference().activation_forward(cache[0])
    dLda *= a * (1 - a)
    return dLda


# --- linear_backward -----------------------------------------------------------------------------------------------


@mistakes.of(
    "linear_backward",
    hint="dLdb has lost an axis: np.sum(…, axis=1, keepdims=True) keeps it a column.",
    keeps=(1, 3, 4, 5, 6),
)
def flat_bias_gradient(dLdZ, cache):
    _, W, a_prev = cache
    return W.T @ dLdZ, dLdZ @ a_prev.T, np.sum(dLdZ, axis=1)


@mistakes.of(
    "linear_backward",
    hint="The 1/M is already inside dLdZ: do not divide a second time.",
    keeps=(1, 2, 3, 6),
)
def divided_twice(dLdZ, cache):
    _, W, a_prev = cache
    M = dLdZ.shape[1]
    return W.T @ dLdZ, dLdZ @ a_prev.T / M, np.sum(dLdZ, axis=1, keepdims=True) / M


@mistakes.of("linear_backward", hint="The order of the results is dLda, dLdW, dLdb.")
def another_order(dLdZ, cache):
    dLda, dLdW, dLdb = reference().linear_backward(dLdZ, cache)
    return dLdW, dLdb, dLda


@mistakes.of("linear_backward", hint="dLdb adds up all units: sum over the examples only, axis=1.")
def bias_summed_over_units(dLdZ, cache):
    _, W, a_prev = cache
    return W.T @ dLdZ, dLdZ @ a_prev.T, np.full((len(W), 1), np.sum(dLdZ))


@mistakes.of("linear_backward", hint="dLdb sums over the units instead of the examples: axis=1.")
def bias_over_the_wrong_axis(dLdZ, cache):
    _, W, a_prev = cache
    return W.T @ dLdZ, dLdZ @ a_prev.T, np.sum(dLdZ, axis=0, keepdims=True)


@mistakes.of("linear_backward", hint="dLda needs the transposed weights, Wᵀ dLdZ.")
def weights_not_transposed(dLdZ, cache):
    _, W, a_prev = cache
    return W @ dLdZ, dLdZ @ a_prev.T, np.sum(dLdZ, axis=1, keepdims=True)


@mistakes.of(
    "linear_backward",
    hint="dLdW multiplies with what went into the unit, a_prev, not with what came out, Z.",
)
def output_for_input(dLdZ, cache):
    Z, W, _ = cache
    return W.T @ dLdZ, dLdZ @ Z.T, np.sum(dLdZ, axis=1, keepdims=True)


@mistakes.of("linear_backward", hint="dLdW is transposed: it has the shape of W.", keeps=(2, 3, 5))
def weight_gradient_transposed(dLdZ, cache):
    _, W, a_prev = cache
    return W.T @ dLdZ, a_prev @ dLdZ.T, np.sum(dLdZ, axis=1, keepdims=True)


@mistakes.of(
    "linear_backward",
    hint="dLdb is averaged; the mean is already inside dLdZ, so it is a plain sum.",
    keeps=(1, 2, 3, 4, 6),
)
def bias_averaged(dLdZ, cache):
    _, W, a_prev = cache
    return W.T @ dLdZ, dLdZ @ a_prev.T, np.mean(dLdZ, axis=1, keepdims=True)


@mistakes.of(
    "linear_backward",
    hint="The slope of the sigmoid is activation_backward's business: a linear unit has none.",
)
def sigmoid_slope_included(dLdZ, cache):
    return reference().linear_backward(reference().activation_backward(dLdZ, cache), cache)


@mistakes.of(
    "linear_backward", hint="dLdZ changed during the call (/= works in place): make a new array."
)
def upstream_in_place(dLdZ, cache):
    results = reference().linear_backward(dLdZ.copy(), cache)
    dLdZ /= dLdZ.shape[1]
    return results


# --- nn_backward ---------------------------------------------------------------------------------------------------


def backward(X, Y, P, caches, sigmoid_cache=lambda layer: layer - 2, start=None, through=True):
    """Backpropagation with some of its steps replaced."""
    right = reference()
    gradients = {}
    dLdZ = right.losssoftmax_backward(P, Y) if start is None else start
    for layer in range(len(caches), 0, -1):
        dLda, gradients[f"dLdW{layer}"], gradients[f"dLdb{layer}"] = right.linear_backward(
            dLdZ, caches[layer - 1]
        )
        if layer > 1:
            dLdZ = (
                right.activation_backward(dLda, caches[sigmoid_cache(layer)]) if through else dLda
            )
    return gradients


@mistakes.of(
    "nn_backward",
    hint="The sigmoid takes the cache of the wrong layer: it belongs to the layer below.",
    keeps=(2, 6),
)
def cache_of_the_wrong_layer(X, Y, P, caches):
    return backward(X, Y, P, caches, sigmoid_cache=lambda layer: layer - 1)


@mistakes.of(
    "nn_backward",
    hint="The slope of the sigmoid is left out between the layers: call activation_backward.",
    keeps=(1, 2, 6),
)
def sigmoid_left_out(X, Y, P, caches):
    return backward(X, Y, P, caches, through=False)


@mistakes.of(
    "nn_backward", hint="The last layer has a softmax, not a sigmoid: start at its linear unit."
)
def sigmoid_in_the_last_layer(X, Y, P, caches):
    right = reference()
    start = right.activation_backward(right.losssoftmax_backward(P, Y), caches[-1])
    return backward(X, Y, P, caches, start=start)


@mistakes.of(
    "nn_backward", hint="Only the last layer has its gradients: walk down to layer 1.", keeps=(2, 6)
)
def last_layer_only(X, Y, P, caches):
    gradients = backward(X, Y, P, caches)
    return {name: gradients[name] for name in (f"dLdW{len(caches)}", f"dLdb{len(caches)}")}


@mistakes.of(
    "nn_backward",
    hint="The keys count the layers from 0; the first layer is dLdW1.",
    keeps=(2, 3, 4, 5, 6),
)
def gradient_keys_from_zero(X, Y, P, caches):
    gradients = backward(X, Y, P, caches)
    return {f"{name[:4]}{int(name[4:]) - 1}": value for name, value in gradients.items()}


@mistakes.of(
    "nn_backward",
    hint="The layers are numbered from the end: dLdW1 must be the gradient of the first layer.",
)
def numbered_from_the_end(X, Y, P, caches):
    gradients = backward(X, Y, P, caches)
    return {
        f"{name[:4]}{len(caches) + 1 - int(name[4:])}": value for name, value in gradients.items()
    }


@mistakes.of(
    "nn_backward", hint="Divided by M in every layer: the mean is taken once, at the loss."
)
def divided_in_every_layer(X, Y, P, caches):
    gradients = backward(X, Y, P, caches)
    return {name: value / len(X) for name, value in gradients.items()}


@mistakes.of("nn_backward", hint="The sign of all gradients: the walk starts with P − Y.")
def uphill_gradients(X, Y, P, caches):
    return {name: -value for name, value in backward(X, Y, P, caches).items()}


@mistakes.of(
    "nn_backward",
    hint="The number of layers is fixed to two: take it from the caches.",
    keeps=(3, 4),
)
def two_layers_backwards(X, Y, P, caches):
    return {
        name: value
        for name, value in backward(X, Y, P, caches[:1] + caches[-1:]).items()
        if int(name[4:]) <= 2
    }


@mistakes.of("nn_backward", hint="The gradients of the biases are missing.")
def biases_missing(X, Y, P, caches):
    return {name: value for name, value in backward(X, Y, P, caches).items() if "W" in name}


# --- nn_train_gd ---------------------------------------------------------------------------------------------------


def descend(X, Y, layers, n_iter, lr, moves=lambda name: True, parameters=None, iterations=None):
    """Gradient descent with some of its steps left out."""
    right = reference()
    parameters, losses = parameters or right.initialize_weights(layers), []
    for _ in range(iterations or n_iter):
        P, caches = right.nn_forward(parameters, X)
        losses.append(right.crossentropy(P, Y))
        gradients = right.nn_backward(X, Y, P, caches)
        for name in parameters:
            if moves(name):
                parameters[name] = parameters[name] - lr * gradients[f"dLd{name}"]
    return parameters, losses


@mistakes.of(
    "nn_train_gd",
    hint="The biases never move: update every b as well as every W.",
    keeps=(1, 3, 4, 5, 6),
)
def biases_never_updated(X, Y, layers, n_iter=1000, lr=0.01):
    return descend(X, Y, layers, n_iter, lr, moves=lambda name: name[0] == "W")


@mistakes.of("nn_train_gd", hint="The step goes uphill: subtract the gradient.")
def training_uphill(X, Y, layers, n_iter=1000, lr=0.01):
    return descend(X, Y, layers, n_iter, -lr)


@mistakes.of("nn_train_gd", hint="Only the last layer learns: update all layers.")
def last_layer_learns(X, Y, layers, n_iter=1000, lr=0.01):
    return descend(X, Y, layers, n_iter, lr, moves=lambda name: int(name[1:]) == len(layers) - 1)


@mistakes.of("nn_train_gd", hint="The learning rate is fixed in the function: use its argument.")
def fixed_learning_rate(X, Y, layers, n_iter=1000, lr=0.01):
    return descend(X, Y, layers, n_iter, 0.01)


@mistakes.of(
    "nn_train_gd", hint="The number of iterations is fixed in the function: use its argument."
)
def fixed_iterations(X, Y, layers, n_iter=1000, lr=0.01):
    return descend(X, Y, layers, n_iter, lr, iterations=100)


@mistakes.of(
    "nn_train_gd",
    hint="The weights are initialised anew in every iteration: do it once, before the loop.",
)
def starting_anew(X, Y, layers, n_iter=1000, lr=0.01):
    results = [descend(X, Y, layers, 1, lr) for _ in range(n_iter)]
    return results[-1][0], [losses[0] for _, losses in results]


@mistakes.of(
    "nn_train_gd",
    hint="Only the last loss is returned: append one in every iteration.",
    keeps=(1, 2, 3, 4, 6),
)
def last_loss_only(X, Y, layers, n_iter=1000, lr=0.01):
    parameters, losses = descend(X, Y, layers, n_iter, lr)
    return parameters, losses[-1]


@mistakes.of(
    "nn_train_gd",
    hint="The gradients are computed once, before the loop: compute them in every iteration.",
    keeps=(1, 2, 3, 5, 6),
)
def gradients_computed_once(X, Y, layers, n_iter=1000, lr=0.01):
    right = reference()
    parameters, losses = right.initialize_weights(layers), []
    P, caches = right.nn_forward(parameters, X)
    gradients = right.nn_backward(X, Y, P, caches)
    for _ in range(n_iter):
        losses.append(right.crossentropy(right.nn_forward(parameters, X)[0], Y))
        parameters = {
            name: value - lr * gradients[f"dLd{name}"] for name, value in parameters.items()
        }
    return parameters, losses


@mistakes.of(
    "nn_train_gd",
    hint="The biases are set to −α times their gradient: like the weights, they change by that from where they are.",
    keeps=(1, 2, 3, 5, 6),
)
def biases_overwritten(X, Y, layers, n_iter=1000, lr=0.01):
    right = reference()
    parameters, losses = right.initialize_weights(layers), []
    for _ in range(n_iter):
        P, caches = right.nn_forward(parameters, X)
        losses.append(right.crossentropy(P, Y))
        gradients = right.nn_backward(X, Y, P, caches)
        for name in parameters:
            before = parameters[name] if name[0] == "W" else 0.0
            parameters[name] = before - lr * gradients[f"dLd{name}"]
    return parameters, losses


@mistakes.of(
    "nn_train_gd",
    hint="Two losses are recorded in every iteration: one is asked for.",
    keeps=(1, 2, 3, 4, 6),
)
def two_losses_an_iteration(X, Y, layers, n_iter=1000, lr=0.01):
    right = reference()
    parameters, losses = right.initialize_weights(layers), []
    for _ in range(n_iter):
        parameters, (loss,) = descend(X, Y, layers, 1, lr, parameters=parameters)
        losses += [loss, right.crossentropy(right.nn_forward(parameters, X)[0], Y)]
    return parameters, losses


@mistakes.of(
    "nn_train_gd",
    hint="Only the parameters come back: return the losses, too.",
    keeps=(1, 2, 3, 4, 6),
)
def parameters_alone(X, Y, layers, n_iter=1000, lr=0.01):
    return descend(X, Y, layers, n_iter, lr)[0]


# --- nn_train_sgd --------------------------------------------------------------------------------------------------


def epochs_of(X, Y, layers, epochs, lr, batches, moves=lambda name: True, scale=lambda batch: 1.0):
    """Mini-batch training; `batches(epoch, M)` gives the indices of each batch of an epoch."""
    right = reference()
    parameters, losses = right.initialize_weights(layers), []
    for epoch in range(epochs):
        batch_losses = [0.0]
        for rows, labels in batches(epoch, len(X)):
            P, caches = right.nn_forward(parameters, X[rows])
            batch_losses.append(right.crossentropy(P, Y[labels]))
            gradients = right.nn_backward(X[rows], Y[labels], P, caches)
            for name in parameters:
                if moves(name):
                    parameters[name] = parameters[name] - lr * scale(rows) * gradients[f"dLd{name}"]
        losses.append(np.mean(batch_losses[1:] or batch_losses))
    return parameters, losses


def cut(order, batch_size):
    """An order cut into batches, for X and for Y."""
    pieces = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    return [(piece, piece) for piece in pieces]


@mistakes.of(
    "nn_train_sgd",
    hint="The data are never shuffled: sorted by class, each batch sees one class only.",
    keeps=(1, 2, 3, 4, 6, 7),
)
def never_shuffled(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    return epochs_of(X, Y, layers, epochs, lr, lambda epoch, M: cut(np.arange(M), batch_size))


@mistakes.of(
    "nn_train_sgd",
    hint="The data are shuffled once, before the epochs: every epoch needs a new order.",
    keeps=(1, 2, 3, 4, 6, 7),
)
def shuffled_once(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    order = np.random.RandomState(1).permutation(len(X))
    return epochs_of(X, Y, layers, epochs, lr, lambda epoch, M: cut(order, batch_size))


@mistakes.of(
    "nn_train_sgd",
    hint="The last, smaller batch is dropped: every example is used in every epoch.",
    keeps=(1, 2, 3, 5, 6, 7),
)
def remainder_dropped(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    def batches(epoch, M):
        pieces = cut(np.random.permutation(M), batch_size)
        return [piece for piece in pieces if len(piece[0]) == batch_size]

    return epochs_of(X, Y, layers, epochs, lr, batches)


@mistakes.of(
    "nn_train_sgd",
    hint="The slice is counted by the epoch: an epoch visits all batches, not one.",
    keeps=(1, 2, 7),
)
def slices_by_epoch(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    def batches(epoch, M):
        pieces = cut(np.arange(M), batch_size)
        return [pieces[epoch % len(pieces)]]

    return epochs_of(X, Y, layers, epochs, lr, batches)


@mistakes.of(
    "nn_train_sgd", hint="X and Y are shuffled in different orders: use one permutation for both."
)
def two_orders(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    def batches(epoch, M):
        rows, labels = (
            cut(np.random.permutation(M), batch_size),
            cut(np.random.permutation(M), batch_size),
        )
        return [(row[0], label[0]) for row, label in zip(rows, labels, strict=True)]

    return epochs_of(X, Y, layers, epochs, lr, batches)


@mistakes.of(
    "nn_train_sgd",
    hint="The biases never move: update every b as well as every W.",
    keeps=(1, 3, 4, 5, 6, 7),
)
def biases_forgotten(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    def batches(epoch, M):
        return cut(np.random.permutation(M), batch_size)

    return epochs_of(X, Y, layers, epochs, lr, batches, moves=lambda name: name[0] == "W")


@mistakes.of(
    "nn_train_sgd",
    hint="The last batch is divided by batch_size; average over the batch's own size.",
    keeps=(1, 2, 3, 5, 6, 7),
)
def averaged_by_batch_size(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    def batches(epoch, M):
        return cut(np.random.permutation(M), batch_size)

    return epochs_of(X, Y, layers, epochs, lr, batches, scale=lambda batch: len(batch) / batch_size)


@mistakes.of(
    "nn_train_sgd",
    hint="Batches are drawn with repetition: some examples come twice, others never. Permute.",
)
def drawn_with_repetition(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    def batches(epoch, M):
        return cut(np.random.randint(M, size=M), batch_size)

    return epochs_of(X, Y, layers, epochs, lr, batches)


@mistakes.of(
    "nn_train_sgd",
    hint="The arrays of the caller are shuffled in place: pick rows by an index instead.",
    keeps=(1, 2, 3, 4, 5, 6),
)
def shuffled_in_place(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    for _ in range(epochs):
        order = np.random.permutation(len(X))
        X[:], Y[:] = X[order], Y[order]
    return reference().nn_train_sgd(X, Y, layers, batch_size, epochs, lr)


@mistakes.of("nn_train_sgd", hint="Only one batch is used per epoch: loop over all of them.")
def one_batch_per_epoch(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    def batches(epoch, M):
        return cut(np.random.permutation(M), batch_size)[:1]

    return epochs_of(X, Y, layers, epochs, lr, batches)


@mistakes.of(
    "nn_train_sgd",
    hint="Every step uses all of X and Y: it should use the rows of its batch only.",
    keeps=(1, 2, 6, 7),
)
def everything_in_every_step(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    def batches(epoch, M):
        return [(np.arange(M), np.arange(M)) for _ in cut(np.arange(M), batch_size)]

    return epochs_of(X, Y, layers, epochs, lr, batches)


@mistakes.of(
    "nn_train_sgd",
    hint="The last batch is smaller where batch_size does not divide M: a reshape to full rows cannot hold it.",
    keeps=(1, 2, 3, 5, 6, 7),
)
def batches_by_reshape(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    def batches(epoch, M):
        return [(rows, rows) for rows in np.random.permutation(M).reshape(-1, batch_size)]

    return epochs_of(X, Y, layers, epochs, lr, batches)


@mistakes.of(
    "nn_train_sgd",
    hint="The batches are nearly equal; they should have batch_size examples each, and only the last one fewer.",
    keeps=(1, 2, 3, 5, 6, 7),
)
def batches_of_nearly_equal_size(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    def batches(epoch, M):
        pieces = np.array_split(np.random.permutation(M), -(-M // batch_size))
        return [(rows, rows) for rows in pieces]

    return epochs_of(X, Y, layers, epochs, lr, batches)


def with_losses(reduced, X, Y, layers, batch_size, epochs, lr):
    """Right steps; `reduced` makes the recorded loss of an epoch from P, Y and the loss of each of its batches."""
    right = reference()
    parameters, losses = right.initialize_weights(layers), []
    for _ in range(epochs):
        seen = []
        for rows, _ in cut(np.random.permutation(len(X)), batch_size):
            P, caches = right.nn_forward(parameters, X[rows])
            seen.append((P, Y[rows], right.crossentropy(P, Y[rows])))
            gradients = right.nn_backward(X[rows], Y[rows], P, caches)
            parameters = {
                name: value - lr * gradients[f"dLd{name}"] for name, value in parameters.items()
            }
        losses.append(reduced(seen))
    return parameters, losses


@mistakes.of(
    "nn_train_sgd",
    hint="The recorded loss is that of the epoch's last batch: take the mean over all of its batches.",
    keeps=(1, 2, 3, 4, 5, 7),
)
def loss_of_the_last_batch(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    return with_losses(lambda seen: seen[-1][2], X, Y, layers, batch_size, epochs, lr)


@mistakes.of(
    "nn_train_sgd",
    hint="The losses of the batches are added up: take their mean.",
    keeps=(1, 2, 3, 4, 5, 7),
)
def losses_added_up(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    return with_losses(
        lambda seen: sum(loss for _, _, loss in seen), X, Y, layers, batch_size, epochs, lr
    )


@mistakes.of(
    "nn_train_sgd",
    hint="The recorded loss compares P of the last batch with the first rows of Y: other examples. Use that batch's Y.",
    keeps=(1, 2, 3, 4, 5, 7),
)
def loss_against_other_examples(X, Y, layers, batch_size=100, epochs=100, lr=0.01):
    def loss(seen):
        P = seen[-1][0]
        return reference().crossentropy(P, Y[: len(P)])

    return with_losses(loss, X, Y, layers, batch_size, epochs, lr)
