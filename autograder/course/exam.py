"""A source notebook read as an exam: its cells, its exercises, its tests, their points.

The exam knows nothing of how it will be run. Hidden tests, points and positions come from here and
never from the student's file, so a submission that lost its metadata or its test cells is still
graded in full.
"""

from __future__ import annotations

import ast
import hashlib
import json
import math
import re
import symtable
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from autograder.course.errors import ExamError
from autograder.course.handout import Handout, read_handout
from autograder.course.recorded_tests import RecordedTests, fingerprint, read_recorded_tests
from autograder.course.source_markers import NBGRADERS, Markers
from autograder.course.submission_files import is_path_beside

# Raise it when the same answers would get other points: reports of an older grader are then made
# anew.
GRADER_VERSION = 3

TRY_IT = "try-it"
NO_LOAN = "no-loan"  # a test cell with this tag is run with the student's own functions only
INSIDE, OUTSIDE = "inside", "outside"  # tags of a test cell: where it runs, whatever its release found best
RAISES = "raises-exception"  # Jupyter's tag of a cell that is meant to fail
CELLS_NEED_TESTS = "a cell of the notebook uses a name that only a test makes"
BY_TAG = f"its cell has the tag {INSIDE!r}"
SCHEMA_VERSION = 3  # of nbgrader's marks in cells: since its version 0.6
AUTOTEST = re.compile(r"^\s*#.*\bAUTOTEST\b", re.MULTILINE)  # a line that nbgrader fills in with tests
# They lie beside a source notebook and are never released.
INSTRUCTORS_ONLY = frozenset({"mistakes.py", "alternatives.py", "shortcuts.py"})
WHOLE = ""  # the part of an assignment that has no parts


@dataclass(frozen=True)
class SourceCell:
    """A cell of the source notebook with what nbgrader's metadata says of it."""

    kind: str
    source: str
    grade_id: str = ""
    graded: bool = False
    solution: bool = False
    locked: bool = False
    points: float = 0.0
    tags: tuple[str, ...] = ()
    task: bool = False

    @property
    def holds_solution(self) -> bool:
        """Whether students get the cell without what is written in it; of a task they get the text."""
        return self.solution and not self.task

    @property
    def is_test(self) -> bool:
        """Whether the cell tests an exercise."""
        return self.graded and not self.solution and self.kind == "code"


@dataclass(frozen=True)
class Exercise:
    """A graded cell and the solution cells it grades; `manual` ones are marked by a person."""

    id: str
    part: str
    points: float
    manual: bool
    solutions: tuple[str, ...]


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

    @property
    def points(self) -> float:
        """Points of all exercises."""
        return sum(exercise.points for exercise in self.exercises)

    @property
    def tests(self) -> dict[str, str]:
        """Source of each exercise's test cell, by exercise id."""
        return {cell.grade_id: cell.source for cell in self.cells if cell.is_test}

    def tags(self, exercise: Exercise) -> tuple[str, ...]:
        """Return the tags of an exercise's graded cell."""
        return next(cell.tags for cell in self.cells if cell.graded and cell.grade_id == exercise.id)

    def defines(self, exercise: Exercise) -> tuple[str, ...]:
        """Return the functions and classes that an exercise's solution cells define."""
        names: list[str] = []
        for cell in self.cells:
            if cell.kind == "code" and cell.grade_id in exercise.solutions:
                with suppress(SyntaxError):  # a magic
                    nodes = ast.parse(cell.source).body
                    names += [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        return tuple(names)

    @cached_property
    def imported(self) -> frozenset[str]:
        """Names the notebook imports for everybody: `assert_allclose`, say, and no name that an answer binds."""
        others = [cell for cell in self.reference_cells if not cell.solution]
        return frozenset(_names_of(others, imports_only=True)) - self.asked_names

    @cached_property
    def bound_by_tests(self) -> frozenset[str]:
        """Names that the tests make themselves."""
        return frozenset(_names_of(cell for cell in self.cells if cell.is_test))

    @cached_property
    def asked_names(self) -> frozenset[str]:
        """Names that the solution cells make."""
        return frozenset(_names_of(cell for cell in self.reference_cells if cell.solution))

    @cached_property
    def made_by_tests_only(self) -> frozenset[str]:
        """Names that tests make and no other cell does: later cells and tests find what an earlier test made."""
        return self.bound_by_tests - frozenset(_names_of(self.reference_cells))

    @cached_property
    def imports(self) -> str:
        """The statements with which the course's own cells import something no answer binds."""
        found = []
        for cell in self.reference_cells:
            for statement in [] if cell.solution else _statements(cell.source):
                if isinstance(statement, ast.Import | ast.ImportFrom) and _is_setting(statement):
                    names = {(alias.asname or alias.name).split(".")[0] for alias in statement.names}
                    if not names & self.asked_names:
                        found.append(ast.unparse(statement))
        return "\n".join(found)

    @property
    def locked(self) -> dict[str, str]:
        """Source of each locked, ungraded code cell, by grade id."""
        cells = (cell for cell in self.cells if cell.kind == "code" and cell.locked and not cell.graded)
        return {cell.grade_id: cell.source for cell in cells if not cell.solution and cell.grade_id}

    @property
    def reference_cells(self) -> tuple[SourceCell, ...]:
        """Code cells that make the reference: all but tests and those only there to try something."""
        code = (cell for cell in self.cells if cell.kind == "code")
        return tuple(cell for cell in code if not cell.is_test and TRY_IT not in cell.tags)

    @cached_property
    def settings(self) -> tuple[str, ...]:
        """The statements in which the course's own cells import, or make what answers build on, in their order."""
        found = []
        for cell in self.reference_cells:
            statements = [] if cell.solution else _statements(cell.source)
            if cell.locked or any(isinstance(statement, ast.Import | ast.ImportFrom) for statement in statements):
                found += [ast.unparse(statement) for statement in statements if _is_setting(statement)]
        return tuple(found)

    @cached_property
    def version(self) -> str:
        """Fingerprint of all that points depend on; another version means: grade again."""
        digest = hashlib.sha256(f"grader {GRADER_VERSION}\n".encode())
        if not self.lend:
            digest.update(b"no loan")
        for cell in self.cells:
            if cell.kind == "code" or cell.graded:
                digest.update(json.dumps([cell.source, cell.grade_id, cell.points, cell.tags]).encode())
        for exercise in self.exercises:
            digest.update(json.dumps([exercise.id, exercise.part]).encode())
        for name in sorted(self.inside):  # the reasons give no points
            digest.update(f"inside {name}\n".encode())
        for name, content in sorted(self.files.items()):
            digest.update(name.encode() + b"\0" + content)
        digest.update(self.mistakes.encode())
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
    cells = tuple(_source_cell(cell, path) for cell in _load(path)["cells"])
    recorded = read_recorded_tests(path) if recorded is None else recorded
    cells = tuple(_with_made_test(cell, path, recorded) for cell in cells)
    ids = [cell.grade_id for cell in cells if cell.grade_id]
    twice = sorted({grade_id for grade_id in ids if ids.count(grade_id) > 1})
    if twice:
        raise ExamError(f"{path}: two cells have the nbgrader id {twice[0]!r}; give each its own")
    exercises = _exercises(cells, parts or {WHOLE: ("*",)}, path)
    if not exercises:
        raise ExamError(f"{path}: no cell gives points; mark one as an autograded test in nbgrader's toolbar")
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
    )


def _with_made_test(cell: SourceCell, path: Path, recorded: RecordedTests) -> SourceCell:
    """Return a cell with the test that nbgrader made from its AUTOTEST lines in their place."""
    if not cell.is_test or not AUTOTEST.search(cell.source):
        return cell
    if cell.grade_id not in recorded.made or recorded.source != fingerprint(path):
        raise ExamError(
            f"{path}: the tests of cell {cell.grade_id!r} are AUTOTEST lines, and none were made from this version of "
            f"the notebook; `autograder release {path.parent.name}` makes them"
        )
    return replace(cell, source=recorded.made[cell.grade_id])


def _inside(cells: Iterable[SourceCell], recorded: RecordedTests) -> dict[str, str]:
    """Return the exercises that are tested inside, each with the reason; a cell's tag overrules what was found."""
    inside = {}
    for cell in cells:
        if not cell.is_test or OUTSIDE in cell.tags:
            continue
        if INSIDE in cell.tags:
            inside[cell.grade_id] = BY_TAG
        elif cell.grade_id in recorded.inside:
            inside[cell.grade_id] = recorded.inside[cell.grade_id]
    return inside


def global_names(source: str) -> frozenset[str]:
    """Return the names that a cell reads from its notebook: of its top level, and what its functions find there."""
    module = ast.Module(_statements(source), [])
    try:
        top = symtable.symtable(ast.unparse(ast.fix_missing_locations(module)), "<cell>", "exec")
    except (SyntaxError, RecursionError):
        return frozenset()
    return frozenset(_globals_read(top))


def _globals_read(table: symtable.SymbolTable) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (symbol.is_global() or table.get_type() == "module"):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals_read(child)


def _load(path: Path) -> dict[str, Any]:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ExamError(f"{path}: no such file; the source of an assignment is solutions/NAME/NAME.ipynb") from None
    except ValueError as error:
        raise ExamError(f"{path}: not a notebook ({error})") from None
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4 or not isinstance(notebook.get("cells"), list):
        raise ExamError(f"{path}: not a notebook of format 4; open it in JupyterLab and save it")
    return notebook


def _source_cell(cell: dict[str, Any], path: Path) -> SourceCell:
    metadata = cell.get("metadata", {})
    marks = metadata.get("nbgrader", {})
    if marks.get("schema_version", SCHEMA_VERSION) < SCHEMA_VERSION:
        raise ExamError(
            f"{path}: nbgrader's marks in cell {marks['grade_id']!r} are of version {marks.get('schema_version', 0)}, "
            f"{SCHEMA_VERSION} is read; `nbgrader update {path.parent}` makes them new"
        )
    source = cell.get("source", "")
    return SourceCell(
        kind=cell["cell_type"],
        source=source if isinstance(source, str) else "".join(source),
        grade_id=marks.get("grade_id", ""),
        graded=bool(marks.get("grade")) or bool(marks.get("task")),
        solution=bool(marks.get("solution")) or bool(marks.get("task")),
        locked=bool(marks.get("locked")),
        points=_points(marks, path),
        tags=tuple(metadata.get("tags", ())),
        task=bool(marks.get("task")),
    )


def _points(marks: dict[str, Any], path: Path) -> float:
    points = marks.get("points") or 0
    number = isinstance(points, int | float) and not isinstance(points, bool)
    if not number or not 0 <= points < math.inf:
        raise ExamError(
            f"{path}: the cell {marks.get('grade_id', '')!r} is worth {points!r} points; "
            "give it a number, 0 or more, in nbgrader's toolbar"
        )
    return float(points)


def _exercises(cells: tuple[SourceCell, ...], parts: Mapping[str, tuple[str, ...]], path: Path) -> tuple[Exercise, ...]:
    exercises = []
    solutions: list[str] = []
    tested: tuple[str, ...] = ()
    for cell in cells:
        if cell.solution and not cell.graded:
            solutions.append(cell.grade_id)
        if cell.graded:
            manual = not cell.is_test
            part = _part(cell.grade_id, parts, path)
            if not manual:  # a second test of one answer grades the same cells again
                tested, solutions = tuple(solutions) or tested, []
            exercises.append(Exercise(cell.grade_id, part, cell.points, manual, (cell.grade_id,) if manual else tested))
    return tuple(exercises)


def _part(exercise: str, parts: Mapping[str, tuple[str, ...]], path: Path) -> str:
    matching = [part for part, patterns in parts.items() if any(fnmatchcase(exercise, p) for p in patterns)]
    if len(matching) != 1:
        found = " and ".join(matching) or "none"
        raise ExamError(f"{path}: exercise {exercise!r} belongs to {found} of the parts; it must be exactly one")
    return matching[0]


def _is_setting(statement: ast.stmt) -> bool:
    """Whether a statement only makes names: a decorated function may be a check that runs at once."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return not statement.decorator_list
    kinds = ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign
    return isinstance(statement, kinds) and getattr(statement, "module", "") != "__future__"


def _names_of(cells: Iterable[SourceCell], *, imports_only: bool = False) -> Iterator[str]:
    """Yield the names that cells bind; those a star import brings only if its module is loaded."""
    for statement in (statement for cell in cells for statement in _statements(cell.source)):
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from () if imports_only else (statement.name,)
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    yield (alias.asname or alias.name).split(".")[0]
                    if alias.name == "*":
                        module = sys.modules.get(getattr(node, "module", None) or "")
                        yield from getattr(module, "__all__", ()) or (name for name in dir(module) if name[0] != "_")
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and not imports_only:
                yield node.id


def _statements(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except SyntaxError:  # a magic
        from IPython.core.inputtransformer2 import TransformerManager

        with suppress(SyntaxError):
            return ast.parse(TransformerManager().transform_cell(source)).body  # type: ignore[no-untyped-call]
    return []


def read_files_beside(folder: Path) -> dict[str, bytes]:
    """Return the files beside a source notebook that are for students' notebooks to read, by path from there.

    Folders are read, too. Notebooks, hidden files and what only instructors may have are left out.
    """
    files = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and is_path_beside(name) and name not in INSTRUCTORS_ONLY:
            files[name] = path.read_bytes()
    return files
