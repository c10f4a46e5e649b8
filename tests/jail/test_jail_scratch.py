"""The scratch directory is counted and removed, whatever has been made in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograder.jail import scratch


def nest(directory: Path, depth: int, name: str) -> None:
    """Make directories in one another, deeper than any path can be long."""
    here = os.open(directory, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=here)
        inner = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


@pytest.mark.parametrize(
    ("depth", "name"), [(1, "a"), (50, "b" * 250), (1500, "c")], ids=["flat", "long", "deep"]
)
def test_a_scratch_directory_is_removed_however_deep(tmp_path: Path, depth: int, name: str) -> None:
    (tmp_path / "jail").mkdir()
    nest(tmp_path / "jail", depth, name)
    scratch.remove_scratch(str(tmp_path / "jail"))
    assert list(tmp_path.iterdir()) == []


def test_removing_follows_no_link_and_asks_no_permission(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").touch()
    jail = tmp_path / "jail"
    (jail / "closed" / "inner").mkdir(parents=True)
    (jail / "link").symlink_to(tmp_path / "outside")
    (jail / "closed" / "inner" / "link").symlink_to(tmp_path / "outside")
    (jail / "closed" / "inner").chmod(0)
    (jail / "closed").chmod(0)
    scratch.remove_scratch(str(jail))
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]
    assert (tmp_path / "outside" / "kept").exists()


def test_usage_counts_files_and_bytes_but_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "file").write_bytes(bytes(1 << 20))
    (tmp_path / "link").symlink_to("/usr")
    size, count = scratch.measure_scratch(str(tmp_path), enough=100)
    assert count == 3
    assert 1 << 20 <= size < 2 << 20


def test_usage_stops_counting_when_it_is_enough(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / str(number)).touch()
    assert scratch.measure_scratch(str(tmp_path), enough=5)[1] == 6


def test_directories_nested_beyond_measure_count_as_too_many(tmp_path: Path) -> None:
    nest(tmp_path, 300, "d")
    assert scratch.measure_scratch(str(tmp_path), enough=10_000)[1] > 10_000
    scratch.remove_scratch(str(tmp_path / "d"))
