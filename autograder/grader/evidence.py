"""What trying one test cell gave: the ground that points and hints stand on."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.course.errors import KernelError
from autograder.course.source_markers import NBGRADERS, Markers
from autograder.kernel.proxies import Call
from autograder.marking import Score


@dataclass(frozen=True)
class Evidence:
    """What trying one test cell gave.

    Attributes
    ----------
    source : str
        The test cell.
    value, error
        The value of its last expression, or what ended it.
    calls : tuple of Call
        What it called of the student's, in order.
    printed : str
        What it printed.
    limit : str
        Which limit ended the student's process, if one did.
    markers : Markers
        What begins and ends the hidden part of the test cell.
    opaque : bool
        Whether a name it asked for is an object of the student's that has no form outside of the
        jail.
    """

    source: str
    value: object
    error: BaseException | None
    calls: tuple[Call, ...] = ()
    printed: str = ""
    limit: str = ""
    markers: Markers = NBGRADERS
    opaque: bool = False

    @property
    def lost(self) -> bool:
        """Whether the student's process is gone."""
        return isinstance(self.error, KernelError)

    @property
    def errors(self) -> tuple[BaseException, ...]:
        """Everything that went wrong, in order."""
        if self.error is not None:
            return (self.error,)
        return self.value.errors if isinstance(self.value, Score) else ()


def answer_below_stub(answer: Sequence[str]) -> bool:
    """Whether something was written below a `raise NotImplementedError` that was left standing."""
    return any(map(_below_stub, answer))


def _below_stub(source: str) -> bool:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return False
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        # Only what stands at the function's own level is unreachable below it: within a branch the
        # raise may be meant.
        for statement in node.body[:-1]:
            if isinstance(statement, ast.Raise) and "NotImplementedError" in ast.unparse(statement):
                return True
    return False
