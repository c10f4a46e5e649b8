"""Features of ordinary courses under nbgrader with the one line: tests hardened, every score nbgrader's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from course_features import ask_nbgrader, read_features, read_scores
from plain_course import ONE_LINE

from autograder.gradebook.jailed_runs import TRIED_FILE

pytestmark = pytest.mark.release


def test_every_feature_gets_nbgraders_scores(tmp_path: Path) -> None:
    assert ask_nbgrader(tmp_path, list(read_features()), ONE_LINE) == read_scores()
    tried = json.loads((tmp_path / TRIED_FILE).read_text())
    plain = [name for names in tried.values() for name in names]
    assert len(plain) < 10, f"few have to be plain cells: {plain}"
