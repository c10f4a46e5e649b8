"""numpy's scalars, and its dtypes themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.course.errors import WireError
from autograder.kernel.types.arrays import (
    LONG_DOUBLES,
    NUMPY_TYPES,
    UNSOUND_KINDS,
    build_dtype,
    lower_dtype,
    make_sound,
    pack_without_gaps,
)
from autograder.kernel.value_types import ValueType, check_fields, never_changes, refuse_changes
from autograder.kernel.wire import Node

if TYPE_CHECKING:
    from autograder.kernel.decoder import Decoder
    from autograder.kernel.encoder import Encoder


def _lower_scalar(encoder: Encoder, value: np.generic, depth: int) -> Node:
    array = np.asarray(value)
    # The empty text has no bytes, and a dtype without bytes does not cross.
    if array.dtype.itemsize == 0:
        array = array.astype(f"{array.dtype.kind}1")
    data = pack_without_gaps(array) if array.dtype.char in LONG_DOUBLES else array.tobytes()
    return ["scalar", encoder.put_buffer(data), lower_dtype(array.dtype)]


def _build_scalar(decoder: Decoder, node: Node, depth: int) -> np.generic:
    _, buffer, name = node
    if type(name) is not str:
        raise WireError("malformed message (a numpy scalar)")
    dtype = build_dtype(name)
    data = decoder.take_buffer(buffer)
    if len(data) != dtype.itemsize:
        raise WireError("malformed message (a numpy scalar)")
    values = np.frombuffer(data, dtype)
    if dtype.kind in UNSOUND_KINDS:
        values = values.copy()
        make_sound(values)
    value: np.generic = values[0]
    return value


def _lower_dtype_itself(encoder: Encoder, value: np.dtype[Any], depth: int) -> Node:
    return ["dtype", lower_dtype(value)]


def _build_dtype_itself(decoder: Decoder, node: Node, depth: int) -> np.dtype[Any]:
    (name,) = check_fields(node, str)
    return build_dtype(name)


TYPES = (
    ValueType(
        tag="scalar",
        types=NUMPY_TYPES,
        lower=_lower_scalar,
        build=_build_scalar,
        snapshot=never_changes,
        apply=refuse_changes,
        numbered=False,
    ),
    ValueType(
        tag="dtype",
        types=(np.dtype, *(type(np.dtype(code)) for code in "?bhilqBHILQefdgFDGSUmM")),
        lower=_lower_dtype_itself,
        build=_build_dtype_itself,
        snapshot=never_changes,
        apply=refuse_changes,
        numbered=False,
    ),
)
