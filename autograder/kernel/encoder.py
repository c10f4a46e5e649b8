"""Writing messages: see `autograder.kernel.wire` for what they are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgpack  # type: ignore[import-untyped]

from autograder.kernel import wire
from autograder.kernel.types import REGISTRY
from autograder.kernel.types.named_tuples import NamedTuples
from autograder.kernel.types.numbers import lower_large_integer
from autograder.kernel.types.texts import lower_long_text
from autograder.kernel.value_types import ValueType
from autograder.kernel.wire import TOO_MANY, CannotCross, Node

# Strict, or a subclass of float would go without having been lowered; and students' texts may hold
# surrogates, which are values like any other. Kept, as each takes a quarter of a megabyte.
_PACKER = msgpack.Packer(strict_types=True, unicode_errors="surrogatepass")
_SMALLEST = -(2**63)
_BEYOND = 2**63


class Encoder:
    """Writes one message.

    Parameters
    ----------
    refer : callable
        Returns the node of a reference to a value that does not cross by value, or raises
        CannotCross.
    given : sequence of objects
        The numbered objects of the message that is being answered.
    to_jail : bool
        Whether the message goes to the jail, where some types go that do not come back.
    named_tuples : NamedTuples, optional
        Remembers the classes of what crosses.

    Attributes
    ----------
    objects : list
        The numbered objects of this message.
    """

    def __init__(
        self,
        refer: Callable[[object], Node],
        given: Sequence[object] = (),
        *,
        to_jail: bool = True,
        named_tuples: NamedTuples | None = None,
    ) -> None:
        self.objects: list[object] = []
        self.to_jail = to_jail
        self.named_tuples = named_tuples
        self._refer = refer
        self._numbers: dict[int, Node] = {}
        for index, value in enumerate(given):
            self._numbers[id(value)] = [wire.GIVEN, index]
        self._bulk: list[memoryview | bytes] = []
        self._bulk_size = 0

    def encode(self, value: object) -> tuple[bytes, list[memoryview | bytes]]:
        """Return the skeleton and the parts of the bulk of a message that is one value.

        Raises
        ------
        CannotCross
            If something in the value has no form on the wire, or the message would be too large.
        """
        return self.pack(self.lower(value))

    def pack(self, message: object) -> tuple[bytes, list[memoryview | bytes]]:
        """Return the skeleton of plain wire values and nodes, and the parts of the bulk that belong
        to them.

        Raises
        ------
        CannotCross
            If the message would be too large.
        """
        skeleton: bytes = _PACKER.pack(message)
        too_long = len(skeleton) > wire.MAX_SKELETON
        # Counting takes a while, and a message that is shorter cannot hold as many.
        may_have_too_many = 2 * len(skeleton) > wire.MAX_ITEMS
        if too_long or (may_have_too_many and _count_items(message) > wire.MAX_ITEMS):
            raise CannotCross(TOO_MANY)
        return skeleton, self._bulk

    def lower(self, value: Any, depth: int = 0) -> Any:
        """Return the node of a value, or the value itself where msgpack has it.

        Raises
        ------
        CannotCross
            If something in the value has no form on the wire.
        """
        kind = type(value)
        if kind is float or kind is bool or value is None:
            return value
        if kind is int:
            return value if _SMALLEST <= value < _BEYOND else lower_large_integer(value)
        if kind is str or kind is bytes:
            return value if len(value) < wire.INLINE_BYTES else lower_long_text(self, value)
        # An id is a safe key: `objects` keeps everything numbered alive until the message is gone.
        known = self._numbers.get(id(value))
        if known is not None:
            return known
        if depth > wire.MAX_DEPTH:
            raise CannotCross("a value that is nested too deeply, or contains itself")
        value_type = REGISTRY.by_type.get(kind) or REGISTRY.find(kind)
        if value_type is None or (value_type.to_jail_only and not self.to_jail):
            node = self._refer(value)
        else:
            node = value_type.lower(self, value, depth + 1)
            if node is None:
                node = self._refer(value)
            # A scalar has no identity to keep, and numbering each would cost time.
            elif not value_type.numbered:
                return node
        self._numbers[id(value)] = [wire.SAME, len(self.objects)]
        self.objects.append(value)
        return node

    def lower_items(self, values: Iterable[object], depth: int) -> list[Any]:
        """Return the nodes of several values."""
        lower = self.lower
        return [lower(value, depth) for value in values]

    def lower_content(self, value: object, value_type: ValueType) -> Node:
        """Return the node of an object that the other side gave, as if it had not: its content is
        new.
        """
        node: Node = value_type.lower(self, value, 1)
        self.objects.append(value)
        return node

    def put_buffer(self, data: bytes | memoryview) -> bytes | int:
        """Return what stands for a buffer in a node: itself if it is small, else its size, and it
        is in the bulk.

        Raises
        ------
        CannotCross
            If the message would be too large.
        """
        size = len(data)
        if size < wire.INLINE_BYTES:
            return bytes(data)
        self._bulk_size += size
        if self._bulk_size > wire.MAX_BULK:
            raise CannotCross(f"a value of more than {wire.MAX_BULK >> 20} MB")
        self._bulk.append(data)
        return size


def _count_items(message: object) -> int:
    """Count as the side does that reads it: who sent more would be taken for broken."""
    count = 0
    left = [message]
    while left:
        items = left.pop()
        if type(items) is list:
            count += len(items) + 1
            left += items
    return count
