"""numpy arrays and scalars on the wire: a checked head, and the bytes."""

from __future__ import annotations

import functools
import math
import re
from typing import Any, Final

import numpy as np

from autograder.course.errors import WireError

Array = np.ndarray[Any, Any]

KINDS: Final = "biufcSUmM"
MAX_ELEMENTS: Final = 1 << 28
_MAX_DIMENSIONS: Final = 32
_MAX_CODE_POINT: Final = 0x10FFFF
_X87_MANTISSA: Final = 63
_X87_BYTES: Final = 10
_MAX_CACHED: Final = 100
_DTYPE: Final = re.compile(
    r"[<>|](b1|[iu][1248]|f(2|4|8|12|16)|c(8|16|24|32)|[SU][1-9]\d{0,6}|[mM]8(\[\d{0,9}[A-Za-z]{1,2}\])?)"
)


class CannotCross(TypeError):
    """A value that has no form on the wire; the message names it, with its article."""


def crosses(dtype: np.dtype[Any]) -> bool:
    """Whether arrays of this dtype cross by value."""
    return dtype.kind in KINDS and dtype.itemsize > 0


@functools.lru_cache(maxsize=_MAX_CACHED)
def lower_dtype(dtype: np.dtype[Any]) -> str:
    """Return the name of a dtype on the wire.

    Raises
    ------
    CannotCross
        If its arrays do not cross by value.
    """
    if not crosses(dtype) or not _DTYPE.fullmatch(dtype.str):
        raise CannotCross(f"a value of dtype {dtype}")
    return dtype.str


def lower_array(array: Array) -> tuple[list[Any], memoryview]:
    """Return the head (dtype, order, writeable, *shape) and the bytes of an array."""
    flags = array.flags
    turned = flags.f_contiguous and not flags.c_contiguous
    plain = np.ascontiguousarray(array.T if turned else array, array.dtype).view(np.ndarray)
    data = _without_gaps(plain.reshape(-1)).data
    return [lower_dtype(array.dtype), "F" if turned else "C", bool(flags.writeable), *array.shape], data


def lower_scalar(value: np.generic) -> list[Any]:
    """Return the dtype and the bytes of a numpy scalar."""
    array = np.asarray(value)
    if array.dtype.itemsize == 0:  # the empty text
        array = array.astype(f"{array.dtype.kind}1")
    return [lower_dtype(array.dtype), _without_gaps(array.reshape(-1)).tobytes()]


def _without_gaps(values: Array) -> Array:
    """Return the bytes of a flat array, with zeros where a long double does not use its memory.

    Whatever happens to lie there would leave this process.
    """
    if values.dtype.char not in "gG" or np.finfo(np.longdouble).nmant != _X87_MANTISSA:
        return values.view(np.uint8)
    used = values.copy().view(np.uint8)
    used.reshape(-1, np.dtype(np.longdouble).itemsize)[:, _X87_BYTES:] = 0
    return used


@functools.lru_cache(maxsize=_MAX_CACHED)
def build_dtype(name: str) -> np.dtype[Any]:
    """Return the dtype of a name on the wire.

    Raises
    ------
    WireError
        If it is not one that crosses.
    """
    if not _DTYPE.fullmatch(name):
        raise WireError("malformed message (a dtype that does not cross)")
    return np.dtype(name)


def size_of(head: list[Any]) -> int:
    """Return the number of bytes that belong to an array's head, after checking it.

    Raises
    ------
    WireError
        If the head is not exactly one that `lower_array` makes.
    """
    if len(head) < 3 or [type(field) for field in head] != [str, str, bool] + [int] * (len(head) - 3):
        raise WireError("malformed message (the head of an array)")
    dtype, order, _, *shape = head
    if order not in ("C", "F") or len(shape) > _MAX_DIMENSIONS or any(length < 0 for length in shape):
        raise WireError("malformed message (the head of an array)")
    elements = math.prod(length for length in shape if length)
    if elements > MAX_ELEMENTS:
        raise WireError("an array with too many elements")
    size: int = build_dtype(dtype).itemsize * math.prod(shape)
    return size


def build_array(head: list[Any], data: memoryview) -> Array:
    """Return the array of a head that `size_of` checked, and its bytes; it owns its memory."""
    name, order, writeable, *shape = head
    array: Array = np.empty(shape, build_dtype(name), order=order)
    flat = (array.T if order == "F" else array).reshape(-1)
    flat.view(np.uint8)[...] = np.frombuffer(data, np.uint8)
    _make_sound(flat)
    array.flags.writeable = writeable
    return array


def build_scalar(name: str, data: bytes) -> np.generic:
    """Return a numpy scalar.

    Raises
    ------
    WireError
        If the bytes are not those of one value.
    """
    dtype = build_dtype(name)
    if len(data) != dtype.itemsize:
        raise WireError("malformed message (a numpy scalar)")
    values = np.frombuffer(data, dtype).copy()
    _make_sound(values)
    value: np.generic = values[0]
    return value


def build_int(data: bytes, limit: int) -> int:
    """Return an integer of any size up to a number of bytes."""
    if len(data) > limit:
        raise WireError("an integer with too many digits")
    return int.from_bytes(data, "big", signed=True)


def _make_sound(values: Array) -> None:
    """Leave no value that numpy itself would never make.

    A boolean of byte 2 would be true and yet unequal to True; text outside Unicode fails where it is read.
    """
    if values.dtype.kind == "b":
        values[...] = values.view(np.uint8) != 0
    elif values.dtype.kind == "U" and values.size:
        points = values.view(values.dtype.byteorder.replace("|", "=") + "u4")
        if points.max() > _MAX_CODE_POINT:
            raise WireError("malformed message (text outside Unicode)")
