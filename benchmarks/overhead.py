"""What running a notebook in the jail costs, beside the plain execution of the same cells in a warm process.

    python benchmarks/overhead.py [--submissions 50] [--rung 1]

Printed per submission: CPU milliseconds of everything that runs for it (the grader's side, the zygote, all processes
in the jail), and wall-clock milliseconds. CPU time is the figure to trust on a busy machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from measuring import Cost, list_jail_processes, make_parser, measure_work

from autograder.jail import Jail, try_rungs
from autograder.kernel.jailed_kernel import Kernel

LINEAR_REGRESSION = (
    "import numpy as np\nimport matplotlib.pyplot as plt",
    "rng = np.random.default_rng(0)",
    "X = rng.normal(size=(100, 3)); W_true = np.array([[1.0, -2.0, 0.5]]); Y = X @ W_true.T + 0.1",
    "def model(X, W, b):\n    return X @ W.T + b",
    "def loss(Z, Y):\n    return float(np.mean((Z - Y) ** 2))",
    "def gradients(Z, X, Y):\n    dZ = 2 * (Z - Y) / Y.size\n    return dZ.T @ X, dZ.sum(axis=0)",
    "def step(W, b, dW, db, rate=0.1):\n    return W - rate * dW, b - rate * db",
    "W, b = np.zeros((1, 3)), np.zeros(1)",
    "print(loss(model(X, W, b), Y))",
    "def train(X, Y, epochs):\n    W, b = np.zeros((1, 3)), np.zeros(1)\n    losses = []\n    for _ in range(epochs):\n"
    "        Z = model(X, W, b)\n        losses.append(loss(Z, Y))\n        W, b = step(W, b, *gradients(Z, X, Y))\n"
    "    return W, b, losses",
    "W, b, losses = train(X, Y, 100)",
    "print(f'loss after training: {losses[-1]:.4f}')",
    "assert losses[-1] < losses[0]",
    "np.round(W, 2)",
    "model(X[:2], W, b)",
)
CALLS = 32
Calls = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Notebook:
    """Cells to run, and what a test then does with the names they have made."""

    name: str
    cells: tuple[str, ...]
    test: Calls


def call_functions(names: Mapping[str, Any]) -> None:
    """Call a student's functions as a hidden test does."""
    X, W, b = np.ones((5, 3)), np.ones((1, 3)), np.zeros(1)
    for _ in range(CALLS // 2):
        Z = names["model"](X, W, b)
        names["loss"](Z, np.zeros((5, 1)))


NOTEBOOKS = (
    Notebook("one trivial cell", ("x = 1",), lambda names: None),
    Notebook(f"{len(LINEAR_REGRESSION)} cells, {CALLS} calls", LINEAR_REGRESSION, call_functions),
)


def measure(run: Callable[[], None], submissions: int, others: Sequence[int] = ()) -> Cost:
    """Run a submission many times, and return the milliseconds of one; the first runs do not count."""

    def run_often(count: int) -> None:
        for _ in range(count):
            run()

    run_often(3)
    cost = measure_work(partial(run_often, submissions), others)
    return Cost(1000 * cost.wall / submissions, 1000 * cost.cpu / submissions)


def plainly(notebook: Notebook, submissions: int) -> Cost:
    """Execute the cells in this process, which has imported everything."""
    import matplotlib.pyplot  # noqa: F401

    def run() -> None:
        names: dict[str, Any] = {"print": lambda *_: None}
        for cell in notebook.cells:
            exec(compile(cell, "cell", "exec"), names)
        notebook.test(names)

    return measure(run, submissions)


def in_jail(jail: Jail, notebook: Notebook, submissions: int) -> Cost:
    """Run the cells in a jail, and the calls by value."""

    def run() -> None:
        with jail.spawn() as jailed:
            kernel = Kernel(jailed.socket, jail.limits, jailed.check_limits)
            for cell in notebook.cells:
                kernel.run_cell(cell)
            notebook.test(kernel.namespace)
            kernel.close()

    return measure(run, submissions, list_jail_processes(jail))


def main() -> None:
    """Measure on every rung that works here, or on the one asked for, and print a table."""
    parser = make_parser(__doc__)
    parser.add_argument(
        "--submissions", type=int, default=50, help="how many of each kind to run (default 50)"
    )
    parser.add_argument("--rung", type=int, choices=(1, 2, 3), help="only this rung")
    options = parser.parse_args()
    line = "{:<24} {:<18} {:>9} {:>9} {:>14}".format
    print(line("notebook", "", "CPU ms", "wall ms", "CPU overhead"))
    for notebook in NOTEBOOKS:
        plain = plainly(notebook, options.submissions)
        print(line(notebook.name, "plain exec", f"{plain.cpu:.1f}", f"{plain.wall:.1f}", ""))
        for report in try_rungs():
            if report.works and options.rung in (None, report.rung):
                with Jail(rung=report.rung) as jail:
                    cost = in_jail(jail, notebook, options.submissions)
                overhead = f"{cost.cpu - plain.cpu:.1f}"
                print(
                    line(
                        "",
                        f"jail, rung {report.rung}",
                        f"{cost.cpu:.1f}",
                        f"{cost.wall:.1f}",
                        overhead,
                    )
                )


if __name__ == "__main__":
    main()
