"""Exceptions of a student's function in a hidden test, in words of ours: what kind of accident it
was, where to look.

Neither the exception's own message nor its place is told, because they might quote the test's
inputs.
"""

from __future__ import annotations

import builtins
import re

import numpy as np

from autograder.grader.vanished_names import vanished_name

TOO_LONG = "Your code took too long in this test: does a loop never end?"
STOPPED = "Your code stopped with {a_kind} in this test."
SHAPES = "Two shapes do not fit together: write the shapes beside every line; is a .T or an axis missing?"
NOTHING = "Something is None where a value is wanted: what a function without `return` gives, or a default?"
NO_NAME = "Your code uses a name that is not there: restart the kernel, run all cells, and see where it stops."
ONE_NUMBER = "A whole array stands where one number is wanted."
ONE_ENTRY = "A single number stands where a list or an array is wanted."
EMPTY = "Something is empty of which an entry is wanted."

# The first that fits counts, so a subclass or a narrower pattern stands before a wider one.
WORDS: tuple[tuple[type[BaseException], str, str], ...] = (
    (TimeoutError, "", TOO_LONG),
    (MemoryError, "", "Your code needs more memory than there is."),
    (RecursionError, "", "A function calls itself without end: where does it stop doing so?"),
    (ModuleNotFoundError, "", "A module is imported that is not there when notebooks are graded: is it spelt right?"),
    (ImportError, "", "A name is imported that its package does not have: is it spelt right?"),
    (EOFError, "", "Nobody answers `input()` when notebooks are graded: use the function's arguments."),
    (OSError, "",
     "Your code asks for something that is not there when notebooks are graded: a file, a program, the network."),
    (UnboundLocalError, "", "A variable is used before it has a value: is it set in one branch or in a loop only?"),
    (NameError, "", NO_NAME),
    (KeyError, "", "A dictionary is asked for a key that it does not have: how are the keys numbered?"),
    (Exception, "^axis", "An axis is named that the array does not have: look at its shape."),
    (IndexError, "too many indices", "An array is asked for an entry by more indices than it has axes."),
    (IndexError, "only integers|must be of integer", "An index is no whole number."),
    (IndexError, "empty", EMPTY),
    (IndexError, "boolean index", "A mask has another shape than the array it chooses from."),
    (IndexError, "", "An index is outside of its array or list: the first is 0, the last one less than the length."),
    (ZeroDivisionError, "", "Your code divides by zero."),
    (ValueError, "unpack", "A line unpacks another number of values than there are."),
    (ValueError, "ambiguous", "A whole array stands where true or false is wanted: np.any, np.all, or one entry?"),
    (ValueError, "inhomogeneous", "An array is made from rows of different lengths."),
    (ValueError, "empty|zero-size|at least one array", EMPTY),
    (ValueError, "with a sequence", ONE_NUMBER),
    (ValueError, "cannot reshape", "An array is reshaped to a shape that holds another number of entries."),
    (np.linalg.LinAlgError, "", "A matrix is not one that NumPy can do this with: is it square, can it be inverted?"),
    (ValueError, "core dimension|aligned|broadcast|must match|same number of dimensions", SHAPES),
    (TypeError, "^Cannot interpret .* as a data type", "A shape is one argument: np.zeros((n, m))."),
    (TypeError, r"Cannot cast .* dtype\('float.* dtype\('u?int",
     "An array of whole numbers cannot take fractions in place: make it one of floats."),
    (TypeError, "Cannot cast", "An array cannot take numbers of another type in place."),
    (TypeError, "NoneType", NOTHING),
    (AttributeError, "NoneType", NOTHING),
    (TypeError, "float[0-9]*' object cannot be interpreted as an integer",
     "A whole number is wanted, and it is none: // divides to one, / does not."),
    (TypeError, "as an integer", "A whole number is wanted, and it is none."),
    (TypeError, "integer scalar arrays|indices must be integers", "An index is no whole number."),
    (TypeError, "length-1|only 0-dimensional", ONE_NUMBER),
    (TypeError, "not callable", "Something is called, with round brackets, that is no function."),
    (TypeError, "0-d array|unsized|has no len|'(int|float|complex|bool)' object is not", ONE_ENTRY),
    (TypeError, "positional argument|keyword argument|required argument|multiple values for argument",
     "A function is called with other arguments than it takes: compare names and order."),
    (TypeError, "unsupported operand|ufunc .* not (supported|contain a loop)|concatenate",
     "Two things are combined whose types do not go together."),
    (AttributeError, "^module ", "A module is asked for a name that it does not have: is the name spelt right?"),
    (AttributeError, "", "Something is asked for an attribute that it does not have: look at the names behind dots."),
    (TypeError, "", "Something has another type than is wanted there."),
)  # fmt: skip


def describe_accident(error: BaseException) -> str:
    """Return words for an exception of the student's function, empty for any other."""
    # Without it the test itself raised: its words could quote what the test holds.
    if not hasattr(error, "student_traceback"):
        return ""
    message = str(error)
    if isinstance(error, AttributeError | ImportError) and (lost := vanished_name(message)):
        return lost
    for kind, pattern, words in WORDS:
        if isinstance(error, kind) and re.search(pattern, message):
            return words
    return STOPPED.format(a_kind=_a_kind(error))


def _a_kind(error: BaseException) -> str:
    """Return the nearest of Python's own classes, with its article: a student's own class is not
    named.
    """
    name = "Exception"
    for kind in type(error).__mro__:
        # Compared by identity: a class of the student's may be called like one of Python's.
        if getattr(builtins, kind.__name__, None) is kind:
            name = kind.__name__
            break
    if name == "Exception":
        return "an error"
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
