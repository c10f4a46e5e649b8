"""Functions that a hidden test lends to the student's for a while.

Whether an answer is computed from what another function returns shows when that function returns
something else::

    with lent(graded_generate_pauli=lambda: other_matrices):
        det, square, trace = graded_pauli_check("x")

Under `autograder grade` the lent function runs outside of the jail and is called by value; under
plain `nbgrader autograde` it stands in the notebook's own namespace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

from autograder.course.errors import ExamError

Functions = Mapping[str, Callable[..., Any]]

# How to lend: the trial of a submission says so before it runs a test. Elsewhere the test's own
# shell is asked.
lender: ContextVar[Callable[[Functions], AbstractContextManager[None]]] = ContextVar("lender")


@contextmanager
def lent(**functions: Callable[..., Any]) -> Iterator[None]:
    """Put functions of the test in the place of the student's of these names while the block lasts.

    Calls of the student's functions inside the block are not compared with known mistakes, which
    would not know what was lent. Without any function that is all the block does: for calls that
    only find out how to ask.

    Raises
    ------
    ExamError
        If there is neither a grader nor a notebook around the test.
    """
    with lender.get(_lent_in_notebook)(functions):
        yield


@contextmanager
def _lent_in_notebook(functions: Functions) -> Iterator[None]:
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise ExamError("a test can lend functions only inside of a notebook or under `autograder`")
    names = shell.user_ns
    before = {name: names[name] for name in functions if name in names}
    names.update(functions)
    try:
        yield
    finally:
        for name in functions:
            names.pop(name, None)
        names.update(before)
