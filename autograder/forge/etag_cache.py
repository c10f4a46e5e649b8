"""Answers kept with their ETags: what has not changed since the last run is not sent again, and
costs no request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from msgspec import convert

from autograder.course.errors import DiskFailed
from autograder.course.whole_files import write_whole

CACHE_VERSION = 1


@dataclass(frozen=True)
class AnswerPage:
    """An answer, cut down to what is kept of it, and where the next one is."""

    data: Any
    next: str = ""
    etag: str = ""


def load_pages(cache: Path | None) -> dict[str, AnswerPage]:
    """Read the kept answers by URL; a file that is damaged or of another version is as good as
    none.
    """
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        data = json.loads(cache.read_text(encoding="utf-8")) if cache else {}
        if data["version"] == CACHE_VERSION:
            return convert(data["pages"], dict[str, AnswerPage])
    return {}


def save_pages(cache: Path, pages: Mapping[str, AnswerPage]) -> None:
    """Keep the answers of this run; those it did not need are of no use to the next one either.

    Where they cannot be written, the next run asks for more than it would have to, and that is all.
    """
    kept = {}
    for url, page in pages.items():
        if page.etag:  # without one the server would send it again all the same
            kept[url] = asdict(page)
    with suppress(DiskFailed):
        write_whole(
            cache, json.dumps({"version": CACHE_VERSION, "pages": kept}).encode(), "forge's answers"
        )
