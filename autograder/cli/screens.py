"""The two places where a command prints: its results, and beside them what a person should know."""

from __future__ import annotations

from rich.console import Console

# Lines are not wrapped: what reads them in a pipe would take the rest for another one.
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_error(sentence: str) -> None:
    """Print a sentence about what went wrong, as it is: brackets in it are no markup."""
    err.print(sentence, style="red", markup=False)


def print_note(sentence: str) -> None:
    """Print a sentence that is good to know and no error."""
    err.print(f"note: {sentence}", markup=False)


def print_line(line: str) -> None:
    """Print a line of a result, as it is: brackets in it are no markup."""
    out.print(line, markup=False)
