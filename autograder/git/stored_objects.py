"""A student's bare store: what was pushed, as data. It is read, checked and packed here, and added to.

Nothing in it is ever checked out or run: no hooks, no filters, no links followed. Every git has a limit on its time
and on the size of what it writes, for what a student pushes may be made to cost both.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self

from autograder.course.errors import GitFailed, RemoteFailed
from autograder.course.reports import make_printable
from autograder.course.submissions import NotebookFile, Student
from autograder.git.bare_stores import clear_leftovers, hold_store
from autograder.git.git_command import OUT_OF_TIME, EndedGit, run_git, write_options
from autograder.git.object_batches import split_objects
from autograder.git.pushed_trees import PushedTree, read_pushed_tree
from autograder.git.repository import NOBODY, GitRepository, find_reason
from autograder.git.tree_objects import Tree, write_tree

FETCH_SECONDS = 120
MAX_FETCH_MB = 512
# Some hundred thousand files; a few hundred bytes of trees within trees can list billions.
MAX_LISTING_MB = 32
MAX_NOTEBOOKS = 500
BLOCK = 512  # bytes that a block of `st_blocks` has, on every file system
# All that fsck says of a file that is lost
LOST_FILE = re.compile(r"$|notice: |missing blob |broken link from +tree |\s*to +blob ")
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
TOO_LARGE = "it sends a file of more than"
MISSING = "is not in the store"
DAMAGED = "is damaged in the store"
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
    # Whatever is not named below may run a program, as `ext::` does.
    "protocol.allow=never",
    "protocol.file.allow=always",
    "protocol.git.allow=always",
    "protocol.http.allow=always",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
)


@dataclass(frozen=True)
class StudentStore:
    """A student's bare store, which may take `most_mb` megabytes; 0 for no limit.

    `branch` is the one that is graded. `assignment` is the only one a push into it is for, if it is: all repositories
    of a student share a store.
    """

    student: Student
    store: Path
    branch: str
    most_mb: float = 0
    assignment: str = ""

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
        notebooks = []
        for file in self.tree(commit).files:
            if file.path.endswith(".ipynb"):
                notebooks.append(NotebookFile(file.path, file.blob, file.size))
        # The nearest to the top first: homework lies there, a thousand copies lie deeper.
        notebooks.sort(key=lambda file: (file.path.count("/"), file.path))
        return tuple(notebooks[:MAX_NOTEBOOKS])

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
            missing = self._list_missing(wanted)
            there = [blob for blob in wanted if blob not in missing]
            # git holds what it reads against its name, and fails as a whole where one does not fit.
            self._git("cat-file", "--batch", input="\n".join(there).encode())
        except RemoteFailed:
            missing = [blob for blob in wanted if not self._can_read(blob)]
        found = {}
        for blob in missing:
            found[blob] = DAMAGED if self._is_stored(blob) else MISSING
        return found

    def _list_missing(self, blobs: Sequence[str]) -> list[str]:
        """Return which of these are no blobs here, without reading them."""
        check = "--batch-check=%(objectname) %(objecttype)"
        missing = []
        for line in self._git("cat-file", check, input="\n".join(blobs).encode()).splitlines():
            name, _, kind = line.partition(b" ")
            if kind != b"blob":
                missing.append(name.decode())
        return missing

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
        # An index is a list of names: git itself refuses to look into one whose pack is damaged.
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
        blocks = 0
        for path in self.store.rglob("*"):
            blocks += path.lstat().st_blocks  # what a small file takes, and not what is in it
        return blocks * BLOCK / 1e6

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
        extra = tuple((NOBODY | dated).items())  # one name, or the same files make two commits
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

    def _is_sound(self) -> bool:
        """Whether git can work in the store. A lost file is no reason to leave it: that can be
        fetched by itself.
        """
        # Not all contents: of a large store that takes minutes, and `damage` looks at what counts.
        done = run_git([f"--git-dir={self.store}", "fsck", "--connectivity-only", "--no-dangling"])
        lines = (done.output + done.errors).decode("utf-8", "replace").splitlines()
        # One that is only large is no reason to fetch everything anew.
        return done.code in {0, OUT_OF_TIME} or all(LOST_FILE.match(line) for line in lines)

    def set_aside(self) -> Path:
        """Move the store out of the way, under a name that no student's id can have, and return
        where it is now.
        """
        number = 1
        while (place := self.store.with_name(f"_damaged-{number}-{self.store.name}")).exists():
            number += 1
        return self.store.rename(place)  # never deleted: it may hold the last copy of something

    def aside(self) -> Iterator[Self]:
        """Yield the stores that were set aside, the newest first: what is whole in them can still
        be read.
        """
        for place in sorted(self.store.parent.glob(f"_damaged-*-{self.store.name}"), reverse=True):
            yield replace(self, store=place)

    def _create(self) -> None:
        if not (self.store / "HEAD").exists():
            self.store.mkdir(parents=True, exist_ok=True)
            with self._changing() as held:
                # No template: that of this machine may hold hooks.
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
        options = [f"--git-dir={self.store}", *write_options(SAFE)]
        return self._run([*options, *arguments], input, most_mb, held)

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
            # It goes before every configuration, that of whoever runs this among them.
            variables={"GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh"},
            input=input,
            seconds=FETCH_SECONDS,
            most_mb=most_mb or MAX_FETCH_MB,
            says_too_much=not most_mb,
            held=held,
        )
        cut = most_mb > 0 and done.wrote_too_much
        if done.code != 0 and not cut:
            raise self._failed(_explain_failure(done))
        return done.output

    def _failed(self, reason: str) -> RemoteFailed:
        said = make_printable(reason.removeprefix("fatal: "))  # by a server that anybody may run
        return RemoteFailed(f"{self.student.id}: {self.student.remote}: {said}")


def _explain_failure(done: EndedGit) -> str:
    """Return why a git failed: of all it says, what the other side says tells most."""
    if done.wrote_too_much:
        return f"{TOO_LARGE} {MAX_FETCH_MB} MB"
    reason = find_reason(done.errors) or f"git ended with {done.code}"
    for line in done.errors.decode("utf-8", "replace").splitlines():
        if "remote error: " in line:
            reason = line
    return reason
