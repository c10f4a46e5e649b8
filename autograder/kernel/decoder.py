"""Reading messages, and believing nothing of them: see `autograder.kernel.wire` for what they are
made of.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import msgpack  # type: ignore[import-untyped]

from autograder.course.errors import WireError
from autograder.kernel import wire
from autograder.kernel.types import REGISTRY
from autograder.kernel.types.named_tuples import NamedTuples
from autograder.kernel.value_types import ValueType, never_changes
from autograder.kernel.wire import Node

T = TypeVar("T")
# Bytes of a skeleton that holds too few lists to be worth counting them.
_HARMLESS_SIZE: Final = 1 << 16


class Decoder:
    """Reads one message, and believes nothing of it.

    Parameters
    ----------
    resolve : callable
        Follows a reference: gets its tag and its fields (values of the closed set) and returns the
        value, or raises WireError.
    given : sequence of objects
        The numbered objects of the message that this one may answer.
    named_tuples : NamedTuples, optional
        Knows the classes of what has crossed.

    Attributes
    ----------
    objects : list
        The numbered objects of this message.
    changeable : list of tuple
        Number, value and value type of those that came by value and can change in place.
    question : list
        The question that this message is, if it is one.
    """

    def __init__(
        self,
        resolve: Callable[[str, list[Any]], object],
        given: Sequence[object] = (),
        *,
        named_tuples: NamedTuples | None = None,
    ) -> None:
        self.objects: list[object] = []
        self.changeable: list[tuple[int, Any, ValueType]] = []
        self.question: list[Any] = []
        self.named_tuples = named_tuples or NamedTuples()
        self._resolve = resolve
        self._given = given
        self._bulk = memoryview(b"")
        self._count = 0

    def decode(self, skeleton: bytes | memoryview, bulk: bytes | memoryview = b"") -> Any:
        """Return the value of a message that is one value.

        Raises
        ------
        WireError
            If it is not exactly a message of ours.
        """
        return self.read(skeleton, bulk, self.build)

    def read(
        self, skeleton: bytes | memoryview, bulk: bytes | memoryview, build: Callable[[Any], T]
    ) -> T:
        """Return what `build` makes of the plain wire values and nodes of a message.

        Raises
        ------
        WireError
            If they are not exactly what `build` reads, or bytes are left over.
        """
        self._bulk = memoryview(bulk)
        collecting = gc.isenabled()
        # 8 MB of empty lists took 14 seconds with the collector on, which looks at all of them
        # again and again.
        gc.disable()
        try:
            value = build(self._unpack(skeleton))
        except WireError:
            raise
        except Exception as error:
            # A builder may trip over anything in what nobody has checked; it is malformed all the
            # same, and not this program's error.
            raise WireError(
                f"malformed message ({type(error).__name__}: {str(error)[:200]})"
            ) from None
        finally:
            if collecting:
                gc.enable()
        # Bytes that belong to nothing: the two sides do not mean the same message.
        if self._bulk:
            raise WireError("malformed message (bytes are left over)")
        return value

    def _unpack(self, skeleton: bytes | memoryview) -> Any:
        size = len(skeleton)
        if size > wire.MAX_SKELETON:
            raise WireError("a message with too many items")
        return msgpack.unpackb(
            skeleton,
            list_hook=None if size < _HARMLESS_SIZE else self._count_items,
            unicode_errors="surrogatepass",
            max_array_len=min(wire.MAX_ITEMS, size),
            # Neither is used: dictionaries are arrays of ours, so that their keys are checked.
            max_map_len=0,
            max_ext_len=0,
        )

    def _count_items(self, items: list[Any]) -> list[Any]:
        self._count += len(items) + 1
        if self._count > wire.MAX_ITEMS:
            raise WireError("a message with too many items")
        return items

    def build(self, node: Any, depth: int = 0) -> Any:
        """Return the value of a node, or a plain wire value as it is.

        Raises
        ------
        WireError
            If it is no node of ours.
        """
        if type(node) is not list:
            return node
        if depth > wire.MAX_DEPTH or not node or type(node[0]) is not str:
            raise WireError("malformed message (a node that is none)")
        tag = node[0]
        value_type = REGISTRY.by_tag.get(tag)
        if value_type is None:
            if tag == wire.SAME:
                return _pick(self.objects, node)
            if tag == wire.GIVEN:
                return _pick(self._given, node)
            if tag not in wire.REFERENCES:
                raise WireError(f"malformed message (unknown tag {tag[:20]!r})")
            value = self._resolve(tag, node[1:])
        else:
            value = value_type.build(self, node, depth + 1)
            if not value_type.numbered:
                return value
            # Numbers are given when a value is complete, so that both sides count alike
            # whatever is nested in it.
            if value_type.snapshot is not never_changes:
                self.changeable.append((len(self.objects), value, value_type))
        self.objects.append(value)
        return value

    def build_items(self, node: Node, depth: int, first: int = 1) -> list[Any]:
        """Return the values of a node's fields from the one of this index on."""
        items = node[first:]
        # Asked of all at once: a list of numbers is not worth a call for each.
        if list not in set(map(type, items)):
            return items
        build = self.build
        return [build(item, depth) if type(item) is list else item for item in items]

    def take_buffer(self, field: object) -> bytes | memoryview:
        """Return the buffer that a field of a node stands for: see `Encoder.put_buffer`.

        Raises
        ------
        WireError
            If it stands for none, or there are too few bytes.
        """
        if type(field) is bytes:
            return field
        if type(field) is not int or not 0 <= field <= len(self._bulk):
            raise WireError("malformed message (too few bytes)")
        data = self._bulk[:field]
        self._bulk = self._bulk[field:]
        return data


def _pick(objects: Sequence[object], node: Node) -> object:
    if len(node) != 2 or type(node[1]) is not int or not 0 <= node[1] < len(objects):
        raise WireError("malformed message (an object that is not there)")
    return objects[node[1]]
