"""Every notebook of the course runs from its first cell to its last in Jupyter, as for whoever opens it."""

from __future__ import annotations

from pathlib import Path

import nbclient
import nbformat
import pytest
from small_course import REPOSITORY

pytestmark = pytest.mark.slow

HOMEWORK = sorted(
    [
        *(REPOSITORY / "solutions").glob("*/*.ipynb"),
        *(REPOSITORY / "assignments").glob("*/*.ipynb"),
    ]
)
FIRST = [path for path in HOMEWORK if path.stem == "hw01_numpy"]
OTHERS = [path for path in HOMEWORK if path not in FIRST]
DEMONSTRATIONS = sorted((REPOSITORY / "demonotebooks").glob("*.ipynb"))


def of_the_repository(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


@pytest.mark.parametrize(
    "path",
    [
        *FIRST,
        # test_course_graded.py runs the others in jails, test_demonotebooks.py in its own process,
        # and they look at what is computed
        *(pytest.param(path, marks=pytest.mark.release) for path in (*OTHERS, *DEMONSTRATIONS)),
    ],
    ids=of_the_repository,
)
def test_a_notebook_runs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    nbclient.NotebookClient(
        notebook, kernel_name="python3", timeout=600, resources=resources
    ).execute()
