"""The frame of the command line: the application, and the one place where errors become exit codes.

Errors, a missing module among them, become one line and an exit code: 0 done, 1 the work is wrong or something could
not be graded, 2 wrong usage or configuration.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Annotated, Any, TextIO

# Before numpy is imported anywhere: one process per core saturates the machine, threads only fight
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import typer
import typer.main
from typer.core import TyperGroup

from autograder.cli.command_table import COMMANDS, CommandEntry
from autograder.cli.screens import out, print_error, print_line
from autograder.course.errors import STEPS, AutograderError, DiskFailed, Interrupted

STUDENTS_MODULES = {
    "IPython",
    "ipykernel",
    "jupyter_client",
    "matplotlib",
    "nbclient",
    "nbformat",
    "numpy",
    "sklearn",
}
SERVER_PAGES = ("assignment_list", "course_list", "formgrader", "validate_assignment")
# What Python itself has on Linux alone: no package would bring it
LINUX_MODULES = {"fcntl", "grp", "pwd", "resource"}


class LazyCommands(Mapping[str, Any]):
    """The commands by name; the module of one is loaded when it is asked for."""

    def __init__(self, entries: Iterator[CommandEntry]) -> None:
        self._entries = {entry.name: entry for entry in entries}

    def __getitem__(self, name: str) -> Any:
        """Return a command, ready to be called."""
        entry = self._entries[name]
        module = importlib.import_module(f"autograder.cli.{entry.module}")
        target = getattr(module, entry.function)
        if isinstance(target, typer.Typer):
            return typer.main.get_command(target)
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(entry.name)(target)
        return typer.main.get_command(single)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


class CommandGroup(TyperGroup):
    """All commands, of which only the one that is called is loaded."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # typer wants a dictionary; a mapping that loads what is asked for does all that is asked of one
        commands: Any = LazyCommands(iter(COMMANDS))
        self.commands = commands

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands under their headings, from the table alone."""
        widest = max(len(entry.name) for entry in COMMANDS)
        for group in dict.fromkeys(entry.group for entry in COMMANDS):
            rows = []
            for entry in COMMANDS:
                if entry.group == group:
                    rows.append((entry.name.ljust(widest), entry.summary))
            with formatter.section(group):
                formatter.write_dl(rows)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that is meant; an interrupt becomes an error before typer makes an exit
        code of its own.
        """
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("interrupted; run the same command again to go on") from None


app = typer.Typer(
    cls=CommandGroup,
    help="A course repository that grades itself.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    # Its tracebacks can show local variables, hidden tests and tokens among them.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def print_version(wanted: bool) -> None:
    """Print which version this is, and end."""
    if not wanted:
        return
    # Not at the top: it brings the parser of mails, for which every command would wait.
    from importlib import metadata

    try:
        print_line(f"autograder {metadata.version('autograder')}")
    except metadata.PackageNotFoundError:
        print_line("autograder, run from its folder without being installed")
    raise typer.Exit


@app.callback()
def read_options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=print_version, is_eager=True, help="Print the version, and end."
        ),
    ] = False,
) -> None:
    """A course repository that grades itself."""


def leave_out_grammars() -> None:
    """Let this process go without the grammars that jsonschema compiles as soon as it is imported.

    nbformat and nbgrader import it. The grammars are for a check of internationalised addresses, which no notebook
    needs, and take more than a second of the processor. Without their package jsonschema leaves that check out.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def leave_out_server_pages() -> None:
    """Let this process go without nbgrader's pages for a Jupyter server, formgrader among them.

    nbgrader imports them as soon as it is imported, and with them nbconvert and the server: half a second of the
    processor that every push would cost. A Jupyter server, whose pages they are, is never this process.
    """
    for page in SERVER_PAGES:
        name = f"nbgrader.server_extensions.{page}"
        empty = ModuleType(name)
        vars(empty)["load_jupyter_server_extension"] = None
        sys.modules.setdefault(name, empty)


def run_app() -> None:
    """Run the command line and exit with its code."""
    leave_out_grammars()
    leave_out_server_pages()
    debug = wants_debugging()
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A Windows console of the old kind knows no ✓
            stream.reconfigure(errors="replace")
    # Before a command is loaded: its imports may print, too
    if "--json" in arguments:
        out.file = keep_stdout_for_answer()
    try:
        app(args=arguments, prog_name="autograder")
    # What a person can put right is one line; a fault of ours, whatever it raises, shows where it is
    except AutograderError as error:
        if debug:
            raise
        print_error(f"autograder: {error}")
        sys.exit(error.exit_code)
    except OSError as error:
        if debug or error.errno not in STEPS:
            raise
        place = error.filename or "a file that is written"
        print_error(f"autograder: {DiskFailed.at(place, error)}")
        sys.exit(2)
    except ModuleNotFoundError as error:
        # A module of ours that is missing is a fault of ours, which no pip puts right.
        if debug or (error.name or "autograder").startswith("autograder"):
            raise
        print_error(f"autograder: {_say_how_to_install(error.name or '')}")
        sys.exit(2)


def wants_debugging() -> bool:
    """Whether errors are wanted with their traceback."""
    return "--debug" in sys.argv


def keep_stdout_for_answer() -> TextIO:
    """Return the standard output for what a program will read; all else that is printed goes to
    standard error.

    A test, a known mistake or a library may print whatever it likes, from C and from other processes, too.
    """
    # By its number, not as sys.stdout: what is written from C, or by a process that is started, knows only that
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
    sys.stdout.flush()
    os.dup2(2, 1)
    return answer


def _say_how_to_install(module: str) -> str:
    """Say how to get a module that a command misses."""
    if module.partition(".")[0] in STUDENTS_MODULES:
        return f"{module} is not installed; in the folder of the course: pip install -r requirements.txt"
    if module in LINUX_MODULES:
        return "this command is for instructors and works on Linux"
    extra = "similar" if module == "copydetect" else "grader"
    return f'this command is for instructors and needs {module}; to have it: pip install -e ".[{extra}]"'
