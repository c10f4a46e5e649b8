"""Values on the wire between the jail and the trusted side: a closed set of types, and no code in
it.

A message is a *skeleton*, msgpack restricted to nil, booleans, 64-bit integers, floats, text, bytes
and arrays, and a *bulk*, the larger buffers of its arrays and texts one after the other, in the
order in which the skeleton speaks of them. Every msgpack array that stands for a value starts with
a tag that says what to build from the rest: the tags are those of `autograder.kernel.types`, and
the three below. What may not cross by value (an object, a function) crosses as a reference, which
each side makes and follows in its own way.

The objects of a message are numbered in the order in which they are complete, alike on both sides: an object that
occurs twice arrives as one object, and an answer can speak of the very objects it was asked about.
"""

from __future__ import annotations

from typing import Any, Final

MAX_SKELETON: Final = 16 << 20
MAX_BULK: Final = 256 << 20
MAX_ITEMS: Final = 2_000_000
MAX_DEPTH: Final = 64
MAX_INT_BYTES: Final = 1 << 13
MAX_COLLISIONS: Final = 256
INLINE_BYTES: Final = (
    1 << 10
)  # a buffer below this size stands in the skeleton: that is quicker than the bulk

SAME: Final = "same"  # an object that this message has told already
GIVEN: Final = "given"  # an object of the message that this one answers
# References: made and followed by each side.
STUDENTS: Final = "student's"
TRUSTED: Final = "trusted"
MODULE: Final = "module"
REFERENCES: Final = frozenset({STUDENTS, TRUSTED, MODULE})

Node = list[Any]


class CannotCross(TypeError):
    """A value that has no form on the wire; the message names it, with its article."""
