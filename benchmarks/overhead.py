"""What running a notebook in the jail costs, beside the plain execution of the same cells in a warm process.

    python benchmarks/overhead.py [--submissions 50] [--rung 1]

Printed per submission: CPU milliseconds of everything that runs for it (the grader's side, the zygote, all processes
in the jail), and wall-clock milliseconds. CPU time is the figure to trust on a busy machine.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autograder.jail import Jail, try_rungs
from autograder.jail.processes import list_descendants
from autograder.kernel.jailed_kernel import Kernel

TICKS = os.sysconf("SC_CLK_TCK")
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


@dataclass(frozen=True)
class Cost:
    """Milliseconds for one submission."""

    cpu: float
    wall: float


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


def cpu_seconds(processes: list[int]) -> float:
    """Return the CPU time of some processes and of their children that have ended."""
    total = 0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
        total += sum(map(int, fields[11:15]))
    return total / TICKS


def measure(run: Callable[[], None], submissions: int, used: Callable[[], float]) -> Cost:
    """Run a submission many times; the first runs do not count."""
    for _ in range(3):
        run()
    cpu, wall = used(), time.perf_counter()
    for _ in range(submissions):
        run()
    return Cost(
        *(1000 * spent / submissions for spent in (used() - cpu, time.perf_counter() - wall))
    )


def plainly(notebook: Notebook, submissions: int) -> Cost:
    """Execute the cells in this process, which has imported everything."""
    import matplotlib.pyplot  # noqa: F401

    def run() -> None:
        names: dict[str, Any] = {"print": lambda *_: None}
        for cell in notebook.cells:
            exec(compile(cell, "cell", "exec"), names)
        notebook.test(names)

    return measure(run, submissions, time.process_time)


def in_jail(jail: Jail, notebook: Notebook, submissions: int) -> Cost:
    """Run the cells in a jail, and the calls by value."""

    def run() -> None:
        with jail.spawn() as jailed:
            kernel = Kernel(jailed.socket, jail.limits, jailed.check_limits)
            for cell in notebook.cells:
                kernel.run_cell(cell)
            notebook.test(kernel.namespace)
            kernel.close()

    zygote = list_descendants(jail._keeper._process.pid)
    return measure(run, submissions, lambda: time.process_time() + cpu_seconds(zygote))


def main() -> None:
    """Measure on every rung that works here, or on the one asked for, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
