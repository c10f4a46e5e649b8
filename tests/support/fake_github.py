"""A small GitHub on this machine: an HTTP server that answers like its REST API, over bare repositories on disk.

It keeps numbers for accounts and repositories, the activity of every branch with the server's own time, forks,
renames and deletions, ETags, pages with links, and rate limits. Trouble can be ordered: errors, limits, replies that
are slow, cut short, or make no sense.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from autograder.rehearsal.forge_on_disk import BareRepository

NOWHERE = "0" * 40
BRANCH = "master"


@dataclass
class FakeRepository:
    """A repository as GitHub keeps it."""

    id: int
    owner: int
    name: str
    path: Path
    created: datetime
    pushed: datetime
    parent: int = 0
    branch: str = BRANCH
    activity: list[dict[str, Any]] = field(default_factory=list)

    @property
    def bare(self) -> BareRepository:
        return BareRepository(self.path, self.branch)

    def tip(self, branch: str = "") -> str:
        done = git(
            self.path,
            "rev-parse",
            "--verify",
            "--quiet",
            f"refs/heads/{branch or self.branch}",
            check=False,
        )
        return done or NOWHERE


@dataclass(frozen=True)
class Asked:
    """A request that was answered."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    status: int


@dataclass
class Trouble:
    """An order for trouble: what happens to the next requests whose path matches."""

    path: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    how: str = (
        ""  # "cut": shorter than promised; "hang up": nothing at all; "drip": a byte at a time
    )
    times: int = 1


class FakeGitHub:
    """The server and everything it knows. `now` is its clock: nobody else's time gets into an answer."""

    def __init__(
        self, folder: Path, *, token: str = "", limit: int = 5000, anonymous_limit: int = 60
    ) -> None:
        self.folder, self.token = folder, token
        self.now = datetime(2027, 2, 1, 8, tzinfo=UTC)
        self.left = {True: limit, False: anonymous_limit}
        self.reset = self.now + timedelta(hours=1)
        self.repositories: dict[int, FakeRepository] = {}
        self.accounts: dict[str, int] = {}
        self.old_names: dict[str, int] = {}
        self.asked: list[Asked] = []
        self.troubles: list[Trouble] = []
        self.answers: dict[str, Callable[[Any], Any]] = {}
        self._numbers = itertools.count(1001)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def web(self) -> str:
        return f"file://{self.folder}"

    @contextmanager
    def serving(self) -> Iterator[FakeGitHub]:
        thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    # ------------------------------------------------------------------------------- what people do to repositories

    def later(self, **amount: float) -> datetime:
        self.now += timedelta(**amount)
        return self.now

    def account(self, login: str) -> int:
        return self.accounts.setdefault(login, next(self._numbers))

    def create(self, name: str, parent: FakeRepository | None = None) -> FakeRepository:
        owner = self.account(name.partition("/")[0])
        pushed = parent.pushed if parent else self.now
        path = self.folder / f"{name}.git"
        made = FakeRepository(
            next(self._numbers), owner, name, path, self.now, pushed, parent.id if parent else 0
        )
        made.bare.create()
        if parent:
            made.bare.fork(parent.bare)
        self.repositories[made.id] = made
        self.old_names.pop(name.lower(), None)
        return made

    def fork(self, upstream: FakeRepository, login: str) -> FakeRepository:
        return self.create(f"{login}/{upstream.name.partition('/')[2]}", upstream)

    def push(
        self,
        repository: FakeRepository,
        files: Mapping[str, bytes],
        *,
        dated: datetime | None = None,
    ) -> str:
        """Push one commit; `dated` is what the student claims, the activity has the server's time."""
        before = repository.tip()
        repository.bare.push(files, f"push {next(self._numbers)}", dated or self.now)
        return self.note(repository, before, "branch_creation" if before == NOWHERE else "push")

    def force_push(
        self,
        repository: FakeRepository,
        files: Mapping[str, bytes],
        *,
        dated: datetime | None = None,
    ) -> str:
        """Replace the branch by a single commit."""
        before = repository.tip()
        git(repository.path, "update-ref", "-d", f"refs/heads/{repository.branch}")
        repository.bare.push(files, f"force-push {next(self._numbers)}", dated or self.now)
        return self.note(repository, before, "force_push")

    def reset_to(self, repository: FakeRepository, commit: str) -> str:
        before = repository.tip()
        git(repository.path, "update-ref", f"refs/heads/{repository.branch}", commit)
        return self.note(repository, before, "force_push")

    def delete_branch(self, repository: FakeRepository) -> None:
        before = repository.tip()
        git(repository.path, "update-ref", "-d", f"refs/heads/{repository.branch}")
        self.note(repository, before, "branch_deletion")

    def push_elsewhere(self, repository: FakeRepository, branch: str) -> None:
        """Push the same commit to another branch."""
        git(repository.path, "update-ref", f"refs/heads/{branch}", repository.tip())
        self.note(repository, NOWHERE, "branch_creation", branch)

    def note(self, repository: FakeRepository, before: str, kind: str, branch: str = "") -> str:
        after = repository.tip(branch)
        repository.pushed = self.now
        repository.activity.append(
            {
                "id": next(self._numbers),
                "node_id": "PSH_xxx",
                "before": before,
                "after": after,
                "ref": f"refs/heads/{branch or repository.branch}",
                "timestamp": f"{self.now:%Y-%m-%dT%H:%M:%SZ}",
                "activity_type": kind,
                "actor": None,
            }
        )
        return after

    def forget(self, repository: FakeRepository) -> None:
        """Throw away what no branch leads to any more."""
        git(repository.path, "reflog", "expire", "--expire=now", "--all")
        git(repository.path, "repack", "-adq")
        git(repository.path, "prune", "--expire=now")

    def rename(self, repository: FakeRepository, name: str) -> None:
        path = self.folder / f"{name}.git"
        path.parent.mkdir(parents=True, exist_ok=True)
        repository.path.rename(path)
        self.old_names[repository.name.lower()] = repository.id
        repository.name, repository.path = name, path
        repository.owner = self.account(name.partition("/")[0])

    def delete(self, repository: FakeRepository) -> None:
        shutil.rmtree(repository.path)
        del self.repositories[repository.id]

    # ------------------------------------------------------------------------------------------------ what it answers

    def allow(self, requests: int, *, known: bool = True) -> None:
        """Allow only so many requests in the hour to come, to those with a token or to those without."""
        self.left[known] = requests
        self.reset = self.now + timedelta(hours=1)

    def trouble(self, path: str, status: int = 200, **order: Any) -> None:
        """Order trouble for paths that match a regular expression."""
        self.troubles.append(Trouble(path, status, **order))

    def answer(self, path: str, query: Mapping[str, str]) -> tuple[int, Any, str]:
        """Return status, JSON and the path and query of the next page."""
        if found := re.fullmatch(r"/repos/([^/]+/[^/]+)(/forks|/activity)?", path):
            repository = self._named(found[1])
            if repository is None and (number := self.old_names.get(found[1].lower())):
                return (
                    301,
                    {"message": "Moved Permanently"},
                    f"/repositories/{number}{found[2] or ''}",
                )
        elif found := re.fullmatch(r"/repositories/(\d+)(/forks|/activity)?", path):
            repository = self.repositories.get(int(found[1]))
        else:
            return 404, {"message": "Not Found"}, ""
        if repository is None:
            return 404, {"message": "Not Found"}, ""
        base = f"/repositories/{repository.id}{found[2] or ''}"
        if found[2] == "/forks":
            return self._forks(repository, base, query)
        if found[2] == "/activity":
            return self._activity(repository, base, query)
        return 200, self._shown(repository), ""

    def _named(self, name: str) -> FakeRepository | None:
        return next((r for r in self.repositories.values() if r.name.lower() == name.lower()), None)

    def _shown(self, repository: FakeRepository) -> dict[str, Any]:
        login, _, short = repository.name.partition("/")
        return {
            "id": repository.id,
            "node_id": "R_xxx",
            "name": short,
            "full_name": repository.name,
            "private": False,
            "owner": {"login": login, "id": repository.owner, "type": "User", "site_admin": False},
            "html_url": f"{self.web}/{repository.name}",
            "fork": bool(repository.parent),
            "created_at": f"{repository.created:%Y-%m-%dT%H:%M:%SZ}",
            "updated_at": f"{repository.pushed:%Y-%m-%dT%H:%M:%SZ}",
            "pushed_at": f"{repository.pushed:%Y-%m-%dT%H:%M:%SZ}",
            "default_branch": repository.branch,
            "stargazers_count": 0,
        }

    def _forks(
        self, upstream: FakeRepository, base: str, query: Mapping[str, str]
    ) -> tuple[int, Any, str]:
        forks = [self._shown(r) for r in self.repositories.values() if r.parent == upstream.id]
        size, number = min(int(query.get("per_page", "30")), 100), int(query.get("page", "1"))
        more = len(forks) > size * number
        following = f"{base}?{urlencode({'per_page': size, 'page': number + 1})}" if more else ""
        return 200, forks[size * (number - 1) : size * number], following

    def _activity(
        self, repository: FakeRepository, base: str, query: Mapping[str, str]
    ) -> tuple[int, Any, str]:
        entries = [
            e
            for e in reversed(repository.activity)
            if query.get("ref", e["ref"]) in {e["ref"], e["ref"][11:]}
        ]
        size, start = min(int(query.get("per_page", "30")), 100), int(query.get("after", "0"))
        following = dict(query) | {"after": str(start + size)}
        more = len(entries) > start + size
        return 200, entries[start : start + size], f"{base}?{urlencode(following)}" if more else ""


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=check, capture_output=True, text=True
    )
    return done.stdout.strip()


def _handler(github: FakeGitHub) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        """Answers one request after the other."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with lock:
                path, query = urlsplit(self.path).path, urlsplit(self.path).query
                given = {name: values[0] for name, values in parse_qs(query).items()}
                trouble = next(
                    (t for t in github.troubles if t.times and re.fullmatch(t.path, path)), None
                )
                if trouble:
                    trouble.times -= 1
                    self._note(path, given, trouble.status)
                    self._give_trouble(trouble)
                else:
                    self._answer(path, given)

        def _answer(self, path: str, query: dict[str, str]) -> None:
            authorization = self.headers.get("Authorization", "")
            known = bool(github.token) and authorization == f"Bearer {github.token}"
            if authorization and not known:
                self._send(path, query, 401, {"message": "Bad credentials"}, {})
                return
            if github.left[known] <= 0:
                reply = {"message": "API rate limit exceeded for 127.0.0.1."}
                self._send(path, query, 403, reply, self._limits(known))
                return
            status, data, following = github.answer(path, query)
            if path in github.answers:
                data = github.answers[path](data)
            headers = {"Location": f"{github.api}{following}"} if status == 301 else {}
            if status == 200 and following:
                headers["Link"] = (
                    f'<{github.api}{following}>; rel="next", <{github.api}{path}>; rel="first"'
                )
            etag = f'W/"{hashlib.sha256(json.dumps([data, following]).encode()).hexdigest()}"'
            if status == 200:
                headers["ETag"] = etag
            unchanged = status == 200 and self.headers.get("If-None-Match") == etag
            github.left[known] -= not (unchanged and known)
            self._send(
                path, query, 304 if unchanged else status, data, headers | self._limits(known)
            )

        def _limits(self, known: bool) -> dict[str, str]:
            return {
                "X-RateLimit-Remaining": str(max(github.left[known], 0)),
                "X-RateLimit-Reset": str(int(github.reset.timestamp())),
            }

        def _send(
            self,
            path: str,
            query: dict[str, str],
            status: int,
            data: Any,
            headers: Mapping[str, str],
        ) -> None:
            self._note(path, query, status)
            body = b"" if status == 304 else json.dumps(data).encode()
            self._head(
                status,
                {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers},
            )
            self.wfile.write(body)

        def _head(self, status: int, headers: Mapping[str, str]) -> None:
            self.send_response_only(status)
            self.send_header("Date", format_datetime(github.now, usegmt=True))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def _give_trouble(self, trouble: Trouble) -> None:
            self.close_connection = True
            if trouble.how == "hang up":
                return
            promised = len(trouble.body) + (1000 if trouble.how == "cut" else 0)
            self._head(
                trouble.status,
                {"Content-Length": str(promised), "Connection": "close", **trouble.headers},
            )
            if trouble.how != "drip":
                self.wfile.write(trouble.body)
                return
            with suppress(ConnectionError):  # whoever asked has lost patience
                for byte in trouble.body:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(0.02)

        def _note(self, path: str, query: dict[str, str], status: int) -> None:
            github.asked.append(Asked(path, query, dict(self.headers), status))

        def log_message(self, *_: object) -> None:
            """Say nothing: the tests look at `asked`."""

    return Handler
