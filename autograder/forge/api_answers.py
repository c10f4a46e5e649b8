"""What the API answers, checked field by field: a server may be broken, or not the one it is taken
for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from autograder.course.errors import ForgeFailed
from autograder.course.remotes import REPOSITORY_NAME
from autograder.forge.forge_protocol import Activity, FoundRepository

SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)")
FIRST_YEAR, LAST_YEAR = 2005, 2100  # git's first, and beyond any course
# A forge counts in 64 bits with a sign: a larger number is none of its own.
MAX_ID = 2**63
MAX_TEXT = 1024
# git's name of nothing, which is where a deleted branch leads.
NO_COMMIT = re.compile(r"0+")
DELETION = "branch_deletion"


def read_repository(data: object) -> FoundRepository:
    """Read a repository.

    Raises
    ------
    ForgeFailed
        If a field is missing or cannot be meant.
    """
    entry = _mapping(data, "a repository")
    created = _moment(entry, "created_at")
    return FoundRepository(
        id=_number(entry, "id"),
        owner=_number(_mapping(entry.get("owner"), "an owner"), "id"),
        name=_text(entry, "full_name", REPOSITORY_NAME),
        branch=_text(entry, "default_branch"),
        created=created,
        # It is null while nothing was ever pushed.
        pushed=_moment(entry, "pushed_at") if entry.get("pushed_at") is not None else created,
    )


def read_activity(data: object) -> Activity:
    """Read an entry of a repository's activity.

    Raises
    ------
    ForgeFailed
        If a field is missing or cannot be meant.
    """
    entry = _mapping(data, "an activity")
    kind = _text(entry, "activity_type")
    after = _text(entry, "after", SHA)
    gone = kind == DELETION or NO_COMMIT.fullmatch(after)
    return Activity(
        _number(entry, "id"),
        _text(entry, "ref"),
        "" if gone else after,
        _moment(entry, "timestamp"),
        kind,
    )


def keep_repository_fields(data: object) -> dict[str, Any]:
    """Return the fields of a repository worth keeping; checked when they are read."""
    entry = data if isinstance(data, Mapping) else {}
    owner = entry.get("owner")
    names = ("id", "full_name", "default_branch", "created_at", "pushed_at")
    kept = {name: entry.get(name) for name in names}
    return kept | {"owner": {"id": owner.get("id")} if isinstance(owner, Mapping) else None}


def keep_activity_fields(data: object) -> dict[str, Any]:
    """Return the fields of an activity worth keeping; checked when they are read."""
    entry = data if isinstance(data, Mapping) else {}
    return {name: entry.get(name) for name in ("id", "ref", "after", "timestamp", "activity_type")}


def _mapping(data: object, what: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise ForgeFailed(
            f"the forge's answer makes no sense: {str(data)[:80]!r} instead of {what}"
        )
    return data


def _number(entry: Mapping[str, Any], name: str) -> int:
    value = entry.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < MAX_ID:
        raise _nonsense(name, value, "a positive number")
    return value


def _text(entry: Mapping[str, Any], name: str, pattern: re.Pattern[str] | None = None) -> str:
    value = entry.get(name)
    # These texts come to terminals, and into the arguments of git.
    if not isinstance(value, str) or not value or len(value) > MAX_TEXT or not value.isprintable():
        raise _nonsense(name, value, "a short text")
    if pattern and not pattern.fullmatch(value):
        raise _nonsense(name, value, f"a text like {pattern.pattern}")
    return value


def _moment(entry: Mapping[str, Any], name: str) -> datetime:
    text = _text(entry, name)
    try:
        # fromisoformat takes far more than a forge sends, a time without a zone for one.
        if not MOMENT.fullmatch(text):
            raise ValueError
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _nonsense(name, text, "a time like 2027-03-06T22:59:00Z") from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise _nonsense(name, text, f"a time from {FIRST_YEAR} to {LAST_YEAR}")
    return moment


def _nonsense(name: str, value: object, right: str) -> ForgeFailed:
    return ForgeFailed(
        f"the forge's answer makes no sense: {name} is {str(value)[:80]!r} instead of {right}"
    )
