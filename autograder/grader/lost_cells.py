"""Cells that ended or stopped the student's process, in sentences for the student.

A cell above the first hidden test is named. Below it a cell knows what the tests gave to the
student's functions, and which cells fail could be chosen by that: there only their number is told.
"""

from __future__ import annotations

from collections.abc import Callable

from autograder.course.errors import OutOfTime

# Each costs a fresh process and all cells above; and how many were lost tells a student something
# of what the tests handed over, so few restarts are few bits.
MAX_RESTARTS = 4
TOO_OFTEN = (
    "The notebook ended its Python process too often. The cells after that were not run, and exercises that need them "
    "were not tested."
)


class Losses:
    """What is told of lost cells.

    Parameters
    ----------
    tell : callable
        Takes a sentence for the student.

    Attributes
    ----------
    tested : bool
        Whether a hidden test has run.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tested = False
        self._tell = tell
        self._below = 0
        self._gave_up = False

    def stopped(self, number: int | None) -> None:
        """Tell of a cell that was stopped at its time limit; its process goes on."""
        if self.tested:
            self._below += 1
        else:
            self._tell(
                f"Cell {number} was stopped: it took too long. What stands below it was graded."
            )

    def lost(self, number: int | None, limit: str, error: Exception) -> None:
        """Tell of a cell whose process is gone.

        Parameters
        ----------
        number : int or None
            The cell's number.
        limit : str
            Which limit ended the process, empty if none did.
        error : Exception
            How the loss was noticed.
        """
        if self.tested:
            # Which cells are lost could be chosen by what a test handed over: a number tells little.
            self._below += 1
            return
        if limit:
            reason = f"was stopped: {limit}"
        elif isinstance(error, OutOfTime):
            reason = "was stopped: it took too long"
        else:
            reason = "ended the Python process (os._exit, quit or a crash)"
        self._tell(f"Cell {number} {reason}. It was left out; the rest of the notebook was graded.")

    def gave_up(self) -> None:
        """Tell, once, that no process is started any more."""
        if not self._gave_up:
            self._gave_up = True
            self._tell(TOO_OFTEN)

    def summarise(self) -> None:
        """Tell how many cells below the first hidden test were stopped or lost, if any were."""
        if self._below:
            cells, were = ("cell", "was") if self._below == 1 else ("cells", "were")
            left = "It was" if self._below == 1 else "They were"
            self._tell(
                f"{self._below} {cells} below the first test {were} stopped, or ended the Python process. {left} left "
                "out."
            )
