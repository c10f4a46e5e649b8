"""The append-only record: what was pushed when, and what grading it gave.

A file of JSON Lines per student. A line is flushed and synced before anything builds on it; a torn last line, from
a machine that died while writing, is skipped when reading and cut off before the next line is written. Gradebook
and pages are projections of this record and can be rebuilt from it at will.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autograder.errors import AutograderError
from autograder.records import Clock, NotebookFile, Push, Report

Key = tuple[str, str, str]  # assignment, notebook blob, exam version: equal keys mean equal points


@dataclass(frozen=True)
class Graded:
    """A report in the ledger: of which commit and blob, and when it was made."""

    commit: str
    blob: str
    time: datetime
    report: Report

    @property
    def key(self) -> Key:
        """What the points depend on."""
        return (self.report.assignment, self.blob, self.report.exam)


@dataclass(frozen=True)
class Record:
    """All that the ledger knows of one student, oldest first."""

    student: str
    pushes: tuple[Push, ...] = ()
    graded: tuple[Graded, ...] = ()

    @property
    def reports(self) -> dict[Key, Report]:
        """The newest report of each key."""
        return {entry.key: entry.report for entry in self.graded}


class Ledger:
    """The folder that holds the record."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, student: str) -> Record:
        """Return a student's record; empty if there is none.

        Raises
        ------
        AutograderError
            If a line other than a torn last one is damaged.
        """
        pushes, graded = [], []
        for entry in self._entries(student):
            if entry["entry"] == "push":
                pushes.append(_push(student, entry))
            elif entry["entry"] == "report":
                report = Report.from_json(entry["report"])
                graded.append(Graded(entry["commit"], entry["blob"], _time(entry["time"]), report))
        return Record(student, tuple(pushes), tuple(graded))

    def add_push(self, push: Push) -> None:
        """Append a push."""
        notebooks = [asdict(file) for file in push.notebooks]
        self._append(
            push.student,
            {
                "entry": "push",
                "commit": push.commit,
                "branch": push.branch,
                "time": push.time.astimezone(UTC).isoformat(),
                "clock": push.clock.value,
                "notebooks": notebooks,
            },
        )

    def add_report(self, student: str, commit: str, blob: str, report: Report, time: datetime) -> None:
        """Append the report of a submission."""
        moment = time.astimezone(UTC).isoformat()
        self._append(
            student, {"entry": "report", "commit": commit, "blob": blob, "time": moment, "report": report.to_json()}
        )

    def _path(self, student: str) -> Path:
        return self.folder / f"{student}.jsonl"

    def _entries(self, student: str) -> Iterator[dict[str, Any]]:
        path = self._path(student)
        if not path.exists():
            return
        lines = path.read_bytes().split(b"\n")
        for number, line in enumerate(lines[:-1], start=1):  # what follows the last newline is torn
            try:
                yield json.loads(line)
            except ValueError as error:
                reason = f"{path}, line {number}: damaged ({error}); restore the file from its history"
                raise AutograderError(reason) from None

    def _append(self, student: str, entry: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        line = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        with self._path(student).open("a+b") as file:
            _cut_torn_line(file)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def _cut_torn_line(file: Any) -> None:
    end = file.seek(0, os.SEEK_END)
    if end == 0:
        return
    file.seek(end - 1)
    if file.read(1) != b"\n":
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)


def _push(student: str, entry: dict[str, Any]) -> Push:
    return Push(
        student=student,
        commit=entry["commit"],
        branch=entry["branch"],
        time=_time(entry["time"]),
        clock=Clock(entry["clock"]),
        notebooks=tuple(NotebookFile(**file) for file in entry["notebooks"]),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
