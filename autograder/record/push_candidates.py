"""Which pushes may count for a part of an assignment: the one place that decides it, for grading
and for standings.

In time is the last push, not after the deadline, in which something is answered. Answers that lie elsewhere, or on
another branch, are told of, and are candidates themselves where the course looks for them anywhere. What is moved to
its place unchanged has the time at which it was first pushed; so nobody loses points by doing as they are told.
With a late rule, every late push is a candidate, each state of the notebook with the time of its first push.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from autograder.course.configuration import Assignment, Course, LateRule
from autograder.course.layout import (
    find_answers_elsewhere,
    find_notebook,
    is_backup,
    is_begun,
    notebook_places,
)
from autograder.course.roster import Extensions
from autograder.course.submissions import NotebookFile, Push
from autograder.record.ledger import StudentRecord


@dataclass(frozen=True)
class PushCandidate:
    """A notebook in a push that may count.

    Attributes
    ----------
    file : NotebookFile or None
        None where the push has none at its place.
    since : datetime
        When these bytes were first pushed, wherever they lay.
    factor : float
        Share of the points the late rule leaves.
    """

    push: Push
    file: NotebookFile | None
    since: datetime
    factor: float = 1.0

    def is_begun(self, assignment: str) -> bool:
        """Whether something is answered in it."""
        return self.file is not None and is_begun(self.file, assignment)

    def is_in_place(self, assignment: str) -> bool:
        """Whether it lies where it is graded."""
        return (
            self.file is not None
            and not self.push.aside
            and self.file.path in notebook_places(assignment)
        )


@dataclass(frozen=True)
class PushChoice:
    """What may count for one part, and what is to be told.

    Attributes
    ----------
    on_time : Candidate or None
        What counts unless a late push gives more.
    late : tuple of Candidate
        Of the pushes after the deadline those that still give points.
    newest : Push or None
        The last push not after the deadline.
    newest_late : Push or None
        The last push after it.
    elsewhere : Candidate or None
        Answers that are not graded where they lie, or that are graded though they lie there.
    """

    on_time: PushCandidate | None
    late: tuple[PushCandidate, ...]
    newest: Push | None
    newest_late: Push | None
    elsewhere: PushCandidate | None


def choose_pushes(
    course: Course, assignment: Assignment, record: StudentRecord, deadline: datetime | None
) -> PushChoice:
    """Return which pushes may count for a part with this deadline."""
    mine = record.about(assignment.name)
    return _PushChooser(course, assignment, mine, deadline).choose()


def list_wanted_notebooks(
    course: Course,
    assignment: Assignment,
    student: str,
    record: StudentRecord,
    extensions: Extensions,
) -> tuple[tuple[Push, NotebookFile], ...]:
    """Return what must be graded of a student's assignment: each notebook that may count, and the
    newest.
    """
    found: dict[str, tuple[Push, NotebookFile]] = {}
    # The newest is graded though an earlier one may count: its author waits for an answer.
    for push in record.about(assignment.name).pushes[-1:]:
        file = find_notebook(push.notebooks, assignment.name)
        if file is not None and can_give_points(file):
            found[file.blob] = push, file
    for part in assignment.parts:
        deadline = extensions.get((student, assignment.name, part.name), part.deadline)
        choice = choose_pushes(course, assignment, record, deadline)
        for candidate in (choice.on_time, *choice.late):
            if (
                candidate is not None
                and candidate.file is not None
                and can_give_points(candidate.file)
            ):
                found.setdefault(candidate.file.blob, (candidate.push, candidate.file))
    return tuple(found.values())


def can_give_points(file: NotebookFile) -> bool:
    """Whether grading can find anything: not in the notebook as the course gives it."""
    return file.holds is None or bool(file.written) or file.changed


def end_of_minute(deadline: datetime) -> datetime:
    """Return the last moment that is not after a deadline: the minute named counts to its end."""
    if deadline.second != 0:
        return deadline
    return deadline + timedelta(seconds=59, microseconds=999_999)


def late_factor(rule: LateRule, moment: datetime, deadline: datetime, zone: ZoneInfo) -> float:
    """Return the share of its points that a push keeps: 1 in time, 0 when it is later than the rule
    allows.

    A day ends when the clock on the wall shows the deadline's time again, so that one on which clocks are changed
    has 23 or 25 hours.
    """
    if moment <= end_of_minute(deadline):
        return 1.0
    for day in range(1, rule.days + 1):
        if moment <= end_of_minute(_add_days(deadline, day, zone)):
            # With 0.3 a day the fourth would give less than nothing.
            return max(0.0, 1.0 - rule.per_day * day)
    return 0.0


def _add_days(deadline: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Return the same time on the wall some days later; of two such moments, in autumn, the
    second.
    """
    wall = deadline.astimezone(zone).replace(tzinfo=None) + timedelta(days=days)
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return max(first, second)


@dataclass(frozen=True)
class _PushChooser:
    """Chooses for one part of one student's assignment."""

    course: Course
    assignment: Assignment
    record: StudentRecord
    deadline: datetime | None

    def choose(self) -> PushChoice:
        on_time = []
        after = []
        for push in self.record.pushes:
            if self.is_in_time(push.time):
                on_time.append(push)
            else:
                after.append(push)
        counts = self.choose_on_time(on_time, after)
        late = tuple(self.list_late(after))
        return PushChoice(
            counts,
            late,
            newest=on_time[-1] if on_time else None,
            newest_late=after[-1] if after else None,
            elsewhere=self.choose_elsewhere(counts, late),
        )

    def is_in_time(self, moment: datetime) -> bool:
        return self.deadline is None or moment <= end_of_minute(self.deadline)

    def choose_on_time(
        self, on_time: Sequence[Push], after: Sequence[Push]
    ) -> PushCandidate | None:
        last: PushCandidate | None = None
        for candidate in self.list_begun(on_time):
            last = candidate
        # Only the same bytes count as of their first push: one changed character makes new bytes.
        for candidate in self.list_begun(after):
            was_moved = self.is_in_time(candidate.since)
            if was_moved and (last is None or candidate.since > self.handed_in(last)):
                last = candidate
        if self.course.find == "anywhere":
            last = self.find_newer_astray(last) or last
        if last is not None:
            return last
        newest = self.list_in_place(on_time[-1:])  # nothing is begun: it is told of what came last
        return newest[0] if newest else None

    def handed_in(self, candidate: PushCandidate) -> datetime:
        """When a candidate came: what was moved to its place after the deadline, when it was pushed
        first.
        """
        return candidate.push.time if self.is_in_time(candidate.push.time) else candidate.since

    def find_newer_astray(self, counts: PushCandidate | None) -> PushCandidate | None:
        """Return answers elsewhere that came in time and after what counts; on other branches only
        if nothing does.
        """
        for entry in self.list_astray():
            newer = counts is None or (
                not entry.push.aside and entry.since > self.handed_in(counts)
            )
            if newer and self.is_in_time(entry.since):
                return entry
        return None

    def list_late(self, after: Sequence[Push]) -> Iterator[PushCandidate]:
        """Yield each state of the notebook that was pushed late and still gives points, by its
        first push.
        """
        rule = self.assignment.late
        deadline = self.deadline
        if rule is None or deadline is None:
            return
        found = self.list_begun(after)
        if self.course.find == "anywhere":
            for entry in self.list_astray():
                if not self.is_in_time(entry.push.time):
                    found.append(entry)
        seen = set()
        for entry in found:
            if entry.file is None or entry.file.blob in seen:
                continue
            seen.add(entry.file.blob)
            factor = late_factor(rule, entry.since, deadline, self.course.timezone)
            if self.is_in_time(entry.since):
                # A state from before the deadline, brought back after it: worth all of its points
                # while late work is taken at all, nothing once the days are over.
                within = late_factor(rule, entry.push.time, deadline, self.course.timezone) > 0
                factor = 1.0 if within else 0.0
            if factor:
                yield PushCandidate(entry.push, entry.file, entry.since, factor)

    def list_in_place(self, pushes: Iterable[Push]) -> list[PushCandidate]:
        """Return what lies at its place in each of these pushes."""
        found = []
        for push in pushes:
            file = find_notebook(push.notebooks, self.assignment.name)
            found.append(self.make_candidate(push, file))
        return found

    def list_begun(self, pushes: Iterable[Push]) -> list[PushCandidate]:
        """Return of these what has an answer in it."""
        name = self.assignment.name
        begun = []
        for candidate in self.list_in_place(pushes):
            if candidate.is_begun(name):
                begun.append(candidate)
        return begun

    def list_astray(self) -> list[PushCandidate]:
        """Answers that are not graded where they lie: the newest push first, then those to other
        branches.

        Of each push the likeliest file; none of a push with answers at their place.
        """
        found = []
        for push in (*reversed(self.record.pushes), *reversed(self.record.aside)):
            right = find_notebook(push.notebooks, self.assignment.name)
            begun = right is not None and is_begun(right, self.assignment.name)
            if not begun:
                strays = find_answers_elsewhere(push.notebooks, self.assignment.name)
                if strays:
                    found.append(self.make_candidate(push, strays[0]))
            elif push.aside:
                found.append(self.make_candidate(push, right))
        return found

    def choose_elsewhere(
        self, counts: PushCandidate | None, late: Sequence[PushCandidate]
    ) -> PushCandidate | None:
        """What is to be told: where answers are while none count, or a file with more of them than
        the one that does.

        Nothing is told of a copy of what is graded, nor of what was moved to its place since.
        """
        name = self.assignment.name
        if counts is not None and counts.is_begun(name):
            if not counts.is_in_place(name):
                return counts
            return self.find_newer_astray(counts) or _find_fuller(counts, name)
        if late:
            for entry in late:
                if not entry.is_in_place(name):
                    return entry
            return None
        graded = set()
        for entry in self.list_begun(self.record.pushes[-1:]):
            if entry.file is not None:
                graded.add(entry.file.blob)
        for entry in self.list_astray():
            if entry.file and entry.file.blob not in graded:
                return entry
        return None

    def make_candidate(self, push: Push, file: NotebookFile | None) -> PushCandidate:
        since = push.time if file is None else self.first_pushed[file.blob]
        return PushCandidate(push, file, since)

    @cached_property
    def first_pushed(self) -> dict[str, datetime]:
        """When the bytes of each notebook were first pushed, to any place and branch."""
        first: dict[str, datetime] = {}
        for push in (*self.record.pushes, *self.record.aside):
            for file in push.notebooks:
                first[file.blob] = min(push.time, first.get(file.blob, push.time))
        return first


def _find_fuller(counts: PushCandidate, assignment: str) -> PushCandidate | None:
    """A file beside the one that counts, in the same push, with all of its answers and more of
    them.

    Of files at which nobody has looked, one that has such a name.
    """
    if counts.file is None:
        return None
    graded = set(counts.file.written)
    for file in find_answers_elsewhere(counts.push.notebooks, assignment):
        more = counts.file.holds is not None and set(file.written) > graded
        if file.holds is None or (more and not is_backup(file.path)):
            return PushCandidate(counts.push, file, counts.push.time)
    return None
