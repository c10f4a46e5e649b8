"""Values on the wire between the jail and the trusted side: a closed set of types, and no code in it.

A message is a *skeleton*, msgpack restricted to nil, booleans, 64-bit integers, floats, text, bytes and arrays, and a
*bulk*, the bytes of its numpy arrays and long texts one after the other, in the order in which the skeleton speaks of
them. Every msgpack array starts with a tag that says what to build from the rest. What may not cross by value (an
object, a function) crosses as a reference, which each side makes and follows in its own way.

Mutable objects of a message are numbered in the order in which they are complete, alike on both sides: an object that
occurs twice arrives as one object, and an answer can speak of the very objects it was asked about.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

MAX_SKELETON: Final = 16 << 20
MAX_BULK: Final = 256 << 20
MAX_ITEMS: Final = 2_000_000
MAX_DEPTH: Final = 64
MAX_INT_BYTES: Final = 1 << 13
LONG_TEXT: Final = 1 << 10  # texts from this length on are in the bulk
MAX_COLLISIONS: Final = 256

LIST, SCALARS, TUPLE, DICT, SET, FROZENSET, BYTEARRAY = range(7)
ORDERED_DICT, COUNTER, DEFAULT_DICT = range(7, 10)
COMPLEX, BIG_INT, TEXT, BYTES, RANGE, SLICE, NAMED = range(10, 17)
ARRAY, MATRIX, NUMPY_SCALAR, DTYPE = range(17, 21)
SAME, GIVEN = range(21, 23)  # an object of this message; an object of the message this one answers
STUDENTS, TRUSTED, MODULE, GENERATOR, RANDOM_STATE = range(23, 28)  # references: made and followed by each side

Node = list[Any]

PLAIN_TYPES: Final = frozenset({type(None), bool, int, float})
NUMPY_TYPES: Final = frozenset(np.dtype(code).type for code in "?bhilqBHILQefdgFDGSUmM")

BY_NAME: Final[Mapping[str, Any]] = {
    **{kind.__name__: kind for kind in (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset)},
    **{f"numpy.{kind.__name__}": kind for kind in (*NUMPY_TYPES, np.ndarray, np.floating, np.integer, np.number)},
    **{"object": object, "type": type, "Ellipsis": Ellipsis, "NotImplemented": NotImplemented},
}
NAMES: Final = {id(value): name for name, value in BY_NAME.items()}
WITH_NAMES: Final = (type, types.EllipsisType, types.NotImplementedType)
