"""What a leaderboard measures, and who wants to be on it: read from files, nothing of it is run.

An open question has no points and no right answer, only better ones. `leaderboard.py` beside a source notebook measures
an answer with data that students do not have; its docstring says what is measured, `BETTER` says which way is up.
A student takes part by a line in the notebook: `code_name = "…"`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from autograder.course.errors import ExamError
from autograder.course.reports import make_printable

LEADERBOARD_FILE = "leaderboard.py"
BETTER = "BETTER"
DIRECTIONS = ("more", "less")
# A whole line that begins where lines begin: also readable in a cell with magics, or one that
# has an error further down.
CODE_NAME = re.compile(
    r"""^code_name[ \t]*=[ \t]*("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')[ \t]*(?:\#.*)?$""",
    re.MULTILINE,
)
# More than any name may have, so that a longer one is seen to be too long and nothing grows by it.
MOST_LETTERS_KEPT = 100


@dataclass(frozen=True)
class Leaderboard:
    """What is measured of the answers to an open question.

    Attributes
    ----------
    title : str
        What is measured, as the heading of a column.
    less_is_better : bool
        Whether the smallest number is the best.
    source : str
        What measures, run as a test cell is; its last expression is the number.
    """

    title: str
    less_is_better: bool
    source: str = field(repr=False)


def read_leaderboard(source_notebook: Path) -> Leaderboard | None:
    """Return what is measured beside a source notebook, None where nothing is.

    Raises
    ------
    ExamError
        If the file is no Python, or does not say what it measures and which way is better.
    """
    path = source_notebook.with_name(LEADERBOARD_FILE)
    if not path.exists():
        return None
    source = path.read_text(encoding="utf-8")
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise ExamError(f"{path}: line {error.lineno} is no Python ({error.msg})") from None
    title = (ast.get_docstring(tree) or "").partition("\n")[0].strip().rstrip(".")
    if not title:
        raise ExamError(f"{path}: say in its docstring, in one line, what is measured")
    better = _find_constant(tree, BETTER)
    if better not in DIRECTIONS:
        raise ExamError(f'{path}: {BETTER} is {better!r}; write {BETTER} = "more" or "less"')
    return Leaderboard(title, better == "less", source)


def find_code_name(sources: Iterable[str]) -> str:
    """Return the code name that a notebook's code cells give, empty where none does; the last one
    counts.
    """
    # Read and never run: a name that were the student's object could carry what a test had asked.
    code_name = ""
    for source in sources:
        for found in CODE_NAME.finditer(source):
            try:
                value = ast.literal_eval(found[1])
            except (ValueError, SyntaxError):
                # A broken escape, "\x", fits the pattern and is no text to Python.
                continue
            code_name = make_printable(str(value).strip())[:MOST_LETTERS_KEPT]
    return code_name


def _find_constant(tree: ast.Module, name: str) -> object:
    for statement in tree.body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Constant):
            continue
        for target in statement.targets:
            if isinstance(target, ast.Name) and target.id == name:
                return statement.value.value
    return None
