"""The roles of the practice class: what each kind of student pushes, and what each must get for
it.
"""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from autograder.course.exam import Exam, Exercise
from autograder.course.source_markers import keep_lines_with_solution
from autograder.mistakes import load_variants
from autograder.record.standings import PartState

# Looks for the tests on the disk and in memory, then disarms what they may compare with
PEEK = """\
import os, sys, gc
found = []
for folder in ("/", "/home", "/root", "/tmp", "/proc/1", "/proc/self", os.getcwd()):
    for root, folders, files in os.walk(folder):
        if root.count("/") > 6:
            folders.clear()
        for name in files:
            if name.endswith((".ipynb", ".db", ".jsonl", "mistakes.py")):
                found.append(os.path.join(root, name))
for path in found:
    print(open(path, errors="replace").read()[:2000])
for thing in gc.get_objects():
    if isinstance(thing, str) and "BEGIN HIDDEN" + " TESTS" in thing:
        print(thing)
import numpy.testing
numpy.testing.assert_allclose = lambda *arguments, **options: None
import builtins
builtins.isinstance = lambda *arguments: True
"""


class PushWave(IntEnum):
    """When pushes come, in days relative to the deadline's."""

    EARLY = -3
    LAST_DAY = -1
    LATE = 1
    AFTER = 3


class DueGrade(IntEnum):
    """What a role must get for an exercise."""

    NOTHING = 0
    HINT = 1
    FULL = 2


Files = Mapping[str, bytes]
Author = Callable[["StudentDesk"], Files]


@dataclass(frozen=True)
class StudentRole:
    """One kind of student: what they push in which wave, and what must come of it.

    Attributes
    ----------
    problem : str
        Words that a sentence to the student must hold.
    branch : str
        Where they push to, "" for the branch that is graded.
    factor : float
        Share of the points that the late rule leaves.
    astray : bool
        Whether their work lies where it is graded only in a course that looks for it anywhere; then
        `state` and `problem` are what they get in any other.
    """

    name: str
    pushes: Mapping[PushWave, Author]
    state: PartState
    grades: Callable[[Exercise, StudentDesk], DueGrade]
    problem: str = ""
    branch: str = ""
    factor: float = 1.0
    astray: bool = False

    def in_course(self, find: str) -> StudentRole:
        """Return the role as it must come out in a course with this `c.Course.find`."""
        if not self.astray:
            return self
        if find == "anywhere":
            return replace(self, state=PartState.GRADED, problem="is graded all the same")
        return replace(self, grades=_nothing)


@dataclass(frozen=True)
class StudentDesk:
    """What a practice student has in front of them: a released notebook, and the answers they will
    give.
    """

    student: str
    exam: Exam
    released: Mapping[str, Any]

    @property
    def path(self) -> str:
        """Where the solved notebook belongs."""
        return f"assignments/{self.exam.assignment}/{self.exam.assignment}_solved.ipynb"

    @property
    def answers(self) -> dict[str, str]:
        """The reference's solution cells by grade id, with the markers taken out."""
        answers = {}
        for cell in self.exam.cells:
            if cell.solution and cell.kind == "code":
                lines = keep_lines_with_solution(cell.source.splitlines(), self.exam.markers)
                answers[cell.grade_id] = "\n".join(lines)
        return answers

    def first_half(self) -> set[str]:
        """Return the ids of the exercises that make the first half, at least one."""
        ids = list(self.exam.points_of)
        return set(ids[: max(1, len(ids) // 2)])

    def known_mistake(self) -> tuple[str, str, str]:
        """Return the function, the source and the hint of the assignment's first known mistake."""
        variants = load_variants(self.exam.mistakes, "mistakes.py")
        mistake = next(iter(variants or ()))
        for node in ast.parse(self.exam.mistakes).body:
            if isinstance(node, ast.FunctionDef) and node.name == mistake.name:
                # A student's notebook knows nothing of where mistakes are registered
                node.decorator_list.clear()
                source = f"{ast.unparse(node)}\n\n{mistake.of} = {mistake.name}"
                return mistake.of, source, mistake.hint
        raise LookupError(f"{self.exam.assignment}: mistakes.py defines no {mistake.name}")

    def exercise_of(self, function: str) -> str:
        """Return the exercise whose solution cell defines a function."""
        for exercise in self.exam.exercises:
            for cell in exercise.solutions:
                if f"def {function}(" in self.answers.get(cell, ""):
                    return exercise.id
        raise LookupError(f"{self.exam.assignment}: no solution cell defines {function}")

    def notebook(self, answers: Mapping[str, str], extra: Iterable[str] = ()) -> bytes:
        """Return the released notebook with answers filled in and extra cells below its first
        one.
        """
        notebook = copy.deepcopy(dict(self.released))
        for cell in notebook["cells"]:
            grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
            if grade_id in answers:
                cell["source"] = answers[grade_id]
        # Else the same answers would be the same bytes, and equal notebooks are graded once
        said = f"Handed in by {self.student}."
        name = {"cell_type": "markdown", "id": "who", "metadata": {}, "source": said}
        cells: list[dict[str, object]] = []
        for number, source in enumerate(extra):
            cell = {"cell_type": "code", "id": f"extra-{number}", "metadata": {}, "source": source}
            cells.append(cell | {"execution_count": None, "outputs": []})
        notebook["cells"][1:1] = [name, *cells]
        return json.dumps(notebook, indent=1, ensure_ascii=False).encode()


def answer_everything(desk: StudentDesk) -> Files:
    """Every exercise answered as the reference does."""
    return {desk.path: desk.notebook(desk.answers)}


def answer_wrongly(desk: StudentDesk) -> Files:
    """Every function returns nothing."""
    return {desk.path: desk.notebook(_wrong_answers(desk))}


def answer_first_half(desk: StudentDesk) -> Files:
    """The first half of the exercises answered."""
    first_half = desk.first_half()
    everything = desk.answers
    answers = {}
    for exercise in desk.exam.exercises:
        if exercise.id in first_half:
            for cell in exercise.solutions:
                # A written answer is none that can be tested
                if cell in everything:
                    answers[cell] = everything[cell]
    return {desk.path: desk.notebook(answers)}


def answer_with_mistake(desk: StudentDesk) -> Files:
    """All right but for the first known mistake."""
    function, source, _ = desk.known_mistake()
    changed = {}
    for cell, text in desk.answers.items():
        defines_it = f"def {function}(" in text
        changed[cell] = f"{text}\n\n{source}" if defines_it else text
    return {desk.path: desk.notebook(changed)}


def leave_untouched(desk: StudentDesk) -> Files:
    """The copy as it was released."""
    return {desk.path: desk.notebook({})}


def misplace_notebook(desk: StudentDesk) -> Files:
    """All right, at the repository's root."""
    return {f"{desk.exam.assignment}_solved.ipynb": desk.notebook(desk.answers)}


def rename_notebook(desk: StudentDesk) -> Files:
    """All right, under the name that Colab gives a copy."""
    folder, _, _ = desk.path.rpartition("/")
    return {f"{folder}/Copy of {desk.exam.assignment}.ipynb": desk.notebook(desk.answers)}


def push_notes(desk: StudentDesk) -> Files:
    """Something else: the homework lies in the fork as it was given out."""
    return {"notes.md": b"What I want to ask in the lecture.\n"}


def push_next_homework(desk: StudentDesk) -> Files:
    """The homework that comes next, of which this course knows nothing yet."""
    return {"assignments/next/next_solved.ipynb": desk.notebook({})}


def import_from_colab(desk: StudentDesk) -> Files:
    """All right, with a line on top of the imports that only Colab can run."""
    notebook = json.loads(desk.notebook(desk.answers))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    first = next((cell for cell in cells if "import " in "".join(cell["source"])), cells[0])
    first["source"] = "from google.colab import drive\n" + "".join(first["source"])
    return {desk.path: json.dumps(notebook, indent=1, ensure_ascii=False).encode()}


def truncate_notebook(desk: StudentDesk) -> Files:
    """All right, but only the beginning of the file was written."""
    return {desk.path: desk.notebook(desk.answers)[:100]}


def loop_endlessly(desk: StudentDesk) -> Files:
    """All right, below a cell that never ends."""
    return {desk.path: desk.notebook(desk.answers, ["while True:\n    pass"])}


def quit_python(desk: StudentDesk) -> Files:
    """All right, below a cell that ends the process."""
    return {desk.path: desk.notebook(desk.answers, ["import os\n\nos._exit(0)"])}


def look_for_tests(desk: StudentDesk) -> Files:
    """All wrong, below a cell that looks for hidden tests and disarms assertions."""
    return {desk.path: desk.notebook(_wrong_answers(desk), [PEEK])}


def _wrong_answers(desk: StudentDesk) -> dict[str, str]:
    return {cell: _returning_none(source) for cell, source in desk.answers.items()}


def _returning_none(source: str) -> str:
    """Return the cell with every function's body replaced by one that returns nothing."""
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            node.body = [ast.Return(ast.Constant(None))]
    return ast.unparse(ast.fix_missing_locations(tree))


def _full(exercise: Exercise, desk: StudentDesk) -> DueGrade:
    return DueGrade.FULL


def _nothing(exercise: Exercise, desk: StudentDesk) -> DueGrade:
    return DueGrade.NOTHING


def _full_in_first_half(exercise: Exercise, desk: StudentDesk) -> DueGrade:
    return DueGrade.FULL if exercise.id in desk.first_half() else DueGrade.NOTHING


def _hint_for_mistake(exercise: Exercise, desk: StudentDesk) -> DueGrade:
    return (
        DueGrade.HINT if exercise.id == desk.exercise_of(desk.known_mistake()[0]) else DueGrade.FULL
    )


ROLES = (
    StudentRole("all-right", {PushWave.EARLY: answer_everything}, PartState.GRADED, _full),
    StudentRole("late", {PushWave.AFTER: answer_everything}, PartState.TOO_LATE, _nothing),
    StudentRole(
        "corrected",
        {PushWave.EARLY: answer_wrongly, PushWave.LAST_DAY: answer_everything},
        PartState.GRADED,
        _full,
    ),
    StudentRole(
        "corrected-late",
        {PushWave.EARLY: answer_wrongly, PushWave.AFTER: answer_everything},
        PartState.GRADED,
        _nothing,
    ),
    StudentRole(
        "half-done", {PushWave.EARLY: answer_first_half}, PartState.GRADED, _full_in_first_half
    ),
    StudentRole(
        "known-mistake",
        {PushWave.LAST_DAY: answer_with_mistake},
        PartState.GRADED,
        _hint_for_mistake,
    ),
    StudentRole("not-attempted", {PushWave.EARLY: leave_untouched}, PartState.NOT_BEGUN, _nothing),
    StudentRole(
        "wrong-place",
        {PushWave.EARLY: misplace_notebook},
        PartState.NOT_BEGUN,
        _full,
        "move it to",
        astray=True,
    ),
    StudentRole(
        "renamed",
        {PushWave.EARLY: rename_notebook},
        PartState.NOT_BEGUN,
        _full,
        "rename it to",
        astray=True,
    ),
    StudentRole(
        "wrong-branch",
        {PushWave.LAST_DAY: answer_everything},
        PartState.MISSING,
        _full,
        "on the branch",
        "my-work",
        astray=True,
    ),
    StudentRole(
        "not-begun",
        {PushWave.EARLY: push_notes},
        PartState.NOT_BEGUN,
        _nothing,
        "holds no answer yet",
    ),
    StudentRole(
        "late-then-next",
        {PushWave.LATE: answer_everything, PushWave.AFTER: push_next_homework},
        PartState.LATE,
        _full,
        factor=0.8,
    ),
    StudentRole(
        "colab-import", {PushWave.EARLY: import_from_colab}, PartState.GRADED, _full, "google.colab"
    ),
    StudentRole(
        "broken-json",
        {PushWave.LAST_DAY: truncate_notebook},
        PartState.GRADED,
        _nothing,
        "not valid JSON",
    ),
    StudentRole(
        "endless-loop",
        {PushWave.LAST_DAY: loop_endlessly},
        PartState.GRADED,
        _full,
        "took too long",
    ),
    StudentRole(
        "quits-python",
        {PushWave.EARLY: quit_python},
        PartState.GRADED,
        _full,
        "ended the Python process",
    ),
    StudentRole("peeks", {PushWave.LAST_DAY: look_for_tests}, PartState.GRADED, _nothing),
    StudentRole("nothing-pushed", {}, PartState.NOTHING, _nothing),
)
