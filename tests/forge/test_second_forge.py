"""Another forge is one module: collecting works with one that answers from bare repositories in a folder."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from folder_forge import create_repository

from autograder.collecting.collect import poll_remotes
from autograder.course.configuration import Assignment, Course, ForgeOptions, Part
from autograder.course.errors import ConfigError
from autograder.course.submissions import Clock, Student
from autograder.forge.forge_protocol import open_forge
from autograder.git.git_command import run_git
from autograder.record.ledger import Ledger

pytestmark = pytest.mark.slow  # many git

PATH = "assignments/hw/hw_solved.ipynb"
FIRST = datetime(2027, 2, 10, 12, 0, tzinfo=UTC)
SECOND = datetime(2027, 2, 10, 13, 0, tzinfo=UTC)


def push(clone: Path, content: str, pushed: datetime) -> None:
    """Commit with a date of long ago, and push at a moment of the server's clock."""
    file = clone / PATH
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    long_ago = {
        "GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z",
        "GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z",
    }
    who = ["-c", "user.name=student", "-c", "user.email=student@localhost"]
    for arguments, variables in (
        (["add", "."], {}),
        ([*who, "commit", "--quiet", "-m", "work"], long_ago),
        (["push", "--quiet", "origin", "HEAD:master"], {"GIT_COMMITTER_DATE": pushed.isoformat()}),
    ):
        done = run_git(arguments, folder=clone, variables=variables)
        assert done.code == 0, done.errors


@pytest.fixture
def course(tmp_path: Path) -> Course:
    web = tmp_path / "web"
    for name in ("school/course", "on-time/course"):
        create_repository(web / f"{name}.git")
    due = Assignment("hw", "Homework", (Part("", ("*",), None),))
    forge = ForgeOptions(kind="support.folder_forge", web=f"file://{web}")
    return Course(
        tmp_path, "x", ZoneInfo("UTC"), {"hw": due}, upstream="school/course", clock=Clock.SERVER,
        forge=forge, forks=tmp_path / "forks", ledger=tmp_path / "ledger",
    )  # fmt: skip


def test_pushes_come_from_a_forge_that_is_one_module(course: Course, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    run_git(["clone", "--quiet", f"{course.forge.web}/on-time/course.git", str(clone)])
    push(clone, "{}", FIRST)
    push(clone, '{"cells": []}', SECOND)
    student = Student("on-time", "on-time/course")
    errors = [done.error for done in poll_remotes(course, [student]) if done.error]
    assert errors == []
    record = Ledger(course.ledger).read("on-time")
    assert [(entry.time, entry.clock) for entry in record.pushes] == [
        (FIRST, Clock.SERVER),
        (SECOND, Clock.SERVER),
    ], "two pushes between two polls, each with the forge's time and not the commit's"
    assert record.repositories[-1].name == "on-time/course"

    again = [done for done in poll_remotes(course, [student]) if done.pushes or done.error]
    assert again == [], "what is in the record is not told again"


@pytest.mark.parametrize("kind", ["gitlub", "no.such.module"])
def test_a_forge_that_is_none_is_refused_with_what_would_be_one(course: Course, kind: str) -> None:
    with pytest.raises(ConfigError, match=rf"'kind'\] is '{kind}'.*github"):
        open_forge(replace(course.forge, kind=kind))
