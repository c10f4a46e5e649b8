"""What may be mailed to students: that something changed, that something is due soon. Never points,
never a key.

Nothing is sent from here. The texts are for the instructors' mail merge; what was told already is remembered as
fingerprints, so that nobody is told twice.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from autograder.course.configuration import Course
from autograder.course.errors import UsageError
from autograder.course.submissions import Student
from autograder.course.whole_files import PRIVATE, write_whole
from autograder.record.standings import PartStanding, PartState, Standing, is_over

COLUMNS = ("student", "name", "email", "subject", "text")
# Of a fingerprint: enough to see a change.
LETTERS = 16
CLOSING = "What exactly, and the hints, are on your own page; open it by your personal link."
Told = Mapping[str, str]  # what was told of whom → the fingerprint of its state


@dataclass(frozen=True)
class StudentNotice:
    """A mail to one student."""

    student: Student
    subject: str
    text: str


def make_notices(
    course: Course,
    students: Sequence[Student],
    standings: Mapping[str, Mapping[str, Standing]],
    told: Told,
    now: datetime,
    days: float,
) -> tuple[tuple[StudentNotice, ...], dict[str, str]]:
    """Return what is to be told now, and what is told then.

    Parameters
    ----------
    told : mapping of str to str
        What this returned the last time, empty at the first: then nothing has changed.
    days : float
        So many days before its deadline a part that is not complete is told of, once.
    """
    titles = {name: notebooks[0].title for name, notebooks in course.list_notebooks().items()}
    notices = []
    remembered = dict(told)
    for student in students:
        sentences = []
        for name, standing in standings.get(student.id, {}).items():
            title = titles[name]
            key = f"{student.id} {name}"
            state = _take_fingerprint(standing)
            # With nothing told yet everything would be news to everybody, weeks old as it may be.
            if _is_graded(standing) and told and told.get(key) != state:
                sentences.append(f"{title}: something has changed.")
            remembered[key] = state
            for part in _list_due(standing, now, days):
                # With the deadline in it: whoever gets more time is told again.
                due_key = f"{key} {part.part} due {part.deadline}"
                if due_key not in remembered:
                    sentences.append(_write_due(course, title, part))
                    remembered[due_key] = "told"
        if sentences:
            text = "\n".join([*sentences, "", CLOSING])
            notices.append(StudentNotice(student, f"{course.name}: news on your page", text))
    return tuple(notices), remembered


def write_notices(notices: Sequence[StudentNotice]) -> str:
    """Return notices as CSV for a mail merge."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for notice in notices:
        student = notice.student
        writer.writerow((student.id, student.name, student.email, notice.subject, notice.text))
    return text.getvalue()


def read_told(path: Path) -> dict[str, str]:
    """Return what was told before, empty if nothing was.

    Raises
    ------
    UsageError
        If the file cannot be read: whoever would go on would tell everybody everything again.
    """
    if not path.exists():
        return {}
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(told, dict):
            raise ValueError("not a JSON object")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path}: cannot be read ({error}); delete it to begin anew, without news once"
        ) from None
    return told


def keep_told(path: Path, told: Told) -> None:
    """Write down what was told."""
    write_whole(path, json.dumps(told, indent=0).encode(), "notices", mode=PRIVATE)


def _take_fingerprint(standing: Standing) -> str:
    """A fingerprint of what a student's page tells of an assignment: it holds no points that could
    be read.
    """
    seen = []
    for part in standing.parts:
        points = [(result.id, result.points) for result in part.exercises]
        seen.append((part.part, part.state.value, part.points, points))
    # With the student in it: equal points of two people must not look equal in the file.
    digest = hashlib.sha256(json.dumps([standing.student, seen]).encode())
    return digest.hexdigest()[:LETTERS]


def _is_graded(standing: Standing) -> bool:
    return any(part.is_counted for part in standing.parts)


def _list_due(standing: Standing, now: datetime, days: float) -> Iterator[PartStanding]:
    """Yield the parts that fall due soon and have not all their points."""
    for part in standing.parts:
        if (
            part.deadline is None
            or part.state is PartState.UNRELEASED
            or is_over(part.deadline, now)
        ):
            continue
        is_complete = part.is_counted and part.points is not None and part.points >= part.max_points
        if part.deadline - now <= timedelta(days=days) and not is_complete:
            yield part


def _write_due(course: Course, title: str, part: PartStanding) -> str:
    what = f"{title}, part {part.part}" if part.part else title
    when = course.write_moment(part.deadline) if part.deadline else ""
    return f"{what}: due on {when}."
