"""The process of the `autograder` command: it ends without tearing down what it has imported.

Python frees every object, one by one, before a process ends: a tenth of a second and more of a command that has graded,
and a tenth of all that `autograder --help` takes. The kernel frees them all at once.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading

from autograder.cli.application import run_app, wants_debugging
from autograder.cli.screens import err, out


def run_process() -> None:
    """Run the command line in a process that is its own, and end the process with its exit code."""
    code: str | int | None = None
    try:
        run_app()
    except SystemExit as ending:
        code = ending.code
    # A profiler, or what else runs the command to look at it, has its say after the interpreter's end.
    if not isinstance(code, str) and not wants_debugging() and _finish_work():
        os._exit((code or 0) & 0xFF)
    sys.exit(code)


def _finish_work() -> bool:
    """Do what the end of an interpreter does for others; return whether all went as it should.

    If not, that end is to say so, in its own words and with its own exit code.
    """
    # It would wait for the others.
    if threading.active_count() > 1:
        return False
    # Folders, processes and logs that somebody still has to put in order.
    atexit._run_exitfuncs()
    try:
        for stream in (out.file, err.file, sys.stdout, sys.stderr):
            stream.flush()
    # A stream that is closed, or full, or was never there.
    except (OSError, ValueError, AttributeError):
        return False
    return True
