"""What a command tells the workflow on GitHub it runs in, where it runs in one."""

from __future__ import annotations

import json
import os
from pathlib import Path


def runs_on_github() -> bool:
    """Whether a job on GitHub runs this."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def tell_next_jobs(**values: object) -> None:
    """Tell the jobs that follow."""
    path = os.environ.get("GITHUB_OUTPUT")
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            for name, value in values.items():
                # As JSON it stays on its line: a line end in a value would begin another output.
                file.write(f"{name}={json.dumps(value)}\n")


def show_on_run_page(text: str) -> None:
    """Show a text, ended by a newline, on the run's page."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
