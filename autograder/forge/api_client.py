"""One connection to the API: patient with a server in trouble, obedient to its limits, and never
for long.

What went wrong on the way is tried again, a little later each time. When the server asks to wait, it is waited for,
as long as the run's budget lasts; then the client is closed with a sentence, and whoever asks again gets the same.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

import httpx

from autograder.course.configuration import ForgeOptions
from autograder.course.errors import ForgeFailed
from autograder.forge.etag_cache import AnswerPage, load_pages, save_pages
from autograder.forge.http_replies import BrokenReply, Reply

TRIES = 5
FIRST_PAUSE = 0.5  # seconds; doubled with each try
# Questions in a row that stayed without an answer: then the server is taken for dead. Each has been
# tried several times, and a class has a thousand of them.
DEAD_AFTER = 3
MAX_BODY = 16 << 20  # bytes; a page of a hundred repositories has about half a million
REPLY_SECONDS = 60.0
TIMEOUT = httpx.Timeout(20.0, connect=10.0)
REDIRECTS = frozenset({301, 302, 307, 308})
MAX_HOPS = 3  # a repository that was renamed needs one
MAX_PAGES = 200  # a server whose last page leads to the first would keep us for ever
LONGEST_WAIT = 10 * 86_400.0  # seconds that are told of, for a date must come out of them
HEADERS = {
    "Accept": "application/vnd.github+json",
    "User-Agent": "autograder",
    # Named, so that answers keep their form when GitHub has a newer one.
    "X-GitHub-Api-Version": "2022-11-28",
}

log = logging.getLogger("autograder.forge")
Keep = Callable[[object], Any]


class ApiClient:
    """Asks the API, one question at a time; use it as a context manager.

    Parameters
    ----------
    options : ForgeOptions
        Where the API is, which variable holds the token, how long a run may wait.
    cache : Path, optional
        Where answers are kept with their ETags.
    sleep : callable, optional
        Waits some seconds.

    Raises
    ------
    ForgeFailed
        If the token cannot be one, or would travel unencrypted.
    """

    def __init__(
        self,
        options: ForgeOptions,
        cache: Path | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.options = options
        self.cache = cache
        self._base = httpx.URL(options.api)
        self._sleep = sleep
        self._lock = threading.Lock()
        self._left = options.wait  # seconds this run may still wait
        self._closed = ""  # why nothing is asked any more
        self._dead = 0  # questions in a row that stayed without an answer
        self._known = load_pages(cache)
        self._used = dict[str, AnswerPage]()
        self._http = httpx.Client(headers=HEADERS | _authorization(options), timeout=TIMEOUT)

    def __repr__(self) -> str:
        return f"Client({self.options.api!r})"

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Keep the ETags and close the connection."""
        self._http.close()
        if self.cache is not None:
            save_pages(self.cache, self._used)

    def get(self, address: str, keep: Keep, **parameters: str | int) -> AnswerPage | None:
        """Return what the API says at a path or URL, None when it says that there is nothing (any
        more).

        Parameters
        ----------
        address : str
            A path below the API's own, or a URL the API gave.
        keep : callable
            Cuts what is needed out of the answer, or out of each of its entries if it is a list.

        Raises
        ------
        ForgeFailed
            If there is no usable answer: a sentence that says why, and what to do.
        """
        url = httpx.URL(self.options.api + address if address.startswith("/") else address)
        url = self._ours(str(url.copy_merge_params(parameters)))
        # GitHub limits those sooner who ask several things at once.
        with self._lock:
            if self._closed:
                raise ForgeFailed(self._closed)
            known = self._known.get(str(url))
            reply, data = self._ask(url, known.etag if known else "")
            if reply.status == 404:
                return None
            if reply.status == 304 and known is not None:
                page = known
            else:
                kept = [keep(entry) for entry in data] if isinstance(data, list) else keep(data)
                page = AnswerPage(kept, reply.next(), reply.headers.get("ETag", ""))
            self._used[str(url)] = page
            return page

    def pages(self, address: str, keep: Keep, **parameters: str | int) -> Iterator[AnswerPage]:
        """Yield the pages of a list, following the server's links.

        Raises
        ------
        ForgeFailed
            As `get` does; also if there is no such list, or no end of it.
        """
        for _ in range(MAX_PAGES):
            page = self.get(address, keep, **parameters)
            if page is None or not isinstance(page.data, list):
                raise ForgeFailed(f"{self._base.host} has no list at {httpx.URL(address).path}")
            yield page
            if not page.next:
                return
            address = page.next
            parameters = {}  # the server's link has them
        raise ForgeFailed(f"{self._base.host}: no end of the list after {MAX_PAGES} pages")

    def _ask(self, url: httpx.URL, etag: str) -> tuple[Reply, Any]:
        """Ask until there is a reply to use; each try waits longer than the one before."""
        reason = ""
        failures = 0
        hops = 0
        while failures < TRIES:
            try:
                reply = self._send(url, etag)
                if reply.status in {200, 304, 404}:
                    data = reply.parsed(etag)
                    self._dead = 0
                    return reply, data
                reason = f"it answered {reply.status}"
                asked = reply.asked_to_wait()
                if reply.status in REDIRECTS and hops < MAX_HOPS:
                    url = self._ours(str(url.join(reply.headers.get("Location", ""))))
                    etag = ""  # it was of another address
                    hops += 1
                elif asked is not None:
                    self._obey(asked, reason)
                    # A limit is no failure: the budget of waiting ends that, not the tries.
                    failures += reply.status >= 500
                elif reply.status >= 500:
                    failures = self._back_off(failures, reason)
                elif reply.status == 401:
                    self._close(
                        f"{self._base.host} refuses the token in ${self.options.token} (401): make a new one"
                    )
                else:
                    words = reply.message or "no reason given"
                    raise ForgeFailed(
                        f"{self._base.host} refuses {url.path} ({reply.status}): {words}"
                    )
            except (httpx.RequestError, BrokenReply) as error:
                reason = str(error) or type(error).__name__
                failures = self._back_off(failures, reason)
        self._dead += 1
        if self._dead >= DEAD_AFTER:
            self._close(f"{self._base.host} gives no answer ({reason}); the next run asks again")
        raise ForgeFailed(f"{self._base.host} gives no answer after {TRIES} tries: {reason}")

    def _send(self, url: httpx.URL, etag: str) -> Reply:
        deadline = time.monotonic() + REPLY_SECONDS
        with self._http.stream(
            "GET", url, headers={"If-None-Match": etag} if etag else {}
        ) as response:
            body = bytearray()
            # Piece by piece: httpx' own timeout is for each of them, and knows no size.
            for piece in response.iter_bytes():
                body += piece
                if len(body) > MAX_BODY:
                    raise BrokenReply(f"a reply of more than {MAX_BODY >> 20} MB")
                if time.monotonic() > deadline:
                    raise BrokenReply(f"a reply that took more than {REPLY_SECONDS:.0f} s")
            return Reply(response.status_code, response.headers, bytes(body))

    def _obey(self, seconds: float, reason: str) -> None:
        """Wait as long as the server asks, if the run's budget allows."""
        if seconds > self._left:
            until = datetime.fromtimestamp(time.time() + min(seconds, LONGEST_WAIT), UTC)
            advice = (
                ""
                if os.environ.get(self.options.token)
                else f"; a token in ${self.options.token} allows far more"
            )
            self._close(
                f"{self._base.host}: {reason} and wants no questions before {until:%d %b %H:%M} UTC, longer than this "
                f"run waits ({self.options.wait:g} s in all); the next run asks again{advice}"
            )
        log.warning("%s: %s and asks to wait; going on in %.0f s", self._base.host, reason, seconds)
        self._pause(seconds)

    def _back_off(self, failures: int, reason: str) -> int:
        """Wait twice as long as after the failure before; return the number of failures."""
        seconds = FIRST_PAUSE * 2**failures
        if seconds > self._left:
            self._close(f"{self._base.host} gives no answer ({reason}); the next run asks again")
        # Behind the last try nothing follows that a pause could help.
        if failures + 1 < TRIES:
            log.warning("%s: %s; trying again in %.1f s", self._base.host, reason, seconds)
            self._pause(seconds)
        return failures + 1

    def _pause(self, seconds: float) -> None:
        self._left -= seconds
        self._sleep(seconds)

    def _close(self, sentence: str) -> NoReturn:
        self._closed = sentence
        raise ForgeFailed(sentence)

    def _ours(self, url: str) -> httpx.URL:
        """Return the URL if it is the API's own: the token goes nowhere else."""
        given = httpx.URL("")
        with suppress(httpx.InvalidURL):
            given = httpx.URL(url)
        if (given.scheme, given.host, given.port) != (
            self._base.scheme,
            self._base.host,
            self._base.port,
        ):
            raise ForgeFailed(
                f"{self._base.host} sends us to another server ({given.host or 'none'}); not followed"
            )
        return given


def _authorization(options: ForgeOptions) -> dict[str, str]:
    token = os.environ.get(options.token, "").strip() if options.token else ""
    if not token:
        return {}
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ForgeFailed(
            f"what ${options.token} holds is no token: one word of plain letters and digits is wanted"
        )
    url = httpx.URL(options.api)
    if url.scheme != "https" and not _is_here(url.host):
        raise ForgeFailed(
            f"{options.api} is not encrypted: the token in ${options.token} is not sent there"
        )
    return {"Authorization": f"Bearer {token}"}


def _is_here(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
