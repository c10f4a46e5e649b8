"""A student's cells as they were meant: what the exam knows of a cell is put back, whatever became
of it in the file.

As nbgrader does, types, locks and the text of locked cells come from the exam. Beyond nbgrader: of
cells with one id the right one is found, an answer's cell is known without its metadata, an
untouched stub below an answer does not take the answer away, and code written into a locked cell
is run before that cell is put right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from autograder.course.exam import Exam, SourceCell
from autograder.course.notebook_files import Cell, Notebook
from autograder.grader.bound_names import (
    bound_names,
    defined_names,
    quote_code_names,
    stub_names,
)

STUB_LEFT_OUT = (
    "Cell {stub} holds {names} as given out, below your answer in cell {answer}; it was left out."
)


@dataclass(frozen=True)
class RestoredCell:
    """A cell of the student's notebook, put right.

    Attributes
    ----------
    number : int
        Its place in the student's file, from 1.
    cell : Cell
        Its type and the student's own text, with an id only where it is the exam's cell of that
        id.
    runs : bool
        Whether it is run if it is code.
    remark : str
        What to tell the student of it, empty if there is nothing.
    """

    number: int
    cell: Cell
    runs: bool = True
    remark: str = ""

    @property
    def is_code(self) -> bool:
        """Whether there is something to run."""
        return self.cell.kind == "code" and self.runs


def restore_cells(exam: Exam, notebook: Notebook) -> tuple[RestoredCell, ...]:
    """Return the cells of a student's notebook with what the exam knows of them put back, in the
    student's order.
    """
    marks = exam.cells_by_id
    cells = [RestoredCell(number, cell) for number, cell in enumerate(notebook.cells, start=1)]
    owners = {}
    for grade_id, mark in marks.items():
        owners[grade_id] = _owner(exam, mark, cells)
    # In this order: which id is whose has to be settled before an answer without one is looked for,
    # and every answer has to be known before a stub can be called superfluous.
    cells = [_put_right(exam, entry, marks, owners) for entry in cells]
    cells = list(_answers_recognised(exam, marks, cells))
    return tuple(_stubs_left_out(exam, cells))


def _owner(exam: Exam, mark: SourceCell, cells: Iterable[RestoredCell]) -> int | None:
    """Return the number of the cell that is the exam's, of all that carry its id: JupyterLab copies
    ids with cells.
    """
    unchanged: list[int] = []
    changed: list[int] = []
    for entry in cells:
        if entry.cell.grade_id != mark.grade_id:
            continue
        is_unchanged = exam.handout.is_unchanged(mark.grade_id, entry.cell.source)
        (unchanged if is_unchanged else changed).append(entry.number)
    twins = sorted(unchanged + changed)
    if mark.solution:
        # The one that was written in.
        twins = changed or unchanged
    elif not mark.is_test:
        # The one that was left alone: the copies are the student's to try things in.
        twins = unchanged or changed
    # The last of several, as the notebook's own order of running has it.
    return twins[-1] if twins else None


def _put_right(
    exam: Exam,
    entry: RestoredCell,
    marks: Mapping[str, SourceCell],
    owners: Mapping[str, int | None],
) -> RestoredCell:
    """Return a cell with its type, and with its id only where that is its own."""
    cell = entry.cell
    mark = marks.get(cell.grade_id)
    if mark is None:
        return replace(entry, cell=replace(cell, grade_id="")) if cell.grade_id else entry
    if owners[cell.grade_id] == entry.number:
        return replace(entry, cell=replace(cell, kind=mark.kind))
    # A second copy of a test as it was given out has nothing of the student's in it.
    repeats_test = mark.is_test and exam.handout.is_unchanged(cell.grade_id, cell.source)
    kind = mark.kind if mark.solution else cell.kind
    return replace(entry, cell=replace(cell, kind=kind, grade_id=""), runs=not repeats_test)


def _answers_recognised(
    exam: Exam, marks: Mapping[str, SourceCell], cells: Sequence[RestoredCell]
) -> Iterator[RestoredCell]:
    """Yield the cells; one that defines what a lost solution cell should define takes its id, and
    is code.
    """
    there = {entry.cell.grade_id for entry in cells}
    wanted: dict[str, str] = {}
    for exercise in exam.exercises:
        for grade_id in exercise.solutions:
            if grade_id not in there and marks[grade_id].kind == "code":
                wanted |= dict.fromkeys(defined_names(marks[grade_id].source), grade_id)
    coded: set[str] = set()
    for entry in cells:
        if entry.cell.kind == "code":
            coded |= defined_names(entry.cell.source)
    for entry in cells:
        cell = entry.cell
        found = wanted.keys() & defined_names(cell.source) if not cell.grade_id else set()
        # A text that only looks like code answers nothing where code does.
        if found and (cell.kind == "code" or not found & coded):
            grade_id = wanted[min(found)]
            # One cell takes an id: the next that defines the same is the student's own.
            wanted = {name: other for name, other in wanted.items() if other != grade_id}
            yield replace(entry, cell=replace(cell, kind="code", grade_id=grade_id))
        else:
            yield entry


def _stubs_left_out(exam: Exam, cells: Sequence[RestoredCell]) -> Iterator[RestoredCell]:
    """Yield the cells; one with nothing but stubs, below answers to them, is not to be run."""
    times: Counter[str] = Counter()
    given: set[str] = set()
    for mark in exam.cells:
        if mark.kind == "code" and mark.solution and not mark.graded:
            times.update(defined_names(mark.source))
            for text in exam.handout.by_id.get(mark.grade_id, ()):
                given.add(text.strip())
    # Where two cells ask for one name, the second stub is an exercise of its own.
    asked = frozenset(name for name, number in times.items() if number == 1)
    written: dict[str, int] = {}
    for entry in cells:
        source = entry.cell.source
        stubs: frozenset[str] = frozenset()
        if entry.cell.kind == "code":
            stubs = asked & (
                defined_names(source) if source.strip() in given else stub_names(source)
            )
        if stubs and stubs <= written.keys():
            answer = max(written[name] for name in stubs)
            listed = quote_code_names(sorted(stubs))
            remark = STUB_LEFT_OUT.format(stub=entry.number, names=listed, answer=answer)
            yield replace(entry, runs=False, remark=remark)
            continue
        if entry.cell.kind == "code" and not stubs:
            written |= dict.fromkeys(bound_names(source), entry.number)
        yield entry


def code_in_locked_cell(exam: Exam, restored: Sequence[RestoredCell], entry: RestoredCell) -> str:
    """Return what a student wrote into a cell that is put right, where it answers an exercise as no
    other cell does.
    """
    source = entry.cell.source
    if exam.handout.is_unchanged(entry.cell.grade_id, source):
        return ""
    asked: set[str] = set()
    for mark in exam.cells:
        if mark.kind == "code" and mark.solution:
            asked |= defined_names(mark.source)
    wanted = defined_names(source) & asked
    if not wanted:
        return ""
    elsewhere: set[str] = set()
    for other in restored:
        if other is not entry and other.is_code:
            elsewhere |= defined_names(other.cell.source)
    return source if wanted - elsewhere else ""
