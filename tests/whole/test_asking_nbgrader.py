"""nbgrader's scores, on which other tests build, are what plain nbgrader says."""

from __future__ import annotations

import json
from pathlib import Path

import course_features
import notebook_kinds
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.release, pytest.mark.timeout(3600)]


def test_nbgrader_scores_the_features_as_written_down(tmp_path: Path) -> None:
    names = list(course_features.read_features())
    assert course_features.ask_nbgrader(tmp_path / "course", names) == course_features.read_scores()


def test_nbgrader_scores_the_kinds_of_notebooks_as_written_down(tmp_path: Path) -> None:
    assert notebook_kinds.ask_nbgrader(tmp_path) == json.loads(
        notebook_kinds.SCORES.read_text(encoding="utf-8")
    )
