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
    wanted = read_scores()
    # Under nbgrader that test finds the words it looks for in its own text.
    wanted["wrong"]["history_in__t0"] = [0.0, 1.0]
    # A test's own `sum`, and the `max` of a helper that the course gives, are Python's.
    wanted["wrong"]["shadowing_what_a_test_uses__t0"] = [1.0, 1.0]
    wanted["wrong"]["shadowing_what_a_helper_uses__t0"] = [0.0, 1.0]
    assert ask_nbgrader(tmp_path, list(read_features()), ONE_LINE) == wanted
    tried = json.loads((tmp_path / TRIED_FILE).read_text())
    plain = [name for names in tried.values() for name in names]
    assert len(plain) < 10, f"few have to be plain cells: {plain}"
