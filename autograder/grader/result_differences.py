"""In which way a result is wrong, in words and without a number of the test's: what a teacher would
see at a glance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograder.grader.result_comparison import are_same

Numbers = np.ndarray[Any, np.dtype[Any]]

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
FACTORS = {2.0: "twice what it should be", 0.5: "half of what it should be"}
# Loose enough for single precision, tight enough that no two of the factors below are taken for one.
RTOL = 1e-5


def describe_differences(
    got: Any, wanted: Any, sizes: Mapping[str, int] | None = None, name: str = "the result"
) -> tuple[str, ...]:
    """Describe how a result differs from the right one; empty when it does not, or in no way that
    has a name.

    Where there are several descriptions all of them fit: half of what it should be, for two
    columns, is too small by the number of columns as well. Other calls tell which one is meant.

    Parameters
    ----------
    got, wanted
        The student's result and the reference's.
    sizes : mapping of str to int, optional
        Numbers that a factor may turn out to be, by how they are called: "the number of rows of
        X".
    name : str
        How to call the result.
    """
    if wanted is None:
        return ()
    if got is None:
        return (f"{name} is None: is a `return` missing?",)
    if isinstance(wanted, dict):
        return _of_dictionaries(got, wanted, sizes or {}, name)
    if isinstance(wanted, tuple):
        return _of_tuples(got, wanted, sizes or {}, name)
    a = _numbers(got)
    b = _numbers(wanted)
    if b is None:
        return ()
    if a is None:
        return (f"{name} is {_a_kind(got)}, not {'an array of numbers' if b.ndim else 'a number'}",)
    with np.errstate(all="ignore"):
        return _some(_of_shapes(a, b, name)) or _of_values(a, b, sizes or {}, name)


def _some(words: str) -> tuple[str, ...]:
    return (words,) if words else ()


def _of_dictionaries(
    got: Any, wanted: dict[Any, Any], sizes: Mapping[str, int], name: str
) -> tuple[str, ...]:
    if not isinstance(got, dict):
        return (f"{name} is {_a_kind(got)}, not a dictionary",)
    if not wanted.keys() <= got.keys():
        return (f"{name} lacks some of its keys",)
    for key in wanted:
        words = describe_differences(got[key], wanted[key], sizes, f"an entry {_entry(key)}")
        if words:
            return words
    kinds: dict[str, bool] = {}
    for key in wanted:
        # W1 and W2 are one kind of entry: it is right where all of them are.
        entry = _entry(key)
        kinds[entry] = kinds.get(entry, True) and are_same(got[key], wanted[key])
    return _some(_which("entries", kinds))


def _entry(key: Any) -> str:
    """Call an entry by its key, without the layer it belongs to."""
    return re.sub(r"[0-9]+$", "", str(key))


def _of_tuples(
    got: Any, wanted: tuple[Any, ...], sizes: Mapping[str, int], name: str
) -> tuple[str, ...]:
    # Whoever stacks the results in an array has returned them, too.
    if isinstance(got, np.ndarray) and got.ndim:
        got = list(got)
    if not isinstance(got, (list, tuple)) or len(got) != len(wanted):
        count = {2: "two", 3: "three", 4: "four"}.get(len(wanted), "several")
        return (f"return {count} things, in the order of the task",)
    right: dict[str, bool] = {}
    for one, other, ordinal in zip(got, wanted, ORDINALS, strict=False):
        words = describe_differences(one, other, sizes, f"the {ordinal} result")
        if words:
            return words
        right[f"the {ordinal}"] = are_same(one, other)
    return _some(_which("results", right))


def _which(what: str, right: Mapping[str, bool]) -> str:
    """Say which parts are right where some are and some are not."""
    good = []
    bad = []
    for name, is_right in right.items():
        if is_right:
            good.append(name)
        else:
            bad.append(name)
    if not good or not bad:
        return ""
    return f"of the {what}, {_listed(good)} {_are(good)} right, {_listed(bad)} {_are(bad)} not"


def _listed(names: list[str]) -> str:
    return " and ".join(names)


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _of_shapes(got: Numbers, wanted: Numbers, name: str) -> str:
    if got.shape == wanted.shape:
        return ""
    if got.ndim == 2 and got.shape == wanted.shape[::-1]:
        return f"{name} is transposed"
    if wanted.ndim == 0:
        return f"{name} should be one number, and is an array"
    if got.ndim < wanted.ndim:
        return f"{name} has lost an axis: keepdims=True, or reshape"
    return f"{name} has the wrong shape"


def _of_values(
    got: Numbers, wanted: Numbers, sizes: Mapping[str, int], name: str
) -> tuple[str, ...]:
    if not np.all(np.isfinite(got)):
        return _some(f"{name} contains nan or inf" if np.all(np.isfinite(wanted)) else "")
    if np.allclose(got, wanted, rtol=RTOL, atol=1e-9):
        return ()
    # Before all else that may fit: a wrong factor is also wrong numbers at right places.
    factor = _factor(got, wanted)
    if factor is not None:
        found = [f"{name} {words}" for words in _of_factor(factor, sizes)]
        if got.size > 1:  # one number is always off by some factor
            found.append(f"{name} is off by a factor{_and_sign(factor)}")
        if found:
            return tuple(found)
    return _some(_of_other_values(got, wanted, name))


def _of_other_values(got: Numbers, wanted: Numbers, name: str) -> str:
    if np.iscomplexobj(wanted) and np.allclose(got, wanted.real, rtol=RTOL):
        return f"{name} has lost its imaginary part"
    if np.iscomplexobj(wanted) and np.allclose(got, wanted.conj(), rtol=RTOL):
        return f"the imaginary part of {name} has the wrong sign"
    if got.size > 1 and np.allclose(got - wanted, (got - wanted).flat[0], rtol=RTOL, atol=1e-9):
        return f"{name} is off by the same number everywhere"
    return _of_arrangement(got, wanted, name) or _of_axes(got, wanted, name)


def _factor(got: Numbers, wanted: Numbers) -> float | None:
    """Return the one factor between two arrays, None where there is none."""
    square = float(np.sum(np.abs(wanted) ** 2))
    if not square or not np.any(got):
        return None
    factor = complex(np.sum(np.conj(wanted) * got)) / square
    alike = abs(factor.imag) < RTOL and np.allclose(got, factor.real * wanted, rtol=RTOL, atol=1e-9)
    return factor.real if alike and factor.real else None


def _of_factor(factor: float, sizes: Mapping[str, int]) -> Iterator[str]:
    sign = _and_sign(factor)
    if np.isclose(factor, -1, rtol=RTOL):
        yield "has the wrong sign"
    for value, words in FACTORS.items():
        if np.isclose(abs(factor), value, rtol=RTOL):
            yield f"is {words}{sign}"
    for size, number in sizes.items():
        if number == 1 and np.isclose(abs(factor), 1, rtol=RTOL):
            continue
        if np.isclose(abs(factor), number, rtol=RTOL):
            yield f"is too large, by {size}: is a mean missing?{sign}"
        if np.isclose(abs(factor), 1 / number if number else np.inf, rtol=RTOL):
            yield f"is too small, by {size}: is it divided once too often?{sign}"


def _and_sign(factor: float) -> str:
    return " and has the wrong sign" if factor < 0 else ""


def _of_arrangement(got: Numbers, wanted: Numbers, name: str) -> str:
    if got.ndim == 2 and got.shape[0] == got.shape[1] and np.allclose(got.T, wanted, rtol=RTOL):
        return f"{name} is transposed"
    for axis, what in zip(range(min(got.ndim, 2)), _called(got.ndim), strict=False):
        if got.shape[axis] > 1 and np.allclose(np.flip(got, axis), wanted, rtol=RTOL):
            return f"{name} has its {what} in the wrong order"
    if got.size > 1 and np.allclose(np.sort(got, axis=None), np.sort(wanted, axis=None), rtol=RTOL):
        return f"{name} has the right numbers at the wrong places"
    return ""


def _of_axes(got: Numbers, wanted: Numbers, name: str) -> str:
    """See whether every row, or every column, is off by a factor or a number of its own, or some
    are right.
    """
    for axis, what in zip(range(min(got.ndim, 2)), _called(got.ndim), strict=False):
        if got.shape[axis] < 2 or got.ndim < 2:
            continue
        slices = list(zip(np.moveaxis(got, axis, 0), np.moveaxis(wanted, axis, 0), strict=True))
        # A row of zeros is right by chance: whoever forgot it has it.
        if any(np.any(b) and np.allclose(a, b, rtol=RTOL) for a, b in slices):
            return f"some {what} of {name} are right, others are not"
        # Of one number each the factors always exist.
        if slices[0][0].size > 1 and all(_factor(a, b) is not None for a, b in slices):
            return f"in {name} each of the {what} is off by a factor of its own: look at the axes"
    right = np.isclose(got, wanted, rtol=RTOL)[wanted != 0]
    if 2 * np.sum(right) >= right.size > 0:
        return f"some entries of {name} are right, others are not"
    return ""


def _called(dimensions: int) -> tuple[str, ...]:
    return ("entries",) if dimensions == 1 else ("rows", "columns")


def _numbers(value: Any) -> Numbers | None:
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        return None
    return array if array.dtype.kind in "biufc" else None


def _a_kind(value: Any) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
