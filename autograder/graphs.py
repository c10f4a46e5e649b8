"""The computational graphs of the lecture, each to be drawn forward and backward.

Shapes as in the homework: X, P and Y have one row per example, Z and a of a network one column per example.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from autograder.drawing import Edge, Graph, Node

__all__ = [
    "ACTIVATION_UNIT",
    "LINEAR_REGRESSION",
    "LINEAR_UNIT",
    "LOGISTIC_REGRESSION",
    "SOFTMAX_LOSS_UNIT",
    "Edge",
    "Graph",
    "Node",
    "network",
]

_X = Node("X", 0, 0)
_W = Node("W", 1, 1)
_b = Node("b", 1, -1)
_INTO_LINEAR = (
    Edge("X", "linear", "X", ("M", "N"), gradient=""),
    Edge("W", "linear", "W", ("K", "N")),
    Edge("b", "linear", "b", ("K", "1")),
)
_INTO_LOSS = (
    Edge("Y", "loss", "Y", ("M", "K"), gradient=""),
    Edge("loss", "L", "L", (), gradient=r"$\partial L/\partial L = 1$"),
)

_SQUARES = Node(
    "loss",
    2,
    0,
    r"$L = \frac{1}{2M}\,\Vert Z - Y \Vert^2$",
    r"$\partial L/\partial Z = \frac{1}{M}\,(Z - Y)$",
)
_SOFTMAX = Node(
    "softmax",
    2,
    0,
    r"$P = \mathrm{softmax}(Z^T)$",
    r"$\partial L/\partial Z = \frac{1}{M}\,(P - Y)^T$",
)
_CROSS_ENTROPY = Node(
    "loss",
    3,
    0,
    r"$L = -\frac{1}{M}\,\sum\,Y\,\log\,P$",
    r"$\partial L/\partial P = -\frac{1}{M}\,\frac{Y}{P}$",
)
_ROWS_OF_Z = Node(  # one row per example
    "linear",
    1,
    0,
    r"$Z = X\,W^T + b^T$",
    r"$\partial L/\partial W = (\partial L/\partial Z)^T\,X$" + "\n"
    r"$\partial L/\partial b = \mathrm{column\ sums\ of}\;\partial L/\partial Z$",
)
_COLUMNS_OF_Z = Node(  # one column per example
    "linear",
    1,
    0,
    r"$Z = W\,X^T + b$",
    r"$\partial L/\partial W = \partial L/\partial Z\;X$" + "\n"
    r"$\partial L/\partial b = \mathrm{row\ sums\ of}\;\partial L/\partial Z$",
)
_LINEAR = Node(
    "linear",
    1,
    0,
    r"$Z^l = W^l\,a^{l-1} + b^l$",
    r"$\partial L/\partial W^l = \partial L/\partial Z^l\,(a^{l-1})^T$" + "\n"
    r"$\partial L/\partial b^l = \mathrm{row\ sums\ of}\;\partial L/\partial Z^l$" + "\n"
    r"$\partial L/\partial a^{l-1} = (W^l)^T\,\partial L/\partial Z^l$",
)
_SIGMOID = Node(
    "sigmoid",
    1,
    0,
    r"$a^l = \sigma(Z^l)$",
    r"$\partial L/\partial Z^l = \partial L/\partial a^l \odot a^l \odot (1 - a^l)$",
)

LINEAR_REGRESSION = Graph(
    "linear regression",
    (_X, _W, _b, _ROWS_OF_Z, Node("Y", 2, 1), _SQUARES, Node("L", 3, 0)),
    (*_INTO_LINEAR, Edge("linear", "loss", "Z", ("M", "K")), *_INTO_LOSS),
)

LOGISTIC_REGRESSION = Graph(
    "logistic regression with K classes",
    (_X, _W, _b, _COLUMNS_OF_Z, _SOFTMAX, Node("Y", 3, 1), _CROSS_ENTROPY, Node("L", 4, 0)),
    (
        *_INTO_LINEAR,
        Edge("linear", "softmax", "Z", ("K", "M")),
        Edge("softmax", "loss", "P", ("M", "K")),
        *_INTO_LOSS,
    ),
)

SOFTMAX_LOSS_UNIT = Graph(
    "the softmax and cross-entropy unit",
    (Node("Z", 1, 0), _SOFTMAX, _CROSS_ENTROPY, Node("Y", 3, 1), Node("L", 4, 0)),
    (Edge("Z", "softmax", "Z", ("K", "M")), Edge("softmax", "loss", "P", ("M", "K")), *_INTO_LOSS),
)

LINEAR_UNIT = Graph(
    "the linear unit of layer l",
    (Node("a^{l-1}", 0, 0), Node("W^l", 1, 1), Node("b^l", 1, -1), _LINEAR, Node("Z^l", 2, 0)),
    (
        Edge("a^{l-1}", "linear", "a^{l-1}", ("n^{l-1}", "M")),
        Edge("W^l", "linear", "W^l", ("n^l", "n^{l-1}")),
        Edge("b^l", "linear", "b^l", ("n^l", "1")),
        Edge("linear", "Z^l", "Z^l", ("n^l", "M")),
    ),
)

ACTIVATION_UNIT = Graph(
    "the activation unit of layer l",
    (Node("Z^l", 0, 0), _SIGMOID, Node("a^l", 2, 0)),
    (Edge("Z^l", "sigmoid", "Z^l", ("n^l", "M")), Edge("sigmoid", "a^l", "a^l", ("n^l", "M"))),
)


def network(*units: int) -> Graph:
    """Build the graph of a network: linear and sigmoid units, a softmax with cross-entropy on top.

    Parameters
    ----------
    *units
        How many units each layer has, from the inputs to the classes: ``network(64, 32, 10)``.
        Without any, the general network of L layers is drawn, its middle left out.

    Returns
    -------
    Graph
        Draw it with ``.forward()`` or ``.backward()``; its symbol ``M`` is the number of examples.

    Raises
    ------
    ValueError
        When a single layer is given.
    """
    if len(units) == 1:
        raise ValueError(
            f"a network needs inputs and outputs, for instance network({units[0]}, 10)"
        )
    layers = []
    for number_of_layer, (units_before, units_after) in enumerate(pairwise(units), start=1):
        layers.append((str(number_of_layer), str(units_before), str(units_after)))
    layers = layers or [("1", "N", "n^1"), ("…", "", ""), ("L", "n^{L-1}", "K")]
    nodes = [_X]
    edges = []
    tail = "X"
    value = "X"
    shape = ("M", layers[0][1])
    for number, before, after in layers:
        column = nodes[-1].column + 1
        if number == "…":
            nodes.append(Node("…", column, 0, r"$\cdots$"))
            edges.append(Edge(tail, "…", value, shape))
            tail = "…"
            value = "a^{L-1}"
            shape = ("n^{L-1}", "M")
            continue
        W, b, Z, a = (f"{symbol}^{number}" for symbol in "WbZa")
        linear = f"linear {number}"
        activation = f"sigmoid {number}"
        edges += [
            Edge(tail, linear, value, shape, gradient="" if tail == "X" else None),
            Edge(W, linear, W, (after, before)),
            Edge(b, linear, b, (after, "1")),
            Edge(linear, activation, Z, (after, "M")),
        ]
        nodes += [
            Node(W, column, 1),
            Node(b, column, -1),
            Node(linear, column, 0, f"linear ${number}$"),
        ]
        nodes.append(Node(activation, column + 1, 0, r"$\sigma$"))
        tail = activation
        value = a
        shape = (after, "M")
    nodes[-1] = replace(nodes[-1], forward="softmax")
    column = nodes[-1].column + 1
    classes = ("M", shape[0])
    nodes += [
        Node("Y", column, 1),
        Node("loss", column, 0, "cross-\nentropy"),
        Node("L", column + 1, 0),
    ]
    edges += [
        Edge(tail, "loss", "P", classes),
        Edge("Y", "loss", "Y", classes, gradient=""),
        Edge("loss", "L", "L"),
    ]
    return Graph("a neural network", tuple(nodes), tuple(edges))
