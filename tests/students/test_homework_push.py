"""`autograder submit`: what it shows, what it sends, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from public_course import (
    ANSWER,
    COPY,
    HW,
    Git,
    PublicCourse,
    released,
    run,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("a_person")]

FAST = ("submit", "--no-check", "--yes")


@pytest.fixture
def course(public_course: PublicCourse) -> PublicCourse:
    return public_course


def fork_of(course: PublicCourse) -> Git:
    return Git(course.root / "fork.git")


def test_submit_checks_sends_and_says_what_becomes_of_it(course: PublicCourse) -> None:
    course.student.write(
        {COPY: released(ANSWER), "assignments/hw/own.csv": b"1,2\n", "notes.txt": b"mine"}
    )
    done = course.autograder("submit", "--yes")
    assert done.returncode == 0, done.stderr
    commit = course.student("rev-parse", "HEAD")
    assert fork_of(course)("rev-parse", "master") == commit
    assert course.student("show", "--name-only", "--format=%s|%an").split("\n") == [
        "Homework hw|on-time",
        "",
        COPY,
        "assignments/hw/own.csv",
    ]
    assert course.student("status", "--porcelain") == "?? notes.txt"
    lines = done.stdout.splitlines()
    assert "  practice checks: 2 of 2 pass" in lines
    assert any(line.startswith(f"  new:       {COPY} (") for line in lines)
    assert any(
        line.startswith(f"sent: commit {commit[:10]} on branch master of ") for line in lines
    )
    assert any(line.startswith("hw: due Sat 06 Mar 23:59, in ") for line in lines)
    assert lines[-1].startswith(
        "official points: https://points.example, after the course's next update"
    )


def test_a_wrong_answer_is_sent_all_the_same_with_the_way_to_the_checks(
    course: PublicCourse,
) -> None:
    course.student.write({COPY: released("def double(x):\n    return x + 1")})
    done = course.autograder("submit", "hw", "--yes", "--message", "First try")
    assert "practice checks: 1 of 2 pass; the others: autograder check hw" in done.stdout
    assert fork_of(course)("log", "-1", "--format=%s", "master") == "First try"


def test_a_no_sends_nothing(course: PublicCourse) -> None:
    course.student.write({COPY: released(ANSWER)})
    before = course.student("rev-parse", "HEAD")
    done = course.autograder("submit", "--no-check", say="n\n")
    assert done.returncode == 1 and "nothing was committed and nothing sent" in done.stderr
    assert course.student("rev-parse", "HEAD") == before == fork_of(course)("rev-parse", "master")


def test_twice_sends_nothing_again(course: PublicCourse) -> None:
    course.student.write({COPY: released(ANSWER)})
    course.autograder(*FAST)
    again = course.autograder(*FAST)
    assert again.returncode == 0 and "nothing to send" in again.stdout


def test_what_was_committed_by_hand_is_sent_too(course: PublicCourse) -> None:
    course.student.write({COPY: released(ANSWER)})
    course.student("add", COPY)
    course.student("commit", "--quiet", "-m", "By hand")
    done = course.autograder(*FAST)
    assert f"  committed: {COPY}" in done.stdout
    assert fork_of(course)("log", "-1", "--format=%s", "master") == "By hand"


def test_what_is_staged_elsewhere_stays_staged_and_an_original_only_run_stays_here(
    course: PublicCourse,
) -> None:
    checkpoint = "assignments/hw/.ipynb_checkpoints/hw-checkpoint.ipynb"
    files = {COPY: released(ANSWER), HW: run(released()), checkpoint: b"{}", "staged.txt": b"x"}
    course.student.write(files)
    course.student("add", "staged.txt")
    assert course.autograder(*FAST).returncode == 0
    assert course.student("show", "--name-only", "--format=").split() == [COPY]
    assert course.student("diff", "--cached", "--name-only") == "staged.txt"
    assert course.student("diff", "--name-only") == HW


def test_a_deleted_file_is_deleted_in_the_fork(course: PublicCourse) -> None:
    course.student.write({COPY: released(ANSWER), "assignments/hw/own.csv": b"1\n"})
    course.autograder(*FAST)
    course.student.write({"assignments/hw/own.csv": None})
    assert "deleted:   assignments/hw/own.csv" in course.autograder(*FAST).stdout
    assert "own.csv" not in fork_of(course)("ls-tree", "-r", "--name-only", "master")


def test_a_fork_that_moved_on_is_told_with_the_step(course: PublicCourse, tmp_path: Path) -> None:
    fork = fork_of(course)
    other = Git(tmp_path / "elsewhere")
    fork("clone", "--quiet", str(fork.path), str(other.path))
    other.write({"web.txt": b"edited on the web"})
    other("add", ".")
    other("commit", "--quiet", "-m", "Web")
    other("push", "--quiet")
    course.student.write({COPY: released(ANSWER)})
    done = course.autograder(*FAST)
    assert done.returncode != 0 and "git pull --no-rebase, then autograder submit" in done.stderr
    course.student("pull", "--quiet", "--no-rebase", "--no-edit")
    assert course.autograder(*FAST).returncode == 0
    assert COPY in fork("ls-tree", "-r", "--name-only", "master")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("switch", "--quiet", "--create", "my-work"), "git switch master"),
        (("remote", "remove", "origin"), "git remote add origin ADDRESS-OF-YOUR-FORK"),
        (("checkout", "--quiet", "--detach"), "git switch master"),
    ],
    ids=["another-branch", "no-origin", "no-branch"],
)
def test_a_push_that_would_not_arrive_is_refused(
    course: PublicCourse, command: tuple[str, ...], words: str
) -> None:
    course.student.write({COPY: released(ANSWER)})
    course.student(*command)
    done = course.autograder(*FAST)
    assert done.returncode == 2 and words in done.stderr


def test_the_course_itself_is_no_place_to_send_to(course: PublicCourse) -> None:
    card = (course.student.path / "course.toml").read_text()
    upstream = card.split('upstream = "')[1].split('"')[0]
    course.student("remote", "set-url", "origin", upstream)
    done = course.autograder(*FAST)
    assert done.returncode == 2 and "git remote set-url origin ADDRESS-OF-YOUR-FORK" in done.stderr


def test_a_homework_not_begun_is_named_with_its_beginning(course: PublicCourse) -> None:
    course.student.write({HW: None})
    done = course.autograder("submit", "hw", "--yes")
    assert done.returncode == 2 and (
        "autograder start hw" in done.stderr or "no assignment" in done.stderr
    )
