"""The jailed end of a test that needs the student's own objects.

It is run in the student's names, but not as a cell.

A test leaves no entry in `In` and `Out`, shows nothing, and is not seen by what the notebook
hooked into IPython. What Python, NumPy and unittest were before the student's code ran they are
again while it runs; nothing of the student's can trace it, and no other thread runs meanwhile.
Whoever finds and changes this very module, or reads the test from the frames of their caller, is
stopped by nothing: see docs/security.md.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import doctest
import inspect
import signal
import sys
import threading
import time
import tokenize
import unittest.mock  # noqa: F401  held from now on: a test may import it after the student did
from collections.abc import Callable, Collection, Iterator
from io import StringIO
from types import CodeType
from typing import Any, Final

import numpy as np
from IPython.core.async_helpers import _asyncio_runner
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.interactiveshell import InteractiveShell

from autograder.kernel.exception_values import describe_exception, traceback_of
from autograder.kernel.held_modules import HeldModules
from autograder.kernel.stopwatch import Stopwatch, TimeIsUp
from autograder.kernel.test_names import TestNames, is_pythons

FILENAME: Final = "<test>"
MAX_SHOWN: Final = 10_000  # characters of a value
FLAGS: Final = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
# Seconds until another thread may interrupt the test: it never does.
PATIENCE: Final = 1e4
# Seconds; more than the 5 ms that threads wait by Python's own default.
PAUSE: Final = 0.02
DISTURBED: Final = "the tested code changed Python's, NumPy's or unittest's own functions"
TRACING: Final = (
    "sys.settrace",
    "sys.setprofile",
    "sys.monitoring.register_callback",
    "sys.addaudithook",
)
SIGNALS: Final = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGVTALRM)
# What multiprocessing starts inherits this, and ends by SIGTERM: it must not be ignored.
ENDING_SIGNALS: Final = (signal.SIGHUP, signal.SIGTERM)


class InsideTests:
    """Runs tests in the names of a notebook; made before any code of a student's runs.

    Parameters
    ----------
    shell : InteractiveShell
        The notebook's shell.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._names: dict[str, Any] = shell.user_ns
        # IPython's own `open` hides Python's, and a mock of that, from the functions of a notebook.
        self._of_ipython = dict(self._names)
        # With it `display` and `get_ipython` are there, as while a cell runs.
        self._builtin_names = shell.builtin_trap
        self._formatter: Any = shell.display_formatter
        self._held = HeldModules()
        self._transform: Callable[[str], str] = TransformerManager().transform_cell  # type: ignore[no-untyped-call]
        self._of_tests: dict[str, Any] = {}
        self._running = False
        self._guarded = False
        # Kept as they are now: the student's code could replace them where they are found.
        self._compile = compile
        self._exec = exec
        self._eval = eval
        self._parse = ast.parse
        self._settrace = sys.settrace
        self._setprofile = sys.setprofile
        self._guard = sys.addaudithook
        self._set_signal = signal.signal
        self._set_timer = signal.setitimer
        self._switch_interval = sys.setswitchinterval
        self._get_switch_interval = sys.getswitchinterval
        self._frames = sys._current_frames
        self._sleep = time.sleep
        self._doctest_runs = doctest.DocTestRunner.run.__code__

    def run(
        self,
        stopwatch: Stopwatch,
        source: str,
        imports: str,
        free: list[str],
        kept: list[str],
        used: list[str],
    ) -> list[Any]:
        """Run a test cell and return how it ended.

        That is its number or None, the description of its error or None, the error's line, what a
        notebook would show as its value, and whether only the clock ended it.

        Parameters
        ----------
        stopwatch : Stopwatch
            Whose alarm has to go off in time, whatever the student did to the signal.
        imports : str
            The course's own imports: what they bind is theirs again.
        free : list of str
            Names of Python's own that the course makes or asks the student for, `sum` for instance.
        kept : list of str
            Names that only tests make: a later test finds what an earlier one made.
        used : list of str
            Names that the course's own functions use: of those, too, Python's are what they were.
        """
        with self._undisturbed(stopwatch):
            number = None
            shown = ""
            error = None
            try:
                with self._builtin_names:
                    tree = self._parse(self._transform(source), FILENAME)
                    imported = self._import(imports)
                    others = set(free).difference(imported).union(self._of_tests)
                    names = TestNames(tree, imported, others)
                    with self._all_formats(), self._without_shadows(names, free, used):
                        self._names.update(imported)
                        self._names.update(self._of_tests)
                        value = self._value_of(tree, source, names)
                        number = _as_number(value)
                        shown = _as_shown(value)
            except BaseException as raised:
                error = raised
            # Its signal in the middle of putting things back would leave half of them changed.
            stopwatch.stop()
            changed = self._held.put_back()
            # By the tested function, while it was being tested; what a test sets itself, it may.
            if error is None and changed and not changed <= _names_set_by(self._parse, source):
                error = RuntimeError(DISTURBED)
            for name in kept:
                if name in self._names:
                    self._of_tests[name] = self._names[name]
        if error is None:
            return [number, None, 0, shown, False]
        trace = error.__traceback__
        by_clock = False
        # That class is the jail's own, and means nothing to a test.
        if isinstance(error, TimeIsUp):
            by_clock = stopwatch.ended_by_clock
            error = TimeoutError("the test took too long and was stopped")
        described = describe_exception(error, traceback_of(error, trace))
        return [None, described, _line_of_test(trace), "", by_clock]

    def _value_of(self, tree: ast.Module, source: str, names: TestNames) -> object:
        """Run a test and return the value of its last expression, None if it shows none."""
        tree = names.place_names(tree)
        value: ast.expr | None = None
        if tree.body and isinstance(last := tree.body[-1], ast.Expr) and not ends_quietly(source):
            value = last.value
            tree.body.pop()
        code = self._compile(tree, FILENAME, "exec", FLAGS, True)
        self._run_code(names.fill_in(code))
        if value is None:
            return None
        code = self._compile(ast.Expression(value), FILENAME, "eval", FLAGS, True)
        return self._run_code(names.fill_in(code))

    def _run_code(self, code: CodeType) -> object:
        result = self._eval(code, self._names)
        if not code.co_flags & inspect.CO_COROUTINE:
            return result
        ended: list[object] = []

        async def run_to_its_end() -> None:
            ended.append(await result)

        _asyncio_runner(run_to_its_end())
        # Who replaced the loop may have thrown the test away unrun.
        if not ended:
            raise RuntimeError(DISTURBED)
        return ended[0]

    def _import(self, imports: str) -> dict[str, Any]:
        """Return what the course's imports bind."""
        found: dict[str, Any] = {"__name__": "__main__"}
        for statement in self._parse(imports).body:
            # A course may import what only some machines have; whoever needs it says so.
            with contextlib.suppress(Exception):
                self._exec(
                    self._compile(ast.Module([statement], []), FILENAME, "exec", 0, True), found
                )
        for name in ("__name__", "__builtins__"):
            found.pop(name, None)
        return found

    @contextlib.contextmanager
    def _all_formats(self) -> Iterator[None]:
        """Have objects shown as in a notebook: where no output is kept, cells show only words."""
        formatter = self._formatter
        before = formatter.active_types
        formatter.active_types = formatter.format_types
        try:
            yield
        finally:
            formatter.active_types = before

    @contextlib.contextmanager
    def _without_shadows(
        self, test_names: TestNames, free: Collection[str], used: Collection[str]
    ) -> Iterator[None]:
        """Have Python's names out of the way of which the test would take the notebook's."""
        names = self._names
        shadows = {}
        for name in list(names):
            if name in free or not is_pythons(name):
                continue
            is_ipythons = names[name] is self._of_ipython.get(name)
            if is_ipythons or name in used or test_names.is_in_the_way(name):
                shadows[name] = names.pop(name)
        # `exec` takes builtins from here, where a cell may have put its own.
        names["__builtins__"] = builtins
        try:
            yield
        finally:
            for name, value in shadows.items():
                names.setdefault(name, value)

    @contextlib.contextmanager
    def _undisturbed(self, stopwatch: Stopwatch) -> Iterator[None]:
        before = self._get_switch_interval()
        # First of all: another thread could undo what follows.
        self._switch_interval(PATIENCE)
        if len(self._frames()) > 1:
            # A thread that waits already does so with the interval of before.
            self._sleep(PAUSE)
        self._settrace(None)
        self._setprofile(None)
        threading.settrace(None)
        threading.setprofile(None)
        self._held.put_back()
        self._quiet_signals()
        stopwatch.install()
        if not self._guarded:
            self._guarded = True
            # Audit hooks cannot be taken away again: one is enough for all tests.
            self._guard(self._refuse_tracing)
        self._running = True
        try:
            yield
        finally:
            self._running = False
            self._switch_interval(before)

    def _refuse_tracing(self, event: str, _: object) -> None:
        if not self._running or event not in TRACING:
            return
        # A doctest puts back the tracing that it found: none, as was seen to before the test.
        caller = sys._getframe(1)
        if caller.f_code is self._doctest_runs and caller.f_locals.get("save_trace", 0) is None:
            return
        raise RuntimeError("nothing is traced while a test runs")

    def _quiet_signals(self) -> None:
        # The other two timers are the stopwatch's.
        self._set_timer(signal.ITIMER_VIRTUAL, 0)
        for number in SIGNALS:
            self._set_signal(number, signal.SIG_IGN)
        for number in ENDING_SIGNALS:
            self._set_signal(number, signal.SIG_DFL)


def ends_quietly(source: str) -> bool:
    """Whether a cell ends with a semicolon, comments aside: then it shows no value."""
    if ";" not in source:
        return False
    last = ""
    passed_over = (
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.ENDMARKER,
        tokenize.DEDENT,
    )
    try:
        for token in tokenize.generate_tokens(StringIO(source).readline):
            if token.type not in passed_over:
                last = token.string
    except (tokenize.TokenError, SyntaxError):
        # A line of IPython's own: no semicolon of Python's.
        return False
    return last == ";"


def _names_set_by(parse: Callable[[str], ast.Module], source: str) -> set[str]:
    """Return the attributes that a test sets by itself: `unittest.TestCase.maxDiff = None`."""
    try:
        tree = parse(source)
    except SyntaxError:  # a magic
        return set()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            names.add(node.attr)
    return names


def _as_number(value: object) -> float | None:
    """Return what is a number as one: as in nbgrader it is points. True and False are none."""
    if isinstance(value, bool | np.bool_):
        return None
    return float(value) if isinstance(value, int | float | np.integer | np.floating) else None


def _as_shown(value: object) -> str:
    """Return a value as the text below its cell; nothing is shown of None."""
    if value is None:
        return ""
    try:
        return repr(value)[:MAX_SHOWN]
    except Exception as error:  # of an object of the student's; a notebook shows that it failed
        return f"<{type(error).__name__} while it was to be shown>"


def _line_of_test(trace: Any) -> int:
    """Return the line of the test from which the error came, 0 where it has none."""
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILENAME:
            return int(trace.tb_lineno)
        trace = trace.tb_next
    return 0
