"""A source notebook read as an exam: its cells, its exercises, its tests, their points.

The exam knows nothing of how it will be run. Hidden tests, points and positions come from here and
never from the student's file, so a submission that lost its metadata or its test cells is still
graded in full.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from autograder.course.cell_statements import (
    IMPORTS,
    find_bound_names,
    find_definitions,
    find_imported_names,
    find_names_in_functions,
    makes_names_only,
    names_imported_by,
    read_statements,
)
from autograder.course.errors import ExamError
from autograder.course.exam_cells import (
    Exercise as Exercise,
)
from autograder.course.exam_cells import (
    SourceCell as SourceCell,
)
from autograder.course.exam_cells import find_exercises, read_source_cells
from autograder.course.handout import Handout, read_handout
from autograder.course.leaderboard import LEADERBOARD_FILE, Leaderboard, read_leaderboard
from autograder.course.names import quote_name
from autograder.course.recorded_tests import RecordedTests, fingerprint, read_recorded_tests
from autograder.course.source_markers import NBGRADERS, Markers
from autograder.course.submission_files import is_path_beside

# Raise it when the same answers would get other points: reports of an older grader are then made
# anew.
GRADER_VERSION = 6

TRY_IT = "try-it"
NO_LOAN = "no-loan"  # a test cell with this tag is run with the student's own functions only
# Tags of a test cell: where it runs, whatever its release found best.
INSIDE = "inside"
OUTSIDE = "outside"
RAISES = "raises-exception"  # Jupyter's tag of a cell that is meant to fail
CELLS_NEED_TESTS = "a cell of the notebook uses a name that only a test makes"
BY_TAG = f"its cell has the tag {INSIDE!r}"
# A line that nbgrader fills in with tests.
AUTOTEST = re.compile(r"^\s*#.*\bAUTOTEST\b", re.MULTILINE)
# They lie beside a source notebook and are never released.
INSTRUCTORS_ONLY = frozenset({"mistakes.py", "alternatives.py", "shortcuts.py", LEADERBOARD_FILE})
WHOLE = ""  # the part of an assignment that has no parts


@dataclass(frozen=True)
class Exam:
    """Everything needed to grade submissions of one assignment.

    Attributes
    ----------
    inside : mapping of str to str
        The exercises that are tested inside the jail, in the student's own process, each with the
        reason.
    strict : bool
        Whether a cell of the source that fails is an error of the exam; else it is noted, as in
        nbgrader.
    markers : Markers
        What begins and ends a solution or a hidden test in its cells.
    leaderboard : Leaderboard or None
        What is measured of the answers to its open question.
    """

    assignment: str
    cells: tuple[SourceCell, ...]
    exercises: tuple[Exercise, ...]
    files: Mapping[str, bytes] = field(repr=False, default_factory=dict)
    mistakes: str = field(repr=False, default="")
    handout: Handout = field(repr=False, default_factory=Handout)
    lend: bool = True
    inside: Mapping[str, str] = field(default_factory=dict)
    strict: bool = True
    markers: Markers = NBGRADERS
    leaderboard: Leaderboard | None = None

    @property
    def points(self) -> float:
        """Points of all exercises."""
        return sum(exercise.points for exercise in self.exercises)

    @property
    def tests(self) -> dict[str, str]:
        """Source of each exercise's test cell, by exercise id."""
        return {cell.grade_id: cell.source for cell in self.cells if cell.is_test}

    @property
    def tested(self) -> tuple[Exercise, ...]:
        """The exercises whose points a test gives."""
        return tuple(exercise for exercise in self.exercises if not exercise.manual)

    @property
    def marked_by_hand(self) -> tuple[Exercise, ...]:
        """The exercises whose points a person gives."""
        return tuple(exercise for exercise in self.exercises if exercise.manual)

    @property
    def cells_by_id(self) -> dict[str, SourceCell]:
        """The cells that have an nbgrader id, by it."""
        return {cell.grade_id: cell for cell in self.cells if cell.grade_id}

    @property
    def points_of(self) -> dict[str, float]:
        """Points of each exercise, by its id."""
        return {exercise.id: exercise.points for exercise in self.exercises}

    def find_exercise(self, name: str) -> Exercise:
        """Return the exercise of an id; a KeyError where there is none."""
        for exercise in self.exercises:
            if exercise.id == name:
                return exercise
        raise KeyError(name)

    def tags(self, exercise: Exercise) -> tuple[str, ...]:
        """Return the tags of an exercise's graded cell."""
        for cell in self.cells:
            if cell.graded and cell.grade_id == exercise.id:
                return cell.tags
        raise KeyError(exercise.id)

    def defines(self, exercise: Exercise) -> tuple[str, ...]:
        """Return the functions and classes that an exercise's solution cells define."""
        names: list[str] = []
        for cell in self.cells:
            if cell.kind == "code" and cell.grade_id in exercise.solutions:
                names += find_definitions(cell.source)
        return tuple(names)

    @cached_property
    def imported(self) -> frozenset[str]:
        """Names the notebook imports for everybody, `assert_allclose` say; none an answer binds."""
        given, _ = self._reference_texts()
        return find_imported_names(given) - self.asked_names

    @cached_property
    def bound_by_tests(self) -> frozenset[str]:
        """Names that the tests make themselves."""
        return find_bound_names(list(self.tests.values()))

    @cached_property
    def asked_names(self) -> frozenset[str]:
        """Names that the solution cells make."""
        _, answers = self._reference_texts()
        return find_bound_names(answers)

    @cached_property
    def asked_classes(self) -> frozenset[str]:
        """Classes that the solution cells make."""
        _, answers = self._reference_texts()
        names: set[str] = set()
        for source in answers:
            for statement in read_statements(source):
                if isinstance(statement, ast.ClassDef):
                    names.add(statement.name)
        return frozenset(names)

    @cached_property
    def made_by_cells(self) -> frozenset[str]:
        """Names that the cells make which are no tests."""
        given, answers = self._reference_texts()
        return find_bound_names(given + answers)

    @cached_property
    def made_by_tests_only(self) -> frozenset[str]:
        """Names that tests make and no other cell does: what is below a test may use them."""
        return self.bound_by_tests - self.made_by_cells

    @cached_property
    def used_by_given_functions(self) -> frozenset[str]:
        """Names that functions use which are given to everybody, a test's helpers say."""
        given, _ = self._reference_texts()
        return find_names_in_functions(given)

    def _reference_texts(self) -> tuple[list[str], list[str]]:
        """Return the texts of the reference's cells: those given to everybody, and the answers."""
        given: list[str] = []
        answers: list[str] = []
        for cell in self.reference_cells:
            (answers if cell.solution else given).append(cell.source)
        return given, answers

    @cached_property
    def imports(self) -> str:
        """The statements with which the course's own cells import something no answer binds."""
        found = []
        for cell in self.reference_cells:
            if cell.solution:
                continue
            for statement in read_statements(cell.source):
                if not isinstance(statement, IMPORTS) or not makes_names_only(statement):
                    continue
                if not self.asked_names.intersection(names_imported_by(statement)):
                    found.append(ast.unparse(statement))
        return "\n".join(found)

    @property
    def locked(self) -> dict[str, str]:
        """Source of each locked, ungraded code cell, by grade id."""
        sources = {}
        for cell in self.cells:
            ours = cell.kind == "code" and cell.locked and not cell.graded and not cell.solution
            if ours and cell.grade_id:
                sources[cell.grade_id] = cell.source
        return sources

    @property
    def reference_cells(self) -> tuple[SourceCell, ...]:
        """Code cells that make the reference: no tests, and none that only try something."""
        found = []
        for cell in self.cells:
            if cell.kind == "code" and not cell.is_test and TRY_IT not in cell.tags:
                found.append(cell)
        return tuple(found)

    @cached_property
    def settings(self) -> tuple[str, ...]:
        """Statements of the course's own cells that import, or make what answers build on."""
        found = []
        for cell in self.reference_cells:
            statements = [] if cell.solution else read_statements(cell.source)
            # Other cells only show something, or students are meant to change them.
            if cell.locked or any(isinstance(statement, IMPORTS) for statement in statements):
                for statement in statements:
                    if makes_names_only(statement):
                        found.append(ast.unparse(statement))
        return tuple(found)

    @cached_property
    def version(self) -> str:
        """Fingerprint of all that points depend on; another version means: grade again."""
        digest = hashlib.sha256(f"grader {GRADER_VERSION}\n".encode())
        if not self.lend:
            digest.update(b"no loan")
        for cell in self.cells:
            # A text that gives no points may be reworded without grading anybody again.
            if cell.kind == "code" or cell.graded:
                digest.update(
                    # As JSON, whose quotes keep texts apart: 'ab', 'c' is not 'a', 'bc'.
                    json.dumps([cell.source, cell.grade_id, cell.points, cell.tags]).encode()
                )
        for exercise in self.exercises:
            digest.update(json.dumps([exercise.id, exercise.part]).encode())
        for name in sorted(self.inside):  # the reasons give no points
            digest.update(f"inside {name}\n".encode())
        for name, content in sorted(self.files.items()):
            digest.update(name.encode() + b"\0" + content)
        digest.update(self.mistakes.encode())
        # Numbers that were measured in different ways have no order.
        if self.leaderboard is not None:
            digest.update(b"leaderboard\0" + self.leaderboard.source.encode())
        # 64 bits: it tells versions of one exam apart, and stands in every report.
        return digest.hexdigest()[:16]


def read_exam(
    path: Path,
    parts: Mapping[str, tuple[str, ...]] | None = None,
    release: Path | None = None,
    *,
    lend: bool = True,
    strict: bool = True,
    recorded: RecordedTests | None = None,
    markers: Markers = NBGRADERS,
) -> Exam:
    """Read the exam of a source notebook.

    Parameters
    ----------
    path : Path
        `solutions/NAME/NAME.ipynb`; data files and `mistakes.py` lie beside it.
    parts : mapping of str to tuple of str, optional
        Patterns of exercise ids by part, as `grading_config.py` gives them.
    release : Path, optional
        What students were given; it may be missing.
    lend : bool, optional
        Whether an exercise is tested with the reference's functions in the place of earlier ones
        that are wrong.
    strict : bool, optional
        Whether a cell of the source that fails is an error of the exam.
    recorded : RecordedTests, optional
        What is known of its tests; without it what its last release wrote down.
    markers : Markers, optional
        What begins and ends a solution or a hidden test, where that is not as nbgrader has it.

    Raises
    ------
    ExamError
        If the file is missing, no notebook, has two cells of one id, no exercise, an exercise
        without a part, or points that are no number, or a test that nbgrader has to make first.
    """
    cells = read_source_cells(path)
    recorded = read_recorded_tests(path) if recorded is None else recorded
    cells = tuple(_with_made_test(cell, path, recorded) for cell in cells)
    exercises = find_exercises(cells, parts or {WHOLE: ("*",)}, path)
    if not exercises:
        step = "mark one as an autograded test in nbgrader's toolbar"
        raise ExamError(f"{path}: no cell gives points; {step}")
    mistakes = path.with_name("mistakes.py")
    return Exam(
        assignment=path.stem,
        cells=cells,
        exercises=exercises,
        files=read_files_beside(path.parent),
        mistakes=mistakes.read_text(encoding="utf-8") if mistakes.exists() else "",
        handout=read_handout(cells, release, markers),
        lend=lend,
        inside=_inside(cells, recorded),
        strict=strict,
        markers=markers,
        leaderboard=read_leaderboard(path),
    )


def _with_made_test(cell: SourceCell, path: Path, recorded: RecordedTests) -> SourceCell:
    """Return a cell with the test that nbgrader made from its AUTOTEST lines in their place."""
    if not cell.is_test or not AUTOTEST.search(cell.source):
        return cell
    # Tests of another version may ask for what this one has not got.
    if cell.grade_id not in recorded.made or recorded.source != fingerprint(path):
        raise ExamError(
            f"{path}: the tests of cell {cell.grade_id!r} are AUTOTEST lines, and none were made "
            "from this version of the notebook; "
            f"`autograder release {quote_name(path.parent.name)}` makes them"
        )
    return replace(cell, source=recorded.made[cell.grade_id])


def _inside(cells: Iterable[SourceCell], recorded: RecordedTests) -> dict[str, str]:
    """Return the exercises that are tested inside, with the reason; a cell's tag overrules it."""
    inside = {}
    for cell in cells:
        if not cell.is_test or OUTSIDE in cell.tags:
            continue
        if INSIDE in cell.tags:
            inside[cell.grade_id] = BY_TAG
        elif cell.grade_id in recorded.inside:
            inside[cell.grade_id] = recorded.inside[cell.grade_id]
    return inside


def read_files_beside(folder: Path) -> dict[str, bytes]:
    """Return the files beside a source notebook that are for students' notebooks to read, by path
    from there.

    Folders are read, too. Notebooks, hidden files and what only instructors may have are left out.
    """
    files = {}
    # In one order everywhere: the exam's fingerprint is made of them.
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and is_path_beside(name) and name not in INSTRUCTORS_ONLY:
            files[name] = path.read_bytes()
    return files
