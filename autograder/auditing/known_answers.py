"""Solution cells with a known answer in them: a variant from one of the files, or nothing at
all.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder.auditing import mistakes_stage as stage

CELL = """\
{given}
_stage = {{"__name__": "stage"}}
exec({stage!r}, _stage)
_text, _solutions = {text!r}, {solutions!r}
"""
# Where the second line fails, the function is missing, and not the reference's.
REPLACED = """\
del {function}
{function} = _stage["variant"](_text, {function!r}, {name!r}, _solutions, globals())
"""


def write_variant_cell(
    given: str, text: str, functions: Sequence[str], name: str, solutions: Sequence[str]
) -> str:
    """Return a solution cell in which functions are replaced by variants of them.

    Parameters
    ----------
    given : str
        The cell as the reference has it; it may define more than these functions.
    text : str
        Source of the file that registers the variants.
    functions : sequence of str
        Which functions are replaced.
    name : str
        The variants' name.
    solutions : sequence of str
        Sources of all solution cells of the assignment.
    """
    # As text: the jail has no file of ours that it could import
    source = Path(stage.__file__).read_text(encoding="utf-8")
    cell = CELL.format(given=given, stage=source, text=text, solutions=list(solutions))
    for function in functions:
        cell += REPLACED.format(function=function, name=name)
    return cell


def write_nothing_cell(names: Sequence[str]) -> str:
    """Return a solution cell in which these functions return None."""
    return "\n".join(f"def {name}(*args, **kwargs):\n    return None" for name in names)
