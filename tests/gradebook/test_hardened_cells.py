"""Test cells of a course that nbgrader grades: what wins in a plain cell wins nothing in a hardened one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from inside_cheats import CHEATS, COURSE, IMPORTS, KINDS, NOTHING_IN_PLAIN_CELLS, WRONG
from jails import SMALL
from nbformat.v4 import new_code_cell, new_notebook, new_output
from nbgrader import utils

from autograder.course.errors import UsageError
from autograder.gradebook.hardened_tests import HardenedTests, find_plain_tests, read_course_names
from autograder.gradebook.jailed_autograde import refuse_other_languages
from autograder.gradebook.jailed_cells import CellsToRun, CourseNames, Output, run_cells
from autograder.jail import Jail

pytestmark = pytest.mark.slow

NAMES = CourseNames(imports=IMPORTS)
# name -> the kind of test it is after, and what the student runs before it
CHEATS_AFTER_OUTPUTS = {
    "a result of its own": (
        "partial",
        "def area(x):\n    hook = get_ipython().displayhook\n"
        "    hook.write_format_data({'text/plain': '2'}, {})\n    return -1",
    ),
    "what a test shows cleared": (
        "assertion",
        "from IPython.display import clear_output\n"
        "def area(x):\n    clear_output(wait=True)\n    return -1",
    ),
}
EVERY_CHEAT = CHEATS | CHEATS_AFTER_OUTPUTS


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with Jail(SMALL, modules=("pandas", "pytest")) as jail:
        yield jail


def points(outputs: list[Output], worth: float = 2.0) -> float | None:
    """What nbgrader reads from the outputs of a test cell."""
    marks = {"grade": True, "solution": False, "grade_id": "area", "points": worth}
    cell = new_code_cell("", metadata={"nbgrader": marks})
    kinds = [dict(output) for output in outputs]
    cell.outputs = [new_output(output.pop("output_type"), **output) for output in kinds]
    grade: float | None = utils.determine_grade(cell)[0]
    return grade


def run(jail: Jail, *sources: str, hardened: bool = True) -> tuple[list[Output], ...]:
    numbers = frozenset({len(sources) - 1}) if hardened else frozenset()
    wanted = CellsToRun(sources, hardened=numbers, names=NAMES if hardened else CourseNames())
    return run_cells(jail, wanted).outputs


@pytest.mark.parametrize("kind", KINDS)
def test_a_right_answer_gets_every_point(kind: str, jail: Jail) -> None:
    *_, outputs = run(jail, COURSE, "def area(x):\n    return x * x", KINDS[kind])
    assert points(outputs) == 2.0, outputs


@pytest.mark.parametrize("name", EVERY_CHEAT)
def test_a_cheat_wins_nothing(name: str, jail: Jail) -> None:
    kind, cheat = EVERY_CHEAT[name]
    *_, outputs = run(jail, COURSE, WRONG, cheat, KINDS[kind])
    assert points(outputs) == 0.0, outputs


@pytest.mark.parametrize(
    "name",
    [
        "a result of its own",
        *(
            pytest.param(name, marks=pytest.mark.release)
            for name in CHEATS
            if name not in NOTHING_IN_PLAIN_CELLS
        ),
    ],
)
def test_the_same_cheat_wins_in_a_plain_cell(name: str, jail: Jail) -> None:
    kind, cheat = EVERY_CHEAT[name]
    *_, outputs = run(jail, COURSE, WRONG, cheat, KINDS[kind], hardened=False)
    assert points(outputs) == 2.0, outputs


SHOWN_ABOVE = """\
from IPython.display import display
display("above", display_id="above")
"""
WRITES_ABOVE = """\
from IPython.display import update_display
import sys
def area(x):
    update_display(str(sys._getframe(1).f_code.co_consts), display_id="above")
    print("below")
    return 4
"""


@pytest.mark.parametrize("hardened", [True, False])
def test_a_tested_function_cannot_write_into_a_cell_above(hardened: bool, jail: Jail) -> None:
    test = "assert area(2) == 4, 'the hidden number'"
    above, _, outputs = run(jail, SHOWN_ABOVE, WRITES_ABOVE, test, hardened=hardened)
    assert "below" in str(outputs), "it was called"
    assert "hidden" not in str(above)


def test_what_a_test_gives_stands_below_its_cell_as_nbgrader_has_it(jail: Jail) -> None:
    value = "print('said')\nimport sys\nprint('warned', file=sys.stderr)\n1.5"
    outputs = run(jail, "x = 1", value)[-1]
    stdout, stderr, result = outputs
    assert (stdout["text"], stderr["name"]) == ("said\n", "stderr")
    assert result["data"] == {"text/plain": "1.5"}
    (error,) = run(jail, "x = 1", "def check(y):\n    assert y == 2, 'two'\ncheck(x)")[-1]
    assert (error["ename"], error["evalue"]) == ("AssertionError", "two")
    text = "\n".join(error["traceback"])
    assert "check(x)" in text
    assert "inside_tests" not in text, "nothing of the grader's own"


# ------------------------------------------------------------------------------------ which tests are hardened at all


def make_notebook(*cells: tuple[str, str]) -> Any:
    """A notebook of cells, each a kind and its source: `test` is worth a point, an `answer` a solution."""
    made = []
    for number, (kind, source) in enumerate(cells):
        marks: dict[str, Any] = {"grade": kind == "test", "solution": kind == "answer"}
        marks |= {"points": 1.0}
        marks |= {"grade_id": f"{kind}{number}", "locked": kind == "test"}
        made.append(new_code_cell(source, metadata={} if kind == "code" else {"nbgrader": marks}))
    return new_notebook(cells=made)


def find_plain(jail: Jail, nb: Any) -> frozenset[str]:
    sources = tuple(cell.source for cell in nb.cells)
    names = read_course_names(nb)
    return find_plain_tests(
        lambda wanted: [run_cells(jail, each) for each in wanted],
        names,
        [(nb, CellsToRun(sources))],
    )


def test_a_test_that_has_to_be_a_cell_is_one(jail: Jail) -> None:
    nb = make_notebook(
        ("answer", "def f():\n    return 1"),
        ("test", "assert f() == 1"),
        ("test", "seen = 'needle' in get_ipython().user_ns['In'][-1]\nassert seen"),
        ("test", "assert seen"),
    )
    assert find_plain(jail, nb) == {"test2"}


def test_a_notebook_of_another_language_is_refused_and_not_run_as_python() -> None:
    nb = make_notebook(("answer", "x <- 1"))
    refuse_other_languages(nb, "problem")
    nb.metadata.kernelspec = {"language": "python", "name": "anything"}
    refuse_other_languages(nb, "problem")
    nb.metadata.kernelspec = {"language": "R", "name": "ir"}
    with pytest.raises(UsageError, match="problem: a notebook of R; the jail runs Python"):
        refuse_other_languages(nb, "problem")


def test_names_that_the_course_binds_itself_are_meant_by_its_tests(jail: Jail) -> None:
    nb = make_notebook(
        ("code", "from numpy import *\ndef print(*words):\n    return 'printed'"),
        ("answer", "def sum(values):\n    return 42"),
        ("test", "assert sum([1, 2]) == 42"),
        ("test", "assert all(array([[1, 1]]), axis=1)[0] and print('x') == 'printed'"),
    )
    assert find_plain(jail, nb) == frozenset()
    names = read_course_names(nb)
    assert {"sum", "all", "print"} <= set(names.free)
    hardened = HardenedTests(names, frozenset()).harden(CellsToRun(()), nb)
    assert hardened.hardened == {2, 3}
