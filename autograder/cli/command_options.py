"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", help="The course's grading_config.py; default: here or in a folder above."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

# The variables are for a workflow's inputs: these are typed by people, and must not end up in a
# shell's command line.
StudentOption = Annotated[
    list[str] | None,
    typer.Option("--student", "-s", envvar="AUTOGRADER_STUDENT", help="Only these students."),
]
AssignmentOption = Annotated[
    str,
    typer.Option(
        "--assignment", "-a", envvar="AUTOGRADER_ASSIGNMENT", help="Only this assignment."
    ),
]
ForceOption = Annotated[
    bool, typer.Option("--force", envvar="AUTOGRADER_FORCE", help="Also what is graded already.")
]
RemoteOption = Annotated[
    str, typer.Option("--remote", help="Name or URL of the repository with the state.")
]
