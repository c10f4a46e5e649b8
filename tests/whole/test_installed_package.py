"""The grader as an installed package: built as others would build it, and used on a course that is none of ours."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from small_class import Class
from small_course import REPOSITORY, make_small_course

pytestmark = pytest.mark.slow

BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"


@dataclass(frozen=True)
class Installed:
    """An environment in which the wheel is installed, and the files that were built."""

    folder: Path
    source: Path
    wheel: Path

    def autograder(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run the installed command, with nothing of this repository in sight."""
        unwanted = ("PYTHON", "AUTOGRADER", "GITHUB_", "VIRTUAL_ENV")
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(unwanted)
        }
        command = [str(self.folder / "bin" / "autograder"), *arguments]
        return subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )


def build(kind: str, project: Path, to: Path) -> Path:
    """Build an sdist or a wheel of a project as a frontend does, with the setuptools at hand."""
    to.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", BUILD, f"build_{kind}", str(to)],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return to / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the sdist from the files git knows, the wheel from the sdist, and install that."""
    root = tmp_path_factory.mktemp("installed")
    project = root / "project"
    listed = [
        "git",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "autograder",
        "*.toml",
        "README.md",
    ]
    names = subprocess.run(
        listed, cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in filter(None, names):
        if (REPOSITORY / name).is_file():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_bytes((REPOSITORY / name).read_bytes())
    source = build("sdist", project, root / "built")
    with tarfile.open(source) as archive:
        archive.extractall(root / "unpacked", filter="data")
    (unpacked,) = (root / "unpacked").iterdir()
    wheel = build("wheel", unpacked, root / "built")
    folder = root / "environment"
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    packages = Path(
        sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    )
    # What it depends on is lent; files of the kind that make an editable installation are not read in a lent folder.
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    alembic = (
        folder / "bin" / "alembic"
    )  # nbgrader starts it by name, from the folder of the environment's Python
    alembic.write_text(f"#!{python}\nfrom alembic.config import main\n\nmain()\n", encoding="utf-8")
    alembic.chmod(0o755)
    return Installed(folder, source, wheel)


def test_the_wheel_holds_every_file_of_the_package(installed: Installed) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "autograder"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    wanted = {name for name in tracked.stdout.splitlines() if (REPOSITORY / name).is_file()}
    with zipfile.ZipFile(installed.wheel) as archive:
        inside = set(archive.namelist())
    assert wanted - inside == set()
    assert {name.split("/")[0] for name in inside} - {"autograder"} == {
        f"{'-'.join(installed.wheel.name.split('-')[:2])}.dist-info"
    }


def test_the_installed_command_is_the_wheels(installed: Installed, tmp_path: Path) -> None:
    where = "import autograder.jail.seccomp as module; print(module.__file__)"
    python = str(installed.folder / "bin" / "python")
    done = subprocess.run(
        [python, "-c", where], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()).is_relative_to(installed.folder)
    assert installed.autograder("--version", cwd=tmp_path).stdout.startswith("autograder ")


@pytest.mark.release
def test_a_foreign_course_is_released_graded_and_published_as_pages(
    installed: Installed, tmp_path: Path
) -> None:
    """In a folder that holds a configuration and a source notebook, and no file of this repository."""
    course = make_small_course(tmp_path / "elsewhere")
    pupils = Class(course)
    pupils.enrol("right", "wrong")
    released = installed.autograder("release", "hw", cwd=course.root)
    assert released.returncode == 0, released.stderr
    done = installed.autograder("run", cwd=course.root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "graded: 2 notebooks, 0 failed" in done.stdout
    standings = installed.autograder("standings", cwd=course.root).stdout
    rows = {line.split()[0]: line.split() for line in standings.splitlines() if line.split()}
    assert rows["right"][1:4] == ["2", "/", "2"] and rows["wrong"][1] != "2"
    site = course.root / "site"
    assert (site / "index.html").exists() and list(site.rglob("*.css"))
