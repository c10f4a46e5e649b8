"""What a variant finds in the jail: registries to register with, and a reference to lean on.

The source of this module goes into the jail as text and runs there by itself, so it imports nothing of ours. There is
no reference in the jail, but there is the notebook: its solution cells, run once more in a namespace of their own,
are the reference.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def variant(
    text: str, function: str, name: str, solutions: Sequence[str], notebook: Mapping[str, Any]
) -> Any:
    """Run the source of a file of variants and return one of them.

    Parameters
    ----------
    text : str
        The source.
    function, name : str
        Which function it is a variant of, and the variant's name.
    solutions : sequence of str
        Sources of the solution cells.
    notebook : mapping of str to object
        The notebook's global names, as they come to be.

    Raises
    ------
    KeyError
        If there is no such variant.
    """
    # On the pretended module, since each cell executes the source of this one anew
    staged: dict[str, dict[tuple[str, str], Any]] = getattr(
        sys.modules.get("autograder.mistakes"), "staged", {}
    )
    # Cells share what was registered: functions of one family may share a class
    if text not in staged:
        variants = staged[text] = {}
        reference = Reference(solutions, notebook)
        registry = type("Registry", (_Registry,), {"variants": variants})
        _pretend(
            "autograder.mistakes",
            Mistakes=registry,
            Alternatives=registry,
            Shortcuts=registry,
            staged=staged,
        )
        # A file of variants may take it from either module, as in the trusted process
        _pretend("autograder.reference", reference_of=lambda assignment: reference)
        _pretend("autograder.marking", reference_of=lambda assignment: reference)
        exec(compile(text, "<variants>", "exec"), {"__name__": "variants"})
    return staged[text][function, name]


class Reference:
    """The solution cells' names as attributes; made when first asked, for then the notebook has all
    of its own.
    """

    def __init__(self, solutions: Sequence[str], notebook: Mapping[str, Any]) -> None:
        self._solutions = solutions
        self._names: dict[str, Any] = _Names(notebook)
        self._made = False

    def __getattr__(self, name: str) -> Any:
        """Return what the solution cells, or else the notebook, call by this name."""
        if not self._made:
            # Before the cells run: one of them may ask for a name itself
            self._made = True
            for source in self._solutions:
                exec(source, self._names)
        try:
            return self._names[name]
        except KeyError:
            raise AttributeError(name) from None


class _Names(dict[str, Any]):
    """Globals of the solution cells: their own names, then the notebook's."""

    def __init__(self, notebook: Mapping[str, Any]) -> None:
        super().__init__(__name__="reference")
        self._notebook = notebook

    def __missing__(self, name: str) -> Any:
        return self._notebook[name]


class _Registry:
    """Stands for `Mistakes`, `Alternatives` and `Shortcuts`."""

    variants: dict[tuple[str, str], Any]

    def __init__(self, assignment: str) -> None:
        self.assignment = assignment

    def of(
        self, *functions: str, hint: str = "", keeps: Sequence[int] = ()
    ) -> Callable[[Any], Any]:
        def add(variant: Any) -> Any:
            members = [variant] if len(functions) == 1 else variant()
            for function, member in zip(functions, members, strict=True):
                self.variants[function, variant.__name__] = member
            return variant

        return add

    def equivalent(self, *_: str, because: str) -> None:
        """Nothing to do here."""


def _pretend(module: str, **names: Any) -> None:
    """Let imports of a module of ours find these names."""
    parent = module.partition(".")[0]
    sys.modules.setdefault(parent, types.ModuleType(parent))
    made = types.ModuleType(module)
    made.__dict__.update(names)
    sys.modules[module] = made
