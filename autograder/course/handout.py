"""What students were given: the cells of the released notebook, to tell what is theirs from what
was there.

Read from the released notebook itself. Where there is none, and for copies of an older release,
the texts that nbgrader puts in the place of answers by default are tried on the source notebook.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from autograder.course.source_markers import (
    NBGRADERS,
    Markers,
    clear_hidden_regions,
    clear_solution,
)


class HandoutCell(Protocol):
    """What is read of a cell of a source notebook."""

    @property
    def kind(self) -> str:
        """Its type."""

    @property
    def source(self) -> str:
        """Its text."""

    @property
    def grade_id(self) -> str:
        """Its nbgrader id, empty if it has none."""

    @property
    def holds_solution(self) -> bool:
        """Whether they get it without what is written in it."""


@dataclass(frozen=True)
class Handout:
    """What students were given.

    Attributes
    ----------
    by_id : mapping of str to tuple of str
        By nbgrader's id, the texts with which the cell may have been given out; the first is the
        released one.
    texts : frozenset of str
        The texts of all cells, without space around them.
    """

    by_id: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    texts: frozenset[str] = frozenset()

    def is_unchanged(self, grade_id: str, source: str) -> bool:
        """Whether a cell holds what it held when it was given out."""
        return _plain(source) in self.by_id.get(grade_id, ())

    def is_given(self, source: str) -> bool:
        """Whether some cell was given out with this text."""
        text = _plain(source).strip()
        # An empty cell was given out in every notebook, and tells none of them apart.
        return bool(text) and text in self.texts

    def text(self, grade_id: str) -> str:
        """Return a cell's text as it was given out."""
        return next(iter(self.by_id.get(grade_id, ())), "")


def read_handout(
    cells: Iterable[HandoutCell], release: Path | None = None, markers: Markers = NBGRADERS
) -> Handout:
    """Return what students were given of a source notebook's cells.

    Parameters
    ----------
    release : Path, optional
        The released notebook; it may be missing.
    markers : Markers, optional
        What begins and ends a solution or a hidden test, and what is put in a solution's place.
    """
    by_id: dict[str, list[str]] = {}
    texts: set[str] = set()
    # The released text first: what was really given out counts before what nbgrader would make.
    for grade_id, source in _released(release):
        texts.add(_plain(source).strip())
        if grade_id:
            by_id.setdefault(grade_id, []).append(_plain(source))
    for cell in cells:
        variants = list(map(_plain, _variants(cell, markers)))
        texts.update(map(str.strip, variants))
        if cell.grade_id:
            by_id.setdefault(cell.grade_id, []).extend(variants)
    each_once = {}
    for grade_id, found in by_id.items():
        # In their order: `text` takes the first, which is the released one.
        each_once[grade_id] = tuple(dict.fromkeys(found))
    return Handout(each_once, frozenset(texts))


def _released(path: Path | None) -> Iterator[tuple[str, str]]:
    """Yield id and text of the cells of a released notebook; nothing where it cannot be read."""
    # One that cannot be read is the release's trouble, and no reason to grade nothing.
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"] if path else []
    except (OSError, ValueError, KeyError, TypeError):
        return
    for cell in cells:
        marks: Any = cell.get("metadata", {}).get("nbgrader", {})
        source = cell.get("source", "")
        yield marks.get("grade_id", ""), source if isinstance(source, str) else "".join(source)


def _variants(cell: HandoutCell, markers: Markers) -> Iterator[str]:
    """Yield a source cell's text as nbgrader would give it out, with each text it may put in an
    answer's place.
    """
    given = clear_hidden_regions(cell.source, markers)
    if not cell.holds_solution:
        yield given
        yield given.rstrip("\n")
        return
    for stub in markers.code_stubs if cell.kind == "code" else markers.text_stubs:
        filled = clear_solution(given, stub, markers)
        # Editors add or take away the last line's end when they save.
        yield filled.rstrip("\n")
        yield filled
        yield filled.rstrip("\n") + "\n"


def _plain(text: str) -> str:
    # A notebook that was saved on Windows is unchanged all the same.
    return text.replace("\r\n", "\n")
