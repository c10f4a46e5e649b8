"""The practice class as its users run it: as a command, killed, started again, exported by nbgrader."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import warm_autograder
from nbgrader_course import nbgrader
from small_course import (
    DOUBLE,
    REPOSITORY,
    TEST_DOUBLE,
    SmallCourse,
    code,
    make_small_course,
    solution,
    test,
    text,
)

pytestmark = pytest.mark.slow

AUTOGRADER = [sys.executable, "-m", "autograder"]
ENVIRONMENT = os.environ | {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
}


@dataclass(frozen=True)
class Practice:
    """A practice class that is over: of which course, where, and who got what."""

    course: Path
    folder: Path
    command: tuple[str, ...]
    standings: dict[str, Any]


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*warm_autograder.command(), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
    )


def results(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["differences"] == []
    return found["standings"]


def course_of_three_exercises(folder: Path) -> Path:
    """A small course, in which half of the work is less than all but a mistake."""
    course = make_small_course(folder)
    cells = [text("# Homework"), code("import math\nmath.tau")]
    for name, factor in (("double", 2), ("triple", 3), ("quadruple", 4)):
        answer = DOUBLE.replace("double", name).replace("2 * x", f"{factor} * x")
        check = TEST_DOUBLE.replace("double", name)
        check = check.replace("== 2", f"== {factor}").replace("== 42", f"== {21 * factor}")
        cells += [solution(answer, f"{name}_solution"), test(check, name)]
    course.write(*cells)
    return folder


def kill_on_its_way(course: Path, folder: Path, *command: str) -> None:
    """Begin a practice class three times, and kill it with all it has started each time a bit later."""
    moments = {
        "before anything is collected": lambda: (folder / "practice.json").exists(),
        "when the first is graded": lambda: len(reports(folder)) >= 1,
        "when half are graded": lambda: len(reports(folder)) >= 9,
    }
    # What is left of one that was killed while it wrote its very first file.
    folder.mkdir()
    (folder / ".practice.json.new").write_text("{")
    for moment, reached in moments.items():
        process = subprocess.Popen(
            [*AUTOGRADER, *command],
            cwd=course,
            env=ENVIRONMENT,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not reached() and process.poll() is None:
            time.sleep(0.01)
        assert process.poll() is None, f"the class was over before it could be killed: {moment}"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(
    scope="module", params=["killed on its way", pytest.param("all", marks=pytest.mark.release)]
)
def practice(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Practice:
    """A practice class that is over: of a small course, killed three times; or of this one, undisturbed."""
    folder = tmp_path_factory.mktemp("practice") / "class"
    command = ("demo", "--json", "--students", "19", "--out", str(folder))
    course = REPOSITORY
    if request.param != "all":
        course = course_of_three_exercises(tmp_path_factory.mktemp("three") / "course")
        kill_on_its_way(course, folder, *command)
    return Practice(course, folder, command, results(run(*command, cwd=course)))


def test_every_role_gets_what_it_must(practice: Practice) -> None:
    standings = practice.standings
    points = {
        student: {name: entry["points"] for name, entry in by.items()}
        for student, by in standings.items()
    }
    full = {name: entry["max_points"] for name, entry in standings["all-right"].items()}
    assert len(points) == 19, "with more students the roles repeat"
    assert points["all-right-2"] == points["all-right"]
    for student in ("all-right", "corrected", "endless-loop", "quits-python"):
        assert points[student] == full, student
    for student in (
        "late",
        "corrected-late",
        "not-attempted",
        "broken-json",
        "peeks",
        "nothing-pushed",
    ):
        assert set(points[student].values()) == {0.0}, student
    for name, most in full.items():
        assert 0 < points["half-done"][name] < points["known-mistake"][name] < most


def test_the_same_again_grades_nothing_twice(practice: Practice) -> None:
    folder, standings = practice.folder, practice.standings
    before = {path.name: path.read_bytes() for path in (folder / "ledger").iterdir()}
    again = run(*practice.command, cwd=practice.course)
    assert results(again) == standings
    assert f"going on with the class in {folder}" in again.stderr and "graded:" not in again.stderr
    assert {path.name: path.read_bytes() for path in (folder / "ledger").iterdir()} == before


def test_nbgrader_exports_the_points_of_the_pages(practice: Practice) -> None:
    folder, standings = practice.folder, practice.standings
    nbgrader(folder, "export")
    with (folder / "grades.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    exported = {(row["student_id"], row["assignment"]): float(row["score"]) for row in rows}
    assert exported == {
        (student, name): pytest.approx(entry["points"])
        for student, by_assignment in standings.items()
        for name, entry in by_assignment.items()
    }
    most = {name: entry["max_points"] for name, entry in standings["all-right"].items()}
    assert {(row["assignment"], float(row["max_score"])) for row in rows} == set(most.items())


def test_the_formgrader_finds_each_submission_with_its_outputs(practice: Practice) -> None:
    import nbformat

    folder, standings = practice.folder, practice.standings
    for name in standings["all-right"]:
        notebook = nbformat.read(
            folder / "autograded" / "all-right" / name / f"{name}.ipynb", as_version=4
        )
        nbformat.validate(notebook)
        ids = {
            cell.metadata.nbgrader.grade_id
            for cell in notebook.cells
            if cell.metadata.get("nbgrader", {}).get("grade")
        }
        (part,) = standings["all-right"][name]["parts"]
        assert ids == set(part["exercises"])
        assert any(cell.get("outputs") for cell in notebook.cells)


def test_pages_and_links_are_there(practice: Practice) -> None:
    folder, standings = practice.folder, practice.standings
    assert (folder / "site" / "index.html").exists()
    with (folder / "links.csv").open(newline="") as file:
        links = {row["student"]: row["link"] for row in csv.DictReader(file)}
    assert set(links) == set(standings)
    assert all(Path(unquote(urlsplit(link).path)).exists() for link in links.values())
    assert len({urlsplit(link).fragment for link in links.values()}) == len(links)


def test_a_folder_that_is_no_practice_class_is_left_alone(
    small_course: SmallCourse, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = run("demo", "--out", str(tmp_path), cwd=small_course.root)
    assert done.returncode == 2
    assert "--out" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def reports(folder: Path) -> list[dict[str, Any]]:
    """What is recorded of gradings; a line that is being written does not count yet."""
    lines = [
        line
        for path in (folder / "ledger").glob("*.jsonl")
        for line in path.read_text().split("\n")[:-1]
    ]
    return [entry for entry in map(json.loads, lines) if entry["entry"] == "report"]


def test_killed_at_any_moment_it_ends_with_what_each_role_must_get(practice: Practice) -> None:
    """What each must get is compared by the command itself, which `results` asked for the differences."""
    graded = [entry["blob"] for entry in reports(practice.folder)]
    assert len(graded) > 9
    assert len(graded) == len(set(graded)), "a notebook was graded twice"
