"""docs/adopting.md followed word by word: on a course made for nbgrader, a Moodle archive, a class of repositories."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import warm_autograder
from example_course import (
    RIGHT_1,
    RIGHT_2,
    WRONG_1,
    write_example_course,
    write_moodle_archive,
    write_submitted,
)
from small_course import REPOSITORY

from autograder.rehearsal.forge_on_disk import BareRepository

pytestmark = pytest.mark.slow

GUIDE = REPOSITORY / "docs" / "adopting.md"
BLOCK = re.compile(r"```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)
PUSHED = datetime(2027, 3, 6, 20, 0, tzinfo=UTC)


class Reader:
    """Somebody who does what the page says, section by section, in the folder of a course."""

    def __init__(self, folder: Path, guide: Path = GUIDE) -> None:
        self.folder = folder
        self.guide = guide
        programs = [str(warm_autograder.folder_for_path()), str(Path(sys.executable).parent)]
        path = os.pathsep.join([*programs, os.environ["PATH"]])
        self.environment = os.environ | {"PATH": path}

    def follow(self, section: str, **meant: str) -> str:
        """Do what a section's blocks say, its words in capitals replaced; return what was printed."""
        text = (
            self.guide.read_text(encoding="utf-8").split(f"## {section}", 1)[1].split("\n## ", 1)[0]
        )
        printed = []
        for block in BLOCK.finditer(text):
            content = block["text"]
            for word, value in meant.items():
                content = content.replace(word.replace("_", "-"), value)
            if block["kind"] == "csv":
                (self.folder / "roster.csv").write_text(content)
            elif block["kind"] == "python":
                with (self.folder / "grading_config.py").open("a") as config:
                    config.write(content)
            else:
                printed.append(self.run(content))
        return "".join(printed)

    def run(self, commands: str) -> str:
        done = subprocess.run(
            ["bash", "-e", "-c", commands],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


def read_sources(folder: Path) -> dict[str, bytes]:
    source = folder / "source"
    return {str(path): path.read_bytes() for path in sorted(source.rglob("*")) if path.is_file()}


def find_line(printed: str, word: str) -> str:
    """Return the last line with a word, its blanks made one."""
    return " ".join([line for line in printed.splitlines() if word in line][-1].split())


def test_the_guide_followed_word_by_word(tmp_path: Path) -> None:
    folder = tmp_path / "course"
    write_example_course(folder)
    sources = read_sources(folder)
    reader = Reader(folder)

    printed = reader.follow("1. A course made for nbgrader")
    assert "ps1/problem1: 1 exercises, 2 points, all tests run outside of the jail" in printed
    assert "ps1/problem2: 3 exercises, 6 points, 1 tested inside the jail" in printed
    assert "counter inside:" in printed
    assert "needs a hand" not in printed
    assert sources.items() <= read_sources(folder).items(), "no notebook is changed"
    released = sorted(
        path.relative_to(folder).as_posix() for path in (folder / "release").rglob("*.ipynb")
    )
    assert released == [f"release/ps1/{name}.ipynb" for name in ("problem1", "problem2")]
    assert (folder / "release/ps1/data/numbers.txt").exists()

    write_submitted(folder / "submitted")
    write_moodle_archive(folder / "ps1.zip")
    printed = reader.follow("2. Work that does not come by git")
    assert "on-time: ps1, handed in Sat 6 Mar 2027, 21:15 CET" in printed
    assert find_line(printed, "  on-time ") == "on-time 6 / 8 graded 6"
    assert find_line(printed, "  late ") == "late 2 / 8 graded 2", (
        "what came last, by Moodle, counts"
    )
    with (folder / "grades.csv").open() as file:
        scores = {
            (row["student_id"], row["assignment"]): float(row["score"])
            for row in csv.DictReader(file)
        }
    assert scores == {
        ("on-time", "ps1"): 6.0,
        ("late", "ps1"): 2.0,
    }


def test_a_class_with_a_repository_for_each_assignment(tmp_path: Path) -> None:
    folder = tmp_path / "course"
    write_example_course(folder)
    reader = Reader(folder)
    reader.follow("1. A course made for nbgrader")
    octo = BareRepository(tmp_path / "class" / "ps1-octo", "main")
    octo.create()
    work = {
        "problem1.ipynb": RIGHT_1,
        "sub/my second.ipynb": RIGHT_2,
        "sub/mine.py": b"add = sum\n",
    }
    octo.push(work, "work", PUSHED)
    cat = BareRepository(tmp_path / "class" / "ps1-cat", "trunk")
    cat.create()
    cat.push({"problem1.ipynb": WRONG_1}, "work", PUSHED)
    printed = reader.follow(
        "3. A repository for each student and assignment", OUR_CLASS=str(tmp_path / "class")
    )
    assert find_line(printed, "  on-time ") == "on-time 6 / 8 graded 6"
    assert find_line(printed, "  late ") == "late 0 / 8 graded 0", printed
    assert (folder / "site" / "index.html").exists(), "a points page"
