"""How a student's clone stands to the course: what is new there, and what of the student's stands
in its way.

Only looked at here, nothing is changed; `autograder.students.course_update` acts on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from autograder.course.errors import GitFailed, UsageError
from autograder.course.layout import FOLDER
from autograder.course.names import BETWEEN, quote_name
from autograder.course.notebook_files import Unreadable, conflict_sides, read_notebook
from autograder.git.repository import GitRepository

ORIGINAL = re.compile(rf"{FOLDER}/(?P<folder>[^/]+)/(?P<notebook>[^/]+)(?<!_solution)\.ipynb")
CHECKPOINTS = ":(glob)**/.ipynb_checkpoints/**"
UNRELATED = (
    "this repository shares no history with the course; "
    "fork the course, clone the fork, and copy your notebooks"
)
NEEDS_INSTALL = {"requirements.txt", "pyproject.toml"}
MAX_NAMED = 12
# Git's letters for what became of a file
KINDS = {"A": "new", "D": "gone"}


@dataclass(frozen=True)
class ReplacedFile:
    """A file in which the course's version, or a mended one, takes the place of the student's.

    Attributes
    ----------
    work : bool
        Whether the student's version holds more than outputs; if so it is only replaced when the
        student agrees.
    beside : str
        Path of the copy that is kept beside it, "" where the backup branch alone keeps it.
    in_the_way : bool
        Whether the course changed the file too, so that nothing can be merged while it stays.
    """

    path: str
    work: bool
    beside: str = ""
    in_the_way: bool = False


@dataclass(frozen=True)
class CloneSituation:
    """How a clone stands to the course.

    Attributes
    ----------
    base, theirs : str
        The last commit of the course that is in the clone, and its newest one.
    news : mapping of str to str
        What the course changed in between: path to ``A`` added, ``M`` changed or ``D`` deleted.
    put_back : sequence of Replaced
        The course's files the student changed.
    broken : sequence of Replaced
        The student's own notebooks that hold the marks of a conflict.
    checkpoints : sequence of str
        Jupyter's checkpoints that git keeps.
    """

    base: str
    theirs: str
    commits: int
    news: Mapping[str, str]
    put_back: Sequence[ReplacedFile]
    broken: Sequence[ReplacedFile]
    checkpoints: Sequence[str]

    @property
    def asked(self) -> tuple[ReplacedFile, ...]:
        """What is replaced only when the student agrees."""
        return tuple(entry for entry in (*self.put_back, *self.broken) if entry.work)

    @property
    def silent(self) -> tuple[ReplacedFile, ...]:
        """What holds no work and is replaced without a question."""
        return tuple(entry for entry in self.put_back if not entry.work)


@dataclass(frozen=True)
class _CloneComparison:
    """One look at a clone: the student's side, and two commits of the course."""

    clone: GitRepository
    base: str
    theirs: str

    def find_news(self) -> dict[str, str]:
        listed = self.clone.paths(
            "diff", "--name-status", "--no-renames", "-z", self.base, self.theirs, "--"
        )
        return dict(zip(listed[1::2], listed[0::2], strict=True))

    def find_changed(self, news: Mapping[str, str], published: set[str]) -> Iterator[ReplacedFile]:
        """Yield the course's files that the student changed and that are originals of homework or
        in the way.
        """
        mine = set(self.clone.paths("diff", "--name-only", "--no-renames", "-z", self.base, "--"))
        kept = set(self.clone.paths("ls-files", "-z"))
        # Git's comparison leaves out what it does not keep; where the course brings such a file, a merge would stop
        for path, kind in news.items():
            if kind == "A" and path not in kept and self.path_of(path).exists():
                mine.add(path)
        for path in sorted(mine):
            if path not in news and not (path in published and ORIGINAL.fullmatch(path)):
                continue
            now = self.hash_file(path)
            then = self.clone.says("rev-parse", f"{self.theirs}:{path}")
            # The student has the course's newest version already
            if now == then == self.clone.says("rev-parse", f"HEAD:{path}"):
                continue
            work = now not in {None, then} and not self.is_only_run(path)
            beside = self.find_free_path(path) if work and path.endswith(".ipynb") else ""
            yield ReplacedFile(path, work, beside, path in news)

    def find_broken(self, published: set[str]) -> Iterator[ReplacedFile]:
        """Yield the student's own notebooks that hold the marks of a conflict and can be mended."""
        options = ("-z", "--cached", "--others", "--exclude-standard")
        notebooks = set(self.clone.paths("ls-files", *options, "--", f"{FOLDER}/*.ipynb"))
        for path in sorted(notebooks - published):
            file = self.path_of(path)
            if file.is_file() and settle_conflict(file.read_bytes()) is not None:
                yield ReplacedFile(path, work=True)

    def hash_file(self, path: str) -> str | None:
        """What git would call the file as it is on the disk, None where there is none."""
        file = self.path_of(path)
        # By its path git finds the filters that .gitattributes names, a Windows line's end among them
        return self.clone.git("hash-object", "--path", path, str(file)) if file.is_file() else None

    def is_only_run(self, path: str) -> bool:
        """Whether a notebook differs from one of the course's versions in nothing but outputs and
        settings.
        """
        for commit in (self.base, self.theirs):
            # A version that is missing or broken is none that the student's could equal
            try:
                version = read_notebook(self.clone.raw("cat-file", "blob", f"{commit}:{path}"))
                if read_notebook(self.path_of(path).read_bytes()).cells == version.cells:
                    return True
            except (Unreadable, GitFailed):
                continue
        return False

    def find_free_path(self, path: str) -> str:
        """Return a free path for the student's version: their copy to work in where they have none
        yet.
        """
        stem = path.removesuffix(".ipynb")
        free = f"{stem}_solved.ipynb" if ORIGINAL.fullmatch(path) else f"{stem}_edited.ipynb"
        number = 1
        while self.path_of(free).exists():
            ending = "_edited" if number == 1 else f"_edited_{number}"
            free = f"{stem}{ending}.ipynb"
            number += 1
        return free

    def path_of(self, path: str) -> Path:
        return self.clone.path / PurePosixPath(path)


def compare_with_course(clone: GitRepository, theirs: str) -> CloneSituation:
    """Compare a clone with a commit of the course.

    Raises
    ------
    UsageError
        If they share no history.
    """
    base = clone.says("merge-base", "HEAD", theirs)
    if base is None:
        raise UsageError(UNRELATED)
    comparison = _CloneComparison(clone, base, theirs)
    news = comparison.find_news()
    published = set(clone.paths("ls-tree", "-r", "-z", "--name-only", theirs))
    return CloneSituation(
        base=base,
        theirs=theirs,
        commits=int(clone.git("rev-list", "--count", f"{base}..{theirs}")),
        news=news,
        put_back=tuple(comparison.find_changed(news, published)),
        broken=tuple(comparison.find_broken(published)),
        checkpoints=tuple(clone.paths("ls-files", "-z", "--", CHECKPOINTS)),
    )


def settle_conflict(content: bytes) -> bytes | None:
    """Return a notebook that holds the marks of a conflict with one side taken, the student's where
    that reads.

    It is None where there is no such mark, or no side gives a notebook.
    """
    # Bytes that are no UTF-8 come out as they went in: the marks alone are taken away
    for side in conflict_sides(content.decode("utf-8", "surrogateescape")) or ():
        mended = side.encode("utf-8", "surrogateescape")
        try:
            if not read_notebook(mended).problems:
                return mended
        except Unreadable:
            continue
    return None


def describe_news(situation: CloneSituation, begun: Sequence[str]) -> list[str]:
    """Return sentences on what the course brought; `begun` names the homework the student has a
    copy of.
    """
    if not situation.news:
        return ["nothing new in the course"]
    lines = [f"{situation.commits} new commit{'s' * (situation.commits != 1)} of the course"]
    others = []
    for path, kind in situation.news.items():
        homework = ORIGINAL.fullmatch(path)
        name = ""
        if homework:
            is_only = homework["folder"] == homework["notebook"]
            name = homework["folder"] if is_only else BETWEEN.join(homework.groups())
        if homework and kind == "A":
            lines.append(f"new homework: {name}; begin with: autograder start {quote_name(name)}")
        elif homework and kind == "M" and name in begun:
            lines.append(
                f"{path} changed after you began; your copy is as it was, checks and points follow the new one"
            )
        else:
            others.append(f"{KINDS.get(kind, 'changed')}: {path}")
    lines += others[:MAX_NAMED]
    if len(others) > MAX_NAMED:
        lines.append(f"and {len(others) - MAX_NAMED} more files")
    if NEEDS_INSTALL & situation.news.keys():
        lines.append("install again what the course needs: pip install -r requirements.txt")
    return lines
