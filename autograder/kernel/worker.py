"""The process in the jail: runs the student's cells, and does with the student's objects what tests
ask for.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import getpass
import importlib
import os
import random
import socket
import sys
import threading
import time
import types
from collections.abc import Callable
from multiprocessing import context
from typing import Any, NoReturn

import numpy as np

from autograder.course.errors import KernelDied, WireError
from autograder.course.limits import Limits
from autograder.kernel import wire
from autograder.kernel.cell_remainder import may_be_fine_at_home, run_on
from autograder.kernel.channel import Channel
from autograder.kernel.exception_values import describe_exception, remake_exception, traceback_of
from autograder.kernel.exchange import Exchange
from autograder.kernel.jailed_objects import OPERATIONS, Objects
from autograder.kernel.output_recorder import Recorder
from autograder.kernel.shell import Shell, cell_error
from autograder.kernel.stopwatch import Stopwatch, TimeIsUp
from autograder.kernel.warming import warm_up

__all__ = ["Worker", "serve_kernel", "warm_up"]

# One for all, as equal notebooks get equal reports.
SEED = 0
_MISSING = object()
# Frames that a question to the other side takes.
_HEADROOM = 300
# For what stands below an error that no other machine would mend.
_REST_SECONDS = 5.0
# Calls within calls: without an end they would take all memory before they fail.
_DEEPEST = 20_000
_set_recursion_limit = sys.setrecursionlimit


class Worker(Exchange):
    """The jail's side of the conversation.

    Parameters
    ----------
    channel : Channel
        The connection to the trusted side.
    shell : Shell
        The shell that runs the cells.
    """

    answers_with = BaseException
    in_jail = True

    def __init__(self, channel: Channel, shell: Shell) -> None:
        super().__init__(channel)
        self.shell = shell
        self.recorder: Recorder = shell.recorder
        self.objects = Objects()
        self.stopwatch = Stopwatch()
        self._process = os.getpid()
        self._outputs: list[Any] = []
        self._lent: dict[int, Callable[..., Any]] = {}
        self._thrown: dict[int, BaseException] = {}
        # Whether the operation just ended was ended by the clock alone.
        self._by_clock = False
        shell.before_traceback = self.stopwatch.stop
        self._operations: dict[str, Callable[..., Any]] = {
            **OPERATIONS,
            "get": self._get,
            "has": lambda name: name in self.shell.user_ns,
            "names": lambda: [name for name in self.shell.user_ns if type(name) is str],
            "lend": self._lend,
            "give back": self._give_back,
            "bind": self._bind,
            "inside test": functools.partial(shell.inside_tests.run, self.stopwatch),
        }
        self._kept: list[dict[str, object]] = []
        # What the other side knows under which name.
        self._remembered: dict[str, object] = {}

    def run(self) -> NoReturn:
        """Answer until the trusted side is gone."""
        while True:
            self.answer_next()

    def perform(
        self, operation: str, operands: tuple[Any, ...], kwargs: dict[str, Any], seconds: float
    ) -> Any:
        """Run a cell, or an operation on the student's names and objects, within its time."""
        if operation == "cell":
            source, goes_on, draw = operands
            self._draw_figures(bool(draw))
            return self._run_cell(source, seconds, goes_on=bool(goes_on))
        # A function that leaves figures open would have them shown below the next cell.
        figures = _open_figures()
        # Not `fresh_page`, which is a generator: this is on the way of every call.
        before = self.recorder.turn_page()
        page = self.recorder.page
        limit = self.stopwatch.limit(seconds)
        try:
            with limit:
                return self._operations[operation](*operands, **kwargs)
        except TimeIsUp as stop:
            self._by_clock = limit.by_clock
            late = TimeoutError(f"it took longer than {seconds:g} seconds and was stopped")
            raise late.with_traceback(stop.__traceback__) from None
        finally:
            try:
                self._end_if_forked()
                _close_figures(figures)
                self.recorder.drain()
                self._outputs = page.finished()
            finally:
                self.recorder.page = before

    def hear(self, outputs: object) -> None:
        """Take nothing: what functions of a test print is not for the student."""

    def forget_names(self, names: object) -> None:
        """Remember nothing of the other side's: its names are no business of the jail."""

    def outputs(self) -> list[Any]:
        """Return what the last operation printed and displayed."""
        outputs = self._outputs
        self._outputs = []
        return outputs

    def _run_cell(self, source: str, seconds: float, *, goes_on: bool) -> list[Any]:
        began = time.monotonic()
        used = time.process_time()
        with self.recorder.fresh_page() as page:
            limit = self.stopwatch.limit(seconds)
            error: BaseException | None
            self.shell.shown_error = None
            try:
                with limit:
                    ran = self.shell.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
                error = ran.error_before_exec or ran.error_in_exec
                # Magics that time or capture a cell swallow its error.
                if error is None and source.lstrip().startswith("%%"):
                    error = self.shell.shown_error
            except BaseException as escaped:
                error = escaped
                self.shell.showtraceback()
            self._end_if_forked()
            expired = limit.expired
            by_clock = limit.by_clock
            if error is not None and goes_on and not expired:
                expired = self._run_on(source, error, seconds - (time.process_time() - used))
            self.recorder.drain()
            outputs = page.finished()
        ids = [[index, name] for index, name in page.ids.items()]
        took = time.monotonic() - began
        shown = None if error is None else cell_error(error)
        return [outputs, ids, page.updates, shown, took, expired, by_clock]

    def _run_on(self, source: str, error: BaseException, seconds: float) -> bool:
        """Run what stands below a cell's error; return whether that was stopped at the end of the
        cell's time.
        """
        # What fails at home as well is not owed the rest of the cell's time.
        fine = may_be_fine_at_home(error)
        limit = self.stopwatch.limit(max(seconds if fine else min(seconds, _REST_SECONDS), 0.01))
        try:
            with limit:
                run_on(self.shell, source, error)
                self.shell.events.trigger("post_execute")
        except BaseException:
            # The time is up, or the code ends itself: the cell's first error has been told.
            pass
        self._end_if_forked()
        return limit.expired and fine

    def _bind(self, source: str) -> None:
        """Run statements of the course's own, each by itself, and tell of no error."""
        for node in ast.parse(source).body:
            with contextlib.suppress(Exception):
                exec(
                    compile(ast.Module([node], []), "<the course's own>", "exec"),
                    self.shell.user_ns,
                )

    def _end_if_forked(self) -> None:
        # A process that the student forked and that came back from its cell would answer too.
        if os.getpid() != self._process:
            os._exit(0)

    def _draw_figures(self, wanted: bool) -> None:
        """Have figures drawn when they are displayed, or their words kept only: drawing can outlast
        all the rest.
        """
        formatter = self.shell.display_formatter
        assert formatter is not None
        formatter.active_types = formatter.format_types if wanted else ["text/plain"]

    def _get(self, name: str) -> Any:
        try:
            value = self.shell.user_ns[name]
        except KeyError:
            raise NameError(f"name {name!r} is not defined", name=name) from None
        if callable(value):
            self._remembered[name] = value
        return value

    def find_rebound_names(self) -> list[str]:
        """Return the names, of those that were asked for, that do not stand for the same function
        any more.
        """
        names = self.shell.user_ns
        rebound = []
        for name, value in self._remembered.items():
            if names.get(name, _MISSING) is not value:
                rebound.append(name)
        for name in rebound:
            del self._remembered[name]
        return rebound

    # ------------------------------------------------------------------------------------------------- references

    def refer(self, value: object) -> list[Any]:
        """Refer to a module by name, to a lent function by its number, to anything else as an
        object of ours.
        """
        if type(value) is types.ModuleType:
            return [wire.MODULE, value.__name__]
        number = getattr(value, "__lent__", None) if type(value) is types.FunctionType else None
        if type(number) is int and self._lent.get(number) is value:
            return [wire.TRUSTED, number, ""]
        return self.objects.refer(value)

    def resolve(self, tag: str, fields: list[Any]) -> object:
        """Return the object, module, function or generator that the trusted side refers to."""
        if tag == wire.STUDENTS:
            return self.objects.find(fields[0])
        if tag == wire.TRUSTED:
            return self._callback(*fields)
        return importlib.import_module(fields[0])

    def release(self, numbers: list[int]) -> None:
        """Forget objects that are not held outside any more."""
        self.objects.release(numbers)

    # -------------------------------------------------------------------------------------- functions of the tests

    def _callback(self, number: int, name: str) -> Callable[..., Any]:
        """Return the function that stands for a trusted one: called, it asks the trusted side."""
        # One function for one number: a test may compare what it gets back by identity.
        if number not in self._lent:

            def function(*args: Any, **kwargs: Any) -> Any:
                return self._call_outside(function, args, kwargs)

            function.__name__ = function.__qualname__ = name
            function.__doc__ = None
            function.__lent__ = number  # type: ignore[attr-defined]
            self._lent[number] = function
        return self._lent[number]

    def _call_outside(self, function: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if (
            os.getpid() != self._process
            or threading.current_thread() is not threading.main_thread()
        ):
            raise RuntimeError(
                "a function of the test can only be called from the notebook's main thread"
            )
        if not self._nesting:
            raise RuntimeError("a function of the test can only be called while the test runs")
        # The test's own time is not the student's.
        remaining = self.stopwatch.pause()
        depth = sys.getrecursionlimit()
        # Too deep a recursion must not end in the middle of a message.
        _set_recursion_limit(depth + _HEADROOM)
        try:
            return self.ask("call", (function, *args), kwargs)
        finally:
            _set_recursion_limit(depth)
            self.stopwatch.go_on(remaining)

    def _lend(self, functions: dict[str, Any]) -> None:
        names = self.shell.user_ns
        self._kept.append({name: names.get(name, _MISSING) for name in functions})
        names.update(functions)

    def _give_back(self) -> None:
        for name, value in self._kept.pop().items():
            if value is _MISSING:
                self.shell.user_ns.pop(name, None)
            else:
                self.shell.user_ns[name] = value

    # -------------------------------------------------------------------------------------------------- exceptions

    def describe(self, error: BaseException) -> list[Any]:
        """Return an exception in plain values; one that a function of the test raised goes back by
        its number.
        """
        # By identity: it may come back to its test through the student's frames.
        number = next((number for number, thrown in self._thrown.items() if thrown is error), 0)
        by_clock = self._by_clock
        self._by_clock = False
        return [
            describe_exception(error, traceback_of(error, error.__traceback__)),
            number,
            by_clock,
        ]

    def remake(self, description: object) -> BaseException:
        """Return the exception that a function of the test raised, and remember whose it is."""
        if type(description) is not list or len(description) != 3:
            raise WireError("malformed message (an exception)")
        error = remake_exception(description[0])
        number = description[1]
        self._thrown = {**dict(list(self._thrown.items())[-100:]), number: error}
        return error


def _open_figures() -> set[int]:
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    return set(helpers.Gcf.figs) if helpers is not None else set()


def _close_figures(before: set[int]) -> None:
    """Close the figures a call has opened, before the next cell would show them."""
    for number in _open_figures() - before:
        sys.modules["matplotlib.pyplot"].close(number)


def serve_kernel(fd: int, shell: Shell, limits: Limits) -> NoReturn:
    """Answer the trusted side on a connected socket until it closes; never returns.

    Parameters
    ----------
    fd : int
        Descriptor of this end of the connection.
    shell : Shell
        What `warm_up` returned in the parent of this process.
    limits : Limits
        How much output is kept.
    """
    try:
        # A program that the notebook starts must not hold the grader's line.
        os.set_inheritable(fd, False)
        shell.recorder.limits = limits.output_bytes, limits.rich_bytes
        shell.recorder.capture_descriptors()
        _settle(shell)
        worker = Worker(Channel(socket.socket(fileno=fd)), shell)
        worker.stopwatch.install()
        # Two processes on one line would answer each other's questions.
        os.register_at_fork(after_in_child=worker.channel.close)
        worker.run()
    except KernelDied:
        os._exit(0)
    except BaseException:
        os._exit(1)


def _settle(shell: Shell) -> None:
    """Make this process an ordinary kernel of its own."""
    sys.path[:0] = [""]
    # All submissions are forks of one process and would go on from its state.
    np.random.seed(SEED)
    random.seed(SEED)
    os.environ.update(
        PIP_NO_INDEX="1", PIP_RETRIES="0", PIP_DISABLE_PIP_VERSION_CHECK="1", PAGER="cat"
    )
    sys.setrecursionlimit = _limit_recursion
    _start_processes_by_forking(shell)
    builtins.input = _no_input
    getpass.getpass = _no_input  # type: ignore[assignment]


def _start_processes_by_forking(shell: Shell) -> None:
    """Let every way of `multiprocessing` fork: a fresh interpreter would not find what a notebook
    defines.
    """
    contexts = context._concrete_contexts  # type: ignore[attr-defined]
    contexts.update(spawn=contexts["fork"], forkserver=contexts["fork"])
    context._default_context._default_context = contexts["fork"]  # type: ignore[attr-defined]
    # Asked for by whoever starts a fresh interpreter.
    shell.user_ns["__spec__"] = None


def _limit_recursion(limit: int, /) -> None:
    _set_recursion_limit(min(limit, _DEEPEST))


def _no_input(prompt: object = "", *_: object) -> str:
    raise EOFError("input() has nobody to ask while a notebook is graded")
