"""A whole notebook run in a jail, tests and all, as a notebook server would: outputs cell by cell.

nbgrader's tests stand among the student's cells and run in the same kernel. So a student can cheat the tests of their
own notebook here as under nbgrader; what they cannot is reach anything outside of the jail.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograder.course.errors import JailFailed, KernelError
from autograder.course.limits import Limits
from autograder.grading.worker_pool import current_desk
from autograder.jail import Jail
from autograder.kernel.jailed_kernel import Kernel, StudentError

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

    outputs: tuple[list[dict[str, Any]], ...]
    ended: str = ""


@dataclass(frozen=True)
class CellsToRun:
    """The code cells of a notebook, the files beside it, and what the run may use."""

    sources: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    cell_seconds: float | None = None


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
    # Random states travel with what crosses: no notebook is to begin where another one ended
    random.seed()
    np.random.seed()
    limits = limit_cells(jail.limits, wanted.cell_seconds)
    outputs: list[list[dict[str, Any]]] = []
    ended = ""
    with jail.spawn(files=wanted.files, limits=limits) as jailed:
        try:
            kernel = Kernel(jailed.socket, limits, watch=jailed.check_limits)
            kernel.bind_settings(MARK_OF_GRADING)
            for source in wanted.sources:
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


def _run_cell(kernel: Kernel, source: str, limits: Limits) -> list[dict[str, Any]]:
    if not source.strip():
        return []
    ran = kernel.run_cell(source)
    outputs = [dict(output) for output in ran.outputs]
    if ran.timed_out:
        outputs.append(make_error("CellTimeoutError", f"No end after {limits.cell_seconds:g} s"))
    elif ran.error is not None and not any(entry["output_type"] == "error" for entry in outputs):
        outputs.append(_error_output(ran.error))
    return outputs


def _lost_outputs(sources: Sequence[str], ended: str) -> list[list[dict[str, Any]]]:
    """Return an error for each cell that did not run: a test without one would give its points."""
    lost = []
    for number, source in enumerate(sources):
        reason = ended if number == 0 else NOT_RUN
        lost.append([make_error("DeadKernelError", reason)] if source.strip() else [])
    return lost


def _error_output(error: StudentError) -> dict[str, Any]:
    return {
        "output_type": "error",
        "ename": error.ename,
        "evalue": error.evalue,
        "traceback": error.traceback.splitlines(),
    }


def make_error(name: str, reason: str) -> dict[str, Any]:
    """Return an error of nbformat."""
    return {
        "output_type": "error",
        "ename": name,
        "evalue": reason,
        "traceback": [f"{name}: {reason}"],
    }
