"""A student's homework on its way: what a push would send, the commit that holds it, and the push
itself.

Only files in the homework's folders are committed, whatever else is changed or staged in the clone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from autograder.course.course_card import Card
from autograder.course.errors import GitFailed, UsageError
from autograder.course.layout import FOLDER
from autograder.course.names import name_assignment
from autograder.git.repository import GitRepository, remove_passwords
from autograder.students.course_update import (
    NOT_A_FORK,
    is_same_repository,
    open_repository,
    quote_pathspec,
)
from autograder.students.student_clone import StudentClone

REMOTE = "origin"
MEGABYTE = 1 << 20
# GitHub takes no larger file, and then takes nothing of the push
LARGEST_FILE = 100 * MEGABYTE
CHECKPOINTS = ".ipynb_checkpoints"
NO_FORK = (
    "this clone has no origin to push to; tell git once: git remote add origin ADDRESS-OF-YOUR-FORK"
)
MOVED_ON = "your fork has commits that are not here; get them first: git pull --no-rebase, then autograder submit"


@dataclass(frozen=True)
class PendingFile:
    """A file of a homework that a push would send; `state` is ``new``, ``changed``, ``deleted`` or
    ``committed``.
    """

    path: str
    state: str
    size: int


@dataclass(frozen=True)
class PushedHomework:
    """What was pushed: the commit, and to which branch of which repository."""

    commit: str
    branch: str
    address: str


@dataclass(frozen=True)
class HomeworkPush:
    """The way from a clone to its fork."""

    clone: StudentClone
    repository: GitRepository
    branch: str
    address: str

    @classmethod
    def open_clone(cls, clone: StudentClone, card: Card) -> HomeworkPush:
        """Look whether a push from this clone would arrive where points are given.

        Raises
        ------
        UsageError
            With the step that puts it right.
        """
        repository = open_repository(clone.root, card)
        if repository.says("rev-parse", "--verify", "--quiet", "MERGE_HEAD") is not None:
            raise UsageError(
                "a merge was begun and stopped at a conflict; take it back: autograder update"
            )
        branch = repository.git("symbolic-ref", "--short", "HEAD")
        if branch != card.branch:
            raise UsageError(
                f"you are on branch {branch}; points are given for {card.branch} only; "
                f"go there first: git switch {card.branch}"
            )
        address = repository.says("remote", "get-url", REMOTE)
        if address is None:
            raise UsageError(NO_FORK)
        if is_same_repository(address, card.upstream):
            raise UsageError(NOT_A_FORK)
        return cls(clone, repository, branch, remove_passwords(address))

    def find_pending(self, assignment: str) -> list[PendingFile]:
        """Return the files of a homework, with all its notebooks, that the fork does not have as they
        are here.

        Raises
        ------
        UsageError
            If one is too large for a push.
        """
        found: dict[str, PendingFile] = {}
        for path in self._find_unpushed(assignment):
            found[path] = PendingFile(path, "committed", self._size_of(path))
        # What changed after it was committed is told as changed
        for path, state in self._find_uncommitted(assignment):
            found[path] = PendingFile(path, state, self._size_of(path))
        for file in found.values():
            if file.size > LARGEST_FILE:
                raise UsageError(
                    f"{file.path} has {file.size // MEGABYTE} MB; no push with more than "
                    f"{LARGEST_FILE // MEGABYTE} in a file is taken; move it out of {FOLDER}/"
                )
        return [file for _, file in sorted(found.items())]

    def _find_uncommitted(self, assignment: str) -> Iterator[tuple[str, str]]:
        """Yield path and state of what changed since the newest commit and belongs to the student's
        work.
        """
        options = ("--porcelain", "--no-renames", "--untracked-files=all", "-z")
        originals = set()
        graded = set()
        for name in self.clone.assignments:
            if name_assignment(name) == assignment:
                originals.add(self.clone.relative_path(self.clone.original_path(name)))
                notebook = self.clone.find_graded_notebook(name)
                graded |= {self.clone.relative_path(notebook)} if notebook is not None else set()
        for entry in self.repository.paths("status", *options, "--", f"{FOLDER}/{assignment}"):
            # Two letters, one for the index and one for the disk, and a blank
            path = entry[3:]
            # An original that was only run beside a copy would stand in the way of the next update.
            if CHECKPOINTS in PurePosixPath(path).parts or path in originals - graded:
                continue
            if not (self.clone.root / path).exists():
                yield path, "deleted"
            else:
                yield path, "new" if entry[0] in "?A" else "changed"

    def _find_unpushed(self, assignment: str) -> list[str]:
        """Return what is committed and, as far as is known here, not in the fork."""
        # As last fetched or pushed: looking is not to wait for a network
        fork = f"refs/remotes/{REMOTE}/{self.branch}"
        if self.repository.says("rev-parse", "--verify", "--quiet", fork) is None:
            return []
        options = ("--name-only", "--no-renames", "-z")
        return self.repository.paths("diff", *options, fork, "HEAD", "--", f"{FOLDER}/{assignment}")

    def _size_of(self, path: str) -> int:
        file = self.clone.root / path
        return file.stat().st_size if file.is_file() else 0

    def commit_files(self, files: Sequence[PendingFile], message: str) -> str:
        """Commit files as they are now, and nothing else; return the newest commit."""
        head = self.repository.git("rev-parse", "HEAD")
        paths = [file.path for file in files if file.state != "committed"]
        if not paths:
            return head
        # In an index of its own, so that what the student has staged elsewhere stays staged and is not sent
        with self.repository.other_index() as index:
            index.git("read-tree", head)
            index.git("update-index", "--add", "--remove", "-z", "--stdin", input="\0".join(paths))
            tree = index.git("write-tree")
        commit = self.repository.commit_tree(tree, message, head)
        # Refused when HEAD moved meanwhile, by a commit made in another window
        self.repository.git("update-ref", "HEAD", commit, head)
        self.repository.git("reset", "--quiet", "--", *map(quote_pathspec, paths))
        return commit

    def push(self, commit: str) -> PushedHomework:
        """Push a commit to the fork.

        Raises
        ------
        GitFailed
            If the fork does not take it; the commit stays, so that a push by hand sends the same.
        """
        try:
            # The commit by its name: one made meanwhile was not agreed to
            self.repository.git("push", "--quiet", REMOTE, f"{commit}:refs/heads/{self.branch}")
        except GitFailed as error:
            if "rejected" in str(error):
                step = MOVED_ON
            else:
                step = (
                    f"the commit {commit[:10]} is made; to send it: git push {REMOTE} {self.branch}"
                )
            raise GitFailed(f"not sent: {error}; {step}") from None
        return PushedHomework(commit, self.branch, self.address)
