"""The names that a cell's source binds, read without running it, also where Python cannot read all
of it.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

DEFINES = re.compile(r"^(?:async\s+)?(?:def|class)\s+(\w+)", re.MULTILINE)
BINDS = re.compile(r"^(\w+)\s*(?:=(?!=)|,\s*\w+.*=(?!=))", re.MULTILINE)
MAGIC = re.compile(r"^[ \t]*[%!?].*$", re.MULTILINE)
# A cell may be megabytes long, and a syntax tree takes many times the memory of its text.
MAX_SOURCE = 200_000


class CellNames(NamedTuple):
    """What a cell makes in its notebook.

    Attributes
    ----------
    defined : frozenset of str
        Functions and classes of its top level.
    bound : frozenset of str
        All names it binds: by definitions, assignments and imports.
    stubs : frozenset of str
        Its functions, if it holds nothing but functions that are not written yet.
    """

    defined: frozenset[str]
    bound: frozenset[str]
    stubs: frozenset[str]


@functools.lru_cache(maxsize=4_096)
def read_cell_names(source: str) -> CellNames:
    """Return the names that a cell's source makes."""
    tree = _tree(source)
    if tree is None:
        # A cell that Python cannot read still says where the student wrote an answer.
        begin = source[:MAX_SOURCE]
        defined = frozenset(DEFINES.findall(begin))
        return CellNames(defined, defined | frozenset(BINDS.findall(begin)), frozenset())
    names_defined: set[str] = set()
    names_bound: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names_defined.add(node.name)
        names_bound.update(_bound(node))
    defined = frozenset(names_defined)
    is_stub = bool(tree.body) and all(map(_is_stub, tree.body))
    return CellNames(defined, frozenset(names_bound), defined if is_stub else frozenset())


def quote_code_names(names: Iterable[str]) -> str:
    """Return names of a notebook as they stand in a sentence: `a` and `b`."""
    return " and ".join(f"`{name}`" for name in names)


def defined_names(source: str) -> frozenset[str]:
    """Return the functions and classes that a cell defines at its top level."""
    return read_cell_names(source).defined


def bound_names(source: str) -> frozenset[str]:
    """Return all names that a cell binds in its notebook."""
    return read_cell_names(source).bound


def stub_names(source: str) -> frozenset[str]:
    """Return the functions of a cell that holds nothing but functions that are not written yet."""
    return read_cell_names(source).stubs


def _is_stub(node: ast.stmt) -> bool:
    if not isinstance(node, ast.FunctionDef):
        return False
    body = node.body
    # A docstring is no answer.
    if len(body) > 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    return (
        len(body) == 1
        and isinstance(body[0], ast.Raise)
        and "NotImplementedError" in ast.unparse(body[0])
    )


def _tree(source: str) -> ast.Module | None:
    try:
        return ast.parse(MAGIC.sub("", source[:MAX_SOURCE]))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        return  # what is bound within it is not the notebook's
    if isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            # `import os.path` binds `os`
            yield (alias.asname or alias.name).split(".")[0]
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    for child in ast.iter_child_nodes(node):
        yield from _bound(child)
