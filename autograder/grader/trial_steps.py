"""The cells of a notebook as they will be run, and where the kernels come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from autograder.course.exam import RAISES, Exam, Exercise
from autograder.grader.bound_names import bound_names
from autograder.grader.cell_restoring import RestoredCell, code_in_locked_cell
from autograder.grader.essays import list_looked_at
from autograder.kernel.jailed_kernel import Kernel


class Kernels(Protocol):
    """Where kernels come from: the examiner, who can start jailed processes."""

    def start(self) -> Kernel:
        """Start a fresh jailed kernel."""

    def why(self) -> str:
        """Say which limit ended the last kernel, empty if none did."""


@dataclass(frozen=True)
class Step:
    """A cell as it will be run: the student's own source, or the test of an exercise.

    `draw` says whether somebody will look at the figures that it displays.
    """

    source: str
    number: int = 0
    exercise: Exercise | None = None
    may_fail: bool = False
    draw: bool = False


def list_answers(exercise: Exercise, sources: Mapping[str, str]) -> list[str]:
    """Return what stands in the solution cells of an exercise, of those that are there."""
    return [sources[cell] for cell in exercise.solutions if cell in sources]


def plan_steps(exam: Exam, cells: Sequence[RestoredCell]) -> Iterator[Step]:
    """Yield the steps of a notebook: its code cells, each test at its place, lost tests at the end.

    Locked cells are taken from the exam, as nbgrader does, whatever the student made of them.
    """
    exercises = {exercise.id: exercise for exercise in exam.tested}
    locked = exam.locked
    tests = exam.tests
    there = {entry.cell.grade_id for entry in cells}
    # Only a person looks at figures, and only where one marks by hand.
    looked_at = list_looked_at(exam, cells) if exam.marked_by_hand else frozenset()
    for entry in cells:
        cell = entry.cell
        draw = entry.number in looked_at
        exercise = exercises.get(cell.grade_id)
        if exercise is not None or cell.grade_id in locked:
            # Before the cell is put right, so that the test below finds the answer.
            written = code_in_locked_cell(exam, cells, entry)
            if written:
                yield Step(written, entry.number, draw=draw)
        if exercise is not None:
            yield Step(tests[cell.grade_id], entry.number, exercise)
        elif entry.is_code:
            source = locked.get(cell.grade_id, cell.source)
            yield Step(source, entry.number, may_fail=RAISES in cell.tags, draw=draw)
    for name, exercise in exercises.items():
        if name not in there:
            yield Step(tests[name], 0, exercise)


def is_made_below(name: str, below: Sequence[Step]) -> bool:
    """Whether a cell of the student's further down binds a name."""
    return any(step.exercise is None and name in bound_names(step.source) for step in below)


def needed_settings(exam: Exam, cells: Sequence[RestoredCell]) -> str:
    """Return what the course's own cells import and make, and the student's do not."""
    locked = exam.locked
    made: set[str] = set()
    for entry in cells:
        if entry.is_code:
            made |= bound_names(locked.get(entry.cell.grade_id, entry.cell.source))
    needed = []
    for statement in exam.settings:
        # An import makes the same thing twice without harm, and the student's own cell may fail.
        imports = statement.startswith(("import ", "from "))
        if imports or not bound_names(statement) & made:
            needed.append(statement)
    return "\n".join(needed)
