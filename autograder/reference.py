"""The reference solution: the namespace of a source notebook's own cells, never a second copy of
anything.
"""

from __future__ import annotations

import ast
import asyncio
import functools
import inspect
import os
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from autograder.course.errors import ExamError, describe_failure
from autograder.course.exam import RAISES, Exam, read_exam
from autograder.course.working_folder import working_folder

# The trial of a submission builds the reference once, before any student's code runs, and lends it
# from here.
current: ContextVar[SimpleNamespace] = ContextVar("current")


def reference_of(assignment: str) -> SimpleNamespace:
    """Return the namespace of the assignment's reference solution; `reference.softmax` is its
    function.

    Under `autograder` it is there already. Under plain `nbgrader autograde` the source notebook is
    looked for in the folders above the working directory.

    Raises
    ------
    ExamError
        If no folder above has `solutions/<assignment>/<assignment>.ipynb`, or one of its cells
        fails.
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
    """Run the exam's reference cells in a folder that holds the exam's files, and return their
    namespace.

    Raises
    ------
    ExamError
        If a cell fails that is not meant to, and the exam is strict; the message says which cell
        and how.
    """
    os.environ.setdefault("MPLBACKEND", "Agg")
    # Late: IPython takes a while to load, and chooses a backend by the line above.
    from autograder.course.reference_shell import capture_output, open_reference_shell

    with open_reference_shell() as shell, working_folder(exam.files):
        namespace: dict[str, Any] = shell.user_ns
        for number, cell in enumerate(exam.reference_cells, start=1):
            name = cell.grade_id or f"code cell {number}"
            try:
                source = shell.transform_cell(cell.source)
                with (
                    capture_output()
                ):  # what it prints would count as the test's own output under plain nbgrader
                    _run(source, f"<{exam.assignment}: {name}>", namespace)
            except Exception as error:
                if not exam.strict or RAISES in cell.tags:
                    continue
                raise ExamError(
                    f"the source notebook fails at {describe_failure(error)}"
                ) from error
    return namespace


def _run(source: str, filename: str, namespace: dict[str, Any]) -> None:
    """Run a cell, which may use `await` as in a notebook, and none of this module's own language
    features.
    """
    code = compile(source, filename, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    result = eval(code, namespace)
    if code.co_flags & inspect.CO_COROUTINE:
        # Around this process another loop may be running, as in a kernel: a thread has none.
        with ThreadPoolExecutor(max_workers=1) as thread:
            thread.submit(asyncio.run, result).result()
