"""Python's own types and constants, and numpy's, which are known by their names on both sides."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from autograder.kernel.types.arrays import NUMPY_TYPES
from autograder.kernel.value_types import ValueType, check_fields, never_changes, refuse_changes
from autograder.kernel.wire import Node

if TYPE_CHECKING:
    from autograder.kernel.decoder import Decoder
    from autograder.kernel.encoder import Encoder

_BUILTIN_TYPES = (
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    list,
    tuple,
    dict,
    set,
    frozenset,
    object,
    type,
)
_NUMPY_CLASSES = (*NUMPY_TYPES, np.ndarray, np.floating, np.integer, np.number)


def _collect_constants() -> dict[str, Any]:
    constants: dict[str, Any] = {"Ellipsis": Ellipsis, "NotImplemented": NotImplemented}
    for kind in _BUILTIN_TYPES:
        constants[kind.__name__] = kind
    for numpy_class in _NUMPY_CLASSES:
        constants[f"numpy.{numpy_class.__name__}"] = numpy_class
    return constants


CONSTANTS: Final[Mapping[str, Any]] = _collect_constants()
CONSTANT_NAMES: Final = {id(value): name for name, value in CONSTANTS.items()}


def _lower_constant(encoder: Encoder, value: object, depth: int) -> Node | None:
    name = CONSTANT_NAMES.get(id(value))
    return None if name is None else ["constant", name]


def _build_constant(decoder: Decoder, node: Node, depth: int) -> Any:
    (name,) = check_fields(node, str)
    return CONSTANTS[name]


TYPES = (
    ValueType(
        tag="constant",
        types=(type, types.EllipsisType, types.NotImplementedType),
        lower=_lower_constant,
        build=_build_constant,
        snapshot=never_changes,
        apply=refuse_changes,
        numbered=False,
    ),
)
