"""Computational graphs: written down once, as boxes and arrows, and drawn twice.

Forward they are read from left to right, with the values on the arrows; backward from right to left, with the gradients
on the same arrows. Every arrow carries a shape.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from autograder.figures import BLUE, GREY, INK, PAPER, VERMILION, Shown, picture
from autograder.graph_parts import Edge, Node, write_plainly, write_shape

__all__ = ["Edge", "Graph", "GraphPicture", "Node"]

_OPERATION, _WANTS_GRADIENT, _GIVEN = "#E3EEF6", "#FFF1CC", "#FFFFFF"  # fills of the boxes

_PADDING = 9.0  # between a box and its text; all lengths are in points
_GAP = 42.0  # the shortest arrow
_MARGIN = 14.0


class GraphPicture(Shown):
    """A graph as a notebook displays it: drawn when somebody looks, and said in words.

    Attributes
    ----------
    words : str
        The alternative text, shown to screen readers and wherever pictures cannot be.
    """

    def __init__(self, graph: Graph, backward: bool, sizes: Mapping[str, int]) -> None:
        super().__init__(self._draw_graph, graph.describe(backward, **sizes))
        self._drawing = graph, backward, sizes

    @cached_property
    def figure(self) -> Figure:
        """The drawing."""
        return _Drawing(*self._drawing).figure

    def _draw_graph(self) -> str:
        buffer = io.BytesIO()
        # Without a date the same graph gives the same bytes, and notebooks do not change.
        self.figure.savefig(buffer, format="svg", metadata={"Date": None})
        width = round(self.figure.get_size_inches()[0] * 96)
        # Narrow screens scroll the graph sideways: shrunk to a phone its shapes could not be read.
        style = f"max-width:{width}px;width:100%;min-width:{width * 3 // 4}px"
        drawing = picture(buffer.getvalue(), "image/svg+xml", self.words, style)
        return f'<div style="overflow-x:auto">{drawing}</div>'


@dataclass(frozen=True)
class Graph:
    """A computational graph that can be drawn forward and backward.

    Attributes
    ----------
    title
        What is computed, in words.
    nodes, edges
        Its boxes and arrows.
    """

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def __post_init__(self) -> None:
        """Refuse an arrow whose end does not exist.

        Raises
        ------
        ValueError
            When two nodes share a name or an edge names a node that is not there.
        """
        names: list[str] = []
        for node in self.nodes:
            if node.name in names:
                raise ValueError(
                    f"graph '{self.title}': two nodes are called '{node.name}', give each its own name"
                )
            names.append(node.name)
        for edge in self.edges:
            for name in (edge.tail, edge.head):
                if name not in names:
                    raise ValueError(
                        f"graph '{self.title}': an edge names '{name}', the nodes are {', '.join(names)}"
                    )

    def forward(self, **sizes: int) -> GraphPicture:
        """Draw the forward pass, left to right, with the value and its shape on every arrow.

        Parameters
        ----------
        **sizes
            Numbers to write in place of the symbols in the shapes, for instance ``M=442, N=10,
            K=1``.
        """
        return GraphPicture(self, backward=False, sizes=sizes)

    def backward(self, **sizes: int) -> GraphPicture:
        """Draw the backward pass, right to left, with the gradient and its shape on every arrow.

        Parameters
        ----------
        **sizes
            Numbers to write in place of the symbols in the shapes.
        """
        return GraphPicture(self, backward=True, sizes=sizes)

    def describe(self, backward: bool = False, **sizes: int) -> str:
        """Say in words what the drawing shows: its alternative text."""
        boxes = {node.name: write_plainly(node.text(backward)) for node in self.nodes}
        direction = "forward pass, read from left to right"
        if backward:
            direction = "backward pass, read from right to left"
        sentences = [f"Computational graph of {self.title}, {direction}."]
        for edge in reversed(self.edges) if backward else self.edges:
            shape = write_plainly(write_shape(edge.shape, sizes))
            size = f" ({shape})" if shape else ""
            tail = boxes[edge.tail]
            head = boxes[edge.head]
            if not backward:
                sentences.append(
                    f"{write_plainly(edge.value)}{size} goes from [{tail}] to [{head}]."
                )
            elif edge.symbol:
                sentences.append(
                    f"{write_plainly(edge.symbol)}{size} goes back from [{head}] to [{tail}]."
                )
            else:
                sentences.append(f"No gradient is needed for {write_plainly(edge.value)}{size}.")
        return " ".join(sentences)


@dataclass
class _Drawing:
    """One drawing of a graph: measure the texts, place the boxes, draw."""

    graph: Graph
    backward: bool
    sizes: Mapping[str, int]
    figure: Figure = field(init=False)

    def __post_init__(self) -> None:
        self.figure = Figure(facecolor=PAPER, dpi=100)
        self.figure.set_layout_engine("none")
        FigureCanvasAgg(self.figure)
        self.boxes = {node.name: self._box(node) for node in self.graph.nodes}
        self.columns = self._columns()
        self.rows = self._rows()
        self.centres = {}
        for node in self.graph.nodes:
            self.centres[node.name] = (self.columns[node.column], self.rows[node.row])
        self.axes = self._paper()
        for edge in self.graph.edges:
            self._draw_edge(edge)
        for node in self.graph.nodes:
            self._draw_node(node)

    def _measure(self, text: str, size: float) -> tuple[float, float]:
        # Only a text that was put on the figure has a size; it is taken away again.
        drawn = self.figure.text(0, 0, text, fontsize=size, math_fontfamily="stix", linespacing=1.5)
        extent = drawn.get_window_extent()
        drawn.remove()
        scale = 72 / self.figure.dpi
        return extent.width * scale, extent.height * scale

    def _box(self, node: Node) -> tuple[float, float]:
        width, height = self._measure(node.text(self.backward), 14)
        return max(width + 2 * _PADDING, 30), max(height + 2 * _PADDING, 30)

    def _columns(self) -> dict[float, float]:
        """Place the columns: as wide as their widest box, as far apart as the longest label between
        them.
        """
        column = {}
        widths: dict[float, list[float]] = {}
        for node in self.graph.nodes:
            column[node.name] = node.column
            widths.setdefault(node.column, []).append(self.boxes[node.name][0])
        gaps = dict.fromkeys(widths, 0.0)
        for edge in self.graph.edges:
            # A label stands in the gap before the farther column, however many are between them.
            if column[edge.tail] != column[edge.head]:
                step = max(column[edge.tail], column[edge.head])
                gaps[step] = max(gaps[step], _GAP, self._label_width(edge) + 20)
        return _places(widths, gaps)

    def _rows(self) -> dict[float, float]:
        """Place the rows: as high as their highest box, one gap apart."""
        heights: dict[float, list[float]] = {}
        for node in self.graph.nodes:
            heights.setdefault(node.row, []).append(self.boxes[node.name][1])
        return _places(heights, dict.fromkeys(heights, _GAP))

    def _label_width(self, edge: Edge) -> float:
        return max(self._measure(text, 12)[0] for text in self._labels(edge))

    def _labels(self, edge: Edge) -> tuple[str, str]:
        """What stands above and below an arrow: the value or its gradient, and the shape."""
        shape = write_shape(edge.shape, self.sizes)
        if self.backward and edge.symbol:
            return edge.symbol, shape
        for node in self.graph.nodes:
            is_end = node.name in (edge.tail, edge.head)
            # The box says it already.
            if is_end and not node.forward and node.name == edge.value:
                return "", shape
        return f"${edge.value}$", shape

    def _paper(self) -> Axes:
        right = -math.inf
        top = -math.inf
        for name, (x, y) in self.centres.items():
            width, height = self.boxes[name]
            right = max(right, x + width / 2)
            top = max(top, y + height / 2)
        for edge in self.graph.edges:
            # A label beside an upright arrow may reach beyond all boxes.
            if self._upright(edge):
                right = max(right, self.centres[edge.tail][0] + self._label_width(edge) + 7)
        right = right + _MARGIN
        top = top + _MARGIN + 22
        self.figure.set_size_inches((right + _MARGIN) / 72, (top + _MARGIN) / 72)
        axes = self.figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(-_MARGIN, right), ylim=(-_MARGIN, top))
        axes.axis("off")
        heading = "← backward: gradients" if self.backward else "forward: values →"
        axes.text(0, top - 10, heading, color=self._colour, fontsize=12, weight="bold", va="center")
        return axes

    @property
    def _colour(self) -> str:
        return VERMILION if self.backward else BLUE

    def _upright(self, edge: Edge) -> bool:
        return abs(self.centres[edge.tail][0] - self.centres[edge.head][0]) < 1 and not edge.bend

    def _draw_node(self, node: Node) -> None:
        (x, y), (width, height) = self.centres[node.name], self.boxes[node.name]
        wants_gradient = any(edge.symbol for edge in self.graph.edges if edge.tail == node.name)
        fill = _WANTS_GRADIENT if wants_gradient else _GIVEN
        if node.forward:
            fill = _OPERATION
        self.axes.add_patch(
            FancyBboxPatch(
                (x - width / 2, y - height / 2),
                width,
                height,
                boxstyle=f"round,pad=0,rounding_size={5 if node.forward else 15}",
                facecolor=fill,
                edgecolor=INK,
                linewidth=1.2,
                zorder=3,
            )
        )
        self._write(
            x,
            y,
            node.text(self.backward),
            size=14,
            ha="center",
            va="center",
            zorder=4,
            linespacing=1.5,
        )

    def _draw_edge(self, edge: Edge) -> None:
        flows = bool(edge.symbol) or not self.backward
        tail, head = (edge.head, edge.tail) if self.backward else (edge.tail, edge.head)
        start = self._border(tail, head)
        end = self._border(head, tail)
        # The other way round the same curve bends to the other side.
        bend = -edge.bend if self.backward else edge.bend
        self.axes.add_patch(
            FancyArrowPatch(
                start,
                end,
                arrowstyle="-|>" if flows else "-",
                connectionstyle=f"arc3,rad={bend}",
                mutation_scale=15,
                shrinkA=1,
                shrinkB=1,
                color=self._colour if flows else GREY,
                linewidth=1.8 if flows else 1.0,
                linestyle="-" if not self.backward else (0, (5, 2)) if flows else ":",
                zorder=2,
            )
        )
        self._label(edge, start, end, bend, self._colour if flows else GREY)

    def _border(self, name: str, towards: str) -> tuple[float, float]:
        """Find where the line between two centres leaves the first one's box."""
        (x, y), (width, height) = self.centres[name], self.boxes[name]
        dx = self.centres[towards][0] - x
        dy = self.centres[towards][1] - y
        reach = min(
            width / 2 / abs(dx) if dx else math.inf, height / 2 / abs(dy) if dy else math.inf
        )
        return x + reach * dx, y + reach * dy

    def _label(
        self,
        edge: Edge,
        start: tuple[float, float],
        end: tuple[float, float],
        bend: float,
        colour: str,
    ) -> None:
        value, shape = self._labels(edge)
        dx = end[0] - start[0]
        dy = end[1] - start[1]
        x = (start[0] + end[0]) / 2 + bend * dy / 2
        y = (start[1] + end[1]) / 2 - bend * dx / 2
        if self._upright(edge):
            self._write(x + 7, y + 9, value, size=13, color=colour, va="center")
            self._write(x + 7, y - 9 if value else y, shape, size=11, va="center")
        elif abs(dy) < 1 and not edge.bend:
            self._write(x, y + 5, value, size=13, color=colour, ha="center", va="bottom")
            self._write(x, y - 6, shape, size=11, ha="center", va="top")
        else:
            text = "\n".join(filter(None, (value, shape)))
            box = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5}
            self._write(
                x, y, text, size=12, color=colour, ha="center", va="center", bbox=box, zorder=2.5
            )

    def _write(self, x: float, y: float, text: str, size: float, **how: Any) -> None:
        self.axes.text(x, y, text, fontsize=size, math_fontfamily="stix", **{"color": INK, **how})


def _places(sizes: Mapping[float, list[float]], gaps: Mapping[float, float]) -> dict[float, float]:
    """Put steps of given sizes one after the other, a gap before each, and return their centres."""
    places = {}
    end = 0.0
    for number, step in enumerate(sorted(sizes)):
        start = end + (gaps[step] if number else 0.0)
        places[step], end = start + max(sizes[step]) / 2, start + max(sizes[step])
    return places
