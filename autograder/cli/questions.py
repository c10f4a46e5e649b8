"""What a command asks a person before it does something."""

from __future__ import annotations

import typer

from autograder.cli.screens import out
from autograder.course.errors import AutograderError


def ask_to_agree(question: str, yes: bool, command: str) -> bool:
    """Ask, unless everything is agreed to already.

    Raises
    ------
    AutograderError
        If nobody answers.
    """
    try:
        return yes or typer.confirm(question)
    except typer.Abort:
        out.print()
        raise AutograderError(
            f"not answered; nothing more was changed; autograder {command} --yes agrees"
        ) from None
