"""Two versions of the course's files made one, given what both began with. Pure functions of
bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from autograder.course.errors import AutograderError
from autograder.record.ledger_lines import is_readable


@dataclass(frozen=True)
class FileVersions:
    """A file as both sides began with it, as it is on the branch, and as it is here; None where
    there is none.
    """

    base: bytes | None
    theirs: bytes | None
    ours: bytes | None


def merge_lines(versions: FileVersions) -> bytes:
    """Return a student's ledger with the lines of both sides: what both began with, then what is
    new, by its time.

    The order of each side's own lines stays, whatever their times say: a clock may have jumped. A line of ours that
    says the same as a new one of theirs, at another moment perhaps, is left out: two runs did the same work. A last
    line of ours without an end is torn, and left out too. A line that cannot be read and was set aside here does not
    come back.
    """
    base = set(_lines(versions.base))
    ours = set(_lines(versions.ours))
    theirs = [
        line
        for line in _lines(versions.theirs)
        if versions.ours is None or line in ours or line not in base or is_readable(line)
    ]
    said = {_identity(line) for line in theirs if line not in base}
    known = base.union(theirs)
    new = [
        line for line in _lines(versions.ours) if line not in known and _identity(line) not in said
    ]
    begin = next((number for number, line in enumerate(theirs) if line not in base), len(theirs))
    return b"".join(line + b"\n" for line in (*theirs[:begin], *_by_time(theirs[begin:], new)))


def _by_time(theirs: Sequence[bytes], ours: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the lines of two sides as one sequence, each side in its own order, the earlier of
    their next ones first.

    A line without a time goes with the one before it.
    """
    sides = [
        list(reversed(list(zip(_times(lines), lines, strict=True)))) for lines in (theirs, ours)
    ]
    while all(sides):
        first = min(sides, key=lambda side: side[-1][0])  # theirs, where both are of one moment
        yield first.pop()[1]
    for side in sides:
        yield from (line for _, line in reversed(side))


def _times(lines: Sequence[bytes]) -> Iterator[datetime]:
    known = datetime.min.replace(tzinfo=UTC)
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):
            moment = datetime.fromisoformat(json.loads(line)["time"])
            known = moment if moment.tzinfo else known
        yield known


def merge_table(name: str, versions: FileVersions) -> bytes | None:
    """Return a table that people keep: the side that changed it has it right.

    Raises
    ------
    AutograderError
        If both did, differently.
    """
    base = versions.base
    theirs = versions.theirs
    ours = versions.ours
    if ours is None or ours in (theirs, base):
        return theirs
    if theirs is None or theirs == base:
        return ours
    raise AutograderError(
        f"{name} was changed here and on the branch; put your changes aside, pull, and make them again"
    )


def merge_keys(versions: FileVersions) -> bytes | None:
    """Return the page keys of both sides; of a student's two new keys the branch's stays, for its
    link may be out.

    Raises
    ------
    AutograderError
        If one of the files is damaged.
    """
    if versions.ours is None or versions.theirs is None or versions.ours == versions.theirs:
        return versions.theirs if versions.theirs is not None else versions.ours
    base = _keys(versions.base or b"{}")
    theirs = _keys(versions.theirs)
    ours = _keys(versions.ours)
    merged = {
        name: _chosen(base.get(name), theirs.get(name), ours.get(name))
        for name in {**theirs, **ours}
    }
    students = [side.get("students", {}) for side in (base, theirs, ours)]
    names = sorted({**students[1], **students[2]})
    merged["students"] = {name: _chosen(*(side.get(name) for side in students)) for name in names}
    ordered = {name: merged[name] for name in theirs} | merged
    return json.dumps(ordered, indent=1, ensure_ascii=False).encode() + b"\n"


def _chosen(base: Any, theirs: Any, ours: Any) -> Any:
    """Ours where it is the only one, or the only one that changed; else theirs."""
    return ours if theirs is None or (theirs == base and ours is not None) else theirs


def _keys(content: bytes) -> dict[str, Any]:
    try:
        data = json.loads(content)
        if not isinstance(data, dict) or not isinstance(data.get("students", {}), dict):
            raise ValueError("no table of students in it")
    except ValueError as error:
        raise AutograderError(
            f"the file of page keys is damaged ({error}); restore it from its history"
        ) from None
    return data


def _lines(content: bytes | None) -> list[bytes]:
    return (content or b"").split(b"\n")[:-1]


def _identity(line: bytes) -> object:
    """What an entry says, without when it was written."""
    try:
        entry = json.loads(line)
        report = entry.get("report", {})
        if entry.get("entry") == "mark":
            # Two people's marks are two, and a mark may be given, taken back and given again
            return line
        return (
            *(
                entry.get(name)
                for name in ("entry", "commit", "blob", "activity", "clock", "id", "owner", "name")
            ),
            *(entry.get(name) for name in ("remote", "pushed", "branch", "assignment")),
            *(report.get(name) for name in ("assignment", "exam")),
        )
    except (ValueError, AttributeError):
        return line
