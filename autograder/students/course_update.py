"""The course's news brought into a student's clone, whatever state that is in, with nothing of the
student's lost.

A pull stops where the student changed a file of the course's: usually a homework's original, often only run. Such
files are put back first, and what was in them is kept, beside them and on a branch. Then every path was changed by
one side only, so the merge has nothing to decide; it is made beside the clone's own index, and reached by a
fast-forward, which either happens as a whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path, PurePosixPath

from autograder.course.course_card import Card
from autograder.course.errors import GitFailed, UsageError
from autograder.git.repository import GitRepository
from autograder.students.clone_situation import (
    CloneSituation,
    ReplacedFile,
    compare_with_course,
    settle_conflict,
)
from autograder.students.student_clone import write_new_file

REMOTE = "upstream"
NOT_A_FORK = (
    "origin is the course itself; fork it, then: git remote set-url origin ADDRESS-OF-YOUR-FORK"
)
NO_UPSTREAM = (
    "nobody knows where the course is; tell git once: git remote add upstream ADDRESS-OF-THE-COURSE"
)
NO_CLONE = "{root} is no clone made with git (a downloaded ZIP?); clone your fork, and copy your notebooks into it"
UNFINISHED_WORK = {
    "rebase-merge": "a rebase is unfinished; end it with `git rebase --continue` or `git rebase --abort` first",
    "rebase-apply": "a rebase is unfinished; end it with `git rebase --continue` or `git rebase --abort` first",
    "CHERRY_PICK_HEAD": "a cherry-pick is unfinished; end it with `git cherry-pick --abort` first",
    "REVERT_HEAD": "a revert is unfinished; end it with `git revert --abort` first",
}


@dataclass(frozen=True)
class CourseUpdate:
    """Brings one clone up to date."""

    clone: GitRepository
    card: Card

    @classmethod
    def open_clone(cls, root: Path, card: Card) -> CourseUpdate:
        """Look at a clone.

        Raises
        ------
        UsageError
            If it is no clone, on no branch, or in the middle of something that only the student can
            end.
        """
        return cls(open_repository(root, card), card)

    @cached_property
    def branch(self) -> str:
        """The branch the student is on."""
        return self.clone.git("symbolic-ref", "--short", "HEAD")

    @property
    def is_merging(self) -> bool:
        """Whether a merge was begun and stopped at a conflict."""
        if self.clone.git("ls-files", "--unmerged"):
            return True
        return self._find_object("MERGE_HEAD") is not None

    def take_merge_back(self) -> str:
        """End an unfinished merge as if it had not been begun; return what keeps the files as they
        are now.

        What the student staged meanwhile, and the merge did not bring, stays on the disk.
        """
        kept = self._keep_backup("An unfinished merge", ())
        theirs = self._find_object("MERGE_HEAD")
        conflicts = set(self.clone.paths("diff", "--name-only", "--diff-filter=U", "-z"))
        options = ("--cached", "--name-only", "--no-renames", "-z")
        # `reset --merge` throws away what is staged; what the student staged is taken out of its way first
        for path in self.clone.paths("diff", *options, "HEAD", "--"):
            if path in conflicts:
                continue
            if theirs is None or self._find_object(f":{path}") != self._find_object(
                f"{theirs}:{path}"
            ):
                self.clone.git("reset", "--quiet", "--", quote_pathspec(path))
        self.clone.git("reset", "--quiet", "--merge")
        return kept

    def _find_object(self, name: str) -> str | None:
        return self.clone.says("rev-parse", "--verify", "--quiet", name)

    def fetch_course(self) -> str:
        """Get the course's newest commits; return the address they came from.

        Raises
        ------
        GitFailed
            If the course cannot be reached.
        UsageError
            If nobody knows where it is, or it is another repository altogether.
        """
        address = self.clone.says("remote", "get-url", REMOTE)
        if address is None:
            if not self.card.upstream:
                raise UsageError(NO_UPSTREAM)
            address = self.card.upstream
            self.clone.git("remote", "add", REMOTE, address)
        # A shallow clone may have no commit in common with the course, and then nothing can be merged
        if self.clone.git("rev-parse", "--is-shallow-repository") == "true":
            self.clone.git("fetch", "--quiet", "--unshallow", "origin")
        # Named here, for a remote set up by hand may fetch other branches, or none
        refspec = f"+refs/heads/{self.card.branch}:{self._course_ref}"
        self.clone.git("fetch", "--quiet", "--no-tags", REMOTE, refspec)
        return address

    @property
    def _course_ref(self) -> str:
        return f"refs/remotes/{REMOTE}/{self.card.branch}"

    def compare_with_course(self) -> CloneSituation:
        """Compare the clone with the course as last fetched; fails as
        `clone_situation.compare_with_course` does.
        """
        return compare_with_course(
            self.clone, self.clone.git("rev-parse", "--verify", self._course_ref)
        )

    def describe_remotes(self) -> Iterator[str]:
        """Yield sentences about branches and remotes that are not as they should be."""
        if self.branch != self.card.branch:
            yield f"you are on branch {self.branch}; points are given for {self.card.branch} only"
        own = self.clone.says("remote", "get-url", "origin")
        course = self.clone.says("remote", "get-url", REMOTE)
        if own is not None and is_same_repository(own, course or ""):
            yield NOT_A_FORK
        if self.card.upstream and not is_same_repository(course or "", self.card.upstream):
            yield f"your remote {REMOTE} is {course}; the course is at {self.card.upstream}"

    def carry_out(self, situation: CloneSituation, agreed: Sequence[ReplacedFile]) -> str:
        """Put files back, mend notebooks and merge; return what keeps the files replaced, "" if
        none was.

        Parameters
        ----------
        agreed : sequence of Replaced
            What of `situation.put_back` and `situation.broken` may be replaced.

        Raises
        ------
        GitFailed
            If git refuses; the clone's history is then as it was, and what was replaced is kept.
        """
        put_back = []
        broken = []
        for entry in agreed:
            if entry in situation.put_back:
                put_back.append(entry.path)
            if entry in situation.broken:
                broken.append(entry.path)
        kept = ""
        if agreed:
            kept = self._keep_backup("Before an update of the course", [*put_back, *broken])
        # All copies beside are made before the first file is replaced: one that is in the way stops everything
        for entry in agreed:
            if entry.beside:
                content = self._path_of(entry.path).read_bytes()
                write_new_file(self._path_of(entry.beside), settle_conflict(content) or content)
        for path in broken:
            self._path_of(path).write_bytes(
                settle_conflict(self._path_of(path).read_bytes()) or b""
            )
        for path in put_back:
            self._restore_committed(path)
        self.clone.git("merge", "--quiet", "--ff-only", self._commit_merge(situation, put_back))
        return kept

    def _restore_committed(self, path: str) -> None:
        """Make a file in the index and on the disk what it is in the student's newest commit."""
        self.clone.git("reset", "--quiet", "--", quote_pathspec(path))
        if self.clone.says("cat-file", "-e", f"HEAD:{path}") is None:
            self._path_of(path).unlink(missing_ok=True)
        else:
            self.clone.git("checkout", "--quiet", "--", quote_pathspec(path))

    def _commit_merge(self, situation: CloneSituation, put_back: Sequence[str]) -> str:
        """Make the commit in which both sides are; return it, or the newest one where it holds
        everything already.
        """
        head = self.clone.git("rev-parse", "HEAD")
        theirs = situation.theirs
        course_lines = "".join(self._list_index_lines(theirs, put_back))
        # Beside the clone's own index: when this stops halfway, nothing of the student's has moved
        with self.clone.other_index() as index:
            # -i looks at no file on the disk, --aggressive settles what only one side added or took away
            index.git("read-tree", "-i", "-m", "--aggressive", situation.base, head, theirs)
            index.git("update-index", "-z", "--index-info", input=course_lines)
            # Every path was changed by one side only, unless somebody works in the clone meanwhile
            if index.git("ls-files", "--unmerged"):
                raise GitFailed(
                    "the clone changed while it was updated; run the same command again"
                )
            tree = index.git("write-tree")
        if situation.base == theirs:
            if tree == self.clone.git("rev-parse", "HEAD^{tree}"):
                return head
            return self.clone.commit_tree(tree, "Put back the course's notebooks", head)
        # A student without commits of their own gets the course's commit itself, as a pull would give it
        if situation.base == head and tree == self.clone.git("rev-parse", f"{theirs}^{{tree}}"):
            return theirs
        return self.clone.commit_tree(tree, "Merge the course's news", head, theirs)

    def _list_index_lines(self, commit: str, paths: Sequence[str]) -> Iterator[str]:
        """Yield lines for git's index that make paths what they are in a commit."""
        for path in paths:
            listed = self.clone.git("ls-tree", "-z", commit, "--", path).rstrip("\0")
            # Mode 0 takes a path out: the course has it no more
            yield f"{listed}\0" if listed else f"0 {'0' * 40}\t{path}\0"

    def _keep_backup(self, subject: str, paths: Sequence[str]) -> str:
        """Keep all files git knows, and the given ones, as they are now; return the name of what
        keeps them.

        That is a new branch, or the student's newest commit where it holds all of this already.
        """
        head = self.clone.git("rev-parse", "HEAD")
        committed = self.clone.paths("ls-tree", "-r", "-z", "--name-only", head)
        staged = self.clone.paths("ls-files", "-z")
        # By standard input: a course has more paths than a command line takes
        everything = "\0".join([*committed, *staged, *paths])
        with self.clone.other_index() as index:
            index.git("read-tree", head)
            index.git("update-index", "--add", "--remove", "-z", "--stdin", input=everything)
            tree = index.git("write-tree")
        if tree == self.clone.git("rev-parse", "HEAD^{tree}"):
            return head[:10]
        name = self._find_free_branch(f"backup/{datetime.now():%Y-%m-%d-%H%M%S}")
        backup = self.clone.commit_tree(tree, subject, head)
        self.clone.git("update-ref", f"refs/heads/{name}", backup)
        return name

    def _find_free_branch(self, stem: str) -> str:
        """Return a name no branch has: two updates within a second keep two backups."""
        name = stem
        number = 2
        while self._find_object(f"refs/heads/{name}") is not None:
            name = f"{stem}-{number}"
            number += 1
        return name

    def forget_checkpoints(self, paths: Sequence[str]) -> None:
        """Take checkpoints out of git's index; the files stay."""
        self.clone.git("rm", "--quiet", "--cached", "--", *map(quote_pathspec, paths))

    def _path_of(self, path: str) -> Path:
        return self.clone.path / PurePosixPath(path)


def open_repository(root: Path, card: Card) -> GitRepository:
    """Return the repository of a clone that is on a branch, with nothing in it half done.

    Raises
    ------
    UsageError
        If it is no clone, on no branch, or in the middle of something that only the student can
        end.
    """
    clone = GitRepository(root)
    top = clone.says("rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != root.resolve():
        raise UsageError(NO_CLONE.format(root=root))
    for name, sentence in UNFINISHED_WORK.items():
        if (root / clone.git("rev-parse", "--git-path", name)).exists():
            raise UsageError(sentence)
    if clone.says("symbolic-ref", "--quiet", "HEAD") is None:
        raise UsageError(f"git is on no branch; go back to yours first: git switch {card.branch}")
    return clone


def quote_pathspec(path: str) -> str:
    """Write a path so that git takes a star or a bracket in it for no pattern."""
    return f":(literal){path}"


def is_same_repository(one: str, other: str) -> bool:
    """Whether two addresses are of one repository, by https or by ssh."""
    return bool(one) and _normalise_address(one) == _normalise_address(other)


def _normalise_address(address: str) -> str:
    path = re.sub(r"^(https?://|ssh://|git://)?([^/@]*@)?", "", address.strip().lower())
    return path.replace(":", "/").removesuffix("/").removesuffix(".git")
