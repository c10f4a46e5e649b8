"""Exceptions of a student's function in a hidden test, in words of ours: what kind of accident it was, where to look.

Neither the exception's own message nor its place is told, because they might quote the test's inputs.
"""

from __future__ import annotations

import re

TOO_LONG = "Your code took too long in this test: does a loop never end?"
STOPPED = "Your code stopped with an error in this test: try it with other shapes and sizes."
SHAPES = "Two shapes do not fit together: write the shapes beside every line; is a .T or an axis missing?"
NOTHING = "Something is None where a value is wanted: is a `return` missing?"
NO_NAME = "Your code uses a name that is not there: restart the kernel, run all cells, and see where it stops."
ONE_NUMBER = "A whole array stands where one number is wanted."

# The first that fits counts, so a subclass or a narrower pattern stands before a wider one.
WORDS: tuple[tuple[type[BaseException], str, str], ...] = (
    (TimeoutError, "", TOO_LONG),
    (MemoryError, "", "Your code needs more memory than there is: some array is much too large."),
    (RecursionError, "", "A function calls itself without end."),
    (UnboundLocalError, "", "A variable is used before it has a value: is it set in one branch or in a loop only?"),
    (NameError, "", NO_NAME),
    (KeyError, "", "A dictionary is asked for a key that it does not have: how are the keys numbered?"),
    (Exception, "^axis", "An axis is named that the array does not have: look at its shape."),
    (IndexError, "", "An index is outside of its array or list: the first is 0, the last one less than the length."),
    (ZeroDivisionError, "", "Your code divides by zero."),
    (ValueError, "unpack", "A line unpacks another number of values than there are."),
    (ValueError, "ambiguous", "A whole array stands where true or false is wanted: np.any, np.all, or one entry?"),
    (ValueError, "sequence", ONE_NUMBER),
    (ValueError, "core dimension|aligned|broadcast|shape|dimension", SHAPES),
    (TypeError, "data type", "A shape is one argument: np.zeros((n, m)), with two pairs of brackets."),
    (TypeError, "Cannot cast", "An array of whole numbers cannot take fractions in place: make it one of floats."),
    (TypeError, "as an integer", "A whole number is wanted: // divides to one, / does not."),
    (TypeError, "length-1|0-dimensional", ONE_NUMBER),
    (TypeError, "NoneType", NOTHING),
    (AttributeError, "NoneType", NOTHING),
    (TypeError, "argument", "A function is called with other arguments than it takes: compare names and order."),
    (AttributeError, "", "Something is not what your code takes it for: a list instead of an array, perhaps."),
    (TypeError, "", "Something has another type than your code expects: a list instead of an array, perhaps."),
)


def accident(error: BaseException) -> str:
    """Return words for an exception of the student's function, empty for any other."""
    if not hasattr(error, "student_traceback"):
        return ""
    message = str(error)
    fitting = (words for kind, pattern, words in WORDS if isinstance(error, kind) and re.search(pattern, message))
    return next(fitting, STOPPED)
