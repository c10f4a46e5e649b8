"""A git repository of our own on this machine: a student's clone, or the store in which a
publication is made.

Students' forks, which nobody trusts, are read by `autograder.git.student_stores` instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.course.errors import GitFailed
from autograder.course.temporary_folders import temporary_folder
from autograder.git.git_command import EndedGit, run_git, write_options

PASSWORD = re.compile(r"(?<=://)[^/@\s]+@")
ADVICE = (
    "hint:",
    "Please make sure you have the correct access rights",
    "and the repository exists.",
    "fatal: Could not read from remote repository.",
    "fatal: the remote end hung up unexpectedly",
)
LOCKED = re.compile(r"[Uu]nable to create '(?P<path>[^']*\.lock)': File exists")
NO_ACCESS = "it does not exist, or is private and wants a token"  # a server does not say which
NOBODY = {
    "GIT_AUTHOR_NAME": "autograder",
    "GIT_AUTHOR_EMAIL": "autograder@localhost",
    "GIT_COMMITTER_NAME": "autograder",
    "GIT_COMMITTER_EMAIL": "autograder@localhost",
}


@dataclass(frozen=True)
class GitRepository:
    """A repository; `path` is its working tree, or itself when it is bare, `held` a lock that its
    gits inherit.
    """

    path: Path
    settings: tuple[str, ...] = ()
    extra: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    held: int | None = field(default=None, repr=False)

    def git(self, *arguments: str, input: str | bytes = b"") -> str:
        """Run git here and return what it printed, without the newline at its end.

        Raises
        ------
        GitFailed
            With git's own reason.
        """
        return (
            # Paths may be in any encoding: so their bytes come back as they were.
            self.raw(*arguments, input=input).decode("utf-8", "surrogateescape").removesuffix("\n")
        )

    def raw(self, *arguments: str, input: str | bytes = b"") -> bytes:
        """Run git here and return the bytes it printed; fails as `git` does."""
        done = self._run(arguments, input)
        if done.code:
            reason = find_reason(done.errors) or f"it ended with {done.code}"
            raise GitFailed(f"git {arguments[0]}: {remove_passwords(reason)}")
        return done.output

    def says(self, *arguments: str) -> str | None:
        """Run git here and return what it printed, None if it failed."""
        done = self._run(arguments)
        return (
            None if done.code else done.output.decode("utf-8", "surrogateescape").removesuffix("\n")
        )

    def paths(self, *arguments: str) -> list[str]:
        """Run a git command that lists paths, with `-z` among its arguments, and return them."""
        return [path for path in self.git(*arguments).split("\0") if path]

    def config(self, *settings: str) -> GitRepository:
        """Return the same repository with settings like `"user.name=Someone"` for every command."""
        return replace(self, settings=self.settings + settings)

    @contextmanager
    def other_index(self) -> Iterator[GitRepository]:
        """Return the repository with an empty index beside its own, in which a commit can be made
        quietly.
        """
        with temporary_folder("index") as folder:
            yield replace(self, extra=(*self.extra, ("GIT_INDEX_FILE", str(folder / "index"))))

    def commit_tree(self, tree: str, message: str, *parents: str) -> str:
        """Make a commit of a tree, in the name git knows, else in the autograder's, and return its
        id.
        """
        # Asked first: `commit-tree` fails where git knows no name, as on a fresh runner.
        known = self.says("var", "GIT_COMMITTER_IDENT") and self.says("var", "GIT_AUTHOR_IDENT")
        author = self if known else replace(self, extra=(*self.extra, *NOBODY.items()))
        return author.git(
            "commit-tree", tree, *(f"-p{parent}" for parent in parents), input=message + "\n"
        )

    def _run(self, arguments: tuple[str, ...], input: str | bytes = b"") -> EndedGit:
        content = input.encode("utf-8", "surrogateescape") if isinstance(input, str) else input
        variables = dict(self.extra)
        return run_git(
            [*write_options(self.settings), *arguments],
            folder=self.path,
            variables=variables,
            input=content,
            held=self.held,
        )


def _find_telling_line(text: str) -> str:
    """Return the last line that says what a push was refused for, else the last that is no advice,
    else the last; "" where there is none.
    """
    last = ""
    telling = ""
    rejected = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        last = line
        if not line.startswith(ADVICE):
            telling = line
            if line.startswith("! ["):
                rejected = line
    return rejected or telling or last


def find_reason(errors: bytes) -> str:
    """Return the line of git's complaint that tells most, "" if there is none: what it says last is
    often advice.
    """
    text = errors.decode("utf-8", "replace")
    if locked := LOCKED.search(text):
        return f"{locked['path']} is there: another git works here, or one was killed; if none does, delete that file"
    line = _find_telling_line(text)
    if "terminal prompts disabled" in line:
        return f"{NO_ACCESS} ({line.removeprefix('fatal: ')})"
    return line.removeprefix("fatal: ").removeprefix("error: ")


def remove_passwords(text: str) -> str:
    """Return a text with user names, passwords and tokens cut out of its URLs."""
    return PASSWORD.sub("", text)
