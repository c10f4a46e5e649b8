"""Lists, tuples, ranges, slices and double-ended queues."""

from __future__ import annotations

import array
import collections
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from autograder.course.errors import WireError
from autograder.kernel import wire
from autograder.kernel.types.named_tuples import lower_named_tuple
from autograder.kernel.value_types import ValueType, never_changes, refuse_changes
from autograder.kernel.wire import CannotCross, Node

if TYPE_CHECKING:
    from autograder.kernel.decoder import Decoder
    from autograder.kernel.encoder import Encoder

FLOATS = "floats"
INTEGERS = "integers"
_PLAIN_TYPES: Final = frozenset({type(None), bool, float})
# From so many numbers on, their bytes are quicker than msgpack's numbers.
_MANY: Final = 16
# Of an integer that array("q") holds.
_MACHINE_BITS: Final = 63


def lower_sequence(encoder: Encoder, tag: str, items: Sequence[Any], depth: int) -> Node:
    """Return a node with one field for each item."""
    if frozenset(map(type, items)) <= _PLAIN_TYPES:
        return [tag, *items]
    return [tag, *encoder.lower_items(items, depth)]


def _lower_list(encoder: Encoder, value: list[Any], depth: int) -> Node:
    # By the base class: a subclass's own `__iter__` might show the test another list.
    items = list.__getitem__(value, slice(None))
    if len(items) > wire.MAX_ITEMS:
        raise CannotCross(wire.TOO_MANY)
    if len(items) >= _MANY:
        kinds = set(map(type, items))
        if kinds == {float}:
            return [FLOATS, encoder.put_buffer(array.array("d", items).tobytes())]
        if kinds == {int} and max(map(int.bit_length, items)) <= _MACHINE_BITS:
            return [INTEGERS, encoder.put_buffer(array.array("q", items).tobytes())]
    return lower_sequence(encoder, "list", items, depth)


def _build_list(decoder: Decoder, node: Node, depth: int) -> list[Any]:
    return decoder.build_items(node, depth)


def _build_numbers(decoder: Decoder, node: Node, depth: int) -> list[Any]:
    if len(node) != 2:
        raise WireError("malformed message (numbers)")
    data = decoder.take_buffer(node[1])
    numbers = array.array("d" if node[0] == FLOATS else "q")
    if len(data) > wire.MAX_ITEMS * numbers.itemsize:
        raise WireError("a message with too many items")
    numbers.frombytes(data)
    return numbers.tolist()


def _apply_list(value: list[Any], content: list[Any]) -> None:
    # In place, as whoever called holds this very list.
    value[:] = content


def _lower_tuple(encoder: Encoder, value: tuple[Any, ...], depth: int) -> Node | None:
    kind = type(value)
    if kind is not tuple:
        # `time.struct_time` and its like are more than their items.
        if hasattr(kind, "n_sequence_fields"):
            return None
        if type(getattr(kind, "_fields", None)) is tuple:
            return lower_named_tuple(encoder, value, depth)
    return lower_sequence(encoder, "tuple", tuple.__getitem__(value, slice(None)), depth)


def _build_tuple(decoder: Decoder, node: Node, depth: int) -> tuple[Any, ...]:
    return tuple(decoder.build_items(node, depth))


def _lower_range(encoder: Encoder, value: range, depth: int) -> Node:
    return ["range", *encoder.lower_items((value.start, value.stop, value.step), depth)]


def _build_range(decoder: Decoder, node: Node, depth: int) -> range:
    fields = decoder.build_items(node, depth)
    for field in fields:
        if type(field) is not int:
            raise WireError("malformed message (a range of other things than integers)")
    return range(*fields)


def _lower_slice(encoder: Encoder, value: slice, depth: int) -> Node:
    return ["slice", *encoder.lower_items((value.start, value.stop, value.step), depth)]


def _build_slice(decoder: Decoder, node: Node, depth: int) -> slice:
    return slice(*decoder.build_items(node, depth))


def _lower_deque(encoder: Encoder, value: collections.deque[Any], depth: int) -> Node:
    maxlen: Any = vars(collections.deque)["maxlen"]
    length = maxlen.__get__(value)
    return ["deque", length, *encoder.lower_items(collections.deque.__iter__(value), depth)]


def _build_deque(decoder: Decoder, node: Node, depth: int) -> collections.deque[Any]:
    length, *items = decoder.build_items(node, depth)
    if length is not None and type(length) is not int:
        raise WireError("malformed message (the length of a deque)")
    return collections.deque(items, length)


def _apply_deque(value: collections.deque[Any], content: collections.deque[Any]) -> None:
    value.clear()
    value.extend(content)


_list_of_numbers = {
    # What crosses so is a list.
    "types": (),
    "lower": _lower_list,
    "build": _build_numbers,
    "snapshot": list,
    "apply": _apply_list,
}

TYPES = (
    ValueType(
        tag="list",
        types=(list,),
        lower=_lower_list,
        build=_build_list,
        snapshot=list,
        apply=_apply_list,
    ),
    ValueType(tag=FLOATS, **_list_of_numbers),  # type: ignore[arg-type]
    ValueType(tag=INTEGERS, **_list_of_numbers),  # type: ignore[arg-type]
    ValueType(
        tag="tuple",
        types=(tuple,),
        lower=_lower_tuple,
        build=_build_tuple,
        snapshot=never_changes,
        apply=refuse_changes,
    ),
    ValueType(
        tag="range",
        types=(range,),
        lower=_lower_range,
        build=_build_range,
        snapshot=never_changes,
        apply=refuse_changes,
    ),
    ValueType(
        tag="slice",
        types=(slice,),
        lower=_lower_slice,
        build=_build_slice,
        snapshot=never_changes,
        apply=refuse_changes,
    ),
    ValueType(
        tag="deque",
        types=(collections.deque,),
        lower=_lower_deque,
        build=_build_deque,
        snapshot=list,
        apply=_apply_deque,
    ),
)
