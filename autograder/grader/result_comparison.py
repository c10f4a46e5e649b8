"""Two results of a function held against each other: their values, and how these are put together."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.kernel.proxies import Handle

# Differences that rounding may make: another order of summation in single precision, say.
RELATIVE = 1e-6
ABSOLUTE = 1e-9


def are_same(one: Any, other: Any) -> bool:
    """Whether two results are equal in structure, shape and, to rounding, value."""
    # A handle's == would run the student's code, which may say what it likes.
    if isinstance(one, Handle) or isinstance(other, Handle):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(are_same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(are_same, one, other))
    try:
        a = np.asarray(one)
        b = np.asarray(other)
        if a.shape != b.shape:
            return False
        if a.dtype.kind in "biufc" and b.dtype.kind in "biufc":
            return _are_close(a, b)
        return bool(np.array_equal(a, b))
    except (ValueError, TypeError):
        return False


def _are_close(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    """Whether two arrays of one shape are equal to rounding; the answer of `np.allclose`, found
    sooner.
    """
    if a.dtype == b.dtype and a.tobytes() == b.tobytes():
        return True
    # np.allclose spends more time on its own checks than on small arrays.
    if a.dtype.kind == "f" and b.dtype.kind == "f":
        with np.errstate(all="ignore"):
            close = np.abs(a - b) <= ABSOLUTE + RELATIVE * np.abs(b)
        if np.isfinite(a).all() and np.isfinite(b).all():
            return bool(close.all())
    return bool(np.allclose(a, b, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True))


def is_finite(value: Any) -> bool:
    """Whether all numbers in a result are finite."""
    if isinstance(value, dict):
        return all(map(is_finite, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(is_finite, value))
    if isinstance(value, (float, complex, np.ndarray, np.generic)):
        return np.asarray(value).dtype.kind not in "fc" or bool(np.all(np.isfinite(value)))
    return True


def are_same_where_finite(one: Any, other: Any) -> bool:
    """Whether two results are the same wherever both have a finite number."""
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return False
        return all(are_same_where_finite(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(are_same_where_finite, one, other))
    if is_finite(one) and is_finite(other):
        return are_same(one, other)
    a = np.asarray(one)
    b = np.asarray(other)
    if a.shape != b.shape or a.dtype.kind not in "biufc" or b.dtype.kind not in "biufc":
        return False
    both = np.isfinite(a) & np.isfinite(b)
    return are_same(a[both], b[both])


def are_same_but_layout(theirs: Any, ours: Any) -> bool:
    """Whether two tuples of results agree in their values, where some parts may be laid out
    otherwise.
    """
    if are_same(theirs, ours):
        return True
    if (
        not isinstance(theirs, (list, tuple))
        or not isinstance(ours, (list, tuple))
        or len(theirs) != len(ours)
    ):
        return False
    compared = False
    for a, b in zip(theirs, ours, strict=True):
        if _otherwise_laid_out(a, b):
            continue
        if not are_same(a, b):
            return False
        compared = True
    # Where every part is laid out otherwise nothing was compared, so nothing agrees.
    return compared


def find_other_layouts(theirs: Any, ours: Any) -> list[tuple[Any, Any]]:
    """Return the parts of two results that are laid out in different ways, and the items of lists
    of such parts.
    """
    pairs = []
    if (
        isinstance(theirs, (list, tuple))
        and isinstance(ours, (list, tuple))
        and len(theirs) == len(ours)
    ):
        for a, b in zip(theirs, ours, strict=True):
            pairs += find_other_layouts(a, b)
    return [*pairs, (theirs, ours)] if _otherwise_laid_out(theirs, ours) else pairs


def _otherwise_laid_out(theirs: Any, ours: Any) -> bool:
    return is_packed(theirs) and is_packed(ours) and _layout(theirs) != _layout(ours)


def find_containers(value: Any) -> list[Any]:
    """Return a value and all within it that is a container or an object of the student's."""
    if isinstance(value, Handle):
        return [value]
    if not isinstance(value, (dict, list, tuple)):
        return []
    found: list[Any] = [value]
    for part in value.values() if isinstance(value, dict) else value:
        found += find_containers(part)
    return found


def are_built_alike(one: Any, other: Any) -> bool:
    """Whether two results are put together alike, whatever the numbers in them are."""
    return bool(_describe_structure(one) == _describe_structure(other))


def _describe_structure(value: Any) -> Any:
    """Return how a value is put together: its containers and objects, without the numbers in
    them.
    """
    if isinstance(value, dict):
        return {str(key): _describe_structure(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return list(map(_describe_structure, value))
    return "object" if isinstance(value, Handle) else "value"


def is_packed(value: Any) -> bool:
    """Whether a value is an object of the student's, or a container of arrays."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, (list, tuple)):
        return isinstance(value, Handle)
    for item in value:
        is_array = isinstance(item, np.ndarray) and item.ndim > 0
        if is_array or is_packed(item):
            return True
    return False


def _layout(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return list(map(_layout, value))
    if isinstance(value, dict):
        return {str(key): _layout(item) for key, item in value.items()}
    return id(value) if isinstance(value, Handle) else np.shape(value)


def holds_handle(value: Any) -> bool:
    """Whether a value is an object of the student's, or has one within it."""
    if isinstance(value, dict):
        return any(map(holds_handle, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(holds_handle, value))
    return isinstance(value, Handle)
