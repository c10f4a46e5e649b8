"""Sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograder.course.errors import WireError
from autograder.kernel import wire
from autograder.kernel.value_types import ValueType, never_changes, refuse_changes
from autograder.kernel.wire import Node

if TYPE_CHECKING:
    from autograder.kernel.decoder import Decoder
    from autograder.kernel.encoder import Encoder


def check_hashes(keys: list[Any]) -> None:
    """Refuse keys made to collide: building a dictionary or a set of them would take hours.

    Raises
    ------
    WireError
        If too many of them do.
    """
    if (
        len(keys) > wire.MAX_COLLISIONS
        and len(keys) - len(set(map(hash, keys))) > wire.MAX_COLLISIONS
    ):
        raise WireError("a dictionary or set whose keys collide")


def _lower_set(encoder: Encoder, value: set[Any], depth: int) -> Node:
    return ["set", *encoder.lower_items(set.__iter__(value), depth)]


def _build_set(decoder: Decoder, node: Node, depth: int) -> set[Any]:
    items = decoder.build_items(node, depth)
    check_hashes(items)
    return set(items)


def _lower_frozen_set(encoder: Encoder, value: frozenset[Any], depth: int) -> Node:
    return ["frozenset", *encoder.lower_items(frozenset.__iter__(value), depth)]


def _build_frozen_set(decoder: Decoder, node: Node, depth: int) -> frozenset[Any]:
    return frozenset(_build_set(decoder, node, depth))


def _apply_set(value: set[Any], content: set[Any]) -> None:
    value.clear()
    value.update(content)


TYPES = (
    ValueType(
        tag="set",
        types=(set,),
        lower=_lower_set,
        build=_build_set,
        snapshot=frozenset,
        apply=_apply_set,
    ),
    ValueType(
        tag="frozenset",
        types=(frozenset,),
        lower=_lower_frozen_set,
        build=_build_frozen_set,
        snapshot=never_changes,
        apply=refuse_changes,
    ),
)
