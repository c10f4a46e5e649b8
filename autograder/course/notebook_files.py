"""Students' notebook files read without trust: whatever the bytes are, a notebook or one plain
sentence comes back.

Read here as JSON rather than through nbformat: importing nbformat costs over a second, and a submission must not be
refused for metadata that no one needs.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from autograder.course.file_kinds import BINARY, TAKE_BACK, kind_of_file, kind_of_text

MAX_CELLS = 5_000
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
OTHER_ENCODING = (
    "The file is written in {name} and not in UTF-8, so JupyterLab refuses it. It was graded; to put it right, run "
    "`python -c \"from pathlib import Path; p = Path('FILE'); p.write_text(p.read_text('{name}'), 'utf-8')\"`"
    " and push again."
)
RAW_BREAK = (
    "A line break or tab stands bare within a text of the file, so JupyterLab refuses it. It was graded; to mend it, "
    "run `python -c \"import json; from pathlib import Path; p = Path('FILE'); "
    "p.write_text(json.dumps(json.loads(p.read_text('utf-8'), strict=False), indent=1), 'utf-8')\"` and push again."
)
FIRST_CELL = re.compile(r'"cells"\s*:\s*\[\s*\{')
BETWEEN_CELLS = re.compile(r"\s*,\s*(?=\{)")
NEXT_PART = {  # of a conflict, by the part a mark stands in
    ("", "<<<<<<<"): "ours",
    ("ours", "|||||||"): "base",
    ("ours", "======="): "theirs",
    ("base", "======="): "theirs",
    ("theirs", ">>>>>>>"): "",
}


class Unreadable(Exception):
    """The file is no notebook; the message tells the student why and what to do."""


@dataclass(frozen=True)
class Cell:
    """A cell as the student pushed it.

    Attributes
    ----------
    attachments : mapping of str to mapping of str to str
        By name, what the student attached: its media type, and the file in base64. Nothing of it is
        checked.
    """

    kind: str
    source: str
    grade_id: str = ""
    tags: tuple[str, ...] = ()
    attachments: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Notebook:
    """A student's notebook, and what was odd about its file."""

    cells: tuple[Cell, ...]
    problems: tuple[str, ...] = ()


def read_notebook(content: bytes) -> Notebook:
    """Read a notebook of format 3 or 4, also one that JupyterLab refuses, as long as its cells can
    be told.

    Raises
    ------
    Unreadable
        If it is no such notebook.
    """
    kind = kind_of_file(content)
    if kind:
        raise Unreadable(kind)
    text, problems = _decoded(content)
    data = _parse(text)
    if data is None and (data := _parse(text, strict=False)) is not None:
        problems.append(RAW_BREAK)
    if data is None and (sides := conflict_sides(text)):
        for side in sides:
            data = _parse(side)
            if data is not None:
                break
        marks = "The file holds the conflict marks of an unfinished merge (<<<<<<<)."
        if data is None:
            raise Unreadable(f"{marks} Neither side of it is a whole notebook; {TAKE_BACK}.")
        problems.append(
            f"{marks} Your own side of each conflict was graded; settle the conflict and push again."
        )
    if data is None:
        data, broken = _salvaged(text)
        problems.append(broken)
    return Notebook(tuple(_cells(data)), tuple(problems))


def _decoded(content: bytes) -> tuple[str, list[str]]:
    """Return a file's text and, where it is not UTF-8, what to say about that."""
    try:
        # With or without the mark that editors on Windows put first.
        return content.removeprefix(codecs.BOM_UTF8).decode(), []
    except UnicodeDecodeError:
        pass
    name = "utf-16" if content[:2] in UTF_16 else "cp1252"
    with suppress(UnicodeDecodeError):
        text = content.decode(name)
        # Nearly all bytes are text in cp1252: only what begins as JSON is believed.
        if text.lstrip().startswith("{"):
            return text, [OTHER_ENCODING.format(name=name)]
    raise Unreadable(BINARY)


def _salvaged(text: str) -> tuple[Any, str]:
    """Return the cells above the place where a notebook's JSON is broken, and a sentence about it.

    Raises
    ------
    Unreadable
        If no cell stands above that place.
    """
    try:
        # Once more, for the place alone: `_parse` gives only the fact that it failed.
        json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} ({error.msg})"
    except (ValueError, RecursionError):
        where = "a place that is nested too deeply"
    begin = FIRST_CELL.search(text)
    decoder = json.JSONDecoder(strict=False)
    cells: list[Any] = []
    position = begin.end() - 1 if begin else len(text)
    with suppress(ValueError, RecursionError):
        while position < len(text) and text[position] == "{":
            cell, position = decoder.raw_decode(text, position)
            cells.append(cell)
            comma = BETWEEN_CELLS.match(text, position)
            position = comma.end() if comma else len(text)
    if not cells:
        known = kind_of_text(text)
        raise Unreadable(
            known
            or f"The file is not a notebook: it is not valid JSON, from {where} on; {TAKE_BACK}."
        )
    above = "cell above was" if len(cells) == 1 else f"{len(cells)} cells above were"
    broken = f"The file is not valid JSON from {where} on. Only the {above} graded; {TAKE_BACK}."
    return {"cells": cells}, broken


def conflict_sides(text: str) -> tuple[str, str] | None:
    """Return a text with the own and with the other side of each of its merge conflicts, None if it
    has none.

    Line by line: a pattern for the whole would try every pair of marks that somebody puts into a file.
    """
    lines: dict[str, list[str]] = {"ours": [], "base": [], "theirs": []}
    part = ""
    found = False
    # Not splitlines: U+2028 within a text ends no line of git's.
    for line in io.StringIO(text):
        # A mark of git's is seven signs long; what stands behind it names a side.
        after = NEXT_PART.get((part, line[:7]))
        if after is None:
            for side in [part] if part else lines:
                lines[side].append(line)
        else:
            part = after
            found = found or not after
    return ("".join(lines["ours"]), "".join(lines["theirs"])) if found else None


def _parse(text: str, *, strict: bool = True) -> Any:
    try:
        return json.loads(text, strict=strict)
    except (ValueError, RecursionError):
        return None


def _cells(data: Any) -> Iterable[Cell]:
    if not isinstance(data, dict):
        raise Unreadable(f"The file is not a notebook: it is JSON, but has no cells; {TAKE_BACK}.")
    cells = data.get("cells")
    if data.get("nbformat") == 3 or (cells is None and isinstance(data.get("worksheets"), list)):
        # Format 3 allowed several sheets; no program ever wrote a second one.
        sheets = data.get("worksheets")
        cells = (
            sheets[0].get("cells")
            if isinstance(sheets, list) and sheets and isinstance(sheets[0], dict)
            else None
        )
    if not isinstance(cells, list):
        raise Unreadable(f"The file is not a notebook: it has no list of cells; {TAKE_BACK}.")
    if len(cells) > MAX_CELLS:
        raise Unreadable(
            f"The notebook has {len(cells)} cells; up to {MAX_CELLS} are graded: take some out and push again."
        )
    return [_cell(cell) for cell in cells if isinstance(cell, dict)]


def join_lines(source: object) -> str:
    """Return the text of a cell, which a file may hold as a list of lines; "" where it is none."""
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def _cell(cell: dict[str, Any]) -> Cell:
    # `input` is what format 3 calls the source of a code cell.
    source = join_lines(cell.get("source", cell.get("input", "")))
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = marks.get("grade_id") if isinstance(marks, dict) else None
    kind = cell.get("cell_type")
    return Cell(
        # What nobody knows is taken for text, which is never run.
        kind=kind if kind in {"code", "markdown", "raw"} else "markdown",
        source=source,
        grade_id=grade_id if isinstance(grade_id, str) else "",
        tags=tuple(tag for tag in _list(metadata, "tags") if isinstance(tag, str)),
        attachments=_attachments(cell.get("attachments")),
    )


def _list(entry: object, key: str) -> list[Any]:
    found = entry.get(key) if isinstance(entry, dict) else None
    return found if isinstance(found, list) else []


def _attachments(entries: object) -> dict[str, dict[str, str]]:
    if not isinstance(entries, dict):
        return {}
    attachments: dict[str, dict[str, str]] = {}
    for name, kinds in entries.items():
        if not isinstance(kinds, dict):
            continue
        attachments[str(name)] = {}
        for kind, content in kinds.items():
            if isinstance(content, str):
                attachments[str(name)][str(kind)] = content
    return attachments
