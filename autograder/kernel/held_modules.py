"""What a test relies on: kept from before a student's code ran, put back before the test runs.

A test that runs in the student's own process calls `isinstance`, `np.allclose` or `unittest`:
whoever replaced them, or the code within them, would be tested by themselves. Held are the
contents of modules, the attributes of their classes, and the code and the defaults of the
functions in both.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter, is_
from types import FunctionType, ModuleType
from typing import Any, Final

# Whole packages where the name ends with a dot, else single modules. Not held is what programs
# change by design: `sys`, `os`, `warnings`, `logging`, matplotlib.
HELD: Final = (
    *("builtins", "math", "cmath", "operator", "functools", "itertools", "inspect", "copy"),
    *("types", "contextlib", "random", "statistics", "fractions", "decimal", "datetime", "json"),
    *("re", "io", "ast", "tokenize", "hashlib", "collections", "doctest", "unittest", "unittest."),
    *("numpy", "numpy.linalg", "numpy.random", "numpy.testing", "numpy.testing._private.utils"),
    *("numpy._core", "numpy._core.", "numpy.lib.", "linecache"),
    # Where the notebooks of an exam import these, they are there before a student's code is.
    *("pandas", "pandas.testing", "pandas._testing", "pandas._testing.asserters"),
    *("pandas.core.generic", "pandas.core.base", "pandas.core.arraylike"),
    *("pytest", "_pytest.python_api", "_pytest.raises", "_pytest.outcomes"),
    *("IPython.core.inputtransformer2", "autograder.marking", "autograder.checks"),
)
# Their classes are not looked through: there are many, and no test compares by them.
CLASSES_LEFT: Final = frozenset({"ast", "re", "tokenize", "inspect", "io", "types", "hashlib"})
# Of builtins: IPython and the jail change them.
FREE: Final = frozenset({"input", "_", "__loader__", "__spec__"})
_MISSING: Final = object()


class HeldModules:
    """The modules that are there now, as they are now."""

    def __init__(self) -> None:
        self._modules: dict[str, tuple[ModuleType, _Contents]] = {}
        self._classes: dict[type, _Contents] = {}
        self._instances: list[Any] = []
        # A dictionary for a set that keeps its order: what is put back is the same each time.
        functions: dict[FunctionType, None] = {}
        for name, module in sorted(sys.modules.items()):
            if isinstance(module, ModuleType) and _is_held(name):
                contents: dict[str, Any] = {}
                for key, value in vars(module).items():
                    # None is a place that the module itself fills when it is first used.
                    if key not in FREE and value is not None:
                        contents[key] = value
                self._modules[name] = (module, _Contents(contents))
                functions |= dict.fromkeys(self._hold_values(contents.values()))
        self._functions = tuple(functions)
        self._of_functions = tuple(
            (name, tuple(map(attrgetter(name), self._functions))) for name in OF_FUNCTIONS
        )

    def _hold_values(self, values: Iterable[Any]) -> Iterator[FunctionType]:
        """Hold classes among the values, and yield the functions among them and in the classes."""
        for value in values:
            if isinstance(value, FunctionType):
                yield value
            elif isinstance(value, type) and value not in self._classes and _can_be_changed(value):
                self._classes[value] = _Contents(dict(vars(value)))
                yield from _functions_of(value)
            elif _is_of_unittest(value):
                # The loader that everybody shares: it, too, has attributes.
                self._instances.append(value)
            elif isinstance(getattr(value, "_implementation", None), FunctionType):
                # What is behind `np.allclose` and its like.
                yield value._implementation

    def put_back(self) -> set[str]:
        """Make everything what it was; return the names that stood for something else."""
        changed: set[str] = set()
        for name, (module, contents) in self._modules.items():
            # A test that imports it must not get the student's.
            if sys.modules.get(name) is not module:
                sys.modules[name] = module
                changed.add(name)
            found = module.__dict__
            for key, value in contents.differing(found):
                found[key] = value
                changed.add(key)
        for kind, contents in self._classes.items():
            changed |= _put_class_back(kind, contents)
        for instance in self._instances:
            changed |= _uncover_methods(instance)
        for name, values in self._of_functions:
            found_now = map(attrgetter(name), self._functions)
            if all(map(is_, found_now, values)):
                continue
            changed.add(name)
            for function, value in zip(self._functions, values, strict=True):
                setattr(function, name, value)
        return changed


class _Contents:
    """Names and their values, compared as fast as Python can: it is done for every test."""

    def __init__(self, contents: Mapping[str, Any]) -> None:
        self._names = tuple(contents)
        self._values = tuple(contents.values())

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def differing(self, found: Mapping[str, Any]) -> list[tuple[str, Any]]:
        """Return the names, with their values, that have another value now or none."""
        if all(map(is_, map(found.get, self._names), self._values)):
            return []
        differing = []
        for name, value in zip(self._names, self._values, strict=True):
            if found.get(name, _MISSING) is not value:
                differing.append((name, value))
        return differing


OF_FUNCTIONS: Final = ("__code__", "__defaults__", "__kwdefaults__")
# Of a class's flags: it was made by a class statement. Python refuses changes of all others.
_HEAP_TYPE: Final = 1 << 9
# Of a class, when they are first asked for.
MADE_BY_PYTHON: Final = frozenset({"__annotations__", "__weakref__", "__dict__"})


def _is_held(name: str) -> bool:
    return name in HELD or any(
        name.startswith(package) for package in HELD if package.endswith(".")
    )


def _functions_of(kind: type) -> Iterator[FunctionType]:
    for value in vars(kind).values():
        plain = getattr(value, "__func__", value)  # of a static or a class method
        if isinstance(plain, FunctionType):
            yield plain


def _can_be_changed(kind: type) -> bool:
    module = getattr(kind, "__module__", "") or ""
    held = _is_held(module) and module not in CLASSES_LEFT
    return held and bool(kind.__flags__ & _HEAP_TYPE)


def _put_class_back(kind: type, contents: _Contents) -> set[str]:
    changed: set[str] = set()
    found = vars(kind)
    # What was added may hide what a base class has, an `__eq__` for instance. Whatever else was
    # added is left: courses give unittest.TestCase an assertion, and pandas an accessor.
    if len(found) != len(contents):
        for name in [name for name in found if name not in contents]:
            if not _is_of_base(kind, name) or name in MADE_BY_PYTHON:
                continue
            type.__delattr__(kind, name)
            changed.add(name)
    for name, value in contents.differing(found):
        type.__setattr__(kind, name, value)
        changed.add(name)
    return changed


def _is_of_unittest(value: Any) -> bool:
    return type(value).__module__.startswith("unittest.loader") and hasattr(value, "__dict__")


def _is_of_base(kind: type, name: str) -> bool:
    """Whether a base class has an attribute, or Python itself asks classes for it."""
    if name.startswith("__") and name.endswith("__"):
        return True
    return any(name in vars(base) for base in kind.__mro__[1:])


def _uncover_methods(instance: Any) -> set[str]:
    """Delete what an object has in the place of its class's methods; return the names."""
    hidden: set[str] = set()
    for name in vars(instance):
        if callable(getattr(type(instance), name, None)):
            hidden.add(name)
    for name in hidden:
        del vars(instance)[name]
    return hidden
