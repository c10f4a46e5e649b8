"""Whether a criterion compared anything: the evidence without which it gives no points.

A criterion that simply returns has found nothing wrong, perhaps because it found nothing to look
at. So it is noted, while it runs, whether it came past a comparison: an expectation of
`autograder.checks`, an assertion, or a statement that raises where something is not as it should
be. Expectations note it themselves; for the others a note is written into the functions of a
test's cell.
"""

from __future__ import annotations

import ast
import dis
import linecache
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import CodeType, FunctionType

NOTE = "__compared__"  # the name by which a test's cell finds `note_comparison`
NOTED = "__comparisons_are_noted__"  # a name of a cell whose functions have their notes already
# A call by such a name compares: assert_allclose, assertEqual, assertRaises.
JUDGING = ("assert", "expect")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Comparisons:
    """How many comparisons were come past."""

    def __init__(self) -> None:
        self.count = 0


_current: ContextVar[Comparisons | None] = ContextVar("comparisons", default=None)


def note_comparison() -> None:
    """Note that a value was compared with what it should be."""
    current = _current.get()
    if current is not None:
        current.count += 1


@contextmanager
def count_comparisons() -> Iterator[Comparisons]:
    """Count the comparisons while the context lasts."""
    comparisons = Comparisons()
    token = _current.set(comparisons)
    try:
        yield comparisons
    finally:
        _current.reset(token)


def add_notes(tree: ast.Module) -> ast.Module:
    """Return a cell in which every comparison of its functions is noted once it was come past."""
    noted: ast.Module = _Notes().visit(tree)
    return ast.fix_missing_locations(noted)


def note_comparisons(check: Callable[[], object]) -> bool:
    """Write notes into a function, and into those of its cell that it calls, unless they have them.

    In a kernel of nbgrader's nobody else does so.

    Returns
    -------
    bool
        Whether every comparison will be noted. One that stands in no source that can be found is
        not.
    """
    # Under `autograder grade` the cell was compiled with its notes.
    if NOTED in getattr(check, "__globals__", {}):
        return True
    left = [check]
    seen = set()
    all_noted = True
    while left:
        function = left.pop()
        if not isinstance(function, FunctionType) or function in seen:
            continue
        seen.add(function)
        code = function.__code__
        noted = code if NOTE in code.co_names else _code_with_notes(code)
        if noted is None:
            all_noted = all_noted and not _may_compare(code)
        elif noted is not code:
            # In the function itself: a decorator, or a list of checks, may hold it already.
            function.__code__ = noted
            function.__globals__.setdefault(NOTE, note_comparison)
        file = code.co_filename
        for name in code.co_names:
            called = function.__globals__.get(name)
            # Only those of the same cell: an imported one has a file of its own.
            if isinstance(called, FunctionType) and called.__code__.co_filename == file:
                left.append(called)
    return all_noted


def _may_compare(code: CodeType) -> bool:
    """Whether code raises or calls an assertion; expectations note themselves."""
    for instruction in dis.get_instructions(code):
        if instruction.opname == "RAISE_VARARGS":
            return True
    return any(name.startswith("assert") for name in code.co_names)


def _code_with_notes(code: CodeType) -> CodeType | None:
    source = "".join(linecache.getlines(code.co_filename))
    try:
        module = compile(add_notes(ast.parse(source)), code.co_filename, "exec")
    # The file may have changed since; zero bytes in it are a ValueError to older Pythons.
    except (SyntaxError, ValueError):
        return None
    return _code_like(code, module)


def _code_like(code: CodeType, within: CodeType) -> CodeType | None:
    for constant in within.co_consts:
        if not isinstance(constant, CodeType):
            continue
        is_named_alike = constant.co_name == code.co_name
        # Two functions of a cell may have one name; the line tells them apart.
        begins_alike = constant.co_firstlineno == code.co_firstlineno
        # A function can only be given code that closes over the same variables.
        if is_named_alike and begins_alike and constant.co_freevars == code.co_freevars:
            return constant
        found = _code_like(code, constant)
        if found is not None:
            return found
    return None


def is_note(statement: ast.stmt) -> bool:
    """Whether a statement is a note."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and called_name(statement.value) == NOTE
    )


def called_name(call: ast.expr) -> str:
    """Return the last part of the name by which a call calls something, empty for any other
    expression.
    """
    if not isinstance(call, ast.Call):
        return ""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


class _Notes(ast.NodeTransformer):
    """Puts a note behind every statement of a function that compares."""

    def __init__(self) -> None:
        # Of the functions around, the innermost last: does it end with a raise unless it returns?
        self._returns_judge: list[bool] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self._returns_judge.append(isinstance(node.body[-1], ast.Raise))
        self.generic_visit(node)
        self._returns_judge.pop()
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        # A return within its methods says nothing about the function around the class.
        self._returns_judge.append(False)
        self.generic_visit(node)
        self._returns_judge.pop()
        return node

    def visit_Return(self, node: ast.Return) -> ast.Return | list[ast.stmt]:
        # In front of it, for behind a return nothing runs.
        return [_note(node), node] if self._returns_judge and self._returns_judge[-1] else node

    def visit_Assert(self, node: ast.Assert) -> ast.stmt | list[ast.stmt]:
        return self._noted(node)

    def visit_Expr(self, node: ast.Expr) -> ast.stmt | list[ast.stmt]:
        return self._noted(node) if called_name(node.value).startswith(JUDGING) else node

    def visit_With(self, node: ast.With) -> ast.stmt | list[ast.stmt]:
        self.generic_visit(node)
        for item in node.items:
            name = called_name(item.context_expr)
            if name.startswith(JUDGING) or name == "raises":  # pytest.raises
                return self._noted(node)
        return node

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        return self._noted_if_raising(node, *_branches(node))

    def visit_For(self, node: ast.For) -> ast.stmt | list[ast.stmt]:
        return self._noted_if_raising(node, node.orelse)

    def visit_While(self, node: ast.While) -> ast.stmt | list[ast.stmt]:
        return self._noted_if_raising(node, node.orelse)

    def visit_Try(self, node: ast.Try) -> ast.stmt | list[ast.stmt]:
        handlers = [handler.body for handler in node.handlers]
        return self._noted_if_raising(node, node.body, *handlers, node.orelse)

    def visit_Match(self, node: ast.Match) -> ast.stmt | list[ast.stmt]:
        return self._noted_if_raising(node, *(case.body for case in node.cases))

    def _noted_if_raising(
        self, node: ast.stmt, *branches: list[ast.stmt]
    ) -> ast.stmt | list[ast.stmt]:
        # Looked at before the branches get notes of their own.
        raises = any(map(_raises, branches))
        self.generic_visit(node)
        return self._noted(node) if raises else node

    def _noted(self, node: ast.stmt) -> ast.stmt | list[ast.stmt]:
        return [node, _note(node)] if self._returns_judge else node


def _raises(branch: list[ast.stmt]) -> bool:
    return any(isinstance(statement, ast.Raise) for statement in branch)


def _branches(node: ast.If) -> Iterator[list[ast.stmt]]:
    """Yield the branches of an `if` with all its `elif`."""
    yield node.body
    if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        yield from _branches(node.orelse[0])
    else:
        yield node.orelse


def _note(at: ast.stmt) -> ast.stmt:
    note = ast.Expr(ast.Call(ast.Name(NOTE, ast.Load()), [], []))
    # At its statement's place, so that tracebacks keep the author's lines.
    return ast.copy_location(note, at)
