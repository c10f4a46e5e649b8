"""Who may need a word: who has not begun, who is stuck, who lost points by a slip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from autograder.course.layout import find_answers_elsewhere
from autograder.course.names import label_notebook, name_assignment
from autograder.course.reports import Status, round_points
from autograder.grader.hints import PRINTS, RETURNS_NONE, STILL_RAISES
from autograder.overview.class_work import ALMOST, AssignmentWork, StudentWork
from autograder.record.ledger import StudentRecord
from autograder.record.standings import PartState

# From the fourth push that gained nothing on, somebody is stuck rather than thinking.
PUSHES_WITHOUT_GAIN = 4
NOT_THERE = (PartState.NOTHING, PartState.MISSING, PartState.NOT_BEGUN)
# Hints of the grader are known by their words, for a report keeps nothing else of them; what
# stands behind the function's name is the same for every function.
FORGOTTEN_RETURN = (RETURNS_NONE.partition("{function}`")[2], PRINTS.partition("{function}`")[2])


class Need(StrEnum):
    """Why somebody may need a word."""

    NOT_BEGUN = "not begun"
    STUCK = "stuck"
    SLIP = "slip"


@dataclass(frozen=True)
class Notice:
    """A student, an assignment, what was seen, and the points it is about."""

    need: Need
    student: str
    assignment: str
    sentence: str
    points: float


def find_notices(work: AssignmentWork, records: dict[str, StudentRecord]) -> Iterator[Notice]:
    """Yield what was seen of each student's work on an assignment."""
    for own in work.students:
        record = records.get(own.student.id, StudentRecord(own.student.id))
        if not own.is_begun:
            yield _notice_absence(own, record)
            continue
        yield from _notice_standstill(own)
        for sentence, points in _list_slips(own):
            yield Notice(Need.SLIP, own.student.id, work.name, sentence, round_points(points))


def _notice_absence(own: StudentWork, record: StudentRecord) -> Notice:
    name = own.standing.assignment
    points = own.standing.max_points
    # Only the newest: what lay at a wrong place once and was moved since needs no word.
    newest = [*record.pushes[-1:], *record.aside[-1:]]
    for push in newest:
        found = find_answers_elsewhere(push.notebooks, name)
        if found:
            sentence = f"answers lie at {found[0].path}, where nothing is graded"
            return Notice(Need.SLIP, own.student.id, name, sentence, points)
    sentence = "has pushed, nothing of this" if record.pushes else "has never pushed anything"
    return Notice(Need.NOT_BEGUN, own.student.id, name, sentence, points)


def _notice_standstill(own: StudentWork) -> Iterator[Notice]:
    """Yield a notice of pushes that gained nothing, if the newest ones are such and not all points
    are there.
    """
    # Below 0, so that a first push that is worth nothing counts as a beginning, not as a failure.
    best = -1.0
    without_gain = 0
    for grading in own.gradings:
        if grading.report.points > best + ALMOST:
            best = grading.report.points
            without_gain = 0
        else:
            without_gain += 1
    missing = own.standing.max_points - best
    if without_gain >= PUSHES_WITHOUT_GAIN and missing > ALMOST:
        sentence = (
            f"{without_gain} pushes without a gain, at {best:g} of {own.standing.max_points:g}"
        )
        yield Notice(
            Need.STUCK, own.student.id, own.standing.assignment, sentence, round_points(missing)
        )


def _list_slips(own: StudentWork) -> Iterator[tuple[str, float]]:
    """Yield what cost points without having been misunderstood, and how many."""
    yield from _list_backward_steps(own)
    for part in own.standing.parts:
        label = f"part {part.part}: " if part.part else ""
        if part.state is PartState.TOO_LATE:
            yield f"{label}pushed after the deadline only", part.max_points
        # Of several parts the later ones are not begun for weeks, and nobody slipped.
        elif part.state in NOT_THERE and len(own.standing.parts) == 1:
            yield f"{label}{part.why}", part.max_points
    for result in own.results.values():
        missing = result.max_points - result.points
        if result.status is Status.NOT_FOUND:
            yield f"{result.id} is not in the notebook, or its cell fails", missing
        elif STILL_RAISES in result.hint:
            yield f"{result.id}: raise NotImplementedError still stands above the answer", missing
        elif any(words in result.hint for words in FORGOTTEN_RETURN):
            yield f"{result.id}: nothing is returned", missing


def _list_backward_steps(own: StudentWork) -> Iterator[tuple[str, float]]:
    """Yield exercises that had more points in an earlier push than in the one that counts."""
    best: dict[str, float] = {}
    counting = []
    for part in own.standing.parts:
        if part.push is not None:
            counting.append(part.push.time)
    last = max(counting, default=None)
    for grading in own.gradings:
        # What came after the push that counts came too late and lost nothing.
        if last is not None and grading.pushed <= last:
            for result in grading.report.exercises:
                best[result.id] = max(best.get(result.id, 0.0), result.points)
    for result in own.results.values():
        lost = best.get(result.id, 0.0) - result.points
        # A person's points are still to come: their absence is no loss.
        if lost > ALMOST and result.status is not Status.TO_BE_MARKED:
            had = f"{best[result.id]:g} points in an earlier push"
            yield f"{result.id} had {had}, {result.points:g} count", lost


def join_absences(notices: Sequence[Notice], notebooks: Mapping[str, int]) -> list[Notice]:
    """Return notices, those of a student who has not begun several notebooks of an assignment as
    one.

    Parameters
    ----------
    notebooks : mapping of str to int
        How many notebooks each assignment has.
    """
    kept = []
    absences: dict[tuple[str, str, str], list[Notice]] = {}
    for notice in notices:
        if notice.need is Need.NOT_BEGUN:
            whole = name_assignment(notice.assignment)
            absences.setdefault((notice.student, whole, notice.sentence), []).append(notice)
        else:
            kept.append(notice)
    for (student, whole, sentence), alike in absences.items():
        if len(alike) == 1:
            kept += alike
            continue
        if len(alike) < notebooks[whole]:
            names = ", ".join(label_notebook(notice.assignment) for notice in alike)
            sentence = f"{sentence}: {names}"
        points = round_points(sum(notice.points for notice in alike))
        kept.append(Notice(Need.NOT_BEGUN, student, whole, sentence, points))
    return kept


def sort_notices(notices: Sequence[Notice]) -> tuple[Notice, ...]:
    """Return notices with those first that are about most points."""
    return tuple(sorted(notices, key=lambda notice: (-notice.points, notice.student)))
