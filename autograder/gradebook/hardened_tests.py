"""Which tests of a course that nbgrader grades run hardened, found by trying.

A hardened test is no cell of the notebook, and a few need to be one: they ask IPython for their
own source, trace the code they test, or replace something of Python's for the tests below. So the
course's own notebook, and the one that students get, are run both ways. A test to which either way
gives other points runs as a plain cell, as under nbgrader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nbgrader import utils

from autograder.course.exam import Exam, SourceCell
from autograder.gradebook.jailed_cells import CellsToRun, CourseNames, RanNotebook

Run = Callable[[Sequence[CellsToRun]], Sequence[RanNotebook]]


@dataclass(frozen=True)
class HardenedTests:
    """What is known of the tests of a notebook.

    Attributes
    ----------
    plain : frozenset of str
        Ids of those that have to be plain cells.
    """

    names: CourseNames
    plain: frozenset[str]

    def harden(self, wanted: CellsToRun, nb: Any) -> CellsToRun:
        """Return what is to be run of a notebook with its tests hardened."""
        numbers = set()
        for number, cell in enumerate(list_code_cells(nb)):
            if is_test(cell) and _id_of(cell) not in self.plain:
                numbers.add(number)
        return replace(wanted, hardened=frozenset(numbers), names=self.names)


def list_code_cells(nb: Any) -> list[Any]:
    """Return the code cells of a notebook."""
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def is_test(cell: Any) -> bool:
    """Whether nbgrader reads points from the outputs of a cell."""
    code = cell.cell_type == "code"
    return code and bool(utils.is_grade(cell)) and not utils.is_solution(cell)


def read_as_exam(nb: Any) -> Exam:
    """Return the cells of the course's own notebook as those of an exam."""
    cells = []
    for cell in nb.cells:
        marks = cell.metadata.get("nbgrader", {})
        cells.append(
            SourceCell(
                kind=cell.cell_type,
                source=cell.source,
                grade_id=marks.get("grade_id", ""),
                graded=bool(marks.get("grade")),
                solution=bool(marks.get("solution")),
            )
        )
    return Exam("", tuple(cells), ())


def read_course_names(nb: Any) -> CourseNames:
    """Return what the course's own notebook says of its tests."""
    exam = read_as_exam(nb)
    # Whatever the course's own cells bind may be bound when a test runs: one that asks for a `sum`
    # means the student's, and below `from numpy import *` `all` is NumPy's.
    return CourseNames(
        exam.imports,
        tuple(sorted(exam.made_by_cells)),
        tuple(sorted(exam.made_by_tests_only)),
        tuple(sorted(exam.used_by_given_functions)),
    )


def find_plain_tests(
    run: Run, names: CourseNames, notebooks: Sequence[tuple[Any, CellsToRun]]
) -> frozenset[str]:
    """Return the tests that have to run as plain cells.

    Parameters
    ----------
    run : callable
        Runs notebooks.
    notebooks : sequence of (notebook, CellsToRun)
        The course's own and the one that students get, as nbgrader would run them.
    """
    truth = run([wanted for _, wanted in notebooks])
    plain: frozenset[str] = frozenset()
    while True:
        tests = HardenedTests(names, plain)
        tried = run([tests.harden(wanted, nb) for nb, wanted in notebooks])
        differing: list[str] = []
        for (nb, _), expected, found in zip(notebooks, truth, tried, strict=True):
            differing += _find_differing(nb, expected, found)
        if not differing:
            return plain
        new = [name for name in differing if name not in plain]
        if not new:  # they differ among hardened ones, whatever they are themselves
            return _list_tests(notebooks)
        # One at a time: what stands below may differ only because this one made no names for it.
        plain |= {new[0]}


def _list_tests(notebooks: Sequence[tuple[Any, CellsToRun]]) -> frozenset[str]:
    found: set[str] = set()
    for nb, _ in notebooks:
        for cell in filter(is_test, nb.cells):
            found.add(_id_of(cell))
    return frozenset(found)


def _find_differing(nb: Any, expected: RanNotebook, found: RanNotebook) -> list[str]:
    """Return the tests that got other points than expected, in their order."""
    points = _read_points(nb, found)
    differing = []
    for grade_id, wanted in _read_points(nb, expected).items():
        if points.get(grade_id) != wanted:
            differing.append(grade_id)
    return differing


def _read_points(nb: Any, ran: RanNotebook) -> Mapping[str, float | None]:
    """Return the points of each test, as nbgrader reads them from a run."""
    points = {}
    for cell, outputs in zip(list_code_cells(nb), ran.outputs, strict=True):
        if not is_test(cell):
            continue
        cell = type(nb)(cell | {"outputs": [type(nb)(output) for output in outputs]})
        try:
            points[_id_of(cell)] = utils.determine_grade(cell)[0]
        except ValueError:  # more points than there are
            points[_id_of(cell)] = None
    return points


def _id_of(cell: Any) -> str:
    return str(cell.metadata.nbgrader.get("grade_id"))
