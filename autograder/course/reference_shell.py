"""The IPython shell in which the cells of a source notebook run, apart from every other notebook."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

__all__ = ["WindowlessShell", "capture_output", "open_reference_shell"]

MODULE: Final = "reference"  # where functions and classes of a reference say they come from
KEPT_NAMES: Final = {"__name__", "get_ipython"}  # of those IPython gives every notebook


class WindowlessShell(InteractiveShell):
    """A shell that opens no window, whatever a cell asks for."""

    def enable_gui(self, gui: object = None) -> None:
        """Do nothing."""

    def enable_matplotlib(
        self, gui: object = None
    ) -> tuple[None, str]:  # also what only a browser could show
        """Draw into memory."""
        return None, "agg"

    def atexit_operations(self) -> None:
        """Do nothing."""


@contextlib.contextmanager
def open_reference_shell() -> Iterator[Any]:
    """Give a reference a shell that no other notebook shares, current while its cells run.

    What a source notebook may contain is thus the same in the grader, in an audit and in a Jupyter
    kernel, whatever these have done with IPython before; and they find their own shell and
    `__main__` again.
    """
    config = Config()
    config.HistoryManager.enabled = (
        False  # else a thread of its own writes the history, and forks would share it
    )
    current = InteractiveShell._instance
    namesake = sys.modules.get(MODULE)
    shell = WindowlessShell(config=config, user_module=ModuleType(MODULE), colors="nocolor")  # type: ignore[no-untyped-call]
    for name in shell.user_ns_hidden.keys() - KEPT_NAMES:
        shell.user_ns.pop(name, None)
    InteractiveShell._instance = shell  # type: ignore[assignment]
    try:
        yield shell
    finally:
        InteractiveShell._instance = current
        del sys.modules[MODULE]
        if namesake is not None:
            sys.modules[MODULE] = namesake
