"""Plain `nbgrader autograde` with one line in its configuration: nbgrader's scores, outputs and formgrader."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from nbgrader_course import nbgrader
from plain_course import ANSWERS, CHEATS, CONFIG, ONE_LINE, SPIES, make_course, scores

from autograder.gradebook.jailed_runs import TRIED_FILE

pytestmark = pytest.mark.slow


def shown(root: Path, student: str) -> list[list[Any]]:
    """What the formgrader shows below each code cell: kinds of outputs, and errors without a file's name."""
    graded = json.loads((root / "autograded" / student / "ps1" / "problem 1.ipynb").read_text())
    cells = []
    for cell in graded["cells"]:
        if cell["cell_type"] != "code":
            continue
        outputs = []
        for output in cell["outputs"]:
            said = re.sub(r"\(\S+( \d+>)?, line", "(a file, line", output.get("evalue", ""))
            text = output.get("text") if output.get("name") == "stdout" else None
            outputs.append((output["output_type"], output.get("ename"), said, text))
        cells.append(
            sorted(outputs, key=str)
        )  # which of two streams comes first is chance under nbgrader
    return cells


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same course graded by plain nbgrader, and with the one line."""
    folder = tmp_path_factory.mktemp("plain")
    answers = {**ANSWERS, **CHEATS, "spies": SPIES}
    plain = make_course(folder / "plain", answers, CONFIG)
    jailed = folder / "jailed"
    shutil.copytree(plain, jailed)
    (jailed / "nbgrader_config.py").write_text(CONFIG + ONE_LINE + "\n")
    nbgrader(plain, "autograde", "ps1")
    nbgrader(jailed, "autograde", "ps1")
    return plain, jailed


def test_scores_and_outputs_are_nbgraders(graded: tuple[Path, Path]) -> None:
    plain, jailed = graded
    truth = scores(plain)
    ours = scores(jailed)
    assert {student: ours[student] for student in ANSWERS} == {
        student: truth[student] for student in ANSWERS
    }
    assert truth["right"] == {
        "double": (2.0, False),
        "partial": (2.0, False),
        "essay": (0.0, False),
    }
    assert truth["wrong"] == {
        "double": (0.0, False),
        "partial": (1.0, False),
        "essay": (0.0, False),
    }
    for student in ANSWERS:
        if student != "endless":
            assert shown(jailed, student) == shown(plain, student), student


def test_cheats_that_win_under_nbgrader_win_nothing(graded: tuple[Path, Path]) -> None:
    plain, jailed = graded
    truth = scores(plain)
    ours = scores(jailed)
    assert (truth["deletes-asserts"]["double"], ours["deletes-asserts"]["double"]) == (
        (2.0, False),
        (0.0, False),
    )
    assert (truth["shows-points"]["partial"], ours["shows-points"]["partial"]) == (
        (2.0, False),
        (0.0, False),
    )
    assert "hidden number" in str(shown(plain, "spies"))
    assert "hidden number" not in str(shown(jailed, "spies"))
    assert ours["spies"] == truth["spies"]


def test_nothing_but_the_scores_is_written_into_the_course(graded: tuple[Path, Path]) -> None:
    plain, jailed = graded
    ours = {path.name for path in jailed.iterdir()}
    theirs = {path.name for path in plain.iterdir()}
    assert ours - theirs - {"feedback"} == {TRIED_FILE}


def test_feedback_holds_no_hidden_test(graded: tuple[Path, Path]) -> None:
    _, jailed = graded
    nbgrader(jailed, "generate_feedback", "ps1")
    for student in ("right", "wrong", "spies"):
        page = (jailed / "feedback" / student / "ps1" / "problem 1.html").read_text()
        said = html.unescape(re.sub(r"<[^>]+>", "", page))
        assert "double(21)" not in said and "hidden number" not in said
        assert "double(1)" in said, "the visible test"
