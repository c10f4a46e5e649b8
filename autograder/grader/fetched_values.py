"""What a test fetched from the notebook by name, and what the calls of the test have changed of it.

In a notebook, `f(data)` gets the very object that the test looks at below it. Here the test has a
copy, and whoever asked for `data` once more would get another one, as it was before the call: an
answer that spoils its argument would not be noticed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

UNCHANGED = object()
_NEVER_CHANGED = (type(None), bool, int, float, complex, str, bytes, range)
# One expression may read a name several times; what stands in earlier ones is settled.
_MOST_VALUES = 16
# A change that is deeper in is not found: the walk must not take longer than the call.
_MOST_OBJECTS = 10_000


@dataclass(frozen=True)
class _Fetched:
    """A value as a test got it from the notebook."""

    name: str
    value: Any

    @cached_property
    def objects(self) -> frozenset[int]:
        """Ids of all that a call can change of it."""
        found = set(_list_ids(self.value))
        left = [self.value]
        while left and len(found) < _MOST_OBJECTS:
            for part in _list_parts(left.pop()):
                if id(part) not in found and not isinstance(part, _NEVER_CHANGED):
                    found.update(_list_ids(part))
                    left.append(part)
        return frozenset(found)


class FetchedValues:
    """The values of a test that calls may change."""

    def __init__(self) -> None:
        self._newest: deque[_Fetched] = deque(maxlen=_MOST_VALUES)
        self._changed: dict[str, Any] = {}

    def add(self, name: str, value: object) -> None:
        """Remember what a name stood for when the test read it."""
        if not isinstance(value, _NEVER_CHANGED):
            self._newest.append(_Fetched(name, value))

    def note_change(self, changed: object) -> None:
        """Take note that a call has changed an object of the test's."""
        ids = set(_list_ids(changed))
        for fetched in self._newest:
            if not fetched.objects.isdisjoint(ids):
                self._changed[fetched.name] = fetched.value

    def find_changed(self, name: str) -> object:
        """Return what a call has changed under this name, else `UNCHANGED`."""
        return self._changed.get(name, UNCHANGED)


def _list_ids(value: object) -> Iterator[int]:
    """Yield the id of an object, and of the arrays in whose memory it lies: who changes some rows of
    an array has changed the array.
    """
    yield id(value)
    while isinstance(value, np.ndarray) and isinstance(value.base, np.ndarray):
        value = value.base
        yield id(value)


def _list_parts(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple | set | frozenset | deque) else ()
