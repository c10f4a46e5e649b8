"""Dictionaries, Python's own and those of `collections`."""

from __future__ import annotations

import collections
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from autograder.course.errors import WireError
from autograder.kernel import wire
from autograder.kernel.types.named_constants import CONSTANT_NAMES, CONSTANTS
from autograder.kernel.types.sets import check_hashes
from autograder.kernel.value_types import ValueType
from autograder.kernel.wire import Node

if TYPE_CHECKING:
    from autograder.kernel.decoder import Decoder
    from autograder.kernel.encoder import Encoder

DEFAULT_DICT = "defaultdict"
_PLAIN_TYPES = frozenset({type(None), bool, float})


def lower_pairs(encoder: Encoder, value: Mapping[Any, Any], depth: int) -> list[Any]:
    """Return the nodes of keys and values by turns."""
    lower = encoder.lower
    nodes: list[Any] = []
    for key, item in value.items():
        is_name = type(key) is str and len(key) < wire.INLINE_BYTES
        nodes.append(key if is_name else lower(key, depth))
        nodes.append(lower(item, depth))
    return nodes


def build_pairs(decoder: Decoder, node: Node, depth: int, first: int = 1) -> dict[Any, Any]:
    """Return a dictionary of keys and values by turns."""
    parts = decoder.build_items(node, depth, first)
    keys = parts[::2]
    check_hashes(keys)
    return dict(zip(keys, parts[1::2], strict=True))


class _BaseView:
    """The items of a dictionary as its base class gives them, whatever a subclass does."""

    def __init__(self, value: Any, base: Any) -> None:
        self._value = value
        self._base = base

    def items(self) -> Any:
        return self._base.items(self._value)


def _lower_as(tag: str, base: type) -> Callable[[Encoder, Any, int], Node]:
    def lower(encoder: Encoder, value: Any, depth: int) -> Node:
        plain: Any = value if type(value) is base else _BaseView(value, base)
        return [tag, *lower_pairs(encoder, plain, depth)]

    return lower


def _build_as(base: Callable[[dict[Any, Any]], Any]) -> Callable[[Decoder, Node, int], Any]:
    def build(decoder: Decoder, node: Node, depth: int) -> Any:
        return base(build_pairs(decoder, node, depth))

    return build


def _lower_default_dict(
    encoder: Encoder, value: collections.defaultdict[Any, Any], depth: int
) -> Node | None:
    default_factory: Any = vars(collections.defaultdict)["default_factory"]
    factory = default_factory.__get__(value)
    # A factory of the student's is code, which does not cross.
    if factory is not None and id(factory) not in CONSTANT_NAMES:
        return None
    name = "" if factory is None else CONSTANT_NAMES[id(factory)]
    plain: Any = _BaseView(value, collections.defaultdict)
    return [DEFAULT_DICT, name, *lower_pairs(encoder, plain, depth)]


def _build_default_dict(
    decoder: Decoder, node: Node, depth: int
) -> collections.defaultdict[Any, Any]:
    name = node[1]
    factory = None if name == "" else CONSTANTS[name]
    if not (factory is None or isinstance(factory, type)):
        raise WireError("malformed message (a default that is no type)")
    return collections.defaultdict(factory, build_pairs(decoder, node, depth, 2))


def snapshot_mapping(value: Mapping[Any, Any]) -> list[Any]:
    """Return keys and values by turns."""
    parts: list[Any] = []
    for pair in value.items():
        parts += pair
    return parts


def apply_mapping(value: Any, content: Any) -> None:
    """Give a dictionary the content of another."""
    value.clear()
    value.update(content)


def _mapping(tag: str, base: type) -> ValueType:
    return ValueType(
        tag=tag,
        types=(base,),
        lower=_lower_as(tag, base),
        build=_build_as(base),
        snapshot=snapshot_mapping,
        apply=apply_mapping,
    )


TYPES = (
    _mapping("dict", dict),
    _mapping("OrderedDict", collections.OrderedDict),
    _mapping("Counter", collections.Counter),
    ValueType(
        tag=DEFAULT_DICT,
        types=(collections.defaultdict,),
        lower=_lower_default_dict,
        build=_build_default_dict,
        snapshot=snapshot_mapping,
        apply=apply_mapping,
    ),
)
