"""Students' stores through whatever can happen to them: killed gits, lost and damaged files, too much in them."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.course.errors import GitFailed, RemoteFailed
from autograder.course.submissions import Student
from autograder.git import stored_objects
from autograder.git.bare_stores import LOCK, hold_store
from autograder.git.student_stores import Fork
from autograder.rehearsal.forge_on_disk import BareRepository

pytestmark = pytest.mark.slow  # hundreds of git

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
PATH = "assignments/hw/hw_solved.ipynb"


@pytest.fixture
def remote(tmp_path: Path) -> BareRepository:
    repository = BareRepository(tmp_path / "remote.git", "master")
    repository.create()
    repository.push({PATH: b"first"}, "first", NOON)
    return repository


@pytest.fixture
def fork(remote: BareRepository, tmp_path: Path) -> Fork:
    return Fork(
        Student("on-time", f"file://{remote.path}"), tmp_path / "forks" / "on-time.git", "master"
    )


def loose(fork: Fork, blob: str) -> Path:
    return fork.store / "objects" / blob[:2] / blob[2:]


def unpack(fork: Fork) -> None:
    """Make loose files of what is packed."""
    for pack in (fork.store / "objects" / "pack").glob("*.pack"):
        away = pack.with_name("away")
        pack.rename(away)
        for other in pack.parent.glob("*.idx"):
            other.unlink()
        with away.open("rb") as file:
            subprocess.run(["git", "unpack-objects", "-q"], cwd=fork.store, stdin=file, check=True)
        away.unlink()


@pytest.mark.parametrize("damage", [b"", b"no pack at all"], ids=["empty", "damaged"])
def test_a_pack_that_is_damaged_is_fetched_anew(
    remote: BareRepository, fork: Fork, damage: bytes
) -> None:
    commit = fork.fetch()
    blob = blob_of(fork, commit)
    for pack in (fork.store / "objects" / "pack").glob("*.pack"):
        pack.chmod(0o644)
        pack.write_bytes(damage)
    assert fork.fetch_commit(commit, anew=True)
    assert fork.read(blob) == b"first"


def blob_of(fork: Fork, commit: str) -> str:
    (file,) = fork.notebooks(commit)
    return file.blob


@pytest.mark.parametrize(
    "name", ["shallow.lock", "packed-refs.lock", "refs/seen/tip.lock", "HEAD.lock"]
)
def test_a_lock_that_a_killed_git_left_is_removed(
    remote: BareRepository, fork: Fork, name: str
) -> None:
    fork.fetch()
    (fork.store / LOCK).unlink()  # who worked here last did not come to an end
    (fork.store / name).touch()
    torn = fork.store / "objects" / "pack" / "tmp_pack_x"
    torn.write_bytes(b"half a pack")
    remote.push({PATH: b"second"}, "second", NOON)
    assert fork.read(blob_of(fork, fork.fetch())) == b"second"
    assert not torn.exists()
    assert not (fork.store / name).exists()


def test_a_fetch_that_was_killed_at_its_limit_is_no_hindrance_to_the_next(
    remote: BareRepository, fork: Fork, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The store's own reading of references hangs: after its first lock git waits for ever."""
    fork.fetch()
    remote.push({PATH: b"second"}, "second", NOON)
    hook = fork.store / "slow-hooks" / "reference-transaction"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\ntrap '' TERM\nsleep 1000\n")
    hook.chmod(0o755)
    monkeypatch.setattr(stored_objects, "FETCH_SECONDS", 4)
    monkeypatch.setattr(
        stored_objects, "SAFE", (*stored_objects.SAFE, f"core.hooksPath={hook.parent}")
    )
    with pytest.raises(RemoteFailed, match="no answer within 4 s"):
        fork.fetch()
    monkeypatch.undo()
    assert fork.read(blob_of(fork, fork.fetch())) == b"second"


def test_a_lock_is_not_taken_from_a_git_that_lives(fork: Fork) -> None:
    fork.fetch()
    with hold_store(fork.store, 1) as held:
        helper = subprocess.Popen(["sleep", "1000"], pass_fds=(held,))
    lock = fork.store / "shallow.lock"
    lock.touch()
    with pytest.raises(GitFailed, match="another process works in"), hold_store(fork.store, 0.2):
        pass
    assert lock.exists()
    helper.kill()
    helper.wait()


@pytest.mark.parametrize("content", [None, b"", b"no object"], ids=["lost", "empty", "damaged"])
def test_a_file_of_a_store_that_is_lost_or_damaged_is_fetched_anew(
    fork: Fork, content: bytes | None
) -> None:
    commit = fork.fetch()
    blob = blob_of(fork, commit)
    unpack(fork)
    loose(fork, blob).unlink()
    if content is not None:
        loose(fork, blob).write_bytes(content)
    with pytest.raises(RemoteFailed):
        fork.read(blob)
    assert fork.fetch_commit(commit, anew=True)
    assert fork.read(blob) == b"first"


def test_what_is_kept_again_takes_the_place_of_what_is_damaged(fork: Fork) -> None:
    blob = blob_of(fork, fork.fetch())
    unpack(fork)
    loose(fork, blob).unlink()
    loose(fork, blob).write_bytes(b"no object")
    assert fork.keep(b"first") == blob
    assert fork.read(blob) == b"first"


@pytest.mark.parametrize("name", ["HEAD", "objects", "refs"])
def test_a_store_git_cannot_work_in_is_set_aside_and_fetched_anew(
    remote: BareRepository, fork: Fork, name: str
) -> None:
    first = blob_of(fork, fork.fetch())
    path = fork.store / name
    shutil.rmtree(path) if path.is_dir() else path.write_bytes(b"\0" * 10)
    remote.push({PATH: b"second"}, "second", NOON)
    assert fork.read(blob_of(fork, fork.fetch())) == b"second"
    if name != "objects":
        (aside,) = fork.aside()
        aside.store.joinpath("HEAD").write_text("ref: refs/heads/master\n")
        aside.store.joinpath("refs").mkdir(exist_ok=True)
        assert aside.read(first) == b"first", "nothing is deleted"


def test_a_store_with_a_lost_file_stays_while_the_remote_is_away(
    remote: BareRepository, fork: Fork
) -> None:
    fork.fetch()
    remote.push({PATH: b"second"}, "second", NOON)
    blob = blob_of(fork, fork.fetch())
    unpack(fork)
    loose(fork, blob).unlink()
    remote.path.rename(remote.path.with_name("away"))
    with pytest.raises(RemoteFailed):
        fork.fetch()
    assert list(fork.aside()) == []


def test_who_pushes_more_than_the_quota_is_told_and_stopped(
    remote: BareRepository, fork: Fork
) -> None:
    fork = replace(fork, most_mb=1)
    fork.fetch()
    remote.push({PATH: b"second", "data.bin": os.urandom(2 << 20)}, "large", NOON)
    assert fork.fetch(), "one push may be larger: what is there already counts"
    remote.push({PATH: b"third"}, "third", NOON)
    with pytest.raises(
        RemoteFailed, match=r"what they pushed takes 2 MB in .*, more than c.Course.store_mb, 1"
    ):
        fork.fetch()


def test_a_store_is_packed_and_loses_nothing_by_it(
    remote: BareRepository, fork: Fork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        stored_objects,
        "PACK",
        tuple(word.replace("Limit=20", "Limit=3") for word in stored_objects.PACK),
    )
    kept = fork.keep(b"the last copy of a notebook")
    blobs = []
    for number in range(8):
        remote.push({PATH: str(number).encode()}, f"push {number}", NOON)
        blobs.append(blob_of(fork, fork.fetch()))
    files = [path for path in fork.store.rglob("*") if path.is_file()]
    assert len(files) < 25, sorted(map(str, files))
    assert [fork.read(blob) for blob in blobs] == [str(number).encode() for number in range(8)]
    assert fork.read(kept) == b"the last copy of a notebook"


COLLECT = """
import sys
from pathlib import Path
from zoneinfo import ZoneInfo
from autograder.collecting.collect import poll_remotes
from autograder.course.configuration import Course
from autograder.course.submissions import Student
root = Path(sys.argv[1])
course = Course(root, "x", ZoneInfo("UTC"), {}, forks=root / "forks", ledger=root / "ledger")
list(poll_remotes(course, [Student("hanging", sys.argv[2])]))
"""


@pytest.fixture
def hanging() -> Iterator[str]:
    """The address of a server that takes every call and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hanging.git"


def processes_about(address: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if address in command and "git" in command and "collect" not in command:
            found.append(command)
    return found


def test_a_collector_that_is_killed_while_a_remote_hangs_leaves_no_process(
    tmp_path: Path, hanging: str
) -> None:
    collector = subprocess.Popen([sys.executable, "-c", COLLECT, str(tmp_path), hanging])
    end = time.monotonic() + 60
    while (
        not any("remote-http" in command for command in processes_about(hanging))
        and time.monotonic() < end
    ):
        time.sleep(0.05)
    assert any("remote-http" in command for command in processes_about(hanging))
    collector.kill()
    collector.wait()
    end = time.monotonic() + 60
    while processes_about(hanging) and time.monotonic() < end:
        time.sleep(0.05)
    assert processes_about(hanging) == []
