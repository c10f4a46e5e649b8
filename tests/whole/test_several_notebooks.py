"""An assignment with two notebooks and blanks in every name: from the source to the points, as nbgrader has them."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from pathlib import Path

import pytest
import warm_autograder
from example_course import PROBLEM_1, PROBLEM_2, READING, RIGHT_1, RIGHT_2, WRONG_1, write_notebook
from nbgrader_course import nbgrader
from public_course import Git

pytestmark = pytest.mark.slow

SET = "Problem Set 1"
STUDENT = "Max Ü"
MINE = b"def add(numbers):\n    return sum(numbers)\n"
# What plain nbgrader's export has for it: score, of how many.
NBGRADERS = {STUDENT: (6.0, 8.0), "late": (0.0, 8.0)}
CONFIG = """\
c = get_config()
c.Course.name = "A course"
c.Course.timezone = "Europe/Budapest"
c.Course.branch = "master"
c.Course.workers = 1
c.Course.assignments = {
    "Problem Set 1": {
        "title": "The first set", "notebooks": ["Problem 1", "Problem 2"], "deadline": "2127-03-06 23:59",
        "late": {"per_day": 0.1, "days": 3},
    }
}
"""


def write_sources(root: Path) -> None:
    source = root / "source" / SET
    write_notebook(source / "Problem 1.ipynb", PROBLEM_1)
    write_notebook(source / "Problem 2.ipynb", PROBLEM_2)
    (source / "data").mkdir()
    (source / "data" / "numbers.txt").write_text("1\n2\n3\n")
    (source / "reading.py").write_text(READING)


def read_export(root: Path) -> dict[str, tuple[float, float]]:
    nbgrader(root, "export")
    with (root / "grades.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["assignment"] for row in rows} == {SET}
    return {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in rows}


def autograder(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [*warm_autograder.command(), *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.usefixtures("a_person")
def test_two_notebooks_are_one_assignment_everywhere(tmp_path: Path) -> None:
    course = tmp_path / "course"
    write_sources(course)
    upstream = tmp_path / "public.git"
    (course / "grading_config.py").write_text(f"{CONFIG}c.Course.upstream = {str(upstream)!r}\n")
    (course / "docs").mkdir()
    (course / "docs" / "public-readme.md").write_text("{{first}}\n\n{{assignments}}\n")
    (course / "roster.csv").write_text(
        f"student,remote\n{STUDENT},{tmp_path}/max.git\nlate,{tmp_path}/late.git\n",
        encoding="utf-8",
    )
    here = Git(tmp_path)
    here("init", "--quiet", "--bare", "--initial-branch=master", "public.git")
    autograder(course, "release", SET)
    autograder(course, "publish")
    for fork in ("max.git", "late.git"):
        here("clone", "--quiet", "--bare", "public.git", fork)
    here("clone", "--quiet", "max.git", "max")
    here("clone", "--quiet", "late.git", "late")
    clone = Git(tmp_path / "max")
    clone("remote", "add", "upstream", str(upstream))
    readme = clone.read("README.md").decode()
    assert readme.splitlines()[0] == '"Problem Set 1"'
    assert readme.count("The first set") == 1, "one homework"

    autograder(clone.path, "start", SET)
    place = f"assignments/{SET}"
    clone.write({f"{place}/Problem 1_solved.ipynb": RIGHT_1})
    assert "Problem 2_solved.ipynb" in autograder(clone.path, "submit", "--yes", "--no-check", SET)
    late = Git(tmp_path / "late")
    late.commit({f"{place}/Problem 1.ipynb": WRONG_1})
    late("push", "--quiet", "origin", "master")
    autograder(course, "collect")
    clone.write({f"{place}/Problem 2_solved.ipynb": RIGHT_2, f"{place}/mine.py": MINE})
    autograder(clone.path, "submit", "--yes", "--no-check")
    autograder(course, "run")

    standings = json.loads(autograder(course, "standings", "--json"))
    assert {name: list(mine) for name, mine in standings.items()} == {STUDENT: [SET], "late": [SET]}
    of_max = standings[STUDENT][SET]
    assert (of_max["points"], of_max["max_points"], len(of_max["parts"])) == (6.0, 8.0, 1)
    assert read_export(course) == NBGRADERS

    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        (assignment,) = book.assignments
        assert [notebook.name for notebook in assignment.notebooks] == ["Problem 1", "Problem 2"]
        essay = book.find_grade("why", "Problem 2", SET, STUDENT)
        assert essay.needs_manual_grade
        essay.manual_score = 1.5
        essay.needs_manual_grade = False
        book.db.commit()
    for number in (1, 2):
        assert (course / "autograded" / STUDENT / SET / f"Problem {number}.ipynb").is_file()
    autograder(course, "run")
    for form in ("csv", "moodle", "canvas"):
        table = autograder(course, "export", "--format", form)
        assert table.count(STUDENT) >= 1
        assert "Problem 1" not in table
        assert ",7.5" in table
    assert "Problem 2/why" in autograder(course, "show", STUDENT)
    assert "nothing is wrong" in autograder(course, "verify")


@pytest.mark.release
def test_plain_nbgrader_gives_the_same(tmp_path: Path) -> None:
    write_sources(tmp_path)
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n")
    work = {
        f"{STUDENT}/{SET}/Problem 1.ipynb": RIGHT_1,
        f"{STUDENT}/{SET}/Problem 2.ipynb": RIGHT_2,
        f"{STUDENT}/{SET}/mine.py": MINE,
        f"late/{SET}/Problem 1.ipynb": WRONG_1,
    }
    for path, content in work.items():
        place = tmp_path / "submitted" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    nbgrader(tmp_path, "generate_assignment", SET)
    nbgrader(tmp_path, "autograde", SET, "--create")
    assert read_export(tmp_path) == NBGRADERS
