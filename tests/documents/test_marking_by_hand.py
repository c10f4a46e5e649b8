"""docs/marking.md followed word by word: a Moodle archive, marks in the formgrader itself, pages and exports."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import pytest
from example_course import RIGHT_1, RIGHT_2, WRONG_1, write_example_course
from formgrader import formgrader
from pages_reading import words
from small_course import REPOSITORY
from test_adopting import Reader

from autograder.record.page_keys import PageKeys

pytestmark = pytest.mark.slow

ROSTER = """\
student,number,name,email,remote
on-time,4711,On Time,on-time@example.org,none
late,4712,Always Late,late@example.org,none
"""
FILES = {
    "On Time_311_assignsubmission_file_/problem1.ipynb": RIGHT_1,
    "On Time_311_assignsubmission_file_/problem2.ipynb": RIGHT_2,
    "On Time_311_assignsubmission_file_/mine.py": b"def add(numbers):\n    return sum(numbers)\n",
    "Always Late_312_assignsubmission_file_/problem1.ipynb": WRONG_1,
}


def write_archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(zipfile.ZipInfo(name, (2027, 3, 6, 21, 0, 0)), content)


def test_from_an_archive_to_marks_and_an_export(tmp_path: Path) -> None:
    folder = tmp_path / "course"
    write_example_course(folder)
    reader = Reader(folder, REPOSITORY / "docs" / "marking.md")
    reader.run("autograder adopt . --timezone Europe/Budapest && autograder release --all")
    (folder / "roster.csv").write_text(ROSTER)
    write_archive(folder / "ps1.zip")
    reader.follow("1. From the archive to the formgrader")

    with formgrader(folder) as grader:
        for page in (
            "manage_assignments",
            "gradebook",
            "manage_students",
            "manage_students/on-time",
        ):
            assert "<title>nbgrader formgrade" in grader("GET", f"/formgrader/{page}"), page
        (assignment,) = grader.ask("GET", "assignments")
        assert (assignment["name"], assignment["num_submissions"]) == ("ps1", 2)
        waiting = []
        for entry in grader.ask("GET", "student_submissions/on-time"):
            assert entry["autograded"], entry
            notebooks = grader.ask("GET", f"student_notebook_submissions/on-time/{entry['name']}")
            for notebook in notebooks:
                shown = grader("GET", f"/formgrader/submissions/{notebook['id']}/")
                if notebook["needs_manual_grade"]:
                    waiting.append(notebook["id"])
                    assert "Because." in shown
        (submission,) = waiting
        grades = grader.ask("GET", f"grades?submission_id={submission}")
        (why,) = [grade["id"] for grade in grades if grade["needs_manual_grade"]]
        grader.ask("PUT", f"grade/{why}", {"manual_score": 1.5, "extra_credit": None})
        comments = grader.ask("GET", f"comments?submission_id={submission}")
        (below,) = [comment["id"] for comment in comments if comment["name"] == "why"]
        grader.ask("PUT", f"comment/{below}", {"manual_comment": "Because of what?"})

    printed = reader.follow("3. Back to students and to Moodle")
    line = [line for line in printed.splitlines() if line.strip().startswith("on-time")][-1]
    assert " ".join(line.split()).endswith("7.5"), line
    link = PageKeys.load_or_create(folder / "keys.json").key_of("on-time").link
    own = words((folder / "site", {"on-time": link}), "on-time")
    assert "why 1.5 of 2 ◐ partly right marked by a person Comment: Because of what?" in own
    with (folder / "points.csv").open() as file:
        points = {row["Email address"]: row["ps1"] for row in csv.DictReader(file)}
    assert points == {"on-time@example.org": "7.5", "late@example.org": "0"}
    with (folder / "grades.csv").open() as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert scores == {"on-time": 7.5, "late": 0.0}
