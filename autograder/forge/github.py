"""GitHub, or a server like it, answers the questions of the protocol."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Container, Iterator
from contextlib import ExitStack
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from autograder.course.configuration import ForgeOptions
from autograder.course.errors import ForgeFailed
from autograder.forge.api_answers import (
    keep_activity_fields,
    keep_repository_fields,
    read_activity,
    read_repository,
)
from autograder.forge.forge_protocol import Activity, Forge, Forks, FoundRepository

if TYPE_CHECKING:
    from autograder.forge.api_client import ApiClient

PER_PAGE = 100  # the most that GitHub gives


def make_forge(options: ForgeOptions, cache: Path | None = None) -> Forge:
    """Return GitHub as the options describe it; nothing is asked yet."""
    return GitHub(options, cache=cache)


class GitHub:
    """Answers from GitHub's REST API.

    Parameters
    ----------
    client : ApiClient, optional
        A connection that is open already; without it one is opened for as long as the context
        lasts.
    """

    def __init__(
        self, options: ForgeOptions, client: ApiClient | None = None, cache: Path | None = None
    ) -> None:
        self.options = options
        self._client = client
        self._cache = cache
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Open a connection."""
        # httpx takes a while to load: only who asks waits for it, not each of the grading
        # processes.
        from autograder.forge.api_client import ApiClient

        self._client = self._open.enter_context(ApiClient(self.options, self._cache))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self._client = None
        self._open.close()

    @property
    def client(self) -> ApiClient:
        """The open connection."""
        if self._client is None:
            raise RuntimeError("GitHub is asked outside of its context")
        return self._client

    def make_credentials(self) -> tuple[tuple[str, str], ...]:
        """Return variables that let git in with the token, none if there is no token or no
        encryption.

        It travels in the environment of one git: not in an address, not in an argument, not in a file.
        """
        token = os.environ.get(self.options.token, "").strip()
        address = urlsplit(self.options.web)
        if not token or address.scheme != "https":
            return ()
        # The user name that GitHub wants beside a token of any kind.
        basic = b64encode(f"x-access-token:{token}".encode()).decode()
        return (
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", f"http.https://{address.netloc}/.extraheader"),
            ("GIT_CONFIG_VALUE_0", f"AUTHORIZATION: basic {basic}"),
        )

    def list_forks(self, upstream: str) -> Forks:
        """Return all forks of a repository: one request for a hundred of them.

        An entry that makes no sense is left out; its student's repository is then asked for by
        name, and fails alone.

        Raises
        ------
        ForgeFailed
            If there is no usable answer.
        """
        forks = Forks()
        address = f"/repos/{upstream}/forks"
        for page in self.client.pages(address, keep_repository_fields, per_page=PER_PAGE):
            for entry in page.data:
                try:
                    forks.add(read_repository(entry))
                except ForgeFailed:
                    continue
        return forks

    def find_repository(self, name: str) -> FoundRepository | None:
        """Return a repository by its name, also by one it had before; None if there is none to be
        seen.
        """
        return self._ask_for_repository(f"/repos/{name}")

    def find_repository_by_id(self, number: int) -> FoundRepository | None:
        """Return a repository by its number, whatever it is called now; None if there is none to be
        seen.
        """
        return self._ask_for_repository(f"/repositories/{number}")

    def list_activity(
        self, repository: FoundRepository, branch: str, known: Container[int]
    ) -> tuple[Activity, ...]:
        """Return what happened to a branch, oldest first, back to what is known already.

        Raises
        ------
        ForgeFailed
            If there is no usable answer, or an entry of it makes no sense: times are not guessed.
        """
        newest_first = self._read_activity_pages(repository, branch)
        # Up to the first known one: a page costs a request, and a term has many pages.
        unknown = takewhile(lambda entry: entry.id not in known, newest_first)
        # Times are of whole seconds: of two in one the number tells which came first.
        return tuple(sorted(unknown, key=lambda entry: (entry.time, entry.id)))

    def _read_activity_pages(self, repository: FoundRepository, branch: str) -> Iterator[Activity]:
        ref = f"refs/heads/{branch}"
        address = f"/repos/{repository.name}/activity"
        for page in self.client.pages(address, keep_activity_fields, ref=ref, per_page=PER_PAGE):
            for data in page.data:
                entry = read_activity(data)
                if entry.ref == ref:
                    yield entry

    def _ask_for_repository(self, address: str) -> FoundRepository | None:
        page = self.client.get(address, keep_repository_fields)
        return read_repository(page.data) if page else None
