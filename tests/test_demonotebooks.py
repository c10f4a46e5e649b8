"""The demonstration notebooks: they run offline and without warnings, and what they say is true.

Each notebook is executed once, in this process. Its functions are then compared with what does not come from it: finite
differences written here, scikit-learn, `lstsq`, closed forms and hand calculation.
"""

from __future__ import annotations

import ast
import re
import socket
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from numpy.testing import assert_allclose

from autograder import figures

mpl.use("Agg")

FOLDER = Path(__file__).parents[1] / "demonotebooks"
NAMES = ["linear_regression"]
each_notebook = pytest.mark.parametrize("name", NAMES)

Namespace = dict[str, Any]


@cache
def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code_of(name: str) -> str:
    return "\n".join(cell.source for cell in read(name).cells if cell.cell_type == "code")


def prose_of(name: str) -> str:
    return "\n\n".join(cell.source for cell in read(name).cells if cell.cell_type == "markdown")


class Displays:
    """What a notebook displayed, and the settings under which it may run."""

    def __init__(self) -> None:
        self.alts: list[str] = []
        self.players: list[str] = []

    def display(self, bundle: dict[str, str], raw: bool) -> None:
        assert raw
        self.alts.append(bundle["text/plain"])
        if "animation" in bundle["text/html"]:
            self.players.append(bundle["text/html"])


def refuse(*_: object) -> None:
    raise AssertionError("a notebook asked for the network")


@cache
def run(name: str) -> tuple[Namespace, Displays]:
    """Execute all code cells in order, with warnings as errors and without a network."""
    displays, namespace = Displays(), {"__name__": "__main__"}
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(), mpl.rc_context():
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        patch.setattr(figures, "display", displays.display)
        warnings.simplefilter("error")
        for cell in read(name).cells:
            if cell.cell_type == "code":
                execute(cell, namespace)
        assert not plt.get_fignums(), "a figure was made and not shown"
    return namespace, displays


def execute(cell: nbformat.NotebookNode, namespace: Namespace) -> None:
    """Run one cell as a notebook does: its last expression is displayed."""
    body = ast.parse(cell.source)
    last = body.body.pop() if isinstance(body.body[-1], ast.Expr) else None
    exec(compile(body, cell.id, "exec"), namespace)
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), cell.id, "eval"), namespace)
        if hasattr(value, "_ipython_display_"):
            value._ipython_display_()


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


def numeric(f: Callable[[np.ndarray], float], at: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Central differences, element by element."""
    gradient = np.zeros(at.shape)
    for place in np.ndindex(at.shape):
        nudge = np.zeros(at.shape)
        nudge[place] = h
        gradient[place] = (f(at + nudge) - f(at - nudge)) / (2 * h)
    return gradient


# Every notebook


@each_notebook
def test_it_runs_offline_without_warnings_and_describes_its_figures(name):
    _, displays = run(name)
    assert displays.alts
    for alt in displays.alts:
        assert len(alt.split()) >= 5 and alt.endswith("."), alt


@each_notebook
def test_it_is_stored_clean(name):
    notebook = read(name)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert all(re.fullmatch(r"[a-z0-9-]+", cell.id) for cell in notebook.cells), "an id that is not ours"
    for cell in notebook.cells:
        assert cell.cell_type != "code" or (cell.outputs == [] and cell.execution_count is None)


@each_notebook
def test_it_has_the_form_of_every_notebook(name):
    opening, prose = read(name).cells[0].source, prose_of(name)
    for wanted in ("# ", "*Aim:", "**Time:** about ", "**Before:**", "**After this you can**", "\n3. ", "| shape |"):
        assert wanted in opening
    assert opening.index("\n1. ") < opening.index("\n3. ") < opening.index("| shape |")
    assert "rng = np.random.default_rng(0)" in code_of(name)
    assert "**Predict.**" in prose
    assert len(re.findall(r"^- ", prose.split("## In three lines")[1].split("**Next:**")[0], flags=re.M)) == 3


@each_notebook
def test_what_moves_also_stands_still(name):
    """Widgets and animations need a kernel or a script; a picture of the same must stand beside them."""
    code, prose = code_of(name), prose_of(name)
    if "interact(" in code:
        assert "The slider needs a running kernel." in prose
    if "figures.play(" in code:
        assert "still pictures" in prose


@each_notebook
def test_nothing_is_downloaded(name):
    assert not re.search(r"https?://|fetch_|urllib|requests|pip install", code_of(name))


# linear_regression


@pytest.fixture
def regression() -> Namespace:
    return run("linear_regression")[0]


@pytest.mark.parametrize("K", [1, 3], ids=["one output", "three outputs"])
def test_regression_gradients_agree_with_finite_differences(regression, K):
    rng = np.random.default_rng(1)
    X, Y, W, b = (rng.normal(size=shape) for shape in [(7, 4), (7, K), (K, 4), (K, 1)])

    def loss(W: np.ndarray, b: np.ndarray) -> float:
        return float(sum(np.sum((W @ x + b[:, 0] - y) ** 2) for x, y in zip(X, Y, strict=True)) / (2 * len(X)))

    Z = regression["model"](W, b, X)
    assert_allclose(regression["loss"](Z, Y), loss(W, b))
    dLdW, dLdb = regression["gradients"](Z, X, Y)
    assert_allclose(dLdW, numeric(lambda moved: loss(moved, b), W), atol=1e-8)
    assert_allclose(dLdb, numeric(lambda moved: loss(W, moved), b), atol=1e-8)


def test_regression_loss_is_half_of_scikit_learns_for_one_output(regression):
    from sklearn.metrics import mean_squared_error

    rng = np.random.default_rng(2)
    Z, Y = rng.normal(size=(9, 1)), rng.normal(size=(9, 1))
    assert_allclose(regression["loss"](Z, Y), mean_squared_error(Y, Z) / 2)


def test_regression_by_descent_is_regression_by_scikit_learn(regression):
    from sklearn.linear_model import LinearRegression

    oracle = LinearRegression().fit(regression["X"], regression["Y"])
    assert_allclose(regression["W"], oracle.coef_, atol=1e-3)
    assert_allclose(regression["b"][:, 0], oracle.intercept_)
    assert_allclose(regression["Z_test"], oracle.predict(regression["X_test"]), atol=1e-3)


def test_the_largest_learning_rate_is_two_over_the_largest_eigenvalue(regression):
    A = np.column_stack([regression["X"], np.ones(regression["M"])])
    assert_allclose(regression["limit"], 2 * regression["M"] / np.linalg.norm(A, 2) ** 2)
    assert_allclose(regression["condition"], np.linalg.cond(A) ** 2)


def test_the_learning_rate_slider_draws(regression):
    for alpha in (1e-3, 10**-0.25):
        regression["try_alpha"](alpha)
