"""Criteria of hidden tests written in many ways: some compare something of the student's, some nothing."""

from __future__ import annotations

import textwrap

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
