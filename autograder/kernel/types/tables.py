"""pandas' series, tables and indexes of plain values; pandas is imported only where one crosses."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from autograder.course.errors import WireError
from autograder.kernel.value_types import ValueType, never_changes, refuse_changes
from autograder.kernel.wire import Node

if TYPE_CHECKING:
    from autograder.kernel.decoder import Decoder
    from autograder.kernel.encoder import Encoder

# Each costs a series on the other side.
_MAX_COLUMNS: Final = 10_000
_ARRAY: Final = "array"
_RANGE: Final = "range"
_PLAIN_KINDS: Final = "biufcmM"
# Dtypes whose values cross as a list, with None where one is missing.
_LISTED_DTYPES: Final = frozenset(
    {"object", "str", "string", "boolean", "Float32", "Float64"}
    | {f"Int{bits}" for bits in (8, 16, 32, 64)}
    | {f"UInt{bits}" for bits in (8, 16, 32, 64)}
)
_FREQUENCY: Final = re.compile(r"[A-Za-z0-9-]{0,20}", re.ASCII)
_PLAIN_ITEMS: Final = (type(None), bool, int, float, complex, str, bytes, np.generic)


def _flatten(values: Any) -> list[Any] | None:
    """Return [form, value …] for a column or an index, None if something in it is more than a plain
    value.
    """
    pandas = importlib.import_module("pandas")
    if isinstance(values, pandas.RangeIndex):
        return [_RANGE, values.start, values.stop, values.step]
    dtype = values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in _PLAIN_KINDS:
        frequency = getattr(values, "freqstr", None)
        return [_ARRAY, np.asarray(values), frequency if isinstance(frequency, str) else ""]
    name = str(dtype)
    if name not in _LISTED_DTYPES:
        return None
    items: list[Any] = []
    for item in values:
        if item is pandas.NA or (name == "str" and not isinstance(item, str)):
            items.append(None)
        elif isinstance(item, _PLAIN_ITEMS):
            items.append(item)
        else:
            return None
    return [name, *items]


def _flatten_index(index: Any) -> list[Any] | None:
    """Return the index's own name and its values, None if it does not cross."""
    if index.nlevels != 1 or not isinstance(index.name, _PLAIN_ITEMS):
        return None
    values = _flatten(index)
    return None if values is None else [index.name, *values]


def _check_list(values: object) -> list[Any]:
    if type(values) is not list or not values:
        raise WireError("malformed message (the values of a table)")
    return values


def _restore(flat: list[Any]) -> tuple[Any, str]:
    """Return the values of `_flatten`, and the frequency of dates."""
    pandas = importlib.import_module("pandas")
    form, *items = _check_list(flat)
    if form == _RANGE:
        for field in items:
            if type(field) is not int:
                raise WireError("malformed message (a range of a table)")
        return pandas.RangeIndex(*items), ""
    if form == _ARRAY:
        array, frequency = items
        if type(array) is not np.ndarray or array.ndim != 1 or array.dtype.kind not in _PLAIN_KINDS:
            raise WireError("malformed message (the values of a table)")
        if type(frequency) is not str or not _FREQUENCY.fullmatch(frequency):
            raise WireError("malformed message (a frequency)")
        return array, frequency
    if form not in _LISTED_DTYPES:
        raise WireError("malformed message (the dtype of a table)")
    if form == "object":
        # With an Ellipsis at the end numpy makes no table of items that are lists.
        return np.array([*items, ...], object)[:-1], ""
    return pandas.array(items, dtype=form), ""


def _restore_index(flat: object) -> Any:
    pandas = importlib.import_module("pandas")
    name, *rest = _check_list(flat)
    values, frequency = _restore(rest)
    if isinstance(values, pandas.RangeIndex):
        return values.rename(name)
    if frequency:
        kind = pandas.TimedeltaIndex if values.dtype.kind == "m" else pandas.DatetimeIndex
        return kind(values, freq=frequency, name=name)
    return pandas.Index(values, dtype=values.dtype, name=name)


def _lower_index(encoder: Encoder, value: Any, depth: int) -> Node | None:
    flat = _flatten_index(value)
    return None if flat is None else ["Index", encoder.lower(flat, depth)]


def _build_index(decoder: Decoder, node: Node, depth: int) -> Any:
    (flat,) = decoder.build_items(node, depth)
    return _restore_index(flat)


def _lower_series(encoder: Encoder, value: Any, depth: int) -> Node | None:
    flat = _flatten(value)
    index = _flatten_index(value.index)
    if flat is None or index is None or not isinstance(value.name, _PLAIN_ITEMS):
        return None
    return ["Series", *encoder.lower_items((value.name, flat, index), depth)]


def _build_series(decoder: Decoder, node: Node, depth: int) -> Any:
    name, flat, index = decoder.build_items(node, depth)
    pandas = importlib.import_module("pandas")
    values, _ = _restore(flat)
    return pandas.Series(values, index=_restore_index(index), name=name, dtype=values.dtype)


def _lower_table(encoder: Encoder, value: Any, depth: int) -> Node | None:
    labels = _flatten_index(value.columns)
    index = _flatten_index(value.index)
    if labels is None or index is None or value.shape[1] > _MAX_COLUMNS:
        return None
    columns = []
    for number in range(value.shape[1]):
        flat = _flatten(value.iloc[:, number])
        if flat is None:
            return None
        columns.append(flat)
    return ["DataFrame", *encoder.lower_items((labels, index, *columns), depth)]


def _build_table(decoder: Decoder, node: Node, depth: int) -> Any:
    labels, index, *columns = decoder.build_items(node, depth)
    pandas = importlib.import_module("pandas")
    restored = {}
    row_labels = _restore_index(index)
    for number, column in enumerate(columns):
        values, _ = _restore(column)
        restored[number] = pandas.Series(values, index=row_labels, dtype=values.dtype)
    table = pandas.DataFrame(restored, index=row_labels)
    table.columns = _restore_index(labels)
    return table


def _snapshot_series(value: Any) -> Any:
    return repr(_snapshot_values(value)), repr(_snapshot_values(value.index))


def _snapshot_table(value: Any) -> Any:
    columns = [_snapshot_values(value.iloc[:, number]) for number in range(value.shape[1])]
    return repr([_snapshot_values(value.columns), _snapshot_values(value.index), columns])


def _snapshot_values(values: Any) -> Any:
    flat = _flatten(values)
    if flat is not None and flat[0] == _ARRAY:
        return [values.name, flat[1].dtype.str, flat[1].tobytes()]
    return [getattr(values, "name", None), flat if flat is not None else id(values)]


def _apply_series(value: Any, content: Any) -> None:
    """Give a series the values, the index and the name of another."""
    # Private, but the only way that leaves the object itself in place.
    value._update_inplace(content)
    value.name = content.name


def _apply_table(value: Any, content: Any) -> None:
    """Give a table the columns, the index and the values of another."""
    value._update_inplace(content)


def _name_class(name: str, place: str) -> tuple[str, ...]:
    """Return the full names of a class: newer versions of pandas say less of where it is."""
    return (f"pandas.{name}", f"pandas.core.{place}.{name}")


def _name_indexes() -> tuple[str, ...]:
    names: tuple[str, ...] = ()
    places = {
        "Index": "base",
        "RangeIndex": "range",
        "DatetimeIndex": "datetimes",
        "TimedeltaIndex": "timedeltas",
    }
    for name, place in places.items():
        names += _name_class(name, f"indexes.{place}")
    return names


TYPES = (
    ValueType(
        tag="Index",
        types=_name_indexes(),
        lower=_lower_index,
        build=_build_index,
        snapshot=never_changes,
        apply=refuse_changes,
    ),
    ValueType(
        tag="Series",
        types=_name_class("Series", "series"),
        lower=_lower_series,
        build=_build_series,
        snapshot=_snapshot_series,
        apply=_apply_series,
    ),
    ValueType(
        tag="DataFrame",
        types=_name_class("DataFrame", "frame"),
        lower=_lower_table,
        build=_build_table,
        snapshot=_snapshot_table,
        apply=_apply_table,
    ),
)
