"""What must be known of a type so that its values cross by value, and the registry of all such
types.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from autograder.course.errors import WireError
from autograder.kernel.wire import CannotCross, Node

if TYPE_CHECKING:
    from autograder.kernel.decoder import Decoder
    from autograder.kernel.encoder import Encoder


# Classes whose value type was looked for: a notebook may make them without end.
MAX_REMEMBERED: Final = 1_000


@dataclass(frozen=True)
class ValueType:
    """How the values of one type cross; every field must be given but the last two.

    Attributes
    ----------
    tag : str
        What its nodes begin with.
    types : tuple
        The types themselves; or, of a library that need not be there, "module.Class".
    lower : callable
        Gets the encoder, a value and the depth; returns the node: the tag, then nodes and plain
        wire values; or None for a value that stays where it is after all, before anything of it has
        been lowered.
    build : callable
        Gets the decoder, a node and the depth; returns the value or raises WireError. The node has
        this tag, and nothing else of it may be believed.
    snapshot : callable
        Gets a value; returns what its content is now: a list of its parts, which are compared by
        identity, or anything else, which is compared as it is. `never_changes` for what cannot
        change in place.
    apply : callable
        Gets a value and another of its type; gives the first the content of the second in place.
        `refuse_changes` for what cannot change in place.
    numbered : bool
        Whether its values are objects that may occur twice, or be spoken of again in an answer.
    to_jail_only : bool
        Whether the student's own values of the type stay in the jail, as handles; a change of one
        given can come back.
    """

    tag: str
    types: tuple[type | str, ...]
    lower: Callable[[Encoder, Any, int], Any]
    build: Callable[[Decoder, Node, int], Any]
    snapshot: Callable[[Any], object]
    apply: Callable[[Any, Any], None]
    numbered: bool = True
    to_jail_only: bool = False


def never_changes(value: object) -> None:
    """Take the snapshot of a value that cannot change in place: there is none to take."""


def refuse_changes(value: object, content: object) -> NoReturn:
    """Refuse a change in place that no honest answer can speak of."""
    raise WireError("malformed message (a change of what cannot change)")


class Registry:
    """All types that cross by value.

    Attributes
    ----------
    by_type : dict
        The value type of each Python type, read by the encoder for every value.
    by_tag : dict
        The value type of each tag, read by the decoder for every node.
    """

    def __init__(self) -> None:
        self.by_type: dict[type, ValueType] = {}
        self.by_tag: dict[str, ValueType] = {}
        self._by_name: dict[str, ValueType] = {}
        self._found: dict[type, ValueType | None] = {}

    def add(self, value_type: ValueType) -> None:
        """Add a type.

        Raises
        ------
        ValueError
            If its tag or one of its Python types is there already.
        """
        if value_type.tag in self.by_tag:
            raise ValueError(f"two value types have the tag {value_type.tag!r}")
        self.by_tag[value_type.tag] = value_type
        for kind in value_type.types:
            known = self._by_name if isinstance(kind, str) else self.by_type
            if kind in known:
                both = (known[kind].tag, value_type.tag)  # type: ignore[index]
                raise ValueError(f"{kind} is of the value types {both[0]!r} and {both[1]!r}")
            known[kind] = value_type  # type: ignore[index]

    def find(self, kind: type) -> ValueType | None:
        """Return the value type of a Python type or, where it only adds to one, of its nearest
        base; None if none.

        A subclass with public methods of its own is more than a value: its objects are asked, not copied.
        """
        if kind not in self._found:
            if len(self._found) >= MAX_REMEMBERED:
                self._found.clear()
            self._found[kind] = self._search(kind)
        return self._found[kind]

    def _search(self, kind: type) -> ValueType | None:
        for base in _own_mro(kind):
            found = self.by_type.get(base) or self._find_by_name(base)
            if found is not None:
                return found
            if _has_public_methods(base):
                return None
        return None

    def _find_by_name(self, kind: type) -> ValueType | None:
        """Return the value type of a library's class, if it is this very class and not one of the
        same name.
        """
        module = kind.__module__
        name = kind.__qualname__
        if type(module) is not str or type(name) is not str:
            return None
        value_type = self._by_name.get(f"{module}.{name}")
        # Anybody may name a class so; only the library's own is trusted to be read by its methods.
        return value_type if getattr(sys.modules.get(module), name, None) is kind else None


def _own_mro(kind: type) -> Iterator[type]:
    """Yield a class and its bases, as `type` itself knows them, whatever the class's own class
    says.
    """
    yield from type.__getattribute__(kind, "__mro__")


_METHODS: Final = (property, classmethod, staticmethod)


def _has_public_methods(kind: type) -> bool:
    for name, value in type.__getattribute__(kind, "__dict__").items():
        if (
            type(name) is str
            and not name.startswith("_")
            and (callable(value) or isinstance(value, _METHODS))
        ):
            return True
    return False


def check_fields(node: Node, *kinds: type) -> list[Any]:
    """Return the fields of a node behind its tag, which must be plain wire values of exactly these
    types.

    Raises
    ------
    WireError
        If they are not.
    """
    fields = node[1:]
    if list(map(type, fields)) != list(kinds):
        raise WireError(f"malformed message (fields of {node[0]})")
    return fields


def refuse_reference(value: object) -> Node:
    """Refuse whatever does not cross by value."""
    raise CannotCross(f"an object of type {type(value).__name__}")
