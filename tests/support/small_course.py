"""A small course in a folder, its notebooks built by hand, and what students get of the real course."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]

CONFIG = """\
c = get_config()
c.Course.name = "A small course"
c.Course.timezone = "Europe/Budapest"
c.Course.workers = 1  # a process more would import everything once more, for two or three notebooks
c.Course.assignments = {"hw": {"title": "Homework", "deadline": "2027-03-06 23:59"}}
c.Course.proof = "strict"
c.CourseDirectory.course_id = "small"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "assignments"
c.CourseDirectory.ignore = ["mistakes.py", "alternatives.py", "shortcuts.py"]
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
"""

DOUBLE = '''\
def double(x):
    """Return twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
'''
TEST_DOUBLE = """\
assert double(1) == 2, "twice one is two"
### BEGIN HIDDEN TESTS
assert double(21) == 42
### END HIDDEN TESTS
"""
MISTAKES = """\
from autograder.mistakes import Mistakes

mistakes = Mistakes("hw")


@mistakes.of("double", hint="Twice is not squared.")
def squared(x):
    return x * x
"""


def code(source: str, **marks: Any) -> dict[str, Any]:
    """A code cell, with nbgrader's metadata where any is given."""
    return cell("code", source, **marks) | {"execution_count": None, "outputs": []}


def text(source: str, **marks: Any) -> dict[str, Any]:
    """A markdown cell."""
    return cell("markdown", source, **marks)


def cell(kind: str, source: str, **marks: Any) -> dict[str, Any]:
    base = {"grade": False, "solution": False, "locked": False, "schema_version": 3, "task": False}
    metadata = {"nbgrader": base | marks} if marks else {}
    name = marks.get("grade_id") or f"cell-{abs(hash(source)) % 10**8}"
    return {"cell_type": kind, "id": name[:60], "metadata": metadata, "source": source}


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": list(cells),
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def dump(cells: Iterable[dict[str, Any]]) -> bytes:
    return json.dumps(notebook(*cells)).encode()


def solution(source: str, grade_id: str = "double_solution") -> dict[str, Any]:
    return code(source, grade_id=grade_id, solution=True)


def test(source: str, grade_id: str = "double", points: float = 2) -> dict[str, Any]:
    return code(source, grade_id=grade_id, grade=True, locked=True, points=points)


test.__test__ = False  # type: ignore[attr-defined]


@dataclass(frozen=True)
class SmallCourse:
    """A course of one assignment in a folder."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "grading_config.py"

    @property
    def source(self) -> Path:
        return self.root / "solutions" / "hw" / "hw.ipynb"

    def write(self, *cells: dict[str, Any]) -> Path:
        self.source.parent.mkdir(parents=True, exist_ok=True)
        self.source.write_text(json.dumps(notebook(*cells)))
        return self.source


def make_small_course(folder: Path) -> SmallCourse:
    """Write the small course into a folder that is not there yet."""
    course = SmallCourse(folder)
    course.write(text("# Homework"), code("import math"), solution(DOUBLE), test(TEST_DOUBLE))
    course.config.write_text(CONFIG)
    (course.root / "nbgrader_config.py").write_text('load_subconfig("grading_config.py")')
    (course.source.parent / "mistakes.py").write_text(MISTAKES)
    return course
