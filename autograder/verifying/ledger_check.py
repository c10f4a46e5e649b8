"""The ledger held against itself, the roster, the assignments and their exams."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from autograder.course.configuration import Course
from autograder.course.exam import Exam
from autograder.course.nearest_names import say_nearest_name
from autograder.course.reports import ExerciseResult, round_points
from autograder.course.submissions import Clock, Push
from autograder.record.ledger import Ledger
from autograder.record.ledger_entries import (
    UNREADABLE_ERRORS,
    Entry,
    RecordedReport,
    explain_unreadable,
    parse_entry,
    rename_entry,
)
from autograder.record.ledger_lines import has_checksum, parse_line
from autograder.record.manual_marks import ManualMark
from autograder.verifying.record_trouble import RecordTrouble

STEP_ASIDE = "autograder verify --repair sets it aside; autograder state pull brings what the state branch has of it"
STEP_HAND = "restore the file from the history of the state branch, or from a backup"
STEP_RENAMED = (
    "give the assignment this name back in grading_config.py: notebooks and points are found by it"
)
AHEAD = timedelta(minutes=5)  # what the clocks of two machines may differ
MAX_SHOWN = 10  # names in one sentence
BLOB = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True)
class LedgerLine:
    """A line of a student's file: what it says, or why it cannot be read."""

    number: int
    raw: bytes = field(repr=False)
    said: Entry | None
    reason: str = ""


@dataclass(frozen=True)
class LedgerFile:
    """A student's file of the ledger; `torn` is what stands behind the last whole line."""

    student: str
    path: Path
    lines: tuple[LedgerLine, ...]
    torn: bytes = b""

    @property
    def unreadable(self) -> tuple[LedgerLine, ...]:
        """The lines that cannot be read."""
        return tuple(line for line in self.lines if line.reason)


def read_ledger_file(path: Path, former_names: Mapping[str, str] | None = None) -> LedgerFile:
    """Read a file of the ledger line by line, whatever is in it; see `Ledger` of former names."""
    *whole, torn = path.read_bytes().split(b"\n")
    lines = []
    for number, raw in enumerate(whole, start=1):
        if not raw.strip():
            continue
        try:
            said = parse_entry(path.stem, parse_line(raw))
            lines.append(LedgerLine(number, raw, rename_entry(said, former_names or {})))
        except UNREADABLE_ERRORS as error:
            lines.append(LedgerLine(number, raw, None, explain_unreadable(error)))
    return LedgerFile(path.stem, path, tuple(lines), torn)


def check_ledger(
    course: Course, exams: Mapping[str, Exam], students: Iterable[str], now: datetime
) -> list[RecordTrouble]:
    """Return what is wrong with the ledger's files, each by itself and all together."""
    known = set(students)
    found: list[RecordTrouble] = []
    strangers: list[str] = []
    assignments: Counter[str] = Counter()
    for path in ledger_files(course):
        try:
            file = read_ledger_file(path, course.former_names)
        except OSError as error:
            found.append(
                RecordTrouble(
                    str(path), f"cannot be read: {error.strerror}", "make it readable for you"
                )
            )
            continue
        found += check_ledger_file(file, course, exams, now)
        assignments.update(_unknown_assignments(file, course))
        if file.student not in known:
            strangers.append(file.student)
    for name, number in sorted(assignments.items()):
        what = f"reports or marks of {number} students for {name!r}, which grading_config.py does not know"
        found.append(
            RecordTrouble(
                str(course.ledger),
                f"{what} ({say_nearest_name(name, course.assignments)})",
                STEP_RENAMED,
            )
        )
    if strangers:
        what = f"records of {len(strangers)} who are not in {course.roster.name}: {', '.join(strangers[:MAX_SHOWN])}"
        found.append(
            RecordTrouble(
                str(course.ledger), what, "who left the course may stay here", serious=False
            )
        )
    return found


def ledger_files(course: Course) -> list[Path]:
    """Return the students' files of a course's ledger."""
    return sorted(path for path in course.ledger.glob("*.jsonl") if path.is_file())


def check_ledger_file(
    file: LedgerFile, course: Course, exams: Mapping[str, Exam], now: datetime
) -> Iterator[RecordTrouble]:
    """Yield what is wrong with one student's file."""
    for line in file.unreadable:
        yield RecordTrouble(_where(file, line), f"cannot be read: {line.reason}", STEP_ASIDE)
    if file.torn:
        what = "the last line has no end: whoever wrote it was stopped"
        yield RecordTrouble(
            str(file.path), what, "autograder verify --repair sets it aside; so does the next entry"
        )
    yield from _without_checksum(file)
    yield from _said_twice(file)
    yield from _disordered(file, now)
    pushed: set[str] = set()
    for line in file.lines:
        if isinstance(line.said, Push):
            for notebook in line.said.notebooks:
                pushed.add(notebook.blob)
            yield from _wrong_push(file, line, line.said)
        elif isinstance(line.said, RecordedReport):
            yield from _wrong_report(
                file, line, line.said, pushed, exams.get(line.said.report.assignment)
            )
        elif isinstance(line.said, ManualMark):
            yield from _wrong_mark(file, line, line.said, exams.get(line.said.assignment))


def _where(file: LedgerFile, line: LedgerLine) -> str:
    return f"{file.path}, line {line.number}"


def _without_checksum(file: LedgerFile) -> Iterator[RecordTrouble]:
    """Yield lines without a checksum behind one that has it: only an older version of the program
    writes such lines.
    """
    summed = False
    for line in file.lines:
        if summed and not line.reason and not has_checksum(line.raw):
            what = "has no checksum, though a line before it has one: written by an older version, or by hand"
            yield RecordTrouble(
                _where(file, line),
                what,
                "compare it with the history of the state branch, or a backup",
            )
        summed = summed or has_checksum(line.raw)


def _said_twice(file: LedgerFile) -> Iterator[RecordTrouble]:
    # By the bytes: two equal entries written at two moments differ in their time, and may be meant.
    first: dict[bytes, int] = {}
    for line in file.lines:
        before = first.setdefault(line.raw, line.number)
        if before != line.number:
            what = f"says word for word what line {before} says"
            yield RecordTrouble(
                _where(file, line), what, "nobody loses points by it; see who else writes this file"
            )


def _disordered(file: LedgerFile, now: datetime) -> Iterator[RecordTrouble]:
    """Yield lines whose time is before that of an earlier line of their kind, or has not come yet.

    Only times of the collector's own clock have an order; a forge tells of old pushes, too.
    """
    latest: dict[str, tuple[datetime, int]] = {}
    for line in file.lines:
        kind, moment = _own_time(line.said)
        if moment is None:
            continue
        before, number = latest.get(kind, (moment, line.number))
        if moment < before:
            what = f"its {kind} is of {moment:%Y-%m-%d %H:%M:%S}, before that of line {number}"
            step = "a clock was wrong, or lines were moved; their order is what counts"
            yield RecordTrouble(_where(file, line), what, step)
        if moment > now + AHEAD:
            what = f"its {kind} is of {moment:%Y-%m-%d %H:%M:%S}, which has not come yet"
            yield RecordTrouble(
                _where(file, line), what, "a clock was ahead; deadlines are judged by this time"
            )
        latest[kind] = max((moment, line.number), latest.get(kind, (moment, line.number)))


def _own_time(said: Entry | None) -> tuple[str, datetime | None]:
    if isinstance(said, Push):
        return "push", said.time if said.clock is Clock.FIRST_SEEN else None
    if isinstance(said, RecordedReport):
        return "report", said.time
    if isinstance(said, ManualMark):
        return "mark", said.time
    return "", None


def _wrong_push(file: LedgerFile, line: LedgerLine, push: Push) -> Iterator[RecordTrouble]:
    if not BLOB.fullmatch(push.commit):
        yield RecordTrouble(_where(file, line), f"{push.commit!r} is no commit of git's", STEP_HAND)
    for notebook in push.notebooks:
        if not BLOB.fullmatch(notebook.blob):
            yield RecordTrouble(
                _where(file, line),
                f"{notebook.path}: {notebook.blob!r} is no file of git's",
                STEP_HAND,
            )
        if notebook.size < 0:
            yield RecordTrouble(
                _where(file, line), f"{notebook.path} has {notebook.size} bytes", STEP_HAND
            )


def _wrong_report(
    file: LedgerFile, line: LedgerLine, graded: RecordedReport, pushed: set[str], exam: Exam | None
) -> Iterator[RecordTrouble]:
    report = graded.report
    if graded.blob not in pushed:
        what = f"points for a notebook ({graded.blob[:10]}) that no line before it says was pushed"
        yield RecordTrouble(_where(file, line), what, STEP_HAND)
    for exercise in report.exercises:
        for sentence in _wrong_points(exercise):
            yield RecordTrouble(_where(file, line), f"{report.assignment}: {sentence}", STEP_HAND)
    if exam is None or report.exam != exam.version:  # what an older exam asked nobody knows here
        return
    wanted = exam.points_of
    for exercise in report.exercises:
        points = wanted.get(exercise.id)
        if points is None:
            what = f"{report.assignment} has no exercise {exercise.id!r}; {say_nearest_name(exercise.id, wanted)}"
            yield RecordTrouble(_where(file, line), what, STEP_HAND)
        elif round_points(points) != round_points(exercise.max_points):
            what = f"{exercise.id} of {report.assignment} is worth {points:g} points, not {exercise.max_points:g}"
            yield RecordTrouble(_where(file, line), what, STEP_HAND)


def _wrong_points(exercise: ExerciseResult) -> Iterator[str]:
    if not 0 <= exercise.points <= exercise.max_points:
        yield f"{exercise.id} has {exercise.points:g} of {exercise.max_points:g} points"
    for criterion in exercise.criteria:
        if not 0 <= criterion.points <= criterion.max_points:
            said = f"{criterion.points:g} of {criterion.max_points:g} points"
            yield f"{exercise.id} has a criterion with {said}: {criterion.sentence}"


def _wrong_mark(
    file: LedgerFile, line: LedgerLine, mark: ManualMark, exam: Exam | None
) -> Iterator[RecordTrouble]:
    if exam is None:
        return
    points = exam.points_of.get(mark.exercise)
    if points is None:
        what = f"a mark of {mark.exercise!r}, which {mark.assignment} has no more"
        yield RecordTrouble(_where(file, line), what, "it counts for nothing", serious=False)
    elif mark.points is not None and not 0 <= mark.points <= points:
        what = f"a mark of {mark.points:g} of {points:g} points for {mark.exercise}"
        yield RecordTrouble(
            _where(file, line),
            what,
            "correct it in the formgrader, then autograder gradebook",
            serious=False,
        )


def _unknown_assignments(file: LedgerFile, course: Course) -> set[str]:
    names = set()
    for line in file.lines:
        if isinstance(line.said, RecordedReport):
            names.add(line.said.report.assignment)
        elif isinstance(line.said, ManualMark):
            names.add(line.said.assignment)
    return names - course.assignments.keys()


def set_lines_aside(course: Course, file: LedgerFile, now: datetime) -> list[RecordTrouble]:
    """Move a file's unreadable lines and its torn end to `set-aside/` beside it; say what was
    moved, and where to.

    They are written there before they are taken out here, so that a kill between leaves them in both places.
    """
    unreadable = [line.raw for line in file.unreadable]
    bad = [*unreadable, file.torn] if file.torn else unreadable
    if not bad:
        return []
    aside = course.ledger / "set-aside" / f"{file.student}.{now:%Y%m%dT%H%M%S}.txt"
    aside.parent.mkdir(exist_ok=True)
    # Appended: a second repair within the same second has the same name.
    with aside.open("ab") as out:
        for raw in bad:
            out.write(raw + b"\n")
    # By what they say, not by number: somebody may have appended since the file was read.
    unwanted = set(unreadable)
    Ledger.of(course).rewrite_lines(file.student, lambda lines: _without(lines, unwanted))
    return [
        RecordTrouble(
            str(file.path), f"{len(bad)} lines set aside", f"they are in {aside}", serious=False
        )
    ]


def _without(lines: bytes, unreadable: set[bytes]) -> bytes:
    kept = [line for line in lines.split(b"\n") if line not in unreadable]
    return b"\n".join(kept)  # the empty one behind the last newline stays, and ends the file
