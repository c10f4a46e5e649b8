"""Values on the wire between the jail and the trusted side: a closed set of types, and no code in it.

A message is a *skeleton*, msgpack restricted to nil, booleans, 64-bit integers, floats, text, bytes and arrays, and a
*bulk*, the bytes of its numpy arrays and long texts one after the other, in the order in which the skeleton speaks of
them. Every msgpack array starts with a tag that says what to build from the rest. What may not cross by value (an
object, a function) crosses as a reference, which each side makes and follows in its own way.

Mutable objects of a message are numbered in the order in which they are complete, alike on both sides: an object that
occurs twice arrives as one object, and an answer can speak of the very objects it was asked about.
"""

from __future__ import annotations

import collections
import gc
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgpack  # type: ignore[import-untyped]
import numpy as np

from autograder.errors import WireError
from autograder.jail import arrays
from autograder.jail.arrays import CannotCross

MAX_SKELETON: Final = 16 << 20
MAX_BULK: Final = 256 << 20
MAX_ITEMS: Final = 2_000_000
MAX_DEPTH: Final = 64
MAX_INT_BYTES: Final = 1 << 13
LONG_TEXT: Final = 1 << 10
MAX_COLLISIONS: Final = 256

LIST, SCALARS, TUPLE, DICT, SET, FROZENSET, BYTEARRAY = range(7)
ORDERED_DICT, COUNTER, DEFAULT_DICT = range(7, 10)
COMPLEX, BIG_INT, TEXT, BYTES, RANGE, SLICE, NAMED = range(10, 17)
ARRAY, MATRIX, NUMPY_SCALAR, DTYPE = range(17, 21)
SAME, GIVEN = range(21, 23)  # an object of this message; an object of the message this one answers
STUDENTS, TRUSTED, MODULE, GENERATOR, RANDOM_STATE = range(23, 28)  # references: made and followed by each side

Node = list[Any]
_SCALARS = frozenset({type(None), bool, int, float})
_NUMPY_SCALARS = frozenset(np.dtype(code).type for code in "?bhilqBHILQefdgFDGSUmM")
_NAMED: Mapping[str, Any] = {
    **{kind.__name__: kind for kind in (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset)},
    **{f"numpy.{kind.__name__}": kind for kind in (*_NUMPY_SCALARS, np.ndarray, np.floating, np.integer, np.number)},
    **{"object": object, "type": type, "Ellipsis": Ellipsis, "NotImplemented": NotImplemented},
}
_NAMES = {id(value): name for name, value in _NAMED.items()}
_NAMED_TYPES = (type, types.EllipsisType, types.NotImplementedType)


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
        if len(skeleton) > MAX_SKELETON:
            raise CannotCross("a value with too many items")
        return skeleton, self._bulk

    def _lower(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is float or kind is bool or value is None:
            return value
        if kind is int:
            return value if -(2**63) <= value < 2**63 else _big_int(value)
        if kind is str:
            return value if len(value) < LONG_TEXT else [TEXT, self._put(value.encode("utf-8", "surrogatepass"))]
        if kind is bytes:
            return value if len(value) < LONG_TEXT else [BYTES, self._put(value)]
        known = self._known(value)
        if known is not None:
            return known
        if depth > MAX_DEPTH:
            raise CannotCross("a value that is nested too deeply, or contains itself")
        lower = _LOWER.get(kind)
        if lower is not None:
            node = lower(self, value, depth + 1)
        elif kind in _NUMPY_SCALARS:
            return [NUMPY_SCALAR, *arrays.lower_scalar(value)]
        elif isinstance(value, np.dtype):
            return [DTYPE, arrays.lower_dtype(value)]
        elif isinstance(value, _NAMED_TYPES) and id(value) in _NAMES:
            return [NAMED, _NAMES[id(value)]]
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
            return [GIVEN, self._given[id(value)]]
        if id(value) in self._same:
            return [SAME, self._same[id(value)]]
        return None

    def _put(self, data: bytes | memoryview) -> int:
        self._bulk_size += len(data)
        if self._bulk_size > MAX_BULK:
            raise CannotCross(f"a value of more than {MAX_BULK >> 20} MB")
        self._bulk.append(data)
        return len(data)

    def _items(self, tag: int, values: Iterable[object], depth: int) -> Node:
        return [tag, *[self._lower(value, depth) for value in values]]

    def _list(self, value: list[Any], depth: int) -> Node:
        kinds = set(map(type, value))
        small = int not in kinds or all(type(item) is not int or item.bit_length() < 64 for item in value)
        if kinds <= _SCALARS and small:
            return [SCALARS, *value]
        return self._items(LIST, value, depth)

    def _dict(self, tag: int, value: Mapping[Any, Any], depth: int) -> Node:
        return self._items(tag, [part for pair in value.items() for part in pair], depth)

    def _default_dict(self, value: collections.defaultdict[Any, Any], depth: int) -> Node:
        factory = value.default_factory
        if factory is not None and id(factory) not in _NAMES:
            return self._reference(value, depth)
        node = self._dict(DEFAULT_DICT, value, depth)
        node.insert(1, "" if factory is None else _NAMES[id(factory)])
        return node

    def _array(self, tag: int, value: np.ndarray[Any, Any], depth: int) -> Node:
        if value.dtype.hasobject:
            raise CannotCross("an array of objects: was it built from None?")
        if not arrays.crosses(value.dtype):
            return self._reference(value, depth)
        if value.nbytes > MAX_BULK:
            raise CannotCross(f"an array of more than {MAX_BULK >> 20} MB")
        head, data = arrays.lower_array(value)
        self._put(data)
        return [tag, *head]


def _big_int(value: int) -> Node:
    size = value.bit_length() // 8 + 1
    if size > MAX_INT_BYTES:
        raise CannotCross(f"an integer of more than {MAX_INT_BYTES} bytes")
    return [BIG_INT, value.to_bytes(size, "big", signed=True)]


_LOWER: Mapping[type, Callable[[Encoder, Any, int], Node]] = {
    list: Encoder._list,
    tuple: lambda self, value, depth: self._items(TUPLE, value, depth),
    set: lambda self, value, depth: self._items(SET, value, depth),
    frozenset: lambda self, value, depth: self._items(FROZENSET, value, depth),
    dict: lambda self, value, depth: self._dict(DICT, value, depth),
    collections.OrderedDict: lambda self, value, depth: self._dict(ORDERED_DICT, value, depth),
    collections.Counter: lambda self, value, depth: self._dict(COUNTER, value, depth),
    collections.defaultdict: Encoder._default_dict,
    bytearray: lambda self, value, depth: [BYTEARRAY, self._put(bytes(value))],
    complex: lambda self, value, depth: [COMPLEX, value.real, value.imag],
    range: lambda self, value, depth: self._items(RANGE, (value.start, value.stop, value.step), depth),
    slice: lambda self, value, depth: self._items(SLICE, (value.start, value.stop, value.step), depth),
    np.ndarray: lambda self, value, depth: self._array(ARRAY, value, depth),
    np.matrix: lambda self, value, depth: self._array(MATRIX, value, depth),
}


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
        if len(skeleton) > MAX_SKELETON:
            raise WireError("a message with too many items")
        return msgpack.unpackb(
            skeleton,
            list_hook=self._counted,
            unicode_errors="surrogatepass",
            max_array_len=min(MAX_ITEMS, len(skeleton)),
            max_map_len=0,
            max_ext_len=0,
        )

    def _counted(self, items: list[Any]) -> list[Any]:
        self._count += len(items) + 1
        if self._count > MAX_ITEMS:
            raise WireError("a message with too many items")
        return items

    def _build(self, node: Any, depth: int) -> Any:
        if type(node) is not list:
            return node
        if depth > MAX_DEPTH or not node or type(node[0]) is not int:
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
        if not set(map(type, values)) <= _SCALARS:
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
        return _NAMED[self._exactly(node, str)[0]]

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
    if len(keys) > MAX_COLLISIONS and len(keys) - len(set(map(hash, keys))) > MAX_COLLISIONS:
        raise WireError("a dictionary or set whose keys collide")


_BUILD: Mapping[int, Callable[[Decoder, Node, int], Any]] = {
    LIST: Decoder._items,
    SCALARS: lambda self, node, depth: self._scalars(node),
    TUPLE: lambda self, node, depth: tuple(self._items(node, depth)),
    DICT: Decoder._pairs,
    SET: Decoder._set,
    FROZENSET: lambda self, node, depth: frozenset(self._set(node, depth)),
    BYTEARRAY: lambda self, node, depth: bytearray(self._taken(node)),
    ORDERED_DICT: lambda self, node, depth: collections.OrderedDict(self._pairs(node, depth)),
    COUNTER: lambda self, node, depth: collections.Counter(self._pairs(node, depth)),
    DEFAULT_DICT: Decoder._default_dict,
    COMPLEX: lambda self, node, depth: complex(*self._exactly(node, float, float)),
    BIG_INT: lambda self, node, depth: arrays.build_int(self._exactly(node, bytes)[0], MAX_INT_BYTES),
    TEXT: lambda self, node, depth: str(self._taken(node), "utf-8", "surrogatepass"),
    BYTES: lambda self, node, depth: bytes(self._taken(node)),
    RANGE: Decoder._range,
    SLICE: lambda self, node, depth: slice(*self._items(node, depth)),
    NAMED: lambda self, node, depth: self._named(node),
    ARRAY: lambda self, node, depth: self._array(node),
    MATRIX: lambda self, node, depth: self._array(node).view(np.matrix),
    NUMPY_SCALAR: lambda self, node, depth: arrays.build_scalar(*self._exactly(node, str, bytes)),
    DTYPE: lambda self, node, depth: arrays.build_dtype(self._exactly(node, str)[0]),
    SAME: lambda self, node, depth: self._numbered(self.objects, node),
    GIVEN: lambda self, node, depth: self._numbered(self._given, node),
    **dict.fromkeys((STUDENTS, TRUSTED, MODULE, GENERATOR, RANDOM_STATE), Decoder._reference),
}
_NUMBERED = frozenset(_BUILD) - {BIG_INT, TEXT, BYTES, NAMED, NUMPY_SCALAR, DTYPE, SAME, GIVEN}
