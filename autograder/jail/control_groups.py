"""Control groups, version 1 or 2: the kernel counts the memory and the processes of a whole
submission.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from autograder.course.limits import Limits

NAME = "autograder-{owner}-{number}"
CONTROLLERS = ("memory", "pids")
# The kernel writes a blank in a path of /proc/self/mounts as \040.
ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Hierarchy:
    """A directory of the control group file system in which groups can be made, kept open.

    Attributes
    ----------
    descriptor : int
        The open directory; it works after the file system itself has gone out of sight.
    controllers : tuple[str, ...]
        Those of memory and pids that it serves.
    version : int
        1 or 2.
    """

    descriptor: int
    controllers: tuple[str, ...]
    version: int


@dataclass(frozen=True)
class Group:
    """The control group of one submission, in every hierarchy."""

    name: str
    hierarchies: tuple[Hierarchy, ...]

    def entrances(self) -> list[int]:
        """Open the files through which a process joins; it writes 0 into each."""
        entrances = []
        for hierarchy in self.hierarchies:
            path = f"{self.name}/cgroup.procs"
            entrances.append(os.open(path, os.O_WRONLY, dir_fd=hierarchy.descriptor))
        return entrances

    def out_of_memory(self) -> bool:
        """Return whether the kernel has killed a process of the group for want of memory."""
        for hierarchy in self.hierarchies:
            if "memory" in hierarchy.controllers:
                file = "memory.oom_control" if hierarchy.version == 1 else "memory.events"
                told = _read(hierarchy, f"{self.name}/{file}")
                counted = re.search(r"^oom_kill (\d+)", told, re.MULTILINE)
                return counted is not None and int(counted[1]) > 0
        return False

    def remove(self) -> bool:
        """Remove the group; returns False while a process of it is still ending."""
        removed = True
        # From each, even if one refuses: what is left is tried again, and only that.
        for hierarchy in self.hierarchies:
            removed &= _remove(hierarchy, self.name)
        return removed


def create_group(
    hierarchies: tuple[Hierarchy, ...], owner: int, number: int, limits: Limits
) -> Group:
    """Create the group of a submission and set its limits.

    Raises
    ------
    OSError
        If the file system refuses.
    """
    group = Group(NAME.format(owner=owner, number=number), hierarchies)
    memory = limits.memory_mb << 20
    for hierarchy in hierarchies:
        # There may be one of an earlier owner with the same process id.
        with suppress(FileExistsError):
            os.mkdir(group.name, dir_fd=hierarchy.descriptor)
        if "pids" in hierarchy.controllers:
            _write(hierarchy, f"{group.name}/pids.max", limits.processes)
        if "memory" in hierarchy.controllers and hierarchy.version == 1:
            _write(hierarchy, f"{group.name}/memory.limit_in_bytes", memory)
            # Machines without swap accounting have no such file.
            with suppress(OSError):
                _write(hierarchy, f"{group.name}/memory.memsw.limit_in_bytes", memory)
        elif "memory" in hierarchy.controllers:
            _write(hierarchy, f"{group.name}/memory.max", memory)
            # All at once, or what is left of a notebook would go on without the process it needs.
            _write(hierarchy, f"{group.name}/memory.oom.group", 1)
            with suppress(OSError):
                _write(hierarchy, f"{group.name}/memory.swap.max", 0)
    return group


def find_hierarchies(mounts: str | None = None, own: str | None = None) -> tuple[Hierarchy, ...]:
    """Return the hierarchies in which this process can make groups that limit memory and processes.

    Parameters
    ----------
    mounts, own : str | None
        The texts of /proc/self/mounts and /proc/self/cgroup, read when not given.

    Returns
    -------
    tuple
        Empty when there is none, as in most containers: the watchdog then counts memory.
    """
    mounts = Path("/proc/self/mounts").read_text("utf-8") if mounts is None else mounts
    own = Path("/proc/self/cgroup").read_text("utf-8") if own is None else own
    groups = {}
    for line in own.splitlines():
        _, names, path = line.split(":", 2)
        groups[names] = path
    first: list[Hierarchy] = []
    second: list[Hierarchy] = []
    for line in mounts.splitlines():
        _, place, kind, options, *_ = line.split()
        served = tuple(name for name in CONTROLLERS if name in options.split(","))
        if kind == "cgroup" and served:
            path = _find_own_group(groups, served)
            first.extend(_usable(_read_place(place), path, served, 1))
        elif kind == "cgroup2":
            second.extend(_usable(_read_place(place), groups.get("", "/"), CONTROLLERS, 2))
    # Version 1 first: where both are mounted, the controllers are mostly its.
    for candidates in (first, second[:1]):
        if _serve_everything(candidates):
            return tuple(candidates)
    return ()


def _find_own_group(groups: dict[str, str], served: tuple[str, ...]) -> str:
    """Return the path of this process's group in the hierarchy of some controllers."""
    for names, path in groups.items():
        if set(served) <= set(names.split(",")):
            return path
    return "/"


def _serve_everything(hierarchies: list[Hierarchy]) -> bool:
    """Whether some hierarchies serve all controllers together."""
    served: set[str] = set()
    for hierarchy in hierarchies:
        served.update(hierarchy.controllers)
    return served.issuperset(CONTROLLERS)


def _read_place(written: str) -> Path:
    """Return a path as the kernel means it in its list of mounts."""
    return Path(ESCAPED.sub(lambda found: chr(int(found[1], 8)), written))


def _usable(root: Path, own: str, served: tuple[str, ...], version: int) -> Iterator[Hierarchy]:
    """Yield the nearest group, from our own upwards, in which a child with working limits can be
    made.
    """
    start = root / own.lstrip("/")
    for directory in (start, *start.parents):
        if directory.is_dir() and _works(directory, served, version):
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            yield Hierarchy(descriptor, served, version)
            return
        if directory == root:
            return


def _works(directory: Path, served: tuple[str, ...], version: int) -> bool:
    """Return whether a child group of this directory gets the files that limit it."""
    # Tried and not read from the settings: containers show groups that they do not let change.
    trial = directory / NAME.format(owner=os.getpid(), number="trial")
    limit = {
        "memory": "memory.limit_in_bytes" if version == 1 else "memory.max",
        "pids": "pids.max",
    }
    try:
        # A group with processes in it may not hand controllers down: then its parent must.
        if version == 2:
            (directory / "cgroup.subtree_control").write_text(
                " ".join(f"+{name}" for name in served), "ascii"
            )
        trial.mkdir()
    except OSError:
        return False
    try:
        return all((trial / limit[name]).exists() for name in served)
    finally:
        trial.rmdir()


def remove_abandoned_groups(hierarchies: tuple[Hierarchy, ...]) -> None:
    """Remove groups whose owner was killed before it could."""
    for hierarchy in hierarchies:
        for name in os.listdir(hierarchy.descriptor):  # noqa: PTH208 - an open directory
            owner = re.fullmatch(NAME.format(owner=r"(\d+)", number=r"\w+"), name)
            # A group of a living owner is another grader's, who is at work.
            if owner and not Path(f"/proc/{owner[1]}").exists():
                _remove(hierarchy, name)


def _remove(hierarchy: Hierarchy, name: str) -> bool:
    try:
        os.rmdir(name, dir_fd=hierarchy.descriptor)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _read(hierarchy: Hierarchy, path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY, dir_fd=hierarchy.descriptor)
    except OSError:
        return ""
    with os.fdopen(descriptor, encoding="ascii") as file:
        return file.read()


def _write(hierarchy: Hierarchy, path: str, value: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC, dir_fd=hierarchy.descriptor)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(str(value))
