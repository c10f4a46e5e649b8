"""What a command does not load as it starts: nobody should wait for what nobody needs."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata

from autograder.cli.command_table import COMMANDS

LOADED = """
import sys
from autograder.cli.application import leave_out_grammars

leave_out_grammars()
import nbformat.v4

nbformat.validate(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]))
try:
    nbformat.validate({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "pie"}]})
except nbformat.ValidationError:
    print("refused")
print(*sorted(name for name in sys.modules if name.startswith("rfc3987")))
"""


def test_notebooks_are_validated_without_grammars_for_addresses() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [
        "refused",
        "rfc3987_syntax",
    ]  # the name stands for "not installed"


CONVERTED = """
import sys
from autograder.cli.application import leave_out_grammars, leave_out_server_pages

leave_out_grammars()
leave_out_server_pages()
from nbgrader import api

assert "sqlalchemy" in sys.modules
print(*sorted(sys.modules.keys() & {"nbconvert", "jupyter_server"}))
# Who needs the rest of nbgrader gets it.
from nbgrader.converters import GenerateAssignment

assert GenerateAssignment.__module__ == "nbgrader.converters.generate_assignment"
"""


def test_the_gradebook_is_written_without_the_pages_of_a_server() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CONVERTED], capture_output=True, text=True, check=True
    )
    assert not done.stdout.split()


def modules_after(*arguments: str) -> set[str]:
    """Return the modules that are loaded when the command line has run."""
    script = f"""
import sys

sys.argv[1:] = {list(arguments)!r}
from autograder.cli import main

try:
    main()
except SystemExit:
    print(*sorted(sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


HEAVY = {
    "numpy",
    "matplotlib",
    "nbgrader",
    "nbformat",
    "nbclient",
    "IPython",
    "sqlalchemy",
    "sklearn",
    "jinja2",
    "httpx",
}


def test_help_loads_no_command_and_none_of_the_heavy_libraries() -> None:
    loaded = modules_after("--help")
    assert not loaded & HEAVY
    own = {name for name in loaded if name.startswith("autograder.")}
    assert {name for name in own if not name.startswith("autograder.cli.")} == {
        "autograder.cli",
        "autograder.course",
        "autograder.course.errors",
    }
    assert not own & {f"autograder.cli.{entry.module}" for entry in COMMANDS}


def test_a_command_loads_its_own_module_and_no_other_command() -> None:
    loaded = modules_after("start", "--help")
    assert not loaded & HEAVY
    others = {f"autograder.cli.{entry.module}" for entry in COMMANDS} - {
        "autograder.cli.start_command"
    }
    assert "autograder.cli.start_command" in loaded and not loaded & others


def test_the_record_can_be_looked_at_without_nbgrader() -> None:
    assert not modules_after("standings", "--help") & {"nbgrader", "sqlalchemy", "nbclient"}


def test_what_hands_tasks_out_loads_nothing_that_grades() -> None:
    names = "autograder.classroom.classroom, autograder.grading.grading_run"
    script = f"import sys, {names}\nprint(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not set(done.stdout.split()) & (HEAVY | {"autograder.grader.trial"})


def test_help_has_one_line_for_every_command_under_the_heading_of_its_group() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "--help"],
        env=os.environ | {"COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    heading = ""
    shown = {}
    for line in lines:
        if line.endswith(":") and not line.startswith(" "):
            heading = line.removesuffix(":")
        elif line.startswith("  ") and heading not in {"", "Options"}:
            name, summary = line.split(maxsplit=1)
            shown[name] = (heading, summary)
    assert shown == {entry.name: (entry.group, entry.summary) for entry in COMMANDS}


def test_the_version_is_that_of_the_package() -> None:
    command = [sys.executable, "-m", "autograder", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"autograder {metadata.version('autograder')}\n"
