"""The command line: `main` runs it. `command_table` names every command and the module that holds
its code.
"""

from __future__ import annotations

from autograder.cli.application import run_app as main

__all__ = ["main"]
