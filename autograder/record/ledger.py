"""The append-only record: what was pushed when, and what grading it gave.

A file of JSON Lines per student. A line is flushed and synced before anything builds on it; a torn
last line, from a machine that died while writing, is skipped when reading and cut off before the
next line is written. Who writes holds the file's lock, so nobody cuts a line that somebody else is
writing. A line that cannot be read is named, and the others are read all the same; a checksum in
each line tells one that was changed. Gradebook and pages are projections of this record and can be
rebuilt at will.

What came first is told by the order of the lines. The time in a line is that of a clock, which may have jumped.
"""

from __future__ import annotations

import fcntl
import math
import os
import stat
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from io import FileIO
from pathlib import Path
from typing import Any

from autograder.course.errors import DiskFailed
from autograder.course.faults import reached
from autograder.course.submissions import Clock, NotebookFile, Push, Report, Repository
from autograder.record.ledger_lines import format_line, parse_line
from autograder.record.manual_marks import ManualMark

TOLD = (Clock.SERVER, Clock.PLATFORM)  # by somebody whose clock gives the order
Key = tuple[str, str, str]  # assignment, notebook blob, exam version: equal keys mean equal points
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


@dataclass(frozen=True)
class StudentRecord:
    """All that the ledger knows of one student, oldest first.

    Attributes
    ----------
    pushes : tuple of Push
        Each push once, in order: the forge's own record of it where there is one, else when it was
        first seen.
    graded : tuple of Graded
        Every report ever made.
    aside : tuple of Push
        Pushes to other branches than the one that is graded, of which something may have to be
        told, in order.
    lost : tuple of Push
        Pushes the forge told of whose commits could not be had any more.
    repositories : tuple of Repository
        What the forge said of the student's repository; a new entry for each change.
    marks : tuple of ManualMark
        Every mark a person gave; of each exercise the newest one stands.
    damaged : tuple of str
        A sentence for each line that cannot be read, with what to do about it.
    """

    student: str
    pushes: tuple[Push, ...] = ()
    graded: tuple[RecordedReport, ...] = ()
    lost: tuple[Push, ...] = ()
    repositories: tuple[Repository, ...] = ()
    marks: tuple[ManualMark, ...] = ()
    damaged: tuple[str, ...] = ()
    aside: tuple[Push, ...] = ()

    def about(self, assignment: str) -> StudentRecord:
        """Return the record with those pushes only that may concern an assignment.

        Where every assignment has a repository of its own, a push to one says nothing of the others.
        """
        if not any(push.assignment for push in (*self.pushes, *self.aside)):
            return self
        names = ("", assignment)
        return replace(
            self,
            pushes=tuple(push for push in self.pushes if push.assignment in names),
            aside=tuple(push for push in self.aside if push.assignment in names),
        )

    @cached_property
    def reports(self) -> dict[Key, Report]:
        """The newest report of each key."""
        return {entry.key: entry.report for entry in self.graded}


Entry = Push | RecordedReport | Repository | ManualMark


class Ledger:
    """The folder that holds the record."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, student: str) -> StudentRecord:
        """Return a student's record; empty if there is none.

        Raises
        ------
        DiskFailed
            If the file cannot be read at all.
        """
        entries = _StudentEntries(student, [], [], [], [])
        damaged = []
        for number, line in enumerate(self._read_lines(student), start=1):
            if not line.strip():
                continue  # an editor's doing: nothing is said, so nothing is lost
            try:
                entries.add_entry(parse_entry(student, parse_line(line)))
            except UNREADABLE_ERRORS as error:
                about = f"{self.path_of(student)}, line {number}: cannot be read ({explain_unreadable(error)})"
                damaged.append(f"{about}; autograder verify says what to do")
        return replace(entries.make_record(), damaged=tuple(damaged))

    def add_push(self, push: Push) -> None:
        """Append a push."""
        fields = asdict(push) | {"time": _write_time(push.time), "clock": push.clock.value}
        self._append(fields.pop("student"), {"entry": "push"} | fields)

    def add_repository(self, student: str, repository: Repository) -> None:
        """Append what the forge said of a student's repository."""
        fields = asdict(repository)
        fields["created"] = _write_time(repository.created)
        if repository.pushed is not None:
            fields["pushed"] = _write_time(repository.pushed)
        self._append(student, {"entry": "repository"} | fields)

    def add_report(
        self, student: str, commit: str, blob: str, report: Report, time: datetime
    ) -> None:
        """Append the report of a submission."""
        head = {"entry": "report", "commit": commit, "blob": blob, "time": _write_time(time)}
        self._append(student, head | {"report": report.to_json()})

    def add_mark(self, student: str, mark: ManualMark) -> None:
        """Append a mark that a person gave."""
        self._append(student, {"entry": "mark"} | mark.to_json() | {"time": _write_time(mark.time)})

    def rewrite_lines(self, student: str, change: Callable[[bytes], bytes]) -> None:
        """Replace the lines of a student's file, as one step, by what `change` makes of those that
        are there now.

        Nobody appends meanwhile. A torn last line is not shown to `change`.

        Raises
        ------
        DiskFailed
            If the file cannot be read or written.
        """
        path = self.path_of(student)
        with self._hold_file(student) as file:
            file.seek(0)
            before = file.read()
            whole = before[: before.rfind(b"\n") + 1]
            temporary = path.with_name(f".{path.name}.new")
            temporary.unlink(missing_ok=True)
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(descriptor, "wb") as new:
                new.write(change(whole))
                new.flush()
                os.fsync(new.fileno())
            temporary.replace(path)

    def path_of(self, student: str) -> Path:
        """Return the file of a student's record, whether it is there or not."""
        return self.folder / f"{student}.jsonl"

    def _read_lines(self, student: str) -> list[bytes]:
        """Return the whole lines of a student's file; what follows the last newline is torn."""
        path = self.path_of(student)
        if not path.exists():
            return []
        try:
            return path.read_bytes().split(b"\n")[:-1]
        except OSError as error:
            raise DiskFailed.at(path, error) from None

    def _append(self, student: str, entry: dict[str, Any]) -> None:
        line = format_line(entry) + b"\n"
        with self._hold_file(student) as file:
            reached("ledger: before a line")
            _cut_torn_line(file)
            end = file.seek(0, os.SEEK_END)
            try:
                rest = memoryview(line)
                while rest:
                    rest = rest[file.write(rest) :]
                reached("ledger: line written")
                os.fsync(file.fileno())
            except OSError:  # a full disk took a part of the line
                file.truncate(end)
                raise
        reached("ledger: line synced")

    @contextmanager
    def _hold_file(self, student: str) -> Iterator[FileIO]:
        """Open a student's file for appending, and hold its lock."""
        path = self.path_of(student)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            while True:
                with path.open("a+b", buffering=0) as file:
                    fcntl.flock(file, fcntl.LOCK_EX)
                    if _is_file_at(file, path):  # else it was replaced while we waited
                        yield file
                        return
        except OSError as error:
            raise DiskFailed.at(path, error) from None


@dataclass(frozen=True)
class _StudentEntries:
    """What was read of a student's lines so far, kind by kind."""

    student: str
    pushes: list[Push]
    graded: list[RecordedReport]
    repositories: list[Repository]
    marks: list[ManualMark]

    def add_entry(self, said: Entry | None) -> None:
        """Take what one line says; nothing for a kind of entry that only a later version knows."""
        if isinstance(said, Push):
            self.pushes.append(said)
        elif isinstance(said, RecordedReport):
            self.graded.append(said)
        elif isinstance(said, Repository):
            self.repositories.append(said)
        elif isinstance(said, ManualMark):
            self.marks.append(said)

    def make_record(self) -> StudentRecord:
        """Return the record they make."""
        graded_branch = [push for push in self.pushes if not push.aside]
        other_branches = [push for push in self.pushes if push.aside]
        return StudentRecord(
            self.student,
            pushes=order_pushes(graded_branch),
            graded=tuple(self.graded),
            lost=tuple(push for push in self.pushes if push.lost),
            repositories=tuple(self.repositories),
            marks=tuple(self.marks),
            aside=order_pushes(other_branches),
        )


def parse_entry(student: str, entry: dict[str, Any]) -> Entry | None:
    """Return what an entry of a student's file says, None for a kind that only a later version
    knows.

    Raises
    ------
    ValueError, KeyError, TypeError, AttributeError, OverflowError
        If it says what cannot be; these are `UNREADABLE_ERRORS`.
    """
    if entry["entry"] == "push":
        return _parse_push(student, entry)
    if entry["entry"] == "report":
        return _parse_report(entry)
    if entry["entry"] == "repository":
        return _parse_repository(entry)
    if entry["entry"] == "mark":
        return ManualMark.from_json(entry, _read_time(entry["time"]))
    return None


def explain_unreadable(error: Exception) -> str:
    """Say what an error of `UNREADABLE_ERRORS` means for the line it comes from."""
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error) or type(error).__name__


def order_pushes(pushes: Sequence[Push]) -> tuple[Push, ...]:
    """Return pushes in order, each once, without those that were lost.

    The forge's record of a push stands for every sighting of its commit. The same commit twice in a row is one push,
    of the earlier time: two collectors saw it, or the forge told of it twice. What the forge told has the order of
    the forge's clock, what was seen here that of the lines, whatever the clock here said; between the two it is time.
    """
    told = [push for push in pushes if push.clock in TOLD]
    told.sort(key=lambda push: push.time)
    known = {(push.commit, push.assignment) for push in told}
    seen = []
    for push in pushes:
        is_known = (push.commit, push.assignment) in known
        is_sighting = push.clock is Clock.FIRST_SEEN and is_known
        if push.clock not in TOLD and not is_sighting:
            seen.append(push)
    kept: list[Push] = []
    for push in _merge_by_time(told, seen):
        if push.lost:
            continue
        if kept and (kept[-1].commit, kept[-1].assignment) == (push.commit, push.assignment):
            kept[-1] = min(kept[-1], push, key=lambda one: one.time)
        else:
            kept.append(push)
    return tuple(kept)


def _merge_by_time(one: Sequence[Push], other: Sequence[Push]) -> Iterator[Push]:
    """Yield two sequences as one, each in its own order, the earlier of their next ones first."""
    ones = deque(one)
    others = deque(other)
    while ones and others:
        if ones[0].time <= others[0].time:
            yield ones.popleft()
        else:
            yield others.popleft()
    yield from ones
    yield from others


def _is_file_at(file: FileIO, path: Path) -> bool:
    """Whether an open file is the one at a path."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(file.fileno()))


def _cut_torn_line(file: FileIO) -> None:
    end = file.seek(0, os.SEEK_END)
    if end == 0:
        return
    file.seek(end - 1)
    if file.read(1) != b"\n":
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)


def _parse_report(entry: dict[str, Any]) -> RecordedReport:
    report = Report.from_json(entry["report"])
    for exercise in report.exercises:
        if not 0 <= exercise.points <= exercise.max_points < math.inf:
            said = f"{exercise.points:g} of {exercise.max_points:g} points"
            raise ValueError(f"{exercise.id} has {said}, which no grading gives")
    return RecordedReport(entry["commit"], entry["blob"], _read_time(entry["time"]), report)


def _parse_push(student: str, entry: dict[str, Any]) -> Push:
    return Push(
        student=student,
        commit=entry["commit"],
        branch=entry["branch"],
        time=_read_time(entry["time"]),
        clock=Clock(entry["clock"]),
        notebooks=tuple(NotebookFile.from_json(file) for file in entry["notebooks"]),
        activity=entry.get("activity", 0),
        lost=entry.get("lost", False),
        aside=entry.get("aside", False),
        pointers=tuple((path, target) for path, target in entry.get("pointers", ())),
        assignment=entry.get("assignment", ""),
    )


def _parse_repository(entry: dict[str, Any]) -> Repository:
    pushed = entry["pushed"]
    return Repository(
        id=entry["id"],
        owner=entry["owner"],
        name=entry["name"],
        remote=entry["remote"],
        created=_read_time(entry["created"]),
        pushed=_read_time(pushed) if pushed else None,
        assignment=entry.get("assignment", ""),
    )


def _write_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _read_time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time {text!r} without a time zone")
    return moment
