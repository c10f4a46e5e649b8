"""Two versions of the course's files made one, given what both began with. Pure functions of
bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from operator import itemgetter
from typing import Any

from autograder.course.errors import AutograderError
from autograder.record.ledger_lines import is_readable, merge_by_time

# By these two runs' lines of the same work are known: neither a time, nor a report's seconds
SAID_BY_ENTRY = (
    "entry",
    "commit",
    "blob",
    "activity",
    "clock",
    "id",
    "owner",
    "name",
    "remote",
    "pushed",
    "branch",
    "assignment",
)


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
    base = set(_split_lines(versions.base))
    theirs = _list_their_lines(versions, base)
    common = list(takewhile(base.__contains__, theirs))
    their_new = theirs[len(common) :]
    said = set()
    for line in their_new:
        if line not in base:
            said.add(_identify_entry(line))
    known = base.union(theirs)
    our_new = []
    for line in _split_lines(versions.ours):
        if line not in known and _identify_entry(line) not in said:
            our_new.append(line)
    merged = common
    for _, line in merge_by_time(_date_lines(their_new), _date_lines(our_new), itemgetter(0)):
        merged.append(line)
    # The empty one behind the last ends the file with a newline; no lines make an empty file.
    return b"\n".join([*merged, b""]) if merged else b""


def _list_their_lines(versions: FileVersions, base: set[bytes]) -> list[bytes]:
    """Return the branch's lines, without those that were set aside here since both began."""
    if versions.ours is None:
        return _split_lines(versions.theirs)
    ours = set(_split_lines(versions.ours))
    kept = []
    for line in _split_lines(versions.theirs):
        if line in ours or line not in base or is_readable(line):
            kept.append(line)
    return kept


def _date_lines(lines: Sequence[bytes]) -> Iterator[tuple[datetime, bytes]]:
    """Yield lines with their times; one without a time goes with the one before it."""
    known = datetime.min.replace(tzinfo=UTC)
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):
            moment = datetime.fromisoformat(json.loads(line)["time"])
            # A time without a zone cannot be compared with the others.
            known = moment if moment.tzinfo else known
        yield known, line


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
    base = _parse_keys(versions.base or b"{}")
    theirs = _parse_keys(versions.theirs)
    ours = _parse_keys(versions.ours)
    merged = _merge_fields(base, theirs, ours)
    students = _merge_fields(
        base.get("students", {}), theirs.get("students", {}), ours.get("students", {})
    )
    # In the order in which `PageKeys` writes them, or an order alone would be a change.
    merged["students"] = dict(sorted(students.items()))
    return json.dumps(merged, indent=1, ensure_ascii=False).encode() + b"\n"


def _merge_fields(
    base: Mapping[str, Any], theirs: Mapping[str, Any], ours: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the fields of both sides, in the order of theirs: ours where it is the only one, or
    the only one that changed.
    """
    merged = {}
    for name in {**theirs, **ours}:
        is_ours = name not in theirs or (name in ours and theirs[name] == base.get(name))
        merged[name] = ours[name] if is_ours else theirs[name]
    return merged


def _parse_keys(content: bytes) -> dict[str, Any]:
    try:
        data = json.loads(content)
        if not isinstance(data, dict) or not isinstance(data.get("students", {}), dict):
            raise ValueError("no table of students in it")
    except ValueError as error:
        raise AutograderError(
            f"the file of page keys is damaged ({error}); restore it from its history"
        ) from None
    return data


def _split_lines(content: bytes | None) -> list[bytes]:
    return (content or b"").split(b"\n")[:-1]


def _identify_entry(line: bytes) -> object:
    """Return what an entry says, without when it was written."""
    try:
        entry = json.loads(line)
        if entry.get("entry") == "mark":
            # Two people's marks are two, and a mark may be given, taken back and given again
            return line
        said = map(entry.get, SAID_BY_ENTRY)
        report = entry.get("report", {})
        return (*said, report.get("assignment"), report.get("exam"))
    except (ValueError, AttributeError):  # a line that cannot be read is itself only
        return line
