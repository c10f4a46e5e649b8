"""A git repository of our own on this machine: a student's clone, or the store in which a publication is made.

Students' forks, which nobody trusts, are read by `autograder.collecting.forks` instead.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from autograder.errors import GitFailed

# What a surrounding git command, such as a hook, would say about another repository.
FOREIGN = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"}
PASSWORD = re.compile(r"(?<=://)[^/@\s]+@")
ADVICE = (
    "hint:",
    "Please make sure you have the correct access rights",
    "and the repository exists.",
    "fatal: Could not read from remote repository.",
    "fatal: the remote end hung up unexpectedly",
)
NO_ACCESS = "it does not exist, or is private and wants a token"  # a server does not say which
NOBODY = {
    "GIT_AUTHOR_NAME": "autograder",
    "GIT_AUTHOR_EMAIL": "autograder@localhost",
    "GIT_COMMITTER_NAME": "autograder",
    "GIT_COMMITTER_EMAIL": "autograder@localhost",
}


@dataclass(frozen=True)
class GitRepository:
    """A repository; `path` is its working tree, or itself when it is bare."""

    path: Path
    settings: tuple[str, ...] = ()
    extra: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def git(self, *arguments: str, input: str | bytes = b"") -> str:
        """Run git here and return what it printed, without the newline at its end.

        Raises
        ------
        GitFailed
            With git's own reason.
        """
        return self.raw(*arguments, input=input).decode("utf-8", "surrogateescape").removesuffix("\n")

    def raw(self, *arguments: str, input: str | bytes = b"") -> bytes:
        """Run git here and return the bytes it printed; fails as `git` does."""
        done = self._run(arguments, input)
        if done.returncode:
            reason = reason_of(done.stderr) or f"it ended with {done.returncode}"
            raise GitFailed(f"git {arguments[0]}: {without_password(reason)}")
        return done.stdout

    def says(self, *arguments: str) -> str | None:
        """Run git here and return what it printed, None if it failed."""
        done = self._run(arguments)
        return None if done.returncode else done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    def paths(self, *arguments: str) -> list[str]:
        """Run a git command that lists paths, with `-z` among its arguments, and return them."""
        return [path for path in self.git(*arguments).split("\0") if path]

    def config(self, *settings: str) -> GitRepository:
        """Return the same repository with settings like `"user.name=Someone"` for every command."""
        return GitRepository(self.path, self.settings + settings, self.extra)

    @contextmanager
    def other_index(self) -> Iterator[GitRepository]:
        """Return the repository with an empty index beside its own, in which a commit can be made quietly."""
        with TemporaryDirectory(prefix="autograder-index-") as folder:
            yield GitRepository(
                self.path, self.settings, (*self.extra, ("GIT_INDEX_FILE", str(Path(folder) / "index")))
            )

    def commit_tree(self, tree: str, message: str, *parents: str) -> str:
        """Make a commit of a tree, in the name git knows, else in the autograder's, and return its id."""
        known = self.says("var", "GIT_COMMITTER_IDENT") and self.says("var", "GIT_AUTHOR_IDENT")
        author = self if known else GitRepository(self.path, self.settings, (*self.extra, *NOBODY.items()))
        return author.git("commit-tree", tree, *(f"-p{parent}" for parent in parents), input=message + "\n")

    def _run(self, arguments: tuple[str, ...], input: str | bytes = b"") -> subprocess.CompletedProcess[bytes]:
        environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        environment |= {"LC_ALL": "C", **dict(self.extra)}
        options = [word for setting in self.settings for word in ("-c", setting)]
        try:
            return subprocess.run(
                ["git", *options, *arguments],
                cwd=self.path,
                env=environment,
                input=input.encode("utf-8", "surrogateescape") if isinstance(input, str) else input,
                capture_output=True,
                check=False,
            )
        except FileNotFoundError:
            raise GitFailed("git is not installed, or not on the PATH; get it from https://git-scm.com") from None


def reason_of(errors: bytes) -> str:
    """Return the line of git's complaint that tells most, "" if there is none: what it says last is often advice."""
    lines = [line.strip() for line in errors.decode("utf-8", "replace").splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(ADVICE)]
    rejected = [line for line in telling if line.startswith("! [")]
    line = [*lines[-1:], *telling[-1:], *rejected[-1:]][-1] if lines else ""
    if "terminal prompts disabled" in line:
        return f"{NO_ACCESS} ({line.removeprefix('fatal: ')})"
    return line.removeprefix("fatal: ").removeprefix("error: ")


def without_password(text: str) -> str:
    """Return a text with user names, passwords and tokens cut out of its URLs."""
    return PASSWORD.sub("", text)
