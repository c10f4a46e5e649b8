"""Words for what students' functions raise: real exceptions of Python and numpy."""

from __future__ import annotations

import re
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.grader.accidents import describe_accident


def recurse(n: int) -> int:
    return recurse(n + 1)


def unbound() -> None:
    if not np.pi:
        value = 1
    print(value)


def ask() -> str:
    raise EOFError("nobody to ask")


A, B = np.ones((4711, 2)), np.ones((3, 2))
ACCIDENTS: dict[str, tuple[Callable[[], object], str]] = {
    "a file": (lambda: Path("no 4711").read_text(), "not there when notebooks are graded"),
    "a folder": (lambda: list(Path("no 4711").iterdir()), "not there when notebooks are graded"),
    "a program": (lambda: subprocess.run(["no-4711"]), "not there when notebooks are graded"),
    "an address": (
        lambda: urllib.request.urlopen("http://127.0.0.1:9/4711"),
        "not there when notebooks are graded",
    ),
    "a question": (ask, "Nobody answers"),
    "product": (lambda: A @ B, "shapes do not fit"),
    "dot": (lambda: np.dot(A, B), "shapes do not fit"),
    "sum": (lambda: A + B, "shapes do not fit"),
    "reshape": (lambda: A.reshape(7, 7), "another number of entries"),
    "rows of different lengths": (
        lambda: np.array([[1.0], [1.0, 4711.0]]),
        "rows of different lengths",
    ),
    "the largest of nothing": (lambda: max([]), "is empty"),
    "the largest of an empty array": (lambda: np.max(np.zeros((0, 3))), "is empty"),
    "too many indices": (lambda: np.zeros(3)[0, 0], "more indices than it has axes"),
    "a float as index of an array": (lambda: A[1.5], "no whole number"),
    "a mask of another shape": (lambda: A[np.array([True])], "mask has another shape"),
    "not square": (lambda: np.linalg.inv(A), "matrix is not one"),
    "singular": (lambda: np.linalg.inv(np.ones((2, 2))), "matrix is not one"),
    "a product of one axis": (lambda: np.linalg.inv(np.ones(3)), "matrix is not one"),
    "a misspelt name of numpy's": (
        lambda: np.arrange(4711),
        "does not have: is the name spelt right",
    ),
    "a data type that is none": (lambda: np.zeros(3, dtype="f4711"), "another type than is wanted"),
    "complex numbers in an array of floats": (
        lambda: np.ones(3).__imul__(1j),
        "numbers of another type in place",
    ),
    "the length of a number": (lambda: len(np.float64(4711)), "single number stands where"),
    "a loop over a number": (lambda: list(4711), "single number stands where"),
    "a number with an index": (lambda: (lambda x: x[0])(4711), "single number stands where"),
    "a number called": (lambda: (lambda x: x(0))(4711), "no function"),
    "text and a number": (lambda: "a" + 4711, "do not go together"),
    "a number and text": (lambda: 4711 - "a", "do not go together"),
    "an argument that is none": (lambda: int([4711]), "another type than is wanted"),
    "concatenate": (lambda: np.hstack([A, B]), "shapes do not fit"),
    "axis": (lambda: A.sum(axis=2), "axis is named"),
    "index": (lambda: A[4711], "outside of its array"),
    "a text as index": (lambda: (lambda x: x["a"])([4711]), "no whole number"),
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
    "float index": (lambda: [1][A], "no whole number"),
    "none": (lambda: None + 4711, "Something is None"),
    "none for a number": (lambda: range(None), "Something is None"),
    "an array for a number": (lambda: range(A), "whole number"),
    "none's attribute": (lambda: None.shape, "Something is None"),
    "list": (lambda: [4711].shape, "attribute that it does not have"),
    "arguments": (lambda: recurse(1, 4711), "other arguments than it takes"),
    "keyword": (lambda: recurse(x=4711), "other arguments than it takes"),
    "recursion": (lambda: recurse(4711), "calls itself without end"),
    "name": (lambda: name_4711, "run all cells"),  # noqa: F821
    "unbound": (unbound, "before it has a value"),
    "a value": (lambda: int("4711x"), "stopped with a ValueError in this test"),
    "an assertion of their own": (
        lambda: (_ for _ in ()).throw(AssertionError("4711")),
        "an AssertionError",
    ),
    "an error of their own": (
        lambda: (_ for _ in ()).throw(type("E4711", (Exception,), {})()),
        "with an error",
    ),
}


@pytest.mark.parametrize(("cause", "words"), ACCIDENTS.values(), ids=ACCIDENTS)
def test_an_accident_has_words_that_tell_nothing_of_the_test(
    cause: Callable[..., Any], words: str
) -> None:
    with pytest.raises(Exception) as caught:
        cause()
    caught.value.student_traceback = "Traceback"
    told = describe_accident(caught.value)
    assert words in told
    assert not re.search(r"4711|W4", told)


def test_errors_of_the_test_itself_are_no_accidents_of_the_students() -> None:
    assert describe_accident(ValueError("shape")) == ""
