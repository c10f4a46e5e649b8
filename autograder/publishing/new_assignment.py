"""A new assignment laid out: source notebook, known answers, and its line in the configuration."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course.configuration import CONFIG_FILE, Course
from autograder.course.errors import UsageError
from autograder.course.whole_files import write_whole
from autograder.publishing.notebook_fields import KERNEL

TEMPLATE = Path(__file__).with_suffix(".toml")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
NUMBER = re.compile(r"^[A-Za-z]*\d+[_-]")  # as in hw05_kmeans


@dataclass(frozen=True)
class NewAssignment:
    """What was laid out; `line` is what the configuration needs, and `configured` whether it stands
    there now.
    """

    files: tuple[Path, ...]
    line: str
    configured: bool


def lay_out_assignment(
    course: Course, name: str, title: str = "", function: str = ""
) -> NewAssignment:
    """Write the source notebook of a new assignment with one exercise, its known answers, and its
    configuration.

    Parameters
    ----------
    title : str
        Default: from the name.
    function : str
        What students write; default: the name without its number.

    Raises
    ------
    UsageError
        If the name cannot be one, or there is such an assignment or folder.
    """
    spoken = NUMBER.sub("", name)
    function = function or spoken.replace("-", "_").lower()
    title = title or spoken.replace("_", " ").replace("-", " ").capitalize()
    folder = course.sources / name
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for an assignment; letters, digits, _ and -, like hw05_kmeans"
        )
    if not function.isidentifier():
        raise UsageError(f"{function!r} is no name for a function; name one with --function")
    if name in course.assignments or folder.exists():
        raise UsageError(
            f"{name} is there already, in {CONFIG_FILE} or as {folder}; nothing was changed"
        )
    template = tomllib.loads(TEMPLATE.read_text(encoding="utf-8"))
    words = {"FUNCTION": function, "ASSIGNMENT": name, "TITLE": title}
    contents = {
        f"{name}.ipynb": _build_notebook(template, words),
        "mistakes.py": _fill_in(template["mistakes"], words),
        "alternatives.py": _fill_in(template["alternatives"], words),
        "shortcuts.py": _fill_in(template["shortcuts"], words),
    }
    folder.mkdir(parents=True)
    for file, content in contents.items():
        write_whole(folder / file, content.encode(), "new")
    line = f"    {json.dumps(name)}: {{{json.dumps('title')}: {json.dumps(title, ensure_ascii=False)}}},"
    configured = _add_line(course.root / CONFIG_FILE, line)
    return NewAssignment(tuple(folder / file for file in contents), line.strip(), configured)


def _fill_in(text: str, words: Mapping[str, str]) -> str:
    for place, word in words.items():
        text = text.replace(place, word)
    return text


def _build_notebook(template: Mapping[str, Any], words: Mapping[str, str]) -> str:
    cells = []
    for cell in _build_cells(template, words["FUNCTION"]):
        cells.append(_fill_in_cell(cell, words))
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": KERNEL, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _build_cells(template: Mapping[str, Any], function: str) -> Iterator[dict[str, Any]]:
    """Yield the cells: introduction, imports, and the five of the exercise."""
    yield _build_cell("markdown", "introduction", template["introduction"])
    yield _build_cell("code", "imports", template["imports"], locked=True)
    yield _build_cell("markdown", f"{function}_task", template["task"], locked=True)
    yield _build_cell("code", f"{function}_solution", template["solution"], solution=True)
    try_it = _build_cell("code", f"{function}_try_it", template["try_it"])
    try_it["metadata"] = {"tags": ["try-it"]}
    yield try_it
    yield _build_cell("code", f"{function}_checks", template["checks"], locked=True)
    yield _build_cell("code", function, template["tests"], locked=True, points=template["points"])


def _build_cell(
    kind: str,
    grade_id: str,
    source: str,
    *,
    locked: bool = False,
    solution: bool = False,
    points: int = 0,
) -> dict[str, Any]:
    marks = {
        "grade": points > 0,
        "grade_id": grade_id,
        "locked": locked,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    if points:
        marks["points"] = points
    is_marked = locked or solution or points > 0
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": grade_id.replace("_", "-")[:64],  # all that nbformat takes
        "metadata": {"nbgrader": marks} if is_marked else {},
        "source": source.rstrip("\n"),
    }
    if kind == "code":
        cell["execution_count"] = None
        cell["outputs"] = []
    return cell


def _fill_in_cell(cell: dict[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
    return cell | {"source": _fill_in(cell["source"], words).splitlines(keepends=True)}


def _add_line(config: Path, line: str) -> bool:
    """Put a line at the end of `c.Course.assignments`; return whether there is such a table to put
    it into.
    """
    text = config.read_text(encoding="utf-8")
    # By its place in the text, not written anew from the tree: comments and order stay theirs.
    table = _find_assignments(ast.parse(text))
    if table is None or table.end_lineno is None or table.end_lineno == table.lineno:
        return False
    lines = text.splitlines(keepends=True)
    last = table.end_lineno - 1
    if lines[last].strip() != "}":  # something else stands on that line: a person is to add it
        return False
    if table.values:
        _end_with_comma(lines, table.values[-1], last)
    lines.insert(last, line + "\n")
    write_whole(config, "".join(lines).encode(), "new")
    return True


def _end_with_comma(lines: list[str], value: ast.expr, closing: int) -> None:
    """Let the last entry of a table end with a comma, which may stand on the lines before the
    closing brace.
    """
    row = (value.end_lineno or 1) - 1
    place = len(lines[row].encode()[: value.end_col_offset].decode())  # ast counts bytes
    behind = [lines[row][place:], *lines[row + 1 : closing]]
    if not any("," in part.split("#")[0] for part in behind):  # a comma in a comment is none
        lines[row] = f"{lines[row][:place]},{lines[row][place:]}"


def _find_assignments(tree: ast.Module) -> ast.Dict | None:
    """Return the table that the configuration gives to `c.Course.assignments`, None where it is
    made otherwise.
    """
    for statement in tree.body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Dict):
            continue
        if ast.unparse(statement.targets[0]) == "c.Course.assignments":
            return statement.value
    return None
