"""What a course remembers, on a branch of its own in the instructors' repository.

Ledger, roster, extensions and page keys are files here and blobs there; `pull` brings the branch
here, `push` takes what is new here there. Neither side is overwritten: the ledger only grows, line
by line, a table is taken from the side that changed it, and where both changed it a person is
asked. So runs that overlap, fail or are started again end with the same record.

A second branch keeps the notebooks that were pushed, for a fork can vanish while an exam is still being repaired. Its
tree holds only what the last run added; older ones are fetched by their blob's name, one by one, when they are needed.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from autograder.course.configuration import Course
from autograder.course.errors import DiskFailed, GitFailed, RemoteFailed, UsageError
from autograder.course.layout import find_notebook
from autograder.course.roster import list_ids, read_roster
from autograder.course.submissions import NotebookFile, Student
from autograder.course.whole_files import PRIVATE, write_whole
from autograder.forge.forge_protocol import open_forge
from autograder.git.repository import GitRepository
from autograder.git.student_stores import open_fork
from autograder.git.tree_objects import (
    NOTHING,
    Tree,
    name_of_blob,
    read_blobs,
    read_tree,
    write_tree,
)
from autograder.record.ledger import Ledger
from autograder.record.page_keys import PageKeys
from autograder.record.state_merging import FileVersions, merge_keys, merge_lines, merge_table

BRANCH = "state"
BASE = "refs/autograder/base"  # the commit both sides began with
# Whatever a student may be called: without a slash, and nothing hidden.
LEDGER = re.compile(r"ledger/(?P<student>[^/.\s-][^/\0]*)\.jsonl")
BLOB = re.compile(r"[0-9a-f]{40,64}")
TRIES = 8  # of a push that others outrun; the pauses between them add up to 25 s at most
SETTINGS = ("core.hooksPath=/dev/null", "gc.auto=0", "maintenance.auto=false")


@dataclass(frozen=True)
class StateChange:
    """A file that is not the same here and on the branch: what both began with, what it is, and
    both merged.
    """

    path: str
    base: bytes | None = field(repr=False)
    ours: bytes | None = field(repr=False)
    theirs: bytes | None = field(repr=False)
    merged: bytes = field(repr=False)


@dataclass(frozen=True)
class StateBranch:
    """The state of a course here, and its branch.

    Attributes
    ----------
    course : Course
        Its folder lies in a checkout of the instructors' repository.
    remote : str
        Name or URL of the repository with the branch.
    branch : str
        Name of the branch; the notebooks are on `<branch>-notebooks`.
    troubles : list of str
        A sentence for each student's file that was left out because it could not be read or written
        here.
    """

    course: Course
    remote: str = "origin"
    branch: str = BRANCH
    troubles: list[str] = field(default_factory=list, compare=False)

    def pull(self) -> list[str]:
        """Bring what is on the branch here, keep what is only here, and return the files that
        changed here.

        Raises
        ------
        GitFailed
            If git cannot reach the branch.
        AutograderError
            If a table was changed on both sides.
        """
        theirs = self._fetch(self.branch)
        changed = self._bring(theirs)
        # Last: what a run that was killed did not remember is merged once more, to the same end.
        self._remember(theirs.commit)
        return changed

    def push(self, message: str) -> list[str]:
        """Merge both sides, put the result on the branch, and return the files that changed there.

        Everybody in the roster has a page key afterwards, so that no two runs make pages with
        different ones.

        Raises
        ------
        GitFailed
            If the branch cannot be pushed; what is here stays here for the next time.
        AutograderError
            If a table was changed on both sides.
        """
        for attempt in range(TRIES):
            theirs = self._fetch(self.branch)
            self._bring(theirs)
            self._ensure_keys()
            news = []
            files = {}
            for change in self._changes(theirs):
                if change.merged != change.theirs:
                    news.append(change)
                    files[change.path] = change.merged
            if not news:
                self._remember(theirs.commit)
                return []
            tips = {self.branch: write_tree(self._repository, theirs, files, message)}
            notebooks = self._new_notebooks(news)
            if notebooks:
                kept = self._fetch(self._kept_branch)
                tips[self._kept_branch] = write_tree(
                    self._repository, Tree(kept.commit), notebooks, message
                )
            if self._push(tips, theirs):
                self._remember(tips[self.branch])
                return sorted(files)
            # By chance, so that two runs that met once do not meet again and again
            time.sleep(random.uniform(0.0, 0.1 * 2**attempt))
        raise GitFailed(f"the branch {self.branch!r} was outrun {TRIES} times; run this again")

    def find_differences(self) -> list[StateChange]:
        """Return what is not the same here and on the branch, without changing either; nothing
        without such a branch.

        Raises
        ------
        GitFailed
            If git cannot reach the branch.
        AutograderError
            If a table was changed on both sides.
        """
        theirs = self._fetch(self.branch)
        return self._changes(theirs) if theirs.commit else []

    def notebook(self, blob: str) -> bytes | None:
        """Return the bytes of a notebook that was pushed once, None if it was not kept."""
        if not BLOB.fullmatch(blob):
            return None
        try:
            repository = self._repository
            if repository.says("cat-file", "-e", blob) is None:
                repository.git(
                    "fetch",
                    "--quiet",
                    "--no-tags",
                    "--no-write-fetch-head",
                    "--",
                    self.remote,
                    blob,
                )
            return repository.raw("cat-file", "blob", blob)
        # No branch, no network, no repository: who asks looks in the next place.
        except (GitFailed, UsageError):
            return None

    @property
    def _repository(self) -> GitRepository:
        found = GitRepository(self.course.root)
        if found.says("rev-parse", "--git-dir") is None:
            raise UsageError(
                f"{self.course.root} is in no git repository; the state is kept on a branch of one"
            )
        return GitRepository(found.path, SETTINGS, open_forge(self.course.forge).make_credentials())

    @property
    def _kept_branch(self) -> str:
        return f"{self.branch}-notebooks"

    # ----------------------------------------------------------------------------------------------- both sides merged

    def _bring(self, theirs: Tree) -> list[str]:
        """Make the files here what both sides merged are."""
        brought = []
        for change in self._changes(theirs):
            if change.merged == change.ours:
                continue
            try:
                self._put_here(change)
                brought.append(change.path)
            except DiskFailed as error:
                self._leave_out(error)
        return brought

    def _put_here(self, change: StateChange) -> None:
        ledger = LEDGER.fullmatch(change.path)
        if ledger:  # as it is in this moment: somebody may have appended to it
            Ledger.of(self.course).rewrite_lines(ledger["student"], partial(_merged_with, change))
        else:
            write_whole(self._place(change.path), change.merged, "state", mode=PRIVATE)

    def _leave_out(self, error: DiskFailed) -> None:
        if str(error) not in self.troubles:
            self.troubles.append(str(error))

    def _changes(self, theirs: Tree) -> list[StateChange]:
        """Return every file that is not the same here and there."""
        repository = self._repository
        base = read_tree(
            repository, repository.says("rev-parse", "--verify", "--quiet", BASE) or ""
        )
        ours = self._here(theirs)
        # By the names of blobs: of a thousand files that are alike none is read from the branch.
        paths = []
        for path, mine in ours.items():
            if theirs.blobs.get(path) != name_of_blob(mine):
                paths.append(path)
        wanted = []
        for path in paths:
            for side in (base, theirs):
                if path in side.blobs:
                    wanted.append(side.blobs[path])
        content = {NOTHING: None} | read_blobs(repository, wanted)
        changes = []
        for path in paths:
            before = content[base.blobs.get(path, NOTHING)]
            there = content[theirs.blobs.get(path, NOTHING)]
            merged = self._merged(path, FileVersions(before, there, ours.get(path)))
            if merged is not None:
                changes.append(StateChange(path, before, ours.get(path), there, merged))
        return changes

    def _here(self, theirs: Tree) -> dict[str, bytes | None]:
        """Return what the files are here, None where there is none; a ledger that cannot be read is
        left out.
        """
        found: dict[str, bytes | None] = {}
        for path in self._paths(theirs):
            place = self._place(path)
            try:
                found[path] = place.read_bytes() if place.exists() else None
            except OSError as error:
                failed = DiskFailed.at(place, error)
                if not LEDGER.fullmatch(path):
                    raise failed from None
                self._leave_out(failed)
        return found

    def _merged(self, path: str, versions: FileVersions) -> bytes | None:
        if LEDGER.fullmatch(path):
            return merge_lines(versions)
        return (
            merge_keys(versions)
            if path == "keys.json"
            else merge_table(str(self._place(path)), versions)
        )

    def _paths(self, theirs: Tree) -> Iterator[str]:
        """Yield the paths on the branch of everything there is here or there."""
        yield from ("roster.csv", "extensions.csv", "keys.json")
        paths = set(theirs.blobs)
        for file in self.course.ledger.glob("*.jsonl"):
            paths.add(f"ledger/{file.name}")
        for path in sorted(paths):
            if LEDGER.fullmatch(path):  # what else is on the branch is not ours to bring here
                yield path

    def _place(self, path: str) -> Path:
        """Where a file of the branch lies here."""
        tables = {"roster.csv": self.course.roster, "extensions.csv": self.course.extensions}
        tables["keys.json"] = self.course.keys
        return tables.get(path) or self.course.ledger / path.removeprefix("ledger/")

    def _ensure_keys(self) -> None:
        if self.course.roster.exists():
            students = read_roster(self.course.roster, self.course)
            PageKeys.load_or_create(self.course.keys).make_missing(list_ids(students))

    # ------------------------------------------------------------------------------------------------- to and from git

    def _fetch(self, branch: str) -> Tree:
        """Fetch the tip of a branch and return its tree, an empty one while there is no such
        branch.
        """
        repository = self._repository
        ref = f"refs/heads/{branch}"
        listed = repository.git("ls-remote", "--", self.remote, ref).split()
        if not listed:
            return Tree("")
        # One commit deep: a term's history of the state would be fetched by every new runner.
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--depth=1")
        # By its id, for the branch may have moved since it was listed.
        repository.git("fetch", *options, "--", self.remote, listed[0])
        return read_tree(repository, listed[0])

    def _push(self, tips: dict[str, str], theirs: Tree) -> bool:
        """Push commits to their branches, all or none; return False if somebody else was faster."""
        refs = []
        for branch, commit in tips.items():
            refs.append(f"{commit}:refs/heads/{branch}")
        try:  # without --force: who pushed since our fetch keeps what is theirs
            # Both or none: a ledger must not name notebooks that were never kept.
            self._repository.git(
                "push", "--quiet", "--atomic", "--no-verify", "--", self.remote, *refs
            )
        except GitFailed:
            # Whatever git says of it: the branch has moved, or it has not and the failure is real.
            if self._fetch(self.branch).commit == theirs.commit:
                raise
            return False
        return True

    def _remember(self, commit: str) -> None:
        if commit:
            self._repository.git("update-ref", BASE, commit)

    def _new_notebooks(self, news: Sequence[StateChange]) -> dict[str, bytes]:
        """Return the homework in pushes the branch does not know yet, by the names it is kept
        under.
        """
        notebooks = {}
        for change in news:
            match = LEDGER.fullmatch(change.path)
            if match is None:
                continue
            known = _list_pushed(change.theirs or b"")
            for file in _list_pushed(change.merged) - known:
                content = self._pushed_bytes(match["student"], file)
                if content is not None:
                    notebooks[f"{file.blob}.ipynb"] = content
        return notebooks

    def _pushed_bytes(self, student: str, file: NotebookFile) -> bytes | None:
        if file.size > self.course.notebook_mb * 1e6 or not self._is_homework(file):
            return None
        try:
            return open_fork(self.course, Student(student, "")).read(file.blob)
        except RemoteFailed:
            return None  # collected on another machine, which keeps it itself

    def _is_homework(self, file: NotebookFile) -> bool:
        return bool(file.holds) or any(
            find_notebook([file], name) for name in self.course.assignments
        )


def _merged_with(change: StateChange, ours: bytes) -> bytes:
    return merge_lines(FileVersions(change.base, change.theirs, ours))


def _list_pushed(lines: bytes) -> frozenset[NotebookFile]:
    """Return the notebooks in the pushes of a ledger's lines; a damaged line names none."""
    found: set[NotebookFile] = set()
    for line in lines.split(b"\n")[:-1]:
        with suppress(ValueError, KeyError, TypeError):
            # Reports are most of the bytes: they are not parsed for a look at their kind.
            entry = json.loads(line) if b'"push"' in line else {}
            if entry.get("entry") == "push":
                found.update(map(NotebookFile.from_json, entry["notebooks"]))
    return frozenset(found)
