"""The practice class as its users run it: as a command, killed, started again, exported by nbgrader."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from small_course import REPOSITORY, SmallCourse

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
    standings: dict[str, Any]


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*AUTOGRADER, *arguments], cwd=cwd, capture_output=True, text=True, env=ENVIRONMENT
    )


def results(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["differences"] == []
    return found["standings"]


def course_of_one(folder: Path) -> Path:
    """The course with its first homework; in each of the others everybody does the same again."""
    shutil.copytree(REPOSITORY / "solutions" / "hw01_numpy", folder / "solutions" / "hw01_numpy")
    settings = (REPOSITORY / "grading_config.py").read_text(encoding="utf-8")
    left_out = "for name in list(c.Course.assignments)[1:]:\n    del c.Course.assignments[name]\n"
    (folder / "grading_config.py").write_text(settings + left_out, encoding="utf-8")
    return folder


@pytest.fixture(
    scope="module", params=["one homework", pytest.param("all", marks=pytest.mark.release)]
)
def practice(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Practice:
    """The course's practice class, run once."""
    course = (
        REPOSITORY if request.param == "all" else course_of_one(tmp_path_factory.mktemp("course"))
    )
    folder = tmp_path_factory.mktemp("practice") / "class"
    return Practice(
        course, folder, results(run("demo", "--json", "--out", str(folder), cwd=course))
    )


def test_every_role_gets_what_it_must(practice: Practice) -> None:
    standings = practice.standings
    points = {
        student: {name: entry["points"] for name, entry in by.items()}
        for student, by in standings.items()
    }
    full = {name: entry["max_points"] for name, entry in standings["all-right"].items()}
    assert len(points) == 18
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
    again = run("demo", "--json", "--out", str(folder), cwd=practice.course)
    assert results(again) == standings
    assert f"going on with the class in {folder}" in again.stderr and "graded:" not in again.stderr
    assert {path.name: path.read_bytes() for path in (folder / "ledger").iterdir()} == before


def test_nbgrader_exports_the_points_of_the_pages(practice: Practice) -> None:
    folder, standings = practice.folder, practice.standings
    command = [sys.executable, "-m", "nbgrader", "export"]
    subprocess.run(command, cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)
    with (folder / "grades.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    exported = {(row["student_id"], row["assignment"]): float(row["score"]) for row in rows}
    assert exported == {
        (student, name): pytest.approx(entry["points"])
        for student, by_assignment in standings.items()
        for name, entry in by_assignment.items()
    }
    assert {float(row["max_score"]) for row in rows if row["assignment"] == "hw01_numpy"} == {20.0}


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


def test_killed_at_any_moment_it_ends_with_what_each_role_must_get(
    small_course: SmallCourse, tmp_path: Path
) -> None:
    """What each must get is compared by the command itself, which `results` asks for the differences."""
    folder = tmp_path / "killed"
    command = ["demo", "--json", "--students", "19", "--out", str(folder)]
    moments = {
        "before anything is collected": lambda: folder.exists(),
        "when the first is graded": lambda: len(reports(folder)) >= 1,
        "when half are graded": lambda: len(reports(folder)) >= 9,
    }
    for moment, reached in moments.items():
        process = subprocess.Popen(
            [*AUTOGRADER, *command],
            cwd=small_course.root,
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
    standings = results(run(*command, cwd=small_course.root))
    assert len(standings) == 19, "with more students the roles repeat"
    assert standings["all-right-2"]["hw"]["points"] == standings["all-right"]["hw"]["points"] == 2.0
    graded = [entry["blob"] for entry in reports(folder)]
    assert len(graded) == len(set(graded)), "a notebook was graded twice"
