"""A test cell run outside the jail, with the student's names as proxies."""

from __future__ import annotations

import ast
import asyncio
import builtins
import contextlib
import functools
import importlib
import inspect
import sys
from collections.abc import Mapping
from types import CodeType, ModuleType
from typing import Any

from autograder.course.cell_statements import replace_magics
from autograder.course.comparisons import NOTE, NOTED, add_notes, note_comparison
from autograder.course.exam import Exam
from autograder.grader.fetched_values import UNCHANGED, FetchedValues
from autograder.grader.needed_modules import imported_modules
from autograder.kernel.inside_tests import ends_quietly
from autograder.kernel.proxies import Handle, ModuleReference

LIBRARIES = frozenset({"autograder", "numpy", "scipy", "sklearn", "pandas", "unittest"})
FILENAME = "<test>"
_NOTHING = object()
_BUILTINS = vars(builtins)
FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class CellGlobals(dict[str, Any]):
    """The globals of a test cell: the tests' own names, then the student's, fetched when they are
    read.

    What the tests defined, Python's builtins, the reference's modules and what it imports from
    them come before anything of the student's: a notebook that rebinds `isinstance`, `np`,
    `assert_allclose` or a helper of an earlier test changes nothing here. An imported class is the
    student's all the same, for objects in the jail are its own.

    Parameters
    ----------
    tests : dict
        What earlier tests defined; `keep` adds to it.
    student : StudentNamespace or mapping
        The student's names.
    reference : mapping
        The reference's names.
    imported : set of str
        Names of the reference that are imported for everybody.
    reserved : set of str
        Names that tests define, earlier or later: none of them is ever the student's, unless the
        reference has it too.

    Attributes
    ----------
    fetched : FetchedValues
        What was fetched, and what calls have changed of it since.
    opaque : bool
        Whether something that was fetched is an object that has no form outside of the jail.
    """

    opaque = False

    def __init__(
        self,
        tests: dict[str, Any],
        student: Any,
        reference: Mapping[str, Any],
        imported: frozenset[str] = frozenset(),
        reserved: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(tests)
        self._tests = tests
        self._student = student
        self._reference = reference
        self._imported, self._reserved = imported & reference.keys(), reserved - reference.keys()
        self.fetched = FetchedValues()
        super().__setitem__("__builtins__", builtins)
        super().__setitem__("__name__", "test")
        super().__setitem__(NOTE, note_comparison)
        super().__setitem__(NOTED, True)

    def __missing__(self, name: str) -> Any:
        """Look a name up that no test defined."""
        known = self._reference.get(name)
        if isinstance(known, ModuleType) or (
            name in self._imported and not isinstance(known, type)
        ):
            return known
        # Else a student's own `isinstance` would judge their answer.
        if name in _BUILTINS and name not in self._reference:
            return _BUILTINS[name]
        if name == "get_ipython":
            return known
        if name in self._reserved:
            raise KeyError(name)
        changed = self.fetched.find_changed(name)
        if changed is not UNCHANGED:
            return changed
        try:
            value = self._student[name]
        except NameError:
            raise KeyError(name) from None
        if isinstance(value, Handle):
            self.opaque = self.opaque or type(value) is Handle
        else:
            self.fetched.add(name, value)
        return _trusted_module(value) if isinstance(value, ModuleReference) else value

    def __contains__(self, name: object) -> bool:
        """Whether there is such a name, a test's or the student's: `'x' not in globals()`."""
        if super().__contains__(name):
            return True
        return isinstance(name, str) and self.get(name, _NOTHING) is not _NOTHING

    def get(self, name: str, default: Any = None) -> Any:
        """Return what a name stands for, the student's too: dict's own would not ask for them."""
        try:
            return self[name]
        except KeyError:
            return default

    def keep(self) -> None:
        """Hand what this test defined to the tests after it."""
        for name, value in self.items():
            if not name.startswith("__"):  # these are made anew for each test
                self._tests[name] = value


def run_test_cell(source: str, names: CellGlobals) -> object:
    """Run a test cell and return the value of its last expression, None if it ends otherwise."""
    code, last = _compile_test(source)
    try:
        value = _run_code(code, names)
        return value if last is None else _run_code(last, names)
    finally:
        # Also of a test that failed: in a notebook, too, the tests below find what it made.
        names.keep()


@functools.lru_cache(maxsize=1_024)
def _compile_test(source: str) -> tuple[CodeType, CodeType | None]:
    """Return the code of a test cell, and that of its last expression if it shows a value.

    Writing notes into a test takes longer than most tests do, and every submission has the same.
    """
    try:
        tree = ast.parse(source, FILENAME)
    except SyntaxError:  # a magic
        tree = ast.parse(replace_magics(source), FILENAME)
    last: CodeType | None = None
    if tree.body and isinstance(end := tree.body[-1], ast.Expr) and not ends_quietly(source):
        expression = ast.Expression(end.value)
        last = compile(expression, FILENAME, "eval", FLAGS, dont_inherit=True)
        tree.body.pop()
    tree = add_notes(tree)
    return compile(tree, FILENAME, "exec", FLAGS, dont_inherit=True), last


def _run_code(code: CodeType, names: CellGlobals) -> object:
    """Run code that may use `await` as in a notebook."""
    result = eval(code, names)
    return asyncio.run(result) if code.co_flags & inspect.CO_COROUTINE else result


def import_for_tests(exam: Exam) -> None:
    """Import what the tests of an exam import, and compile them, once for all trials that are
    forked from this process.
    """
    names = {"numpy.testing"}  # `np.testing` imports it where it is first used
    for source in exam.tests.values():
        for name in imported_modules(source):
            # A course's own module is found in a folder of its own, which is not there yet.
            if name.partition(".")[0] in LIBRARIES:
                names.add(name)
        # One that cannot be compiled fails when it is tried, in the report of its exercise.
        with contextlib.suppress(SyntaxError, ValueError, RecursionError):
            _compile_test(source)
    for name in names:
        with contextlib.suppress(ImportError):  # the test itself will say so
            importlib.import_module(name)


def _trusted_module(value: ModuleReference) -> ModuleType:
    """Return our own module of the name the student imported, if it is loaded here."""
    module = sys.modules.get(value.name)
    if module is None:
        raise NameError(
            f"the module {value.name!r} is not available to tests; import it in the test"
        )
    return module
