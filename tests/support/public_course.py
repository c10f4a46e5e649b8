"""A public course, a fork and its clone, as real git repositories in a folder; and one student who works in them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import warm_autograder
from small_course import DOUBLE, code, dump, text

HW = "assignments/hw/hw.ipynb"
COPY = "assignments/hw/hw_solved.ipynb"
STUB = DOUBLE.replace(
    "    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION",
    "    raise NotImplementedError",
)
ANSWER = "def double(x):\n    return x + x"
IMPORTS = "from autograder.checks import check, expect"
CHECKS = """\
@check
def double_of_one():
    "double(1) is 2"
    expect(double(1) == 2, f"it is {double(1)}")


@check
def double_of_three():
    "double(3) is 6"
    expect(double(3) == 6, f"it is {double(3)}")
"""
CARD = """\
name = "A small course"
upstream = "{upstream}"
branch = "master"
points = "https://points.example"

[assignments.hw]
title = "Homework"
deadlines = {{ "" = 2100-03-06T23:59:00+01:00 }}
"""


def released(
    answer: str = STUB, checks: str = CHECKS, extra: Iterable[dict[str, Any]] = ()
) -> bytes:
    """The notebook of the homework as students have it, with an answer and cells added at its end."""
    return dump(
        [
            text("# Homework"),
            code(IMPORTS, grade_id="imports", locked=True),
            code(answer, grade_id="double_solution", solution=True),
            code(checks, grade_id="double_checks", locked=True),
            code("# Hidden tests run here.", grade_id="double", grade=True, locked=True, points=2),
            *extra,
        ]
    )


def run(notebook: bytes) -> bytes:
    """The same notebook after Jupyter ran it: with outputs and counts, and without the final newline."""
    data = json.loads(notebook)
    for number, cell in enumerate(cell for cell in data["cells"] if cell["cell_type"] == "code"):
        cell["execution_count"] = number + 1
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["ran\n"]}]
    return json.dumps(data, indent=1).encode()


def conflicting(ours: bytes, theirs: bytes) -> bytes:
    """A notebook file as a merge leaves it that stopped at a conflict."""
    return b"<<<<<<< HEAD\n" + ours + b"\n=======\n" + theirs + b"\n>>>>>>> upstream/master\n"


@dataclass(frozen=True)
class Git:
    """A repository, and git to use on it as a person does."""

    path: Path

    def __call__(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 or not check, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.rstrip("\n")

    def write(self, files: Mapping[str, bytes | None]) -> None:
        for name, content in files.items():
            file = self.path / name
            if content is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)

    def commit(self, files: Mapping[str, bytes | None], subject: str = "Work") -> str:
        self.write(files)
        self("add", "--all", "--force")
        self("commit", "--quiet", "--message", subject)
        return self("rev-parse", "HEAD")

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()


@dataclass(frozen=True)
class PublicCourse:
    """The course's public repository, the student's fork of it, and the student's clone of the fork."""

    root: Path

    @property
    def upstream(self) -> str:
        return (self.root / "course.git").as_uri()

    @property
    def teacher(self) -> Git:
        return Git(self.root / "teacher")

    @property
    def student(self) -> Git:
        return Git(self.root / "student")

    def publish(self, files: Mapping[str, bytes | None], subject: str = "News") -> None:
        self.teacher.commit(files, subject)
        self.teacher("push", "--quiet", "origin", "master")

    def fork(self) -> None:
        Git(self.root)("clone", "--quiet", "--bare", "course.git", "fork.git")
        Git(self.root)("clone", "--quiet", (self.root / "fork.git").as_uri(), "student")

    def autograder(
        self, *arguments: str, say: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Let the student run the command line in their clone."""
        # What Python reads at its start, the warm command has heard too late.
        is_other = any(name.startswith("PYTHON") for name in environment)
        command = [sys.executable, "-m", "autograder"] if is_other else warm_autograder.command()
        return subprocess.run(
            [*command, *arguments],
            cwd=self.student.path,
            env={
                name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")
            }
            | environment,
            input=say,
            capture_output=True,
            text=True,
            check=False,
        )


def make_public_course(root: Path) -> PublicCourse:
    """A course with one homework, forked and cloned."""
    course = PublicCourse(root)
    git = Git(root)
    git("init", "--quiet", "--bare", "--initial-branch=master", "course.git")
    git("clone", "--quiet", "course.git", "teacher")
    course.teacher("switch", "--quiet", "--orphan", "master")
    course.publish(
        {
            HW: released(),
            "course.toml": CARD.format(upstream=course.upstream).encode(),
            "README.md": b"# A small course\n",
            ".gitignore": b".ipynb_checkpoints/\n",
            ".gitattributes": b"*.ipynb -merge text eol=lf\n",
            "demonotebooks/demo.ipynb": dump([code("a = 1")]),
        },
        "The course",
    )
    course.fork()
    return course


# --- fixtures -------------------------------------------------------------------------------------------------

PERSON = (
    "[user]\nname = on-time\nemail = on-time@students.example\n[init]\ndefaultBranch = master\n"
)


@dataclass(frozen=True)
class Made:
    """A public course with its fork and clone: where tests use it, and as it was made."""

    used: Path
    kept: Path


@pytest.fixture
def a_person(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let git know one student, and nothing of whoever runs the tests."""
    config = tmp_path_factory.mktemp("home") / "gitconfig"
    config.write_text(PERSON)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture(scope="session")
def public_course_as_made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("public")
    found = Made(folder / "used", folder / "kept")
    found.used.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        (folder / "gitconfig").write_text(PERSON)
        patch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        make_public_course(found.used)
    found.used.rename(found.kept)
    return found


@pytest.fixture
def public_course(public_course_as_made: Made, a_person: None) -> PublicCourse:
    """The course as it was made, in the folder that its repositories know one another by."""
    shutil.rmtree(public_course_as_made.used, ignore_errors=True)
    shutil.copytree(public_course_as_made.kept, public_course_as_made.used, symlinks=True)
    course = PublicCourse(public_course_as_made.used)
    for clone in (course.teacher, course.student):
        clone("update-index", "--refresh")  # the copies are other files than those git has seen
    return course
