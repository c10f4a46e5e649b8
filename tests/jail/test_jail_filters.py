"""System calls and files that a process has confined itself from stay out of reach."""

from __future__ import annotations

import errno
import os
import socket
import sys
from pathlib import Path

import pytest

from autograder.jail import landlock, lockdown, seccomp
from autograder.jail import small_root as smallroot

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the jail is Linux's")


def test_the_table_says_where_it_comes_from_and_refuses_more() -> None:
    table = seccomp.read_call_table()
    assert "github.com/moby/moby" in table["source"]
    assert {
        "socket",
        "ptrace",
        "mount",
        "unshare",
        "keyctl",
        "io_uring_setup",
        "memfd_create",
    } <= seccomp.list_refused_calls()
    ours = {name for names in table["we_refuse"].values() for name in names}
    assert ours <= set(table["docker_allows"])
    assert not ours & set(table["docker_refuses"])


@pytest.mark.parametrize("architecture", ["X86_64", "AARCH64"])
def test_every_name_of_the_table_is_a_system_call(architecture: str) -> None:
    pyseccomp = pytest.importorskip("pyseccomp")
    table = seccomp.read_call_table()
    names = {
        *table["docker_allows"],
        *table["docker_refuses"],
        *table["pretended_where_files_are_shared"],
    }
    unknown = {
        name
        for name in names
        if pyseccomp.resolve_syscall(getattr(pyseccomp.Arch, architecture), name) == -1
    }
    assert unknown <= {"fchmodat2"}  # newer than many libraries


def in_child(act: object) -> int:
    """Run a function in a forked process and return the errno it failed with, 0 for success."""
    process = os.fork()
    if not process:
        try:
            act()  # type: ignore[operator]
        except OSError as error:
            os._exit(error.errno or 255)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


@linux_only
@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda: socket.socket(socket.AF_UNIX), errno.EPERM),
        (lambda: socket.socketpair(), 0),
        (lambda: os.memfd_create("name"), errno.EPERM),
        (lambda: lockdown.unshare(lockdown.CLONE_NEWUSER), errno.EPERM),
        (lambda: lockdown.check_result(lockdown.call_system(435, None, 0), "clone3"), errno.ENOSYS),
        (
            lambda: lockdown.check_result(lockdown.call_system(9999), "from the future"),
            errno.ENOSYS,
        ),
        (lambda: os.waitpid(os.fork() or os._exit(0), 0), 0),
        (lambda: os.get_terminal_size(os.open(os.devnull, os.O_RDONLY)), errno.ENOTTY),
        (lambda: Path("/").chmod(0o755), 0),
    ],
    ids=[
        "socket",
        "socketpair",
        "memfd",
        "unshare",
        "clone3",
        "unknown",
        "fork",
        "terminal",
        "chmod",
    ],
)
def test_the_filter_answers(act: object, expected: int) -> None:
    program = seccomp.compile_filter(shared_files=True)

    def confined() -> None:
        lockdown.prctl(lockdown.PR_SET_NO_NEW_PRIVS, 1)
        seccomp.install_filter(program)
        act()  # type: ignore[operator]

    assert in_child(confined) == expected


@linux_only
@pytest.mark.skipif(
    sys.platform == "linux" and not landlock.read_landlock_version(),
    reason="this kernel has no Landlock",
)
@pytest.mark.parametrize(
    ("path", "mode", "expected"),
    [
        ("seen/file", "r", 0),
        ("seen/file", "w", errno.EACCES),
        ("own/file", "w", 0),
        ("hidden", "r", errno.EACCES),
    ],
    ids=["reading", "writing", "writing one's own", "reading elsewhere"],
)
def test_landlock_lets_through(tmp_path: Path, path: str, mode: str, expected: int) -> None:
    for directory in ("seen", "own"):
        (tmp_path / directory).mkdir()
        (tmp_path / directory / "file").touch()
    (tmp_path / "hidden").touch()

    def confined() -> None:
        lockdown.prctl(lockdown.PR_SET_NO_NEW_PRIVS, 1)
        landlock.confine_files([str(tmp_path / "seen")], [str(tmp_path / "own")])
        (tmp_path / path).open(mode).close()

    assert in_child(confined) == expected


@linux_only
def test_all_files_are_closed_but_those_to_keep() -> None:
    ours, theirs = os.pipe()

    def close() -> None:
        kept = os.dup(theirs)
        lockdown.close_descriptors(kept)
        for descriptor in range(64):
            alive = descriptor in (0, 1, 2, kept)
            try:
                os.fstat(descriptor)
            except OSError:
                alive = not alive
            if not alive:
                os._exit(1)
        if not all(
            os.path.sameopenfile(descriptor, os.open(os.devnull, os.O_RDWR))
            for descriptor in (0, 1, 2)
        ):
            os._exit(2)

    assert in_child(close) == 0
    os.close(ours)
    os.close(theirs)


@linux_only
@pytest.mark.skipif(
    sys.platform == "linux" and not landlock.read_landlock_version(),
    reason="this kernel has no Landlock",
)
@pytest.mark.parametrize("spoken", range(1, 7))
def test_landlock_confines_as_older_kernels_know_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoken: int
) -> None:
    if spoken > landlock.read_landlock_version():
        pytest.skip(f"this kernel speaks version {landlock.read_landlock_version()} only")
    (tmp_path / "own").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.setattr(landlock, "read_landlock_version", lambda: spoken)

    def confined() -> None:
        lockdown.prctl(lockdown.PR_SET_NO_NEW_PRIVS, 1)
        landlock.confine_files([os.devnull], [str(tmp_path / "own")])
        (tmp_path / "own" / "file").write_text("mine")
        (tmp_path / "file").read_text()

    assert in_child(confined) == errno.EACCES
    assert (tmp_path / "own" / "file").read_text() == "mine"


def test_the_small_root_shows_python_but_not_the_project() -> None:
    needed = [Path(path) for path in smallroot.list_needed_paths()]
    assert any(path in Path(os.__file__).parents for path in needed)
    assert any(path in Path(pytest.__file__).parents for path in needed)
    assert not any(path in Path(__file__).parents for path in needed)
    assert not any(
        outer in inner.parents and not outer.is_symlink() for outer in needed for inner in needed
    )
