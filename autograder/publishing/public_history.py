"""Every file that any commit of a repository ever held, searched for secrets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autograder.git.repository import GitRepository
from autograder.git.tree_objects import read_blobs
from autograder.publishing.leak_search import CourseSecrets

BATCH = 200  # objects read from git at once: all of a long history would not fit into memory


@dataclass(frozen=True)
class PublicLeak:
    """Something secret in a public file: the commit that brought it, where it stands, and what it
    is.
    """

    commit: str
    path: str
    blob: str
    what: str

    def __str__(self) -> str:
        """One line for a person."""
        return f"  {self.commit[:10]} {self.path} ({self.blob[:10]}): {self.what}"


def search_history(
    repository: GitRepository, tips: Sequence[str], secrets: CourseSecrets
) -> tuple[list[PublicLeak], int]:
    """Search the files and messages of all commits that lead to `tips`; return what was found and
    in how many files.
    """
    commits = repository.git("rev-list", "--reverse", "--topo-order", *tips).split()
    # Blob → path → the first commit that has it there. Each blob is searched once, however many
    # commits have it: a course's history is mostly the same files.
    places: dict[str, dict[str, str]] = defaultdict(dict)
    for commit, path, blob in _iterate_files(repository, commits):
        places[blob].setdefault(path, commit)
    found = []
    for blob, content in _read_objects(repository, list(places)):
        for path, commit in places[blob].items():
            for what in secrets.find_in_file(path, content):
                found.append(PublicLeak(commit, path, blob, what))
    for commit, content in _read_objects(repository, commits):
        # Before the empty line stands who made it, whose address is meant to be public.
        message = content.partition(b"\n\n")[2]
        for what in secrets.find_in_file("", message):
            found.append(PublicLeak(commit, "its message", commit, what))
    return found, sum(map(len, places.values()))


def _iterate_files(
    repository: GitRepository, commits: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield commit, path and blob of every file that a commit brought or changed."""
    # -m shows what a merge brought against each parent: a file may come in by one alone.
    options = ("--stdin", "-r", "-m", "--root", "--no-renames", "--diff-filter=d", "-z")
    words = iter(repository.git("diff-tree", *options, input="\n".join(commits) + "\n").split("\0"))
    commit = ""
    for word in words:
        if not word.startswith(":"):
            commit = word
            continue
        _, mode, _, blob, _ = word.split()
        path = next(words)
        if mode != "160000":  # another repository inside this one holds no file of ours
            yield commit, path, blob


def _read_objects(repository: GitRepository, objects: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each object."""
    for begin in range(0, len(objects), BATCH):
        batch = objects[begin : begin + BATCH]
        yield from read_blobs(repository, batch).items()
