"""What the names in an inside test mean: Python's and the course's own, whatever a notebook made of
them.

A student may call a variable `max`, and their functions have to find it there while the test runs.
The test's own `max` is Python's all the same. So a test asks for such a name not in the notebook,
but in `builtins`, or among what the course imports: it is compiled with `builtins.max` in the place
of `max`, and the module is put into the code itself, where nothing of the student's comes between,
not even while they are being tested.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Mapping
from types import CodeType
from typing import Any, Final, TypeVar

OF_MODULES: Final = frozenset(
    {"__name__", "__doc__", "__loader__", "__spec__", "__package__", "get_ipython", "_"}
)
# The compiler itself looks for these words.
_OF_THE_COMPILER: Final = frozenset({"super", "__debug__", "__build_class__"})
# What has text run as code, in which names mean what they do in the notebook.
_RUN_TEXT: Final = frozenset(
    {"timeit", "doctest", "run_cell", "run_line_magic", "run_cell_magic", "getoutput", "system"}
)
# As names only: `re.compile` and a model's `eval` are something else.
_RUN_TEXT_BY_NAME: Final = frozenset({"eval", "exec", "compile"})
# Stand in a test's code for what is put there after it was compiled: no test has such a text.
_PYTHONS: Final = "\0Python's names"
_COURSES: Final = "\0the course's names"

_Node = TypeVar("_Node", bound=ast.AST)


class ImportedNames:
    """What the course's own imports bind, as attributes."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        vars(self).update(found)


class TestNames:
    """Which names a test takes from where.

    Parameters
    ----------
    tree : ast.Module
        The test.
    imported : mapping of str to object
        What the course's imports bind.
    others : collection of str
        Names that are the notebook's own: those the course asks for or makes, and what earlier
        tests made.
    """

    def __init__(
        self, tree: ast.Module, imported: Mapping[str, Any], others: Collection[str]
    ) -> None:
        self._imported = ImportedNames(imported)
        bound = _find_bound_names(tree)
        self._places: dict[str, str] = {}
        # None for all: what a star brings nobody can tell, and code in a text is not looked through.
        self._unplaced: frozenset[str] | None = None
        if "*" in bound or _may_run_text(tree):
            return
        self._unplaced = _OF_THE_COMPILER | bound | _find_names_of_patterns(tree)
        for name in imported:
            self._places[name] = _COURSES
        for name in vars(builtins):
            if is_pythons(name) and name not in _OF_THE_COMPILER:
                self._places.setdefault(name, _PYTHONS)
        for name in (*bound, *others):
            self._places.pop(name, None)

    def is_in_the_way(self, name: object) -> bool:
        """Whether what a notebook calls like something of Python's would be taken for that."""
        return is_pythons(name) and (self._unplaced is None or name in self._unplaced)

    def place_names(self, tree: _Node) -> _Node:
        """Return a part of the test with its names taken from where they are to come from."""
        return ast.fix_missing_locations(_Placing(self._places).visit(tree))  # type: ignore[no-any-return]

    def fill_in(self, code: CodeType) -> CodeType:
        """Return compiled code with Python's and the course's names put into it."""
        constants: list[Any] = []
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                constant = self.fill_in(constant)
            elif type(constant) is str and constant == _PYTHONS:
                constant = builtins
            elif type(constant) is str and constant == _COURSES:
                constant = self._imported
            constants.append(constant)
        return code.replace(co_consts=tuple(constants))


class _Placing(ast.NodeTransformer):
    """Writes `PLACE.name` where a name is read that has a place."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places

    def visit_Name(self, node: ast.Name) -> ast.expr:
        place = self._places.get(node.id)
        if place is None or not isinstance(node.ctx, ast.Load):
            return node
        made = ast.Attribute(ast.Constant(place), node.id, ast.Load())
        return ast.copy_location(made, node)

    # A pattern's class must be a name; what an annotation says may be kept as its text.
    def visit_MatchClass(self, node: ast.MatchClass) -> ast.MatchClass:
        node.patterns = [self.visit(pattern) for pattern in node.patterns]
        node.kwd_patterns = [self.visit(pattern) for pattern in node.kwd_patterns]
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        node.target = self.visit(node.target)
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._visit_function(node)

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        returns = node.returns
        node.returns = None
        self.generic_visit(node)
        node.returns = returns
        return node


def is_pythons(name: object) -> bool:
    """Whether a name is one of Python's own."""
    return type(name) is str and hasattr(builtins, name) and name not in OF_MODULES


def _find_bound_names(tree: ast.AST) -> set[str]:
    """Return the names that a test binds anywhere, a star for what a star brings."""
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.Global | ast.Nonlocal):
            bound.update(node.names)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            bound.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            bound.add(node.rest)
    return bound


def _find_names_of_patterns(tree: ast.AST) -> set[str]:
    """Return the classes that patterns of a test name."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.MatchClass) and isinstance(node.cls, ast.Name):
            names.add(node.cls.id)
    return names


def _may_run_text(tree: ast.AST) -> bool:
    """Whether a test may have a text run as code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in _RUN_TEXT | _RUN_TEXT_BY_NAME:
            return True
        if isinstance(node, ast.Attribute) and node.attr in _RUN_TEXT:
            return True
        if isinstance(node, ast.ImportFrom) and node.module in _RUN_TEXT:
            return True
    return False
