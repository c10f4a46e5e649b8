"""Mutants of short cells, against lists written by hand."""

import ast
from dataclasses import replace
from typing import Any

import pytest

from autograder.auditing.audit_cases import CaseKind, build_cases
from autograder.auditing.mutants import make_mutants
from autograder.course.exam import Exam, Exercise, SourceCell
from autograder.course.source_markers import NBGRADERS


def lines(source: str) -> set[str]:
    """What the changed lines of all mutants are."""
    return {mutant.after for mutant in make_mutants(source)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("c = a + b", {"c = a - b", "c = a", "c = b"}),
        ("c = a - b", {"c = a + b", "c = a", "c = b", "c = b - a"}),
        ("c = (a - b) ** 2", {"c = (a + b) ** 2", "c = a ** 2", "c = b ** 2", "c = (a - b) * 2", "c = a - b",
                              "c = (a - b) ** 3", "c = (a - b) ** 1"}),
        ("c = A @ B", {"c = A * B", "c = A", "c = B", "c = B @ A"}),
        ("c = A.T", {"c = A"}),
        ("c = -a", {"c = a"}),
        ("c = a < b", {"c = a <= b", "c = a > b"}),
        ("c = a and b", {"c = a or b", "c = a", "c = b"}),
        ("c = 3", {"c = 4", "c = 2"}),
        ("c = 500", {"c = 0", "c = -500"}),
        ("c = 0.5", {"c = 1.0", "c = 1.5"}),
        ("c = 1e-12", {"c = 0.0", "c = 0.1"}),
        ("c = True", {"c = False"}),
        ("c = 'text'", set()),
        ("c = f'W{a + b}'", {"c = f'W{a - b}'", "c = f'W{a}'", "c = f'W{b}'"}),
        ("c = np.sum(a, axis=1)", {"c = np.mean(a, axis=1)", "c = np.sum(a)", "c = a", "c = np.sum(a, axis=2)",
                                   "c = np.sum(a, axis=0)"}),
        ("c = f(a, b)", {"c = f(b, a)", "c = a"}),
        ("c = a.copy()", {"c = a"}),
        ("c = float(a)", set()),
        ("c = range(n)", {"c = range(n + 1)", "c = range(n - 1)", "c = range(1, n)"}),
        ("c = a[i:j]", {"c = a[:j]", "c = a[i:]"}),
        ("c = a if b else d", {"c = a", "c = d"}),
        ("a += b", {"pass", "a -= b", "a = b"}),
        ("a[0] = b", {"pass", "a[1] = b", "a[-1] = b"}),
        ("def f(Z):\n    Z = Z - a\n    return (Z, a)", {"Z -= a", "Z = Z + a", "Z = Z", "Z = a", "Z = a - Z",
                                                         "return (a, Z)"}),
        ("f(a)", {"pass", "a"}),
        ("print(a)", set()),
        ("import numpy as np", set()),
        ("%matplotlib inline", set()),
    ],
)  # fmt: skip
def test_mutants_are_what_students_might_write(source: str, expected: Any) -> None:
    assert lines(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("for i in x:\n    f(i)", {"pass", "break", "i"}),
        ("while x:\n    a -= 1", {"pass", "break", "a += 1", "a = 1", "a -= 2", "a -= 0"}),
        ("if x:\n    a = b", {"pass", "if True:"}),
    ],
)
def test_loops_end_early_and_conditions_always_hold(source: str, expected: set[str]) -> None:
    assert lines(source) == expected


CELL = '''\
def mean(x, axis=0):
    """The mean, 1/M."""
    ### BEGIN SOLUTION
    total = sum(x)
    return total / 4
    ### END SOLUTION
'''


def test_only_the_solution_is_changed() -> None:
    mutants = make_mutants(CELL)
    assert {mutant.line for mutant in mutants} == {4, 5}
    assert all("axis=0" in mutant.source and "1/M" in mutant.source for mutant in mutants)


def test_a_mutant_says_where_and_what_it_changed() -> None:
    (mutant,) = [mutant for mutant in make_mutants(CELL) if mutant.after == "return total * 4"]
    assert (mutant.line, mutant.before) == (5, "return total / 4")
    assert mutant.source == ast.unparse(ast.parse(CELL)).replace("total / 4", "total * 4")


def test_every_mutant_is_python_and_another_one() -> None:
    mutants = make_mutants(CELL)
    assert len({mutant.source for mutant in mutants}) == len(mutants) > 5
    for mutant in mutants:
        compile(mutant.source, "mutant", "exec")


def test_the_same_cell_gives_the_same_mutants() -> None:
    assert make_mutants(CELL) == make_mutants(CELL)


OWN_MARKERS = replace(NBGRADERS, solution=("# vvv", "# ^^^"))
CELL_WITH_OWN_MARKERS = """\
def scale(x):
    x = x + 1
    # vvv
    return 2 * x
    # ^^^
"""


def test_only_what_stands_between_the_course_s_own_marks_is_changed() -> None:
    """Else what is given to the students is changed, too, and no test need notice that."""
    lines = {mutant.line for mutant in make_mutants(CELL_WITH_OWN_MARKERS, OWN_MARKERS)}
    assert lines == {4}


def test_an_audit_asks_for_the_course_s_own_marks() -> None:
    cells = (
        SourceCell("code", CELL_WITH_OWN_MARKERS, "scale_solution", solution=True),
        SourceCell("code", "assert scale(1) == 4", "scale", graded=True, locked=True, points=1),
    )
    exercise = Exercise("scale", "whole", 1.0, manual=False, solutions=("scale_solution",))
    exam = Exam("hw", cells, (exercise,), markers=OWN_MARKERS)
    cases = [case for case in build_cases(exam) if case.kind is CaseKind.MUTANT]
    assert {case.line for case in cases} == {4}
