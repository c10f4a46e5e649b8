"""The append-only record: what was pushed when, and what grading it gave.

A file of JSON Lines per student. A line is flushed and synced before anything builds on it; a torn last line, from
a machine that died while writing, is skipped when reading and cut off before the next line is written. Gradebook
and pages are projections of this record and can be rebuilt from it at will.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autograder.errors import AutograderError
from autograder.record.marks import ManualMark
from autograder.records import Clock, NotebookFile, Push, Report, Repository

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
    """All that the ledger knows of one student, oldest first.

    Attributes
    ----------
    pushes : tuple of Push
        Each push once, by time: the forge's own record of it where there is one, else when it was first seen.
    graded : tuple of Graded
        Every report ever made.
    lost : tuple of Push
        Pushes the forge told of whose commits could not be had any more.
    repositories : tuple of Repository
        What the forge said of the student's repository; a new entry for each change.
    marks : tuple of ManualMark
        Every mark a person gave; of each exercise the newest one stands.
    """

    student: str
    pushes: tuple[Push, ...] = ()
    graded: tuple[Graded, ...] = ()
    lost: tuple[Push, ...] = ()
    repositories: tuple[Repository, ...] = ()
    marks: tuple[ManualMark, ...] = ()

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
        pushes: list[Push] = []
        graded: list[Graded] = []
        repositories: list[Repository] = []
        marks: list[ManualMark] = []
        for number, line in enumerate(self._lines(student), start=1):
            try:
                entry = json.loads(line)
                if entry["entry"] == "push":
                    pushes.append(_push(student, entry))
                elif entry["entry"] == "report":
                    report = Report.from_json(entry["report"])
                    graded.append(Graded(entry["commit"], entry["blob"], _time(entry["time"]), report))
                elif entry["entry"] == "repository":
                    repositories.append(_repository(entry))
                elif entry["entry"] == "mark":
                    marks.append(ManualMark.from_json(entry, _time(entry["time"])))
            except (ValueError, KeyError, TypeError) as error:
                where = f"{self._path(student)}, line {number}"
                raise AutograderError(f"{where}: damaged ({error!r}); restore the file from its history") from None
        lost = tuple(push for push in pushes if push.lost)
        return Record(student, each_once(pushes), tuple(graded), lost, tuple(repositories), tuple(marks))

    def add_push(self, push: Push) -> None:
        """Append a push."""
        fields = asdict(push) | {"time": _text(push.time), "clock": push.clock.value}
        self._append(fields.pop("student"), {"entry": "push"} | fields)

    def add_repository(self, student: str, repository: Repository) -> None:
        """Append what the forge said of a student's repository."""
        fields = asdict(repository) | {
            "created": _text(repository.created),
            "pushed": _text(repository.pushed) if repository.pushed else None,
        }
        self._append(student, {"entry": "repository"} | fields)

    def add_report(self, student: str, commit: str, blob: str, report: Report, time: datetime) -> None:
        """Append the report of a submission."""
        head = {"entry": "report", "commit": commit, "blob": blob, "time": _text(time)}
        self._append(student, head | {"report": report.to_json()})

    def add_mark(self, student: str, mark: ManualMark) -> None:
        """Append a mark that a person gave."""
        self._append(student, {"entry": "mark"} | mark.to_json() | {"time": _text(mark.time)})

    def _path(self, student: str) -> Path:
        return self.folder / f"{student}.jsonl"

    def _lines(self, student: str) -> list[bytes]:
        """Return the whole lines of a student's file; what follows the last newline is torn."""
        path = self._path(student)
        return path.read_bytes().split(b"\n")[:-1] if path.exists() else []

    def _append(self, student: str, entry: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        line = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        with self._path(student).open("a+b") as file:
            _cut_torn_line(file)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def each_once(pushes: Sequence[Push]) -> tuple[Push, ...]:
    """Return pushes by time, each once, without those that were lost.

    The forge's record of a push stands for every sighting of its commit. The same commit twice in a row is one push:
    two collectors saw it, or the forge told of it twice.
    """
    told = {push.commit for push in pushes if push.clock is Clock.SERVER}
    kept: list[Push] = []
    for push in sorted(pushes, key=lambda push: push.time):
        seen_only = push.clock is Clock.FIRST_SEEN and push.commit in told
        again = bool(kept) and kept[-1].commit == push.commit
        if not (push.lost or seen_only or again):
            kept.append(push)
    return tuple(kept)


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
        activity=entry.get("activity", 0),
        lost=entry.get("lost", False),
    )


def _repository(entry: dict[str, Any]) -> Repository:
    return Repository(
        id=entry["id"],
        owner=entry["owner"],
        name=entry["name"],
        remote=entry["remote"],
        created=_time(entry["created"]),
        pushed=_time(entry["pushed"]) if entry["pushed"] else None,
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
