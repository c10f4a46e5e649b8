"""The formgrader's own Autograde button on a course with the one line: jailed, and all else as before."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from formgrader import Formgrader, formgrader
from plain_course import ANSWERS, CHEATS, CONFIG, ONE_LINE, make_course, scores

pytestmark = pytest.mark.slow


def open_every_page(grader: Formgrader, notebook: str, students: list[str]) -> str:
    """Open every page that the formgrader has of an assignment; return those of submissions."""
    pages = [
        "",
        "manage_assignments",
        "manage_submissions/ps1",
        "gradebook",
        "gradebook/ps1",
        f"gradebook/ps1/{quote(notebook)}",
        "manage_students",
    ]
    for student in students:
        pages += [f"manage_students/{student}", f"manage_students/{student}/ps1"]
    for page in pages:
        assert "<title>nbgrader formgrade" in grader("GET", f"/formgrader/{page}"), page
    shown = []
    for submission in grader.ask("GET", f"submitted_notebooks/ps1/{quote(notebook)}"):
        shown.append(grader("GET", f"/formgrader/submissions/{submission['id']}/"))
    return "\n".join(shown)


def test_the_button_runs_students_in_jails(tmp_path: Path) -> None:
    marker = tmp_path / "outside"
    answers = {
        "right": ANSWERS["right"],
        "cheats": CHEATS["shows-points"],
        "reaches": f"try:\n    open({str(marker)!r}, 'w')\nexcept OSError as error:\n    print(repr(error))\n"
        "def double(x):\n    return 2 * x",
    }
    root = make_course(tmp_path / "course", answers, CONFIG + ONE_LINE + "\n")
    students = sorted(answers)
    with formgrader(root) as grader:
        (assignment,) = grader.ask("GET", "assignments")
        assert assignment["num_submissions"] == 3
        for student in students:
            pressed = grader.ask("POST", f"submission/ps1/{student}/autograde")
            assert pressed["success"], pressed
            assert f"Autograding {root}/autograded/{student}/ps1/problem 1.ipynb" in pressed["log"]
        listed = grader.ask("GET", "submissions/ps1")
        assert [(entry["student"], entry["autograded"]) for entry in listed] == [
            (student, True) for student in students
        ]
        shown = open_every_page(grader, "problem 1", students)
        assert re.search(r"(FileNotFound|Permission|OS)Error\(\d", shown)
        assert "hidden number" in shown, "the marker sees the criterion"

        (submission,) = (
            entry["id"]
            for entry in grader.ask("GET", "submitted_notebooks/ps1/problem%201")
            if entry["student"] == "right"
        )
        grades = grader.ask("GET", f"grades?submission_id={submission}")
        comments = grader.ask("GET", f"comments?submission_id={submission}")
        (essay,) = (grade["id"] for grade in grades if grade["name"] == "essay")
        (below,) = (comment["id"] for comment in comments if comment["name"] == "essay")
        grader.ask("PUT", f"grade/{essay}", {"manual_score": 2.5, "extra_credit": 0.5})
        grader.ask("PUT", f"comment/{below}", {"manual_comment": "Which one?"})
        assert grader.ask("POST", "submission/ps1/right/autograde")["success"]
        assert grader.ask("GET", "submission/ps1/right")["score"] == 2 + 2 + 2.5 + 0.5
        assert grader.ask("POST", "assignment/ps1/right/generate_feedback")["success"]
    assert not marker.exists(), "no student's code ran outside of a jail"
    entered = scores(root)
    assert entered["right"]["double"] == entered["reaches"]["double"] == (2.0, False)
    assert entered["cheats"]["partial"] == (0.0, False)
    page = (root / "feedback" / "right" / "ps1" / "problem 1.html").read_text()
    assert "Which one?" in page
    assert re.search(r"essay.*2\.5|2\.5.*3\.0", page, re.DOTALL)
    assert "hidden number" not in page
