"""What stands below a statement that failed: run all the same, so that one line costs no more than
itself.

A cell that imports `tqdm` first and NumPy below has NumPy at home and would have nothing here. Where the failure may
be this machine's alone, everything below runs. Else the cell fails at home as well, where what stands below never
ran: then only what makes names is run, and none is bound anew that an earlier cell has bound.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any, Final

from IPython.core.error import UsageError

# What may be there at home: a package, a file, somebody who answers `input`, a magic.
_AT_HOME: Final = (ImportError, OSError, EOFError, UsageError)
_OF_A_MODULE: Final = re.compile(r"module '[\w.]+' has no attribute")
# What these made stays, but not at which statement they failed.
_MAGIC: Final = re.compile(r"\s*%%(?:time|capture|prun)\b")
_BEGINS: Final = re.compile(r"[^\s#)\]}]")
_GOES_ON: Final = re.compile(r"(?:elif|else|except|finally)\b")
_MAKES_NAMES: Final = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
)
# Trying to join lines costs their product: these two keep a hostile cell short.
_MAX_PIECES: Final = 500
_MAX_JOINED: Final = 20


def run_on(shell: Any, source: str, error: BaseException) -> None:
    """Run the statements of a cell that its first error kept from running; what they raise is not
    told.

    Parameters
    ----------
    shell : Shell
        What ran the cell a moment ago.
    source : str
        The cell.
    error : BaseException
        What it ended with.
    """
    name = f"<cell {shell.execution_count - 1}>"
    if _MAGIC.match(source):
        body = source.lstrip().partition("\n")[2]
        rest = list(_readable(shell, body))
        everything = False
    elif isinstance(error, SyntaxError):
        rest = list(_readable(shell, source))
        everything = False
    elif isinstance(error, Exception):
        rest = _below(shell, source, error, name)
        everything = may_be_fine_at_home(error)
    else:  # exit, an interruption
        return
    names = shell.user_ns
    for statement in rest:
        for node in _single_imports(statement):
            # Asked just before it runs: an earlier one may have made the name.
            makes_new = isinstance(node, _MAKES_NAMES) and names.keys().isdisjoint(_bound(node))
            if everything or makes_new:
                _run(shell, node, name)


def may_be_fine_at_home(error: BaseException) -> bool:
    """Whether a cell may have run to its end where the student worked, as far as its error
    tells.
    """
    if isinstance(error, _AT_HOME):
        return True
    return isinstance(error, AttributeError) and bool(_OF_A_MODULE.match(str(error)))


def _run(shell: Any, node: ast.stmt, name: str) -> None:
    try:
        code = compile(ast.Module([node], []), name, "exec", dont_inherit=True)
        with shell.builtin_trap:
            exec(code, shell.user_global_ns, shell.user_ns)
    except Exception:
        # The cell's first error has been told; one that follows from it would only confuse.
        return


def _below(shell: Any, source: str, error: Exception, name: str) -> list[ast.stmt]:
    """Return the statements below the one that raised, and that one, if it imports."""
    line = _line_of(error, name)
    try:
        nodes = ast.parse(shell.transform_cell(source)).body
    except (SyntaxError, ValueError):
        return []
    for position, node in enumerate(nodes):
        if node.lineno <= line <= (node.end_lineno or node.lineno):
            stops = isinstance(node, ast.Raise)
            # Of `import tqdm, numpy` the second may be there.
            again = isinstance(node, ast.Import | ast.ImportFrom)
            return [] if stops else nodes[position if again else position + 1 :]
    return []


def _line_of(error: Exception, name: str) -> int:
    """Return the line of the cell's own code at which an error came up, 0 if it did so nowhere
    there.
    """
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == name:
            return trace.tb_lineno
        trace = trace.tb_next
    return 0


def _single_imports(node: ast.stmt) -> list[ast.stmt]:
    """Return a statement, or in the place of one that imports several names one for each."""
    if isinstance(node, ast.Import):
        return [ast.copy_location(ast.Import([alias]), node) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [
            ast.copy_location(ast.ImportFrom(node.module, [alias], node.level), node)
            for alias in node.names
        ]
    return [node]


def _bound(node: ast.AST) -> Iterator[str]:
    """Yield the names a statement binds in the notebook; to import a module once more does no
    harm.
    """
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
        yield node.id
    for child in ast.iter_child_nodes(node):
        yield from _bound(child)


def _readable(shell: Any, source: str) -> Iterator[ast.stmt]:
    """Yield the statements of a cell that Python cannot read as a whole, each where it stands."""
    lines = source.splitlines()
    begins: list[int] = []
    for number, line in enumerate(lines):
        decorated = bool(begins) and lines[number - 1].startswith("@")
        if _BEGINS.match(line) and not _GOES_ON.match(line) and not decorated:
            begins.append(number)
    if not begins or len(begins) > _MAX_PIECES:
        return
    ends = [*begins[1:], len(lines)]
    position = 0
    while position < len(begins):
        begin = begins[position]
        # More and more lines together, as the lines of a long text may look like statements.
        for last in range(position, min(position + _MAX_JOINED, len(ends))):
            nodes = _parsed(shell, lines[begin : ends[last]], begin)
            if nodes:
                yield from nodes
                position = last
                break
        position += 1


def _parsed(shell: Any, lines: list[str], above: int) -> list[ast.stmt]:
    try:
        tree = ast.parse(shell.transform_cell("\n".join(lines)))
    except (SyntaxError, ValueError):
        return []
    return [ast.increment_lineno(node, above) for node in tree.body]
