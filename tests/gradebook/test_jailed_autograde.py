"""Plain `nbgrader autograde` with one line in its configuration: nbgrader's scores, outputs and formgrader."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from nbgrader_course import nbgrader
from plain_course import (
    ANSWERS,
    CONFIG,
    EVERYONE,
    GRADED,
    ONE_LINE,
    as_json,
    ask_nbgrader,
    make_course,
    scores,
    shown,
)

from autograder.gradebook.jailed_runs import TRIED_FILE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def jailed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course graded with the one line in its configuration."""
    root = make_course(
        tmp_path_factory.mktemp("plain") / "jailed", EVERYONE, CONFIG + ONE_LINE + "\n"
    )
    nbgrader(root, "autograde", "ps1")
    return root


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """What plain nbgrader makes of the same course."""
    graded: dict[str, Any] = json.loads(GRADED.read_text(encoding="utf-8"))
    return graded


@pytest.mark.release
def test_plain_nbgrader_still_makes_of_it_what_is_compared_with(
    plain: dict[str, Any], tmp_path: Path
) -> None:
    assert ask_nbgrader(tmp_path / "course") == plain


def test_scores_and_outputs_are_nbgraders(plain: dict[str, Any], jailed: Path) -> None:
    truth = plain["scores"]
    ours = as_json(scores(jailed))
    assert {student: ours[student] for student in ANSWERS} == {
        student: truth[student] for student in ANSWERS
    }
    assert truth["right"] == {
        "double": [2.0, False],
        "partial": [2.0, False],
        "essay": [0.0, False],
    }
    assert truth["wrong"] == {
        "double": [0.0, False],
        "partial": [1.0, False],
        "essay": [0.0, False],
    }
    for student in ANSWERS.keys() & plain["shown"].keys():
        assert as_json(shown(jailed, student)) == plain["shown"][student], student


def test_cheats_that_win_under_nbgrader_win_nothing(plain: dict[str, Any], jailed: Path) -> None:
    truth = plain["scores"]
    ours = as_json(scores(jailed))
    assert (truth["deletes-asserts"]["double"], ours["deletes-asserts"]["double"]) == (
        [2.0, False],
        [0.0, False],
    )
    assert (truth["shows-points"]["partial"], ours["shows-points"]["partial"]) == (
        [2.0, False],
        [0.0, False],
    )
    assert "hidden number" in str(plain["shown"]["spies"])
    assert "hidden number" not in str(shown(jailed, "spies"))
    assert ours["spies"] == truth["spies"]


def test_nothing_but_the_scores_is_written_into_the_course(
    plain: dict[str, Any], jailed: Path
) -> None:
    ours = {path.name for path in jailed.iterdir()}
    assert ours - set(plain["files"]) - {"feedback"} == {TRIED_FILE}


def test_feedback_holds_no_hidden_test(jailed: Path) -> None:
    nbgrader(jailed, "generate_feedback", "ps1")
    for student in ("right", "wrong", "spies"):
        page = (jailed / "feedback" / student / "ps1" / "problem 1.html").read_text()
        said = html.unescape(re.sub(r"<[^>]+>", "", page))
        assert "double(21)" not in said and "hidden number" not in said
        assert "double(1)" in said, "the visible test"
