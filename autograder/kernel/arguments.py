"""Changes a call makes in place to what it was given, and the same changes made to the caller's own
objects.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from autograder.course.errors import WireError
from autograder.kernel.encoder import Encoder
from autograder.kernel.types import REGISTRY
from autograder.kernel.value_types import ValueType


class Given:
    """The objects of a call's message that can change, as they were when the call began.

    Parameters
    ----------
    changeable : sequence of tuple
        Number, value and value type of each.
    """

    def __init__(self, changeable: Sequence[tuple[int, Any, ValueType]]) -> None:
        self._before = []
        for number, value, value_type in changeable:
            self._before.append((number, value, value_type, value_type.snapshot(value)))

    def lower_changes(self, encoder: Encoder) -> list[Any]:
        """Return [number, node of the new content] for every object that is not as it was."""
        changes = []
        for number, value, value_type, before in self._before:
            if not _is_as_before(value_type.snapshot(value), before):
                changes.append([number, encoder.lower_content(value, value_type)])
        return changes


def _is_as_before(now: object, before: object) -> bool:
    if type(now) is list and type(before) is list:
        # By identity: the student's objects in it may say of themselves what they like.
        return len(now) == len(before) and all(map(operator.is_, now, before))
    return bool(now == before)


def make_change(objects: Sequence[object], number: object, content: Any) -> None:
    """Do to one's own object what the call did to its copy.

    Raises
    ------
    WireError
        If the change is not one a call can make.
    ValueError
        If an array is read-only or has another size now.
    """
    if type(number) is not int or not 0 <= number < len(objects):
        raise WireError("malformed message (a change of nothing)")
    original = objects[number]
    value_type = REGISTRY.find(type(original))
    # Only what an argument could have become: a list that turns into an array would surprise
    # the test, and honest code cannot do it.
    if value_type is None or not isinstance(original, type(content)):
        raise WireError("malformed message (a change of another type)")
    value_type.apply(original, content)
