"""No evidence, no points: a criterion that ends without a comparison is not met, here and under plain nbgrader."""

from __future__ import annotations

import textwrap

import nbformat
import pytest
from nbclient import NotebookClient

from autograder.grader.testcell import Names, run_cell
from autograder.marking import NothingCompared

HEAD = """\
import numpy as np
from autograder.checks import expect, expect_close, expect_gradient, expect_shape, expect_unchanged
from autograder.marking import Hint, Marking

marking = Marking(points=1)


def close_to_one(value):
    assert np.isclose(value, 1)


def refused(value):
    raise ValueError


@marking.criterion(1, "the sentence")
def criterion():
"""
NOTHING = {
    "nothing at all": "pass",
    "a call": "answer()",
    "a return": "return",
    "a value": "return answer() == 1",
    "an early return": """
        if answer() == 1:
            return
        expect_close(answer(), 2, "it")
    """,
    "an early return before an assertion": """
        if answer() == 1:
            return
        assert answer() == 2
    """,
    "an early return before a condition": """
        if answer() == 1:
            return
        if answer() != 2:
            raise Hint("not two")
    """,
    "an early return before a helper": """
        if answer() == 1:
            return
        close_to_one(2)
    """,
    "an empty loop": """
        for value in []:
            expect_close(value, 1, "it")
    """,
    "the other branch": """
        if answer() == 1:
            value = 1
        else:
            assert answer() == 2
    """,
    "a condition in a condition": """
        if answer() == 2:
            if answer() != 2:
                raise Hint("not two")
    """,
    "an error that is swallowed": """
        try:
            answer()
        except ValueError:
            pass
    """,
    "a function that is not called": """
        def inner():
            assert answer() == 1
    """,
}
EVIDENCE = {
    "expect": 'expect(answer() == 1, "it is one")',
    "expect_close": 'expect_close(answer(), 1, "it")',
    "expect_shape": 'expect_shape(answer(), (), "it")',
    "expect_gradient": 'expect_gradient(np.array([2.0]), lambda: 2 * at[0], at := np.array([1.0]), "it")',
    "expect_unchanged": """
        x = np.ones(2)
        with expect_unchanged(x=x):
            answer()
    """,
    "an assertion": "assert answer() == 1",
    "an assertion in a loop": """
        for wanted in (1, 1):
            assert answer() == wanted
    """,
    "an assertion of numpy's": "np.testing.assert_allclose(answer(), 1)",
    "an assertion in a helper": "close_to_one(answer())",
    "a condition": """
        if answer() != 1:
            raise Hint("it is not one")
    """,
    "a condition with another branch": """
        if answer() == 1:
            pass
        elif answer() == 2:
            raise Hint("two")
        else:
            raise Hint("neither")
    """,
    "it raises as it should": """
        try:
            refused(answer())
        except ValueError:
            pass
        else:
            raise Hint("it should refuse")
    """,
    "it raises as it should, said by numpy": """
        with np.testing.assert_raises(ValueError):
            refused(answer())
    """,
    "it does not raise": """
        try:
            answer()
        except Exception:
            raise Hint("it stops with an error")
    """,
    "one of several": """
        for wanted in (0, 1):
            if answer() == wanted:
                return
        raise Hint("it is neither")
    """,
    "one of several by a loop's end": """
        for wanted in (0, 1):
            if answer() == wanted:
                break
        else:
            raise Hint("it is neither")
    """,
    "the right case": """
        match answer():
            case 1:
                pass
            case _:
                raise Hint("it is not one")
    """,
    "after an early return that was not taken": """
        if answer() == 2:
            return
        assert answer() == 1
    """,
}


def cell(body: str) -> str:
    return HEAD + textwrap.indent(textwrap.dedent(body).strip(), "    ") + "\n\n\nmarking.score()"


def answer() -> int:
    return 1


def marked(body: str):
    return run_cell(cell(body), Names({}, {"answer": answer}, {}))


@pytest.mark.parametrize("body", NOTHING.values(), ids=NOTHING)
def test_a_criterion_that_compares_nothing_gives_nothing(body):
    score = marked(body)
    assert score == 0
    assert [type(error) for error in score.errors] == [NothingCompared]


@pytest.mark.parametrize("body", EVIDENCE.values(), ids=EVIDENCE)
def test_a_criterion_that_came_past_a_comparison_gives_its_points(body):
    assert marked(body) == 1


def test_helpers_of_an_earlier_test_compare_too():
    tests: dict[str, object] = {}
    run_cell("def is_one(value):\n    assert value == 1", Names(tests, {}, {}))
    names = Names(tests, {"answer": answer}, {})
    assert run_cell(cell("is_one(answer())"), names) == 1


def test_a_function_of_the_students_cannot_be_the_evidence():
    vouching = "def answer():\n    assert True\n    return 1"
    names: dict[str, object] = {}
    exec(vouching, names)
    assert run_cell(cell("answer()"), Names({}, {"answer": names["answer"]}, {})) == 0


@pytest.mark.parametrize("body", EVIDENCE.values(), ids=EVIDENCE)
def test_a_test_without_a_source_that_can_be_found_gives_its_points(body):
    """Run by `exec`, for instance: what raises there may have compared, and nobody could note it."""
    names: dict[str, object] = {"answer": answer}
    source, _, last = cell(body).rpartition("\n")
    exec(source, names)
    assert eval(last, names) == 1


@pytest.mark.parametrize("name", ["nothing at all", "a call", "an early return", "an empty loop"])
def test_without_a_source_expectations_are_asked_for_all_the_same(name):
    names: dict[str, object] = {"answer": answer}
    source, _, last = cell(NOTHING[name]).rpartition("\n")
    exec(source, names)
    assert eval(last, names) == 0


def test_plain_nbgrader_gives_the_same_points():
    """In a kernel, as `nbgrader autograde` runs it, no proxy and no runner of ours is there."""
    bodies = [*NOTHING.values(), *EVIDENCE.values()]
    cells = [nbformat.v4.new_code_cell("def answer():\n    assert True\n    return 1")]
    cells += [nbformat.v4.new_code_cell(cell(body)) for body in bodies]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3").execute()
    points = [entry.outputs[-1]["data"]["text/plain"] for entry in notebook.cells[1:]]
    assert points == ["0.0"] * len(NOTHING) + ["1.0"] * len(EVIDENCE)
