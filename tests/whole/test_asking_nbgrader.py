"""nbgrader's scores, on which other tests build, are what plain nbgrader says."""

from __future__ import annotations

import json
from pathlib import Path

import course_features
import notebook_kinds
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.release, pytest.mark.timeout(3600)]


# All of them are 600 kernels: `python tests/support/course_features.py FOLDER` asks about all.
ASK_ABOUT_EVERY = 5


def find_features_to_ask_about() -> list[str]:
    """Some of the features, and all whose points nobody would guess."""
    scores = course_features.read_scores()
    names = list(course_features.read_features())
    odd = set()
    for state, cells in scores.items():
        for cell, (points, most) in cells.items():
            name, _, kind = cell.rpartition("__")
            if kind.startswith("t") and points != (most if state == "good" else 0.0):
                odd.add(name)
    return [
        name for number, name in enumerate(names) if number % ASK_ABOUT_EVERY == 0 or name in odd
    ]


def test_nbgrader_scores_the_features_as_written_down(tmp_path: Path) -> None:
    names = find_features_to_ask_about()
    written: dict[str, dict[str, list[float]]] = {}
    for state, cells in course_features.read_scores().items():
        written[state] = {
            cell: score for cell, score in cells.items() if cell.rpartition("__")[0] in names
        }
    assert course_features.ask_nbgrader(tmp_path / "course", names) == written


def test_nbgrader_scores_the_kinds_of_notebooks_as_written_down(tmp_path: Path) -> None:
    assert notebook_kinds.ask_nbgrader(tmp_path) == json.loads(
        notebook_kinds.SCORES.read_text(encoding="utf-8")
    )
