"""An IPython shell as the cells of a notebook expect it, made quiet, quick and fit for a jail."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from typing import Any, Final

from IPython.core import page
from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Any as AnyTrait
from traitlets import Type
from traitlets.config import Config

from autograder.kernel.exception_values import message_of, traceback_of
from autograder.kernel.inside_tests import InsideTests
from autograder.kernel.output_recorder import Recorder
from autograder.kernel.stopwatch import TimeIsUp

# There is no network: the attempt would take its time and print errors for nothing.
_INSTALLS: Final = re.compile(
    r"\b(pip[\d.]*|conda|mamba|uv|apt|apt-get)['\"]?\s+(-\S+\s+)*(pip\s+)?(un)?install\b|\beasy_install\b"
)
_NOTE: Final = (
    "[Nothing is installed while a notebook is graded: the course's packages are there.]\n"
)
_EXIT: Final = "[exit() has no effect while a notebook is graded.]\n"
_STOPPED: Final = "the cell took too long and was stopped"


class _Compiler(CachingCompiler):
    """Names the code of cells so that tracebacks can be read."""

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        return f"<cell {number}>"


class _Publisher(DisplayPublisher):
    """Hands what is displayed to the recorder."""

    def publish(
        self,
        data: Any,
        metadata: Any = None,
        *_: Any,
        transient: Any = None,
        update: bool = False,
        **__: Any,
    ) -> None:
        display_id = (transient or {}).get("display_id")
        assert isinstance(self.shell, Shell)
        recorder: Recorder = self.shell.recorder
        if update and display_id is not None:
            recorder.page.update(str(display_id), data, metadata)
        else:
            output = {"output_type": "display_data", "data": data, "metadata": metadata}
            recorder.page.add(output, None if display_id is None else str(display_id))

    def clear_output(self, wait: bool = False) -> None:
        assert isinstance(self.shell, Shell)
        self.shell.recorder.page.clear(wait)


class _ResultHook(DisplayHook):
    """Hands the value of a cell's last expression to the recorder."""

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        assert isinstance(self.shell, Shell)
        output = {"output_type": "execute_result", "execution_count": self.prompt_count}
        self.shell.recorder.page.add(output | {"data": format_dict, "metadata": md_dict})

    def log_output(self, format_dict: Any) -> None:
        pass

    def finish_displayhook(self) -> None:
        self._is_active = False


class Shell(InteractiveShell):
    """The shell of one jailed kernel.

    Attributes
    ----------
    recorder : Recorder
        Where outputs go.
    before_traceback : callable
        Called when a cell has raised, before anything is made of it.
    shown_error : BaseException or None
        What a traceback was shown of last: `%%time` shows an error and ends as if there had been
        none.
    inside_tests : InsideTests
        What runs tests in the notebook's names.
    """

    shown_error: BaseException | None = None
    inside_tests: InsideTests

    recorder = AnyTrait()
    before_traceback: Callable[[], None] = staticmethod(lambda: None)
    compiler_class = Type(_Compiler)
    displayhook_class = Type(_ResultHook)
    display_pub_class = Type(_Publisher)

    def init_io(self) -> None:
        """Leave the streams alone: the recorder replaces them."""

    def init_hooks(self) -> None:
        """Add our hooks: nobody reads pagers while a notebook is graded."""
        super().init_hooks()  # type: ignore[no-untyped-call]
        self.set_hook("show_in_pager", page.as_hook(lambda *_, **__: None), 99)  # type: ignore[no-untyped-call]

    def atexit_operations(self) -> None:
        """Do nothing: the process is killed in the end."""

    def enable_gui(self, gui: Any = None) -> None:
        """Do nothing: there is no screen."""

    def ask_exit(self) -> None:
        """Say that the notebook goes on."""
        self.recorder.write("stdout", _EXIT)

    @contextlib.contextmanager
    def _tee(self, channel: str) -> Iterator[None]:
        # IPython would keep a second copy of everything printed.
        yield

    def _format_exception_for_storage(self, *_: Any, **__: Any) -> dict[str, Any]:
        # Nor is anything kept of exceptions: formatting one in full takes longer than running the
        # cell.
        return {}

    def showtraceback(self, exc_tuple: Any = None, *_: Any, **__: Any) -> None:
        """Record the exception that just occurred, with a plain traceback of the student's own
        frames.
        """
        # The time limit must not strike while a traceback is written.
        self.before_traceback()
        try:
            error: BaseException = self._get_exc_info(exc_tuple)[1]  # type: ignore[no-untyped-call]
        except ValueError:
            # %tb before anything has failed.
            return
        self.shown_error = error
        name, message, text = cell_error(error)
        shown = {"ename": name, "evalue": message, "traceback": text.split("\n")}
        self.recorder.page.add({"output_type": "error"} | shown)

    def showsyntaxerror(self, *_: Any, **__: Any) -> None:
        """Record a cell's syntax error."""
        self.showtraceback()

    showindentationerror = showsyntaxerror

    def system_piped(self, cmd: str) -> None:
        """Run a shell command of a cell, and record what it prints."""
        command = self.var_expand(cmd, depth=1)  # type: ignore[no-untyped-call]
        if _INSTALLS.search(command):
            self.recorder.write("stdout", _NOTE)
            self.user_ns["_exit_code"] = 0
            return
        self.user_ns["_exit_code"] = run_command(command, self.recorder)

    system = system_piped


def cell_error(error: BaseException) -> tuple[str, str, str]:
    """Return the name, message and plain traceback of what a cell ended with."""
    trace = error.__traceback__
    if isinstance(error, TimeIsUp):
        error = TimeoutError(_STOPPED)
    usage = isinstance(error, UsageError)
    text = f"UsageError: {message_of(error)}" if usage else traceback_of(error, trace)
    return type(error).__name__, message_of(error), text.rstrip("\n")


def run_command(command: str, recorder: Recorder) -> int:
    """Run a command line in a shell, record what it prints as it comes, and return its exit code.

    Without a pseudo-terminal, which IPython's own way needs and a jail does not have.
    """
    process = subprocess.Popen(
        command,
        shell=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # A group of its own, so that all it has started can be killed together.
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        while piece := os.read(process.stdout.fileno(), 1 << 16):
            recorder.write("stdout", piece.decode("utf-8", "replace"))
        return process.wait()
    finally:
        process.stdout.close()
        # The time was up: what it started must not go on below the next cell.
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def make_shell(recorder: Recorder) -> Shell:
    """Return the shell of this process; its history is off, its tracebacks are plain."""
    config = Config()
    # It would write a file and start a thread, which no fork may have.
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.cache_size = 1000
    config.Completer.use_jedi = False
    shell: Shell = Shell.instance(config=config)
    shell.recorder = recorder
    # IPython's own look for the program first, or say to restart the kernel.
    for name in ("pip", "conda", "mamba", "uv"):
        shell.register_magic_function(_program(shell, name), "line", name)  # type: ignore[arg-type]
    return shell


def _program(shell: Shell, name: str) -> Callable[[str], None]:
    def run(line: str) -> None:
        shell.system(f"{name} {line}")

    return run
