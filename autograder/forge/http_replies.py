"""One reply of the server: its JSON, its words, and how long it asks to be left alone. Pure
functions of the reply.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

PAUSE_WITHOUT_WORD = 60.0  # what GitHub asks for when it limits without saying for how long
SHORTEST_PAUSE = 1.0  # a date with whole seconds may mean a moment that has just passed
MAX_MESSAGE = 200  # characters of a stranger's words on one line of a terminal


class BrokenReply(Exception):
    """A reply that was cut short, too long, too slow, or is not JSON."""


@dataclass(frozen=True)
class Reply:
    """Status, headers and body, all received."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def message(self) -> str:
        """What the server says in its own words, on one line."""
        text = ""
        with suppress(ValueError, RecursionError):
            data = json.loads(self.body)
            text = data.get("message", "") if isinstance(data, dict) else ""
        kept = []
        for character in str(text)[:MAX_MESSAGE]:
            kept.append(character if character.isprintable() else " ")
        return "".join(kept)

    def parsed(self, etag: str) -> Any:
        """Return the JSON of a good reply, None of one that has none.

        Raises
        ------
        Broken
            If it is not JSON, or says that nothing changed though no ETag was sent.
        """
        if self.status == 304 and not etag:
            raise BrokenReply("it says that nothing changed to one who knows nothing")
        if self.status != 200:
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise BrokenReply("a reply that is not JSON") from None

    def asked_to_wait(self) -> float | None:
        """Return the seconds the server asks for, None if it asks for none."""
        if self.status not in {403, 429} and self.status < 500:
            return None
        after = self.headers.get("Retry-After", "")
        if after:
            return max(_seconds(after, self._now()), SHORTEST_PAUSE)
        if self.status >= 500:
            return None
        reset = self.headers.get("X-RateLimit-Reset", "")
        if self.headers.get("X-RateLimit-Remaining") == "0" and reset.isascii() and reset.isdigit():
            # Cut: a number of a thousand digits is no float.
            return max(float(reset[:12]) - self._now(), 0.0) + SHORTEST_PAUSE
        limited = self.status == 429 or "rate limit" in self.message.lower()
        return PAUSE_WITHOUT_WORD if limited else None

    def next(self) -> str:
        """Return the URL of the next page, empty if this is the last."""
        # httpx can read a Link header, but only that of a response.
        links = httpx.Response(200, headers=self.headers).links
        return str(links.get("next", {}).get("url", ""))

    def _now(self) -> float:
        """The server's own time, so that a wrong clock here makes no wait too long."""
        with suppress(ValueError, TypeError, KeyError):
            return parsedate_to_datetime(self.headers["Date"]).timestamp()
        return time.time()


def _seconds(after: str, now: float) -> float:
    """Read a Retry-After: seconds, or a date."""
    if after.isascii() and after.isdigit():
        # Cut, as above: thirty years are long enough.
        return float(after[:9])
    with suppress(ValueError, TypeError):
        return parsedate_to_datetime(after).timestamp() - now
    return PAUSE_WITHOUT_WORD
