"""The cells of a source notebook with what nbgrader wrote into them, and the exercises they make."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from autograder.course.errors import ExamError

SCHEMA_VERSION = 3  # of nbgrader's marks in cells: since its version 0.6


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
        """Whether students get the cell without what is written in it; of a task they get all."""
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


def read_source_cells(path: Path) -> tuple[SourceCell, ...]:
    """Read the cells of a source notebook.

    Raises
    ------
    ExamError
        If the file is missing, no notebook, has two cells of one id, or points that are no number.
    """
    cells = [_source_cell(cell, path) for cell in _load(path)["cells"]]
    seen: set[str] = set()
    for cell in cells:
        # Points, marks and answers are filed by it, so nobody could tell the two apart.
        if cell.grade_id in seen:
            raise ExamError(
                f"{path}: two cells have the nbgrader id {cell.grade_id!r}; give each its own"
            )
        if cell.grade_id:
            seen.add(cell.grade_id)
    return tuple(cells)


def _load(path: Path) -> dict[str, Any]:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        wanted = "the source of an assignment is solutions/NAME/NAME.ipynb"
        raise ExamError(f"{path}: no such file; {wanted}") from None
    except ValueError as error:
        raise ExamError(f"{path}: not a notebook ({error})") from None
    is_notebook = isinstance(notebook, dict) and notebook.get("nbformat") == 4
    if not is_notebook or not isinstance(notebook.get("cells"), list):
        raise ExamError(f"{path}: not a notebook of format 4; open it in JupyterLab and save it")
    return dict(notebook)


def _source_cell(cell: dict[str, Any], path: Path) -> SourceCell:
    metadata = cell.get("metadata", {})
    marks = metadata.get("nbgrader", {})
    # A cell without marks has no version, and nothing in it that could be outdated.
    version = marks.get("schema_version", SCHEMA_VERSION)
    if version < SCHEMA_VERSION:
        raise ExamError(
            f"{path}: nbgrader's marks in cell {marks.get('grade_id', '')!r} are of version {version}, "
            f"{SCHEMA_VERSION} is read; `nbgrader update {path.parent}` makes them new"
        )
    source = cell.get("source", "")
    return SourceCell(
        kind=cell["cell_type"],
        source=source if isinstance(source, str) else "".join(source),
        grade_id=marks.get("grade_id", ""),
        # nbgrader marks a task as neither, though one cell is answered and graded.
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


def find_exercises(
    cells: tuple[SourceCell, ...], parts: Mapping[str, tuple[str, ...]], path: Path
) -> tuple[Exercise, ...]:
    """Return the exercises of a source notebook in their order.

    Parameters
    ----------
    cells : tuple of SourceCell
        All cells.
    parts : mapping of str to tuple of str
        Patterns of exercise ids by part.
    path : Path
        Where the notebook lies, for messages.

    Raises
    ------
    ExamError
        If an exercise belongs to no part or to several.
    """
    exercises = []
    solutions: list[str] = []
    tested: tuple[str, ...] = ()
    for cell in cells:
        if cell.solution and not cell.graded:
            solutions.append(cell.grade_id)
        if not cell.graded:
            continue
        part = _part(cell.grade_id, parts, path)
        if not cell.is_test:
            own = (cell.grade_id,)
            exercises.append(Exercise(cell.grade_id, part, cell.points, True, own))
            continue
        # Else it is a second test of one answer, and grades the same cells again.
        if solutions:
            tested = tuple(solutions)
            solutions = []
        exercises.append(Exercise(cell.grade_id, part, cell.points, False, tested))
    return tuple(exercises)


def _part(exercise: str, parts: Mapping[str, tuple[str, ...]], path: Path) -> str:
    matching = []
    for part, patterns in parts.items():
        if any(fnmatchcase(exercise, pattern) for pattern in patterns):
            matching.append(part)
    if len(matching) != 1:
        found = " and ".join(matching) or "none"
        raise ExamError(
            f"{path}: exercise {exercise!r} belongs to {found} of the parts; it must be exactly one"
        )
    return matching[0]
