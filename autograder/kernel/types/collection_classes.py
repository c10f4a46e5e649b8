"""`UserList`, `UserDict`, `UserString` and what dictionaries show of themselves."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

from autograder.course.errors import WireError
from autograder.kernel.types.mappings import (
    apply_mapping,
    build_pairs,
    lower_pairs,
    snapshot_mapping,
)
from autograder.kernel.types.sets import check_hashes
from autograder.kernel.value_types import ValueType, never_changes, refuse_changes
from autograder.kernel.wire import Node

if TYPE_CHECKING:
    from autograder.kernel.decoder import Decoder
    from autograder.kernel.encoder import Encoder

_KEYS: type = type({}.keys())
_VALUES: type = type({}.values())
_ITEMS: type = type({}.items())


def _read_data(value: Any, kind: type) -> Any:
    """Return what such an object wraps, None if it wraps nothing of this type."""
    data = object.__getattribute__(value, "__dict__").get("data")
    return data if type(data) is kind else None


def _lower_user_list(encoder: Encoder, value: Any, depth: int) -> Node | None:
    data = _read_data(value, list)
    return None if data is None else ["UserList", *encoder.lower_items(data, depth)]


def _build_user_list(decoder: Decoder, node: Node, depth: int) -> collections.UserList[Any]:
    return collections.UserList(decoder.build_items(node, depth))


def _snapshot_user_list(value: collections.UserList[Any]) -> list[Any]:
    return list(value.data)


def _apply_user_list(value: collections.UserList[Any], content: collections.UserList[Any]) -> None:
    value.data[:] = content.data


def _lower_user_dict(encoder: Encoder, value: Any, depth: int) -> Node | None:
    data = _read_data(value, dict)
    return None if data is None else ["UserDict", *lower_pairs(encoder, data, depth)]


def _build_user_dict(decoder: Decoder, node: Node, depth: int) -> collections.UserDict[Any, Any]:
    return collections.UserDict(build_pairs(decoder, node, depth))


def _lower_user_string(encoder: Encoder, value: Any, depth: int) -> Node | None:
    data = _read_data(value, str)
    return None if data is None else ["UserString", encoder.lower(data, depth)]


def _build_user_string(decoder: Decoder, node: Node, depth: int) -> collections.UserString:
    (text,) = decoder.build_items(node, depth)
    if type(text) is not str:
        raise WireError("malformed message (a text)")
    return collections.UserString(text)


def _lower_keys(encoder: Encoder, value: Any, depth: int) -> Node:
    return ["keys", *encoder.lower_items(value, depth)]


def _build_keys(decoder: Decoder, node: Node, depth: int) -> Any:
    keys = decoder.build_items(node, depth)
    check_hashes(keys)
    return dict.fromkeys(keys).keys()


def _lower_values(encoder: Encoder, value: Any, depth: int) -> Node:
    return ["values", *encoder.lower_items(value, depth)]


def _build_values(decoder: Decoder, node: Node, depth: int) -> Any:
    return dict(enumerate(decoder.build_items(node, depth))).values()


def _lower_view_items(encoder: Encoder, value: Any, depth: int) -> Node:
    return ["items", *lower_pairs(encoder, dict(value), depth)]


def _build_view_items(decoder: Decoder, node: Node, depth: int) -> Any:
    return build_pairs(decoder, node, depth).items()


TYPES = (
    ValueType(
        tag="UserList",
        types=(collections.UserList,),
        lower=_lower_user_list,
        build=_build_user_list,
        snapshot=_snapshot_user_list,
        apply=_apply_user_list,
    ),
    ValueType(
        tag="UserDict",
        types=(collections.UserDict,),
        lower=_lower_user_dict,
        build=_build_user_dict,
        snapshot=snapshot_mapping,
        apply=apply_mapping,
    ),
    ValueType(
        tag="UserString",
        types=(collections.UserString,),
        lower=_lower_user_string,
        build=_build_user_string,
        snapshot=never_changes,
        apply=refuse_changes,
    ),
    ValueType(
        tag="keys",
        types=(_KEYS,),
        lower=_lower_keys,
        build=_build_keys,
        snapshot=never_changes,
        apply=refuse_changes,
    ),
    ValueType(
        tag="values",
        types=(_VALUES,),
        lower=_lower_values,
        build=_build_values,
        snapshot=never_changes,
        apply=refuse_changes,
    ),
    ValueType(
        tag="items",
        types=(_ITEMS,),
        lower=_lower_view_items,
        build=_build_view_items,
        snapshot=never_changes,
        apply=refuse_changes,
    ),
)
