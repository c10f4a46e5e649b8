"""Computational graphs, figures with alternative text, players without a network."""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from matplotlib.animation import FuncAnimation
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from nbclient import NotebookClient
from PIL import Image

from autograder import figures, graphs
from autograder.drawing import Edge, Graph, GraphPicture, Node

mpl.use("Agg")

GRAPHS = {
    "linear regression": graphs.LINEAR_REGRESSION,
    "logistic regression": graphs.LOGISTIC_REGRESSION,
    "linear unit": graphs.LINEAR_UNIT,
    "activation unit": graphs.ACTIVATION_UNIT,
    "softmax-loss unit": graphs.SOFTMAX_LOSS_UNIT,
    "L layers": graphs.network(),
    "two layers": graphs.network(64, 32, 10),
}
each_graph = pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS.keys())
each_direction = pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])

Displayed = list[figures.Shown]


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> Displayed:
    shown: Displayed = []
    monkeypatch.setattr(figures, "display", shown.append)
    return shown


@pytest.fixture(autouse=True)
def settings_of_the_course() -> Iterator[None]:
    with mpl.rc_context():
        figures.style()
        yield
    plt.close("all")


def pictured(graph: Graph, backward: bool) -> GraphPicture:
    return graph.backward() if backward else graph.forward()


@cache
def drawn(graph: Graph, backward: bool) -> Figure:
    """The figure of a graph, drawn once for all that look at it."""
    return pictured(graph, backward).figure


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


def luminance(colour: str) -> float:
    """WCAG's relative luminance, 0 for black and 1 for white."""
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@each_graph
@each_direction
def test_every_arrow_carries_its_shape(graph: Any, backward: Any) -> None:
    written = "\n".join(texts(drawn(graph, backward)))
    for edge in graph.edges:
        expected = (
            " × ".join(size if size.isdigit() else f"${size}$" for size in edge.shape) or "scalar"
        )
        assert expected in written


@each_graph
def test_a_gradient_stands_on_every_arrow_that_needs_one(graph: Any) -> None:
    written = texts(drawn(graph, True))
    for edge in graph.edges:
        if edge.gradient is None:
            assert any(rf"\partial L/\partial {edge.value}$" in text for text in written)
    assert not any(r"\partial" in text for text in texts(drawn(graph, False)))


@each_graph
@each_direction
def test_forward_points_right_and_backward_left(graph: Any, backward: Any) -> None:
    figure = drawn(graph, backward)
    arrows = [patch for patch in figure.axes[0].patches if hasattr(patch, "_posA_posB")]
    assert len(arrows) == len(graph.edges)
    for arrow, edge in zip(arrows, graph.edges, strict=True):
        (start, _), (end, _) = arrow._posA_posB
        if edge.gradient != "" and abs(start - end) > 1:
            assert bool(end < start) is backward


@each_graph
@each_direction
def test_nothing_leaves_the_paper_and_no_text_covers_another(graph: Any, backward: Any) -> None:
    figure = drawn(graph, backward)
    extents = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text()]
    for index, extent in enumerate(extents):
        assert figure.bbox.x0 <= extent.x0 and extent.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= extent.y0 and extent.y1 <= figure.bbox.y1
        assert not any(extent.overlaps(other) for other in extents[index + 1 :]), texts(figure)[
            index
        ]


@each_graph
@each_direction
def test_the_display_carries_alternative_text(graph: Any, backward: Any) -> None:
    shown = pictured(graph, backward)
    markup = shown._repr_html_()
    assert repr(shown) == shown.words == graph.describe(backward)
    assert f'alt="{html.escape(shown.words)}"' in markup
    assert not re.search(r"[\\${}^]", shown.words), "a screen reader would spell out the mark-up"
    for edge in graph.edges:
        if "^" not in "".join(edge.shape):
            assert f"({' × '.join(edge.shape) or 'scalar'})" in shown.words
    svg = base64.b64decode(markup.split("base64,")[1].split('"')[0]).decode()
    assert "<svg" in svg and "http-equiv" not in svg


def test_sizes_take_the_place_of_symbols() -> None:
    shown = graphs.LINEAR_REGRESSION.forward(M=442, N=10, K=1)
    assert "442 × 10" in texts(shown.figure) and "1 × 10" in texts(shown.figure)
    assert "X (442 × 10) goes from [X]" in shown.words


def test_a_networks_graph_has_the_shapes_of_a_network() -> None:
    shapes = {edge.value: edge.shape for edge in graphs.network(64, 32, 16, 10).edges}
    assert [shapes[f"W^{layer}"] for layer in (1, 2, 3)] == [
        ("32", "64"),
        ("16", "32"),
        ("10", "16"),
    ]
    assert [shapes[f"b^{layer}"] for layer in (1, 2, 3)] == [("32", "1"), ("16", "1"), ("10", "1")]
    assert shapes["X"] == ("M", "64") and shapes["P"] == shapes["Y"] == ("M", "10")


def test_a_network_needs_two_layers() -> None:
    with pytest.raises(ValueError, match=r"network\(64, 10\)"):
        graphs.network(64)


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        ((Node("a", 0, 0),), (Edge("a", "c", "a"),), "names 'c', the nodes are a"),
        ((Node("a", 0, 0), Node("a", 1, 0)), (), "two nodes are called 'a'"),
    ],
    ids=["missing node", "same name twice"],
)
def test_a_wrong_graph_says_what_is_wrong(
    nodes: tuple[Any, ...], edges: tuple[Edge], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Graph("something", nodes, edges)


def test_two_arrows_between_the_same_boxes_are_both_seen() -> None:
    nodes = (Node("a", 0, 0), Node("sum", 1, 0, "$a + a$"))
    graph = Graph(
        "a sum", nodes, (Edge("a", "sum", "x", bend=0.4), Edge("a", "sum", "y", bend=-0.4))
    )
    heights = {
        text.get_text(): text.get_position()[1] for text in graph.forward().figure.axes[0].texts
    }
    assert heights["$x$\nscalar"] != heights["$y$\nscalar"]


def test_show_displays_once_with_alternative_text(displayed: Displayed) -> None:
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    figures.show(figure, 'a line that rises & a "quote"')
    (shown,) = displayed
    assert 'alt="a line that rises &amp; a &quot;quote&quot;"' in shown._repr_html_()
    assert not plt.get_fignums()


@pytest.fixture
def moving_line() -> FuncAnimation:
    figure, axes = plt.subplots(figsize=(3, 2))
    (line,) = axes.plot([0, 1], [0, 0], color=figures.VERMILION, linestyle="-")

    def draw(frame: int) -> Any:
        line.set_ydata([0, frame])
        return (line,)

    return FuncAnimation(figure, draw, frames=3)


def test_a_player_needs_no_network(displayed: Displayed, moving_line: FuncAnimation) -> None:
    figures.play(moving_line, "a line that rises")
    (shown,) = displayed
    player = shown._repr_html_()
    assert 'alt="a line that rises"' in player and repr(shown) == "a line that rises"
    assert not re.search(r'(?:src|href)="https?:', player)
    assert "fa-" not in player, "a button lost its character"
    frames = re.findall(r'frames\[\d\] = "(data:image/png;base64,[^"]+)"', player)
    assert len(frames) == 3
    assert f'src="{frames[-1]}"' in player, "nothing to see where scripts may not run"
    assert not plt.get_fignums()


def test_the_palette_can_be_read_on_the_paper() -> None:
    for colour in (figures.BLUE, figures.VERMILION, figures.GREY, figures.INK):
        contrast = (luminance(figures.PAPER) + 0.05) / (luminance(colour) + 0.05)
        assert contrast >= 3.5, f"{colour} as text on {figures.PAPER}"
    curves = mpl.rcParams["axes.prop_cycle"].by_key()
    assert len(set(map(str, curves["linestyle"][:6]))) == 6, (
        "in grey only the dashes tell curves apart"
    )


def test_a_players_frames_keep_their_colours(
    displayed: Displayed, moving_line: FuncAnimation
) -> None:
    figures.play(moving_line, "a line that rises")
    frames = re.findall(r'data:image/png;base64,([^"]+)"', displayed[0]._repr_html_())
    pixels = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(frames[0]))).convert("RGB")).reshape(
            -1, 3
        )
        / 255
    )
    for colour in (figures.VERMILION, figures.PAPER):
        assert np.abs(pixels - to_rgb(colour)).max(axis=1).min() < 0.02


@pytest.mark.parametrize(
    "draw", [graphs.LINEAR_UNIT.forward, graphs.LINEAR_UNIT.backward], ids=["forward", "backward"]
)
def test_the_direction_does_not_hang_on_colour(draw: Callable[[], GraphPicture]) -> None:
    shown = draw()
    figure, backward = shown.figure, "backward" in shown.words
    dashed = [
        patch.get_linestyle() != "-"
        for patch in figure.axes[0].patches
        if hasattr(patch, "_posA_posB")
    ]
    assert dashed == [backward] * len(dashed)
    assert ("← backward: gradients" if backward else "forward: values →") in texts(figure)


# The oldest ipywidgets that is allowed asks ipykernel for what matplotlib_inline has today.
@pytest.mark.filterwarnings("ignore:`ipykernel.pylab.backend_inline` is deprecated")
def test_sliders_are_shown_where_somebody_can_move_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    called: list[int] = []
    figures.interact(lambda value: called.append(value), value=[3, 4])
    assert called == [3] and "Sliders stand here" not in capsys.readouterr().out


@pytest.mark.slow
def test_where_a_notebook_is_run_by_a_program_sliders_say_where_they_stand(
    tmp_path: Path,
) -> None:
    """nbclient and widgets have waited for each other for minutes on a busy machine."""
    source = "from autograder import figures\nfigures.interact(print, value=[3, 4])"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()
    (output,) = notebook.cells[0].outputs
    assert output.text == "(Sliders stand here in a running notebook.)\n"
