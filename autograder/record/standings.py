"""Who stands where: deadlines, extensions and late rules applied to the record. Pure functions of
what is given.

For each part of an assignment the last push not after its deadline counts. Times are those of the record: the
server's or the collector's, never the commit's own, and grading again changes none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from autograder.course.configuration import Assignment, Course, Part
from autograder.course.exam import Exam
from autograder.course.layout import find_notebook, is_begun
from autograder.course.reports import ExerciseResult, Report, Status, round_points
from autograder.course.roster import Extensions
from autograder.course.submissions import NotebookFile, Push, Student
from autograder.record.ledger import StudentRecord
from autograder.record.manual_marks import ManualMark, apply_mark, newest_marks
from autograder.record.push_candidates import (
    PushCandidate,
    PushChoice,
    can_give_points,
    choose_pushes,
    end_of_minute,
)
from autograder.record.push_sentences import PushSentences


class PartState(StrEnum):
    """Why a part has the points it has."""

    GRADED = "graded"
    LATE = "graded late"
    MISSING = "no notebook"
    WAITING = "not graded yet"
    NOTHING = "nothing pushed"
    TOO_LATE = "pushed too late"
    NOT_BEGUN = "not begun"
    UNRELEASED = "not released yet"


REGRADED = "The tests were changed since it was graded: it will be graded again."


@dataclass(frozen=True)
class PartStanding:
    """A student's points in one part.

    Attributes
    ----------
    deadline : datetime or None
        The student's own, with any extension; `extended` says whether it differs from everybody's.
    push : Push or None
        The push that counts.
    file : NotebookFile or None
        The notebook in it that was graded, or is to be.
    late : Push or None
        The newest push after the deadline, which does not count or counts less.
    exercises : tuple of ExerciseResult
        Results of the push that counts, with the marks a person gave; empty while there are none.
    automatic : tuple of ExerciseResult
        The same results as grading gave them.
    marks : tuple of ManualMark
        What a person said of these exercises.
    factor : float
        Share of the points the late rule leaves, 1 on time.
    outdated : bool
        Whether these results are of an older exam, and wait to be graded again.
    why : str
        One sentence for the student.
    """

    part: str
    deadline: datetime | None
    extended: bool
    state: PartState
    why: str
    max_points: float
    push: Push | None = None
    file: NotebookFile | None = None
    late: Push | None = None
    exercises: tuple[ExerciseResult, ...] = ()
    automatic: tuple[ExerciseResult, ...] = ()
    marks: tuple[ManualMark, ...] = ()
    factor: float = 1.0
    outdated: bool = False

    @property
    def is_counted(self) -> bool:
        """Whether a grading of it counts."""
        return self.state in (PartState.GRADED, PartState.LATE)

    @property
    def points(self) -> float | None:
        """Points that count, None while they are not known."""
        if self.state in (PartState.WAITING, PartState.UNRELEASED):
            return None
        return round_points(self.factor * sum(exercise.points for exercise in self.exercises))


@dataclass(frozen=True)
class Standing:
    """A student's points in one assignment, part by part."""

    student: str
    assignment: str
    parts: tuple[PartStanding, ...]
    problems: tuple[str, ...] = ()

    @property
    def points(self) -> float | None:
        """Points of all parts, None while one of them is not graded yet."""
        return _sum_points([part.points for part in self.parts])

    @property
    def max_points(self) -> float:
        """Points there are to be had."""
        return round_points(sum(part.max_points for part in self.parts))

    @property
    def states(self) -> frozenset[PartState]:
        """The states that parts of it are in."""
        return frozenset(part.state for part in self.parts)

    def find_part(self, name: str) -> PartStanding:
        """Return the part of a name; a KeyError where there is none."""
        for part in self.parts:
            if part.part == name:
                return part
        raise KeyError(name)


def judge_assignment(
    course: Course,
    assignment: Assignment,
    exam: Exam,
    student: Student,
    record: StudentRecord,
    extensions: Extensions,
    *,
    released: bool = True,
    choices: Mapping[str, PushChoice] | None = None,
) -> Standing:
    """Return where a student stands in an assignment; one that is not `released` yet has no points,
    and not 0.

    Parameters
    ----------
    choices : mapping of str to PushChoice, optional
        What may count for each part, where that was decided already, by the part's name.
    """
    record = record.about(assignment.name)
    judge = _AssignmentJudge(course, assignment, exam, record, released)
    parts: list[PartStanding] = []
    chosen: list[PushChoice] = []
    for part in assignment.parts:
        extension = extensions.get((student.id, assignment.name, part.name))
        if choices is None:
            choice = choose_pushes(course, assignment, record, extension or part.deadline)
        else:
            choice = choices[part.name]
        parts.append(judge.judge_part(part, extension, choice))
        chosen.append(choice)
    return Standing(student.id, assignment.name, tuple(parts), judge.list_problems(parts, chosen))


def is_released(course: Course, assignment: str, records: Iterable[StudentRecord]) -> bool:
    """Whether students have an assignment: its release is here, or, where this copy lags behind,
    one has pushed it.
    """
    if course.release_path(assignment).exists():
        return True
    for record in records:
        for push in (*record.pushes, *record.aside):
            if find_notebook(push.notebooks, assignment) is not None:
                return True
            for file in push.notebooks:
                if file.holds == assignment:
                    return True
    return False


def is_over(deadline: datetime | None, now: datetime) -> bool:
    """Whether a deadline is over; its minute counts to its end."""
    return deadline is not None and now > end_of_minute(deadline)


def decided_points(part: PartStanding, now: datetime) -> float | None:
    """Return the points of a part, None while they may not be called points yet.

    Who has not begun has no points to show before the deadline and 0 after it.
    """
    if part.state in (PartState.NOTHING, PartState.MISSING, PartState.NOT_BEGUN) and not is_over(
        part.deadline, now
    ):
        return None
    return part.points


def decided_sum(standing: Standing, now: datetime) -> float | None:
    """Return the points of all parts, None while those of one may not be called points yet."""
    return _sum_points([decided_points(part, now) for part in standing.parts])


def _sum_points(points: Iterable[float | None]) -> float | None:
    """Return a sum of points, None while one of them is not known."""
    total = 0.0
    for known in points:
        if known is None:
            return None
        total += known
    return round_points(total)


@dataclass(frozen=True)
class _AssignmentJudge:
    """Judges the parts of one student's assignment."""

    course: Course
    assignment: Assignment
    exam: Exam
    record: StudentRecord
    released: bool

    def judge_part(
        self, part: Part, extension: datetime | None, choice: PushChoice
    ) -> PartStanding:
        maximum = 0.0
        for exercise in self.exam.exercises:
            if exercise.part == part.name:
                maximum += exercise.points
        blank = PartStanding(
            part.name,
            extension or part.deadline,
            extended=extension is not None and extension != part.deadline,
            state=PartState.NOTHING,
            why="Nothing has been pushed yet.",
            max_points=round_points(maximum),
            late=choice.newest_late,
        )
        if not self.released:
            return _change_state(
                blank, PartState.UNRELEASED, "This homework is not released yet.", late=None
            )
        if choice.on_time is None and not choice.late:
            return self._judge_without_push(blank, choice)
        judged = []
        for candidate in (choice.on_time, *choice.late):
            if candidate is not None:
                judged.append(self._judge_candidate(blank, candidate, choice))
        best = _choose_best(judged)
        if best.state in (PartState.MISSING, PartState.NOT_BEGUN) and self._began_late(choice):
            return _change_state(blank, PartState.TOO_LATE, self.sentences.explain_too_late(choice))
        return best

    @cached_property
    def sentences(self) -> PushSentences:
        """What is said of pushes and places."""
        return PushSentences(self.course, self.assignment.name)

    def _judge_without_push(self, blank: PartStanding, choice: PushChoice) -> PartStanding:
        if choice.newest_late is not None:
            return _change_state(blank, PartState.TOO_LATE, self.sentences.explain_too_late(choice))
        if choice.elsewhere is not None:
            return _change_state(
                blank, PartState.MISSING, self.sentences.tell_where_answers_lie(choice.elsewhere)
            )
        return blank

    def _began_late(self, choice: PushChoice) -> bool:
        """Whether there is an answer at its place after the deadline, and none before."""
        late = choice.newest_late
        file = find_notebook(late.notebooks, self.assignment.name) if late else None
        return file is not None and is_begun(file, self.assignment.name)

    def _judge_candidate(
        self, blank: PartStanding, candidate: PushCandidate, choice: PushChoice
    ) -> PartStanding:
        push = candidate.push
        file = candidate.file
        if file is None:
            why = self.sentences.explain_missing(push, choice.elsewhere)
            return _change_state(blank, PartState.MISSING, why, push=push)
        blank = replace(blank, push=push, file=file)
        report = self._find_report(file)
        # A person may have given points for what lies elsewhere, or was handed in on paper.
        marked_by_hand = any(mark.changes_points for mark in self._list_marks(blank.part))
        untouched = not can_give_points(file) or (
            report is not None and self._finds_no_attempt(report, file, blank.part)
        )
        if untouched and not marked_by_hand:
            why = self.sentences.explain_not_begun(push, file, choice.elsewhere)
            return _change_state(blank, PartState.NOT_BEGUN, why)
        if report is None:
            why = f"The push of {self.course.write_moment(push.time)} is waiting to be graded."
            return _change_state(blank, PartState.WAITING, why)
        state = PartState.LATE if candidate.factor < 1.0 else PartState.GRADED
        graded = self._apply_marks(blank, report)
        why = self.sentences.explain_counting(candidate, choice)
        outdated = report.exam != self.exam.version
        if outdated:
            why = f"{why} {REGRADED}"
        return _change_state(graded, state, why, factor=candidate.factor, outdated=outdated)

    def _finds_no_attempt(self, report: Report, file: NotebookFile, part: str) -> bool:
        """Whether grading found no attempt at any exercise of a part."""
        begun = is_begun(file, self.assignment.name)
        no_attempt = {Status.NOT_ATTEMPTED}
        if not begun:  # cells that are not even there
            no_attempt.add(Status.NOT_FOUND)
        found = set()
        for exercise in report.exercises:
            if exercise.part == part:
                found.add(exercise.status)
        return report.status == "graded" and bool(found) and found <= no_attempt

    def _apply_marks(self, blank: PartStanding, report: Report) -> PartStanding:
        """A part with a report's results, and what a person made of them."""
        marks = {mark.exercise: mark for mark in self._list_marks(blank.part)}
        automatic = []
        marked = []
        given = []
        for exercise in report.exercises:
            if exercise.part != blank.part:
                continue
            mark = marks.get(exercise.id)
            automatic.append(exercise)
            marked.append(apply_mark(exercise, mark))
            if mark is not None:
                given.append(mark)
        return replace(
            blank, exercises=tuple(marked), automatic=tuple(automatic), marks=tuple(given)
        )

    def _list_marks(self, part: str) -> list[ManualMark]:
        """The marks that people gave for a part."""
        marks = newest_marks(self.record.marks, self.assignment.name)
        given = []
        for exercise in self.exam.exercises:
            if exercise.part == part and exercise.id in marks:
                given.append(marks[exercise.id])
        return given

    def _find_report(self, file: NotebookFile) -> Report | None:
        """The report of a notebook under the exam as it is now; a student's older report serves
        until then.
        """
        reports = self.record.reports
        name = self.assignment.name
        current = reports.get((name, file.blob, self.exam.version))
        if current is not None:
            return current
        newest: Report | None = None
        for key, report in reports.items():  # in the order in which they came
            if key[:2] == (name, file.blob):
                newest = report
        return newest

    def list_problems(
        self, parts: Sequence[PartStanding], choices: Sequence[PushChoice]
    ) -> tuple[str, ...]:
        """What is to be said about the notebook as a whole, each sentence once."""
        sentences: dict[str, None] = {}
        for part in parts:
            report = (
                self._find_report(part.file)
                if part.file and part.state is not PartState.NOT_BEGUN
                else None
            )
            sentences |= dict.fromkeys(report.problems if report else ())
        for part, choice in zip(parts, choices, strict=True):
            told = self._tell_of_places(part, choice)
            # What stands as a part's reason is not said a second time.
            if told and not any(told in other.why for other in parts):
                sentences[told] = None
        return tuple(sentences)

    def _tell_of_places(self, part: PartStanding, choice: PushChoice) -> str:
        """What is to be said about where answers lie, empty if there is nothing."""
        return (
            "" if part.state is PartState.UNRELEASED else self.sentences.tell_of_elsewhere(choice)
        )


def _choose_best(candidates: list[PartStanding]) -> PartStanding:
    """Return what counts of a push in time and a late one: while one of them is not graded, nothing
    is settled.
    """
    for candidate in candidates:
        if candidate.state is PartState.WAITING:
            return candidate
    # max takes the first of equals, the push in time before a late one.
    return max(candidates, key=lambda candidate: candidate.points or 0.0)


def _change_state(
    standing: PartStanding, state: PartState, why: str, **changes: object
) -> PartStanding:
    return replace(standing, state=state, why=why, **changes)  # type: ignore[arg-type]
