"""nbgrader's gradebook on a PostgreSQL server: the same rows as in a file, marks of people among them."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from marked_course import EARLY, LATER, MarkedCourse, make_marked_course

pytestmark = pytest.mark.slow

pytest.importorskip(
    "psycopg", reason="no driver for PostgreSQL is installed: pip install 'psycopg[binary]'"
)


def find_programs() -> Path | None:
    """Return the folder with PostgreSQL's own programs, the newest where there are several."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name)
    )
    found = shutil.which("initdb")
    if found is not None:
        folders.insert(0, Path(found).resolve().parent)
    whole = [
        folder
        for folder in folders
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists()
    ]
    return whole[-1] if whole else None


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of our own that listens on a socket in its folder only; yields the address of a database."""
    programs = find_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed on this machine: apt-get install postgresql")
    user = "nobody" if os.geteuid() == 0 else None  # it refuses to run as root
    if user is None and not _has_account():
        pytest.skip(
            "PostgreSQL runs for users that /etc/passwd names only; run this as one of them"
        )
    folder = Path(
        tempfile.mkdtemp(prefix="pg-", dir="/tmp")
    )  # short: a socket's path has at most 107 bytes
    if user is not None:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)

    def run(*command: str | Path) -> None:
        # A file, and no pipe: the server would keep it open.
        with (folder / "said").open("ab") as said:
            subprocess.run(command, user=user, cwd=folder, check=True, stdout=said, stderr=said)

    (folder / "said").touch(mode=0o666)
    data = folder / "data"
    try:
        run(
            programs / "initdb",
            "--no-sync",
            "--auth=trust",
            "--username=grader",
            "--encoding=UTF8",
            data,
        )
        options = f"-c listen_addresses='' -k {folder} -c fsync=off"
        run(programs / "pg_ctl", "--wait", "--pgdata", data, "--options", options, "start")
        try:
            run(programs / "createdb", "--host", folder, "--username=grader", "course")
            yield f"postgresql+psycopg://grader@/course?host={folder}"
        finally:
            run(programs / "pg_ctl", "--mode=immediate", "--pgdata", data, "stop")
    finally:
        shutil.rmtree(folder)


def _has_account() -> bool:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


@pytest.fixture
def course(server: str, tmp_path: Path) -> MarkedCourse:
    course = make_marked_course(tmp_path / "course")
    with course.small.config.open("a") as config:
        config.write(f"c.CourseDirectory.db_url = {server!r}\n")
    return course


def test_the_gradebook_may_be_on_a_server(course: MarkedCourse) -> None:
    course.grade("on-time", EARLY)
    course.grade("late", EARLY, double=1.0)
    assert course.update() == []
    assert course.entered("double", "late")["auto"] == 1.0
    assert course.entered()["asks"] is True
    course.enter(manual_score=3.0, comment="Name the axes.")
    assert course.classroom.read_gradebook() == 1
    assert course.points()["plot"] == (3.0, "partial")
    course.grade("on-time", LATER, double=0.0, answer="plot(1)")
    assert course.update() == []
    assert course.entered("double")["auto"] == 0.0
    again = course.entered()
    assert (again["manual"], again["comment"], again["asks"]) == (3.0, "Name the axes.", True)
    assert not (course.small.root / "gradebook.db").exists()
