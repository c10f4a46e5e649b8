"""GitHub's REST API, or a server's like it: which repositories there are, who owns them, and when they were pushed to.

Everything a server says is checked before it is believed; its times are the only ones a student cannot set.
"""

from __future__ import annotations

from autograder.collecting.forge.answers import Activity, Found
from autograder.collecting.forge.github import Forks, GitHub, git_address, repository_name
from autograder.collecting.forge.identity import Identified, changes, handled, identify

__all__ = [
    "Activity",
    "Forks",
    "Found",
    "GitHub",
    "Identified",
    "changes",
    "git_address",
    "handled",
    "identify",
    "repository_name",
]
