"""A student's notebook run from top to bottom on their own machine, and what its visible checks
found.

No jail: it is the student's own code on the student's own machine. The checks themselves come from the course's
notebook, so that deleted, edited or outdated ones in the copy do not matter; official points are given elsewhere.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.checks import Outcome, outcomes
from autograder.course.errors import ExamError, UsageError
from autograder.course.exam import Exam, Exercise, read_exam
from autograder.course.notebook_files import Cell, Notebook, Unreadable, read_notebook

CELL_SECONDS = 120
# A cell with the checks of exercise `x` has the id `x_checks`
CHECKS = "_checks"
NO_KERNEL = "Python's Jupyter kernel is not installed; run: pip install -r requirements.txt"
DIED = "Python itself ended in {cell}; the cells below it were not run"
TIMED_OUT = "{cell} ran for longer than {seconds:g} s and was interrupted"
STUCK = "it took no notice of that; the cells below it were not run"
TIMEOUT = "out of time"
# Nbclient takes Ctrl-C for itself, and then stumbles in many ways; that it has this attribute is the one sure sign
INTERRUPTED = "_async_cleanup_kernel_future"
# The first is an exercise that is not written yet, the second follows a cell that is told of by its time already
EXPECTED = {"NotImplementedError", "KeyboardInterrupt"}
# IPython gives a cell a file name that tells nobody anything
CELL_FILE = re.compile(r"\(\d+\.py, (line \d+)\)")
WITHOUT_FAILURE = {"not attempted": "not attempted yet", "not run": "its checks could not run"}
MAX_LINE = 40
Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class ExerciseChecks:
    """What the visible checks of one exercise found; no outcomes when they could not run.

    `trouble` says why a name may be missing or the checks did not run: the answer's own cell raised, for example.
    """

    exercise: str
    outcomes: tuple[Outcome, ...]
    trouble: str = ""

    @property
    def status(self) -> str:
        """One of ``passed``, ``failed``, ``not attempted``, ``not run``."""
        found = {outcome.status for outcome in self.outcomes}
        if not found:
            return "not run"
        if found == {"passed"}:
            return "passed"
        return "failed" if self.trouble or "failed" in found else "not attempted"

    @property
    def passed(self) -> int:
        """How many checks passed."""
        return sum(outcome.status == "passed" for outcome in self.outcomes)

    @property
    def message(self) -> str:
        """The first thing to look at, empty when everything passed."""
        if self.trouble and self.status != "passed":
            return self.trouble
        for outcome in self.outcomes:
            if outcome.status == "failed":
                return f"{outcome.sentence}: {outcome.message}"
        return WITHOUT_FAILURE.get(self.status, "")

    def to_json(self) -> dict[str, Any]:
        """Return the exercise as a JSON object."""
        return {
            "exercise": self.exercise,
            "status": self.status,
            "message": self.message,
            "checks": list(map(asdict, self.outcomes)),
        }


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
        statuses = {entry.status for entry in self.exercises}
        return bool(self.problems) or not statuses.isdisjoint({"failed", "not run"})

    def to_json(self) -> dict[str, Any]:
        """Return the run as a JSON object."""
        exercises = [entry.to_json() for entry in self.exercises]
        return asdict(self) | {"failed": self.failed, "exercises": exercises}


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
    begin = time.monotonic()
    name = name or path.name
    try:
        notebook = read_notebook(path.read_bytes())
    except Unreadable as error:
        return CheckRun(assignment, name, problems=(str(error),))
    exam = _read_original(original)
    cells = _replace_checks(notebook, exam)
    outputs, watch = _execute_cells(cells, path.parent, cell_seconds, progress)
    found: dict[str, list[Outcome]] = {}
    for cell, cell_outputs in zip(cells, outputs, strict=True):
        told = outcomes(cell_outputs)
        # A cell of checks counts even when it told nothing: then its checks could not run
        if cell.grade_id.endswith(CHECKS) or told:
            found.setdefault(cell.grade_id.removesuffix(CHECKS), []).extend(told)
    trouble = _find_troubles(cells, outputs, watch, exam)
    exercises = []
    for exercise in _sort_as_course(found, exam):
        checked = tuple(found[exercise])
        exercises.append(
            ExerciseChecks(exercise or "elsewhere", checked, trouble.get(exercise, ""))
        )
    problems = (*notebook.problems, *_describe_errors(cells, outputs), *watch.problems)
    return CheckRun(assignment, name, tuple(exercises), problems, time.monotonic() - begin)


def _sort_as_course(exercises: Iterable[str], exam: Exam | None) -> list[str]:
    """Return exercises in the course's order; checks of no exercise of the course's come last."""
    order = list(exam.points_of) if exam else []
    return sorted(exercises, key=lambda name: order.index(name) if name in order else len(order))


def is_started(path: Path) -> bool:
    """Whether somebody wrote an answer into a notebook: a solution cell without the stub's
    `raise`.
    """
    try:
        cells = read_notebook(path.read_bytes()).cells
        exam = _read_original(path)
    except Unreadable:
        # Nobody hands out a broken notebook, so somebody worked in it
        return True
    if exam is None:
        return False
    stubs = {cell.grade_id for cell in exam.cells if cell.solution and cell.kind == "code"}
    return any(
        cell.grade_id in stubs and "raise NotImplementedError" not in cell.source for cell in cells
    )


def _read_original(original: Path) -> Exam | None:
    """The course's notebook read for its ids, order and checks; None where it is missing or
    broken.
    """
    try:
        return read_exam(original)
    except ExamError:
        return None


def _replace_checks(notebook: Notebook, exam: Exam | None) -> list[Cell]:
    """The student's cells, with the course's own checks in the place of theirs, and below them
    those that are gone.
    """
    locked = exam.locked if exam else {}
    ours = {grade_id for grade_id in locked if grade_id.endswith(CHECKS)}
    placed: set[str] = set()
    cells = []
    for cell in notebook.cells:
        if cell.grade_id not in ours:
            cells.append(cell)
        # Of a cell that was copied together with its id the first one counts
        elif cell.grade_id not in placed:
            placed.add(cell.grade_id)
            cells.append(Cell("code", locked[cell.grade_id], cell.grade_id))
    for grade_id, source in locked.items():
        if grade_id in ours - placed:
            cells.append(Cell("code", source, grade_id))
    return cells


def _execute_cells(
    cells: list[Cell], folder: Path, cell_seconds: float, progress: Progress
) -> tuple[list[list[Mapping[str, Any]]], _RunWatch]:
    """Run the cells in a fresh kernel; return each cell's outputs, and who saw what went wrong."""
    # Said on Windows only, and without consequence
    warnings.filterwarnings("ignore", message="Proactor event loop")
    document = _build_document(cells)
    watch = _RunWatch(cells, cell_seconds, progress)
    client = NotebookClient(
        document,
        timeout=cell_seconds,
        kernel_name="python3",
        allow_errors=True,
        interrupt_on_timeout=True,
        error_on_timeout={"ename": TIMEOUT, "evalue": "", "traceback": []},
        on_cell_start=watch.note_start,
        on_cell_executed=watch.note_end,
        resources={"metadata": {"path": str(folder)}},
        shutdown_kernel="immediate",
        log=_make_silent_log(),
    )
    try:
        client.execute(
            env=_build_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except NoSuchKernel:
        raise UsageError(NO_KERNEL) from None
    except DeadKernelError:
        watch.problems.append(DIED.format(cell=_name_cell(cells, watch.reached)))
    except _StuckCell:
        watch.problems.append(STUCK)
    # After Ctrl-C nbclient raises one thing or another, or nothing at all: whatever it was, it is Ctrl-C
    except Exception:
        if not hasattr(client, INTERRUPTED):
            raise
    if hasattr(client, INTERRUPTED):
        raise KeyboardInterrupt
    return [list(cell.get("outputs", ())) for cell in document.cells], watch


class _StuckCell(Exception):
    """A cell took no notice of being interrupted."""


class _RunWatch:
    """Follows a run from cell to cell: tells the progress, and notes which cells ran out of
    time.
    """

    def __init__(self, cells: list[Cell], cell_seconds: float, progress: Progress) -> None:
        self.cells = cells
        self.cell_seconds = cell_seconds
        self.progress = progress
        self.reached = 0
        self.problems: list[str] = []
        self.late: dict[str, str] = {}
        self._still_runs = False

    def note_start(self, cell: object, cell_index: int) -> None:
        """Tell that a cell begins."""
        self.reached = cell_index + 1
        self.progress(self.reached, len(self.cells))

    def note_end(
        self, cell: Mapping[str, Any], cell_index: int, execute_reply: Mapping[str, Any]
    ) -> None:
        """Note a cell that ran out of time; two in a row that no interrupt ended mean that the
        first still runs.
        """
        out_of_time = execute_reply["content"].get("ename") == TIMEOUT
        cell_before_still_runs = self._still_runs
        self._still_runs = out_of_time and not _was_interrupted(cell)
        if self._still_runs and cell_before_still_runs:
            raise _StuckCell
        if out_of_time:
            name = _name_cell(self.cells, cell_index + 1)
            self.problems.append(TIMED_OUT.format(cell=name, seconds=self.cell_seconds))
            self.late[self.cells[cell_index].grade_id] = (
                f"ran for longer than {self.cell_seconds:g} s"
            )


def _was_interrupted(cell: Mapping[str, Any]) -> bool:
    return any(output.get("ename") == "KeyboardInterrupt" for output in cell.get("outputs", ()))


def _name_cell(cells: list[Cell], number: int) -> str:
    """Name a cell so that it is found: Jupyter shows no numbers of cells."""
    cell = cells[number - 1]
    if cell.grade_id.endswith(CHECKS):
        return f"cell {number}, the checks of {cell.grade_id.removesuffix(CHECKS)},"
    line = _find_telling_line(cell.source)
    if len(line) > MAX_LINE:
        line = f"{line[: MAX_LINE - 1]}…"
    return f"cell {number} ({line})"


def _find_telling_line(source: str) -> str:
    """Return the first line that many cells do not begin with, empty where there is none."""
    for line in source.splitlines():
        told = line.strip()
        if told and not told.startswith(("#", "@", "with attempt(")):
            return told
    return ""


def _find_troubles(
    cells: list[Cell], outputs: list[list[Mapping[str, Any]]], watch: _RunWatch, exam: Exam | None
) -> dict[str, str]:
    """Say by exercise why its checks did not find an answer: its own cell raised, or something
    never ended.
    """
    raised: dict[str, str] = {}
    for cell, cell_outputs in zip(cells, outputs, strict=True):
        for error in _find_errors(cell_outputs):
            raised[cell.grade_id] = f"its cell raised {error}"
    trouble: dict[str, str] = {}
    for exercise in exam.exercises if exam else ():
        cause = _find_cause(exercise, raised, watch.late)
        if cause:
            trouble[exercise.id] = cause
    return trouble


def _find_cause(exercise: Exercise, raised: Mapping[str, str], late: Mapping[str, str]) -> str:
    """Say what came first of an exercise's troubles: it is the cause of what follows; "" where
    there are none.
    """
    for cell_id in exercise.solutions:
        if cell_id in raised:
            return raised[cell_id]
    for cell_id in exercise.solutions:
        if cell_id in late:
            return f"its cell {late[cell_id]}"
    checks = f"{exercise.id}{CHECKS}"
    return f"its checks {late[checks]}" if checks in late else ""


def _build_document(cells: list[Cell]) -> Any:
    """A notebook with the cells at their places; texts are left out."""
    made = []
    for cell in cells:
        if cell.kind == "code":
            made.append(new_code_cell(cell.source))  # type: ignore[no-untyped-call]
        else:
            made.append(new_markdown_cell())  # type: ignore[no-untyped-call]
    return new_notebook(cells=made)  # type: ignore[no-untyped-call]


def _make_silent_log() -> logging.Logger:
    # Nbclient logs every cell that raises, with its traceback; a student is told in one line
    log = logging.getLogger("autograder.students.check_run")
    log.propagate = False
    log.handlers = [logging.NullHandler()]
    return log


def _build_environment() -> dict[str, str]:
    """The environment of the kernel: ours without what GitHub's runner tells its own steps."""
    variables = dict(os.environ)
    for name in os.environ:
        if name.startswith(("GITHUB_", "ACTIONS_")):
            del variables[name]
    return variables


def _describe_errors(cells: list[Cell], outputs: list[list[Mapping[str, Any]]]) -> Iterator[str]:
    """Say which cells raised; an exercise that is not written yet is no error."""
    for number, cell_outputs in enumerate(outputs, start=1):
        for error in _find_errors(cell_outputs):
            yield f"{_name_cell(cells, number)} raised {error}"


def _find_errors(cell_outputs: list[Mapping[str, Any]]) -> Iterator[str]:
    for output in cell_outputs:
        if output.get("output_type") == "error" and output["ename"] not in EXPECTED:
            said = CELL_FILE.sub(r"(\1)", " ".join(str(output["evalue"]).split()))[:200]
            yield f"{output['ename']}: {said}"
