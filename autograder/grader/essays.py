"""Which answers a person has to see: all that are not exactly what was given out.

As in nbgrader no word in an answer decides, only whether its cell was left as it was. Beyond
nbgrader, an answer that stands beside its cell, or whose cell lost its id, is found by its place
between the course's own cells.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from autograder.course.exam import Exam, Exercise, SourceCell
from autograder.grader.cell_restoring import RestoredCell


@dataclass(frozen=True)
class Essay:
    """The answer to an exercise that a person marks.

    Attributes
    ----------
    exercise : str
        Whose it is.
    written : bool
        Whether a person has to see it.
    cell : int
        Number of the cell where the mark belongs: the exercise's own, else the last of the
        student's at its place; 0 where there is none.
    """

    exercise: str
    written: bool
    cell: int = 0


def find_essays(exam: Exam, cells: Sequence[RestoredCell]) -> dict[str, Essay]:
    """Return what the student answered to each exercise that a person marks, by the exercise's
    id.
    """
    marks = exam.cells_by_id
    places: dict[str, int] = {}
    for position, entry in enumerate(cells):
        if entry.cell.grade_id:
            places[entry.cell.grade_id] = position
    essays = {}
    taken: set[int] = set()
    manual = exam.marked_by_hand
    for exercise in manual:
        essays[exercise.id] = _essay(exam, exercise, marks[exercise.id], cells, places, taken)
    # Only when all others have theirs: a text left over may then be the answer to a lost cell.
    # Better that somebody looks in vain than that an answer is not seen.
    for exercise in manual:
        if exercise.id in places or essays[exercise.id].written:
            continue
        number = _last_text_left(exam, cells, taken)
        if number:
            essays[exercise.id] = Essay(exercise.id, True, number)
            taken.add(number)
    return essays


def list_looked_at(exam: Exam, cells: Iterable[RestoredCell]) -> frozenset[int]:
    """Return the numbers of the cells whose pictures a person looks at: those that are marked, and
    those that the student added.

    Pictures take longer than most of the students' computing, and are nine tenths of what a class's
    notebooks take of the disk.
    """
    marked: set[str] = set()
    for exercise in exam.marked_by_hand:
        marked |= {exercise.id, *exercise.solutions}
    texts = {own.source.strip() for own in exam.cells}
    looked_at = set()
    for entry in cells:
        grade_id = entry.cell.grade_id
        if grade_id in marked or not (grade_id or entry.cell.source.strip() in texts):
            looked_at.add(entry.number)
    return frozenset(looked_at)


def _last_text_left(exam: Exam, cells: Sequence[RestoredCell], taken: Collection[int]) -> int:
    """Return the number of the last text of the student's own that answers nothing yet, else 0."""
    for entry in reversed(cells):
        if _is_own_text(exam, entry) and entry.number not in taken:
            return entry.number
    return 0


def _essay(
    exam: Exam,
    exercise: Exercise,
    mark: SourceCell,
    cells: Sequence[RestoredCell],
    places: dict[str, int],
    taken: set[int],
) -> Essay:
    place = places.get(exercise.id)
    if place is not None:
        entry = cells[place]
        # A task's own cell never changes: its answer is wherever the student did the work.
        is_task = mark.locked
        changed = not exam.handout.is_unchanged(exercise.id, entry.cell.source)
        if is_task or changed or entry.cell.attachments:
            return Essay(exercise.id, True, entry.number)
    last = 0
    for entry in _beside(exam, exercise, cells, places):
        # A text between two untouched cells answers the first of them only.
        if entry.number not in taken:
            taken.add(entry.number)
            last = entry.number
    if place is not None:
        return Essay(exercise.id, bool(last), cells[place].number)
    return Essay(exercise.id, bool(last), last)


def _beside(
    exam: Exam, exercise: Exercise, cells: Sequence[RestoredCell], places: dict[str, int]
) -> list[RestoredCell]:
    """Return the student's own texts between the course's cells that surround an exercise's cell,
    or its place.
    """
    if exercise.id in places:
        begin = end = places[exercise.id]
    else:
        begin, end = _gap(exam, exercise, cells, places)
    found = []
    position = begin - 1
    while position >= 0 and not _is_given(exam, cells[position]):
        found.append(cells[position])
        position -= 1
    position = begin + 1 if exercise.id in places else begin
    while position < len(cells) and (position < end or not _is_given(exam, cells[position])):
        found.append(cells[position])
        position += 1
    own = [entry for entry in found if _is_own_text(exam, entry)]
    return sorted(own, key=lambda entry: entry.number)


def _gap(
    exam: Exam, exercise: Exercise, cells: Sequence[RestoredCell], places: dict[str, int]
) -> tuple[int, int]:
    """Return where a lost cell stood: below the nearest of the course's cells above it that is
    still there.
    """
    # The course's cells without an id are known by their text.
    texts = {entry.cell.source.strip(): position for position, entry in enumerate(cells)}
    position = 0
    for mark in exam.cells:
        if mark.grade_id == exercise.id:
            break
        here = places.get(mark.grade_id) if mark.grade_id else texts.get(mark.source.strip())
        if here is not None:
            position = max(position, here + 1)
    return position, position


def _is_given(exam: Exam, entry: RestoredCell) -> bool:
    return bool(entry.cell.grade_id) or exam.handout.is_given(entry.cell.source)


def _is_own_text(exam: Exam, entry: RestoredCell) -> bool:
    cell = entry.cell
    if cell.kind == "code" or _is_given(exam, entry):
        return False
    return bool(cell.source.strip() or cell.attachments)
