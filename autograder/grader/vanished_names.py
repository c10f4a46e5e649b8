"""Names that NumPy no longer has, and what is written in their place today."""

from __future__ import annotations

import re

import numpy as np

NAMES = {
    "bool": "bool",
    "int": "int",
    "float": "float",
    "complex": "complex",
    "object": "object",
    "str": "str",
    "long": "int",
    "unicode": "str",
    "float_": "np.float64",
    "complex_": "np.complex128",
    "cfloat": "np.complex128",
    "singlecomplex": "np.complex64",
    "longfloat": "np.longdouble",
    "clongfloat": "np.clongdouble",
    "longcomplex": "np.clongdouble",
    "string_": "np.bytes_",
    "unicode_": "np.str_",
    "bool8": "np.bool_",
    "object0": "np.object_",
    "int0": "np.intp",
    "uint0": "np.uintp",
    "str0": "np.str_",
    "bytes0": "np.bytes_",
    "void0": "np.void",
    "Inf": "np.inf",
    "Infinity": "np.inf",
    "infty": "np.inf",
    "PINF": "np.inf",
    "NINF": "-np.inf",
    "NaN": "np.nan",
    "NAN": "np.nan",
    "PZERO": "0.0",
    "NZERO": "-0.0",
    "product": "np.prod",
    "cumproduct": "np.cumprod",
    "sometrue": "np.any",
    "alltrue": "np.all",
    "round_": "np.round",
    "in1d": "np.isin",
    "row_stack": "np.vstack",
    "trapz": "np.trapezoid",
    "asfarray": "np.asarray(a, dtype=float)",
    "msort": "np.sort(a, axis=0)",
    "mat": "np.asmatrix",
    "asscalar": "a.item()",
    "find_common_type": "np.result_type",
    "recfromcsv": "np.genfromtxt",
    "issubclass_": "issubclass",
    "issubsctype": "np.issubdtype",
    "loads": "pickle.loads",
    "rank": "np.ndim",
}
METHODS = {
    "ptp": "np.ptp(a)",
    "itemset": "a[index] = value",
    "newbyteorder": "a.view(a.dtype.newbyteorder(order))",
    "tostring": "a.tobytes()",
}
OF_MODULE = re.compile(
    r"module 'numpy' has no attribute '(\w+)'|`np\.(\w+)` was removed|name '(\w+)' from 'numpy'"
)
OF_ARRAY = re.compile(
    r"'numpy\.\w+' object has no attribute '(\w+)'|`(\w+)` was removed from the ndarray class"
)
SENTENCE = "NumPy no longer has `{old}`: write `{new}`."


def vanished_name(message: str) -> str:
    """Return a sentence about a name that NumPy lost, empty where an error's message is about no
    such name.

    Only names of our own lists are told, whatever the message says.
    """
    name = _found_name(OF_MODULE, message)
    # An older NumPy may still have it: then the message is about something else.
    if name in NAMES and name not in vars(np):
        return SENTENCE.format(old=f"np.{name}", new=NAMES[name])
    name = _found_name(OF_ARRAY, message)
    if name in METHODS and name not in dir(np.ndarray):
        return SENTENCE.format(old=f"a.{name}", new=METHODS[name])
    return ""


def _found_name(pattern: re.Pattern[str], message: str) -> str:
    """Return the one group of a pattern that fits a message; each stands for one wording."""
    found = pattern.search(message)
    if found is None:
        return ""
    return str(found[found.lastindex]) if found.lastindex else ""
