"""A student's names as tests see them: values by value, functions to call, everything else at arm's
length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograder.kernel.handles import Call, FunctionProxy, Handle, rename_handle
from autograder.kernel.wire import CannotCross

if TYPE_CHECKING:
    from autograder.kernel.jailed_kernel import Kernel

__all__ = ["Call", "FunctionProxy", "Handle", "ModuleReference", "StudentNamespace"]


@dataclass(frozen=True)
class ModuleReference:
    """A module the student imported under some name."""

    name: str


class StudentNamespace:
    """The student's global names.

    Attributes
    ----------
    observer : callable or None
        Called with a Call after every call of a student's function.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._functions: dict[str, FunctionProxy] = {}
        self.observer: Callable[[Call], None] | None = None

    def __getitem__(self, name: str) -> Any:
        """Return the value of a name now.

        Raises
        ------
        NameError
            If the student has no such name.
        CannotCross
            If the value has no form outside the jail; the sentence says why.
        """
        known = self._functions.get(name)
        if known is not None:
            # It may have been found under another name meanwhile, and messages name it.
            rename_handle(known, name)
            return known
        try:
            value = self._kernel.request("get", (name,))
        except NameError:
            raise NameError(f"name {name!r} is not defined", name=name) from None
        except CannotCross as error:
            raise CannotCross(f"{name} is {error}") from None
        if isinstance(value, Handle):
            rename_handle(value, name)
            # Only what the jail remembers too: it says when such a name is bound anew.
            if isinstance(value, FunctionProxy):
                self._functions[name] = value
        return value

    def __contains__(self, name: object) -> bool:
        """Whether the student has a name."""
        return isinstance(name, str) and (
            name in self._functions or self._kernel.expect(bool, "has", (name,))
        )

    def forget(self, names: list[str]) -> None:
        """Ask for these names again when they are read: the student's code has bound them anew."""
        for name in names:
            self._functions.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the student's names."""
        return iter(self._kernel.expect_texts("names", ()))
