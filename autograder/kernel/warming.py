"""Everything a notebook is likely to need, imported and used once before the first submission is
forked.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
from collections.abc import Sequence

from autograder.course.lasting_imports import import_to_stay
from autograder.kernel.inside_tests import InsideTests
from autograder.kernel.output_recorder import Recorder
from autograder.kernel.shell import Shell, make_shell

_ALWAYS = (
    "numpy.fft",
    "numpy.linalg",
    "numpy.ma",
    "numpy.polynomial",
    "numpy.random",
    "numpy.testing",
)
_USUAL = (
    "matplotlib.pyplot",
    "sklearn.datasets",
    "sklearn.model_selection",
    "sklearn.linear_model",
)
_BACKEND = "module://matplotlib_inline.backend_inline"
_PLOTTING = (
    "import matplotlib.pyplot as plt\nplt.plot([1, 2], label='$x^2$'); plt.legend(); plt.show()"
)
_WARMING = (
    "def f(): 1 / 0\nf()",
    "%%time\n1",
    # No event loop: forked processes would share it
    "import asyncio, random, copy, math, inspect, traceback",
)


def warm_up(modules: Sequence[str] | None = None, *, draw: bool = True) -> Shell:
    """Import what notebooks use and bring a shell to speed; the zygote forks submissions from here.

    Parameters
    ----------
    modules : sequence of str, optional
        What the notebooks to come import, beside numpy; whatever is usual where it is not known.
        What is not imported here each submission imports for itself.
    draw : bool
        Whether to draw a figure, where pyplot is imported: each submission that draws is done
        sooner, but the zygote is ready later.

    Returns
    -------
    Shell
        The shell to hand to `serve_kernel` in the forked process.
    """
    with import_to_stay():
        for name in (*_ALWAYS, *(_USUAL if modules is None else modules)):
            # A course names what its students may import; not every machine has all of it.
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    shell = make_shell(Recorder())
    # With it, pyplot shows figures below their cell whoever imports it, and when.
    os.environ["MPLBACKEND"] = _BACKEND
    plots = "matplotlib.pyplot" in sys.modules
    if plots:
        _show_plots(shell)
    drawn = plots and draw
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        for cell in (_PLOTTING, *_WARMING) if drawn else _WARMING:
            with shell.recorder.fresh_page():
                shell.run_cell(cell, store_history=True)  # type: ignore[no-untyped-call]
    if drawn:
        _forget_plots()
    # The student's first cell is number 1, in an empty namespace.
    shell.reset(new_session=True)  # type: ignore[no-untyped-call]
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        # Else %tb in a notebook would show our own failing cell.
        vars(sys).pop(name, None)
    shell.execution_count = 1
    # Last: what it holds is what the first cell finds.
    shell.inside_tests = InsideTests(shell)
    return shell


def _forget_plots() -> None:
    """Leave nothing of the figure that was drawn to warm up."""
    # Else %run would draw what was drawn here.
    sys.modules["matplotlib.pyplot"].draw_if_interactive.called = False
    # A parsed formula holds open font files, which the forked process will close.
    sys.modules["matplotlib.mathtext"].MathTextParser._parse_cached.cache_clear()


def _show_plots(shell: Shell) -> None:
    """Have figures shown below their cell, whoever imported matplotlib before."""
    from IPython.core.pylabtools import activate_matplotlib
    from matplotlib_inline.backend_inline import configure_inline_support

    activate_matplotlib(_BACKEND)  # type: ignore[no-untyped-call]
    configure_inline_support(shell, _BACKEND)  # type: ignore[no-untyped-call]
