"""The trusted end of one jailed kernel: cells to run, and the student's names."""

from __future__ import annotations

import contextlib
import socket
import time
import types
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from autograder.course.errors import KernelDied, KernelError, OutOfTime, WireError
from autograder.course.limits import CLOCK_FACTOR, MOST_CLOCK_FACTOR, Limits
from autograder.kernel import wire
from autograder.kernel.cell_outputs import DisplayedOutputs, Output, check_outputs
from autograder.kernel.channel import Channel
from autograder.kernel.exception_values import describe_exception, remake_exception
from autograder.kernel.exchange import Exchange
from autograder.kernel.handles import Handle, make_handle, number_of_handle
from autograder.kernel.proxies import ModuleReference, StudentNamespace
from autograder.kernel.randomness import RandomStates
from autograder.kernel.wire import CannotCross

T = TypeVar("T")

# The jail ends calls itself; this side waits longer, or it would kill what was about to answer.
GRACE_SECONDS: Final = 3.0
# A student's loop may swallow our exceptions without end.
MAX_THROWN: Final = 100
# Some hundred bytes each: a hostile jail must not fill this side's memory with them.
MAX_HANDLES: Final = 50_000
_CELL_REPLIES: Final = (
    [list, list, list, float, bool, bool],
    [list, list, list, tuple, float, bool, bool],
)

__all__ = [
    "CannotCross",
    "CellRun",
    "Kernel",
    "KernelDied",
    "KernelError",
    "OutOfTime",
    "StudentError",
    "WireError",
]


@dataclass(frozen=True)
class StudentError:
    """The exception a cell ended with: its class, its message, its traceback in plain text."""

    ename: str
    evalue: str
    traceback: str


@dataclass(frozen=True)
class CellRun:
    """What running a cell gave.

    Attributes
    ----------
    outputs : tuple of dict
        nbformat outputs. A later cell may change one in place, as `update_display` does.
    error : StudentError or None
        The exception the cell ended with.
    seconds : float
        Wall-clock seconds the cell ran.
    timed_out : bool
        Whether it was stopped at its time limit; the names it had made by then are there.
    """

    outputs: tuple[Output, ...]
    error: StudentError | None
    seconds: float
    timed_out: bool = False


class Kernel(Exchange):
    """One jailed kernel.

    Once a KernelError was raised the kernel cannot be used any more: everything raises it again.

    Parameters
    ----------
    sock : socket.socket
        Connected to `autograder.kernel.worker.serve_kernel`.
    limits : Limits
        Seconds for a cell, for a call, and for everything together from now on; of processor time,
        which the jail counts, and of the clock behind it.
    watch : callable, optional
        Called about every 100 ms while waiting; a sentence it returns ends the kernel.

    Attributes
    ----------
    namespace : StudentNamespace
        The student's names.
    last_outputs : list of dict
        What the last thing asked for printed and displayed, as nbformat outputs; never part of a
        cell's outputs.
    random_states : RandomStates
        This side's global random states, for the records of calls.
    out_of_time : bool
        Whether the clock ended anything: on a machine that has nothing else to do, it might not
        have.
    """

    def __init__(
        self, sock: socket.socket, limits: Limits, watch: Callable[[], str | None] | None = None
    ) -> None:
        super().__init__(Channel(sock, None if watch is None else lambda: _heed(watch)))
        self.limits = limits
        self.namespace = StudentNamespace(self)
        self.last_outputs: list[Output] = []
        self.random_states = RandomStates()
        self.out_of_time = False
        self._end = time.monotonic() + CLOCK_FACTOR * limits.seconds
        self._broken: KernelError | None = None
        self._handles: weakref.WeakValueDictionary[int, Handle] = weakref.WeakValueDictionary()
        self._unneeded: set[int] = set()
        self._functions: dict[int, Callable[..., Any]] = {}
        self._thrown: dict[int, BaseException] = {}
        self._count = 0
        self._shown = DisplayedOutputs()
        self.random.settle()

    def run_cell(self, source: str, *, run_on: bool = False, draw: bool = True) -> CellRun:
        """Run a cell as a notebook would, and return what it showed.

        Parameters
        ----------
        run_on : bool
            Whether to run what stands below a statement that fails, too.
        draw : bool
            Whether figures that it displays are drawn, or their words kept only.

        Raises
        ------
        OutOfTime
            If it could not even be interrupted at its time limit.
        KernelDied
            If it ended its process.
        WireError
            If the process sent something else than an answer.
        """
        # A cell is the student's again: what tests lent and passed is gone before it runs.
        self.forget_functions()
        limit = self.limits.cell_seconds
        with self._breaking():
            try:
                reply = self.request("cell", (source, run_on, draw), seconds=limit)
            except KernelError:
                raise
            except Exception:
                # How a cell ended is part of an honest answer.
                raise WireError(
                    "malformed message (an exception in the place of a cell's outputs)"
                ) from None
            if (
                type(reply) is not list
                or [type(f) for f in reply if f is not None] not in _CELL_REPLIES
            ):
                raise WireError("malformed message (a cell's outputs)")
            outputs, ids, updates, error, seconds, timed_out, by_clock = reply
            clean = check_outputs(outputs, self._most)
            self._shown.add(clean, ids)
            self._shown.update(updates)
            student_error = None if error is None else _student_error(error)
        self.out_of_time |= by_clock
        return CellRun(tuple(clean), student_error, seconds, timed_out)

    def bind_settings(self, statements: str) -> None:
        """Run statements of the course's own in the notebook's names, each by itself; one that
        fails is passed over.

        Raises
        ------
        KernelError
            If the kernel is lost.
        """
        # The course's own settings cost a notebook nothing, however long they take.
        with contextlib.suppress(TimeoutError):
            self.request("bind", (statements,))

    @contextlib.contextmanager
    def lend_functions(self, functions: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
        """Put trusted functions in the place of the student's of these names while the context
        lasts.

        In the jail they are called like any function; they run here, by value.
        """
        before = set(self._functions)
        self.request("lend", (dict(functions),))
        try:
            yield
        finally:
            # A lost kernel has told so already, and needs nothing back.
            with contextlib.suppress(KernelError):
                self.request("give back", ())
            self._withdraw_except(before)

    def forget_functions(self) -> None:
        """Answer no more calls of the functions that tests have passed or lent: their test is over.

        Running a cell does so too.
        """
        self._withdraw_except(set())
        self._thrown = {}

    def _withdraw_except(self, kept: set[int]) -> None:
        for number in self._functions.keys() - kept:
            del self._functions[number]

    def close(self) -> None:
        """Close the connection; the process in the jail ends."""
        self._broken = self._broken or KernelDied("the kernel was closed")
        self.channel.close()

    def request(
        self,
        operation: str,
        operands: tuple[Any, ...],
        kwargs: Mapping[str, Any] | None = None,
        seconds: float = 0.0,
    ) -> Any:
        """Have the jail perform an operation within its time.

        Raises
        ------
        Exception
            What the student's code raised, as the same built-in class.
        CannotCross
            If an operand or the result has no form on the wire.
        KernelError
            If the kernel is lost.
        """
        limit = float(seconds or self.limits.call_seconds)
        self.last_outputs = []
        self._raise_if_broken()
        # Not `_breaking`, which is a generator: this is on the way of every call.
        try:
            now = time.monotonic()
            if now >= self._end:
                raise OutOfTime("the notebook took too long as a whole")
            deadline = self.later(now, MOST_CLOCK_FACTOR * limit + GRACE_SECONDS)
            return self.ask(operation, operands, kwargs, seconds=limit, deadline=deadline)
        except StopIteration as stop:
            # Only there it means the end of something.
            if operation == "next":
                raise
            raise _no_end(stop) from None
        except BaseException as error:
            self._note_end(error)
            raise

    def expect(self, kind: type[T], operation: str, operands: tuple[Any, ...]) -> T:
        """Like `request`, for a result that has to be of exactly this built-in type."""
        value = self.request(operation, operands)
        with self._breaking():
            if type(value) is not kind:
                raise WireError(f"malformed message (a result that should be {kind.__name__})")
        return value

    def expect_texts(self, operation: str, operands: tuple[Any, ...]) -> list[str]:
        """Like `expect`, for a list of texts."""
        return [text for text in self.expect(list, operation, operands) if type(text) is str]

    def expect_text(self, operation: str, operands: tuple[Any, ...]) -> str | None:
        """Like `expect`, for a text or None."""
        value = self.request(operation, operands)
        return value if type(value) is str else None

    @contextlib.contextmanager
    def _breaking(self) -> Iterator[None]:
        """Let a KernelError, or an interruption in the middle of a message, be the end of this
        kernel.
        """
        self._raise_if_broken()
        try:
            yield
        except BaseException as error:
            self._note_end(error)
            raise

    def _raise_if_broken(self) -> None:
        if self._broken is not None:
            raise type(self._broken)(str(self._broken))

    def _note_end(self, error: BaseException) -> None:
        """Note what an exception means for this kernel."""
        if isinstance(error, KernelError):
            self.out_of_time |= isinstance(error, OutOfTime)
            self._broken = error
            self.channel.close()
        elif not isinstance(error, Exception):
            # Half a message may have gone: the next would be read as its rest.
            self.close()

    # ------------------------------------------------------------------------- the trusted side of the conversation

    @property
    def _most(self) -> int:
        return 4 * (self.limits.output_bytes + self.limits.rich_bytes)

    def later(self, deadline: float, seconds: float) -> float:
        """Return a deadline put off, but never beyond the end of the submission's time."""
        return min(deadline + seconds, self._end)

    def hear(self, outputs: object) -> None:
        """Keep what the last operation printed and displayed."""
        self.last_outputs = check_outputs(outputs, self._most) if outputs != [] else []

    def release(self, numbers: list[int]) -> None:
        """Keep our functions: only the end of a test takes them away."""

    def forget_names(self, names: object) -> None:
        """Ask for names of the student's again that are bound anew."""
        if type(names) is not list or any(type(name) is not str for name in names):
            raise WireError("malformed message (names)")
        self.namespace.forget(names)

    def released(self) -> list[int]:
        """Return the numbers of the student's objects that nobody here holds any more."""
        numbers = list(self._unneeded)
        self._unneeded = set()
        return numbers

    def refer(self, value: object) -> list[Any]:
        """Refer to a student's object by its number, to a module by its name, to a function of ours
        by a number.
        """
        if isinstance(value, Handle):
            return [wire.STUDENTS, number_of_handle(value, self)]
        if isinstance(value, ModuleReference):
            return [wire.MODULE, value.name]
        if isinstance(value, types.ModuleType):
            return [wire.MODULE, value.__name__]
        if callable(value):
            return [wire.TRUSTED, self._number(value), str(getattr(value, "__name__", "function"))]
        raise CannotCross(f"an object of type {type(value).__name__}")

    def _number(self, function: Callable[..., Any]) -> int:
        # By identity: a test's function may have an `__eq__` of its own. There are a few at most.
        for number, known in self._functions.items():
            if known is function:
                return number
        self._count += 1
        self._functions[self._count] = function
        return self._count

    def resolve(self, tag: str, fields: list[Any]) -> object:
        """Return a handle for a student's object, a name for a module, the very function for one of
        ours.
        """
        kinds = list(map(type, fields))
        if tag == wire.STUDENTS and kinds == [int, str, str, str]:
            number = fields[0]
            handle = self._handles.get(number)
            if handle is None:
                if len(self._handles) >= MAX_HANDLES:
                    raise WireError("too many objects")
                handle = make_handle(self, *fields)
                self._handles[number] = handle
                # Told with the next question: asking from a finaliser would nest questions.
                weakref.finalize(handle, self._unneeded_now, number).atexit = False
            # Told again before its release was sent: the jail counts on it once more.
            self._unneeded.discard(number)
            return handle
        if tag == wire.MODULE and kinds == [str]:
            return ModuleReference(fields[0])
        if tag == wire.TRUSTED and kinds == [int, str]:
            # A student's code may have kept one beyond its test.
            return self._functions.get(fields[0], _withdrawn)
        raise WireError("malformed message (a reference)")

    def _unneeded_now(self, number: int) -> None:
        if number not in self._handles:
            self._unneeded.add(number)

    def perform(
        self, operation: str, operands: tuple[Any, ...], kwargs: dict[str, Any], seconds: float
    ) -> Any:
        """Call one of our own functions, which is all that the jail may ask for."""
        function = operands[0] if operands else None
        # The jail asks: whatever else it names must not be done here.
        if operation != "call" or not (
            function is _withdrawn or any(function is f for f in self._functions.values())
        ):
            raise WireError("malformed message (a question that may not be asked)")
        return function(*operands[1:], **kwargs)  # type: ignore[misc]

    def describe(self, error: BaseException) -> list[Any]:
        """Return an exception of a function of ours, without its traceback: that would show the
        test.
        """
        self._count += 1
        self._thrown = {**dict(list(self._thrown.items())[-MAX_THROWN:]), self._count: error}
        return [describe_exception(error), self._count, False]

    def remake(self, description: object) -> BaseException:
        """Return the student's exception; if a function of ours had raised it, that very
        exception.
        """
        if type(description) is not list or list(map(type, description[1:])) != [
            int,
            bool,
        ]:
            raise WireError("malformed message (an exception)")
        self.out_of_time |= description[2]
        ours = self._thrown.get(description[1])
        return remake_exception(description[0]) if ours is None else ours


def _no_end(stop: StopIteration) -> RuntimeError:
    """Return what stands for a StopIteration: that would end a test's `all(map(...))` as if all had
    been well.
    """
    error = RuntimeError("the student's code raised StopIteration")
    error.student_traceback = getattr(stop, "student_traceback", "")  # type: ignore[attr-defined]
    return error


def _withdrawn(*_: object, **__: object) -> None:
    raise RuntimeError("a function of a test can only be called while the test runs")


def _heed(watch: Callable[[], str | None]) -> None:
    reason = watch()
    if reason:
        raise KernelDied(reason)


def _student_error(error: tuple[object, ...]) -> StudentError:
    if list(map(type, error)) != [str, str, str]:
        raise WireError("malformed message (a cell's error)")
    return StudentError(*map(str, error))
