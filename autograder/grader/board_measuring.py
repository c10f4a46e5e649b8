"""From what a leaderboard's measuring saw to an entry of the report."""

from __future__ import annotations

import math

import numpy as np

from autograder.course.reports import BoardEntry, make_printable
from autograder.grader.evidence import Evidence
from autograder.marking import Hint

UNWRITTEN = "There is nothing to measure yet: it is not written."
TOO_LONG = "It was not measured to the end: it took more time or memory than there is for it."
FAILED = (
    "It could not be measured: it fails, or gives something else, with data that are not yours."
)
NO_NUMBER = "What was measured is no number."
# What arithmetic outside of the jail gives. A student's object, whatever it says it is, is none.
NUMBERS = (int, float, np.float64, np.float32, np.int64, np.int32)


def make_board_entry(code_name: str, evidence: Evidence) -> BoardEntry:
    """Return the entry for an answer that was measured, with a remark where it could not be."""
    if evidence.error is not None:
        return BoardEntry(code_name, remark=explain_failure(evidence))
    if type(evidence.value) not in NUMBERS:
        return BoardEntry(code_name, remark=NO_NUMBER)
    score = float(evidence.value)  # type: ignore[arg-type]
    if not math.isfinite(score):
        return BoardEntry(code_name, remark=NO_NUMBER)
    return BoardEntry(code_name, score)


def explain_failure(evidence: Evidence) -> str:
    """Say why nothing was measured, in words of ours: the student's could hold the data."""
    error = evidence.error
    # A call that takes too long fails like one that raises; what takes all of the time ends it all.
    if evidence.lost or isinstance(error, TimeoutError | MemoryError):
        return TOO_LONG
    if type(error) is Hint:
        return make_printable(str(error))
    if isinstance(error, NotImplementedError | NameError):
        return UNWRITTEN
    return FAILED
