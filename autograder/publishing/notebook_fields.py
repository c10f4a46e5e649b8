"""What a notebook holds beside what one reads: its metadata and attached files, of which few are
for students.

An editor writes more into a notebook than its author sees: the name of a kernel of one's own, the account a hosted
notebook belongs to, pictures whose text was cut out again. So what students get is made by allow-list.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from autograder.course.notebook_files import join_lines

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
KERNEL_TITLES = ("Python 3", "Python 3 (ipykernel)")
LANGUAGE = (
    "name", "version", "mimetype", "file_extension", "pygments_lexer", "nbconvert_exporter", "codemirror_mode",
)  # fmt: skip
NBGRADER = (
    "grade",
    "grade_id",
    "locked",
    "points",
    "schema_version",
    "solution",
    "task",
    "cell_type",
    "checksum",
)
CELL = ("cell_type", "id", "source", "metadata", "outputs", "execution_count", "attachments")
LOCKS = ("deletable", "editable")  # how nbgrader keeps a test cell from being changed
# What editors keep of their own settings: not released, and no reason to call an old commit a leak.
SETTINGS = frozenset(
    {"accelerator", "anaconda-cloud", "celltoolbar", "collapsed", "hide_input", "jupyter", "language_info", "nteract",
     "pycharm", "scrolled", "slideshow", "toc", "toc-autonumbering", "toc-showcode", "trusted", "vscode"}
)  # fmt: skip
ATTACHMENT = re.compile(r"attachment:([^\n\"'<>]+)")


def keep_student_fields(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Return a notebook with those fields that students get; outputs are left as they are."""
    return {
        **_keep_names(("nbformat", "nbformat_minor"), notebook),
        "metadata": _keep_notebook_metadata(_as_table(notebook.get("metadata"))),
        "cells": [_keep_cell_fields(cell) for cell in _list_cells(notebook)],
    }


def find_withheld_fields(notebook: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield where and under which name a notebook holds what `keep_student_fields` leaves out or
    changes.
    """
    kept = keep_student_fields(notebook)
    yield from _find_differences("notebook", notebook, kept)
    yield from _find_differences("metadata", notebook.get("metadata"), kept["metadata"])
    pairs = zip(_list_cells(notebook), kept["cells"], strict=True)
    for number, (cell, left) in enumerate(pairs, start=1):
        yield from _find_differences(f"cell {number}", cell, left)
        yield from _find_differences(
            f"metadata of cell {number}", cell.get("metadata"), left["metadata"]
        )
        yield from _find_differences(
            f"attachment of cell {number}", cell.get("attachments"), left.get("attachments")
        )


def find_attachment_names(text: str) -> frozenset[str]:
    """Return the names of attached files that a text shows."""
    names: set[str] = set()
    for match in ATTACHMENT.finditer(text):
        # A name may hold blanks, be quoted as a URL is, or be followed by a title: all are meant.
        whole = match[1].partition(")")[0].strip()
        names |= {whole, unquote(whole), whole.split()[0] if whole else ""}
    return frozenset(names)


def read_source(cell: Mapping[str, Any]) -> str:
    """Return the source of a cell, which a file may hold as a list of lines."""
    return join_lines(cell.get("source", ""))


def iterate_strings(data: Any) -> Iterator[str]:
    """Yield every string within JSON data; a list of nothing but strings is one text in pieces."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, list) and data and all(isinstance(item, str) for item in data):
        yield "".join(data)
    elif isinstance(data, list):
        for value in data:
            yield from iterate_strings(value)
    elif isinstance(data, dict):
        for value in data.values():
            yield from iterate_strings(value)


def _keep_notebook_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    if "kernelspec" in metadata:
        kernel = metadata["kernelspec"]
        # A kernel of one's own is named after a folder or a project; the usual two stay as they are,
        # so that a released notebook is nbgrader's to the byte.
        title = _as_table(kernel).get("display_name")
        kept["kernelspec"] = KERNEL | ({"display_name": title} if title in KERNEL_TITLES else {})
    if "language_info" in metadata:
        kept["language_info"] = _keep_names(LANGUAGE, metadata["language_info"])
    return kept


def _keep_cell_fields(cell: Mapping[str, Any]) -> dict[str, Any]:
    kept = _keep_names(CELL, cell)
    kept["metadata"] = _keep_cell_metadata(_as_table(cell.get("metadata")))
    # An editor keeps the pictures of text that was cut out; nobody sees that they are still there.
    named = find_attachment_names(read_source(cell))
    attached = _keep_names(named, cell.get("attachments"))
    kept.pop("attachments", None)
    if attached:
        kept["attachments"] = attached
    return kept


def _keep_cell_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name in LOCKS:
        if isinstance(metadata.get(name), bool):
            kept[name] = metadata[name]
    if "tags" in metadata:
        kept["tags"] = _keep_words(metadata["tags"])
    if "nbgrader" in metadata:
        kept["nbgrader"] = _keep_names(NBGRADER, metadata["nbgrader"])
    return kept


def _keep_names(names: Container[str], table: Any) -> dict[str, Any]:
    return {name: value for name, value in _as_table(table).items() if name in names}


def _keep_words(words: Any) -> list[str]:
    if not isinstance(words, list):
        return []
    return [word for word in words if isinstance(word, str)]


def _list_cells(notebook: Mapping[str, Any]) -> list[dict[str, Any]]:
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        return []
    return [cell for cell in cells if isinstance(cell, dict)]


def _as_table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _find_differences(where: str, before: Any, after: Any) -> Iterator[tuple[str, str]]:
    """Yield the names under which two tables differ; what lies one level deeper is looked at on its
    own.
    """
    for name, value in _as_table(before).items():
        deeper = name in {"metadata", "cells", "attachments"}
        if not deeper and _as_table(after).get(name) != value:
            yield where, name
