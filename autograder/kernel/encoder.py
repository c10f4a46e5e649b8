"""Writing messages: see `autograder.kernel.wire` for what they are made of."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgpack  # type: ignore[import-untyped]
import numpy as np

from autograder.kernel import arrays, wire
from autograder.kernel.arrays import CannotCross
from autograder.kernel.wire import Node


class Encoder:
    """Writes one message.

    Parameters
    ----------
    refer : callable
        Returns the node of a reference to a value that does not cross by value, or raises CannotCross.
    given : sequence of objects
        The numbered objects of the message that is being answered.

    Attributes
    ----------
    objects : list
        The numbered objects of this message.
    """

    def __init__(self, refer: Callable[[object], Node], given: Sequence[object] = ()) -> None:
        self.objects: list[object] = []
        self._refer = refer
        self._given = {id(value): index for index, value in enumerate(given)}
        self._same: dict[int, int] = {}
        self._bulk: list[memoryview | bytes] = []
        self._bulk_size = 0

    def encode(self, value: object) -> tuple[bytes, list[memoryview | bytes]]:
        """Return the skeleton and the parts of the bulk.

        Raises
        ------
        CannotCross
            If something in the value has no form on the wire, or the message would be too large.
        """
        skeleton: bytes = msgpack.packb(self._lower(value, 0), strict_types=True, unicode_errors="surrogatepass")
        if len(skeleton) > wire.MAX_SKELETON:
            raise CannotCross("a value with too many items")
        return skeleton, self._bulk

    def _lower(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is float or kind is bool or value is None:
            return value
        if kind is int:
            return value if -(2**63) <= value < 2**63 else _big_int(value)
        if kind is str or kind is bytes:
            return value if len(value) < wire.LONG_TEXT else self._long(value)
        known = self._known(value)
        if known is not None:
            return known
        if depth > wire.MAX_DEPTH:
            raise CannotCross("a value that is nested too deeply, or contains itself")
        lower = _LOWER.get(kind)
        if lower is not None:
            node = lower(self, value, depth + 1)
        elif kind in wire.NUMPY_TYPES:
            return [wire.NUMPY_SCALAR, *arrays.lower_scalar(value)]
        elif isinstance(value, np.dtype):
            return [wire.DTYPE, arrays.lower_dtype(value)]
        elif isinstance(value, wire.WITH_NAMES) and id(value) in wire.NAMES:
            return [wire.NAMED, wire.NAMES[id(value)]]
        else:
            node = self._reference(value, depth + 1)
        self._same[id(value)] = len(self.objects)
        self.objects.append(value)
        return node

    def _reference(self, value: object, depth: int) -> Node:
        tag, *fields = self._refer(value)
        return self._items(tag, fields, depth)

    def _known(self, value: object) -> Node | None:
        if id(value) in self._given:
            return [wire.GIVEN, self._given[id(value)]]
        if id(value) in self._same:
            return [wire.SAME, self._same[id(value)]]
        return None

    def _long(self, value: str | bytes) -> Node:
        if isinstance(value, bytes):
            return [wire.BYTES, self._put(value)]
        return [wire.TEXT, self._put(value.encode("utf-8", "surrogatepass"))]

    def _put(self, data: bytes | memoryview) -> int:
        self._bulk_size += len(data)
        if self._bulk_size > wire.MAX_BULK:
            raise CannotCross(f"a value of more than {wire.MAX_BULK >> 20} MB")
        self._bulk.append(data)
        return len(data)

    def _items(self, tag: int, values: Iterable[object], depth: int) -> Node:
        return [tag, *[self._lower(value, depth) for value in values]]

    def _list(self, value: list[Any], depth: int) -> Node:
        kinds = set(map(type, value))
        small = int not in kinds or all(type(item) is not int or item.bit_length() < 64 for item in value)
        if kinds <= wire.PLAIN_TYPES and small:
            return [wire.SCALARS, *value]
        return self._items(wire.LIST, value, depth)

    def _dict(self, tag: int, value: Mapping[Any, Any], depth: int) -> Node:
        return self._items(tag, [part for pair in value.items() for part in pair], depth)

    def _default_dict(self, value: collections.defaultdict[Any, Any], depth: int) -> Node:
        factory = value.default_factory
        if factory is not None and id(factory) not in wire.NAMES:
            return self._reference(value, depth)
        node = self._dict(wire.DEFAULT_DICT, value, depth)
        node.insert(1, "" if factory is None else wire.NAMES[id(factory)])
        return node

    def _array(self, tag: int, value: np.ndarray[Any, Any], depth: int) -> Node:
        if value.dtype.hasobject:
            raise CannotCross("an array of objects: was it built from None?")
        if not arrays.crosses(value.dtype):
            return self._reference(value, depth)
        if value.nbytes > wire.MAX_BULK:
            raise CannotCross(f"an array of more than {wire.MAX_BULK >> 20} MB")
        head, data = arrays.lower_array(value)
        self._put(data)
        return [tag, *head]


def _big_int(value: int) -> Node:
    size = value.bit_length() // 8 + 1
    if size > wire.MAX_INT_BYTES:
        raise CannotCross(f"an integer of more than {wire.MAX_INT_BYTES} bytes")
    return [wire.BIG_INT, value.to_bytes(size, "big", signed=True)]


_LOWER: Mapping[type, Callable[[Encoder, Any, int], Node]] = {
    list: Encoder._list,
    tuple: lambda self, value, depth: self._items(wire.TUPLE, value, depth),
    set: lambda self, value, depth: self._items(wire.SET, value, depth),
    frozenset: lambda self, value, depth: self._items(wire.FROZENSET, value, depth),
    dict: lambda self, value, depth: self._dict(wire.DICT, value, depth),
    collections.OrderedDict: lambda self, value, depth: self._dict(wire.ORDERED_DICT, value, depth),
    collections.Counter: lambda self, value, depth: self._dict(wire.COUNTER, value, depth),
    collections.defaultdict: Encoder._default_dict,
    bytearray: lambda self, value, depth: [wire.BYTEARRAY, self._put(bytes(value))],
    complex: lambda self, value, depth: [wire.COMPLEX, value.real, value.imag],
    range: lambda self, value, depth: self._items(wire.RANGE, (value.start, value.stop, value.step), depth),
    slice: lambda self, value, depth: self._items(wire.SLICE, (value.start, value.stop, value.step), depth),
    np.ndarray: lambda self, value, depth: self._array(wire.ARRAY, value, depth),
    np.matrix: lambda self, value, depth: self._array(wire.MATRIX, value, depth),
}
