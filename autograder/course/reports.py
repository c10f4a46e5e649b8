"""What grading a submission gives: its report, exercise by exercise and criterion by criterion.

As with what flows in, these are frozen dataclasses of plain values. `Report.to_json` is the documented format of
`docs/report.md`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

REPORT_VERSION = 1
Upgrade = Callable[[Mapping[str, Any]], Mapping[str, Any]]
# From a version of the report to the next one. A version that only added a field needs none:
# reading gives a field that is missing its default.
UPGRADES: Mapping[int, Upgrade] = {}


class Status(StrEnum):
    """How an exercise ended."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    NOT_ATTEMPTED = "not attempted"
    NOT_FOUND = "not found"
    TO_BE_MARKED = "to be marked"


class CriterionOutcome(StrEnum):
    """How a criterion of an exercise ended."""

    MET = "met"
    NOT_MET = "not met"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Criterion:
    """One named reason for points within an exercise."""

    sentence: str
    points: float
    max_points: float
    outcome: CriterionOutcome


@dataclass(frozen=True)
class ExerciseResult:
    """The points of one exercise. `detail` is for instructors only: it may quote hidden tests."""

    id: str
    part: str
    points: float
    max_points: float
    status: Status
    hint: str = ""
    criteria: tuple[Criterion, ...] = ()
    detail: str = ""


@dataclass(frozen=True)
class BoardEntry:
    """What was measured of an answer to an open question, for the leaderboard.

    Attributes
    ----------
    code_name : str
        As the student wrote it: not checked, and not yet fit to be shown.
    score : float or None
        The number, None where nothing could be measured.
    remark : str
        Why not, in a sentence of ours.
    """

    code_name: str
    score: float | None = None
    remark: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BoardEntry:
        """Read an entry of a report.

        Raises
        ------
        ValueError
            If its score is no number that can be ranked.
        """
        score = None if data["score"] is None else float(data["score"])
        # Python's JSON knows NaN, with which no list has an order.
        if score is not None and not math.isfinite(score):
            raise ValueError(f"a score of {score}")
        return cls(str(data["code_name"]), score, str(data["remark"]))


@dataclass(frozen=True)
class Report:
    """What grading one submission gave.

    Attributes
    ----------
    entry : BoardEntry or None
        For the leaderboard, where the student wants to be on it.
    status : str
        "graded"; "unreadable" when the file is no notebook; "missing" when there is none at its
        place.
    problems : tuple of str
        Plain sentences for the student about the notebook as a whole.
    exam : str
        Fingerprint of the exam the points come from.
    seconds : float
        Wall-clock seconds the grading took.
    rung : int or None
        Rung of the jail that held the student's code, None where none was started.
    """

    assignment: str
    notebook: str
    status: str
    exercises: tuple[ExerciseResult, ...]
    problems: tuple[str, ...] = ()
    seconds: float = 0.0
    rung: int | None = None
    exam: str = ""
    entry: BoardEntry | None = None

    @property
    def points(self) -> float:
        """Points of all exercises."""
        return round_points(sum(exercise.points for exercise in self.exercises))

    @property
    def max_points(self) -> float:
        """Points there were to be had."""
        return round_points(sum(exercise.max_points for exercise in self.exercises))

    @property
    def results(self) -> dict[str, ExerciseResult]:
        """The exercises' results, by the ids of the exercises."""
        return {result.id: result for result in self.exercises}

    def for_students(self) -> Report:
        """Return the report without what only instructors may read."""
        exercises = [replace(exercise, detail="") for exercise in self.exercises]
        return replace(self, exercises=tuple(exercises))

    def to_json(self) -> dict[str, Any]:
        """Return the report as the JSON object of docs/report.md."""
        fields = asdict(self)
        # Nearly no report has one, and those that were written before have none.
        if self.entry is None:
            del fields["entry"]
        head = {
            "version": REPORT_VERSION,
            "assignment": fields.pop("assignment"),
            "notebook": fields.pop("notebook"),
        }
        return (
            head
            | {"status": self.status, "points": self.points, "max_points": self.max_points}
            | fields
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """Read what `to_json` wrote, in this version of the program or in an older one.

        Raises
        ------
        ValueError
            If it is of a newer version, or a field is missing or of another type.
        """
        try:
            data = upgrade_report(data)
            return cls(
                assignment=str(data["assignment"]),
                notebook=str(data["notebook"]),
                status=str(data["status"]),
                exercises=tuple(map(exercise_from_json, data["exercises"])),
                problems=tuple(map(str, data["problems"])),
                seconds=float(data["seconds"]),
                rung=None if data["rung"] is None else int(data["rung"]),
                exam=str(data["exam"]),
                entry=BoardEntry.from_json(data["entry"]) if data.get("entry") else None,
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a report: {error!r}") from error


def upgrade_report(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a report's JSON object as the newest version has it; what is written stays as it was.

    Raises
    ------
    ValueError
        If it is of a version that nobody knows yet.
    """
    version = data["version"]
    known = isinstance(version, int) and not isinstance(version, bool) and version >= 1
    if not known or version > REPORT_VERSION:
        raise ValueError(
            f"a report of version {version!r}, this program reads up to {REPORT_VERSION}; update it"
        )
    for older in range(version, REPORT_VERSION):
        if older in UPGRADES:
            data = UPGRADES[older](data)
    return data


def make_printable(text: str) -> str:
    """Return a student's text without control characters: on a terminal they could hide or fake
    what is shown.
    """
    letters = []
    for letter in text:
        is_shown = letter.isprintable() or letter in "\n\t"
        letters.append(letter if is_shown else "\N{REPLACEMENT CHARACTER}")
    return "".join(letters)


def round_points(points: float) -> float:
    """Return points to a hundredth, so that sums of thirds read well and compare equal."""
    # The sum makes 0 of -0, which would be shown with its sign.
    return round(float(points), 2) + 0.0


def round_points_below(points: float, most: float) -> float:
    """Return points to a hundredth, unless that would make none of some, or all there are of nearly
    all.
    """
    return round_points(points) if points < most and 0.0 < round_points(points) < most else points


def exercise_from_json(data: Mapping[str, Any]) -> ExerciseResult:
    """Read one exercise of a report; see `Report.from_json` for what it raises."""
    return ExerciseResult(
        id=str(data["id"]),
        part=str(data["part"]),
        points=float(data["points"]),
        max_points=float(data["max_points"]),
        status=Status(data["status"]),
        hint=str(data["hint"]),
        criteria=tuple(map(_criterion_from_json, data["criteria"])),
        detail=str(data.get("detail", "")),
    )


def _criterion_from_json(data: Mapping[str, Any]) -> Criterion:
    return Criterion(
        str(data["sentence"]),
        float(data["points"]),
        float(data["max_points"]),
        CriterionOutcome(data["outcome"]),
    )
