"""Texts and bytes: long ones, ones that can change, and ones of classes that only add to Python's
own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograder.course.errors import WireError
from autograder.kernel.value_types import ValueType, never_changes, refuse_changes
from autograder.kernel.wire import Node

if TYPE_CHECKING:
    from autograder.kernel.decoder import Decoder
    from autograder.kernel.encoder import Encoder

TEXT = "text"
BYTES = "bytes"
BYTEARRAY = "bytearray"


def lower_long_text(encoder: Encoder, value: str | bytes) -> Node:
    """Return the node of a text, or of bytes, too long for the skeleton."""
    if isinstance(value, bytes):
        return [BYTES, encoder.put_buffer(value)]
    return [TEXT, encoder.put_buffer(value.encode("utf-8", "surrogatepass"))]


def _lower_text(encoder: Encoder, value: str, depth: int) -> Any:
    return encoder.lower(str.__str__(value), depth)


def _lower_bytes(encoder: Encoder, value: bytes, depth: int) -> Any:
    return encoder.lower(bytes.__getitem__(value, slice(None)), depth)


def _lower_bytearray(encoder: Encoder, value: bytearray, depth: int) -> Node:
    return [BYTEARRAY, encoder.put_buffer(bytes(bytearray.__getitem__(value, slice(None))))]


def _take_only_buffer(decoder: Decoder, node: Node) -> bytes | memoryview:
    if len(node) != 2:
        raise WireError(f"malformed message (fields of {node[0]})")
    return decoder.take_buffer(node[1])


def _build_text(decoder: Decoder, node: Node, depth: int) -> str:
    return str(_take_only_buffer(decoder, node), "utf-8", "surrogatepass")


def _build_bytes(decoder: Decoder, node: Node, depth: int) -> bytes:
    return bytes(_take_only_buffer(decoder, node))


def _build_bytearray(decoder: Decoder, node: Node, depth: int) -> bytearray:
    return bytearray(_take_only_buffer(decoder, node))


def _snapshot_bytearray(value: bytearray) -> bytes:
    return bytes(value)


def _apply_bytearray(value: bytearray, content: bytearray) -> None:
    value[:] = content


TYPES = (
    ValueType(
        tag=TEXT,
        types=(str,),
        lower=_lower_text,
        build=_build_text,
        snapshot=never_changes,
        apply=refuse_changes,
        numbered=False,
    ),
    ValueType(
        tag=BYTES,
        types=(bytes,),
        lower=_lower_bytes,
        build=_build_bytes,
        snapshot=never_changes,
        apply=refuse_changes,
        numbered=False,
    ),
    ValueType(
        tag=BYTEARRAY,
        types=(bytearray,),
        lower=_lower_bytearray,
        build=_build_bytearray,
        snapshot=_snapshot_bytearray,
        apply=_apply_bytearray,
    ),
)
