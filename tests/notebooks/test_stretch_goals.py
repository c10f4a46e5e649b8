"""What has no points in the homework can be done: the answers in docs/course.md, run in the source notebooks."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest

from autograder import checks, figures

pytestmark = pytest.mark.slow

mpl.use("Agg")

REPOSITORY = Path(__file__).parents[2]
NAMES = ["hw01_numpy", "hw02_linear_regression", "hw03_neural_networks", "hw04_optimizers"]
each_homework = pytest.mark.parametrize("name", NAMES)

Namespace = dict[str, Any]


@cache
def cells_of(name: str) -> list[nbformat.NotebookNode]:
    notebook = nbformat.read(REPOSITORY / "solutions" / name / f"{name}.ipynb", as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def answers() -> dict[str, str]:
    """The blocks of the guide by the id of the cell whose place they take."""
    guide = (REPOSITORY / "docs" / "course.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^```python\n# (hw\d\d-\d\d)\n(.*?)^```$", guide, re.M | re.S))


def execute(
    name: str, instead: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, until: str = ""
) -> tuple[Namespace, dict[str, str]]:
    """Run a homework without its hidden tests, some cells replaced; what each cell printed, by its id.

    After the cell `until` nothing more is run.
    """
    said: dict[str, list[str]] = {}
    namespace: Namespace = {"__name__": "__main__"}
    plt.close("all")
    monkeypatch.setattr(figures, "display", lambda shown: None)
    here: list[str] = []

    def note(*words: object, end: str = "\n", **_: object) -> None:
        said.setdefault(here[-1], []).append(" ".join(map(str, words)) + end)

    monkeypatch.setattr("builtins.print", note)
    with warnings.catch_warnings(), mpl.rc_context():
        warnings.simplefilter("error")
        for cell in cells_of(name):
            if "### BEGIN HIDDEN TESTS" in cell.source:
                continue
            here.append(cell.id)
            exec(compile(instead.get(cell.id, cell.source), cell.id, "exec"), namespace)
            if cell.id == until:
                break
    return namespace, {cell: "".join(lines) for cell, lines in said.items()}


def ours(name: str) -> dict[str, str]:
    number = name[:4]
    return {cell: source for cell, source in answers().items() if cell.startswith(number)}


def test_every_answer_takes_the_place_of_a_cell_that_asks() -> None:
    cells = {cell.id: cell.source for name in NAMES for cell in cells_of(name)}
    assert len(answers()) == 8
    for cell in answers():
        assert " = ...  # " in cells[cell] or "raise NotImplementedError" in cells[cell], cell


JUDGES = {
    "hw01_numpy": ("hw01-26", "hw01-32"),
    "hw02_linear_regression": ("hw02-27", "hw02-32"),
    "hw03_neural_networks": ("hw03-47", "hw03-51"),
    "hw04_optimizers": ("hw04-19", "hw04-23"),
}


@each_homework
def test_what_is_not_tried_is_said_in_one_line(name: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, said = execute(name, {}, monkeypatch)
    question, stretch = JUDGES[name]
    assert said[question].startswith("– not tried yet: ") and said[question].count("\n") == 1
    assert said[stretch] == f"– {checks.NOT_ATTEMPTED}\n"


@each_homework
def test_an_unfilled_homework_runs_to_its_end(name: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = {cell.id: cell.metadata.get("nbgrader", {}) for cell in cells_of(name)}
    unfilled = {
        cell.id: re.sub(
            r"### BEGIN SOLUTION.*### END SOLUTION",
            "raise NotImplementedError",
            cell.source,
            flags=re.S,
        )
        for cell in cells_of(name)
        if marks[cell.id].get("solution")
    }
    _, said = execute(name, {**ours(name), **unfilled}, monkeypatch)
    assert "came out as" in said[cells_of(name)[-1].id]


def test_the_puzzle_of_the_matrix_and_the_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    found, said = execute("hw01_numpy", ours("hw01_numpy"), monkeypatch)
    assert said["hw01-26"].startswith("✓ both squares are equal")
    accuracies = found["accuracies"]
    assert max(accuracies[k] for k in (1, 3, 5)) == max(accuracies.values()) > 0.9
    assert accuracies[100] < accuracies[30] < accuracies[5] - 0.02
    assert "chosen: k = " in said["hw01-32"]


@pytest.mark.parametrize("seed", range(5))
def test_few_neighbours_are_better_than_many_whatever_the_split(
    seed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against scikit-learn's own classifier, which votes in the same way but for ties."""
    from sklearn.neighbors import KNeighborsClassifier

    found = run_once("hw01_numpy", monkeypatch)
    order = np.random.default_rng(100 + seed).permutation(len(found["labels"]))
    known, new = order[:600], order[600:900]
    D = found["graded_pairwise_distances"](found["scaled"][new], found["scaled"][known])
    accuracies = {}
    for k in (1, 3, 5, 30, 100):
        said = found["knn_predict"](D, found["labels"][known], k)
        oracle = KNeighborsClassifier(k).fit(found["scaled"][known], found["labels"][known])
        assert np.mean(said == oracle.predict(found["scaled"][new])) > 0.98
        accuracies[k] = np.mean(said == found["labels"][new])
    assert np.ptp([accuracies[k] for k in (1, 3, 5)]) < 0.04  # about equally good
    assert accuracies[100] < accuracies[30] < min(accuracies[k] for k in (1, 3, 5))


done: dict[str, Namespace] = {}


def run_once(name: str, monkeypatch: pytest.MonkeyPatch) -> Namespace:
    """The names of a homework with our answers, run the first time they are asked for."""
    if name not in done:
        done[name] = execute(name, ours(name), monkeypatch)[0]
    return done[name]


def test_a_matrix_without_any_zero_is_not_to_be_found() -> None:
    """What the guide says: the upper left place alone asks for b c = 0."""
    a, b, c, d = np.random.default_rng(0).choice([-3, -2, -1, 1, 2, 3], size=(4, 5000))
    matrices = np.stack([np.stack([a, b], -1), np.stack([c, d], -1)], -2)
    assert not np.any(np.all(matrices @ matrices == matrices**2, axis=(1, 2)))


@pytest.mark.parametrize(
    ("sizes", "caught"),
    [
        ((5, 3, 2), "ccc"),
        ((3, 3, 2), "scc"),
        ((5, 3, 1), "css"),
        ((5, 1, 2), "ccs"),
        ((2, 2, 1), "sss"),
    ],
    ids=str,
)
def test_sizes_that_are_equal_let_mistakes_slip_through(
    sizes: tuple[int, int, int], caught: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead = {
        "hw02-26": ours("hw02_linear_regression")["hw02-26"].replace("(5, 3, 2)", str(sizes))
    }
    _, said = execute("hw02_linear_regression", instead, monkeypatch, until="hw02-27")
    words = re.findall("caught(?=[,\n])|slips", said["hw02-27"].splitlines()[0] + "\n")
    assert "".join(word[0] for word in words) == caught
    assert said["hw02-27"].splitlines()[1].startswith("✓" if caught == "ccc" else "–")


def test_a_loss_that_forgives(monkeypatch: pytest.MonkeyPatch) -> None:
    found, said = execute("hw02_linear_regression", ours("hw02_linear_regression"), monkeypatch)
    assert said["hw02-32"].startswith("✓ dLdW") and "\n✓ dLdb" in said["hw02-32"]
    assert abs(found["slopes"]["log cosh"] - 2) < abs(found["slopes"]["squares"] - 2) / 2
    wrong = ours("hw02_linear_regression")["hw02-31"].replace(
        "np.tanh(Z - Y)", "2 * np.tanh(Z - Y)"
    )
    assert (
        "– dLdW: relative error 3.3e-01"
        in execute("hw02_linear_regression", {"hw02-31": wrong}, monkeypatch)[1]["hw02-32"]
    )


@pytest.mark.parametrize("seed", range(4))
def test_three_wild_points_bend_the_squares_and_not_log_cosh(seed: Any) -> None:
    from scipy.optimize import minimize

    draw = np.random.default_rng(seed)
    x = np.sort(draw.normal(size=30))
    y = 2 * x + 1 + 0.2 * draw.normal(size=30)
    y[-3:] -= 12
    squares = np.polyfit(x, y, 1)[0]
    forgiving = minimize(lambda p: np.sum(np.log(np.cosh(p[0] * x + p[1] - y))), [0.0, 0.0]).x[0]
    assert abs(forgiving - 2) < 0.6 < 1.5 < abs(squares - 2)


def test_exclusive_or_and_98_and_a_half_per_cent(monkeypatch: pytest.MonkeyPatch) -> None:
    found, said = execute("hw03_neural_networks", ours("hw03_neural_networks"), monkeypatch)
    assert "✓ a hidden layer is needed" in said["hw03-47"]
    assert said["hw03-51"].splitlines()[1] == "✓ that is it", said["hw03-51"]
    assert found["numbers"] == 7510 and len(found["networks"]) == 5


@pytest.mark.parametrize(
    ("points", "classes", "words"),
    [
        ("[[0.0, 0.0], [1.0, 1.0]]", "[0, 1]", "one layer reads at best 100%"),
        ("[[0.0, 0.0], [0.0, 0.0]]", "[0, 1]", "two layers 50%"),
    ],
    ids=["a line is enough", "nobody can"],
)
def test_points_that_prove_nothing_are_not_taken(
    points: str, classes: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead = {"hw03-46": f"points = np.array({points})\nclasses = np.array({classes})"}
    said = execute("hw03_neural_networks", instead, monkeypatch, until="hw03-47")[1]["hw03-47"]
    assert words in said and "– not yet" in said


def test_where_the_plain_step_wins_and_nesterov(monkeypatch: pytest.MonkeyPatch) -> None:
    found, said = execute("hw04_optimizers", ours("hw04_optimizers"), monkeypatch)
    assert "✓ gradient descent is the first" in said["hw04-19"]
    assert 0.5 < found["arrival"](found["my_path"](1.3)) / found["fewest"]["momentum"] < 2
    mine = min(found["reached"].values())
    assert 0.5 < mine / found["curves"]["momentum"][-1] < 2


def test_the_valley_of_the_race_is_not_won_by_the_plain_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = execute(
        "hw04_optimizers", {"hw04-18": "curvatures = (0.1, 10.0)"}, monkeypatch, until="hw04-19"
    )[1]
    assert "– another one is as good, or better" in said["hw04-19"]
