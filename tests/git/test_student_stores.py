import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from autograder.collecting.collect import poll_remotes
from autograder.course.configuration import Course
from autograder.course.errors import RemoteFailed
from autograder.course.submissions import Clock, Student
from autograder.git.repository import find_reason
from autograder.git.student_stores import Fork
from autograder.record.ledger import Ledger
from autograder.rehearsal.forge_on_disk import BareRepository

pytestmark = pytest.mark.slow  # hundreds of git

T0 = datetime(2027, 3, 1, 12, tzinfo=UTC)
T1 = datetime(2027, 3, 2, 12, tzinfo=UTC)
PATH = "assignments/hw/hw_solved.ipynb"
SOMEBODY = (
    "-c",
    "user.name=a",
    "-c",
    "user.email=a@localhost",
)  # whoever runs the tests may have no name for git


@pytest.fixture
def remote(tmp_path: Path) -> BareRepository:
    repository = BareRepository(tmp_path / "remote.git", "master")
    repository.create()
    repository.push({PATH: b"{}", "README.md": b"hello"}, "first", T0)
    return repository


def fork_of(remote: BareRepository, tmp_path: Path, branch: str = "master") -> Fork:
    return Fork(Student("on-time", str(remote.path)), tmp_path / "store.git", branch)


def git(folder: Path, *arguments: str, input: str = "") -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, input=input, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_a_fetch_lists_notebooks_and_reads_their_bytes(
    remote: BareRepository, tmp_path: Path
) -> None:
    fork = fork_of(remote, tmp_path)
    commit = fork.fetch()
    (file,) = fork.notebooks(commit)
    assert (file.path, file.size, fork.read(file.blob)) == (PATH, 2, b"{}")
    assert not (tmp_path / "store.git" / "index").exists(), "nothing is ever checked out"


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_paths_and_urls_are_fetched_one_commit_deep(
    remote: BareRepository, tmp_path: Path, scheme: str
) -> None:
    for number in range(3):
        remote.push({PATH: str(number).encode()}, f"push {number}", T1)
    fork = Fork(Student("a", f"{scheme}{remote.path}"), tmp_path / "store.git", "master")
    commit = fork.fetch()
    assert fork.read(fork.notebooks(commit)[0].blob) == b"2"
    if scheme:
        assert git(tmp_path / "store.git", "rev-list", "--count", commit) == "1"


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_commit_no_branch_leads_to_is_fetched_while_the_remote_has_it(
    remote: BareRepository, tmp_path: Path, scheme: str
) -> None:
    first = git(remote.path, "rev-parse", "master")
    orphan = git(
        remote.path, *SOMEBODY, "commit-tree", "-m", "rewritten", git(remote.path, "write-tree")
    )
    git(remote.path, "update-ref", "refs/heads/master", orphan)
    fork = Fork(Student("a", f"{scheme}{remote.path}"), tmp_path / "store.git", "master")
    assert fork.fetch_commit(first)
    assert fork.read(fork.notebooks(first)[0].blob) == b"{}"
    git(remote.path, "prune", "--expire=now")
    assert fork.fetch_commit(first), "what was fetched is kept"
    assert not Fork(
        Student("b", f"{scheme}{remote.path}"), tmp_path / "b.git", "master"
    ).fetch_commit(first)


def test_a_dead_remote_says_nothing_about_a_commit(tmp_path: Path) -> None:
    with pytest.raises(RemoteFailed):
        Fork(Student("a", "/nowhere.git"), tmp_path / "store.git", "master").fetch_commit("a" * 40)


def test_a_branch_that_is_not_there_is_nothing_pushed(
    remote: BareRepository, tmp_path: Path
) -> None:
    assert fork_of(remote, tmp_path, "main").fetch() is None


def test_a_force_push_takes_nothing_away(remote: BareRepository, tmp_path: Path) -> None:
    fork = fork_of(remote, tmp_path)
    first = fork.fetch()
    orphan = git(
        remote.path, *SOMEBODY, "commit-tree", "-m", "rewritten", git(remote.path, "write-tree")
    )
    git(remote.path, "update-ref", "refs/heads/master", orphan)
    assert fork.fetch() == orphan
    git(tmp_path / "store.git", "gc", "--prune=now", "--quiet")
    assert fork.read(fork.notebooks(first)[0].blob) == b"{}"


@pytest.mark.parametrize(
    "remote_url",
    ["/nowhere/at/all.git", "https://127.0.0.1:9/x.git", "ext::sh -c 'touch {mark}'"],
    ids=["no such path", "no such host", "a transport that runs a program"],
)
def test_a_dead_or_hostile_remote_fails_with_its_name(tmp_path: Path, remote_url: str) -> None:
    mark = tmp_path / "mark"
    fork = Fork(Student("gone", remote_url.format(mark=mark)), tmp_path / "store.git", "master")
    with pytest.raises(RemoteFailed, match="gone"):
        fork.fetch()
    assert not mark.exists()


def test_symbolic_links_are_no_notebooks(remote: BareRepository, tmp_path: Path) -> None:
    work = tmp_path / "work"
    git(tmp_path, "clone", "--quiet", str(remote.path), str(work))
    (work / "secret.ipynb").symlink_to("/etc/passwd")
    git(work, "add", ".")
    git(work, *SOMEBODY, "commit", "--quiet", "-m", "link")
    git(work, "push", "--quiet", "origin", "HEAD:master")
    fork = fork_of(remote, tmp_path)
    assert [file.path for file in fork.notebooks(fork.fetch())] == [PATH]


def test_no_hook_of_ours_or_theirs_runs(
    remote: BareRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = tmp_path / "template" / "hooks"
    template.mkdir(parents=True)
    for name in ("post-checkout", "reference-transaction", "post-update"):
        hook = template / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        hook.chmod(0o755)
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(template.parent))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.hooksPath")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(template))
    assert fork_of(remote, tmp_path).fetch()
    assert not (tmp_path / "ran").exists()


def course(tmp_path: Path, clock: Clock = Clock.FIRST_SEEN) -> Course:
    return Course(
        tmp_path,
        "x",
        ZoneInfo("UTC"),
        {},
        clock=clock,
        forks=tmp_path / "forks",
        ledger=tmp_path / "ledger",
    )


def test_each_push_is_recorded_once_with_the_time_it_was_first_seen(
    remote: BareRepository, tmp_path: Path
) -> None:
    students = [Student("on-time", str(remote.path)), Student("gone", "/nowhere.git")]
    for moment in (T0, T1):
        done = {
            entry.student.id: entry
            for entry in poll_remotes(course(tmp_path), students, now=lambda t=moment: t)  # type: ignore[misc]
        }
        assert "gone" in done["gone"].error
        assert not done["on-time"].error
    (push,) = Ledger(tmp_path / "ledger").read("on-time").pushes
    assert (push.time, push.clock) == (T0, Clock.FIRST_SEEN)


def test_a_back_dated_commit_is_recorded_with_the_time_it_was_seen(
    remote: BareRepository, tmp_path: Path
) -> None:
    remote.push({PATH: b"late"}, "back-dated", datetime(2020, 1, 1, tzinfo=UTC))
    list(poll_remotes(course(tmp_path), [Student("late", str(remote.path))], now=lambda: T1))
    assert Ledger(tmp_path / "ledger").read("late").pushes[0].time == T1


def test_archived_classes_may_use_commit_dates_and_are_marked(
    remote: BareRepository, tmp_path: Path
) -> None:
    list(
        poll_remotes(
            course(tmp_path, Clock.COMMIT_DATE), [Student("old", str(remote.path))], now=lambda: T1
        )
    )
    push = Ledger(tmp_path / "ledger").read("old").pushes[0]
    assert (push.time, push.clock) == (T0, Clock.COMMIT_DATE)


def test_trees_within_trees_hold_nobody_up(
    remote: BareRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten trees, each of which holds the one before ten times: ten thousand million files in two kilobytes."""
    monkeypatch.setattr("autograder.git.stored_objects.MAX_LISTING_MB", 1)
    blob = git(remote.path, "rev-parse", f"master:{PATH}")
    entries = "".join(f"100644 blob {blob}\tfile{number}.txt\n" for number in range(10))
    for _ in range(9):
        tree = git(remote.path, "mktree", input=entries)
        entries = "".join(f"040000 tree {tree}\tfolder{number}\n" for number in range(10))
    entries += git(remote.path, "ls-tree", "master", "assignments") + "\n"
    commit = git(
        remote.path, *SOMEBODY, "commit-tree", git(remote.path, "mktree", input=entries), "-m", "x"
    )
    git(remote.path, "update-ref", "refs/heads/master", commit)
    fork = fork_of(remote, tmp_path)
    (file,) = fork.notebooks(fork.fetch())
    assert file.path == PATH


def test_too_large_a_repository_fails_alone(
    remote: BareRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.git.stored_objects.MAX_FETCH_MB", 1)
    remote.push({"big.bin": os.urandom(3 << 20)}, "big", T1)
    with pytest.raises(RemoteFailed):
        Fork(Student("big", f"file://{remote.path}"), tmp_path / "store.git", "master").fetch()


def test_an_untouched_fork_is_nothing_pushed_until_there_is_work_in_it(
    remote: BareRepository, tmp_path: Path
) -> None:
    class_room = replace(course(tmp_path), upstream=str(remote.path))
    fork = BareRepository(tmp_path / "fork.git", "master")
    fork.fork(remote)
    student = Student("untouched", str(fork.path))
    (done,) = poll_remotes(class_room, [student], now=lambda: T0)
    assert (done.push, done.error) == (None, "")
    fork.push({PATH: b"solved"}, "homework", T1)
    (done,) = poll_remotes(class_room, [student], now=lambda: T1)
    assert done.push.time == T1


@pytest.mark.parametrize(
    "remotes",
    [
        ("{path}", "{path}/"),
        ("a/x", "https://github.com/A/x.git"),
        ("git@github.com:a/x.git", "https://github.com/a/x", "a/x"),
    ],
    ids=["a slash", "capitals and an address", "over ssh"],
)
def test_one_remote_for_several_students_is_told_of_each(
    remote: BareRepository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    remotes: tuple[Any, ...],
) -> None:
    monkeypatch.setattr(Fork, "fetch", lambda fork: None)
    students = [
        Student(f"student-{i}", text.format(path=remote.path)) for i, text in enumerate(remotes)
    ]
    alone = Student("alone", "https://github.com/b/x")
    done = {
        entry.student.id: entry.notes
        for entry in poll_remotes(course(tmp_path), [*students, alone])
    }
    assert done.pop("alone") == ()
    for student, notes in done.items():
        (note,) = notes
        assert note.startswith(f"{student}: ") and "roster.csv" in note
        assert all(other.id in note for other in students)


ACCESS = "Please make sure you have the correct access rights\nand the repository exists.\n"


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        (
            f"fatal: '/x.git' is no repository\nfatal: Could not read from remote repository.\n\n{ACCESS}",
            "'/x.git' is no",
        ),
        (
            f"git@host: Permission denied.\nfatal: Could not read from remote repository.\n\n{ACCESS}",
            "git@host: Perm",
        ),
        (
            " ! [rejected] a -> main (fetch first)\nerror: failed to push some refs\nhint: Pull first.\n",
            "! [rejected]",
        ),
        (
            "fatal: could not read Username for 'https://host': terminal prompts disabled\n",
            "it does not exist, or is",
        ),
        (ACCESS, "and the repository exists."),
        ("", ""),
    ],
    ids=["no repository", "no access", "rejected", "private", "advice alone", "nothing"],
)
def test_of_gits_complaint_the_reason_is_told_and_not_the_advice(errors: str, reason: str) -> None:
    assert find_reason(errors.encode()).startswith(reason)
