"""nbgrader's markers in the cells of a source notebook, and the lines that students may see. Pure functions of text."""

from __future__ import annotations

import re
from collections.abc import Sequence

MARKER = re.compile(r"^\s*#{2,}\s*(BEGIN|END)\b|^\s*=== (BEGIN|END) ", re.IGNORECASE)
BEGIN = re.compile(r"(###|===) BEGIN (SOLUTION|HIDDEN TESTS|MARK SCHEME)")
END = re.compile(r"(###|===) END (SOLUTION|HIDDEN TESTS|MARK SCHEME)")
SOLUTION_BEGINS = re.compile(r"(###|===) BEGIN SOLUTION")
SOLUTION_ENDS = re.compile(r"(###|===) END SOLUTION")


def mark_hidden_lines(source: str, solution: bool) -> list[tuple[str, bool]]:
    """Return each line of a source cell, stripped, with whether it may not be released.

    A solution cell without markers is one solution from its first line to its last, as nbgrader has it.
    """
    whole = solution and not BEGIN.search(source)
    inside = False
    lines = []
    for line in map(str.strip, source.splitlines()):
        inside = inside or bool(BEGIN.search(line))
        lines.append((line, inside or whole))
        inside = inside and not END.search(line)
    return lines


def keep_lines_with_solution(lines: Sequence[str]) -> list[str]:
    """Return the lines of a cell that students may see once the solution is out."""
    shown = []
    hidden = False
    for line in lines:
        solution_mark = SOLUTION_BEGINS.search(line) or SOLUTION_ENDS.search(line)
        hidden = hidden or (bool(BEGIN.search(line)) and not solution_mark)
        if not hidden and not solution_mark:
            shown.append(line)
        hidden = hidden and not END.search(line)
    return shown
