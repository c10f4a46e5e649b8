"""Solution cells with a known answer in them: a variant from `mistakes.py` or `alternatives.py`, or nothing at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder import stage

# Where anything in it fails, the function is missing, and not the reference's.
CELL = """\
{given}
del {function}
_stage = {{"__name__": "stage"}}
exec({stage!r}, _stage)
{function} = _stage["variant"]({text!r}, {function!r}, {name!r}, {solutions!r}, globals())
"""


def variant_cell(given: str, text: str, function: str, name: str, solutions: Sequence[str]) -> str:
    """Return a solution cell in which one function is replaced by a variant of it.

    Parameters
    ----------
    given : str
        The cell as the reference has it; it may define more than the function.
    text : str
        Source of the file that registers the variant.
    function, name : str
        Which function is replaced, and the variant's name.
    solutions : sequence of str
        Sources of all solution cells of the assignment.
    """
    source = Path(stage.__file__).read_text(encoding="utf-8")
    return CELL.format(given=given, stage=source, text=text, function=function, name=name, solutions=list(solutions))


def nothing_cell(names: Sequence[str]) -> str:
    """Return a solution cell in which these functions return None."""
    return "\n".join(f"def {name}(*args, **kwargs):\n    return None" for name in names)
