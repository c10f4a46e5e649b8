"""The frame of the command line: the application, its options, and the one place where errors become exit codes.

Errors, a missing module among them, become one line and an exit code: 0 done, 1 the work is wrong or something could
not be graded, 2 wrong usage or configuration.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one process per core saturates the machine; threads only fight

import typer
from rich.console import Console
from typer.core import TyperGroup

from autograder.course.errors import STEPS, AutograderError, DiskFailed, Interrupted

if TYPE_CHECKING:
    from autograder.classroom.classroom import Classroom


class Commands(TyperGroup):
    """The commands; an interrupt becomes an error like any other before typer makes an exit code of its own of it."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that is meant."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("interrupted; run the same command again to go on") from None


app = typer.Typer(
    cls=Commands,
    help="A course repository that grades itself. Students: start, check, update. Instructors: the other commands.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

STUDENTS = {"IPython", "ipykernel", "jupyter_client", "matplotlib", "nbclient", "nbformat", "numpy", "sklearn"}
LINUX = {"fcntl", "grp", "pwd", "resource"}

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The course's grading_config.py; default: here or in a folder above.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def leave_out_grammars() -> None:
    """Let this process go without the grammars that jsonschema compiles as soon as it is imported.

    nbformat and nbgrader import it. The grammars are for a check of internationalised addresses, which no notebook
    needs, and take more than a second of the processor. Without their package jsonschema leaves that check out.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def run_app() -> None:
    """Run the command line and exit with its code."""
    leave_out_grammars()
    debug = debugging()
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a Windows console of the old kind knows no ✓
    if "--json" in arguments:
        out.file = stdout_for_the_answer()
    try:
        app(args=arguments, prog_name="autograder")
    except AutograderError as error:
        if debug:
            raise
        err.print(f"autograder: {error}", style="red", markup=False)
        sys.exit(error.exit_code)
    except OSError as error:
        if debug or error.errno not in STEPS:
            raise
        place = error.filename or "a file that is written"
        err.print(f"autograder: {DiskFailed.at(place, error)}", style="red", markup=False)
        sys.exit(2)
    except ModuleNotFoundError as error:
        if debug or (error.name or "autograder").startswith("autograder"):
            raise
        err.print(f"autograder: {_how_to_get(error.name or '')}", style="red", markup=False)
        sys.exit(2)


def debugging() -> bool:
    """Whether errors are wanted with their traceback."""
    return "--debug" in sys.argv


def stdout_for_the_answer() -> TextIO:
    """Return the standard output for what a program will read; all else that is printed goes to standard error.

    A test, a known mistake or a library may print whatever it likes, from C and from other processes, too.
    """
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
    sys.stdout.flush()
    os.dup2(2, 1)
    return answer


def _how_to_get(module: str) -> str:
    """Say how to get a module that a command misses."""
    if module.partition(".")[0] in STUDENTS:
        return f"{module} is not installed; in the folder of the course: pip install -r requirements.txt"
    if module in LINUX:
        return "this command is for instructors and works on Linux"
    return f'this command is for instructors and needs {module}; to have it: pip install -e ".[grader]"'


def open_classroom(config: Path | None) -> Classroom:
    """Open the course of a configuration file, or of the folder we are in."""
    from autograder.classroom.classroom import Classroom
    from autograder.course.configuration import find_config

    return Classroom.open(config or find_config(Path.cwd()))


def config_here() -> Path | None:
    """Return the configuration of the course we are in, None outside of any."""
    from autograder.course.configuration import find_config

    try:
        return find_config(Path.cwd())
    except AutograderError:
        return None
