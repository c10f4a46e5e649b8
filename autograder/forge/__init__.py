"""GitHub's REST API, or a server's like it: which repositories there are, who owns them, and when they were pushed to.

Everything a server says is checked before it is believed; its times are the only ones a student cannot set.
"""

from __future__ import annotations

from autograder.forge.api_answers import Activity, FoundRepository
from autograder.forge.github import Forks, GitHub
from autograder.forge.repository_identity import (
    IdentifiedRepository,
    describe_changes,
    identify_repository,
    mark_as_handled,
)

__all__ = [
    "Activity",
    "Forks",
    "FoundRepository",
    "GitHub",
    "IdentifiedRepository",
    "describe_changes",
    "identify_repository",
    "mark_as_handled",
]
