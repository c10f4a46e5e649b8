"""Students' repositories, as data: fetched into bare stores, never checked out, nothing in them
ever run.

Each student has a bare store of their own. A fetch takes the tip of the graded branch only, one commit deep; no
hooks, no submodules, no filters, no transport that runs a program. What was seen is kept under a ref of ours, so a
later force-push takes nothing away.
"""

from __future__ import annotations

import os
import re
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from autograder.course.configuration import DEFAULT_BRANCH, Course
from autograder.course.errors import GitFailed, RemoteFailed
from autograder.course.remotes import git_address
from autograder.course.submissions import Clock, NotebookFile, Push, Student, make_printable
from autograder.git.bare_stores import clear_leftovers, hold_store
from autograder.git.git_command import OUT_OF_TIME, run_git
from autograder.git.object_batches import split_objects
from autograder.git.pushed_trees import PushedTree, read_pushed_tree
from autograder.git.repository import NOBODY, GitRepository, find_reason
from autograder.git.tree_objects import Tree, write_tree

FETCH_SECONDS = 120
MAX_FETCH_MB = 512
MAX_LISTING_MB = (
    32  # some hundred thousand files; a few hundred bytes of trees within trees can list billions
)
MAX_NOTEBOOKS = 500
FETCH = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head")
TIP = "refs/seen/tip"
BESIDE = "beside.git"
LOST_FILE = re.compile(
    r"$|notice: |missing blob |broken link from +tree |\s*to +blob "
)  # all that fsck says of one
# Many packs become one. What no ref leads to stays: it may be the last copy of a notebook.
PACK = (
    "-c",
    "gc.auto=500",
    "-c",
    "gc.autoPackLimit=20",
    "-c",
    "gc.autoDetach=false",
    "-c",
    "gc.pruneExpire=never",
)
MAX_BRANCHES_MB = 1  # some ten thousand names
MAX_REF = 4096  # bytes of a branch's name, and more than that
TOO_LARGE = "it sends a file of more than"
MISSING = "is not in the store"
DAMAGED = "is damaged in the store"
GONE = ("not our ref", "unadvertised object", TOO_LARGE)  # why a commit cannot be had, now or later
SAFE = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=false",
    "fetch.recurseSubmodules=false",
    # A fork's old commits are not the student's fault; nothing of them is checked out
    "fetch.fsckObjects=false",
    "fetch.unpackLimit=1",  # a pack of each fetch: fewer files, and see `_fetch_beside`
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.allow=never",
    "protocol.file.allow=always",
    "protocol.git.allow=always",
    "protocol.http.allow=always",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
)

Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Fork:
    """A student's repository and our bare store of it, which may take `most_mb` megabytes; 0 for no
    limit.

    `assignment` is the only one the repository is for, if it is: all such repositories of a student share a store.
    """

    student: Student
    store: Path
    branch: str
    most_mb: float = 0
    assignment: str = ""

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
                for path in sorted(
                    packs.iterdir(), key=lambda path: path.suffix == ".idx"
                ):  # which makes a pack known
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
        with self._changing() as held:
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
        lines = [line.split("\t") for line in listed.decode("utf-8", "replace").split("\n")[:-1]]
        found = {ref.removeprefix("refs/heads/"): commit for commit, ref in lines}
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

    def tree(self, commit: str) -> PushedTree:
        """Return what is in a commit's tree; of one without end only the beginning is looked at."""
        listing = self._git(
            "ls-tree", "-r", "-z", "--long", "--full-tree", commit, most_mb=MAX_LISTING_MB
        )
        return read_pushed_tree(listing, self.read_blobs)

    def notebooks(self, commit: str) -> tuple[NotebookFile, ...]:
        """Return the notebooks in a commit's tree, at most `MAX_NOTEBOOKS`: files, and links to
        files in it.
        """
        found = [file for file in self.tree(commit).files if file.path.endswith(".ipynb")]
        found = sorted(found, key=lambda file: (file.path.count("/"), file.path))[:MAX_NOTEBOOKS]
        return tuple(NotebookFile(file.path, file.blob, file.size) for file in found)

    def read_blobs(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Yield blobs with their bytes; who asks knows that they are not too large. What is lost is
        left out.
        """
        if not blobs:
            return
        said = self._git("cat-file", "--batch", input="\n".join([*blobs, ""]).encode())
        for blob, content in split_objects(said, blobs):
            if content is not None:
                yield blob, content

    def read(self, blob: str) -> bytes:
        """Return the bytes of a blob."""
        return self._git("cat-file", "blob", blob)

    def damage(self, blobs: Sequence[str]) -> dict[str, str]:
        """Return which of these blobs the store does not hold as they were pushed, and what is
        wrong with each.
        """
        wanted = list(dict.fromkeys(blobs))
        if not wanted or not (self.store / "HEAD").exists():
            return dict.fromkeys(wanted, MISSING)
        try:
            # git holds what it reads against its name, and fails as a whole where one does not fit.
            lines = self._git(
                "cat-file",
                "--batch-check=%(objectname) %(objecttype)",
                input="\n".join(wanted).encode(),
            )
            missing = [
                line.split()[0].decode()
                for line in lines.splitlines()
                if not line.endswith(b" blob")
            ]
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
        with self._changing() as held:
            name = (
                self._git("hash-object", "-w", "--stdin", "--no-filters", input=content, held=held)
                .decode()
                .strip()
            )
        if not self._can_read(name):  # git writes nothing anew that it believes to have
            self._write_anew(name, content)
        return name

    def _write_anew(self, name: str, content: bytes) -> None:
        place = self.store / "objects" / name[:2] / name[2:]
        place.parent.mkdir(exist_ok=True)
        temporary = place.with_name(f"tmp_obj_{os.getpid()}")
        temporary.write_bytes(zlib.compress(b"blob %d\0" % len(content) + content))
        temporary.replace(place)

    @property
    def megabytes(self) -> float:
        """What the store takes of the disk."""
        files = (path.lstat() for path in self.store.rglob("*"))
        return sum(file.st_blocks * 512 for file in files) / 1e6

    def _refuse_more_than_the_quota(self) -> None:
        if self.most_mb and self.megabytes > self.most_mb:
            raise self._failed(
                f"what they pushed takes {self.megabytes:.0f} MB in {self.store}, more than c.Course.store_mb, "
                f"{self.most_mb:g}: nothing more of theirs is fetched; ask them to take large files out, then delete "
                "that folder, or raise c.Course.store_mb"
            )

    def _tidy(self, held: int) -> None:
        """Pack the store where git finds that it is time; one that cannot be packed still
        serves.
        """
        try:
            self._git(*PACK, "gc", "--auto", "--quiet", held=held)
        except RemoteFailed:
            clear_leftovers(self.store)

    def commit_files(self, files: Mapping[str, bytes], time: datetime, message: str) -> str:
        """Put files into the store as a commit, which is the same for the same files and time, and
        return its id.
        """
        self._create()
        stamp = f"{int(time.timestamp())} +0000"
        dated = {"GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp}
        extra = tuple((NOBODY | dated).items())
        with self._changing() as held:
            repository = GitRepository(self.store, SAFE, extra, held)
            commit = write_tree(repository, Tree(""), files, message)
            self._git("update-ref", f"refs/seen/{commit}", commit, held=held)
        return commit

    def pack(self) -> bool:
        """Pack everything in the store, names of commits among it; return whether that was
        possible.
        """
        try:
            with self._changing() as held:
                self._git("pack-refs", "--all", held=held)
                self._git(*PACK, "gc", "--quiet", held=held)
        except RemoteFailed:
            clear_leftovers(self.store)
            return False
        return True

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
            if self._is_sound():
                raise
        self.set_aside()
        self._create()
        return work()

    def _is_sound(self) -> bool:
        """Whether git can work in the store. A lost file is no reason to leave it: that can be
        fetched by itself.
        """
        done = run_git([f"--git-dir={self.store}", "fsck", "--connectivity-only", "--no-dangling"])
        lines = (done.output + done.errors).decode("utf-8", "replace").splitlines()
        return done.code in {0, OUT_OF_TIME} or all(LOST_FILE.match(line) for line in lines)

    def set_aside(self) -> Path:
        """Move the store out of the way, under a name that no student's id can have, and return
        where it is now.
        """
        number = 1
        while (place := self.store.with_name(f"_damaged-{number}-{self.store.name}")).exists():
            number += 1
        return self.store.rename(place)

    def aside(self) -> Iterator[Fork]:
        """Yield the stores that were set aside, the newest first: what is whole in them can still
        be read.
        """
        for place in sorted(self.store.parent.glob(f"_damaged-*-{self.store.name}"), reverse=True):
            yield replace(self, store=place)

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

    def _create(self) -> None:
        if not (self.store / "HEAD").exists():
            self.store.mkdir(parents=True, exist_ok=True)
            with self._changing() as held:
                self._run(["init", "--quiet", "--bare", "--template=", str(self.store)], held=held)

    @contextmanager
    def _changing(self) -> Iterator[int]:
        try:
            with hold_store(self.store, FETCH_SECONDS) as held:
                yield held
        except GitFailed as error:
            raise RemoteFailed(f"{self.student.id}: {error}") from None

    def _has(self, commit: str, kind: str = "seen") -> bool:
        with suppress(RemoteFailed):
            return bool(
                self._git("rev-parse", "--verify", "--quiet", f"refs/{kind}/{commit}^{{commit}}")
            )
        return False

    def _git(
        self, *arguments: str, input: bytes = b"", most_mb: int = 0, held: int | None = None
    ) -> bytes:
        options = [word for setting in SAFE for word in ("-c", setting)]
        return self._run([f"--git-dir={self.store}", *options, *arguments], input, most_mb, held)

    def _run(
        self,
        arguments: Sequence[str],
        input: bytes = b"",
        most_mb: int = 0,
        held: int | None = None,
    ) -> bytes:
        """Run git with limits on its time and on the size of what it writes.

        Where `most_mb` is given, what git says beyond that many megabytes is left out.
        """
        done = run_git(
            arguments,
            variables={"GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh"},
            input=input,
            seconds=FETCH_SECONDS,
            most_mb=most_mb or MAX_FETCH_MB,
            says_too_much=not most_mb,
            held=held,
        )
        cut = most_mb > 0 and done.wrote_too_much
        if done.code != 0 and not cut:
            reason = find_reason(done.errors) or f"git ended with {done.code}"
            theirs = [
                line
                for line in done.errors.decode("utf-8", "replace").splitlines()
                if "remote error: " in line
            ]
            if done.wrote_too_much:
                theirs = [f"{TOO_LARGE} {MAX_FETCH_MB} MB"]
            raise self._failed([reason, *theirs][-1])
        return done.output

    def _failed(self, reason: str) -> RemoteFailed:
        said = make_printable(reason.removeprefix("fatal: "))  # by a server that anybody may run
        return RemoteFailed(f"{self.student.id}: {self.student.remote}: {said}")


def open_fork(course: Course, student: Student, assignment: str = "") -> Fork:
    """Return a student's fork, or the repository that is for one assignment only."""
    remote = git_address(student.remote, course.forge)
    store = course.forks / f"{student.id}.git"
    return Fork(
        replace(student, remote=remote), store, course.graded_branch, course.store_mb, assignment
    )
