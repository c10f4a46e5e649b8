"""The course's demo notebooks run from top to bottom, so that they can be read with what they show."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError

from autograder.pages.readings import ReadingFailed, load_notebook

# For one cell of a demo: training takes a minute on an idle machine, ten on a busy one.
MOST_SECONDS = 900
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def execute_notebook(path: Path) -> dict[str, Any]:
    """Run a notebook of the course's own from top to bottom, and return it with its outputs.

    Raises
    ------
    ReadingFailed
        If it is no notebook, or a cell of it fails.
    """
    notebook = nbformat.from_dict(load_notebook(path))  # type: ignore[no-untyped-call]
    client = NotebookClient(
        notebook,
        timeout=MOST_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError) as error:
        last_line = COLOUR.sub("", str(error).strip().splitlines()[-1])
        raise ReadingFailed(
            f"{path}: a cell fails ({last_line}); repair it, then make the readings again"
        ) from None
    executed: dict[str, Any] = notebook
    return executed
