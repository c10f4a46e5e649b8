"""What the cells of a source notebook do, read from their text: the names they bind and use.

A cell may hold magics; then it is read as IPython would run it. One that Python cannot read does
nothing here.
"""

from __future__ import annotations

import ast
import symtable
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import ModuleType

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
IMPORTS = (ast.Import, ast.ImportFrom)


def read_statements(source: str) -> list[ast.stmt]:
    """Return the statements of a cell's top level."""
    try:
        return ast.parse(source).body
    except SyntaxError:  # a magic
        with suppress(SyntaxError):
            return ast.parse(replace_magics(source)).body
    return []


def replace_magics(source: str) -> str:
    """Return a cell's source as IPython runs it, with calls for its magics."""
    # Late: few cells have one, and students' `autograder check` and every trial would wait for IPython.
    from IPython.core.inputtransformer2 import TransformerManager

    transform = TransformerManager().transform_cell  # type: ignore[no-untyped-call]
    return str(transform(source))


def find_bound_names(sources: Iterable[str]) -> frozenset[str]:
    """Return the names that cells bind, by imports too."""
    names = set(find_imported_names(sources))
    for source in sources:
        for statement in read_statements(source):
            names.update(_names_bound_by(statement))
    return frozenset(names)


def find_imported_names(sources: Iterable[str]) -> frozenset[str]:
    """Return the names that cells import; what a star brings only if its module is loaded."""
    names: set[str] = set()
    for source in sources:
        for statement in read_statements(source):
            if isinstance(statement, DEFINITIONS):  # what is imported within is not the notebook's
                continue
            for node in ast.walk(statement):
                if isinstance(node, IMPORTS):
                    names.update(names_imported_by(node))
    return frozenset(names)


def find_global_names(source: str) -> frozenset[str]:
    """Return the names that a cell, or a function in it, reads from its notebook."""
    module = ast.Module(read_statements(source), [])
    try:
        # By way of text: symtable takes no tree, and magics are statements only in the tree.
        text = ast.unparse(ast.fix_missing_locations(module))
        symbols = list_notebook_symbols(symtable.symtable(text, "<cell>", "exec"))
        return frozenset(symbol.get_name() for symbol in symbols if symbol.is_referenced())
    except (SyntaxError, RecursionError):
        return frozenset()


def find_names_in_functions(sources: Iterable[str]) -> frozenset[str]:
    """Return the names that the functions and classes of cells read."""
    names: set[str] = set()
    for source in sources:
        for statement in read_statements(source):
            if isinstance(statement, DEFINITIONS):
                for node in ast.walk(statement):
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                        names.add(node.id)
    return frozenset(names)


def list_notebook_symbols(table: symtable.SymbolTable) -> Iterator[symtable.Symbol]:
    """Yield the symbols of some code, and of the functions in it, that are names of its notebook."""
    is_module = table.get_type() == "module"
    for symbol in table.get_symbols():
        # At a cell's top level there are no locals: every name is the notebook's.
        if is_module or symbol.is_global():
            yield symbol
    for child in table.get_children():
        yield from list_notebook_symbols(child)


def find_definitions(source: str) -> list[str]:
    """Return the functions and classes that a cell without magics defines, in their order."""
    with suppress(SyntaxError):
        nodes = ast.parse(source).body
        return [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return []


def names_imported_by(statement: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """Yield the names that an import binds."""
    for alias in statement.names:
        # `import os.path` binds `os`.
        yield (alias.asname or alias.name).split(".")[0]
        if alias.name == "*":
            # Never imported for this: a look at a cell must run nothing.
            module = sys.modules.get(getattr(statement, "module", None) or "")
            if module is not None:
                yield from _names_of_star(module)


def makes_names_only(statement: ast.stmt) -> bool:
    """Whether a statement only makes names: a decorated function may be a check that runs at
    once.
    """
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return not statement.decorator_list
    if isinstance(statement, ast.ImportFrom):
        # One of these is a SyntaxError wherever anything stands above it.
        return statement.module != "__future__"
    return isinstance(statement, ast.Import | ast.Assign | ast.AnnAssign)


def _names_of_star(module: ModuleType) -> list[str]:
    public = getattr(module, "__all__", ())
    return list(public) or [name for name in dir(module) if not name.startswith("_")]


def _names_bound_by(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, DEFINITIONS):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def asks_for_all_names(source: str) -> bool:
    """Whether a cell asks which names there are: `dir()`, `locals()`, a loop over `globals()`.

    To look one name up in `globals()`, or whether it is there, asks for that name only.
    """
    for statement in read_statements(source):
        of_one_name: set[ast.AST] = set()
        for node in ast.walk(statement):
            if isinstance(node, ast.Subscript) or (
                isinstance(node, ast.Attribute) and node.attr == "get"
            ):
                of_one_name.add(node.value)
            elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
                of_one_name.update(node.comparators)
        for node in ast.walk(statement):
            if not isinstance(node, ast.Call) or node.args or not isinstance(node.func, ast.Name):
                continue
            if node.func.id in ("dir", "vars", "locals"):
                return True
            if node.func.id == "globals" and node not in of_one_name:
                return True
    return False
