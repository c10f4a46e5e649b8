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
        sources = changes or {}
        cells = []
        for cell in self.cells:
            metadata = {"nbgrader": {"grade_id": cell.grade_id}} if cell.grade_id else {}
            source = sources.get(cell.grade_id, cell.source)
            cells.append({"cell_type": cell.kind, "metadata": metadata, "source": source})
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
        name = self.exam.assignment
        return Submission(name, f"{name}.ipynb", json.dumps(notebook).encode())


def take_whole_exam(exam: Exam) -> ExamExcerpt:
    """Return the whole notebook."""
    return ExamExcerpt(exam, exam.cells)


def cut_excerpt(exam: Exam, exercise: Exercise) -> ExamExcerpt:
    """Return what one exercise needs: its test, the solutions, and of other cells what they use."""
    place = _find_test(exam, exercise)
    test = exam.cells[place]
    code = [cell for cell in exam.reference_cells if cell.solution or not cell.locked]
    above = [cell for cell in code if cell in exam.cells[:place]]
    solutions = [cell for cell in code if cell.solution]
    needed = _find_mentioned([test, *solutions])
    shared = _keep_used(code, needed)
    # A notebook is tested as far as it is when its test stands in it; the reference is all of its cells
    answered = _keep_used(above, needed)
    alone = replace(exam, cells=(*shared, test), exercises=(exercise,))
    return ExamExcerpt(alone, (*answered, test))


def _find_test(exam: Exam, exercise: Exercise) -> int:
    for place, cell in enumerate(exam.cells):
        if cell.is_test and cell.grade_id == exercise.id:
            return place
    raise KeyError(exercise.id)


def _keep_used(cells: Sequence[SourceCell], needed: Iterable[str]) -> list[SourceCell]:
    """Return solution cells, and of the others the statements that bind a name needed below
    them.
    """
    names = set(needed)
    kept = []
    # From below, since what a statement needs is bound above it
    for cell in reversed(cells):
        source = cell.source if cell.solution else _keep_used_lines(cell.source, names)
        if source:
            kept.append(replace(cell, source=source))
    return kept[::-1]


def _keep_used_lines(source: str, names: set[str]) -> str:
    """Return the statements of a cell that bind one of the names; what they need themselves joins
    the names.
    """
    try:
        body = ast.parse(source).body
    # A magic of IPython's: what it needs is not ours to judge
    except SyntaxError:
        return source
    kept = []
    for statement in reversed(body):
        if _find_bound(statement) & names:
            kept.append(ast.unparse(statement))
            names |= _find_names(statement)
    return "\n".join(kept[::-1])


def _find_bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement binds, or whose object it changes by assignment."""
    bound: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            bound |= _find_names(node.value)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).split(".")[0])
    return bound


def _find_mentioned(cells: Iterable[SourceCell]) -> set[str]:
    """Return every name that the cells mention."""
    names: set[str] = set()
    for cell in cells:
        # A cell with a magic is kept whole anyway, or is a test, and then the reference fails without its names
        try:
            names |= _find_names(ast.parse(cell.source))
        except SyntaxError:
            continue
    return names


def _find_names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
