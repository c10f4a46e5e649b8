"""Exceptions described in plain values, and made again from the description."""

from __future__ import annotations

import builtins
import contextlib
import re
import traceback
from types import TracebackType
from typing import Any, Final

import numpy as np

from autograder.course.errors import WireError
from autograder.kernel.wire import is_list_of

MAX_TRACEBACK: Final = 20_000
MAX_MESSAGE: Final = 10_000
_OURS: Final = re.compile(r"/IPython/core/|/autograder/(?:jail|kernel)/")
_PLAIN = (type(None), bool, int, float, str, bytes)


def _list_known() -> dict[tuple[str, str], type[Exception]]:
    known: dict[tuple[str, str], type[Exception]] = {
        ("numpy.linalg", "LinAlgError"): np.linalg.LinAlgError,
        ("numpy.exceptions", "AxisError"): np.exceptions.AxisError,
    }
    for name, kind in vars(builtins).items():
        is_exception = isinstance(kind, type) and issubclass(kind, Exception)
        # A group takes exceptions, and those do not cross within another one.
        if is_exception and not issubclass(kind, BaseExceptionGroup):
            known["builtins", name] = kind
    return known


_KNOWN = _list_known()


def describe_exception(error: BaseException, trace: str = "") -> list[Any]:
    """Return the classes (module and name, nearest first), arguments, message and traceback text of
    an exception.
    """
    # A class can have bases without end, and names that are no texts.
    classes = [[str(kind.__module__), str(kind.__name__)] for kind in type(error).__mro__[:32]]
    message = message_of(error)
    args = error.args if type(error.args) is tuple else ()
    plain = all(map(_is_plain, args))
    return [classes, list(args) if plain else [message], message, trace]


def _is_plain(argument: object) -> bool:
    try:
        return type(argument) in _PLAIN and len(str(argument)) < MAX_MESSAGE
    except ValueError:
        # Python writes out no integer of more than 4,300 digits.
        return False


def message_of(error: BaseException) -> str:
    """Return an exception's message, whatever its class does when it is asked for it."""
    try:
        return str(error)[:MAX_MESSAGE]
    except Exception:
        return "<an exception whose message cannot be read>"


def traceback_of(error: BaseException, trace: TracebackType | None) -> str:
    """Return the plain text of a traceback without our own frames; the middle of an overlong one is
    left out.
    """
    try:
        formatted = traceback.TracebackException(type(error), error, trace, compact=True)
        frames = [frame for frame in formatted.stack if not _OURS.search(frame.filename)]
        formatted.stack = traceback.StackSummary.from_list(frames)
        text = "".join(formatted.format())
    except Exception as failure:
        # Whatever its class does to break this is part of the student's error, and no end of ours.
        text = (
            f"{type(error).__name__} (its traceback cannot be written: {type(failure).__name__})\n"
        )
    if len(text) > MAX_TRACEBACK:
        half = MAX_TRACEBACK // 2
        text = f"{text[:half]}\n[...]\n{text[-half:]}"
    return text


def remake_exception(description: object) -> Exception:
    """Return an exception of the same built-in class, else of a class named alike, with
    `student_traceback`.

    Parameters
    ----------
    description : object
        What `describe_exception` returned on the other side, or anything else.

    Raises
    ------
    WireError
        If it is no description.
    """
    if not is_list_of(description, list, list, str, str):
        raise WireError("malformed message (an exception)")
    classes, args, message, trace = description
    if not classes or len(classes) > 32 or not all(map(_is_class, classes)):
        raise WireError("malformed message (an exception's classes)")
    if len(args) > 32 or any(type(arg) not in _PLAIN for arg in args):
        raise WireError("malformed message (an exception's arguments)")
    # The nearest built-in class: a test's `except ValueError` catches the student's subclass.
    base: type[Exception] = Exception
    for module, name in classes:
        if (module, name) in _KNOWN:
            base = _KNOWN[module, name]
            break
    error = _instance((classes[0][0], classes[0][1]), base, args, message)
    error.student_traceback = trace[: 2 * MAX_TRACEBACK]  # type: ignore[attr-defined]
    return error


def _is_class(entry: object) -> bool:
    return is_list_of(entry, str, str)


def _instance(
    name: tuple[str, str], base: type[Exception], args: list[Any], message: str
) -> Exception:
    if _KNOWN.get(name) is base:
        with contextlib.suppress(TypeError, ValueError):
            return base(*args)
    # The class is made anew and not looked up: its name must lead to nothing of ours.
    label = name[1] if name[1].isidentifier() and len(name[1]) <= 100 else "StudentsException"
    kind: Any = type(label, (base,), {"__module__": "student", "__str__": lambda self: message})
    # Not called: `UnicodeDecodeError` and its like want arguments that a message is not.
    error: Exception = kind.__new__(kind)
    error.args = (message,)
    return error
