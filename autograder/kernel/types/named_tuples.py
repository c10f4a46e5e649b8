"""Named tuples, which keep the names of their fields, and in the jail the student's own class."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any, Final

from autograder.course.errors import WireError
from autograder.kernel.value_types import ValueType, never_changes, refuse_changes
from autograder.kernel.wire import Node

if TYPE_CHECKING:
    from autograder.kernel.decoder import Decoder
    from autograder.kernel.encoder import Encoder

NAMED_TUPLE: Final = "named tuple"
MAX_FIELDS: Final = 100
# Each is a class made here, by `exec` within `namedtuple`: dear, and never given back.
MAX_CLASSES: Final = 1000


class NamedTuples:
    """The classes of the named tuples that have crossed one connection, by their name and their
    fields.
    """

    def __init__(self) -> None:
        self._classes: dict[tuple[str, ...], type] = {}

    def remember(self, kind: type, name: str, fields: tuple[str, ...]) -> None:
        """Have values of this name and these fields built as this class from now on."""
        if len(self._classes) < MAX_CLASSES:
            self._classes[name, *fields] = kind

    def find_class(self, name: str, fields: tuple[str, ...]) -> type:
        """Return the class of this name and these fields, made now if there was none.

        Raises
        ------
        WireError
            If there are too many.
        ValueError
            If they are no names.
        """
        known = self._classes.get((name, *fields))
        if known is not None:
            return known
        if len(self._classes) >= MAX_CLASSES:
            raise WireError("too many classes of named tuples")
        make: Any = collections.namedtuple
        made: type = make(name, fields)
        self._classes[name, *fields] = made
        return made


def lower_named_tuple(encoder: Encoder, value: tuple[Any, ...], depth: int) -> Node | None:
    """Return the node of a named tuple, None for what only looks like one."""
    kind: Any = type(value)
    fields = kind._fields
    items = tuple.__getitem__(value, slice(None))
    names = (kind.__name__, *fields)
    if len(fields) != len(items) or len(fields) > MAX_FIELDS:
        return None
    for name in names:
        if type(name) is not str or not name.isidentifier():
            return None
    if not encoder.to_jail and encoder.named_tuples is not None:
        encoder.named_tuples.remember(kind, kind.__name__, fields)
    return [NAMED_TUPLE, len(fields), *names, *encoder.lower_items(items, depth)]


def _build_named_tuple(decoder: Decoder, node: Node, depth: int) -> tuple[Any, ...]:
    count = node[1]
    if type(count) is not int or not 0 <= count <= MAX_FIELDS or len(node) != 3 + 2 * count:
        raise WireError("malformed message (a named tuple)")
    names = node[2 : 3 + count]
    for name in names:
        if type(name) is not str:
            raise WireError("malformed message (the names of a tuple)")
    kind = decoder.named_tuples.find_class(names[0], tuple(names[1:]))
    # Not by calling the class: in the jail it may be the student's own.
    built: tuple[Any, ...] = tuple.__new__(kind, decoder.build_items(node, depth, 3 + count))
    return built


TYPES = (
    ValueType(
        tag=NAMED_TUPLE,
        # Their class is a tuple's: see `sequences`.
        types=(),
        lower=lower_named_tuple,
        build=_build_named_tuple,
        snapshot=never_changes,
        apply=refuse_changes,
    ),
)
