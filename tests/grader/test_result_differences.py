"""How a wrong result is put into words: every case made by hand."""

import re
from typing import Any

import numpy as np
import pytest

from autograder.grader.result_differences import describe_differences

A = np.array([[1.0, 2.0, 4.0], [3.0, 5.0, 7.0]])
SQUARE = np.array([[1.0, 2.0], [5.0, 9.0]])
COMPLEX = np.array([1 + 2j, 3 - 1j])
SIZES = {"the number of rows of X": 5, "the number of columns of X": 3}


@pytest.mark.parametrize(
    ("got", "wanted", "words"),
    [
        (A, A, ""),
        (A + 1e-12, A, ""),
        (A.tolist(), A, ""),
        (None, A, "the result is None: is a `return` missing?"),
        ({"a": 1}, A, "the result is a dict, not an array of numbers"),
        ("text", 2.0, "the result is a str, not a number"),
        (-A, A, "the result has the wrong sign"),
        (2 * A, A, "the result is twice what it should be"),
        (A / 2, A, "the result is half of what it should be"),
        (-2 * A, A, "the result is twice what it should be and has the wrong sign"),
        (5 * A, A, "the result is too large, by the number of rows of X: is a mean missing?"),
        (A / 3, A, "the result is too small, by the number of columns of X: is it divided once too often?"),
        (1.7 * A, A, "the result is off by a factor"),
        (A.T, A, "the result is transposed"),
        (SQUARE.T, SQUARE, "the result is transposed"),
        (A[0], A, "the result has lost an axis: keepdims=True, or reshape"),
        (A[:, :2], A, "the result has the wrong shape"),
        (A.sum(axis=0), A.sum(), "the result should be one number, and is an array"),
        (A * np.nan, A, "the result contains nan or inf"),
        (A + 3, A, "the result is off by the same number everywhere"),
        (A[::-1], A, "the result has its rows in the wrong order"),
        (A[:, ::-1], A, "the result has its columns in the wrong order"),
        (np.arange(5)[::-1], np.arange(5), "the result has its entries in the wrong order"),
        (np.array([2.0, 1.0, 4.0]), np.array([1.0, 2.0, 4.0]), "the result has the right numbers at the wrong places"),
        (A * [[3.0], [7.0]], A, "in the result each of the rows is off by a factor of its own: look at the axes"),
        (A * [[1.0], [7.0]], A, "some rows of the result are right, others are not"),
        (A * [[1.0, 1.0, 7.0]] + [[0, 0, 1.0]], A, "some columns of the result are right, others are not"),
        (A + np.array([[0, 1, 0], [2, 0, 3]]), A, "some entries of the result are right, others are not"),
        (COMPLEX.real, COMPLEX, "the result has lost its imaginary part"),
        (COMPLEX.conj(), COMPLEX, "the imaginary part of the result has the wrong sign"),
        (A**2 + 0.3, A, ""),
        (7.0, 2.0, ""),
        (4.0, 2.0, "the result is twice what it should be"),
        ((A, -A), (A, A), "the second result has the wrong sign"),
        ([A, A], (A, A), ""),
        ((A, A**2 + 0.3, A), (A, A, A), "of the results, the first and the third are right, the second is not"),
        ((A**2 + 0.3, A**2 + 0.3), (A, A), ""),
        ({"W1": A, "W2": A**2 + 0.3, "b1": A}, {"W1": A, "W2": A, "b1": A},
         "of the entries, b is right, W is not"),
        (A + np.array([[9, 7, 8], [2, 0, 3]]), A, ""),
        (np.array([A, -A]), (A, A), "the second result has the wrong sign"),
        (A, (A, A, A), "return three things, in the order of the task"),
        (3.0, (A, A), "return two things, in the order of the task"),
        ((A, A), (A, A, A), "return three things, in the order of the task"),
        ({"W1": A, "b1": -A}, {"W1": A, "b1": A}, "an entry b has the wrong sign"),
        ({"W1": A}, {"W1": A, "b1": A}, "the result lacks some of its keys"),
        ({"W1": A, "more": 1}, {"W1": A}, ""),
        (A, {"W1": A}, "the result is a ndarray, not a dictionary"),
        (A, None, ""),
    ],
)  # fmt: skip
def test_a_difference_has_a_name(got: Any, wanted: Any, words: str) -> None:
    assert next(iter(describe_differences(got, wanted, SIZES)), "") == words


def test_everything_that_a_factor_can_be_is_told() -> None:
    assert describe_differences(
        A / 2, A, {"the number of columns of Z": 2, "the number of rows of Z": 3}
    ) == (
        "the result is half of what it should be",
        "the result is too small, by the number of columns of Z: is it divided once too often?",
        "the result is off by a factor",
    )
    assert describe_differences(0.25, 1.0, {"the number of columns of Z": 2}) == ()


@pytest.mark.parametrize("got", [137 * A, A + 137, A**137, {"W137": A}, [A] * 137])
def test_no_number_of_the_test_is_told(got: Any) -> None:
    words = " ".join(describe_differences(got, A, {"the number of rows of X": 137}))
    assert not re.search(r"\d", words)
