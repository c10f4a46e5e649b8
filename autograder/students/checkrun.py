"""A student's notebook run from top to bottom on their own machine, and what its visible checks found.

No jail: it is the student's own code on the student's own machine. The checks themselves come from the course's
notebook, so that deleted, edited or outdated ones in the copy do not matter; official points are given elsewhere.
"""

from __future__ import annotations

import logging
import os
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autograder.checks import Outcome, outcomes
from autograder.errors import ExamError, UsageError
from autograder.exam import Exam, read_exam
from autograder.grader.notebooks import Cell, Notebook, Unreadable, read_notebook

CELL_SECONDS = 120
CHECKS = "_checks"  # a cell with the checks of exercise `x` has the id `x_checks`
NO_KERNEL = "Python's Jupyter kernel is not installed; run: pip install -r requirements.txt"
DIED = "Python itself ended in cell {number}; the cells below it were not run"
TIMED_OUT = "cell {number} ran for longer than {seconds:g} s and was interrupted"
STUCK = "it took no notice of that; the cells below it were not run"
TIMEOUT = "out of time"
EXPECTED = {"NotImplementedError", "KeyboardInterrupt"}
RAISED = "cell {number} raised {ename}: {evalue}"
Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class ExerciseChecks:
    """What the visible checks of one exercise found; no outcomes when they could not run."""

    exercise: str
    outcomes: tuple[Outcome, ...]

    @property
    def status(self) -> str:
        """One of ``passed``, ``failed``, ``not attempted``, ``not run``."""
        found = {outcome.status for outcome in self.outcomes}
        if not found:
            return "not run"
        return "failed" if "failed" in found else "passed" if found == {"passed"} else "not attempted"

    @property
    def passed(self) -> int:
        """How many checks passed."""
        return sum(outcome.status == "passed" for outcome in self.outcomes)

    @property
    def message(self) -> str:
        """The first thing to look at, empty when everything passed."""
        worst = next((o for o in self.outcomes if o.status == "failed"), None)
        if worst is not None:
            return f"{worst.sentence}: {worst.message}"
        return {"not attempted": "not attempted yet", "not run": "its checks could not run"}.get(self.status, "")


@dataclass(frozen=True)
class CheckRun:
    """One notebook, run: the checks of each exercise, and plain sentences about what was odd."""

    assignment: str
    notebook: str
    exercises: tuple[ExerciseChecks, ...] = ()
    problems: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether something has to be put right; an exercise not attempted yet is none of that."""
        return bool(self.problems) or any(entry.status in {"failed", "not run"} for entry in self.exercises)

    def to_json(self) -> dict[str, Any]:
        """Return the run as a JSON object."""
        statuses = [{"exercise": entry.exercise, "status": entry.status} for entry in self.exercises]
        return asdict(self) | {
            "failed": self.failed,
            "exercises": [
                status | {"checks": [asdict(outcome) for outcome in entry.outcomes]}
                for status, entry in zip(statuses, self.exercises, strict=True)
            ],
        }


def run_checks(
    assignment: str,
    path: Path,
    original: Path,
    name: str = "",
    *,
    cell_seconds: float = CELL_SECONDS,
    progress: Progress = lambda done, total: None,
) -> CheckRun:
    """Run a student's notebook and return what its visible checks found. The file is not changed.

    Parameters
    ----------
    path, original : Path
        The student's notebook, and the course's, from which the checks are taken.
    name : str
        How the student's notebook is called in what is said; default its file name.
    cell_seconds : float
        Seconds one cell may run.
    progress : callable
        Called before each cell with its number and the number of cells.

    Raises
    ------
    UsageError
        If no Jupyter kernel for Python is installed.
    """
    begin, name = time.monotonic(), name or path.name
    try:
        notebook = read_notebook(path.read_bytes())
    except Unreadable as error:
        return CheckRun(assignment, name, problems=(str(error),))
    exam = _exam(original)
    cells = _assemble(notebook, exam)
    outputs, problems = _execute(cells, path.parent, cell_seconds, progress)
    found: dict[str, list[Outcome]] = {}
    for cell, cell_outputs in zip(cells, outputs, strict=True):
        if cell.grade_id.endswith(CHECKS) or outcomes(cell_outputs):
            found.setdefault(cell.grade_id.removesuffix(CHECKS), []).extend(outcomes(cell_outputs))
    order = [exercise.id for exercise in exam.exercises] if exam else []
    names = [known for known in order if known in found] + [other for other in found if other not in order]
    exercises = tuple(ExerciseChecks(known or "elsewhere", tuple(found[known])) for known in names)
    return CheckRun(assignment, name, exercises, (*notebook.problems, *problems), time.monotonic() - begin)


def is_started(path: Path) -> bool:
    """Whether somebody wrote an answer into a notebook: a solution cell without the stub's `raise`."""
    try:
        cells = read_notebook(path.read_bytes()).cells
        locked = _exam(path)
    except Unreadable:
        return True
    stubs = {cell.grade_id for cell in locked.cells if cell.solution and cell.kind == "code"} if locked else set()
    return any(cell.grade_id in stubs and "raise NotImplementedError" not in cell.source for cell in cells)


def _exam(original: Path) -> Exam | None:
    """The course's notebook read for its ids, order and checks; None where it is missing or broken."""
    try:
        return read_exam(original)
    except ExamError:
        return None


def _assemble(notebook: Notebook, exam: Exam | None) -> list[Cell]:
    """The student's cells, with the course's own checks in the place of theirs, and below them those that are gone."""
    left = {cell: source for cell, source in exam.locked.items() if cell.endswith(CHECKS)} if exam else {}
    ours = set(left)
    cells = []
    for cell in notebook.cells:
        if cell.grade_id in left:
            cells.append(Cell("code", left.pop(cell.grade_id), cell.grade_id))
        elif cell.grade_id not in ours:  # of a cell that was copied together with its id the first one counts
            cells.append(cell)
    return cells + [Cell("code", source, grade_id) for grade_id, source in left.items()]


def _execute(
    cells: list[Cell], folder: Path, cell_seconds: float, progress: Progress
) -> tuple[list[list[Mapping[str, Any]]], list[str]]:
    """Run the cells in a fresh kernel; return each cell's outputs, and sentences about what went wrong."""
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient import NotebookClient
    from nbclient.exceptions import DeadKernelError

    warnings.filterwarnings("ignore", message="Proactor event loop")  # on Windows, and without consequence
    document = _document(cells)
    watch = _Watch(len(cells), cell_seconds, progress)
    client = NotebookClient(
        document,
        timeout=cell_seconds,
        kernel_name="python3",
        allow_errors=True,
        interrupt_on_timeout=True,
        error_on_timeout={"ename": TIMEOUT, "evalue": "", "traceback": []},
        on_cell_start=watch.starts,
        on_cell_executed=watch.ended,
        resources={"metadata": {"path": str(folder)}},
        shutdown_kernel="immediate",
        log=_silence(),
    )
    try:
        client.execute(env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except NoSuchKernel:
        raise UsageError(NO_KERNEL) from None
    except DeadKernelError:
        watch.problems.append(DIED.format(number=watch.reached))
    except _Stuck:
        watch.problems.append(STUCK)
    outputs = [list(cell.get("outputs", ())) for cell in document.cells]
    return outputs, [*_errors(outputs), *watch.problems]


class _Stuck(Exception):
    """A cell took no notice of being interrupted."""


class _Watch:
    """Follows a run from cell to cell: tells the progress, and notes which cells ran out of time."""

    def __init__(self, cells: int, cell_seconds: float, progress: Progress) -> None:
        self.cells, self.cell_seconds, self.progress = cells, cell_seconds, progress
        self.reached = 0
        self.problems: list[str] = []
        self._out_of_time = False

    def starts(self, cell: object, cell_index: int) -> None:
        """Tell that a cell begins."""
        self.reached = cell_index + 1
        self.progress(self.reached, self.cells)

    def ended(self, cell: object, cell_index: int, execute_reply: Mapping[str, Any]) -> None:
        """Note a cell that ran out of time; two in a row mean that the first one still runs."""
        before, self._out_of_time = self._out_of_time, execute_reply["content"].get("ename") == TIMEOUT
        if self._out_of_time and before:
            raise _Stuck
        if self._out_of_time:
            self.problems.append(TIMED_OUT.format(number=cell_index + 1, seconds=self.cell_seconds))


def _document(cells: list[Cell]) -> Any:
    """A notebook with the cells at their places; texts are left out."""
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    made = [new_code_cell(cell.source) if cell.kind == "code" else new_markdown_cell() for cell in cells]  # type: ignore[no-untyped-call]
    return new_notebook(cells=made)  # type: ignore[no-untyped-call]


def _silence() -> logging.Logger:
    log = logging.getLogger("autograder.students.checkrun")
    log.propagate, log.handlers = False, [logging.NullHandler()]
    return log


def _environment() -> dict[str, str]:
    """The environment of the kernel: ours without what GitHub's runner tells its own steps."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "ACTIONS_"))}


def _errors(outputs: list[list[Mapping[str, Any]]]) -> Iterator[str]:
    """Say which cells raised; an exercise that is not written yet is no error."""
    for number, cell_outputs in enumerate(outputs, start=1):
        for output in cell_outputs:
            if output.get("output_type") == "error" and output["ename"] not in EXPECTED:
                said = " ".join(str(output["evalue"]).split())[:200]
                yield RAISED.format(number=number, ename=output["ename"], evalue=said)
