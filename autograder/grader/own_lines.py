"""The line of the student's own code at which a test's call failed.

The jail says where, in the text of a traceback. The line that is told comes from the student's
file, and only where the jail's text shows that very line: nothing else of that text goes any
further.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.grader.evidence import Evidence
from autograder.grader.failed_cells import shorten_line

FRAME = re.compile(r'^ *File "<cell (\d{1,6})>", line (\d{1,6}), in .*\n(.*)$', re.MULTILINE)


@dataclass(frozen=True)
class RanCell:
    """A cell that was run: its number in the student's file, and its text."""

    number: int
    source: str


def own_line(evidence: Evidence, ran: Sequence[RanCell]) -> str:
    """Say at which of the student's lines a test's call failed, empty where it did not fail in one.

    Parameters
    ----------
    evidence : Evidence
        What the test saw.
    ran : sequence of RanCell
        The cells that were run in the kernel, in their order.
    """
    for error in evidence.errors:
        trace = getattr(error, "student_traceback", "")
        for cell, line, text in reversed(FRAME.findall(trace)):
            found = _line(int(cell), int(line), ran)
            # The jail's text has to show that very line, or it names a line by choice.
            if found is not None and found[1] == text.strip():
                # Of a raise its author knows why, and what it says may be a test's.
                raises = found[1].startswith("raise ")
                text = "" if raises else f": `{shorten_line(found[1])}`"
                return f"It happened in line {line} of cell {found[0]}{text}."
    return ""


def _line(cell: int, line: int, ran: Sequence[RanCell]) -> tuple[int, str] | None:
    """Return the number of a cell in the student's file and its line's text; the jail counts cells
    that hold code.
    """
    # IPython does not count cells without code.
    counted = [entry for entry in ran if entry.source.strip()]
    if not 0 < cell <= len(counted):
        return None
    lines = counted[cell - 1].source.splitlines()
    if not 0 < line <= len(lines) or not lines[line - 1].strip():
        return None
    return counted[cell - 1].number, lines[line - 1].strip()
