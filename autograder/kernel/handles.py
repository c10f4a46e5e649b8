"""A student's objects as tests hold them: at arm's length.

What cannot cross by value stays in the jail, and the test holds a *handle*: attributes, items, calls and iteration go
to the student's object and come back by value. A handle refuses to be compared, computed with, tested for truth or
turned into an array, because a student's object must never vouch for itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from autograder.course.errors import KernelError, WireError
from autograder.kernel.cell_outputs import Output
from autograder.kernel.copies import copy_value
from autograder.kernel.exchange import CannotReturn
from autograder.kernel.wire import CannotCross, is_list_of

if TYPE_CHECKING:
    from autograder.kernel.jailed_kernel import Kernel


@dataclass(frozen=True)
class Call:
    """One call of a student's function by a test.

    Attributes
    ----------
    function : str
        The name under which the test found the function.
    args, kwargs
        Copies of what went in, as it was before the call.
    result, error
        A copy of what came out, or what was raised.
    output : tuple of dict
        What the call printed and displayed, as nbformat outputs.
    args_after, kwargs_after
        Copies of what went in, as it was after the call: other than before where the call changed
        it in place.
    random_states : tuple
        The global states of numpy and Python before the call:
        `np.random.set_state(call.random_states[0])` and `random.setstate(call.random_states[1])`
        repeat its random numbers.
    """

    function: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Any = None
    error: BaseException | None = None
    output: tuple[Output, ...] = ()
    args_after: tuple[Any, ...] = ()
    kwargs_after: dict[str, Any] = field(default_factory=dict)
    random_states: tuple[Any, ...] = ()


@dataclass
class _State:
    """What the trusted side knows of a student's object."""

    kernel: Kernel
    number: int
    name: str
    label: str
    signature: inspect.Signature | None = None


def _state(handle: Handle) -> _State:
    state: _State = object.__getattribute__(handle, "_autograder_state")
    return state


def _ask(handle: Handle, operation: str, *operands: Any) -> Any:
    state = _state(handle)
    try:
        return state.kernel.request(operation, (handle, *operands))
    except CannotReturn as error:
        raise CannotCross(f"{operation} of {state.label} is {error}") from None
    except CannotCross as error:
        raise CannotCross(f"{state.label} cannot be given {error}") from None


_DOCUMENT: Any = property(lambda handle: _state(handle).kernel.expect_text("document", (handle,)))


class Handle:
    """An object of the student's that stays in the jail."""

    __slots__ = ("__weakref__", "_autograder_state")
    # With it numpy leaves arithmetic to this class, which refuses it.
    __array_ufunc__ = None
    __doc__ = _DOCUMENT

    def __init__(self, state: _State) -> None:
        object.__setattr__(self, "_autograder_state", state)

    def __repr__(self) -> str:
        """Describe the object without asking it."""
        return f"<the student's {_state(self).label}>"

    def __str__(self) -> str:
        """Return what `str` makes of the object."""
        return _state(self).kernel.expect(str, "text", (self,))

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the object."""
        # numpy would take an array of the student's making for the object's value; inspect would
        # follow what they say they wrap without an end.
        if name.startswith("__array") or name == "__wrapped__":
            raise AttributeError(name)
        value = _ask(self, "attribute", name)
        if isinstance(value, Handle):
            _state(value).label = f"{_state(self).label}.{name}"
        return value

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute of the object to a copy of a value."""
        _ask(self, "set attribute", name, value)

    def __delattr__(self, name: str) -> None:
        """Delete an attribute of the object."""
        _ask(self, "delete attribute", name)

    def __dir__(self) -> list[str]:
        """Return the names of the object's attributes."""
        return _state(self).kernel.expect_texts("names of attributes", (self,))

    def __getitem__(self, key: object) -> Any:
        """Return an item of the object."""
        return _ask(self, "item", key)

    def __setitem__(self, key: object, value: object) -> None:
        """Set an item of the object to a copy of a value."""
        _ask(self, "set item", key, value)

    def __delitem__(self, key: object) -> None:
        """Delete an item of the object."""
        _ask(self, "delete item", key)

    def __len__(self) -> int:
        """Return the length of the object."""
        return _state(self).kernel.expect(int, "length", (self,))

    def __iter__(self) -> Any:
        """Return an iterator over the object, which stays in the jail too."""
        return _ask(self, "iterator")

    def __next__(self) -> Any:
        """Return the next item, by value."""
        return _ask(self, "next")

    def __copy__(self) -> Handle:
        """Return the handle itself: a copy would be another object of the student's."""
        return self

    def __deepcopy__(self, memo: object) -> Handle:
        """Return the handle itself."""
        return self


class FunctionProxy(Handle):
    """A function or class of the student's, or an object that can be called."""

    __slots__ = ()
    __doc__ = _DOCUMENT

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call it by value; in-place changes of arguments are made to the caller's own objects too.

        Raises
        ------
        Exception
            What it raised, as the same built-in class, with `student_traceback`.
        CannotCross
            If an argument or the result has no form on the wire.
        KernelError
            If the kernel was lost.
        """
        # Asked at each call: trials turn it on and off while tests hold the proxy.
        observer = _state(self).kernel.namespace.observer
        return (
            _call(self, args, kwargs)
            if observer is None
            else _observed(observer, self, args, kwargs)
        )

    def __instancecheck__(self, instance: object) -> bool:
        """Whether an object of the student's is an instance of this class of the student's."""
        return isinstance(instance, Handle) and _state(self).kernel.expect(
            bool, "instance", (instance, self)
        )

    @property
    def __name__(self) -> str:
        """The function's own name."""
        state = _state(self)
        if not state.name:
            raise AttributeError(f"{state.label} has no name")
        return state.name

    @property
    def __signature__(self) -> inspect.Signature:
        """The function's signature; defaults and annotations that do not cross are handles or left
        out.
        """
        state = _state(self)
        if state.signature is None:
            state.signature = _signature(state.kernel.request("signature", (self,)), state.label)
        return state.signature


def _call(function: Handle, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    state = _state(function)
    try:
        return state.kernel.request("call", (function, *args), kwargs)
    except CannotReturn as refusal:
        raise CannotCross(f"{state.label} returned {refusal}") from None
    except CannotCross as refusal:
        raise CannotCross(f"{state.label} cannot be given {refusal}") from None


def _observed(
    observer: Callable[[Call], None],
    function: Handle,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Call a function and tell the observer."""
    state = _state(function)
    kernel = state.kernel
    # Both with one memo: an array passed twice is one array in the record.
    args_before, kwargs_before = copy_value((args, kwargs), {})
    random_states = kernel.random_states.copy()
    result: Any = None
    error: Exception | None = None
    try:
        result = _call(function, args, kwargs)
    except KernelError:
        # No call of the student's: there is nothing to record.
        raise
    except Exception as raised:
        error = raised
    output = tuple(kernel.last_outputs)
    # Nothing changed in most calls, and copies are dear.
    after = args_before, kwargs_before
    if kernel.changed_operands:
        after = copy_value((args, kwargs), {})
    given_back = copy_value(result, {})
    observer(
        Call(
            state.label,
            args_before,
            kwargs_before,
            given_back,
            error,
            output,
            *after,
            random_states,
        )
    )
    if error is not None:
        raise error
    return result


def _signature(parameters: object, label: str) -> inspect.Signature:
    """Make a signature from [name, kind, default, annotation] for each parameter."""
    if parameters is None:
        raise ValueError(f"no signature found for {label}")
    if type(parameters) is not list:
        raise WireError("malformed message (a signature)")
    made = []
    for parameter in parameters:
        if not is_list_of(parameter, str, int, list, list):
            raise WireError("malformed message (a parameter)")
        name, kind, default, annotation = parameter
        extra = {"default": default[0]} if default else {}
        extra |= {"annotation": annotation[0]} if annotation else {}
        try:
            made.append(inspect.Parameter(name, inspect._ParameterKind(kind), **extra))
        except ValueError:
            raise WireError("malformed message (a parameter)") from None
    try:
        return inspect.Signature(made)
    except ValueError:
        raise WireError("malformed message (a signature)") from None


def _refusing(what: str) -> Callable[..., NoReturn]:
    def refuse(self: Handle, *_: object, **__: object) -> NoReturn:
        raise TypeError(
            f"{_state(self).label} cannot be {what}: it is not a value but an object of the student's"
        )

    return refuse


_REFUSED = {
    "compared": "eq ne lt le gt ge",
    "computed with": "add sub mul matmul truediv floordiv mod divmod pow lshift rshift and xor or neg pos abs invert "
    "round trunc floor ceil",
    "tested for truth": "bool",
    "turned into a number": "int float complex index",
    "turned into an array": "array array_function",
    # A copy in another process would ask a jail that it has no part in.
    "pickled": "reduce_ex",
}
_TWO_SIDED = "add sub mul matmul truediv floordiv mod divmod pow lshift rshift and xor or"

for _what, _names in _REFUSED.items():
    for _name in _names.split():
        setattr(Handle, f"__{_name}__", _refusing(_what))
for _name in _TWO_SIDED.split():
    setattr(Handle, f"__r{_name}__", _refusing("computed with"))


def make_handle(kernel: Kernel, number: int, kind: str, type_name: str, name: str) -> Handle:
    """Return what stands for an object of the student's.

    Parameters
    ----------
    kernel : Kernel
        Whose object it is.
    number : int
        Its number in the jail.
    kind : str
        "class", "function", "callable" or "object".
    type_name, name : str
        The name of its type, and the name it goes by itself if it has one.
    """
    # It ends up in messages, and is the student's: no line break, no escape sequence.
    label = "".join(filter(str.isprintable, name or f"{type_name} object"))[:100]
    state = _State(kernel, number, name, label)
    return Handle(state) if kind == "object" else FunctionProxy(state)


def rename_handle(handle: Handle, name: str) -> None:
    """Call an object by the name under which the test found it."""
    _state(handle).label = name


def number_of_handle(handle: Handle, kernel: Kernel) -> int:
    """Return the number of a student's object in its jail.

    Raises
    ------
    CannotCross
        If it lives in the jail of another kernel.
    """
    state = _state(handle)
    if state.kernel is not kernel:
        raise CannotCross("an object of another kernel")
    return state.number
