"""Students' repositories, as data: fetched into bare stores, never checked out, nothing in them
ever run.

Each student has a bare store of their own (`stored_objects`). A fetch takes the tip of the graded branch only, one
commit deep; no hooks, no submodules, no filters, no transport that runs a program. What was seen is kept under a ref
of ours, so a later force-push takes nothing away.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from autograder.course.configuration import DEFAULT_BRANCH, Course
from autograder.course.errors import RemoteFailed
from autograder.course.remotes import git_address
from autograder.course.submissions import Clock, Push, Student
from autograder.git.stored_objects import TOO_LARGE, StudentStore

FETCH = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head")
# It moves with each fetch; where it was before is kept under a name of its own.
TIP = "refs/seen/tip"
BESIDE = "beside.git"
MAX_BRANCHES_MB = 1  # some ten thousand names
MAX_REF = 4096  # bytes of a branch's name, and more than that
# Why a commit cannot be had, now or later: all else may be the network, and is asked again
GONE = ("not our ref", "unadvertised object", TOO_LARGE)
Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Fork(StudentStore):
    """A student's repository, and our bare store of it."""

    def fetch(self, branches: Mapping[str, str] | None = None) -> str | None:
        """Fetch the tip of the graded branch and return its commit, None while the branch does not
        exist.

        Parameters
        ----------
        branches : mapping of str to str, optional
            What `branches` returned a moment ago; without it the remote is asked.

        Raises
        ------
        RemoteFailed
            If the remote cannot be reached, is no repository, takes too long or sends too much.
        """
        return self._in_a_sound_store(partial(self._fetch, branches))

    def _fetch(self, branches: Mapping[str, str] | None) -> str | None:
        ref = f"refs/heads/{self.branch}"
        commit = branches.get(self.branch) if branches is not None else self._tip(ref)
        if commit is None:
            return None
        if not self._has(commit):
            self._refuse_more_than_the_quota()
            with self._changing() as held:
                # The branch by its name: not every server gives out a commit by its own. So what
                # came may be newer than what was listed a moment ago, and is asked for again.
                self._git(
                    *FETCH,
                    "--depth=1",
                    "--force",
                    "--",
                    self.student.remote,
                    f"{ref}:{TIP}",
                    held=held,
                )
                commit = self._git("rev-parse", "--verify", f"{TIP}^{{commit}}").decode().strip()
                self._git("update-ref", f"refs/seen/{commit}", commit, held=held)
                self._tidy(held)
        return commit

    def fetch_commit(self, commit: str, *, anew: bool = False) -> bool:
        """Fetch one commit by its name, also when no branch leads to it any more; return whether it
        can be had.

        Parameters
        ----------
        anew : bool
            Whether it is fetched with all its files though the store has it: some of them may be
            lost.

        Raises
        ------
        RemoteFailed
            If the remote cannot be asked: then nothing is known about the commit.
        """
        return self._in_a_sound_store(partial(self._fetch_commit, commit, anew=anew))

    def _fetch_commit(self, commit: str, *, anew: bool) -> bool:
        if anew:
            return self._fetch_beside(commit)
        if self._has(commit):
            return True
        self._refuse_more_than_the_quota()
        with self._changing() as held:
            try:
                self._git(*FETCH, "--depth=1", "--", self.student.remote, commit, held=held)
            except RemoteFailed as error:
                if any(words in str(error) for words in GONE):
                    return False
                raise
            self._git("update-ref", f"refs/seen/{commit}", f"{commit}^{{commit}}", held=held)
            self._tidy(held)
        return True

    def _fetch_beside(self, commit: str) -> bool:
        """Fetch a commit into a store of its own, and take over its packs: git will not fetch what
        it believes to have.

        A pack is read before a damaged file of the same name, and in the place of a damaged pack.
        """
        with self._changing() as held:
            fresh = replace(self, store=self.store / BESIDE)
            shutil.rmtree(fresh.store, ignore_errors=True)
            try:
                if not fresh.fetch_commit(commit):
                    return False
                packs = fresh.store / "objects" / "pack"
                # The index last: it makes a pack known, which must be whole by then.
                for path in sorted(packs.iterdir(), key=lambda path: path.suffix == ".idx"):
                    path.replace(self.store / "objects" / "pack" / path.name)
            finally:
                shutil.rmtree(fresh.store, ignore_errors=True)
            self._git("update-ref", f"refs/seen/{commit}", f"{commit}^{{commit}}", held=held)
        return True

    def fetch_history(self) -> frozenset[str]:
        """Fetch the whole graded branch and return all its commits, none while it does not exist.

        Raises
        ------
        RemoteFailed
            As `fetch` does.
        """
        return self._in_a_sound_store(self._history)

    def _history(self) -> frozenset[str]:
        ref = f"refs/heads/{self.branch}"
        if not self._git("ls-remote", "--heads", "--", self.student.remote, ref, most_mb=1):
            return frozenset()
        with self._changing() as held:  # not one commit deep: every commit of it is wanted
            self._git(*FETCH, "--force", "--", self.student.remote, f"{ref}:{TIP}", held=held)
        return frozenset(self._git("rev-list", TIP).decode().split())

    def read_known_history(self) -> frozenset[str]:
        """Return all commits of the branch as it was last fetched, none if it never was."""
        with suppress(RemoteFailed, OSError):
            return frozenset(self._git("rev-list", TIP).decode().split())
        return frozenset()

    def list_branches(self) -> dict[str, str]:
        """Return the commit of every branch of the remote by its name, of very many only some.

        Raises
        ------
        RemoteFailed
            As `fetch` does.
        """
        return self._in_a_sound_store(self._branches)

    def _branches(self) -> dict[str, str]:
        listed = self._git(
            "ls-remote", "--heads", "--", self.student.remote, most_mb=MAX_BRANCHES_MB
        )
        found = {}
        for line in listed.decode("utf-8", "replace").split("\n")[:-1]:  # the last may be cut off
            commit, _, ref = line.partition("\t")
            found[ref.removeprefix("refs/heads/")] = commit
        if len(listed) > (MAX_BRANCHES_MB << 20) - MAX_REF and self.branch not in found:
            tip = self._tip(f"refs/heads/{self.branch}")  # among those that were cut off
            found |= {self.branch: tip} if tip else {}
        return found

    def on_graded_branch(self) -> Fork:
        """Return the fork with the name of its branch, where that is whichever is the remote's
        default.

        Raises
        ------
        RemoteFailed
            As `fetch` does.
        """
        if self.branch != DEFAULT_BRANCH:
            return self
        listed = self._in_a_sound_store(
            lambda: self._git(
                "ls-remote", "--symref", "--", self.student.remote, DEFAULT_BRANCH, most_mb=1
            )
        )
        ref = listed.decode("utf-8", "replace").partition("\t")[0].removeprefix("ref: refs/heads/")
        return replace(self, branch=ref) if listed.startswith(b"ref: ") else self

    def make_push(self, commit: str, seen: datetime, clock: Clock) -> Push:
        """Return the record of a commit first seen at a moment, or dated by itself where the clock
        says so.
        """
        if clock is Clock.COMMIT_DATE:
            seen = datetime.fromtimestamp(int(self._git("show", "-s", "--format=%ct", commit)), UTC)
        notebooks = self.notebooks(commit)
        return Push(
            self.student.id, commit, self.branch, seen, clock, notebooks, assignment=self.assignment
        )

    def _in_a_sound_store(self, work: Callable[[], Outcome]) -> Outcome:
        """Do something; where it fails because the store is broken, set that aside and do it in a
        new one.
        """
        self._create()
        try:
            return work()
        except RemoteFailed:
            # Asked only after a failure, for git goes through the whole store then.
            if self._is_sound():
                raise
        self.set_aside()
        self._create()
        return work()

    def was_looked_at(self, commit: str) -> bool:
        """Whether everything that a commit of another branch says is in the record."""
        return self._has(commit, "looked")

    def note_looked_at(self, commit: str) -> None:
        """Note that it is."""
        with self._changing() as held:
            self._git("update-ref", f"refs/looked/{commit}", f"{commit}^{{commit}}", held=held)

    def _tip(self, ref: str) -> str | None:
        listed = self._git(
            "ls-remote", "--heads", "--", self.student.remote, ref, most_mb=1
        ).split()
        return listed[0].decode("ascii", "replace") if listed else None


def open_fork(course: Course, student: Student, assignment: str = "") -> Fork:
    """Return a student's fork, or the repository that is for one assignment only."""
    remote = git_address(student.remote, course.forge)
    store = course.forks / f"{student.id}.git"
    return Fork(
        replace(student, remote=remote), store, course.graded_branch, course.store_mb, assignment
    )
