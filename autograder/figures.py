"""How figures look and are shown in the notebooks: one style, alternative text, players that need
no network.
"""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Callable

import matplotlib as mpl
import matplotlib.pyplot as plt
from cycler import cycler
from IPython.core.getipython import get_ipython
from IPython.display import display
from matplotlib.animation import FuncAnimation
from matplotlib.figure import Figure
from PIL import Image

# Okabe and Ito's palette without its yellow, which is too pale for lines. Line styles change along
# with the colours, so that a plot printed in grey still tells its curves apart.
BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
ORANGE = "#E69F00"
SKY = "#56B4E9"
INK = "#1B1F24"
GREY = "#5F6873"
PAPER = "#FCFCFA"


def style() -> None:
    """Set matplotlib's defaults for the course: colour-blind safe, light paper in every theme,
    large labels.
    """
    colours = [BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, INK]
    dashes = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (7, 2)), "-"]
    mpl.rcParams.update(
        {
            "animation.frame_format": "png",
            "axes.axisbelow": True,
            "axes.edgecolor": GREY,
            "axes.facecolor": "white",
            "axes.grid": True,
            "axes.labelcolor": INK,
            "axes.prop_cycle": cycler(color=colours) + cycler(linestyle=dashes),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlesize": 13,
            "figure.constrained_layout.use": True,
            "figure.dpi": 100,
            "figure.facecolor": PAPER,
            "figure.figsize": (6.4, 4.0),
            "font.size": 12.5,
            "grid.color": "#DDE1E6",
            "grid.linewidth": 0.8,
            "image.cmap": "viridis",
            "legend.framealpha": 0.9,
            "lines.linewidth": 2.0,
            "savefig.facecolor": "auto",
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
        }
    )


class Shown:
    """What a notebook displays as HTML, and in words wherever HTML cannot be shown.

    The HTML is made when somebody asks for it: where nobody looks, as in grading, nothing is drawn.
    """

    def __init__(self, draw: Callable[[], str], words: str) -> None:
        self._draw = draw
        self.words = words

    def _repr_html_(self) -> str:
        return self._draw()

    def __repr__(self) -> str:
        """Return the words."""
        return self.words


def show(figure: Figure, alt: str) -> None:
    """Display a figure once, with a sentence for those who do not see it.

    Parameters
    ----------
    figure
        Any matplotlib figure; one made by pyplot is closed, so that the notebook does not show it a
        second time.
    alt
        What the figure shows, in words.
    """
    plt.close(figure)
    display(Shown(lambda: _draw_figure(figure, alt), alt))  # type: ignore[no-untyped-call]


def interact(function: Callable[..., object], **controls: object) -> None:
    """Let a reader move sliders, as `ipywidgets.interact` does, where somebody can; else say that
    they stand here.

    A notebook that nbclient runs (nbconvert, papermill) has no one to move them. There the messages
    between widgets and kernel also cross each other: on a busy machine such a run has stood still
    for minutes at a cell with sliders, with kernel and client each waiting for the other.

    Parameters
    ----------
    function
        Called with the values of the controls whenever one of them is moved.
    controls
        A widget, or an abbreviation of one, for each parameter of the function.
    """
    if _runs_unattended():
        print("(Sliders stand here in a running notebook.)")
        return
    from ipywidgets import interact as show_controls  # type: ignore[import-untyped]  # not in the jail, where nobody is

    show_controls(function, **controls)


def _runs_unattended() -> bool:
    """Whether nbclient started this kernel: it is the one that asks for a history in memory."""
    history = getattr(get_ipython(), "history_manager", None)
    return history is not None and history.hist_file == ":memory:"


def _draw_figure(figure: Figure, alt: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=2 * figure.dpi)
    width = round(figure.get_size_inches()[0] * figure.dpi)
    return picture(
        buffer.getvalue(), "image/png", alt, f"max-width:100%;width:{width}px;height:auto"
    )


def play(animation: FuncAnimation, alt: str, dpi: int = 100) -> None:
    """Display an animation as a player that needs no network.

    Parameters
    ----------
    animation
        The animation; its figure is closed.
    alt
        What moves in it, in words.
    dpi
        Dots per inch of the frames. The notebook carries every frame, so this decides its size.
    """
    figure: Figure = animation._fig  # type: ignore[attr-defined]
    animation._draw_was_started = True  # type: ignore[attr-defined]  # not to be warned of where nobody looks
    display(Shown(lambda: _draw_player(animation, figure, alt, dpi), alt))  # type: ignore[no-untyped-call]
    plt.close(figure)


def _draw_player(animation: FuncAnimation, figure: Figure, alt: str, dpi: int) -> str:
    figure.set_dpi(dpi)
    # The layout is found once, for the first frame: axes that breathe from frame to frame distract,
    # and take time.
    animation._init_draw()  # type: ignore[attr-defined]
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    with mpl.rc_context({"savefig.dpi": dpi}):
        player = animation.to_jshtml(default_mode="once")
    width, height = (round(inches * 100) for inches in figure.get_size_inches())
    return _everywhere(player, alt, width, height)


def _everywhere(player: str, alt: str, width: int, height: int) -> str:
    """Rework matplotlib's player: smaller, without a network, on narrow screens, and where no
    script may run.
    """
    player = re.sub(r'data:image/png;base64,([^"]+)', _few_colours, player)
    # It fetches its icons from a web font: plain characters do as well, and work offline.
    player = re.sub(r"<link[^>]*font-awesome[^>]*>", "", player)
    for icon, character in _PLAYER_ICONS.items():
        player = player.replace(f'<i class="fa {icon}"></i>', character)
    player = player.replace("display: inline-block", f"max-width: {width}px", 1)
    player = player.replace("width: 374px", "width: 90%", 1)
    # Without a script the last frame stands still; the ratio keeps its place until the picture is
    # there.
    last = re.findall(r'= "(data:image/png;base64,[^"]+)"', player)[-1]
    style = f"width:{width}px;max-width:100%;height:auto;aspect-ratio:{width}/{height};border-radius:4px"
    return player.replace("<img ", f'<img alt="{html.escape(alt)}" style="{style}" src="{last}" ')


def _few_colours(found: re.Match[str]) -> str:
    """Store a frame with a palette of 128 colours: a quarter of the bytes, and nobody sees it."""
    frame: Image.Image = Image.open(io.BytesIO(base64.b64decode(found[1].replace("\\", ""))))
    buffer = io.BytesIO()
    # Maximum coverage keeps thin coloured lines, which are few pixels, in their own colour.
    frame = frame.convert("RGB").quantize(128, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    frame.save(buffer, format="png", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


_PLAYER_ICONS = {
    "fa-minus": "−",
    "fa-fast-backward": "⇤",
    "fa-step-backward": "‹",
    "fa-play fa-flip-horizontal": "◀",
    "fa-pause": "‖",
    "fa-play": "▶",
    "fa-step-forward": "›",
    "fa-fast-forward": "⇥",
    "fa-plus": "+",
}


def picture(data: bytes, mime: str, alt: str, css: str) -> str:
    """Write an HTML picture that carries its own data and its alternative text."""
    source = f"data:{mime};base64,{base64.b64encode(data).decode()}"
    return f'<img alt="{html.escape(alt)}" style="{css};border-radius:4px" src="{source}">'
