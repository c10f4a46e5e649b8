"""Marks that a person gave, in nbgrader's formgrader: what they are, and what becomes of results by
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from autograder.course.reports import ExerciseResult, Status, round_points_below


@dataclass(frozen=True)
class ManualMark:
    """What a person said of one exercise of one student; a later one replaces it.

    Attributes
    ----------
    points : float or None
        Points in the place of the automatic ones, None to leave those as they are.
    extra : float
        Points on top, for more than was asked.
    comments : tuple of (str, str)
        Cells of the exercise, by nbgrader's id, and what the person wrote below them.
    notebook : str
        Git blob of the notebook that the person had before them, "" if that is not known.
    time : datetime
        When the mark came into the record.
    """

    assignment: str
    exercise: str
    time: datetime
    points: float | None = None
    extra: float = 0.0
    comments: tuple[tuple[str, str], ...] = ()
    notebook: str = ""

    @property
    def given(self) -> tuple[float | None, float, tuple[tuple[str, str], ...]]:
        """What the person entered; equal marks have equal ones."""
        return self.points, self.extra, self.comments

    @property
    def changes_points(self) -> bool:
        """Whether the points are a person's, in whole or in part."""
        return self.points is not None or self.extra != 0

    @property
    def comment(self) -> str:
        """All that the person wrote."""
        return "\n".join(text for _, text in self.comments)

    def to_json(self) -> dict[str, Any]:
        """Return the mark as an entry of the ledger, without the time."""
        return {
            "assignment": self.assignment,
            "exercise": self.exercise,
            "points": self.points,
            "extra": self.extra,
            "comments": dict(self.comments),
            "notebook": self.notebook,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], time: datetime) -> ManualMark:
        """Read what `to_json` wrote."""
        return cls(
            assignment=str(data["assignment"]),
            exercise=str(data["exercise"]),
            time=time,
            points=None if data["points"] is None else float(data["points"]),
            extra=float(data["extra"]),
            comments=_read_comments(data["comments"]),
            notebook=str(data["notebook"]),
        )


def _read_comments(comments: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return comments by cell in one order, so that equal marks compare equal."""
    return tuple((cell, str(comments[cell])) for cell in sorted(comments))


def newest_marks(marks: Iterable[ManualMark], assignment: str) -> dict[str, ManualMark]:
    """Return the newest mark of each exercise of an assignment: the last in the record, whatever
    the clock said.
    """
    newest = {}
    for mark in marks:
        if mark.assignment == assignment:
            newest[mark.exercise] = mark
    return newest


def apply_mark(result: ExerciseResult, mark: ManualMark | None) -> ExerciseResult:
    """Return a result as the mark leaves it, as nbgrader counts: its points first, then what comes
    on top.
    """
    waits = result.status is Status.TO_BE_MARKED
    # Extra points alone do not end the waiting: nbgrader shows such a cell as not graded, too.
    if mark is None or not mark.changes_points or (waits and mark.points is None):
        return result
    given = (result.points if mark.points is None else mark.points) + mark.extra
    points = round_points_below(given, result.max_points)
    if points >= result.max_points:
        return replace(result, points=points, status=Status.PASSED, hint="")
    status = Status.PARTIAL if points > 0 else Status.FAILED
    return replace(result, points=points, status=status)
