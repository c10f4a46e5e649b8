"""A line of the ledger: one JSON object, with a checksum as its last field.

The checksum tells a line that was changed after it was written, by a disk or by a hand, from one that says what it
said then. Lines of older versions have none, and are read as they are. Their order says what came first: where there
are two orders, `merge_by_time` makes one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar

HEX_DIGITS = 16  # 64 bits: against accidents, not against somebody who computes it anew
SUMMED = re.compile(rb',"sum":"(?P<sum>[0-9a-f]{%d})"\}\Z' % HEX_DIGITS)
Item = TypeVar("Item")


def format_line(entry: Mapping[str, Any]) -> bytes:
    """Return an entry as a line with its checksum, without the newline at its end.

    A lone surrogate, from a student's notebook, has no place in UTF-8 and becomes a question mark.
    """
    text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
    bare = text.encode("utf-8", "replace")
    return bare[:-1] + b',"sum":"%s"}' % _checksum(bare)


def parse_line(line: bytes) -> dict[str, Any]:
    """Return what a line says, its checksum left out.

    Raises
    ------
    ValueError
        If it is no JSON object, or not what was written once.
    """
    match = SUMMED.search(line)
    bare = line[: match.start()] + b"}" if match else line
    if match and _checksum(bare) != match["sum"]:
        raise ValueError("its checksum is wrong: it was changed after it was written")
    entry = json.loads(bare)
    if not isinstance(entry, dict):
        raise ValueError("it is no JSON object")
    # Else a damaged end would pass for a line of an older version, which has no checksum.
    if not match and "sum" in entry:
        raise ValueError("its checksum is not where it was written: the line was changed")
    return entry


def has_checksum(line: bytes) -> bool:
    """Whether a line ends with a checksum, right or wrong."""
    return SUMMED.search(line) is not None


def is_readable(line: bytes) -> bool:
    """Whether a line is an entry that says what it said when it was written."""
    try:
        parse_line(line)
    except (ValueError, RecursionError):
        return False
    return True


def merge_by_time(
    one: Iterable[Item], other: Iterable[Item], time_of: Callable[[Item], datetime]
) -> Iterator[Item]:
    """Yield two sides as one, each in its own order, the earlier of their next ones first; that of
    the first side, where both are of one moment.
    """
    # `heapq.merge` wants sorted sides: what was seen here has the order of its lines, and a clock
    # that jumped must not change it.
    ones = deque(one)
    others = deque(other)
    while ones and others:
        if time_of(ones[0]) <= time_of(others[0]):
            yield ones.popleft()
        else:
            yield others.popleft()
    yield from ones
    yield from others


def _checksum(bare: bytes) -> bytes:
    return hashlib.sha256(bare).hexdigest()[:HEX_DIGITS].encode()
