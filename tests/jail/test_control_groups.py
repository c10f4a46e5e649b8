"""Control groups of both versions get their limits."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from autograder.jail import Limits
from autograder.jail import control_groups as cgroups

V1 = """\
tmpfs {root} tmpfs rw 0 0
cgroup {root}/memory cgroup rw,memory 0 0
cgroup {root}/pids cgroup rw,pids 0 0
"""
V2 = "cgroup2 {root}/unified cgroup2 rw,nsdelegate 0 0\n"
OWN_V1 = "4:memory:/mine\n8:pids:/mine\n0::/"
MEMORY = str(256 << 20)
FILES = (
    "cgroup.procs",
    "pids.max",
    "memory.limit_in_bytes",
    "memory.memsw.limit_in_bytes",
    "memory.oom_control",
)
FILES_V2 = (
    "cgroup.procs",
    "pids.max",
    "memory.max",
    "memory.oom.group",
    "memory.swap.max",
    "memory.events",
)


def as_the_kernel_writes(place: Path) -> str:
    return str(place).replace(" ", r"\040")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in which groups can be made as in the kernel's file system: with files in them."""
    for directory in ("memory/mine", "pids/mine", "unified/slice/mine"):
        (tmp_path / directory).mkdir(parents=True)
    make = os.mkdir

    def make_group(path: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        make(path, mode, dir_fd=dir_fd)
        for name in {*FILES, *FILES_V2}:
            os.close(os.open(f"{path}/{name}", os.O_CREAT | os.O_WRONLY, dir_fd=dir_fd))

    monkeypatch.setattr(os, "mkdir", make_group)
    monkeypatch.setattr(
        cgroups,
        "_works",
        lambda directory, served, version: directory.name != "mine" or version == 1,
    )
    return tmp_path


@pytest.mark.parametrize(
    ("mounts", "own", "expected"),
    [
        (
            V1,
            OWN_V1,
            {"memory/mine": {"memory.limit_in_bytes": MEMORY}, "pids/mine": {"pids.max": "24"}},
        ),
        (
            V2,
            "0::/slice/mine",
            {"unified/slice": {"memory.max": MEMORY, "memory.oom.group": "1", "pids.max": "24"}},
        ),
        (V1 + V2, OWN_V1, {"memory/mine": {"memory.memsw.limit_in_bytes": MEMORY}}),
    ],
    ids=["version 1", "version 2", "both"],
)
def test_a_group_gets_its_limits(
    tree: Path, mounts: str, own: str, expected: dict[str, dict[str, str]]
) -> None:
    hierarchies = cgroups.find_hierarchies(mounts.format(root=as_the_kernel_writes(tree)), own)
    group = cgroups.create_group(hierarchies, 12, 3, Limits(memory_mb=256, processes=24))
    for directory, files in expected.items():
        place = tree / directory / "autograder-12-3"
        assert {name: (place / name).read_text() for name in files} == files
    for entrance in group.entrances():
        os.write(entrance, b"0")
        os.close(entrance)


@pytest.mark.parametrize(
    ("mounts", "own"),
    [("", ""), (V1.split("\n", 2)[2], "8:pids:/mine\n"), ("proc /proc proc rw 0 0\n", "0::/")],
    ids=["nothing mounted", "processes but no memory", "no control groups"],
)
def test_without_both_controllers_there_is_no_hierarchy(tree: Path, mounts: str, own: str) -> None:
    assert cgroups.find_hierarchies(mounts.format(root=as_the_kernel_writes(tree)), own) == ()


@pytest.mark.parametrize(("version", "file"), [(1, "memory.oom_control"), (2, "memory.events")])
@pytest.mark.parametrize(
    ("counted", "expected"), [("oom_kill 0", False), ("oom_kill 2", True), ("", False)]
)
def test_the_kernels_count_of_kills_is_read(
    tmp_path: Path, version: int, file: str, counted: str, expected: bool
) -> None:
    (tmp_path / "g").mkdir()
    (tmp_path / "g" / file).write_text(f"under_oom 0\n{counted}\n")
    descriptor = os.open(tmp_path, os.O_RDONLY)
    group = cgroups.Group("g", (cgroups.Hierarchy(descriptor, ("memory",), version),))
    assert group.out_of_memory() is expected
    os.close(descriptor)


def test_groups_of_graders_that_were_killed_are_removed(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    for name in (f"autograder-{gone.pid}-1", f"autograder-{os.getpid()}-1", "another-1"):
        (tmp_path / name).mkdir()
    descriptor = os.open(tmp_path, os.O_RDONLY)
    cgroups.remove_abandoned_groups((cgroups.Hierarchy(descriptor, ("memory",), 1),))
    os.close(descriptor)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "another-1",
        f"autograder-{os.getpid()}-1",
    ]
