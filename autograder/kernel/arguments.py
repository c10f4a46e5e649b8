"""Changes a call makes in place to what it was given, and the same changes made to the caller's own objects."""

from __future__ import annotations

import collections
import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.course.errors import WireError
from autograder.kernel.randomness import generator_state, set_generator_state

_SEQUENCES = (list, bytearray)
_MAPPINGS = (dict, collections.OrderedDict, collections.Counter, collections.defaultdict)
_ARRAYS = (np.ndarray, np.matrix)
_GENERATORS = (np.random.Generator, np.random.RandomState)


class Given:
    """The numbered objects of a call's message as they were when the call began.

    Parameters
    ----------
    objects : sequence of objects
        Everything of the message that can change is remembered.
    """

    def __init__(self, objects: Sequence[object]) -> None:
        self._before = [(index, value, _photograph(value)) for index, value in enumerate(objects)]

    def changes(self) -> list[Any]:
        """Return [index, new content] for every object that is not as it was."""
        return [[index, _content(value)] for index, value, before in self._before if not _is_as(value, before)]


def _photograph(value: Any) -> Any:
    kind = type(value)
    if kind in _ARRAYS:
        return value.dtype.str, value.shape, _raw(value)
    if kind is list:
        return list(value)
    if kind in _MAPPINGS:
        return [part for pair in value.items() for part in pair]
    if kind in (set, bytearray):
        return kind(value)
    return generator_state(value) if kind in _GENERATORS else None


def _raw(array: np.ndarray[Any, Any]) -> bytes:
    turned = array.flags.f_contiguous and not array.flags.c_contiguous
    return array.T.tobytes() if turned else array.tobytes()


def _is_as(value: Any, before: Any) -> bool:
    if before is None:
        return True
    now = _photograph(value)
    if type(before) is list and type(value) not in _GENERATORS:  # the same objects, whatever they say of themselves
        return len(now) == len(before) and all(a is b for a, b in zip(now, before, strict=True))
    return bool(now == before)


def _content(value: Any) -> Any:
    """Return a stand-in with the value's content that is not the value itself, so that it crosses anew."""
    if type(value) in _ARRAYS:
        return value.view()
    return generator_state(value) if type(value) in _GENERATORS else copy.copy(value)


def make_changes(objects: Sequence[object], changes: object) -> None:
    """Do to one's own objects what the call did to its copies.

    Raises
    ------
    WireError
        If the changes are not ones a call can make.
    ValueError
        If an array is read-only or has another size now.
    """
    if type(changes) is not list:
        raise WireError("malformed message (changes)")
    for change in changes:
        if type(change) is not list or len(change) != 2 or type(change[0]) is not int:
            raise WireError("malformed message (a change)")
        index, content = change
        if not 0 <= index < len(objects):
            raise WireError("malformed message (a change of nothing)")
        original: Any = objects[index]
        make = _MAKE.get(type(original))
        if make is None or not (type(content) is type(original) or type(original) in _GENERATORS):
            raise WireError("malformed message (a change of another type)")
        make(original, content)


def _change_array(original: Any, content: Any) -> None:
    if content.dtype != original.dtype or content.size != original.size:
        raise ValueError("the size or dtype of an array argument was changed in place")
    if content.shape != original.shape:
        with warnings.catch_warnings():  # NumPy 2.5 advises a new view, but it is this array that others hold
            warnings.simplefilter("ignore", DeprecationWarning)
            original.shape = content.shape
    original[...] = content


def _change_list(original: Any, content: Any) -> None:
    original[:] = content


def _change_collection(original: Any, content: Any) -> None:
    original.clear()
    original.update(content)


_MAKE: Mapping[type, Callable[[Any, Any], None]] = {
    **dict.fromkeys(_ARRAYS, _change_array),
    **dict.fromkeys(_SEQUENCES, _change_list),
    **dict.fromkeys((*_MAPPINGS, set), _change_collection),
    **dict.fromkeys(_GENERATORS, set_generator_state),
}
