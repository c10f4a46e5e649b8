"""The student's objects that stay in the jail: numbered, described, and used from outside through a
few operations.
"""

from __future__ import annotations

import inspect
import operator
import types
from collections.abc import Callable, Mapping
from typing import Any, Final

from autograder.kernel.encoder import Encoder
from autograder.kernel.value_types import refuse_reference
from autograder.kernel.wire import STUDENTS, CannotCross

_FUNCTIONS: Final = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodWrapperType,
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
)


class Objects:
    """The student's objects that the trusted side holds by number."""

    def __init__(self) -> None:
        self._objects: dict[int, object] = {}
        self._numbers: dict[int, int] = {}
        self._next = 1

    def refer(self, value: object) -> list[Any]:
        """Return a reference to an object: its number and what can be said of it without running
        its code.
        """
        number = self._numbers.get(id(value))
        if number is None:
            number = self._next
            self._next = self._next + 1
            self._objects[number] = value
            self._numbers[id(value)] = number
        return [STUDENTS, number, kind_of(value), type(value).__name__, name_of(value)]

    def find(self, number: int) -> object:
        """Return the object of a number."""
        return self._objects[number]

    def release(self, numbers: list[int]) -> None:
        """Forget objects that are not held outside any more."""
        for number in numbers:
            value = self._objects.pop(number, None)
            self._numbers.pop(id(value), None)


def kind_of(value: object) -> str:
    """Return "class", "function", "callable" or "object"."""
    if isinstance(value, type):
        return "class"
    if isinstance(value, _FUNCTIONS):
        return "function"
    return "callable" if callable(value) else "object"


def name_of(value: object) -> str:
    """Return the name a class or function goes by, empty for other objects."""
    name = getattr(value, "__name__", "") if isinstance(value, (*_FUNCTIONS, type)) else ""
    return name if type(name) is str else ""


def call_function(function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Call what can be called."""
    return function(*args, **kwargs)


def signature_of(function: Any) -> list[Any] | None:
    """Return [name, kind, default, annotation] for each parameter, None for what has no signature.

    Defaults and annotations are lists of one item, or empty where there is none; what does not cross is left out.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):
        return None
    return [[p.name, int(p.kind), _if_any(p.default), _plain(p.annotation)] for p in parameters]


def _if_any(value: object) -> list[Any]:
    return [] if value is inspect.Parameter.empty else [value]


def _plain(value: object) -> list[Any]:
    if value is inspect.Parameter.empty:
        return []
    try:
        Encoder(refuse_reference, to_jail=False).encode(value)
    except CannotCross:
        return []
    return [value]


def document_of(value: object) -> str | None:
    """Return the docstring."""
    text = value.__doc__
    return text if type(text) is str else None


def text_of(value: object) -> str:
    """Return what `str` makes of an object."""
    return str.__str__(str(value))


OPERATIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "call": call_function,
    "attribute": getattr,
    "set attribute": setattr,
    "delete attribute": delattr,
    "item": operator.getitem,
    "set item": operator.setitem,
    "delete item": operator.delitem,
    "length": len,
    "iterator": iter,
    "next": next,
    "instance": isinstance,
    "text": text_of,
    "names of attributes": lambda value: [name for name in dir(value) if type(name) is str],
    "signature": signature_of,
    "document": document_of,
}
