"""Reading messages, and believing nothing of them: see `autograder.kernel.wire` for what they are made of."""

from __future__ import annotations

import collections
import gc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgpack  # type: ignore[import-untyped]
import numpy as np

from autograder.course.errors import WireError
from autograder.kernel import arrays, wire
from autograder.kernel.wire import Node


class Decoder:
    """Reads one message, and believes nothing of it.

    Parameters
    ----------
    resolve : callable
        Follows a reference: gets its tag and its fields (values of the closed set) and returns the value, or raises
        WireError.
    given : sequence of objects
        The numbered objects of the message that this one may answer.

    Attributes
    ----------
    objects : list
        The numbered objects of this message.
    """

    def __init__(self, resolve: Callable[[int, list[Any]], object], given: Sequence[object] = ()) -> None:
        self.objects: list[object] = []
        self._resolve = resolve
        self._given = given
        self._bulk = memoryview(b"")
        self._count = 0

    def decode(self, skeleton: bytes | memoryview, bulk: bytes | memoryview = b"") -> Any:
        """Return the value.

        Raises
        ------
        WireError
            If it is not exactly a message of ours.
        """
        self._bulk = memoryview(bulk)
        collecting = gc.isenabled()
        gc.disable()  # a hostile tree of empty lists would start the collector thousands of times
        try:
            value = self._build(self._unpack(skeleton), 0)
        except WireError:
            raise
        except Exception as error:
            raise WireError(f"malformed message ({type(error).__name__}: {str(error)[:200]})") from None
        finally:
            if collecting:
                gc.enable()
        if len(self._bulk):
            raise WireError("malformed message (bytes are left over)")
        return value

    def _unpack(self, skeleton: bytes | memoryview) -> Any:
        if len(skeleton) > wire.MAX_SKELETON:
            raise WireError("a message with too many items")
        return msgpack.unpackb(
            skeleton,
            list_hook=self._counted,
            unicode_errors="surrogatepass",
            max_array_len=min(wire.MAX_ITEMS, len(skeleton)),
            max_map_len=0,
            max_ext_len=0,
        )

    def _counted(self, items: list[Any]) -> list[Any]:
        self._count += len(items) + 1
        if self._count > wire.MAX_ITEMS:
            raise WireError("a message with too many items")
        return items

    def _build(self, node: Any, depth: int) -> Any:
        if type(node) is not list:
            return node
        if depth > wire.MAX_DEPTH or not node or type(node[0]) is not int:
            raise WireError("malformed message (a node that is none)")
        tag = node[0]
        build = _BUILD.get(tag)
        if build is None:
            raise WireError(f"malformed message (unknown tag {tag})")
        value = build(self, node, depth + 1)
        if tag in _NUMBERED:
            self.objects.append(value)
        return value

    def _items(self, node: Node, depth: int, first: int = 1) -> list[Any]:
        return [self._build(item, depth) for item in node[first:]]

    def _exactly(self, node: Node, *kinds: type) -> list[Any]:
        fields = node[1:]
        if len(fields) != len(kinds) or any(type(f) is not kind for f, kind in zip(fields, kinds, strict=True)):
            raise WireError(f"malformed message (fields of tag {node[0]})")
        return fields

    def _take(self, size: int) -> memoryview:
        if size < 0 or size > len(self._bulk):
            raise WireError("malformed message (too few bytes)")
        data, self._bulk = self._bulk[:size], self._bulk[size:]
        return data

    def _taken(self, node: Node) -> memoryview:
        return self._take(self._exactly(node, int)[0])

    def _scalars(self, node: Node) -> list[Any]:
        values = node[1:]
        if not set(map(type, values)) <= wire.PLAIN_TYPES:
            raise WireError("malformed message (not only scalars)")
        return values

    def _pairs(self, node: Node, depth: int, first: int = 1) -> dict[Any, Any]:
        parts = self._items(node, depth, first)
        keys = parts[::2]
        _check_hashes(keys)
        return dict(zip(keys, parts[1::2], strict=True))

    def _default_dict(self, node: Node, depth: int) -> collections.defaultdict[Any, Any]:
        factory = None if node[1] == "" else self._named(node[:2])
        if not (factory is None or isinstance(factory, type)):
            raise WireError("malformed message (a default that is no type)")
        return collections.defaultdict(factory, self._pairs(node, depth, 2))

    def _set(self, node: Node, depth: int) -> set[Any]:
        items = self._items(node, depth)
        _check_hashes(items)
        return set(items)

    def _array(self, node: Node) -> np.ndarray[Any, Any]:
        head = node[1:]
        return arrays.build_array(head, self._take(arrays.size_of(head)))

    def _named(self, node: Node) -> Any:
        return wire.BY_NAME[self._exactly(node, str)[0]]

    def _range(self, node: Node, depth: int) -> range:
        fields = self._items(node, depth)
        if any(type(field) is not int for field in fields):
            raise WireError("malformed message (a range of other things than integers)")
        return range(*fields)

    def _reference(self, node: Node, depth: int) -> object:
        return self._resolve(node[0], self._items(node, depth))

    def _numbered(self, objects: Sequence[object], node: Node) -> object:
        index = self._exactly(node, int)[0]
        if not 0 <= index < len(objects):
            raise WireError("malformed message (an object that is not there)")
        return objects[index]


def _check_hashes(keys: list[Any]) -> None:
    """Refuse keys made to collide: building a dictionary of them would take hours."""
    if len(keys) > wire.MAX_COLLISIONS and len(keys) - len(set(map(hash, keys))) > wire.MAX_COLLISIONS:
        raise WireError("a dictionary or set whose keys collide")


_BUILD: Mapping[int, Callable[[Decoder, Node, int], Any]] = {
    wire.LIST: Decoder._items,
    wire.SCALARS: lambda self, node, depth: self._scalars(node),
    wire.TUPLE: lambda self, node, depth: tuple(self._items(node, depth)),
    wire.DICT: Decoder._pairs,
    wire.SET: Decoder._set,
    wire.FROZENSET: lambda self, node, depth: frozenset(self._set(node, depth)),
    wire.BYTEARRAY: lambda self, node, depth: bytearray(self._taken(node)),
    wire.ORDERED_DICT: lambda self, node, depth: collections.OrderedDict(self._pairs(node, depth)),
    wire.COUNTER: lambda self, node, depth: collections.Counter(self._pairs(node, depth)),
    wire.DEFAULT_DICT: Decoder._default_dict,
    wire.COMPLEX: lambda self, node, depth: complex(*self._exactly(node, float, float)),
    wire.BIG_INT: lambda self, node, depth: arrays.build_int(self._exactly(node, bytes)[0], wire.MAX_INT_BYTES),
    wire.TEXT: lambda self, node, depth: str(self._taken(node), "utf-8", "surrogatepass"),
    wire.BYTES: lambda self, node, depth: bytes(self._taken(node)),
    wire.RANGE: Decoder._range,
    wire.SLICE: lambda self, node, depth: slice(*self._items(node, depth)),
    wire.NAMED: lambda self, node, depth: self._named(node),
    wire.ARRAY: lambda self, node, depth: self._array(node),
    wire.MATRIX: lambda self, node, depth: self._array(node).view(np.matrix),
    wire.NUMPY_SCALAR: lambda self, node, depth: arrays.build_scalar(*self._exactly(node, str, bytes)),
    wire.DTYPE: lambda self, node, depth: arrays.build_dtype(self._exactly(node, str)[0]),
    wire.SAME: lambda self, node, depth: self._numbered(self.objects, node),
    wire.GIVEN: lambda self, node, depth: self._numbered(self._given, node),
    **dict.fromkeys((wire.STUDENTS, wire.TRUSTED, wire.MODULE, wire.GENERATOR, wire.RANDOM_STATE), Decoder._reference),
}
_NUMBERED = frozenset(_BUILD) - {
    *(wire.BIG_INT, wire.TEXT, wire.BYTES, wire.NAMED, wire.NUMPY_SCALAR, wire.DTYPE),
    *(wire.SAME, wire.GIVEN),
}
