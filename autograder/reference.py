"""The reference solution: the namespace of a source notebook's own cells, never a second copy of anything."""

from __future__ import annotations

import functools
import os
import traceback
from contextvars import ContextVar
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from autograder.errors import ExamError
from autograder.exam import Exam, read_exam

# The trial of a submission builds the reference once, before any student's code runs, and lends it from here.
current: ContextVar[SimpleNamespace] = ContextVar("current")


def reference_of(assignment: str) -> SimpleNamespace:
    """Return the namespace of the assignment's reference solution; `reference.softmax` is its function.

    Under `autograder` it is there already. Under plain `nbgrader autograde` the source notebook is looked for in
    the folders above the working directory.

    Raises
    ------
    ExamError
        If no folder above has `solutions/<assignment>/<assignment>.ipynb`, or one of its cells fails.
    """
    lent = current.get(None)
    return lent if lent is not None else _from_source(assignment, Path.cwd())


@functools.cache
def _from_source(assignment: str, start: Path) -> SimpleNamespace:
    for folder in (start, *start.parents):
        source = folder / "solutions" / assignment / f"{assignment}.ipynb"
        if source.exists():
            return SimpleNamespace(**run_reference(read_exam(source)))
    raise ExamError(f"no solutions/{assignment}/{assignment}.ipynb in {start} or above it")


def run_reference(exam: Exam) -> dict[str, Any]:
    """Run the exam's reference cells and return their namespace.

    Raises
    ------
    ExamError
        If a cell fails; the message says which and how.
    """
    os.environ.setdefault("MPLBACKEND", "Agg")
    from IPython.core.inputtransformer2 import TransformerManager
    from IPython.utils.capture import capture_output

    shell = _shell()
    namespace: dict[str, Any] = {"__name__": "reference", "get_ipython": lambda: shell}
    transform = TransformerManager().transform_cell  # type: ignore[no-untyped-call]
    for number, cell in enumerate(exam.reference_cells, start=1):
        name = cell.grade_id or f"code cell {number}"
        try:
            with capture_output():  # what it prints would count as the test's own output under plain nbgrader
                exec(compile(transform(cell.source), f"<{exam.assignment}: {name}>", "exec"), namespace)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"line {last.lineno} of {last.filename.strip('<>')}"
            raise ExamError(f"the source notebook fails at {where}: {type(error).__name__}: {error}") from error
    return namespace


def _shell() -> Any:
    """Return what runs magics: the kernel's own shell where there is one, else one that shows nobody anything."""
    from IPython.core.interactiveshell import InteractiveShell

    class Windowless(InteractiveShell):
        def enable_gui(self, gui: object = None) -> None:
            pass

        def enable_matplotlib(self, gui: object = None) -> tuple[None, str]:  # also what only a browser could show
            return None, "agg"

    if InteractiveShell.initialized():
        return InteractiveShell.instance()
    return Windowless.instance(colors="nocolor", history_load_length=0)
