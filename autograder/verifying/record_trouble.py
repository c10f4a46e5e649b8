"""What is wrong with a record, said to a person: where, what, and the next step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RecordTrouble:
    """One thing that is not as it must be.

    Attributes
    ----------
    where : str
        The file, and the line in it.
    what : str
        What was found, and what was wanted.
    step : str
        What to do, a command where there is one.
    serious : bool
        Whether something is wrong; else it is only good to know.
    """

    where: str
    what: str
    step: str = ""
    serious: bool = True

    @property
    def line(self) -> str:
        """The trouble as one line."""
        mark = "✗" if self.serious else "–"
        return f"{mark} {self.where}: {self.what}" + (f"; {self.step}" if self.step else "")

    def to_json(self) -> dict[str, Any]:
        """Return the trouble as JSON data."""
        return {"where": self.where, "what": self.what, "step": self.step, "serious": self.serious}
