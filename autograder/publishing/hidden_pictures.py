"""Pictures and other files stored within notebooks: which of a source are hidden, and where one is
seen again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autograder.course.source_markers import (
    NBGRADERS,
    Markers,
    keep_lines_with_solution,
    mark_hidden_lines,
)
from autograder.publishing.notebook_fields import (
    find_attachment_names,
    iterate_strings,
    read_source,
)

# Base64 in a text, as in `<img src="data:image/png;base64,…">`; shorter runs are words and hashes.
EMBEDDED = re.compile(r"[A-Za-z0-9+/]{64,}={0,2}")
LEAST = 8  # bytes; what is smaller is no picture


def find_hidden_pictures(
    source: Path, *, solved: bool, markers: Markers = NBGRADERS
) -> dict[str, str]:
    """Return the digest of every file within a source notebook that students do not get, and where
    it is.

    Parameters
    ----------
    solved : bool
        Whether its solution is published: then only what hidden tests and mark schemes show stays
        hidden.
    markers : Markers
        What begins and ends a solution or a hidden test.
    """
    hidden: dict[str, str] = {}
    shown: set[str] = set()
    for number, cell in enumerate(json.loads(source.read_text(encoding="utf-8"))["cells"], start=1):
        marks = cell.get("metadata", {}).get("nbgrader", {})
        where = f"cell {marks.get('grade_id') or number} of {source.stem}"
        is_solution = bool(marks.get("solution")) and not marks.get("task")
        visible = _visible_lines(read_source(cell), is_solution, solved=solved, markers=markers)
        named = find_attachment_names("\n".join(visible))
        for name, bundle in cell.get("attachments", {}).items():
            digests: list[str] = []
            for value in iterate_strings(bundle):
                digests += _digest_text(value)
            if name in named:
                shown.update(digests)
            else:
                hidden |= dict.fromkeys(digests, f"the hidden file {name} of {where}")
        # What a solution draws is its answer, and what a test draws what it expects.
        if marks.get("grade") or (is_solution and not solved):
            for picture in _drawn_pictures(cell):
                hidden |= dict.fromkeys(_digest_text(picture), f"a picture that {where} shows")
    # A picture that one cell hides and another shows is public.
    for digest in shown & hidden.keys():
        del hidden[digest]
    return hidden


def _visible_lines(text: str, is_solution: bool, *, solved: bool, markers: Markers) -> list[str]:
    """Return the lines of a source cell that students get."""
    if solved:
        return keep_lines_with_solution(text.splitlines(), markers)
    visible = []
    for line, is_hidden in mark_hidden_lines(text, is_solution, markers):
        if not is_hidden:
            visible.append(line)
    return visible


def _drawn_pictures(cell: Mapping[str, Any]) -> Iterator[str]:
    """Yield the pictures among a cell's outputs, as they are stored."""
    for output in cell.get("outputs", ()):
        for value in iterate_strings(output.get("data")):
            if EMBEDDED.fullmatch(_without_space(value)):
                yield value


def digest_pictures(content: bytes, notebook: Any) -> set[str]:
    """Return the digests of a file, and of every file stored within it."""
    found = {_digest_bytes(content)}
    if notebook is None:
        texts = [content.decode("utf-8", "replace")]
    else:
        texts = list(iterate_strings(notebook))
        # A stored picture is hashed as the bytes it stands for: the same one may be wrapped otherwise.
        for text in texts:
            found.update(_digest_text(text))
    for text in texts:
        for match in EMBEDDED.finditer(text):
            found.update(_digest_text(match[0]))
    return found


def _digest_text(value: str) -> Iterator[str]:
    """Yield the digest of a stored text, and of the bytes it stands for where it is base64."""
    if len(value) >= LEAST:
        # JSON may hold half a surrogate pair; hashing it must not be what ends a publication.
        yield _digest_bytes(value.encode("utf-8", "surrogatepass"))
    try:
        decoded = base64.b64decode(_without_space(value), validate=True)
    except (binascii.Error, ValueError):
        return
    if len(decoded) >= LEAST:
        yield _digest_bytes(decoded)


def _without_space(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _digest_bytes(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
