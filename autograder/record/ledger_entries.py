"""What the lines of the ledger say, and how they say it: an entry is a push, a report, a repository or a mark.

Written fields are never renamed: a line that was written once is read for ever. A field that is missing has its
default, one that nobody knows is of a later version and is left alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from autograder.course.reports import Report
from autograder.course.submissions import Push, Repository
from autograder.record.manual_marks import ManualMark

Key = tuple[str, str, str]  # assignment, notebook blob, exam version: equal keys mean equal points
# What a line that was changed by hand or by a disk can make of the code that reads it
UNREADABLE_ERRORS = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True)
class RecordedReport:
    """A report in the ledger: of which commit and blob, and when it was made."""

    commit: str
    blob: str
    time: datetime
    report: Report

    @property
    def key(self) -> Key:
        """What the points depend on."""
        return (self.report.assignment, self.blob, self.report.exam)


Entry = Push | RecordedReport | Repository | ManualMark


def format_push(push: Push) -> dict[str, Any]:
    """Return a push as an entry of its student's file."""
    fields = asdict(push) | {"time": _write_time(push.time), "clock": push.clock.value}
    del fields["student"]  # the file's name says it
    return {"entry": "push"} | fields


def format_repository(repository: Repository) -> dict[str, Any]:
    """Return what a forge said of a repository as an entry."""
    fields = asdict(repository)
    fields["created"] = _write_time(repository.created)
    if repository.pushed is not None:
        fields["pushed"] = _write_time(repository.pushed)
    return {"entry": "repository"} | fields


def format_report(graded: RecordedReport) -> dict[str, Any]:
    """Return a report as an entry."""
    head = {"entry": "report", "commit": graded.commit, "blob": graded.blob}
    return head | {"time": _write_time(graded.time), "report": graded.report.to_json()}


def format_mark(mark: ManualMark) -> dict[str, Any]:
    """Return a person's mark as an entry."""
    return {"entry": "mark"} | mark.to_json() | {"time": _write_time(mark.time)}


def parse_entry(student: str, entry: dict[str, Any]) -> Entry | None:
    """Return what an entry of a student's file says, None for a kind that only a later version
    knows.

    Raises
    ------
    ValueError, KeyError, TypeError, AttributeError, OverflowError
        If it says what cannot be; these are `UNREADABLE_ERRORS`.
    """
    if entry["entry"] == "push":
        push = msgspec.convert(entry | {"student": student}, Push)
        _require_zone(push.time)
        return push
    if entry["entry"] == "report":
        return _parse_report(entry)
    if entry["entry"] == "repository":
        repository = msgspec.convert(entry, Repository)
        _require_zone(repository.created)
        return repository
    if entry["entry"] == "mark":
        return ManualMark.from_json(entry, _read_time(entry["time"]))
    return None


def rename_entry(said: Entry | None, former_names: Mapping[str, str]) -> Entry | None:
    """Return an entry with the assignments called as they are now."""
    if not former_names or said is None:
        return said
    if isinstance(said, RecordedReport):
        name = said.report.assignment
        report = replace(said.report, assignment=former_names.get(name, name))
        return replace(said, report=report)
    name = said.assignment
    renamed = replace(said, assignment=former_names.get(name, name))
    if not isinstance(renamed, Push):
        return renamed
    notebooks = []
    for file in renamed.notebooks:
        held = file.holds or ""
        notebooks.append(replace(file, holds=former_names[held]) if held in former_names else file)
    return replace(renamed, notebooks=tuple(notebooks))


def explain_unreadable(error: Exception) -> str:
    """Say what an error of `UNREADABLE_ERRORS` means for the line it comes from."""
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error) or type(error).__name__


def _parse_report(entry: dict[str, Any]) -> RecordedReport:
    # Not by msgspec: an older version of a report is brought up to the newest one first.
    report = Report.from_json(entry["report"])
    for exercise in report.exercises:
        # Python's JSON knows NaN and Infinity, either of which would spoil every sum.
        if not 0 <= exercise.points <= exercise.max_points < math.inf:
            said = f"{exercise.points:g} of {exercise.max_points:g} points"
            raise ValueError(f"{exercise.id} has {said}, which no grading gives")
    return RecordedReport(entry["commit"], entry["blob"], _read_time(entry["time"]), report)


def _write_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _read_time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    _require_zone(moment)
    return moment


def _require_zone(moment: datetime) -> None:
    """Refuse a time that cannot be compared with a deadline."""
    if moment.tzinfo is None:
        raise ValueError(f"time {moment.isoformat()!r} without a time zone")
