"""Tests that nbgrader makes itself, in the place of `### AUTOTEST` lines of a source notebook.

What such a line tests is found by running the source notebook in a kernel, which takes seconds. So
it is done when the assignment is released, and what came of it is written down with the release.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

import nbformat
from nbgrader.preprocessors import InstantiateTests

from autograder.course.configuration import Course
from autograder.course.errors import ReleaseError
from autograder.course.exam import AUTOTEST
from autograder.course.recorded_tests import RecordedTests, fingerprint, read_recorded_tests
from autograder.gradebook.assignment_conversion import nbgrader_config


def make_tests(course: Course, assignment: str) -> RecordedTests:
    """Return what is known of an assignment's tests; made anew where its source has changed.

    Raises
    ------
    ReleaseError
        If nbgrader cannot make them.
    """
    source = course.source_path(assignment)
    if not source.exists() or not AUTOTEST.search(_read_code(source.read_text(encoding="utf-8"))):
        return RecordedTests()
    known = read_recorded_tests(source)
    now = fingerprint(source)
    if known.made and known.source == now:
        return known
    return RecordedTests(now, {}, _make_with_nbgrader(course, assignment))


def _read_code(content: str) -> str:
    """Return the texts of a notebook's code cells."""
    try:
        cells = json.loads(content)["cells"]
        texts = []
        for cell in cells:
            if cell["cell_type"] == "code":
                texts.append("".join(cell["source"]))
        return "\n".join(texts)
    except (ValueError, KeyError, TypeError):  # reading the exam says what is wrong with it
        return ""


def _make_with_nbgrader(course: Course, assignment: str) -> dict[str, str]:
    source = course.source_path(assignment)
    notebook: Any = nbformat.read(source, as_version=4)  # type: ignore[no-untyped-call]
    before = [cell.source for cell in notebook.cells]
    resources = {"metadata": {"path": str(source.parent)}}
    maker = InstantiateTests(config=nbgrader_config(course))
    try:
        # There it looks for autotests.yml, if none lies beside the notebook.
        with contextlib.chdir(course.root):
            notebook, _ = maker.preprocess(notebook, resources)
    except Exception as error:  # of the source's own cells, which it runs, or nbgrader's
        raise ReleaseError(
            f"{source}: nbgrader could not make the tests of its AUTOTEST lines: {error}"
        ) from error
    made = {}
    for cell, old in zip(notebook.cells, before, strict=True):
        if cell.source != old:
            made[str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))] = str(cell.source)
    return made
