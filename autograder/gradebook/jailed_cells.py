"""A whole notebook run in a jail, tests and all, as a notebook server would: outputs cell by cell.

nbgrader reads scores from the outputs of test cells. Those whose tests are hardened run as a test
that needs the student's own objects runs elsewhere in this package: nothing that the notebook
hooked into IPython sees them, and what a test relies on is put back before it. What they give is
written down as outputs of their cells.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograder.course.errors import JailFailed, KernelError
from autograder.course.limits import Limits
from autograder.grading.worker_pool import current_desk
from autograder.jail import Jail
from autograder.kernel.inside_runs import run_inside_test
from autograder.kernel.inside_tests import FILENAME
from autograder.kernel.jailed_kernel import Kernel, StudentError

Output = dict[str, Any]
LINE_OF_TEST = re.compile(rf'  File "{FILENAME}", line (\d{{1,9}}), in ')
# What nbgrader sets for the code it grades; a notebook may ask for it.
MARK_OF_GRADING = "__import__('os').environ.__setitem__('NBGRADER_EXECUTION', 'autograde')"
NOT_RUN = "The kernel ended in an earlier cell, and this one did not run"


@dataclass(frozen=True)
class RanNotebook:
    """What running a notebook gave.

    Attributes
    ----------
    outputs : tuple of list
        nbformat outputs of each code cell, in order; empty for a cell without a statement.
    ended : str
        Why the kernel ended before the notebook did; "" if it did not.
    """

    outputs: tuple[list[Output], ...]
    ended: str = ""


@dataclass(frozen=True)
class CourseNames:
    """What the course's own notebook says of its tests, for those that are hardened.

    Attributes
    ----------
    imports : str
        Statements whose names are the course's again when a test runs.
    free : tuple of str
        Names of Python's own that a notebook binds because the course does so.
    kept : tuple of str
        Names that tests make for later ones.
    used : tuple of str
        Names that the course's own functions use.
    """

    imports: str = ""
    free: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    used: tuple[str, ...] = ()


@dataclass(frozen=True)
class CellsToRun:
    """The code cells of a notebook, the files beside it, and what the run may use.

    Attributes
    ----------
    hardened : frozenset of int
        Which of the cells are tests that run hardened, from 0.
    """

    sources: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    cell_seconds: float | None = None
    hardened: frozenset[int] = frozenset()
    names: CourseNames = CourseNames()


def run_cells_here(wanted: CellsToRun) -> RanNotebook:
    """Run cells in a grading process, as a task of its pool."""
    return run_cells(current_desk().examiner.jail, wanted)


def run_cells(jail: Jail, wanted: CellsToRun) -> RanNotebook:
    """Run the cells of a notebook one after the other in a jail of its own, also below one that
    fails.

    Raises
    ------
    JailFailed
        If this machine cannot make the jail.
    """
    # Random states travel with what crosses: no notebook is to begin where another one ended.
    random.seed()
    np.random.seed()
    limits = limit_cells(jail.limits, wanted.cell_seconds)
    outputs: list[list[Output]] = []
    ended = ""
    with jail.spawn(files=wanted.files, limits=limits) as jailed:
        try:
            kernel = Kernel(jailed.socket, limits, watch=jailed.check_limits)
            kernel.bind_settings(MARK_OF_GRADING)
            for number, source in enumerate(wanted.sources):
                if not source.strip():
                    outputs.append([])
                elif number in wanted.hardened:
                    outputs.append(_run_test(kernel, source, wanted.names))
                else:
                    outputs.append(_run_cell(kernel, source, limits))
        except JailFailed:
            raise
        except KernelError as error:
            ended = jailed.await_end() or str(error)
    outputs += _lost_outputs(wanted.sources[len(outputs) :], ended)
    return RanNotebook(tuple(outputs), ended)


def limit_cells(limits: Limits, cell_seconds: float | None) -> Limits:
    """Return limits with nbgrader's own time for a cell, where it sets one; the notebook gets time
    for some of them.
    """
    if cell_seconds is None or cell_seconds <= 0:
        return limits
    return replace(limits, cell_seconds=cell_seconds, seconds=max(limits.seconds, 4 * cell_seconds))


def _run_cell(kernel: Kernel, source: str, limits: Limits) -> list[Output]:
    ran = kernel.run_cell(source)
    # Copies: a later cell may change what this one displayed, and a tested function could so write
    # the test it was called by into a cell above it, which students get to see.
    outputs = [dict(output) for output in ran.outputs]
    if ran.timed_out:
        outputs.append(make_error("CellTimeoutError", f"No end after {limits.cell_seconds:g} s"))
    elif ran.error is not None and not _holds_error(outputs):
        outputs.append(_error_output(ran.error))
    return outputs


def _run_test(kernel: Kernel, source: str, names: CourseNames) -> list[Output]:
    """Run a test hardened, and return what nbgrader would find below its cell."""
    ran = run_inside_test(kernel, source, names.imports, names.free, names.kept, names.used)
    outputs = []
    for output in kernel.last_outputs:
        # nbgrader takes the first result it finds for the points: that must be the test's own.
        if output["output_type"] == "execute_result":
            output = make_display(output["data"])
        if output["output_type"] != "error":
            outputs.append(output)
    if ran.error is not None:
        outputs.append(_error_of_test(ran.error, source))
    elif ran.shown:
        outputs.append(_make_result(ran.shown))
    return outputs


def _error_of_test(error: Exception, source: str) -> Output:
    output = make_error(type(error).__name__, str(error))
    trace = str(getattr(error, "student_traceback", "")).rstrip("\n")
    if trace:
        output["traceback"] = list(_quote_test(trace, source.splitlines()))
    return output


def _quote_test(trace: str, lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a traceback, with those of the test itself that it names.

    The process that ran the test did not keep its text: there a student's function could read it.
    """
    for entry in trace.split("\n"):
        yield entry
        named = LINE_OF_TEST.match(entry)
        if named is not None and 1 <= int(named[1]) <= len(lines):
            yield f"    {lines[int(named[1]) - 1].strip()}"


def _holds_error(outputs: Sequence[Output]) -> bool:
    return any(output["output_type"] == "error" for output in outputs)


def _lost_outputs(sources: Sequence[str], ended: str) -> list[list[Output]]:
    """Return an error for each cell that did not run: a test without one would give its points."""
    lost = []
    for number, source in enumerate(sources):
        reason = ended if number == 0 else NOT_RUN
        lost.append([make_error("DeadKernelError", reason)] if source.strip() else [])
    return lost


def _error_output(error: StudentError) -> Output:
    return {
        "output_type": "error",
        "ename": error.ename,
        "evalue": error.evalue,
        "traceback": error.traceback.splitlines(),
    }


def _make_result(text: str) -> Output:
    # Its number is set where the cell's is: nbgrader counts the cells of a notebook from 1.
    return {
        "output_type": "execute_result",
        "data": {"text/plain": text},
        "metadata": {},
        "execution_count": None,
    }


def make_display(data: Mapping[str, Any]) -> Output:
    """Return something displayed, of nbformat."""
    return {"output_type": "display_data", "data": dict(data), "metadata": {}}


def make_error(name: str, reason: str) -> Output:
    """Return an error of nbformat."""
    return {
        "output_type": "error",
        "ename": name,
        "evalue": reason,
        "traceback": [f"{name}: {reason}"],
    }
