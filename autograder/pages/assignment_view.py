"""An assignment as its student sees it: which points, for which push, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from autograder.course.exam import Exam, Exercise
from autograder.course.layout import find_answers_elsewhere, find_notebook
from autograder.course.names import label_notebook
from autograder.course.reports import round_points
from autograder.course.submissions import Push, Student
from autograder.pages.exercise_rows import Row, list_exercises, make_rows
from autograder.pages.exercise_titles import find_exercise_titles
from autograder.pages.points_chart import PointsChart, make_points_chart
from autograder.pages.push_history import Entry, find_newest_report, list_history
from autograder.pages.status_signs import (
    ALL_POINTS,
    BEFORE_WORK,
    ELSEWHERE,
    NO_POINTS,
    OF_STATE,
    SOME_POINTS,
    Mark,
)
from autograder.pages.template_environment import make_anchor, make_commit_url
from autograder.record.ledger import StudentRecord
from autograder.record.standings import PartStanding, PartState, Standing, decided_points, is_over

# All pages are padded to the size of the largest: whoever pushes without end must not make
# everybody's grow.
MOST_ENTRIES = 40
# Of the history, as many as somebody reads without asking for more.
UNFOLDED_ENTRIES = 20
NOTHING_THERE = frozenset({PartState.NOTHING, PartState.MISSING, PartState.NOT_BEGUN})


@dataclass(frozen=True)
class Results:
    """The exercises of one push."""

    push: Push
    url: str
    rows: tuple[Row, ...]

    @property
    def points(self) -> float:
        """Points of all exercises, before any late rule."""
        return add_points(self.rows)


@dataclass(frozen=True)
class PartView:
    """A part of an assignment.

    Attributes
    ----------
    standing : PartStanding
        What the record gives.
    mark : Mark
        How to say it.
    points : float or None
        None while there are none to tell.
    closed : bool
        Whether the student's own deadline is over.
    url : str
        Address of the commit that counts, empty where there is none to show.
    rows : tuple of Row
        Its exercises.
    late : Push or None
        The newest push after the deadline if it changed the notebook and does not count.
    newer : Results or None
        What that push would give.
    """

    standing: PartStanding
    mark: Mark
    points: float | None
    closed: bool
    url: str
    rows: tuple[Row, ...]
    late: Push | None
    newer: Results | None
    notebook: str = ""

    @property
    def label(self) -> str:
        """What tells it from the other parts of the assignment, empty where there are none."""
        part = f"part {self.standing.part}" if self.standing.part else ""
        return ", ".join(filter(None, (self.notebook, part)))

    @property
    def sum(self) -> float:
        """Points of all exercises, before any late rule."""
        return add_points(self.rows)

    @property
    def is_full(self) -> bool:
        """Whether it has all its points."""
        return self.points is not None and self.points >= self.standing.max_points

    @property
    def is_to_be_begun(self) -> bool:
        """Whether there is nothing yet, and still time."""
        return self.mark == BEFORE_WORK


@dataclass(frozen=True)
class AssignmentView:
    """An assignment as its student sees it; of a long history, `left_out` entries are not shown.

    Of an assignment with several notebooks, `notebooks` are those, each like an assignment, and the
    rest is that of all together.
    """

    standing: Standing
    title: str
    parts: tuple[PartView, ...]
    history: tuple[Entry, ...]
    left_out: int = 0
    notebooks: tuple[AssignmentView, ...] = ()

    @property
    def anchor(self) -> str:
        """Id of its section in the page."""
        return f"assignment-{make_anchor(self.standing.assignment)}"

    @property
    def notebook(self) -> str:
        """Name of the notebook, where it is one of several."""
        return label_notebook(self.standing.assignment)

    @property
    def sections(self) -> tuple[AssignmentView, ...]:
        """Its notebooks, itself where there is only one."""
        return self.notebooks or (self,)

    @property
    def common_parts(self) -> tuple[PartView, ...]:
        """Its parts with the deadlines that all of its notebooks share; none where it has only one
        notebook.
        """
        return self.notebooks[0].parts if self.notebooks else ()

    @property
    def points(self) -> float | None:
        """Points of the parts that have any, None if none has."""
        # None and not 0: while nothing is decided a zero on the page would frighten.
        known = []
        for part in self.parts:
            if part.points is not None:
                known.append(part.points)
        return round_points(sum(known)) if known else None

    @property
    def complete(self) -> bool:
        """Whether every part has points."""
        return all(part.points is not None for part in self.parts)

    @property
    def is_full(self) -> bool:
        """Whether every part has all its points."""
        return all(part.is_full for part in self.parts)

    @property
    def is_released(self) -> bool:
        """Whether students have it."""
        return any(part.standing.state is not PartState.UNRELEASED for part in self.parts)

    @property
    def newest_entries(self) -> tuple[Entry, ...]:
        """The part of the history that is shown unfolded."""
        return self.history[:UNFOLDED_ENTRIES]

    @property
    def older_entries(self) -> tuple[Entry, ...]:
        """The part of the history that is folded."""
        return self.history[UNFOLDED_ENTRIES:]

    @property
    def chart(self) -> PointsChart | None:
        """Its points over the pushes."""
        return make_points_chart(self.history, self.standing.max_points)


def add_points(rows: Sequence[Row]) -> float:
    """Return the points of exercises together; those without any have none yet."""
    return round_points(sum(row.points or 0.0 for row in rows))


def make_assignment_view(
    title: str,
    exam: Exam,
    standing: Standing,
    student: Student,
    record: StudentRecord,
    now: datetime,
) -> AssignmentView:
    """Return an assignment as its student sees it now."""
    maker = _PartMaker(exam, find_exercise_titles(exam), student, record, now)
    parts = tuple(maker.make_part(part) for part in standing.parts)
    entries = list_history(record, standing)
    shown = []
    for number, entry in enumerate(entries):
        # What counts is always shown, however old: it is the entry a student asks about.
        if number < MOST_ENTRIES or entry.counts:
            shown.append(entry)
    return AssignmentView(standing, title, parts, tuple(shown), len(entries) - len(shown))


def join_views(title: str, views: Sequence[AssignmentView], standing: Standing) -> AssignmentView:
    """Return the notebooks of an assignment as one; `standing` is that of all together."""
    parts: list[PartView] = []
    history: list[Entry] = []
    for view in views:
        parts += view.parts
        history += view.history
    history.sort(key=lambda entry: entry.push.time, reverse=True)
    return AssignmentView(standing, title, tuple(parts), tuple(history), notebooks=tuple(views))


@dataclass(frozen=True)
class _PartMaker:
    """Makes the parts of one student's assignment."""

    exam: Exam
    titles: Mapping[str, str]
    student: Student
    record: StudentRecord
    now: datetime

    def make_part(self, part: PartStanding) -> PartView:
        exercises = list_exercises(self.exam, part.part)
        late = self._find_late_push(part)
        is_closed = is_over(part.deadline, self.now)
        return PartView(
            standing=part,
            mark=self._choose_mark(part, is_closed),
            points=decided_points(part, self.now),
            closed=is_closed,
            url=make_commit_url(self.student.remote, part.push) if part.push else "",
            rows=make_rows(exercises, self.titles, part.exercises, part.state, part.marks),
            late=late,
            newer=self._make_newer_results(late, exercises) if late else None,
            notebook=label_notebook(self.exam.assignment),
        )

    def _find_late_push(self, part: PartStanding) -> Push | None:
        """The newest push after the deadline, None if it left the notebook as it was or counts
        itself.
        """
        if part.late is None or part.late == part.push:
            return None
        file = find_notebook(part.late.notebooks, self.exam.assignment)
        # A push of something else, or of the very same notebook, is no news about this part.
        if file is None or (part.file is not None and file.blob == part.file.blob):
            return None
        return part.late

    def _make_newer_results(self, push: Push, exercises: Sequence[Exercise]) -> Results | None:
        """What a push that does not count would give, for a student who goes on learning from
        it.
        """
        file = find_notebook(push.notebooks, self.exam.assignment)
        report = find_newest_report(self.record, file, self.exam.assignment)
        # Late pushes are graded last, if at all.
        if report is None:
            return None
        rows = make_rows(exercises, self.titles, report.exercises, PartState.GRADED)
        return Results(push, make_commit_url(self.student.remote, push), rows)

    def _choose_mark(self, part: PartStanding, is_closed: bool) -> Mark:
        """The mark of a part's state: nothing is wrong with what is not begun while there is
        time.
        """
        if part.state in NOTHING_THERE and not is_closed:
            return ELSEWHERE if self._has_answers_elsewhere() else BEFORE_WORK
        if part.state is not PartState.GRADED:
            return OF_STATE[part.state]
        if part.points == part.max_points:
            return ALL_POINTS
        return SOME_POINTS if part.points else NO_POINTS

    def _has_answers_elsewhere(self) -> bool:
        """Whether the newest push has answers at a wrong place, or the newest to another branch has
        any.
        """
        name = self.exam.assignment
        # Only of the newest pushes: what was put right since must not be complained of.
        for push in self.record.pushes[-1:]:
            if find_answers_elsewhere(push.notebooks, name):
                return True
        for push in self.record.aside[-1:]:
            for file in push.notebooks:
                if file.holds == name and file.written:
                    return True
        return False
