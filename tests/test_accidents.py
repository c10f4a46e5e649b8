"""Words for what students' functions raise: real exceptions of Python and numpy."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from autograder.grader.accidents import STOPPED, accident


def recurse(n: int) -> int:
    return recurse(n + 1)


def unbound() -> None:
    if not np.pi:
        value = 1
    print(value)


A, B = np.ones((4711, 2)), np.ones((3, 2))
ACCIDENTS: dict[str, tuple[Callable[[], object], str]] = {
    "product": (lambda: A @ B, "shapes do not fit"),
    "dot": (lambda: np.dot(A, B), "shapes do not fit"),
    "sum": (lambda: A + B, "shapes do not fit"),
    "reshape": (lambda: A.reshape(7, 7), "shapes do not fit"),
    "concatenate": (lambda: np.hstack([A, B]), "shapes do not fit"),
    "axis": (lambda: A.sum(axis=2), "axis is named"),
    "index": (lambda: A[4711], "outside of its array"),
    "list index": (lambda: [][4711], "outside of its array"),
    "key": (lambda: {}["W4711"], "key that it does not have"),
    "zero": (lambda: 4711 / 0, "divides by zero"),
    "unpack": (lambda: [a for a, b in [(1, 2, 4711)]], "unpacks another number"),
    "truth": (lambda: bool(A), "true or false"),
    "one number": (lambda: float(A), "one number"),
    "element": (lambda: np.zeros(2).__setitem__(0, np.ones(4711)), "one number"),
    "shape": (lambda: np.zeros(4711, 2), "np.zeros((n, m))"),
    "cast": (lambda: np.arange(3).__isub__(0.5), "whole numbers cannot take"),
    "range": (lambda: range(4711 / 2), "// divides to one"),
    "float index": (lambda: [1][A], "another type"),
    "none": (lambda: None + 4711, "Something is None"),
    "none's attribute": (lambda: None.shape, "Something is None"),
    "list": (lambda: [4711].shape, "a list instead of an array"),
    "arguments": (lambda: recurse(1, 4711), "other arguments than it takes"),
    "keyword": (lambda: recurse(x=4711), "other arguments than it takes"),
    "recursion": (lambda: recurse(4711), "calls itself without end"),
    "name": (lambda: name_4711, "run all cells"),  # noqa: F821
    "unbound": (unbound, "before it has a value"),
    "other": (lambda: int("4711x"), STOPPED),
}


@pytest.mark.parametrize(("cause", "words"), ACCIDENTS.values(), ids=ACCIDENTS)
def test_an_accident_has_words_that_tell_nothing_of_the_test(cause, words):
    with pytest.raises(Exception) as caught:
        cause()
    caught.value.student_traceback = "Traceback"
    told = accident(caught.value)
    assert words in told
    assert not re.search(r"4711|W4", told)


def test_errors_of_the_test_itself_are_no_accidents_of_the_students():
    assert accident(ValueError("shape")) == ""
