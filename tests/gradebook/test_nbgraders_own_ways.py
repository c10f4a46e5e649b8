"""What instructors do with `nbgrader autograde`, on two copies of a course: plain, and with the one line.

Gradebook, exit codes and lines of the log are the same: several notebooks, names with blanks, late and incomplete and
broken submissions, files beside them, marks by hand, a changed source.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook
from nbgrader_course import ENVIRONMENT, nbgrader
from plain_course import ESSAY, ONE_LINE
from small_course import code, notebook, solution, test, text

pytestmark = pytest.mark.release

NAME = "Problem Set 1"
LINE = re.compile(r"^\[AutogradeApp \| \w+\] .*", re.MULTILINE)
SIZE = re.compile(r"Writing \d+ bytes")
CONFIG = """\
import sys
from pathlib import Path
sys.path.insert(0, str(Path(__file__).parent if "__file__" in globals() else Path.cwd()))
c = get_config()
c.CourseDirectory.course_id = "plain"
c.ExecutePreprocessor.timeout = 20
c.AssignLatePenalties.plugin_class = "late_rule.HalfAPoint"
c.Autograde.exclude_overwriting = {"Problem Set 1": ["helper.py"]}
"""
LATE_RULE = """\
from nbgrader.plugins import BasePlugin
class HalfAPoint(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 0.5 if total_seconds_late > 0 else None
"""
TRIPLE = (
    "assert triple(2) == 6\n### BEGIN HIDDEN TESTS\nassert triple(3) == 9\n### END HIDDEN TESTS"
)
PROBLEMS = {
    "problem 1": (
        code("import json\nwords = json.load(open('data/words.json'))"),
        solution("def triple(x):\n    ### BEGIN SOLUTION\n    return 3 * x\n    ### END SOLUTION"),
        test(TRIPLE),
        ESSAY,
    ),
    "problem 2": (
        text("# Two"),
        code("import helper"),
        solution("answer = ### BEGIN SOLUTION\nanswer = 7\n### END SOLUTION", "answer"),
        test("helper.check(answer)", "answer_test", 2),
        test("(answer > 1) + 0.5 * (answer > 5)", "answer_points", 2),
    ),
}
HELPER = "def check(x):\n    assert x == 7, 'seven is wanted'\n"


def make_course(root: Path, line: str = "") -> None:
    """The course, and the submissions of its students."""
    source = root / "source" / NAME
    (source / "data").mkdir(parents=True)
    (source / "data" / "words.json").write_text('["a", "b"]')
    (source / "helper.py").write_text(HELPER)
    for name, cells in PROBLEMS.items():
        (source / f"{name}.ipynb").write_text(json.dumps(notebook(*cells)))
    (root / "late_rule.py").write_text(LATE_RULE)
    (root / "nbgrader_config.py").write_text(CONFIG)
    nbgrader(root, "generate_assignment", NAME)
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        book.update_or_create_assignment(NAME, duedate=datetime(2027, 3, 1, 12))
    hand_in(
        root,
        "both",
        {"problem 1": "def triple(x):\n    return x + x + x", "problem 2": "answer = 7"},
    )
    hand_in(root, "one", {"problem 1": "def triple(x):\n    return 3"})
    hand_in(
        root, "late", {"problem 1": "def triple(x):\n    return 3 * x", "problem 2": "answer = 4"}
    )
    hand_in(root, "torn", {"problem 1": "", "problem 2": "answer = 7"})
    folder = root / "submitted"
    (folder / "late" / NAME / "timestamp.txt").write_text("2027-03-01 13:00:00 UTC")
    (folder / "torn" / NAME / "problem 1.ipynb").write_text('{"cells": [')
    (folder / "both" / NAME / "helper.py").write_text("def check(x):\n    print('mine')\n")
    (folder / "both" / NAME / "scratch.ipynb").write_text(json.dumps(notebook(code("1 / 0"))))
    (folder / "both" / NAME / "data").mkdir()
    (folder / "both" / NAME / "data" / "words.json").write_text("not json")


def hand_in(root: Path, student: str, answers: dict[str, str]) -> None:
    folder = root / "submitted" / student / NAME
    folder.mkdir(parents=True)
    for name, answer in answers.items():
        released = json.loads((root / "release" / NAME / f"{name}.ipynb").read_text())
        for cell in released["cells"]:
            marks = cell["metadata"].get("nbgrader", {})
            if marks.get("solution") and not marks.get("grade"):
                cell["source"] = answer
        (folder / f"{name}.ipynb").write_text(json.dumps(released))


def autograde(root: Path, *arguments: str) -> tuple[int, list[str]]:
    """Return the exit code of the command and the lines it logged."""
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", *arguments],
        cwd=root,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    # How large a graded notebook is depends on the times that a kernel's messages carry.
    said = SIZE.sub("Writing", done.stderr.replace(str(root), ""))
    return done.returncode, LINE.findall(said)


def read_gradebook(root: Path) -> list[tuple[Any, ...]]:
    """Everything that stands in the gradebook."""
    rows: list[tuple[Any, ...]] = []
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        for submission in book.assignment_submissions(NAME):
            student = submission.student.id
            rows.append((student, submission.timestamp, submission.score, submission.max_score))
            for entry in submission.notebooks:
                rows.append((student, entry.name, entry.late_submission_penalty))
                for grade in entry.grades:
                    given = (grade.auto_score, grade.manual_score, grade.needs_manual_grade)
                    rows.append((student, entry.name, grade.name, *given))
                for comment in entry.comments:
                    said = (comment.auto_comment, comment.manual_comment)
                    rows.append((student, entry.name, comment.name, *said))
    return sorted(rows, key=str)


def give_mark(root: Path) -> None:
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        grade = book.find_grade("essay", "problem 1", NAME, "both")
        grade.manual_score = 1.5
        book.find_comment("essay", "problem 1", NAME, "both").manual_comment = "Which one?"
        book.db.commit()


def repair_test(root: Path) -> None:
    path = root / "source" / NAME / "problem 2.ipynb"
    path.write_text(path.read_text().replace("answer > 5", "answer > 500"))
    nbgrader(root, "generate_assignment", NAME, "--force")


def test_gradebook_exit_codes_and_log_are_nbgraders(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    jailed = tmp_path / "jailed"
    make_course(plain)
    shutil.copytree(plain, jailed)
    (jailed / "nbgrader_config.py").write_text(CONFIG + ONE_LINE + "\n")
    both = (plain, jailed)

    def compare(*arguments: str) -> tuple[int, list[str]]:
        theirs = autograde(plain, *arguments)
        ours = autograde(jailed, *arguments)
        assert ours == theirs, arguments
        assert read_gradebook(jailed) == read_gradebook(plain), arguments
        return theirs

    status, _ = compare(NAME)
    assert status == 1, "one submission is torn"
    assert not (jailed / "autograded" / "torn" / NAME).exists()
    status, log = compare(NAME, "--student", "both")
    assert status == 0
    assert "Skipping existing assignment" in str(log)
    for root in both:
        give_mark(root)
        repair_test(root)
    assert (
        compare(f"--assignment={NAME}", "--student=both", "--notebook=problem 2", "--force")[0] == 0
    )
    assert compare(NAME, "--student", "both,late", "--force")[0] == 1, "nbgrader takes one student"
    assert compare(NAME, "--student", "late", "--force", "--create")[0] == 0
    assert compare("no such set")[0] == 1
    entered = {row[:3]: row[3:] for row in read_gradebook(jailed)}
    assert entered["both", "problem 1", "essay"] == (0.0, 1.5, False)
    assert entered["both", "problem 2", "answer_points"][0] == 1.0, "by the repaired test"
    assert ("late", "problem 1", 0.5) in {row[:3] for row in entered}
    for root in both:
        nbgrader(root, "export", "--to=grades.csv")
    assert (jailed / "grades.csv").read_text() == (plain / "grades.csv").read_text()
