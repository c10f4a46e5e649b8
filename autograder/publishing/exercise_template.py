"""The texts of a new assignment: one small exercise that can be released as it stands, to be rewritten bit by bit.

`FUNCTION`, `ASSIGNMENT` and `TITLE` stand for the names of the assignment.
"""

from __future__ import annotations

INTRODUCTION = """\
# TITLE

*What this homework is about, in two sentences.*
"""

IMPORTS = """\
import numpy as np

from autograder.checks import attempt, check, expect_close
"""

TASK = """\
## `FUNCTION(X, w)`

The weighted mean of the rows of $X$: row $i$ counts $w_i$ times,
$$m = \\frac{\\sum_i w_i X_i}{\\sum_i w_i}.$$

- `X`: (M, N); `w`: (M,), not all zero
- returns a vector: (N,)

For the rows (1, 2) and (3, 4) with the weights 3 and 1 it is (1.5, 2.5).
"""

SOLUTION = '''\
def FUNCTION(X, w):
    """The weighted mean of the rows.

    X: (M, N); w: (M,), not all zero.
    Returns a vector: (N,).
    """
    ### BEGIN SOLUTION
    return w @ X / np.sum(w)
    ### END SOLUTION
'''

TRY_IT = """\
with attempt():  # says in one line that there is no answer yet, instead of stopping here
    print(FUNCTION(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([3.0, 1.0])))
"""

CHECKS = """\
@check
def FUNCTION_of_two_rows():
    "the worked case gives (1.5, 2.5)"
    result = FUNCTION(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([3.0, 1.0]))
    expect_close(result, [1.5, 2.5], "the mean")
"""

POINTS = 3
TESTS = """\
### BEGIN HIDDEN TESTS
import numpy as np

from autograder.checks import expect_close, expect_shape, expect_unchanged
from autograder.marking import Marking, reference_of

reference = reference_of("ASSIGNMENT")
marking = Marking(points=3)


def FUNCTION_case(M, N):
    draw = np.random.default_rng([M, N])  # other numbers for each size, the same in every run
    return draw.normal(size=(M, N)), draw.uniform(1, 3, size=M)


@marking.criterion(1, "the mean has one number per column")
def FUNCTION_shape():
    for M, N in ((5, 3), (1, 4), (6, 1)):
        expect_shape(FUNCTION(*FUNCTION_case(M, N)), (N,), "the mean")


@marking.criterion(1.5, "every row counts with its weight", needs="FUNCTION_shape")
def FUNCTION_values():
    for M, N in ((5, 3), (1, 4), (6, 1)):
        X, w = FUNCTION_case(M, N)
        expected = reference.FUNCTION(X, w)
        expect_close(FUNCTION(X, w), expected, "the mean")


@marking.criterion(0.5, "X and w stay as they were", needs="FUNCTION_values")
def FUNCTION_arguments():
    X, w = FUNCTION_case(3, 2)
    with expect_unchanged(X=X, w=w):
        FUNCTION(X, w)


marking.score()
### END HIDDEN TESTS
"""

MISTAKES = '''\
"""What students do wrong in ASSIGNMENT, and the hint each mistake earns."""

from autograder.mistakes import Mistakes

mistakes = Mistakes("ASSIGNMENT")


@mistakes.of("FUNCTION", hint="The weights are not used: that is the plain mean.", keeps=[1])
def weights_ignored(X, w):
    return X.mean(axis=0)


@mistakes.of("FUNCTION", hint="Divide by the sum of the weights, not by the number of rows.", keeps=[1])
def divided_by_rows(X, w):
    return w @ X / len(X)


@mistakes.of("FUNCTION", hint="X changed during the call (*= works in place): make a new array.", keeps=[1])
def rows_scaled_in_place(X, w):
    X *= w[:, None]
    return X.sum(axis=0) / w.sum()
'''

ALTERNATIVES = '''\
"""Right answers to ASSIGNMENT that look different: they must keep all points."""

import numpy as np

from autograder.mistakes import Alternatives

alternatives = Alternatives("ASSIGNMENT")


@alternatives.of("FUNCTION")
def row_by_row(X, w):
    total = np.zeros(X.shape[1])
    for weight, row in zip(w, X):
        total += weight * row
    return total / sum(w)
'''

SHORTCUTS = '''\
"""Answers to ASSIGNMENT that are after the points without doing the task: none may keep them all."""

import numpy as np

from autograder.mistakes import Shortcuts

shortcuts = Shortcuts("ASSIGNMENT")


@shortcuts.of("FUNCTION")
def learned_by_heart(X, w):
    """What the visible check shows, and nothing else."""
    return np.array([1.5, 2.5])
'''
