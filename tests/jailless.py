"""A kernel without its jail: the worker in a forked process, its trusted end here. For tests of what they say."""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import os
import signal
import socket
import tempfile
import warnings
from collections.abc import Callable, Iterator

from IPython.core.interactiveshell import InteractiveShell

from autograder.grader.kernel import Kernel
from autograder.jail import worker
from autograder.jail.limits import Limits
from autograder.jail.shell import Shell


@functools.cache
def warm_shell() -> Shell:
    """Return the shell every kernel of this test run is forked with."""
    scratch = tempfile.TemporaryDirectory(prefix="warm-shell-")
    atexit.register(scratch.cleanup)
    os.environ.update(IPYTHONDIR=scratch.name, MPLCONFIGDIR=scratch.name)
    import matplotlib.pyplot  # noqa: F401 (the zygote imports what belongs to the course first, and that uses it)

    InteractiveShell.clear_instance()  # an earlier test may have run a reference solution in one
    return worker.warm_up()


@contextlib.contextmanager
def kernel(limits: Limits | None = None, watch: Callable[[], str | None] | None = None) -> Iterator[Kernel]:
    """Fork a worker, and end it when the context is left."""
    limits = limits or Limits(cell_seconds=20, call_seconds=20)
    shell = warm_shell()
    ours, theirs = socket.socketpair()
    with tempfile.TemporaryDirectory() as scratch:
        process = os.fork()
        if process == 0:
            try:
                ours.close()
                os.setsid()
                importlib.reload(warnings)  # pytest would record what the student is warned of
                os.chdir(scratch)
                os.environ["SOCKET_OF_THE_WORKER"] = str(theirs.fileno())  # spares tests of attacks the search for it
                worker.serve(theirs.detach(), shell, limits)
            finally:
                os._exit(1)
        theirs.close()
        kernel = Kernel(ours, limits, watch)
        try:
            yield kernel
        finally:
            kernel.close()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
