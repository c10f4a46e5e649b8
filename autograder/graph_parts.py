"""What a computational graph is made of, boxes and arrows, and how their texts are written: in
matplotlib's mathtext, and for a screen reader.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_WORDS = {
    r"\partial ": "∂",
    r"\cdots": "…",
    r"\odot": "⊙",
    r"\times": "×",
    r"\exp": "exp",
    r"\sigma": "σ",
    r"\log": "log",
    r"\sum": "Σ",
    r"\Vert": "‖",
    r"\;": " ",
    r"\,": " ",
    r"\ ": " ",
    "-\n": "-",
}
_RAISED = str.maketrans("0123456789TLl-", "⁰¹²³⁴⁵⁶⁷⁸⁹ᵀᴸˡ⁻")


@dataclass(frozen=True)
class Node:
    """A box of a computational graph.

    Attributes
    ----------
    name
        How edges refer to it.
    column, row
        Where it stands: columns count from the left, rows upward.
    forward
        What it computes, in matplotlib's mathtext; empty for a node that only holds the value
        called `name`.
    backward
        The rules of the backward pass, one per line; `forward` when empty.
    """

    name: str
    column: float
    row: float
    forward: str = ""
    backward: str = ""

    def text(self, backward: bool) -> str:
        """Give the text to write into the box."""
        return (self.backward if backward else "") or self.forward or f"${self.name}$"


@dataclass(frozen=True)
class Edge:
    """An arrow from one box to another and the value that travels along it.

    Attributes
    ----------
    tail, head
        Names of the nodes, in the forward direction.
    value
        The value's symbol in mathtext, without dollar signs.
    shape
        Its dimensions, for instance ``("M", "N")``; ``()`` is a scalar; None writes nothing.
    gradient
        Text of the backward arrow, ∂L/∂value when None; "" when no gradient flows (data need none).
    bend
        How strongly the arrow is curved; two arrows between the same boxes need different bends.
    """

    tail: str
    head: str
    value: str
    shape: tuple[str, ...] | None = ()
    gradient: str | None = None
    bend: float = 0.0

    @property
    def symbol(self) -> str:
        """Text of the backward arrow."""
        return rf"$\partial L/\partial {self.value}$" if self.gradient is None else self.gradient


def write_shape(shape: tuple[str, ...] | None, sizes: Mapping[str, int]) -> str:
    """Write a shape in mathtext, with the numbers of the sizes that are known; "" for none."""
    if shape is None:
        return ""
    written = []
    for name in shape:
        if name in sizes:
            written.append(str(sizes[name]))
        else:
            written.append(name if name.isdigit() else f"${name}$")
    return " × ".join(written) or "scalar"


def write_plainly(mathtext: str) -> str:
    """Turn the little mathtext of the graphs into text that a screen reader can say."""
    for command, word in _WORDS.items():
        mathtext = mathtext.replace(command, word)
    text = re.sub(
        r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"\1/\2", mathtext.replace(r"\frac{1}{2M}", "1/(2M)")
    )
    text = re.sub(r"\\mathrm\{([^{}]*)\}", r"\1", text)
    text = re.sub(
        r"\^\{([^{}]*)\}|\^(.)", lambda found: (found[1] or found[2]).translate(_RAISED), text
    )
    return re.sub(r"\s+", " ", re.sub(r"[${}]", "", text.replace("\n", "; "))).strip()
