"""Which names of a notebook some code can come to use, read from the notebook's text.

What a test cannot reach need not be lent to it. The way goes from a name to the statements that
bind it, or may change its object, and from there to all that they mention. Where something is
looked up by a text, or a cell is more than Python, anything may be reached. To err is allowed on
that side only: then a test is tried once more for nothing.
"""

from __future__ import annotations

import ast
import functools
import re
import symtable
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from autograder.course.cell_statements import (
    DEFINITIONS,
    IMPORTS,
    list_notebook_symbols,
    names_imported_by,
)

# By these, code finds what its text does not name.
LOOK_UPS: Final = frozenset(
    {"eval", "exec", "compile", "getattr", "setattr", "attrgetter", "methodcaller", "globals"}
    | {
        "locals",
        "vars",
        "modules",
        "builtins",
        "__builtins__",
        "__dict__",
        "__globals__",
        "f_globals",
    }
    | {"_getframe", "currentframe", "__import__", "import_module", "reload", "get_ipython"}
)
# Python's own way to say a name of the notebook from another module.
NOTEBOOK_MODULE: Final = "__main__"
# They change how a cell is shown or what it costs, not what its names are.
_HARMLESS_MAGIC: Final = re.compile(r"^[ \t]*%(?:matplotlib|config)\b.*$", re.MULTILINE)


@dataclass(frozen=True)
class _Statement:
    """What a statement of a cell's top level does with the notebook's names.

    Attributes
    ----------
    bound : frozenset of str
        Those that it binds, or assigns a part of; within a function those declared global.
    passed_on : frozenset of str
        Those it mentions otherwise than to call them: their objects may be changed by it.
    used : frozenset of str
        All that it reads, within functions too.
    only_binds : bool
        Whether it is a definition or an import, which calls nothing when it runs.
    """

    bound: frozenset[str]
    passed_on: frozenset[str]
    used: frozenset[str]
    only_binds: bool


def can_reach(starts: Collection[str], targets: Collection[str], cells: Iterable[str]) -> bool:
    """Return whether code that reads some names can come to use one of others.

    Parameters
    ----------
    starts : collection of str
        What the code reads.
    targets : collection of str
        What it may come to use.
    cells : iterable of str
        The sources of the notebook's cells.
    """
    statements: list[_Statement] = []
    imported: set[str] = set()
    for cell in cells:
        read = _read_cell(cell)
        if read is None:
            return True
        statements += read.statements
        imported |= read.imported
    reaching = set(targets)
    left = []
    for statement in statements:
        left.append((statement.used, _find_touched(statement, statements, imported)))
    found = True
    while found:
        found = False
        for used, touched in left:
            if not reaching.isdisjoint(used) and not touched <= reaching:
                reaching |= touched
                found = True
    return not reaching.isdisjoint(starts)


def find_read_names(source: str) -> frozenset[str] | None:
    """Return the names that a cell reads from its notebook, None where it may be any."""
    cell = _read_cell(source)
    if cell is None:
        return None
    return frozenset().union(*(statement.used for statement in cell.statements))


def _find_touched(
    statement: _Statement, statements: Sequence[_Statement], imported: Collection[str]
) -> set[str]:
    """Return the names that may stand for, or hold, what a statement mentions."""
    # A library does not keep what it is passed where other code of the notebook finds it.
    touched = {*statement.bound, *(statement.passed_on.difference(imported))}
    if not statement.only_binds:
        for other in statements:
            # What it calls may keep what it is given: in a list of the notebook's, for instance.
            if other.only_binds and not other.bound.isdisjoint(statement.used):
                touched |= other.passed_on.difference(imported)
    return touched


@dataclass(frozen=True)
class _Cell:
    statements: tuple[_Statement, ...]
    imported: frozenset[str]


@functools.lru_cache(maxsize=1_024)
def _read_cell(source: str) -> _Cell | None:
    """Return what a cell does, None for one that may do anything."""
    try:
        nodes = ast.parse(_HARMLESS_MAGIC.sub("", source)).body
        statements = tuple(map(_read_statement, nodes))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    imported: set[str] = set()
    for node in nodes:
        if any(map(_looks_names_up, ast.walk(node))):
            return None
        if isinstance(node, IMPORTS):
            imported.update(names_imported_by(node))
    return _Cell(statements, frozenset(imported))


def _read_statement(node: ast.stmt) -> _Statement:
    bound: set[str] = set()
    used: set[str] = set()
    for symbol in list_notebook_symbols(symtable.symtable(ast.unparse(node), "<cell>", "exec")):
        if symbol.is_assigned() or symbol.is_imported():
            bound.add(symbol.get_name())
        if symbol.is_referenced():
            used.add(symbol.get_name())
    called = set()
    passed_on = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            called.add(inner.func)
        elif isinstance(inner, ast.Name) and inner not in called:
            passed_on.add(inner.id)
        elif isinstance(inner, ast.Attribute | ast.Subscript) and isinstance(inner.ctx, ast.Store):
            bound.add(_find_root(inner))
    only_binds = isinstance(node, (*DEFINITIONS, *IMPORTS))
    mentioned = frozenset(used & passed_on)
    return _Statement(frozenset(bound), mentioned, frozenset(used), only_binds)


def _find_root(node: ast.expr) -> str:
    """Return the name whose object an assignment changes; an empty text where there is none."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _looks_names_up(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return node.id in LOOK_UPS
    if isinstance(node, ast.Attribute):
        return node.attr in LOOK_UPS
    if isinstance(node, ast.alias):
        return node.name == "*" or not LOOK_UPS.isdisjoint(node.name.split("."))
    return isinstance(node, ast.Constant) and node.value == NOTEBOOK_MODULE
