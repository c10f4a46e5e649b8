"""Students' repositories, as data: fetched into bare stores, never checked out, nothing in them ever run.

Each student has a bare store of their own. A fetch takes the tip of the graded branch only, one commit deep; no
hooks, no submodules, no filters, no transport that runs a program. What was seen is kept under a ref of ours, so a
later force-push takes nothing away.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from autograder.errors import RemoteFailed
from autograder.git.command import run_git
from autograder.git.repository import reason_of
from autograder.records import Clock, NotebookFile, Push, Student, printable

FETCH_SECONDS = 120
MAX_FETCH_MB = 512
MAX_LISTING_MB = 32  # some hundred thousand files; a few hundred bytes of trees within trees can list billions
MAX_NOTEBOOKS = 500
TOO_LARGE = "it sends a file of more than"
MISSING = "is not in the store"
DAMAGED = "is damaged in the store"
GONE = ("not our ref", "unadvertised object", TOO_LARGE)  # why a commit cannot be had, now or later
SAFE = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=false",
    "fetch.recurseSubmodules=false",
    "fetch.fsckObjects=false",  # a fork's old commits are not the student's fault; nothing of them is checked out
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.allow=never",
    "protocol.file.allow=always",
    "protocol.git.allow=always",
    "protocol.http.allow=always",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
)


@dataclass(frozen=True)
class Fork:
    """A student's repository and our bare store of it."""

    student: Student
    store: Path
    branch: str

    def fetch(self) -> str | None:
        """Fetch the tip of the graded branch and return its commit, None while the branch does not exist.

        Raises
        ------
        RemoteFailed
            If the remote cannot be reached, is no repository, takes too long or sends too much.
        """
        self._create()
        ref = f"refs/heads/{self.branch}"
        listed = self._git("ls-remote", "--heads", "--", self.student.remote, ref).split()
        if not listed:
            return None
        commit = listed[0].decode("ascii", "replace")
        if not self._has(commit):
            self._git(
                "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth=1", "--force",
                "--", self.student.remote, f"{ref}:refs/seen/tip",
            )  # fmt: skip
            commit = self._git("rev-parse", "--verify", "refs/seen/tip^{commit}").decode().strip()
            self._git("update-ref", f"refs/seen/{commit}", commit)
        return commit

    def fetch_commit(self, commit: str) -> bool:
        """Fetch one commit by its name, also when no branch leads to it any more; return whether it can be had.

        Raises
        ------
        RemoteFailed
            If the remote cannot be asked: then nothing is known about the commit.
        """
        self._create()
        if self._has(commit):
            return True
        try:
            self._git(
                "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth=1", "--", self.student.remote, commit
            )
        except RemoteFailed as error:
            if any(words in str(error) for words in GONE):
                return False
            raise
        self._git("update-ref", f"refs/seen/{commit}", f"{commit}^{{commit}}")
        return True

    def history(self) -> frozenset[str]:
        """Fetch the whole graded branch and return all its commits, none while it does not exist.

        Raises
        ------
        RemoteFailed
            As `fetch` does.
        """
        self._create()
        ref = f"refs/heads/{self.branch}"
        if not self._git("ls-remote", "--heads", "--", self.student.remote, ref):
            return frozenset()
        self._git(
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--force",
            "--", self.student.remote, f"{ref}:refs/seen/tip",
        )  # fmt: skip
        return self.known_history()

    def known_history(self) -> frozenset[str]:
        """Return all commits of the branch as it was last fetched, none if it never was."""
        with suppress(RemoteFailed, OSError):
            return frozenset(self._git("rev-list", "refs/seen/tip").decode().split())
        return frozenset()

    def notebooks(self, commit: str) -> tuple[NotebookFile, ...]:
        """Return the notebooks in a commit's tree: regular files only, at most `MAX_NOTEBOOKS`.

        Of a tree without end only the beginning is looked at.
        """
        found = []
        listing = self._git("ls-tree", "-r", "-z", "--long", "--full-tree", commit, most_mb=MAX_LISTING_MB)
        for entry in listing.split(b"\0")[:-1]:  # the last one is empty, or torn
            about, _, path = entry.partition(b"\t")
            if path.endswith(b".ipynb") and about.startswith((b"100644 ", b"100755 ")):
                _, _, blob, size = about.split()
                found.append(NotebookFile(printable(path.decode("utf-8", "replace")), blob.decode(), int(size)))
        return tuple(sorted(found, key=lambda file: (file.path.count("/"), file.path))[:MAX_NOTEBOOKS])

    def read(self, blob: str) -> bytes:
        """Return the bytes of a blob."""
        return self._git("cat-file", "blob", blob)

    def damage(self, blobs: Sequence[str]) -> dict[str, str]:
        """Return which of these blobs the store does not hold as they were pushed, and what is wrong with each."""
        wanted = list(dict.fromkeys(blobs))
        if not wanted or not (self.store / "HEAD").exists():
            return dict.fromkeys(wanted, MISSING)
        try:
            # git holds what it reads against its name, and fails as a whole where one does not fit.
            lines = self._git("cat-file", "--batch-check=%(objectname) %(objecttype)", input="\n".join(wanted).encode())
            missing = [line.split()[0].decode() for line in lines.splitlines() if not line.endswith(b" blob")]
            there = [blob for blob in wanted if blob not in missing]
            self._git("cat-file", "--batch", input="\n".join(there).encode())
        except RemoteFailed:
            missing = [blob for blob in wanted if not self._can_read(blob)]
        return {blob: DAMAGED if self._is_stored(blob) else MISSING for blob in missing}

    def _can_read(self, blob: str) -> bool:
        try:
            self.read(blob)
        except RemoteFailed:
            return False
        return True

    def _is_stored(self, blob: str) -> bool:
        """Whether the store has a file for a blob, or has packed it, whatever is in there."""
        loose = self.store / "objects" / blob[:2] / blob[2:]
        if loose.exists():
            return True
        packs = (self.store / "objects" / "pack").glob("*.idx")
        return any(bytes.fromhex(blob) in path.read_bytes() for path in packs)

    def keep(self, content: bytes) -> str:
        """Put a file's content among the blobs, and return the name it has there."""
        self._create()
        return self._git("hash-object", "-w", "--stdin", "--no-filters", input=content).decode().strip()

    def push_of(self, commit: str, seen: datetime, clock: Clock) -> Push:
        """Return the record of a commit first seen at a moment, or dated by itself where the clock says so."""
        if clock is Clock.COMMIT_DATE:
            seen = datetime.fromtimestamp(int(self._git("show", "-s", "--format=%ct", commit)), UTC)
        return Push(self.student.id, commit, self.branch, seen, clock, self.notebooks(commit))

    def _create(self) -> None:
        if not (self.store / "HEAD").exists():
            self.store.parent.mkdir(parents=True, exist_ok=True)
            self._run(["init", "--quiet", "--bare", "--template=", str(self.store)])

    def _has(self, commit: str) -> bool:
        with suppress(RemoteFailed):
            return bool(self._git("rev-parse", "--verify", "--quiet", f"refs/seen/{commit}^{{commit}}"))
        return False

    def _git(self, *arguments: str, input: bytes = b"", most_mb: int = 0) -> bytes:
        options = [word for setting in SAFE for word in ("-c", setting)]
        return self._run([f"--git-dir={self.store}", *options, *arguments], input, most_mb)

    def _run(self, arguments: Sequence[str], input: bytes = b"", most_mb: int = 0) -> bytes:
        """Run git with limits on its time and on the size of what it writes.

        Where `most_mb` is given, what git says beyond that many megabytes is left out.
        """
        done = run_git(
            arguments,
            variables={"GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh"},
            input=input,
            seconds=FETCH_SECONDS,
            most_mb=most_mb or MAX_FETCH_MB,
        )
        cut = most_mb > 0 and done.wrote_too_much
        if done.code != 0 and not cut:
            reason = reason_of(done.errors) or f"git ended with {done.code}"
            theirs = [line for line in done.errors.decode("utf-8", "replace").splitlines() if "remote error: " in line]
            if done.wrote_too_much or b"died of signal 25" in done.errors or b"File too large" in done.errors:
                theirs = [f"{TOO_LARGE} {MAX_FETCH_MB} MB"]
            raise self._failed([reason, *theirs][-1])
        return done.output

    def _failed(self, reason: str) -> RemoteFailed:
        said = printable(reason.removeprefix("fatal: "))  # by a server that anybody may run
        return RemoteFailed(f"{self.student.id}: {self.student.remote}: {said}")
