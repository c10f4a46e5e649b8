"""What became of a student's pushes of one assignment, and what changed from one grading to the
next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from autograder.course.layout import find_notebook
from autograder.course.reports import Report
from autograder.course.submissions import NotebookFile, Push
from autograder.record.ledger import StudentRecord
from autograder.record.ledger_entries import RecordedReport
from autograder.record.standings import Standing


@dataclass(frozen=True)
class Change:
    """An exercise that has other points than at the grading before; `before` is None where there
    was none.
    """

    exercise: str
    before: float | None
    after: float


@dataclass(frozen=True)
class Entry:
    """One state of the notebook, or one more grading of the same state.

    Attributes
    ----------
    push : Push
        The first push that had the notebook in this state.
    file : NotebookFile or None
        The notebook, None where a push had none at its place any more.
    graded : Graded or None
        Its grading, None while there is none.
    again : bool
        Whether this is another grading of a state graded before: the tests were changed.
    first : bool
        Whether no grading came before, so that there is nothing to compare with.
    changes : tuple of Change
        Against the grading before.
    counts : tuple of str
        Names of the parts for which this state counts.
    superseded : bool
        Whether a newer push took its place before it was graded.
    """

    push: Push
    file: NotebookFile | None
    graded: RecordedReport | None = None
    again: bool = False
    first: bool = False
    changes: tuple[Change, ...] = ()
    counts: tuple[str, ...] = ()
    superseded: bool = False


@dataclass(frozen=True)
class _Stretch:
    """Successive pushes with the notebook in one and the same state."""

    pushes: tuple[Push, ...]
    file: NotebookFile | None
    gradings: tuple[RecordedReport, ...] = field(default=())


def list_history(record: StudentRecord, standing: Standing) -> tuple[Entry, ...]:
    """Return the entries of an assignment, newest first."""
    entries: list[Entry] = []
    earlier: tuple[RecordedReport, ...] = ()
    stretches = _find_stretches(record.about(standing.assignment), standing)
    for stretch in stretches:
        counts = _list_counting_parts(stretch, standing)
        if not stretch.gradings:
            # Only what may still count is graded: an older state may never be, and is not waiting.
            superseded = stretch is not stretches[-1] and not counts
            entries.append(
                Entry(stretch.pushes[0], stretch.file, counts=counts, superseded=superseded)
            )
        for number in range(len(stretch.gradings)):
            entry = _make_entry(stretch, number, earlier)
            # Of several gradings of one state the last one is the one that counts.
            is_last = number == len(stretch.gradings) - 1
            entries.append(replace(entry, counts=counts if is_last else ()))
        earlier = stretch.gradings or earlier
    return tuple(reversed(entries))


def find_newest_report(
    record: StudentRecord, file: NotebookFile | None, assignment: str
) -> Report | None:
    """Return the last report of a notebook, None if it was never graded."""
    gradings = _list_gradings(record, file, assignment)
    return gradings[-1].report if gradings else None


def _make_entry(stretch: _Stretch, number: int, earlier: Sequence[RecordedReport]) -> Entry:
    """The grading of a state, compared with the one before it or, if it is the first, with the
    state before it.
    """
    graded = stretch.gradings[number]
    before = stretch.gradings[number - 1] if number else _choose_earlier(graded, earlier)
    changes = _compare_reports(before.report, graded.report)
    return Entry(
        stretch.pushes[0],
        stretch.file,
        graded,
        again=number > 0,
        first=before is graded,
        changes=changes,
    )


def _choose_earlier(graded: RecordedReport, earlier: Sequence[RecordedReport]) -> RecordedReport:
    """The grading to compare with; the grading itself where there is none before it."""
    # By the same tests if there is one: else a repaired test would look like the student's work.
    for other in reversed(earlier):
        if other.report.exam == graded.report.exam:
            return other
    return earlier[-1] if earlier else graded


def _find_stretches(record: StudentRecord, standing: Standing) -> list[_Stretch]:
    stretches: list[_Stretch] = []
    seen: set[str] = set()
    for push, file in _list_states(record, standing):
        blob = file.blob if file else ""
        if stretches and blob == (stretches[-1].file.blob if stretches[-1].file else ""):
            stretches[-1] = replace(stretches[-1], pushes=(*stretches[-1].pushes, push))
        elif file or stretches:
            gradings = _list_gradings(record, file, standing.assignment)
            # An old state pushed anew has its gradings in the list already: its last one says
            # enough.
            stretches.append(_Stretch((push,), file, gradings[-1:] if blob in seen else gradings))
            seen.add(blob)
    return stretches


def _list_states(
    record: StudentRecord, standing: Standing
) -> Iterator[tuple[Push, NotebookFile | None]]:
    """Yield each push with its notebook, by time; also what counts though it does not lie at its
    place.
    """
    counting = {}
    for part in standing.parts:
        if part.push is not None:
            counting[part.push.branch, part.push.commit] = part
    pushes: Sequence[Push] = record.pushes
    aside = []
    for push in record.aside:
        if (push.branch, push.commit) in counting:
            aside.append(push)
    # The record's own order is that of its lines; only pushes of two branches have to be put in
    # order by time.
    if aside:
        pushes = sorted((*record.pushes, *aside), key=lambda push: push.time)
    for push in pushes:
        counted = counting.get((push.branch, push.commit))
        if counted is None:
            yield push, find_notebook(push.notebooks, standing.assignment)
        else:
            yield push, counted.file


def _list_gradings(
    record: StudentRecord, file: NotebookFile | None, assignment: str
) -> tuple[RecordedReport, ...]:
    if file is None:
        return ()
    gradings = []
    for graded in record.graded:
        if graded.blob == file.blob and graded.report.assignment == assignment:
            gradings.append(graded)
    return tuple(gradings)


def _list_counting_parts(stretch: _Stretch, standing: Standing) -> tuple[str, ...]:
    commits = {push.commit for push in stretch.pushes}
    parts = []
    for part in standing.parts:
        if part.push is not None and part.push.commit in commits:
            parts.append(part.part)
    return tuple(parts)


def _compare_reports(before: Report, after: Report) -> tuple[Change, ...]:
    results = before.results
    changes = []
    for exercise in after.exercises:
        old = results.get(exercise.id)
        old_points = old.points if old is not None else None
        if old_points != exercise.points:
            changes.append(Change(exercise.id, old_points, exercise.points))
    return tuple(changes)
