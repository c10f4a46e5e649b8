"""A small forge on disk for the practice class: bare repositories that are forked and pushed to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from autograder.course.errors import GitFailed
from autograder.git.git_command import run_git
from autograder.git.repository import find_reason

AUTHOR = "practice class <practice@localhost>"


@dataclass(frozen=True)
class BareRepository:
    """A bare repository as a forge keeps it."""

    path: Path
    branch: str

    def create(self) -> None:
        """Make the repository, empty, unless it is there."""
        if not (self.path / "HEAD").exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            options = ("--quiet", "--bare", f"--initial-branch={self.branch}")
            self._git("init", *options, str(self.path), bare=False)

    def fork(self, upstream: BareRepository) -> None:
        """Make the repository a copy of another, unless it is there."""
        self.create()
        if not self.subject():
            self._git("fetch", "--quiet", str(upstream.path), f"{self.branch}:{self.branch}")

    def with_branch(self, name: str) -> BareRepository:
        """Return the repository with another branch to push to, which begins where this one is."""
        other = replace(self, branch=name)
        if not other.subject():
            self._git("branch", name, self.branch)
        return other

    def subject(self) -> str:
        """Return the subject of the newest commit, empty if there is none."""
        try:
            return self._git("log", "-1", "--format=%s", self.branch, "--").strip()
        except GitFailed:
            return ""

    def blob(self, path: str) -> str:
        """Return the blob of a file in the newest commit."""
        return self._git("rev-parse", f"{self.branch}:{path}").strip()

    def push(self, files: Mapping[str, bytes], subject: str, time: datetime) -> None:
        """Put one commit with these files on top of the branch, unless its newest commit is that
        one already.
        """
        # A practice class that was killed begins a wave again: what it pushed already is not pushed twice
        newest = self.subject()
        if newest == subject:
            return
        stamp = f"{AUTHOR} {int(time.timestamp())} +0000"
        parts = [
            f"commit refs/heads/{self.branch}\ncommitter {stamp}\ndata {len(subject)}\n{subject}\n".encode()
        ]
        if newest:
            parts.append(f"from refs/heads/{self.branch}^0\n".encode())
        for path, content in files.items():
            parts += [f"M 100644 inline {path}\ndata {len(content)}\n".encode(), content, b"\n"]
        # By fast-import one process makes a commit in a bare repository; with a checkout it takes five
        self._git("fast-import", "--quiet", "--date-format=raw", input=b"".join(parts))

    def _git(self, *arguments: str, bare: bool = True, input: bytes = b"") -> str:
        where = [f"--git-dir={self.path}"] if bare else []
        done = run_git([*where, *arguments], input=input)
        if done.code:
            raise GitFailed(f"git {arguments[0]} in {self.path}: {find_reason(done.errors)}")
        return done.output.decode()
