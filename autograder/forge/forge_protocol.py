"""The few questions we have for a forge, and what comes back. A forge is one module that answers
them.
"""

from __future__ import annotations

import importlib
from collections.abc import Container
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from autograder.course.configuration import ForgeOptions
from autograder.course.errors import ConfigError


@dataclass(frozen=True)
class FoundRepository:
    """A repository as the forge describes it.

    Attributes
    ----------
    id, owner : int
        Numbers of the repository and of the account it belongs to.
    name : str
        `owner/repository`.
    branch : str
        Its default branch.
    created, pushed : datetime
        When it was made, and when any of its branches was pushed to last.
    """

    id: int
    owner: int
    name: str
    branch: str
    created: datetime
    pushed: datetime


@dataclass(frozen=True)
class Activity:
    """One change of a branch: a push, a force-push, a merge; `after` is empty when the branch was
    deleted.
    """

    id: int
    ref: str
    after: str
    time: datetime
    kind: str

    @property
    def is_deletion(self) -> bool:
        """Whether the branch was deleted."""
        return not self.after


@dataclass(frozen=True)
class Forks:
    """The forks of the course, by number and by name in lower case."""

    by_id: dict[int, FoundRepository] = field(default_factory=dict)
    by_name: dict[str, FoundRepository] = field(default_factory=dict)

    def add(self, fork: FoundRepository) -> None:
        """Add a fork."""
        self.by_id[fork.id] = fork
        # A name of a forge is the same in capitals, and a roster is typed by people.
        self.by_name[fork.name.lower()] = fork


class Forge(AbstractContextManager["Forge"], Protocol):
    """A place where repositories live, which knows when they were pushed to.

    The first question needs no connection. The others are asked within its context, by several threads at once,
    and raise `ForgeFailed` where there is no usable answer: then git itself tells what it can.
    """

    def make_credentials(self) -> tuple[tuple[str, str], ...]:
        """Return environment variables that let git in with the instructors' token, none if there
        is no token.
        """

    def list_forks(self, upstream: str) -> Forks:
        """Return all forks of a repository."""

    def find_repository(self, name: str) -> FoundRepository | None:
        """Return a repository by its name, also by one it had before; None if there is none to be
        seen.
        """

    def find_repository_by_id(self, number: int) -> FoundRepository | None:
        """Return a repository by its number, whatever it is called now; None if there is none to be
        seen.
        """

    def list_activity(
        self, repository: FoundRepository, branch: str, known: Container[int]
    ) -> tuple[Activity, ...]:
        """Return what happened to a branch, oldest first, back to what is known already: times are
        never guessed.
        """


def open_forge(options: ForgeOptions, cache: Path | None = None) -> Forge:
    """Return the forge that `c.Course.forge` names; use it as a context manager to ask it anything.

    Its `kind` is a module of this package, or with a dot any other module, whose `make_forge` takes
    these arguments.

    Parameters
    ----------
    cache : Path, optional
        A file in which the forge may keep answers from one run to the next.

    Raises
    ------
    ConfigError
        If there is no such forge.
    """
    name = options.kind if "." in options.kind else f"autograder.forge.{options.kind}"
    try:
        module = importlib.import_module(name)
        forge: Forge = module.make_forge(options, cache)
    except (ImportError, AttributeError):
        raise ConfigError(
            f"c.Course.forge['kind'] is {options.kind!r}: no module {name} with a function make_forge; "
            "'github' is built in, another forge is a module that answers as autograder/forge/github.py does"
        ) from None
    return forge
