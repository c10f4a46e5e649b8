"""numpy arrays: a checked head, and the bytes."""

from __future__ import annotations

import functools
import re
import warnings
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from autograder.course.errors import WireError
from autograder.kernel import wire
from autograder.kernel.value_types import ValueType
from autograder.kernel.wire import CannotCross, Node

if TYPE_CHECKING:
    from autograder.kernel.decoder import Decoder
    from autograder.kernel.encoder import Encoder

Array = np.ndarray[Any, Any]

MAX_ELEMENTS: Final = 1 << 28
NUMPY_TYPES: Final = tuple(dict.fromkeys(np.dtype(code).type for code in "?bhilqBHILQefdgFDGSUmM"))
_KINDS: Final = "biufcSUmM"
# Of these kinds, bytes may say what is no value of theirs.
UNSOUND_KINDS: Final = ("b", "U")
_MAX_DIMENSIONS: Final = 32
_MAX_CODE_POINT: Final = 0x10FFFF
_X87_MANTISSA: Final = 63
_X87_BYTES: Final = 10
_MAX_CACHED: Final = 100
# Tag, buffer, dtype, order, whether it can be written to; the shape follows.
_HEAD: Final = 5
_DTYPE: Final = re.compile(
    r"[<>|](b1|[iu][1248]|f(2|4|8|12|16)|c(8|16|24|32)|[SU][1-9]\d{0,6}|[mM]8(\[\d{0,9}[A-Za-z]{1,2}\])?)"
)
LONG_DOUBLES: Final = "gG"
# Names on the wire of dtypes without anything to look at.
_PLAIN_NAMES: Final = {np.dtype(code): np.dtype(code).str for code in "?bhilBHILfdFD"}


def _crosses(dtype: np.dtype[Any]) -> bool:
    return dtype.kind in _KINDS and dtype.itemsize > 0


@functools.lru_cache(maxsize=_MAX_CACHED)
def lower_dtype(dtype: np.dtype[Any]) -> str:
    """Return the name of a dtype on the wire.

    Raises
    ------
    CannotCross
        If its arrays do not cross by value.
    """
    if not _crosses(dtype) or not _DTYPE.fullmatch(dtype.str):
        raise CannotCross(f"a value of dtype {dtype}")
    return dtype.str


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


# --------------------------------------------------------------------------------------------------------- arrays


def lower_plain_array(encoder: Encoder, tag: str, value: Array) -> Node:
    """Return the node of an array whose dtype crosses: its bytes, dtype, order, whether it is
    writeable, its shape.
    """
    if value.nbytes > wire.MAX_BULK:
        raise CannotCross(f"an array of more than {wire.MAX_BULK >> 20} MB")
    flags = value.flags
    turned = flags.f_contiguous and not flags.c_contiguous
    dtype = value.dtype
    data: bytes | memoryview
    if dtype.char in LONG_DOUBLES:
        data = pack_without_gaps(value.T if turned else value)
    elif value.nbytes < wire.INLINE_BYTES:
        data = (value.T if turned else value).tobytes()
    else:
        plain = np.ascontiguousarray(value.T if turned else value)
        data = plain.view(np.ndarray).reshape(-1).view(np.uint8).data
    order = "F" if turned else "C"
    return [
        tag,
        encoder.put_buffer(data),
        lower_dtype(dtype),
        order,
        bool(flags.writeable),
        *value.shape,
    ]


def pack_without_gaps(values: Array) -> bytes:
    """Return the bytes of long doubles, with zeros where they do not use their memory.

    Whatever happens to lie there would leave this process.
    """
    used = np.ascontiguousarray(values).reshape(-1).copy().view(np.uint8)
    if np.finfo(np.longdouble).nmant == _X87_MANTISSA:
        used.reshape(-1, np.dtype(np.longdouble).itemsize)[:, _X87_BYTES:] = 0
    return used.tobytes()


def _lower_array(encoder: Encoder, value: Array, depth: int) -> Node | None:
    # By numpy's own method: a subclass may overwrite `view`, `dtype` and all the rest.
    plain = value if type(value) is np.ndarray else np.ndarray.view(value, np.ndarray)
    dtype = plain.dtype
    name = _PLAIN_NAMES.get(dtype)
    if name is not None and plain.nbytes < wire.INLINE_BYTES:
        # By far the most frequent: small arrays of plain numbers, of which a test passes many.
        flags = plain.flags
        if flags.c_contiguous:
            return ["ndarray", plain.tobytes(), name, "C", flags.writeable, *plain.shape]
    if dtype.hasobject:
        return _lower_objects(encoder, plain, depth)
    if dtype.names is not None:
        return _lower_records(encoder, plain, depth) if _records_cross(dtype) else None
    if not _crosses(dtype):
        return None
    return lower_plain_array(encoder, "ndarray", plain)


def _lower_matrix(encoder: Encoder, value: Array, depth: int) -> Node | None:
    plain = np.ndarray.view(value, np.ndarray)
    return lower_plain_array(encoder, "matrix", plain) if _crosses(plain.dtype) else None


def _count_elements(shape: list[Any]) -> int:
    """Return how many elements an array of this shape has; refuse what is no shape of an array that
    can be.
    """
    if len(shape) > _MAX_DIMENSIONS:
        raise WireError("malformed message (the shape of an array)")
    elements = 1
    is_empty = False
    for length in shape:
        if type(length) is not int or length < 0:
            raise WireError("malformed message (the shape of an array)")
        # An empty array must not hide an absurd length either.
        if length:
            elements *= length
        else:
            is_empty = True
    if elements > MAX_ELEMENTS:
        raise WireError("an array with too many elements")
    return 0 if is_empty else elements


def _build_array(decoder: Decoder, node: Node, depth: int) -> Array:
    """Return an array that owns its memory."""
    _, buffer, name, order, writeable = node[:_HEAD]
    shape = node[_HEAD:]
    if type(name) is not str or type(writeable) is not bool or order not in ("C", "F"):
        raise WireError("malformed message (the head of an array)")
    elements = _count_elements(shape)
    dtype = build_dtype(name)
    data = decoder.take_buffer(buffer)
    if len(data) != dtype.itemsize * elements:
        raise WireError("malformed message (the bytes of an array)")
    if data:
        # A copy, as the buffer is read-only and shared by the whole message.
        shared = np.ndarray(shape, dtype, data, order=order)
        # By keyword it takes half as long again, and most arrays are in order C.
        array = shared.copy() if order == "C" else shared.copy(order="K")
        if dtype.kind in UNSOUND_KINDS:
            make_sound(array)
    else:
        array = np.empty(shape, dtype, order=order)
    if not writeable:
        array.flags.writeable = False
    return array


def _build_matrix(decoder: Decoder, node: Node, depth: int) -> Array:
    return _build_array(decoder, node, depth).view(np.matrix)


def make_sound(values: Array) -> None:
    """Leave no value that numpy itself would never make.

    A boolean of byte 2 would be true and yet unequal to True; text outside Unicode fails where it is read.
    """
    if values.dtype.kind == "b":
        values[...] = values.view(np.uint8) != 0
    elif values.dtype.kind == "U" and values.size:
        flat = values.T if values.flags.f_contiguous else values
        points = flat.reshape(-1).view(values.dtype.byteorder.replace("|", "=") + "u4")
        if points.max() > _MAX_CODE_POINT:
            raise WireError("malformed message (text outside Unicode)")


def snapshot_array(value: Array) -> tuple[np.dtype[Any], tuple[int, ...], bytes]:
    """Return the dtype, the shape and the bytes of an array."""
    flags = value.flags
    # In the order in which they lie, which is quicker than the other one.
    turned = flags.f_contiguous and not flags.c_contiguous
    return value.dtype, value.shape, value.T.tobytes() if turned else value.tobytes()


def apply_array(value: Array, content: Array) -> None:
    """Give an array the content, and the shape, of another of the same size.

    Raises
    ------
    ValueError
        If it is read-only, or its dtype or size is another.
    """
    if content.dtype != value.dtype or content.size != value.size:
        raise ValueError("the size or dtype of an array argument was changed in place")
    if content.shape != value.shape:
        # NumPy 2.5 advises a new view, but it is this array that others hold.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            value.shape = content.shape
    value[...] = content


# ------------------------------------------------------------------------------- arrays of objects and of records

_OBJECTS: Final = "array of objects"
_RECORDS: Final = "array of records"
_ITEM_TYPES: Final = frozenset(
    {
        bool,
        int,
        float,
        complex,
        str,
        bytes,
        list,
        tuple,
        Fraction,
        Decimal,
        np.ndarray,
        *NUMPY_TYPES,
    }
)


def _lower_objects(encoder: Encoder, value: Array, depth: int) -> Node:
    """Return the node of an array of plain values; None in it is the most frequent slip, and is
    named.
    """
    items = value.reshape(-1).tolist() if value.dtype.names is None else [None]
    for item in items:
        if type(item) not in _ITEM_TYPES:
            raise CannotCross("an array of objects: was it built from None?")
    return [_OBJECTS, value.ndim, *value.shape, *encoder.lower_items(items, depth)]


def _build_objects(decoder: Decoder, node: Node, depth: int) -> Array:
    dimensions = node[1]
    if type(dimensions) is not int or not 0 <= dimensions <= _MAX_DIMENSIONS:
        raise WireError("malformed message (the shape of an array)")
    shape = node[2 : 2 + dimensions]
    elements = _count_elements(shape)
    items = decoder.build_items(node, depth, 2 + dimensions)
    if len(items) != elements:
        raise WireError("malformed message (the items of an array)")
    array = np.empty(len(items), object)
    # One by one: of lists of one length numpy would make a table.
    for index, item in enumerate(items):
        array[index] = item
    return array.reshape(shape)


def _snapshot_objects(value: Array) -> list[Any]:
    items: list[Any] = value.reshape(-1).tolist()
    return items


def _records_cross(dtype: np.dtype[Any]) -> bool:
    """Whether all fields of a structured dtype are of dtypes that cross."""
    names = dtype.names or ()
    if len(names) > _MAX_CACHED:
        return False
    for name in names:
        field = dtype[name].base
        if not (_crosses(field) or (field.names is not None and _records_cross(field))):
            return False
    return True


def _lower_records(encoder: Encoder, value: Array, depth: int) -> Node:
    """Return the node of a structured array: one array for each field, so that no gap between them
    crosses.
    """
    names = value.dtype.names or ()
    columns = [value[name] for name in names]
    return [_RECORDS, len(names), *names, *encoder.lower_items(columns, depth), *value.shape]


def _build_records(decoder: Decoder, node: Node, depth: int) -> Array:
    count = node[1]
    if type(count) is not int or not 0 < count <= _MAX_CACHED:
        raise WireError("malformed message (fields of records)")
    names = node[2 : 2 + count]
    columns = [decoder.build(column, depth) for column in node[2 + count : 2 + 2 * count]]
    shape = node[2 + 2 * count :]
    _count_elements(shape)
    fields = []
    for name, column in zip(names, columns, strict=True):
        if (
            type(name) is not str
            or type(column) is not np.ndarray
            or list(column.shape[: len(shape)]) != shape
        ):
            raise WireError("malformed message (a field of records)")
        fields.append((name, column.dtype, column.shape[len(shape) :]))
    array = np.empty(shape, np.dtype(fields))
    for name, column in zip(names, columns, strict=True):
        array[name] = column
    return array


def _snapshot_records(value: Array) -> Any:
    return [] if value.dtype.hasobject else snapshot_array(value)


# ------------------------------------------------------------------------------------------------- masked arrays


def _lower_masked(encoder: Encoder, value: Any, depth: int) -> Node | None:
    data = np.ndarray.view(value, np.ndarray)
    if not _crosses(data.dtype):
        return None
    mask = np.ma.MaskedArray.mask.__get__(value)
    return ["masked array", encoder.lower(data, depth), encoder.lower(np.array(mask), depth)]


def _build_masked(decoder: Decoder, node: Node, depth: int) -> Any:
    data, mask = decoder.build_items(node, depth)
    if type(data) is not np.ndarray or type(mask) is not np.ndarray or mask.dtype != bool:
        raise WireError("malformed message (a masked array)")
    return np.ma.MaskedArray(data, mask if mask.ndim else bool(mask))


def _snapshot_masked(value: Any) -> Any:
    return snapshot_array(value.data), snapshot_array(np.array(value.mask))


def _apply_masked(value: Any, content: Any) -> None:
    apply_array(value.data, content.data)
    value.mask = content.mask


TYPES = (
    ValueType(
        tag="ndarray",
        types=(np.ndarray, np.recarray),
        lower=_lower_array,
        build=_build_array,
        snapshot=snapshot_array,
        apply=apply_array,
    ),
    ValueType(
        tag="matrix",
        types=(np.matrix,),
        lower=_lower_matrix,
        build=_build_matrix,
        snapshot=snapshot_array,
        apply=apply_array,
    ),
    ValueType(
        tag=_OBJECTS,
        # An array by its class: see `_lower_array`.
        types=(),
        lower=_lower_array,
        build=_build_objects,
        snapshot=_snapshot_objects,
        apply=apply_array,
    ),
    ValueType(
        tag=_RECORDS,
        types=(),
        lower=_lower_array,
        build=_build_records,
        snapshot=_snapshot_records,
        apply=apply_array,
    ),
    ValueType(
        tag="masked array",
        types=(np.ma.MaskedArray,),
        lower=_lower_masked,
        build=_build_masked,
        snapshot=_snapshot_masked,
        apply=_apply_masked,
    ),
)
