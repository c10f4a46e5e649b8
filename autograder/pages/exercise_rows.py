"""The exercises of a part as a student reads them: points, a sign, the hint, the line where it
happened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.course.exam import Exam, Exercise
from autograder.course.reports import Criterion, ExerciseResult, Status
from autograder.pages.status_signs import OF_STATE, OF_STATUS, Mark
from autograder.record.manual_marks import ManualMark
from autograder.record.standings import PartState

# How the examiner ends a hint when it knows at which of the student's own lines a call failed.
OWN_LINE = re.compile(r"(?: |^)It happened in line (\d+) of cell (\d+)(?:: `(.*)`)?\.$")


@dataclass(frozen=True)
class OwnLine:
    """A line of the student's own code; `text` is empty where it is not to be shown."""

    line: int
    cell: int
    text: str


@dataclass(frozen=True)
class Row:
    """One exercise.

    Attributes
    ----------
    title : str
        The heading of its task, empty where it has none.
    points : float or None
        None while there are none to tell.
    graded : bool
        Whether it has a result of its own.
    own_line : OwnLine or None
        Where the student's own code stopped.
    by_hand : bool
        Whether its points are a person's, in whole or in part.
    comment : str
        What that person wrote.
    """

    id: str
    title: str
    points: float | None
    max_points: float
    mark: Mark
    graded: bool = True
    hint: str = ""
    own_line: OwnLine | None = None
    criteria: tuple[Criterion, ...] = ()
    by_hand: bool = False
    comment: str = ""

    @property
    def passed(self) -> bool:
        """Whether there is nothing left to learn from its criteria."""
        return self.mark is OF_STATUS[Status.PASSED] and not self.hint and not self.comment

    @property
    def advice(self) -> str:
        """What the hint is called: who has all points needs none, but may be told how they came
        about.
        """
        return "Note" if self.mark is OF_STATUS[Status.PASSED] else "Hint"

    @property
    def missed(self) -> float:
        """Points there are to be had and that it has not got."""
        return self.max_points - (self.points or 0.0)


def list_exercises(exam: Exam, part: str) -> list[Exercise]:
    """Return the exercises of one part, in their order."""
    of_part = []
    for exercise in exam.exercises:
        if exercise.part == part:
            of_part.append(exercise)
    return of_part


def make_rows(
    exercises: Sequence[Exercise],
    titles: Mapping[str, str],
    results: Sequence[ExerciseResult],
    state: PartState,
    marks: Sequence[ManualMark] = (),
) -> tuple[Row, ...]:
    """Return a row for each exercise, with the results of one grading and what a person made of
    them.
    """
    result_of = {result.id: result for result in results}
    mark_of = {mark.exercise: mark for mark in marks}
    rows = []
    # The exam's exercises, not the report's: an exercise added since must be seen to be missing.
    for exercise in exercises:
        title = titles.get(exercise.id, "")
        result = result_of.get(exercise.id)
        if result is None:
            rows.append(_make_row_without_result(exercise, title, state))
        else:
            rows.append(_make_row(exercise, title, result, mark_of.get(exercise.id)))
    return tuple(rows)


def split_hint(hint: str) -> tuple[str, OwnLine | None]:
    """Return a hint without its last sentence if that names a line of the student's own code, and
    that line.
    """
    found = OWN_LINE.search(hint)
    if found is None:
        return hint, None
    return hint[: found.start()], OwnLine(int(found[1]), int(found[2]), found[3] or "")


def _make_row_without_result(exercise: Exercise, title: str, state: PartState) -> Row:
    # A graded notebook without this exercise gives no points for it; an ungraded one may yet.
    if state in (PartState.GRADED, PartState.LATE):
        return Row(exercise.id, title, 0.0, exercise.points, OF_STATUS[Status.NOT_FOUND])
    return Row(exercise.id, title, None, exercise.points, OF_STATE[state], graded=False)


def _make_row(
    exercise: Exercise, title: str, result: ExerciseResult, by_hand: ManualMark | None
) -> Row:
    # Nothing rather than 0 until a person has looked.
    points = None if result.status is Status.TO_BE_MARKED else result.points
    hint, own_line = split_hint(result.hint)
    return Row(
        exercise.id,
        title,
        points,
        exercise.points,
        OF_STATUS[result.status],
        hint=hint,
        own_line=own_line,
        criteria=result.criteria,
        by_hand=points is not None and by_hand is not None and by_hand.changes_points,
        comment=by_hand.comment if by_hand else "",
    )
