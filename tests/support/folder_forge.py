"""A second forge, in one file: bare repositories in a folder, which keep git's own log of what was pushed when.

Owners are folders, and a repository's number is that of its folder on the disk.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from autograder.course.configuration import ForgeOptions
from autograder.forge.forge_protocol import Activity, Forge, Forks, FoundRepository
from autograder.git.git_command import run_git

NO_COMMIT = "0" * 40


def make_forge(options: ForgeOptions, cache: Path | None = None) -> Forge:
    return FolderForge(Path(options.web.removeprefix("file://")))


class FolderForge:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def make_credentials(self) -> tuple[tuple[str, str], ...]:
        return ()

    def list_forks(self, upstream: str) -> Forks:
        forks = Forks()
        for path in sorted(self.folder.glob("*/*.git")):
            name = path.relative_to(self.folder).as_posix().removesuffix(".git")
            found = self.find_repository(name)
            if found is not None and name != upstream:
                forks.add(found)
        return forks

    def find_repository(self, name: str) -> FoundRepository | None:
        path = self.folder / f"{name}.git"
        if not path.is_dir():
            return None
        head = (path / "HEAD").read_text().strip().removeprefix("ref: refs/heads/")
        created = datetime.fromtimestamp((path / "description").stat().st_mtime, UTC)
        times = [entry.time for entry in self._read_log(path, head)]
        return FoundRepository(
            id=path.stat().st_ino,
            owner=path.parent.stat().st_ino,
            name=name,
            branch=head,
            created=min([created, *times]),
            pushed=max(times, default=created),
        )

    def find_repository_by_id(self, number: int) -> FoundRepository | None:
        return self.list_forks("").by_id.get(number)

    def list_activity(
        self, repository: FoundRepository, branch: str, known: Container[int]
    ) -> tuple[Activity, ...]:
        entries = self._read_log(self.folder / f"{repository.name}.git", branch)
        return tuple(entry for entry in entries if entry.id not in known)

    def _read_log(self, path: Path, branch: str) -> list[Activity]:
        log = path / "logs" / "refs" / "heads" / branch
        entries = []
        for number, line in enumerate(
            log.read_text().splitlines() if log.exists() else [], start=1
        ):
            about = line.partition("\t")[0].split()
            time = datetime.fromtimestamp(int(about[-2]), UTC)
            after = "" if about[1] == NO_COMMIT else about[1]
            entries.append(Activity(number, f"refs/heads/{branch}", after, time, "push"))
        return entries


def create_repository(path: Path) -> None:
    """Make an empty repository as this forge keeps it."""
    run_git(["init", "--quiet", "--bare", "--initial-branch=master", str(path)])
    run_git([f"--git-dir={path}", "config", "core.logAllRefUpdates", "true"])
