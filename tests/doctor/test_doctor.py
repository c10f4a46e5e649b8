"""The doctor: it has nothing to say of a course that is set up, and a sentence with the next step for what is not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import warm_autograder
from marked_course import EARLY, ROSTER, MarkedCourse, make_marked_course
from nbgrader_course import nbgrader
from small_course import CONFIG, SmallCourse

from autograder.course.configuration_file import load_course
from autograder.doctor import machine_check as doctor
from autograder.doctor.course_check import examine_course
from autograder.doctor.machine_check import Finding
from autograder.publishing.release import is_release_current
from autograder.record.page_keys import PageKeys

pytestmark = pytest.mark.slow

HERE = """
c.Course.upstream = "{upstream}"
c.Course.site_url = "https://points.example"
c.Course.contact = "mailto:course@example.org"
"""
BARE = ("git", "init", "--quiet", "--bare", "--initial-branch=master")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with everything: released, forks that exist, keys, gradebook."""
    folder = tmp_path_factory.mktemp("whole")
    course = make_marked_course(folder / "course")
    root = course.small.root
    shutil.rmtree(root / "assignments")
    for name in ("public", "on-time", "late"):
        subprocess.run([*BARE, str(folder / f"{name}.git")], check=True)
    config = course.small.config
    config.write_text(CONFIG + HERE.format(upstream=folder / "public.git"))
    (root / "roster.csv").write_text(ROSTER.replace("/forks/", f"{folder}/"))
    loaded = load_course(config)
    nbgrader(root, "generate_assignment", "hw")
    course.grade("on-time", EARLY)
    course.update()
    PageKeys.load_or_create(loaded.keys)
    return folder


@pytest.fixture
def course(whole: Path, tmp_path: Path) -> MarkedCourse:
    """A copy of its folder; the repositories stay where they are."""
    root = tmp_path / "course"
    shutil.copytree(whole / "course", root)
    return MarkedCourse(SmallCourse(root))


def findings(course: MarkedCourse, **options: bool) -> dict[str, Finding]:
    return {finding.what: finding for finding in examine_course(course.small.config, **options)}


def test_of_a_course_that_is_set_up_only_what_is_to_come_is_said(course: MarkedCourse) -> None:
    found = findings(course)
    assert [name for name, finding in found.items() if not finding.good] == ["public repository"]
    assert "branch master is not there yet" in found["public repository"].detail
    assert found["public repository"].step == "autograder publish"
    assert found["source of hw"].detail == "2 exercises, 6 points, 1 marked by a person"
    assert found["ledger"].detail == "1 students have pushed"


def config(old: str, new: str) -> Any:
    def change(course: MarkedCourse) -> None:
        text = course.small.config.read_text()
        assert old in text
        course.small.config.write_text(text.replace(old, new))

    return change


def lines(name: str, text: str) -> Any:
    def write(course: MarkedCourse) -> None:
        (course.small.root / name).write_text(text)

    return write


def remote(address: str) -> Any:
    def change(course: MarkedCourse) -> None:
        path = course.small.root / "roster.csv"
        header, first, second = path.read_text().splitlines()
        _, *rest = second.split(",")[1:]
        path.write_text("\n".join([header, first, ",".join(["late", address, *rest])]) + "\n")

    return change


def same_remote(course: MarkedCourse) -> None:
    path = course.small.root / "roster.csv"
    path.write_text(path.read_text().replace("late.git", "on-time.git"))


def gone(name: str) -> Any:
    def remove(course: MarkedCourse) -> None:
        path = course.small.root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return remove


def other_source(course: MarkedCourse) -> None:
    course.small.source.write_text(
        course.small.source.read_text().replace("# Homework", "# Homework, repaired")
    )


def more_points(course: MarkedCourse) -> None:
    course.small.source.write_text(
        course.small.source.read_text().replace('"points": 4', '"points": 5')
    )


def open_keys(course: MarkedCourse) -> None:
    (course.small.root / "keys.json").chmod(0o644)


FORGE = "c.Course.clock = 'server'\n#"
NOBODY = "student,assignment,deadline\nnobody,hw,2027-03-09 23:59\n"
REMOTES = "students' remotes"
HARMS = {
    "misspelt": (
        config("Course.name", "Course.nmae"),
        "configuration",
        True,
        "did you mean 'name'",
        "grading_config.py",
    ),
    "in UTC": (config("Europe/Budapest", "UTC"), "time zone", False, "UTC", "c.Course.timezone"),
    "last year": (
        config("2027-03-06", "2020-03-06"),
        "deadlines",
        False,
        "0 of 1 to come",
        "new deadlines",
    ),
    "no address": (
        config("c.Course.site_url", "# "),
        "address of the pages",
        False,
        "not set",
        "c.Course.site_url",
    ),
    "no contact": (config("c.Course.contact", "# "), "contact", False, "not set", "mailto:"),
    "crowded": (
        config("c.Course.site_url", "c.Course.workers = 4000\n#"),
        "workers",
        False,
        "4000 at",
        "at most",
    ),
    "elsewhere": (config("c.Course.site_url", FORGE), REMOTES, True, "whose clock", "owner/"),
    "no token": (
        config("c.Course.site_url", FORGE),
        "token of the forge",
        False,
        "60 requests",
        "export",
    ),
    "no public": (
        config("public.git", "no.git"),
        "public repository",
        True,
        "does not exist",
        "c.Course.upstream",
    ),
    "unnamed": (
        config("c.Course.upstream", "# "),
        "public repository",
        False,
        "not named",
        "c.Course.upstream",
    ),
    "no source": (
        gone("solutions/hw/hw.ipynb"),
        "source of hw",
        True,
        "no such file",
        "source notebook",
    ),
    "for later": (
        gone("assignments/hw"),
        "release of hw",
        False,
        "not released yet",
        "autograder release hw",
    ),
    "repaired": (other_source, "release of hw", False, "differs", "autograder release hw"),
    "more points": (more_points, "gradebook", False, "does not know hw", "autograder gradebook"),
    "no database": (
        lines("gradebook.db", "no database"),
        "gradebook",
        True,
        "not a database",
        "move it away",
    ),
    "no roster": (gone("roster.csv"), "roster", False, "no /", "state pull"),
    "no column": (
        lines("roster.csv", "student\nlate\n"),
        "roster",
        True,
        "'remote' is missing",
        "roster.csv",
    ),
    "no students": (
        lines("roster.csv", "student,remote\n"),
        "roster",
        False,
        "0 students",
        "a line for each",
    ),
    "no fork": (
        remote("/no/late.git"),
        REMOTES,
        True,
        "late: /no/late.git does not exist",
        "owner/",
    ),
    "no form": (remote("late's fork"), REMOTES, True, "neither an address nor a path", "https://"),
    "a profile": (
        remote("https://github.com/late"),
        REMOTES,
        True,
        "not the address of a repository",
        "owner/",
    ),
    "a password": (
        remote("https://me:secret@git.example/a.git"),
        REMOTES,
        True,
        "a password",
        "owner/",
    ),
    "twice": (same_remote, REMOTES, True, "is another student's, too", "owner/"),
    "nobody": (
        lines("extensions.csv", NOBODY),
        "extensions",
        True,
        "no student 'nobody'",
        "extensions.csv",
    ),
    "torn": (
        lines("ledger/on-time.jsonl", "{broken\n"),
        "ledger",
        True,
        "line 1: cannot be read",
        "verify --repair",
    ),
    "open keys": (open_keys, "page keys", True, "mode 644", "chmod 600"),
    "no keys": (lines("keys.json", "{}"), "page keys", True, "not a file of keys", "restore"),
}


@pytest.mark.parametrize(("harm", "what", "needed", "detail", "step"), HARMS.values(), ids=HARMS)
def test_what_is_wrong_is_said_with_the_next_step(
    course: MarkedCourse,
    monkeypatch: pytest.MonkeyPatch,
    harm: Any,
    what: str,
    needed: bool,
    detail: str,
    step: str,
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    harm(course)
    finding = findings(course)[what]
    assert (finding.good, finding.needed) == (False, needed)
    assert detail in finding.detail and step in finding.step, finding.line
    assert "secret" not in finding.line


@pytest.mark.parametrize(
    "address",
    [
        "late/course",
        "https://github.com/late/course",
        "git@github.com:late/course.git",
        "https://git.example/a/b.git",
        "none",  # whose work comes by `autograder import`
    ],
)
def test_remotes_of_every_form_are_good(course: MarkedCourse, address: str) -> None:
    remote(address)(course)
    assert findings(course)["students' remotes"].good


def test_the_public_repository_elsewhere_is_asked_only_when_wanted(
    course: MarkedCourse, whole: Path
) -> None:
    config(f"{whole}/public.git", "https://127.0.0.1:9/course.git")(course)
    assert findings(course)["public repository"].good
    asked = findings(course, network=True)["public repository"]
    assert (asked.good, asked.needed, "does not answer" in asked.detail) == (False, True, True)


def test_looking_changes_nothing(course: MarkedCourse) -> None:
    def contents() -> dict[str, bytes]:
        return {
            str(path): path.read_bytes() for path in course.small.root.rglob("*") if path.is_file()
        }

    before = contents()
    findings(course)
    assert contents() == before


def test_a_release_is_current_until_its_source_changes(course: MarkedCourse) -> None:
    assert is_release_current(course.classroom.course, "hw")
    other_source(course)
    assert not is_release_current(course.classroom.course, "hw")


# --------------------------------------------------------------------------------------------------------- the machine


def test_a_missing_module_is_missing_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "MODULES", ("numpy", "no-such-module"))
    found = {finding.what: finding for finding in doctor.examine_machine()}
    assert found["numpy"].good
    assert found["no-such-module"].line.startswith(
        "MISSING  no-such-module: not installed → pip install"
    )


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*warm_autograder.command(), "doctor", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=os.environ, check=False
    )


def test_the_command_looks_at_the_machine_and_inside_a_course_at_that_too(
    course: MarkedCourse, tmp_path: Path
) -> None:
    outside = run(tmp_path)
    assert outside.stdout.startswith("this machine\n") and "this course" not in outside.stdout
    inside = run(course.small.root)
    assert "this course\nok       configuration" in inside.stdout
    assert inside.returncode == outside.returncode, inside.stdout
    open_keys(course)
    assert run(course.small.root).returncode == 1


def test_the_command_gives_json(course: MarkedCourse) -> None:
    data = json.loads(run(course.small.root, "--json").stdout)
    (release,) = [finding for finding in data if finding["what"] == "release of hw"]
    assert release == {
        "what": "release of hw", "good": True, "detail": "is what its source gives", "needed": False,
        "step": "autograder release hw",
    }  # fmt: skip
