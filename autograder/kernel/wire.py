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

from typing import Any, Final, TypeGuard

# Limits of what a hostile jail can make this side hold or compute; honest tests stay far
# below.
MAX_SKELETON: Final = 16 << 20
MAX_BULK: Final = 256 << 20
MAX_ITEMS: Final = 2_000_000
MAX_DEPTH: Final = 64
# Python takes the square of its length to write an integer out.
MAX_INT_BYTES: Final = 1 << 13
# So many keys of one hash are an accident; thousands take hours to insert.
MAX_COLLISIONS: Final = 256
# A buffer below this size stands in the skeleton: that is quicker than the bulk.
INLINE_BYTES: Final = 1 << 10

# An object that this message has told already.
SAME: Final = "same"
# An object of the message that this one answers.
GIVEN: Final = "given"
# References: made and followed by each side.
STUDENTS: Final = "student's"
TRUSTED: Final = "trusted"
MODULE: Final = "module"
REFERENCES: Final = frozenset({STUDENTS, TRUSTED, MODULE})

# Of a value that does not cross.
TOO_MANY: Final = "a value with too many items"

Node = list[Any]


def is_list_of(value: object, *kinds: type) -> TypeGuard[list[Any]]:
    """Whether a value is a list with an item of each of these types, in their order."""
    return type(value) is list and tuple(map(type, value)) == kinds


class CannotCross(TypeError):
    """A value that has no form on the wire; the message names it, with its article."""
