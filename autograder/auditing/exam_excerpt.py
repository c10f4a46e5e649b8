"""The cells that one exercise needs, so that its many known answers can be graded quickly.

Which cells those are is guessed from names. Whoever uses an excerpt first makes sure that the reference still gets
all points with it, and takes the whole notebook where it does not.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from autograder.course.exam import Exam, Exercise, SourceCell
from autograder.course.submissions import Submission


@dataclass(frozen=True)
class ExamExcerpt:
    """An exam, perhaps of one exercise only, and the cells of a notebook that answers it as the
    reference does.
    """

    exam: Exam
    cells: tuple[SourceCell, ...]

    def submission(self, changes: Mapping[str, str] | None = None) -> Submission:
        """Return the notebook as a submission, with other sources in the cells of these ids."""
        cells = [
            {
                "cell_type": cell.kind,
                "metadata": {"nbgrader": {"grade_id": cell.grade_id}} if cell.grade_id else {},
                "source": (changes or {}).get(cell.grade_id, cell.source),
            }
            for cell in self.cells
        ]
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
        return Submission(
            self.exam.assignment, f"{self.exam.assignment}.ipynb", json.dumps(notebook).encode()
        )


def take_whole_exam(exam: Exam) -> ExamExcerpt:
    """Return the whole notebook."""
    return ExamExcerpt(exam, exam.cells)


def cut_excerpt(exam: Exam, exercise: Exercise) -> ExamExcerpt:
    """Return what one exercise needs: its test, the solutions, and of other cells what they use."""
    place, test = next(
        (index, cell)
        for index, cell in enumerate(exam.cells)
        if cell.is_test and cell.grade_id == exercise.id
    )
    code = [cell for cell in exam.reference_cells if cell.solution or not cell.locked]
    above = [cell for cell in code if cell in exam.cells[:place]]
    needed = _names([test, *(cell for cell in code if cell.solution)])
    shared = _used(code, needed)
    answered = _used(above, needed)
    return ExamExcerpt(
        replace(exam, cells=(*shared, test), exercises=(exercise,)), (*answered, test)
    )


def _used(cells: Sequence[SourceCell], needed: Iterable[str]) -> list[SourceCell]:
    """Return solution cells, and of the others the statements that bind a name needed below
    them.
    """
    names = set(needed)
    kept = []
    for cell in reversed(cells):
        source = cell.source if cell.solution else _used_lines(cell.source, names)
        if source:
            kept.append(replace(cell, source=source))
    return kept[::-1]


def _used_lines(source: str, names: set[str]) -> str:
    """Return the statements of a cell that bind one of the names; what they need themselves joins
    the names.
    """
    try:
        body = ast.parse(source).body
    except SyntaxError:  # a magic: not ours to judge
        return source
    kept = []
    for statement in reversed(body):
        if _bound(statement) & names:
            kept.append(ast.unparse(statement))
            names |= {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    return "\n".join(kept[::-1])


def _bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement binds, or whose object it changes by assignment."""
    bound: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            bound |= {inner.id for inner in ast.walk(node.value) if isinstance(inner, ast.Name)}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).split(".")[0])
    return bound


def _names(cells: Iterable[SourceCell]) -> set[str]:
    """Return every name that the cells mention."""
    names: set[str] = set()
    for cell in cells:
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:
            continue
        names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names
