"""The few questions we have for GitHub: the forks of a repository, one repository, what happened to a branch."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

from autograder.course.errors import ForgeFailed
from autograder.forge.api_answers import (
    Activity,
    FoundRepository,
    keep_activity_fields,
    keep_repository_fields,
    read_activity,
    read_repository,
)

if TYPE_CHECKING:
    from autograder.forge.api_client import ApiClient

PER_PAGE = 100


@dataclass(frozen=True)
class Forks:
    """The forks of the course, by number and by name in lower case."""

    by_id: dict[int, FoundRepository] = field(default_factory=dict)
    by_name: dict[str, FoundRepository] = field(default_factory=dict)

    def add(self, fork: FoundRepository) -> None:
        """Add a fork."""
        self.by_id[fork.id] = self.by_name[fork.name.lower()] = fork


class GitHub:
    """What we ask, in our words."""

    def __init__(self, client: ApiClient) -> None:
        self.client = client

    def forks(self, upstream: str) -> Forks:
        """Return all forks of a repository: one request for a hundred of them.

        An entry that makes no sense is left out; its student's repository is then asked for by name, and fails alone.

        Raises
        ------
        ForgeFailed
            If there is no usable answer.
        """
        forks = Forks()
        for page in self.client.pages(f"/repos/{upstream}/forks", keep_repository_fields, per_page=PER_PAGE):
            for entry in page.data:
                try:
                    forks.add(read_repository(entry))
                except ForgeFailed:
                    continue
        return forks

    def repository(self, name: str) -> FoundRepository | None:
        """Return a repository by its name, also by one it had before; None if there is none to be seen."""
        return self._repository(f"/repos/{name}")

    def repository_by_id(self, number: int) -> FoundRepository | None:
        """Return a repository by its number, whatever it is called now; None if there is none to be seen."""
        return self._repository(f"/repositories/{number}")

    def activity(self, repository: FoundRepository, branch: str, known: Container[int]) -> tuple[Activity, ...]:
        """Return what happened to a branch, oldest first, back to what is known already.

        Raises
        ------
        ForgeFailed
            If there is no usable answer, or an entry of it makes no sense: times are not guessed.
        """
        entries = takewhile(lambda entry: entry.id not in known, self._activity(repository, branch))
        return tuple(sorted(entries, key=lambda entry: (entry.time, entry.id)))

    def _activity(self, repository: FoundRepository, branch: str) -> Iterator[Activity]:
        ref = f"refs/heads/{branch}"
        address = f"/repos/{repository.name}/activity"
        for page in self.client.pages(address, keep_activity_fields, ref=ref, per_page=PER_PAGE):
            yield from (entry for entry in map(read_activity, page.data) if entry.ref == ref)

    def _repository(self, address: str) -> FoundRepository | None:
        page = self.client.get(address, keep_repository_fields)
        return read_repository(page.data) if page else None
