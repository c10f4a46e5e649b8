"""docs/instructors.md followed word by word, from a clean clone against repositories on disk, to points on a page.

Every block of it is run, in its order and as it stands there; only what it writes in CAPITALS, addresses on GitHub and
dates are put in. Between its sections students work, as they would, and a person marks.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
import warm_autograder
from nbgrader.api import Gradebook
from pages_reading import Text, link_key, opened
from small_course import REPOSITORY

from autograder.course.configuration_file import load_course
from autograder.course.exam import read_exam
from autograder.record.ledger import Ledger
from autograder.rehearsal.student_roles import (
    Author,
    StudentDesk,
    answer_everything,
    answer_first_half,
)

pytestmark = pytest.mark.slow

GUIDE = REPOSITORY / "docs" / "instructors.md"
BUDAPEST = ZoneInfo("Europe/Budapest")
PLACES = (
    "URL-OF-THIS-PROJECT URL-OF-YOUR-PRIVATE-REPOSITORY URL-OF-THE-PUBLIC-REPOSITORY "
    "URL-OF-THE-POINTS-PAGES STUDENT"
)
FORK = "https://github.com/{}/DeepLearningCourse"
LATER = """
for _entry in c.Course.assignments.values():
    for _part in _entry.get("parts", {{"": _entry}}).values():
        _part["deadline"] = "{later}"
c.Course.assignments["hw01_numpy"]["deadline"] = "{deadline}"
"""


@dataclass(frozen=True)
class Block:
    """A fenced block: the number of its section, its language, what is in it, and the table it is if it is one."""

    section: int
    kind: str
    text: str
    table: str


def blocks(page: str) -> Iterator[Block]:
    """Yield the blocks to follow; a table's name is the last one the page told before it."""
    section, table = 0, ""
    pieces = r"^## (\d+)\.|`(\w+\.csv)`|^```(\w+)\n(.*?)^```$"
    for heading, name, kind, text in re.findall(pieces, page, re.DOTALL | re.MULTILINE):
        section, table = int(heading or section), name or table
        if kind and kind != "text":  # what is for cron
            yield Block(section, kind, text, table)


@dataclass
class Reader:
    """Someone who follows the guide on a machine; `folder` is where they are."""

    root: Path
    places: dict[str, str]
    environment: dict[str, str]
    folder: Path
    left: list[Block] = field(
        default_factory=lambda: list(blocks(GUIDE.read_text(encoding="utf-8")))
    )

    def follow(self, section: int, number: int = 99) -> str:
        """Do what the next blocks of a section say; return what was printed."""
        said = []
        while self.left and self.left[0].section == section and number:
            block, number = self.left.pop(0), number - 1
            text = self._filled(block.text)
            if block.kind == "sh":
                said.append(self.run(text))
            elif block.kind == "python":
                with (self.folder / "grading_config.py").open("a") as file:
                    file.write(text)
            elif block.kind == "csv":
                (self.folder / block.table).write_text(text)
            else:
                raise AssertionError(
                    f"section {section}: nobody knows what to do with {block.kind!r}"
                )
        assert said, f"section {section} has nothing to run"
        return "\n".join(said)

    def run(self, script: str) -> str:
        """Run lines in a shell that remembers where it was and what it had exported."""
        keep = self.root / "shell"
        whole = f"set -euo pipefail\n{script}\nexport -p > {keep}.new; pwd > {keep}.folder; mv {keep}.new {keep}\n"
        whole = (f". {keep}\n" if keep.exists() else "") + whole
        done = subprocess.run(
            ["bash", "-c", whole],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{script}\nsaid\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        self.folder = Path((self.root / "shell.folder").read_text().strip())
        return done.stdout + done.stderr

    def _filled(self, text: str) -> str:
        for name, value in self.places.items():
            text = text.replace(name, value)
        unfilled = re.findall(r"\b(?:URL|ADDRESS)-OF-[A-Z-]+|\b[A-Z]{4,}\b(?=$|\s)", text)
        assert not unfilled, f"nobody knows what to put for {unfilled}"
        return text

    # ------------------------------------------------------------------------------------------------ what there is now

    @property
    def course(self) -> Any:
        return load_course(self.folder / "grading_config.py")

    def standings(self) -> dict[str, dict[str, dict[str, Any]]]:
        return json.loads(self.run("autograder standings --json"))

    def points(self, assignment: str = "hw01_numpy") -> dict[str, float | None]:
        return {
            student: entries[assignment]["points"] for student, entries in self.standings().items()
        }

    def page(self, student: str) -> str:
        """The words on a student's page, opened with the link of links.csv."""
        with (self.folder / "links.csv").open() as file:
            link = next(row["link"] for row in csv.DictReader(file) if row["student"] == student)
        address = urlsplit(link).path.removeprefix("/")
        page = (self.folder / "site" / address).read_text()
        return Text(opened(page, link_key(link), Path(address).stem)).line

    def deadlines(self, deadline: datetime) -> None:
        """Give the first homework a deadline, and all others one that is far off."""
        later = datetime.now(BUDAPEST) + timedelta(days=90)
        with (self.folder / "grading_config.py").open("a") as file:
            file.write(
                LATER.format(
                    later=f"{later:%Y-%m-%d %H:%M}", deadline=f"{deadline:%Y-%m-%d %H:%M:%S}"
                )
            )


@dataclass(frozen=True)
class Forge:
    """Repositories on disk that stand for those on GitHub."""

    root: Path

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=cwd or self.root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def create(self, name: str, branch: str) -> str:
        self.git("init", "--quiet", "--bare", f"--initial-branch={branch}", f"{name}.git")
        return str(self.root / f"{name}.git")

    def project(self) -> str:
        """This repository as it is in its working folder, committed: what somebody clones."""
        copy = self.root / "project"
        ignored = shutil.ignore_patterns(
            ".git", ".venv", "demo", "*_cache", "__pycache__", ".hypothesis", "*.egg-info"
        )
        shutil.copytree(REPOSITORY, copy, ignore=ignored)
        self.git("init", "--quiet", "--initial-branch=main", cwd=copy)
        self.git("add", "--all", cwd=copy)
        self.git("commit", "--quiet", "--message", "The project", cwd=copy)
        return str(copy)

    def fork(self, student: str) -> None:
        self.git("clone", "--quiet", "--bare", "public.git", f"{student}.git")

    def hand_in(self, student: str, work: Author, reader: Reader, name: str = "hw01_numpy") -> None:
        """Let a student solve what is released, in a clone of their fork, and push it."""
        exam = read_exam(reader.course.source_path(name), reader.course.assignments[name].patterns)
        clone = self.root / f"{student}-clone"
        if not clone.exists():
            self.git("clone", "--quiet", f"{student}.git", clone.name)
        released = json.loads((clone / "assignments" / name / f"{name}.ipynb").read_text())
        for path, content in work(StudentDesk(student, exam, released)).items():
            (clone / path).write_bytes(content)
        self.git("add", "assignments", cwd=clone)
        self.git("commit", "--quiet", "--message", "Homework", cwd=clone)
        self.git("push", "--quiet", cwd=clone)


@pytest.fixture
def forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Forge:
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Someone")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "someone@example.org")
    (tmp_path / "forge").mkdir()
    return Forge(tmp_path / "forge")


@pytest.fixture
def reader(tmp_path: Path, forge: Forge) -> Reader:
    places = {
        "URL-OF-THIS-PROJECT": forge.project(),
        "URL-OF-YOUR-PRIVATE-REPOSITORY": forge.create("private", "main"),
        "URL-OF-THE-PUBLIC-REPOSITORY": forge.create("public", "master"),
        "URL-OF-THE-POINTS-PAGES": "https://points.example",
        "STUDENT": "on-time",
        "2027-03-09 23:59": f"{datetime.now(BUDAPEST) + timedelta(days=7):%Y-%m-%d %H:%M}",
    }
    places |= {
        FORK.format(student): str(forge.root / f"{student}.git") for student in ("on-time", "late")
    }
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GITHUB_", "VIRTUAL_ENV"))
    }
    home = tmp_path / "home"
    home.mkdir()
    programs = [
        str(warm_autograder.folder_for_path()),
        str(Path(sys.executable).parent),
        os.environ["PATH"],
    ]
    machine = {
        "PATH": os.pathsep.join(programs),
        "OPENBLAS_NUM_THREADS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    return Reader(tmp_path, places, own | machine, home)


def lend_libraries(folder: Path) -> None:
    """Put the libraries of this environment within reach of one that is made there, so that pip need not fetch them.

    venv gives no pip to an environment that sees another's. That other one would install into the environment that
    runs the tests, so here it only finds out whether it could; `autograder` is the one under test all the same.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages, programs = (
        folder / ".venv" / "lib" / version / "site-packages",
        folder / ".venv" / "bin",
    )
    packages.mkdir(parents=True)
    programs.mkdir()
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = programs / "pip"
    pip.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pip "$@" --dry-run\n')
    pip.chmod(0o755)


@pytest.mark.timeout(1800)
def test_the_guide_followed_word_by_word_ends_with_points_on_a_page(
    reader: Reader, forge: Forge
) -> None:
    reader.follow(1)
    lend_libraries(reader.folder)
    program = Path(sys.executable).parent / "autograder"
    before = program.stat().st_mtime_ns
    assert "MISSING" not in reader.follow(2)
    assert program.stat().st_mtime_ns == before, (
        "the guide was installed into the environment of the tests"
    )
    reader.deadlines(datetime.now(BUDAPEST) + timedelta(days=30))
    reader.follow(3)

    published = reader.follow(4)
    assert (
        "got one more commit" in published
        and "hw02_linear_regression is not released yet" in published
    )
    files = forge.git(
        "ls-tree", "-r", "--name-only", "master", cwd=forge.root / "public.git"
    ).splitlines()
    assert [name for name in files if name.startswith("assignments/")] == [
        "assignments/hw01_numpy/hw01_numpy.ipynb"
    ]

    for student in ("on-time", "late"):
        forge.fork(student)
    assert "MISSING" not in reader.follow(5)
    forge.hand_in("on-time", answer_first_half, reader)
    seen = reader.follow(6)
    assert (
        "collected: 1 new pushes from 2 repositories, 0 failed" in seen
        and "graded: 1 notebooks, 0 failed" in seen
    )
    assert reader.points() == {
        "on-time": 7.0,
        "late": None,
    }  # not begun is not 0 before the deadline
    assert "So far 7 of 20 points" in reader.page("on-time")

    reader.follow(8)
    subjects = forge.git("log", "--format=%s", "master", cwd=forge.root / "public.git").splitlines()
    assert len(subjects) == 2 and "hw02_linear_regression" in subjects[0]

    forge.hand_in("on-time", answer_everything, reader)
    reader.run("autograder collect")
    reader.deadlines(just_now())
    forge.hand_in("late", answer_first_half, reader)
    reader.run("autograder run")
    assert reader.points() == {"on-time": 20.0, "late": 0.0}
    assert reader.standings()["late"]["hw01_numpy"]["parts"][0]["state"] == "pushed too late"
    reader.follow(9)
    assert reader.points() == {"on-time": 20.0, "late": 7.0}

    earlier = {
        student: Ledger(reader.course.ledger).read(student) for student in ("on-time", "late")
    }
    repair(reader.course.source_path("hw01_numpy"))
    assert "graded: 2 notebooks, 0 failed" in reader.follow(10)
    later = {student: Ledger(reader.course.ledger).read(student) for student in ("on-time", "late")}
    for student in earlier:
        assert later[student].pushes == earlier[student].pushes
        assert len(later[student].graded) > len(earlier[student].graded)
    assert reader.points() == {"on-time": 20.0, "late": 7.0}

    reader.follow(11, 1)
    exercise = mark(reader, "late", 0.5, "Half a point for the idea.")
    assert "1 new marks by hand" in reader.follow(11)
    assert reader.points() == {"on-time": 20.0, "late": 7.5}

    reader.follow(12)
    points = {
        row["ID number"]: row["Arrays and matrices with NumPy"]
        for row in table(reader, "moodle.csv")
    }
    assert points == {"K3X9QA": "20", "P7R2MD": "7.5"}
    canvas = {
        row["SIS User ID"]: row["Arrays and matrices with NumPy"]
        for row in table(reader, "canvas.csv")
    }
    assert canvas == {"": "20"} | points
    assert {row["points"] for row in table(reader, "points.csv") if row["student"] == "late"} == {
        "7.5"
    }
    theirs = {
        row["student_id"]: float(row["score"])
        for row in table(reader, "nbgrader.csv")
        if "hw01" in row["assignment"]
    }
    assert theirs == {"on-time": 20.0, "late": 7.5}

    old = (reader.folder / "links.csv").read_text().splitlines()
    reader.follow(13)
    new = (reader.folder / "links.csv").read_text().splitlines()
    assert [one == other for one, other in zip(old, new, strict=True)] == [True, False, True]
    assert "So far 20 of 20 points" in reader.page("on-time")
    words = reader.page("late")
    assert "So far 7.5 of 20 points" in words and "extended for you" in words
    assert (
        f"{exercise} 0.5 of" in words
        and "marked by a person Comment: Half a point for the idea." in words
    )

    assert "MISSING" not in reader.follow(15)
    branches = forge.git(
        "branch", "--format=%(refname:short)", cwd=forge.root / "private.git"
    ).splitlines()
    assert branches == ["last-year", "last-year-notebooks", "main"]
    kept = forge.git(
        "ls-tree", "-r", "--name-only", "last-year", cwd=forge.root / "private.git"
    ).splitlines()
    assert kept == [
        "extensions.csv",
        "keys.json",
        "ledger/late.jsonl",
        "ledger/on-time.jsonl",
        "roster.csv",
    ]
    assert reader.left == [], "a block of the guide was not followed"


def just_now() -> datetime:
    """The next second, once it is there: what was collected before is before it.

    A deadline at the first second of a minute would stand for all of it.
    """
    now = datetime.now(BUDAPEST)
    second = now.replace(microsecond=0) + timedelta(seconds=1)
    if not second.second:
        second += timedelta(seconds=1)
    time.sleep((second - now).total_seconds())
    return second


def repair(source: Path) -> None:
    """Change a hidden test of a source notebook, as its author would."""
    notebook = json.loads(source.read_text())
    cell = next(
        cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")
    )
    lines = "".join(cell["source"]).replace(
        "### END HIDDEN TESTS", "# repaired\n### END HIDDEN TESTS"
    )
    cell["source"] = lines
    source.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def mark(reader: Reader, student: str, points: float, comment: str) -> str:
    """Enter a mark and a comment as the formgrader does, for an exercise that has no points; return which."""
    with Gradebook(f"sqlite:///{reader.folder / 'gradebook.db'}") as book:
        notebook = book.find_submission_notebook("hw01_numpy", "hw01_numpy", student)
        grade = next(grade for grade in notebook.grades if grade.auto_score == 0)
        grade.manual_score, grade.needs_manual_grade = points, False
        cell = f"{grade.cell.name}_solution"
        next(
            entry for entry in notebook.comments if entry.cell.name == cell
        ).manual_comment = comment
        book.db.commit()
        return grade.cell.name


def table(reader: Reader, name: str) -> list[dict[str, str]]:
    with (reader.folder / name).open() as file:
        return list(csv.DictReader(file))


def test_everything_in_capitals_has_a_meaning() -> None:
    text = "".join(block.text for block in blocks(GUIDE.read_text(encoding="utf-8")))
    assert set(re.findall(r"URL-[A-Z-]+|STUDENT", text)) == set(PLACES.split())
