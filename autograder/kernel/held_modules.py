"""What a test relies on, kept from before any code of a student's ran, and put back before the test runs.

A test that runs in the student's own process calls `isinstance`, `np.allclose` or `unittest`:
whoever replaced them, or the code within them, would be tested by themselves. Held are the
contents of modules, the attributes of their classes, and the code and the defaults of the
functions in both.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any, Final

# Whole packages where the name ends with a dot, else single modules. Not held is what programs
# change by design: `sys`, `os`, `warnings`, `logging`, matplotlib.
HELD: Final = (
    *("builtins", "math", "cmath", "operator", "functools", "itertools", "inspect", "copy", "types", "contextlib"),
    *("random", "statistics", "fractions", "decimal", "numbers", "hashlib", "ast", "dis", "tokenize", "string"),
    *("io", "re", "json", "json.", "collections", "collections.", "abc", "enum", "dataclasses", "typing", "textwrap"),
    *("pprint", "difflib", "datetime", "unittest", "unittest.", "numpy", "numpy.linalg", "numpy.random", "numpy.ma"),
    *("numpy.ma.core", "numpy.fft", "numpy.polynomial", "numpy.testing", "numpy.testing.", "numpy._core."),
    *("IPython.core.inputtransformer2", "autograder.marking", "autograder.checks"),
)
FREE: Final = frozenset({"input", "_", "__loader__", "__spec__"})  # of builtins: IPython and the jail change them
_MISSING: Final = object()


class HeldModules:
    """The modules that are there now, as they are now."""

    def __init__(self) -> None:
        self._modules: dict[str, tuple[ModuleType, dict[str, Any]]] = {}
        self._classes: dict[type, dict[str, Any]] = {}
        self._functions: dict[FunctionType, tuple[Any, Any, Any]] = {}
        for name, module in sorted(sys.modules.items()):
            if isinstance(module, ModuleType) and _is_held(name):
                self._hold(name, module)

    def _hold(self, name: str, module: ModuleType) -> None:
        contents = {key: value for key, value in vars(module).items() if key not in FREE}
        self._modules[name] = (module, contents)
        for value in contents.values():
            if isinstance(value, FunctionType):
                self._hold_function(value)
            elif isinstance(value, type) and _is_held(getattr(value, "__module__", "") or ""):
                self._hold_class(value)

    def _hold_class(self, kind: type) -> None:
        if kind in self._classes or not kind.__flags__ & _HEAP_TYPE:  # no other can be changed
            return
        self._classes[kind] = dict(vars(kind))
        for function in _functions_of(kind):
            self._hold_function(function)

    def _hold_function(self, function: FunctionType) -> None:
        self._functions[function] = (function.__code__, function.__defaults__, function.__kwdefaults__)

    def put_back(self) -> bool:
        """Make everything what it was; return whether anything was something else."""
        changed = False
        for name, (module, contents) in self._modules.items():
            if sys.modules.get(name) is not module:
                sys.modules[name] = module
                changed = True
            found = module.__dict__
            for key, value in contents.items():
                if found.get(key, _MISSING) is not value:
                    found[key] = value
                    changed = True
        for kind, attributes in self._classes.items():
            changed |= _put_class_back(kind, attributes)
        for function, held in self._functions.items():
            code, defaults, keyword_defaults = held
            if function.__code__ is not code:
                function.__code__ = code
                changed = True
            if function.__defaults__ is not defaults:
                function.__defaults__ = defaults
                changed = True
            if function.__kwdefaults__ is not keyword_defaults:
                function.__kwdefaults__ = keyword_defaults
                changed = True
        return changed


_HEAP_TYPE: Final = 1 << 9  # of a class's flags: it was made by a class statement


def _is_held(name: str) -> bool:
    return name in HELD or any(name.startswith(package) for package in HELD if package.endswith("."))


def _functions_of(kind: type) -> Iterator[FunctionType]:
    for value in vars(kind).values():
        plain = getattr(value, "__func__", value)  # of a static or a class method
        if isinstance(plain, FunctionType):
            yield plain


def _put_class_back(kind: type, attributes: dict[str, Any]) -> bool:
    changed = False
    found = vars(kind)
    for name in [name for name in found if name not in attributes]:
        if name.startswith("_abc") or name in ("__annotations__", "__weakref__", "__dict__"):
            continue  # Python's own, made when they are first asked for
        type.__delattr__(kind, name)
        changed = True
    for name, value in attributes.items():
        if found.get(name, _MISSING) is not value:
            type.__setattr__(kind, name, value)
            changed = True
    return changed
