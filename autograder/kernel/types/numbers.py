"""Numbers that msgpack does not have, and numbers of classes that only add to Python's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograder.course.errors import WireError
from autograder.kernel import wire
from autograder.kernel.value_types import ValueType, check_fields, never_changes, refuse_changes
from autograder.kernel.wire import CannotCross, Node

if TYPE_CHECKING:
    from autograder.kernel.decoder import Decoder
    from autograder.kernel.encoder import Encoder

LARGE_INTEGER = "integer"


def lower_large_integer(value: int) -> Node:
    """Return the node of an integer that takes more than 64 bits.

    Raises
    ------
    CannotCross
        If it is beyond all measure.
    """
    size = value.bit_length() // 8 + 1
    if size > wire.MAX_INT_BYTES:
        raise CannotCross(f"an integer of more than {wire.MAX_INT_BYTES} bytes")
    return [LARGE_INTEGER, value.to_bytes(size, "big", signed=True)]


def _lower_integer(encoder: Encoder, value: int, depth: int) -> Any:
    return encoder.lower(int.__int__(value), depth)


def build_integer(decoder: Decoder, node: Node, depth: int) -> int:
    """Return an integer of any size up to a number of bytes."""
    (data,) = check_fields(node, bytes)
    if len(data) > wire.MAX_INT_BYTES:
        raise WireError("an integer with too many digits")
    return int.from_bytes(data, "big", signed=True)


def _lower_float(encoder: Encoder, value: float, depth: int) -> float:
    return float.__float__(value)


def _build_float(decoder: Decoder, node: Node, depth: int) -> float:
    raise WireError("malformed message (a float is no node)")


def _lower_complex(encoder: Encoder, value: complex, depth: int) -> Node:
    plain = complex.__pos__(value)
    return ["complex", plain.real, plain.imag]


def _build_complex(decoder: Decoder, node: Node, depth: int) -> complex:
    return complex(*check_fields(node, float, float))


TYPES = (
    ValueType(
        tag=LARGE_INTEGER,
        types=(int,),
        lower=_lower_integer,
        build=build_integer,
        snapshot=never_changes,
        apply=refuse_changes,
        numbered=False,
    ),
    ValueType(
        tag="float",
        types=(float,),
        lower=_lower_float,
        build=_build_float,
        snapshot=never_changes,
        apply=refuse_changes,
        numbered=False,
    ),
    ValueType(
        tag="complex",
        types=(complex,),
        lower=_lower_complex,
        build=_build_complex,
        snapshot=never_changes,
        apply=refuse_changes,
        numbered=False,
    ),
)
