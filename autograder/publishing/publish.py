"""The public course repository: one more commit for whatever is new, on top of its history and
never instead of it.

Students' pulls merge because that history only grows. So it is looked at first: a commit somebody made there by
hand, which the next publication would undo, and a history that was rewritten, are refused and explained. And since
what was public once stays public, every file of every commit is searched for secrets before anything is pushed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath

from autograder.course.configuration import CONFIG_FILE, Course, read_exams
from autograder.course.errors import GitFailed, PublishRefused, UsageError
from autograder.course.layout import FOLDER
from autograder.course.temporary_folders import temporary_folder
from autograder.forge.forge_protocol import open_forge
from autograder.git.bare_stores import hold_store
from autograder.git.git_command import SECONDS
from autograder.git.repository import GitRepository, remove_passwords
from autograder.publishing.leak_search import CourseSecrets, gather_secrets
from autograder.publishing.public_history import PublicLeak, search_history
from autograder.publishing.public_tree import ALLOWED, README, PublicTree, build_public_tree

MARK = "Published-by: autograder"
# What one still reads on a screen; a leaked notebook has hundreds of lines.
MAX_NAMED = 20
MAX_LISTED = 5
SHORTEST_ID = 7  # characters; fewer name too much, as git has it
REWRITTEN = """\
the history of {url} was rewritten: {last} was published and is no longer in branch {branch}.
Whoever has pulled it could not pull again. Put it back with
    git push --force {url} {last}:{branch}
(it is kept in {store}), or publish on what is there now: autograder publish --over {tip}"""
ELSEWHERE = """\
branch {branch} of {url} was changed elsewhere; publishing would undo this:
{changes}
Take over here what should stay, then publish on top of it: autograder publish --over {tip}"""
LEAKED = """\
not published: {url} would show, or shows already,
{leaks}
What is in an old commit stays public for ever: change the test or the solution, or begin a new public repository.
A file that may be public all the same: autograder publish --accept {blob}"""


@dataclass(frozen=True)
class Publication:
    """What was published, or would be.

    Attributes
    ----------
    commit : str
        The commit that was made, "" when there was nothing new.
    files : sequence of str
        Every path of the public repository.
    changes : str
        git's statistics of what differs from the public repository as it was.
    """

    url: str
    branch: str
    commit: str
    pushed: bool
    files: Sequence[str] = field(repr=False)
    changes: str
    searched: int
    held_back: Sequence[str]


def publish_course(
    course: Course,
    url: str = "",
    *,
    dry_run: bool = False,
    over: str = "",
    accept: Sequence[str] = (),
    now: datetime | None = None,
) -> Publication:
    """Bring the public repository up to date.

    Parameters
    ----------
    url : str
        Where to push to; default the course's upstream.
    over : str
        Beginning of the id of a commit made elsewhere on which may be published.
    accept : sequence of str
        Beginnings of ids of files that may be public although they look secret.

    Raises
    ------
    PublishRefused
        If something would be lost or shown. Nothing was pushed.
    GitFailed
        If the repository cannot be reached or does not take the commit.
    """
    url = url or course.upstream
    if not url:
        raise UsageError(
            "nobody knows where to publish; set c.Course.upstream in grading_config.py, or use --to"
        )
    exams = read_exams(course)
    tree = build_public_tree(course, exams, now or datetime.now(UTC))
    with _PublicRepository.open_store(course, url) as public:
        tip = public.fetch_all()
        public.check_history(tip, over)
        # Made before it is searched, in our store only: the search reads what would be pushed, not
        # what was meant to be.
        commit, is_new = public.make_commit(tree, tip)
        secrets = gather_secrets(course, exams, tree.solved)
        found, searched = public.search_history(commit, secrets)
        _refuse_leaks(public.name, found, accept)
        changes = public.describe_changes(tip, commit)
        if is_new and not dry_run:
            public.push_commit(commit)
        elif not dry_run:
            public.remember_published(commit)
        return Publication(
            url=public.name,
            branch=course.branch,
            commit=commit if is_new else "",
            pushed=is_new and not dry_run,
            files=tuple(tree.files),
            changes=changes,
            searched=searched,
            held_back=tree.held_back,
        )


def _refuse_leaks(url: str, found: Sequence[PublicLeak], accept: Sequence[str]) -> None:
    """Refuse to publish what was found, but for the files that were accepted."""
    accepted = tuple(known for known in accept if len(known) >= SHORTEST_ID)
    left = [leak for leak in found if not leak.blob.startswith(accepted)]
    if not left:
        return
    lines = list(map(str, left[:MAX_NAMED]))
    if left[MAX_NAMED:]:
        lines.append(f"  and {len(left) - MAX_NAMED} more")
    about = {"url": url, "blob": left[0].blob[:10]}
    raise PublishRefused(LEAKED.format(leaks="\n".join(lines), **about))


def describe_uncommitted(course: Course) -> list[str]:
    """Say which files of configuration, sources and releases are not committed: only this folder
    knows them.
    """
    here = GitRepository(course.root)
    if here.says("rev-parse", "--is-inside-work-tree") != "true":
        return []
    sources = [course.root / CONFIG_FILE, course.root / README, course.sources, course.releases]
    for pattern in ALLOWED:
        sources.append(course.root / pattern.partition("*")[0])
    wanted = sorted({str(path) for path in sources if path.exists()})
    # Paths as git prints them are relative to the top of its repository, which the course may be a
    # folder of.
    changed = here.paths(
        "status", "--porcelain", "--no-renames", "--untracked-files=all", "-z", "--", *wanted
    )
    names = [entry[3:] for entry in changed]
    if not names:
        return []
    more = f" and {len(names) - MAX_LISTED} more" if names[MAX_LISTED:] else ""
    listed = ", ".join(names[:MAX_LISTED])
    return [
        f"not committed here: {listed}{more}; what is published comes from files that only this folder has"
    ]


@dataclass(frozen=True)
class _PublicRepository:
    """The public repository, and our bare store of it, in which the next commit is made."""

    url: str
    branch: str
    store: GitRepository

    @classmethod
    @contextmanager
    def open_store(cls, course: Course, url: str) -> Iterator[_PublicRepository]:
        digest = hashlib.sha256(url.encode()).hexdigest()[:8]
        path = course.forks / f"_public-{digest}.git"  # no student's id begins like this
        path.mkdir(parents=True, exist_ok=True)
        # Two publications at once would each make a commit on the same one.
        with hold_store(path, SECONDS) as held:
            store = GitRepository(
                path, extra=open_forge(course.forge).make_credentials(), held=held
            )
            if not (path / "HEAD").exists():
                store.git("init", "--quiet", "--bare", "--template=", ".")
            yield cls(url, course.branch, store)

    @property
    def name(self) -> str:
        return remove_passwords(self.url)

    @property
    def _last_ref(self) -> str:
        """Our ref for what was published last from here."""
        return f"refs/published/{self.branch}"

    def fetch_all(self) -> str:
        """Fetch every branch and tag; return the newest commit of the course's branch, "" if there
        is none.
        """
        # Every branch and tag, not the course's alone: what any of them shows is public.
        refs = ("+refs/heads/*:refs/public/heads/*", "+refs/tags/*:refs/public/tags/*")
        try:
            self.store.git("fetch", "--quiet", "--prune", "--no-tags", self.url, *refs)
        except GitFailed as error:
            raise GitFailed(
                f"{self.name}: {error}; create it, or correct c.Course.upstream or --to"
            ) from None
        return (
            self.store.says(
                "rev-parse", "--verify", "--quiet", f"refs/public/heads/{self.branch}^{{commit}}"
            )
            or ""
        )

    def check_history(self, tip: str, over: str) -> None:
        """Refuse a history that was rewritten, or holds commits of others on top."""
        # Named by its id: who says "publish over it" has seen this commit and no later one.
        if tip and len(over) >= SHORTEST_ID and tip.startswith(over):
            return
        last = self.store.says("rev-parse", "--verify", "--quiet", self._last_ref)
        about = {
            "url": self.name,
            "branch": self.branch,
            "store": self.store.path,
            "tip": tip[:10] or "…",
        }
        if last and (not tip or self.store.says("merge-base", "--is-ancestor", last, tip) is None):
            raise PublishRefused(REWRITTEN.format(last=last[:10], **about))
        if tip and tip != last and not self._is_ours(tip):
            raise PublishRefused(
                ELSEWHERE.format(changes="\n".join(self._describe_elsewhere(tip)), **about)
            )

    def _is_ours(self, commit: str) -> bool:
        return MARK in self.store.git("show", "--no-patch", "--format=%B", commit).splitlines()

    def _describe_elsewhere(self, tip: str) -> Iterator[str]:
        """Yield a line for each commit since ours that somebody made elsewhere."""
        # Never a whole long history: the search ends at a commit of ours, or at MAX_NAMED of others.
        commits = self.store.git("rev-list", "--max-count=200", tip).split()
        for number, commit in enumerate(commits):
            if self._is_ours(commit):
                return
            if number == MAX_NAMED:
                yield "  and others"
                return
            options = ("-r", "--root", "-m", "--no-commit-id", "--name-only", "--no-renames", "-z")
            # A merge lists a path once for each of its parents.
            paths = list(dict.fromkeys(self.store.paths("diff-tree", *options, commit)))
            about = self.store.git("show", "--no-patch", "--format=%h %s", commit)
            yield f"  {about}: {', '.join(paths[:5])}{f' and {len(paths) - 5} more' if paths[5:] else ''}"

    def make_commit(self, tree: PublicTree, tip: str) -> tuple[str, bool]:
        """Make the next commit; return it, or the newest one there is, and whether it is new."""
        with temporary_folder("public") as folder, self.store.other_index() as index:
            for name, content in tree.files.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            # --force: a .gitignore is among these files, and must leave none of them out.
            index.git(f"--work-tree={folder}", "add", "--all", "--force", "--", ".")
            made = index.git("write-tree")
        if tip and made == self.store.git("rev-parse", f"{tip}^{{tree}}"):
            return tip, False
        old: set[str] = set()
        if tip:
            old.update(self.store.paths("ls-tree", "-r", "-z", "--name-only", tip))
        message = f"{_write_subject(tree, old)}\n\n{MARK}"
        return self.store.commit_tree(made, message, *([tip] if tip else [])), True

    def describe_changes(self, tip: str, commit: str) -> str:
        """Return git's statistics of the difference between two commits."""
        # The first commit is compared with the tree that has no file.
        before = tip or self.store.git("hash-object", "-t", "tree", "-w", "--stdin")
        return self.store.git("diff", "--stat=120", "--no-renames", before, commit)

    def search_history(self, commit: str, secrets: CourseSecrets) -> tuple[list[PublicLeak], int]:
        """Search the public history, with one commit more, for secrets."""
        refs = self.store.git("for-each-ref", "--format=%(objectname)", "refs/public").split()
        return search_history(self.store, [commit, *refs], secrets)

    def push_commit(self, commit: str) -> None:
        """Push the commit, as a fast-forward or not at all."""
        try:
            self.store.git("push", "--quiet", self.url, f"{commit}:refs/heads/{self.branch}")
        except GitFailed as error:
            # git has no exit code of its own for a push that is no fast-forward.
            if "rejected" in str(error) or "failed to push" in str(error):
                raise PublishRefused(
                    f"{self.name} changed in this moment, or protects its branch: {error}"
                ) from None
            raise
        self.remember_published(commit)

    def remember_published(self, commit: str) -> None:
        """Keep what is public now, to see the next time whether it still is."""
        self.store.git("update-ref", self._last_ref, commit)


def _write_subject(tree: PublicTree, old: set[str]) -> str:
    """Return the subject of a commit: the homework and solutions it brings."""
    named = []
    for path in tree.files:
        place = PurePosixPath(path)
        is_homework = place.parts[0] == FOLDER and place.suffix == ".ipynb"
        if is_homework and path not in old:
            folder = place.parts[1]
            stem = place.stem
            is_only = stem.removesuffix("_solution") == folder
            named.append(stem if is_only else f"{folder}/{stem}")
    return f"Publish {', '.join(named)}" if named else "Update the course"
