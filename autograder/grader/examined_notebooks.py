"""What an examiner hands back: light to import, for those who only receive it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autograder.course.reports import Report


@dataclass(frozen=True)
class ExaminedNotebook:
    """A report and, for the instructor, the notebook's cells with the outputs they gave.

    `by_clock` says whether a limit of time decided anything: a machine that had nothing else to do
    might have been in time.
    """

    report: Report
    cells: tuple[dict[str, Any], ...]
    by_clock: bool = False
