"""No evidence, no points: a criterion that ends without a comparison is not met, here and under plain nbgrader."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from criteria import EVIDENCE, NOTHING, cell
from nbclient import NotebookClient

from autograder.grader.test_cells import CellGlobals, run_test_cell
from autograder.marking import NothingCompared


def answer() -> int:
    return 1


def marked(body: str) -> Any:
    return run_test_cell(cell(body), CellGlobals({}, {"answer": answer}, {}))


@pytest.mark.parametrize("body", NOTHING.values(), ids=NOTHING)
def test_a_criterion_that_compares_nothing_gives_nothing(body: Any) -> None:
    score = marked(body)
    assert score == 0
    assert [type(error) for error in score.errors] == [NothingCompared]


@pytest.mark.parametrize("body", EVIDENCE.values(), ids=EVIDENCE)
def test_a_criterion_that_came_past_a_comparison_gives_its_points(body: Any) -> None:
    assert marked(body) == 1


def test_helpers_of_an_earlier_test_compare_too() -> None:
    tests: dict[str, object] = {}
    run_test_cell("def is_one(value):\n    assert value == 1", CellGlobals(tests, {}, {}))
    names = CellGlobals(tests, {"answer": answer}, {})
    assert run_test_cell(cell("is_one(answer())"), names) == 1


def test_a_function_of_the_students_cannot_be_the_evidence() -> None:
    vouching = "def answer():\n    assert True\n    return 1"
    names: dict[str, object] = {}
    exec(vouching, names)
    assert run_test_cell(cell("answer()"), CellGlobals({}, {"answer": names["answer"]}, {})) == 0


@pytest.mark.parametrize("body", EVIDENCE.values(), ids=EVIDENCE)
def test_a_test_without_a_source_that_can_be_found_gives_its_points(body: Any) -> None:
    """Run by `exec`, for instance: what raises there may have compared, and nobody could note it."""
    names: dict[str, object] = {"answer": answer}
    source, _, last = cell(body).rpartition("\n")
    exec(source, names)
    assert eval(last, names) == 1


@pytest.mark.parametrize("name", ["nothing at all", "a call", "an early return", "an empty loop"])
def test_without_a_source_expectations_are_asked_for_all_the_same(name: str) -> None:
    names: dict[str, object] = {"answer": answer}
    source, _, last = cell(NOTHING[name]).rpartition("\n")
    exec(source, names)
    assert eval(last, names) == 0


def test_plain_nbgrader_gives_the_same_points() -> None:
    """In a kernel, as `nbgrader autograde` runs it, no proxy and no runner of ours is there."""
    bodies = [*NOTHING.values(), *EVIDENCE.values()]
    cells = [nbformat.v4.new_code_cell("def answer():\n    assert True\n    return 1")]
    cells += [nbformat.v4.new_code_cell(cell(body)) for body in bodies]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3").execute()
    points = [entry.outputs[-1]["data"]["text/plain"] for entry in notebook.cells[1:]]
    assert points == ["0.0"] * len(NOTHING) + ["1.0"] * len(EVIDENCE)
