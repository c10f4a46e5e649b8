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
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from io import FileIO
from pathlib import Path
from typing import Any

from autograder.course.configuration import Course
from autograder.course.errors import DiskFailed
from autograder.course.faults import reached
from autograder.course.names import name_assignment
from autograder.course.reports import Report
from autograder.course.submissions import Clock, Push, Repository
from autograder.course.whole_files import place_beside
from autograder.record.ledger_entries import (
    UNREADABLE_ERRORS,
    Entry,
    Key,
    RecordedReport,
    explain_unreadable,
    format_mark,
    format_push,
    format_report,
    format_repository,
    parse_entry,
    rename_entry,
)
from autograder.record.ledger_lines import format_line, merge_by_time, parse_line
from autograder.record.manual_marks import ManualMark

TOLD = (Clock.SERVER, Clock.PLATFORM)  # by somebody whose clock gives the order


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
        pushes = _keep_about(assignment, self.pushes)
        aside = _keep_about(assignment, self.aside)
        if len(pushes) == len(self.pushes) and len(aside) == len(self.aside):
            return self  # the same object, whose `reports` are put together already
        return replace(self, pushes=pushes, aside=aside)

    @cached_property
    def reports(self) -> dict[Key, Report]:
        """The newest report of each key."""
        return {entry.key: entry.report for entry in self.graded}


def _keep_about(assignment: str, pushes: Sequence[Push]) -> tuple[Push, ...]:
    # All notebooks of an assignment are in one repository, or were handed in together.
    names = ("", assignment, name_assignment(assignment))
    return tuple(push for push in pushes if push.assignment in names)


class Ledger:
    """The folder that holds the record.

    Parameters
    ----------
    former_names : mapping of str to str
        What assignments are called in old lines, and what they are called now: lines stay as they
        were written, what is read has the new names.
    """

    def __init__(self, folder: Path, former_names: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._former_names = former_names or {}

    @classmethod
    def of(cls, course: Course) -> Ledger:
        """Return the record of a course, read with the names its assignments have now."""
        return cls(course.ledger, course.former_names)

    def read(self, student: str) -> StudentRecord:
        """Return a student's record; empty if there is none.

        Raises
        ------
        DiskFailed
            If the file cannot be read at all.
        """
        entries = _StudentEntries(student)
        damaged = []
        for number, line in enumerate(self._read_lines(student), start=1):
            if not line.strip():
                continue  # an editor's doing: nothing is said, so nothing is lost
            try:
                entry = parse_entry(student, parse_line(line))
                entries.add_entry(rename_entry(entry, self._former_names))
            except UNREADABLE_ERRORS as error:
                reason = explain_unreadable(error)
                about = f"{self.path_of(student)}, line {number}: cannot be read ({reason})"
                damaged.append(f"{about}; autograder verify says what to do")
        return replace(entries.make_record(), damaged=tuple(damaged))

    def add_push(self, push: Push) -> None:
        """Append a push."""
        self._append(push.student, format_push(push))

    def add_repository(self, student: str, repository: Repository) -> None:
        """Append what the forge said of a student's repository."""
        self._append(student, format_repository(repository))

    def add_report(
        self, student: str, commit: str, blob: str, report: Report, time: datetime
    ) -> None:
        """Append the report of a submission."""
        self._append(student, format_report(RecordedReport(commit, blob, time, report)))

    def add_mark(self, student: str, mark: ManualMark) -> None:
        """Append a mark that a person gave."""
        self._append(student, format_mark(mark))

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
            # Written here, and not by `write_whole`: the lock that is held here must
            # last until the new file stands in the place of the locked one.
            temporary = place_beside(path)
            temporary.unlink(missing_ok=True)  # of a process that was killed here
            # The old one's permissions, which an instructor may have set on purpose.
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
            # Without the lock: lines are only appended, or the whole file replaced.
            return path.read_bytes().split(b"\n")[:-1]
        except OSError as error:
            raise DiskFailed.at(path, error) from None

    def _append(self, student: str, entry: dict[str, Any]) -> None:
        line = format_line(entry) + b"\n"
        with self._hold_file(student) as file:
            reached("ledger: before a line")
            # Under the lock, where nobody can be in the middle of the line that seems torn
            _cut_torn_line(file)
            end = file.seek(0, os.SEEK_END)
            try:
                rest = memoryview(line)
                while rest:  # an unbuffered write may take a part only, where the disk fills up
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
                # Append mode: where a lock means nothing, as on some network file systems, two
                # lines still do not overwrite each other.
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
    pushes: list[Push] = field(default_factory=list)
    aside: list[Push] = field(default_factory=list)
    lost: list[Push] = field(default_factory=list)
    graded: list[RecordedReport] = field(default_factory=list)
    repositories: list[Repository] = field(default_factory=list)
    marks: list[ManualMark] = field(default_factory=list)

    def add_entry(self, said: Entry | None) -> None:
        """Take what one line says; nothing for a kind of entry that only a later version knows."""
        if isinstance(said, Push):
            branch = self.aside if said.aside else self.pushes
            branch.append(said)
            # Among the pushes as well: the forge's record of it stands for its sightings.
            if said.lost:
                self.lost.append(said)
        elif isinstance(said, RecordedReport):
            self.graded.append(said)
        elif isinstance(said, Repository):
            self.repositories.append(said)
        elif isinstance(said, ManualMark):
            self.marks.append(said)

    def make_record(self) -> StudentRecord:
        """Return the record they make."""
        return StudentRecord(
            self.student,
            pushes=order_pushes(self.pushes),
            graded=tuple(self.graded),
            lost=tuple(self.lost),
            repositories=tuple(self.repositories),
            marks=tuple(self.marks),
            aside=order_pushes(self.aside),
        )


def order_pushes(pushes: Sequence[Push]) -> tuple[Push, ...]:
    """Return pushes in order, each once, without those that were lost.

    The forge's record of a push stands for every sighting of its commit. The same commit twice in a row is one push,
    of the earlier time: two collectors saw it, or the forge told of it twice. What the forge told has the order of
    the forge's clock, what was seen here that of the lines, whatever the clock here said; between the two it is time.
    """
    told = []
    known = set()
    others = []
    for push in pushes:
        if push.clock in TOLD:
            told.append(push)
            known.add((push.commit, push.assignment))
        else:
            others.append(push)
    told.sort(key=lambda push: push.time)
    seen = []
    for push in others:
        is_known = (push.commit, push.assignment) in known
        if push.clock is not Clock.FIRST_SEEN or not is_known:
            seen.append(push)
    kept: list[Push] = []
    for push in merge_by_time(told, seen, lambda push: push.time):
        if push.lost:
            continue
        if kept and (kept[-1].commit, kept[-1].assignment) == (push.commit, push.assignment):
            kept[-1] = min(kept[-1], push, key=lambda one: one.time)
        else:
            kept.append(push)
    return tuple(kept)


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
    file.seek(end - 1)  # one byte tells: the whole file is read only where something is torn
    if file.read(1) != b"\n":
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)
