"""scipy's sparse arrays and matrices; scipy is imported only where one crosses."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from autograder.course.errors import WireError
from autograder.kernel.value_types import ValueType
from autograder.kernel.wire import Node

if TYPE_CHECKING:
    from autograder.kernel.decoder import Decoder
    from autograder.kernel.encoder import Encoder

_FORMATS: Final = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
_KINDS: Final = ("array", "matrix")
# Some formats hold a number for each row, and a message could name any number of them.
_LONGEST: Final = 1 << 24


def _list_classes() -> tuple[str, ...]:
    classes = []
    for form in _FORMATS:
        for kind in _KINDS:
            classes.append(f"scipy.sparse._{form}.{form}_{kind}")
    return tuple(classes)


def _lower_sparse(encoder: Encoder, value: Any, depth: int) -> Node | None:
    """Return the node: format, kind, whether sorted, shape, and the coordinates and values of what
    is stored.
    """
    form = value.format
    if form not in _FORMATS or len(value.shape) != 2 or max(value.shape) > _LONGEST:
        return None
    sparse = importlib.import_module("scipy.sparse")
    kind = "array" if isinstance(value, sparse.sparray) else "matrix"
    stored = sparse.coo_array(value)
    parts = (stored.row.astype(np.int64), stored.col.astype(np.int64), stored.data)
    return ["sparse", form, kind, *map(int, value.shape), *encoder.lower_items(parts, depth)]


def _build_sparse(decoder: Decoder, node: Node, depth: int) -> Any:
    _, form, kind, rows, columns = node[:5]
    row, column, data = decoder.build_items(node, depth, 5)
    if form not in _FORMATS or kind not in _KINDS:
        raise WireError("malformed message (the format of a sparse matrix)")
    for length in (rows, columns):
        if type(length) is not int or not 0 <= length <= _LONGEST:
            raise WireError("malformed message (the shape of a sparse matrix)")
    for part in (row, column, data):
        if type(part) is not np.ndarray or part.ndim != 1 or len(part) != len(data):
            raise WireError("malformed message (the entries of a sparse matrix)")
    if row.dtype != np.int64 or column.dtype != np.int64 or data.dtype.kind not in "biufc":
        raise WireError("malformed message (the entries of a sparse matrix)")
    sparse = importlib.import_module("scipy.sparse")
    # Made from coordinates, of which scipy checks every one.
    stored = getattr(sparse, f"coo_{kind}")((data, (row, column)), shape=(rows, columns))
    return stored.asformat(form)


def _snapshot_sparse(value: Any) -> Any:
    sparse = importlib.import_module("scipy.sparse")
    stored = sparse.coo_array(value)
    return value.shape, stored.row.tobytes(), stored.col.tobytes(), stored.data.tobytes()


def _apply_sparse(value: Any, content: Any) -> None:
    """Give a matrix the entries of another of its shape.

    Raises
    ------
    ValueError
        If its shape is another.
    """
    if value.shape != content.shape or value.format != content.format:
        raise ValueError("the shape of a sparse argument was changed in place")
    vars(value).update(vars(content))


TYPES = (
    ValueType(
        tag="sparse",
        types=_list_classes(),
        lower=_lower_sparse,
        build=_build_sparse,
        snapshot=_snapshot_sparse,
        apply=_apply_sparse,
    ),
)
