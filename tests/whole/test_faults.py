"""Faults on purpose: the switch, files that are written whole, a short campaign, and a disk that is full."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from campaign import Campaign, Case

from autograder.course import faults
from autograder.course import whole_files as writing
from autograder.course.errors import DiskFailed
from autograder.course.faults import do_nothing, from_variable, reached
from autograder.course.temporary_folders import temporary_folder
from autograder.course.whole_files import PRIVATE, write_whole

# Of what `make campaign` tries one fault of each command and every kind of fault; a few more are for a release.
SHORT = [
    Case("collect", "full", "ledger: line written", 2),
    Case("run", "interrupt", "gradebook: before a commit", 1),
    Case("record", "kill", "ledger: line synced", 1),
    Case("state push", "kill", "before git write-tree", 1),
    Case("publish", "term", "after git push", 1),
]
AT_RELEASE = [
    Case("collect", "kill", "after git fetch", 1),
    Case("collect", "interrupt", "before git ls-remote", 2),
    Case("run", "term", "outputs: written beside its place", 1),
    Case("run", "kill", "site: written beside its place", 1),
    Case("publish", "kill", "before git push", 1),
    Case("collect", "kill", "ledger: line written", 1),
    Case("run", "kill", "autograded notebook: written beside its place", 1),
    Case("run", "full", "page keys: written beside its place", 1),
    Case("state push", "interrupt", "before git commit-tree", 1),
    Case("state push", "kill", "after git push", 1),
]


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    return Campaign(tmp_path_factory.mktemp("campaign"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    [*SHORT, *(pytest.param(case, marks=pytest.mark.release) for case in AT_RELEASE)],
    ids=str,
)
def test_after_a_fault_the_next_run_ends_as_an_undisturbed_one(
    campaign: Campaign, case: Any
) -> None:
    if case.command not in campaign.prepared:
        campaign.prepare(case.command)
    assert case.place in campaign.places[case.command]
    assert campaign.failures(case) == []


# --- the switch ------------------------------------------------------------------------------------------------------


def test_in_production_nothing_happens_at_a_place() -> None:
    assert reached is do_nothing
    assert from_variable("") is do_nothing


@pytest.mark.parametrize(
    "text", ["kill", "explode at a place, 1", "kill at a place", "kill at a place, first"]
)
def test_a_fault_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"kill\|term\|interrupt\|full at PLACE, NUMBER"):
        from_variable(text)


@pytest.fixture
def owned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(faults.OWNER, str(os.getpid()))


def test_a_fault_happens_the_time_it_is_meant_for(owned: None) -> None:
    happen = from_variable("full at before git fetch, 2")
    happen("before git", ["--git-dir=x", "-c", "gc.auto=0", "fetch", "--quiet"])
    happen("after git", ["fetch"])
    with pytest.raises(OSError) as caught:
        happen("before git", ["fetch"])
    assert caught.value.errno == errno.ENOSPC
    happen("before git", ["fetch"])


def test_processes_that_were_started_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(faults.OWNER, str(os.getpid() + 1))
    from_variable("full at a place, 1")("a place")


# --- files written whole ---------------------------------------------------------------------------------------------


def test_a_file_is_replaced_as_a_whole_and_by_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    for content in (b"a" * 100_000, b"b", b""):
        write_whole(path, content, "a file", mode=PRIVATE)
        assert path.read_bytes() == content
        assert oct(path.stat().st_mode)[-3:] == "600"
        assert [entry.name for entry in path.parent.iterdir()] == ["file.txt"]


def test_what_a_killed_run_left_is_used_up(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    (tmp_path / ".file.txt.new").write_bytes(b"half of something longer than the new content")
    write_whole(path, b"new", "a file")
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"file.txt": b"new"}


def test_of_many_writers_each_writes_whole(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    contents = [bytes([65 + number]) * 50_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_whole(path, content, "a file"), contents * 5))
    assert path.read_bytes() in contents
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]


def test_a_file_that_cannot_be_written_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owned: None
) -> None:
    path = tmp_path / "file.txt"
    write_whole(path, b"old", "a file")
    monkeypatch.setattr(
        writing, "reached", from_variable("full at a file: written beside its place, 1")
    )
    with pytest.raises(DiskFailed, match=r"file\.txt: No space left on device; free some"):
        write_whole(path, b"new", "a file")
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"file.txt": b"old"}


# --- temporary folders -----------------------------------------------------------------------------------------------

HOLD = """
import sys
from autograder.course.temporary_folders import temporary_folder
with temporary_folder("a test") as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_a_temporary_folder_goes_with_a_process_that_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    holders = [
        subprocess.Popen(
            [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    killed, living = (Path(holder.stdout.readline().decode().strip()) for holder in holders)
    (killed / "index").write_bytes(b"half")
    (tmp_path / "of-somebody-else").mkdir()
    holders[0].kill()
    holders[0].communicate()
    assert killed.exists()
    with temporary_folder("another") as folder:
        assert sorted(tmp_path.iterdir()) == sorted([living, folder, tmp_path / "of-somebody-else"])
    holders[1].communicate()
    assert sorted(tmp_path.iterdir()) == [tmp_path / "of-somebody-else"]


def test_a_temporary_folder_of_another_container_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process has a number that is nobody's here, but holds the lock."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    theirs = tmp_path / "autograder-of-99999999-index-abc"
    theirs.mkdir()
    descriptor = os.open(theirs, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with temporary_folder("ours"):
        assert theirs.exists()
    os.close(descriptor)
    with temporary_folder("ours"):
        assert not theirs.exists()


# --- a full disk -----------------------------------------------------------------------------------------------------


def small_disk(folder: Path, megabytes: int) -> list[str] | None:
    """Return what to put before a command that is to see a small file system at a folder; None if none can be had."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return None
    mount = f'mount -t tmpfs -o size={megabytes}m small "$0" && exec "$@"'
    prefix = ["unshare", "--mount", "sh", "-c", mount, str(folder)]
    return (
        prefix
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
        else None
    )


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [pytest.param(8, marks=pytest.mark.release), 60])
def test_on_a_full_disk_a_run_says_so_and_the_next_one_goes_on(
    tmp_path: Path, kilobytes: int
) -> None:
    """The course lies on a file system of its own, of which some kilobytes are left."""
    prefix = small_disk(tmp_path, 24)
    if prefix is None:
        pytest.skip("only root, with mount namespaces, can have a small file system of its own")
    script = Path(__file__).parents[1] / "support" / "full_disk.py"
    done = subprocess.run(
        [*prefix, sys.executable, str(script), str(tmp_path), str(kilobytes)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["full"]["code"] in {1, 2}
    assert "No space left on device" in told["full"]["said"]
    assert "Traceback" not in told["full"]["said"]
    assert told["again"]["code"] == 0, told["again"]["said"]
    assert told["differences"] == []
