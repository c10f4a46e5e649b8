"""Collecting: ask every remote what was pushed, and write down what is new, with the time of the course's clock.

The forge's own times are asked for where the configuration says so and the remote is on the forge; everywhere else a
push has the time at which it was first seen. A push that was seen before the forge told of it is not counted twice:
the record keeps both lines and the forge's stands for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from autograder.collecting.astray_work import OtherBranches, notes_on_places
from autograder.collecting.notebook_sightings import Sightings
from autograder.course.configuration import Course
from autograder.course.errors import ForgeFailed, RemoteFailed, describe_error
from autograder.course.exam import Exam
from autograder.course.remotes import git_address, repository_name
from autograder.course.roster import shared_remotes
from autograder.course.submissions import Clock, Push, Student
from autograder.forge import (
    Activity,
    Forks,
    FoundRepository,
    GitHub,
    IdentifiedRepository,
    identify_repository,
    mark_as_handled,
)
from autograder.git.repository import remove_passwords
from autograder.git.student_stores import Fork, open_fork
from autograder.record.ledger import Ledger, StudentRecord

REMOTES_AT_ONCE = 16
UPSTREAM_STORE = "_upstream.git"  # no student's id begins like this
SETTLED = timedelta(minutes=1)  # the forge's `pushed_at` cannot tell two pushes within one second apart
FORGE_CACHE = "_forge.json"


@dataclass(frozen=True)
class Collected:
    """What asking one student's remote gave.

    Attributes
    ----------
    pushes : tuple of Push
        What is new, oldest first; it is in the ledger already.
    error : str
        What failed, empty if nothing did.
    notes : tuple of str
        What a person should know though nothing failed: a renamed repository, a commit that is gone.
    """

    student: Student
    pushes: tuple[Push, ...] = ()
    error: str = ""
    notes: tuple[str, ...] = ()

    @property
    def push(self) -> Push | None:
        """The newest new push, None if there is nothing new."""
        return self.pushes[-1] if self.pushes else None


def collect_pushes(
    course: Course,
    students: Sequence[Student],
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    exams: Iterable[Exam] = (),
) -> Iterator[Collected]:
    """Ask for every student's pushes, many at once, and yield each student as they are done.

    Of the `exams`, answers are looked for in all that was pushed, under every name and on every branch. A new push is
    in the ledger, flushed and synced, before it is yielded. One dead remote fails alone; where the forge's API fails,
    what git can tell is recorded as first seen, until the API tells the time.
    """
    upstream, failed = _upstream_as_known(course)
    if failed is not None:
        yield failed
    with ExitStack() as stack:
        forge = None
        if course.clock is Clock.SERVER:
            from autograder.forge.api_client import (
                ApiClient,
            )  # httpx takes a while to load, also in every grading process

            client = stack.enter_context(ApiClient(course.forge, course.forks / FORGE_CACHE))
            forge, error = _ask_for_forks(course, GitHub(client))
            if error:
                yield Collected(Student("the forge", course.forge.api), error=error)
        sightings = Sightings(exams, course.notebook_mb)
        questions = _Round(course, upstream, now, forge, sightings)
        shared = shared_remotes(students, course.forge)
        pool = stack.enter_context(ThreadPoolExecutor(REMOTES_AT_ONCE))
        stack.callback(pool.shutdown, cancel_futures=True)
        for done in as_completed([pool.submit(questions.collect, student) for student in students]):
            yield _with_sharers(course, done.result(), shared)


def _with_sharers(course: Course, collected: Collected, shared: Mapping[str, tuple[str, ...]]) -> Collected:
    """Add a note where the roster gives the remote to somebody else, too."""
    student = collected.student
    if student.id not in shared:
        return collected
    others = " and ".join(shared[student.id])
    note = (
        f"{student.id}: {remove_passwords(student.remote)} is in {course.roster.name} for {others}, too, so that one "
        "person's work counts for both; give each their own remote"
    )
    return replace(collected, notes=(*collected.notes, note))


def upstream_commits(course: Course) -> frozenset[str]:
    """Return every commit of the published course; a fork whose tip is one of them holds no work of a student.

    Raises
    ------
    RemoteFailed
        If the published course cannot be fetched.
    """
    return _published(course).fetch_history() if course.upstream else frozenset()


def _published(course: Course) -> Fork:
    published = Student("the published course", git_address(course.upstream, course.forge))
    return Fork(published, course.forks / UPSTREAM_STORE, course.branch)


def _upstream_as_known(course: Course) -> tuple[frozenset[str], Collected | None]:
    """Return the commits of the published course; those it had last time where it cannot be asked, and why not."""
    try:
        return upstream_commits(course), None
    except (RemoteFailed, OSError) as error:
        published = _published(course)
        said = f"{describe_error(error)}; collecting went on with what was published when it last answered"
        return published.read_known_history(), Collected(published.student, error=said)


@dataclass(frozen=True)
class _Forge:
    """GitHub, and the forks it listed."""

    github: GitHub
    forks: Forks


def _ask_for_forks(course: Course, github: GitHub) -> tuple[_Forge, str]:
    """Ask for the list of forks; without it every repository is asked for by name."""
    upstream = repository_name(course.upstream, course.forge)
    try:
        return _Forge(github, github.forks(upstream) if upstream else Forks()), ""
    except ForgeFailed as error:
        return _Forge(github, Forks()), str(error)


@dataclass(frozen=True)
class _Round:
    """One round of asking: all that does not depend on the student."""

    course: Course
    upstream: frozenset[str]
    now: Callable[[], datetime]
    forge: _Forge | None
    sightings: Sightings

    def collect(self, student: Student) -> Collected:
        """Ask for one student's pushes; whatever fails is theirs alone."""
        try:
            record, fork = Ledger(self.course.ledger).read(student.id), open_fork(self.course, student)
            if self.forge is not None and repository_name(student.remote, self.course.forge):
                return self._from_forge(self.forge, student, fork, record)
            branches = fork.list_branches()
            pushes = self._first_seen(fork, record, branches)
            return self._with_other_branches(Collected(student, pushes), fork, branches, self._push_of)
        except Exception as error:  # also what nobody foresaw: a store that is no folder, a hostile answer
            said = describe_error(error)
            return Collected(student, error=said if said.startswith(student.id) else f"{student.id}: {said}")

    def _with_other_branches(
        self,
        collected: Collected,
        fork: Fork,
        branches: Mapping[str, str],
        push_of: Callable[[Fork, str], Push],
    ) -> Collected:
        """Add what is new on other branches, and notes on answers that are not where they are graded."""
        student, ledger = collected.student.id, Ledger(self.course.ledger)
        others = OtherBranches(self.course, self.sightings, self.upstream)
        error = collected.error
        aside: list[Push] = []
        try:
            aside += others.collect(fork, ledger.read(student), branches, push_of)
        except Exception as failed:  # what is graded is recorded all the same
            error = error or describe_error(failed)
        notes = notes_on_places(self.course, ledger.read(student)) if collected.pushes or aside else ()
        return replace(collected, pushes=(*collected.pushes, *aside), error=error, notes=(*collected.notes, *notes))

    def _push_of(self, fork: Fork, commit: str) -> Push:
        """Return the push of a commit that is seen now for the first time."""
        clock = Clock.COMMIT_DATE if self.course.clock is Clock.COMMIT_DATE else Clock.FIRST_SEEN
        return fork.make_push(commit, self.now(), clock)

    def _first_seen(
        self, fork: Fork, record: StudentRecord, branches: Mapping[str, str] | None = None
    ) -> tuple[Push, ...]:
        """Record the tip of the branch if it is new."""
        tip = fork.fetch(branches)
        last = record.pushes[-1].commit if record.pushes else None
        if tip is None or tip == last or (last is None and tip in self.upstream):
            return ()
        push = self.sightings.look_at(fork, self._push_of(fork, tip))
        Ledger(self.course.ledger).add_push(push)
        return (push,)

    def _from_forge(self, forge: _Forge, student: Student, fork: Fork, record: StudentRecord) -> Collected:
        """Record what the forge tells of; where it does not answer, what git shows."""
        try:
            identified = identify_repository(forge.github, forge.forks, self.course, student, record.repositories)
            if identified is None:
                return Collected(student, notes=(f"{student.id}: no repository to be seen at {student.remote} yet",))
            if not identified.changed and record.repositories[-1:] == (identified.repository,):
                return Collected(student)
            return self._told(forge.github, fork, record, identified)
        except ForgeFailed as error:
            return Collected(student, self._first_seen(fork, record), str(error))

    def _told(self, github: GitHub, fork: Fork, record: StudentRecord, identified: IdentifiedRepository) -> Collected:
        """Record every push the forge tells of since the last one in the record."""
        found = identified.found
        fork = replace(fork, student=replace(fork.student, remote=f"{self.course.forge.web}/{found.name}.git"))
        tip = fork.fetch()  # before the question, so that the answer explains it
        told = [push for push in (*record.pushes, *record.lost) if push.activity]
        activity = github.activity(found, self.course.branch, {push.activity for push in told})
        pushes = tuple(self._add_told(fork, record, activity))
        newest = max(told, key=lambda push: push.time, default=None)
        explained = {entry.after for entry in activity} | {newest.commit if newest else ""} | self.upstream
        repository = identified.repository  # as it stands, it is asked about again next time
        if tip is not None and tip not in explained and found.pushed > found.created:
            pushes += self._first_seen(fork, record)  # the forge's list is behind its own branch
        elif self.now() - found.pushed > SETTLED:
            repository = mark_as_handled(identified)
        if record.repositories[-1:] != (repository,):
            Ledger(self.course.ledger).add_repository(fork.student.id, repository)
        notes = *identified.notes, *_notes(self.course, fork.student.id, found, tip, pushes)
        collected = Collected(fork.student, tuple(push for push in pushes if not push.lost), notes=notes)

        def push_of(on_branch: Fork, commit: str) -> Push:
            activity = github.activity(found, on_branch.branch, ())
            times = [entry.time for entry in activity if entry.after == commit]
            push = self._push_of(on_branch, commit)
            return replace(push, time=times[0], clock=Clock.SERVER) if times else push

        return self._with_other_branches(collected, fork, fork.list_branches(), push_of)

    def _add_told(self, fork: Fork, record: StudentRecord, activity: Iterable[Activity]) -> Iterator[Push]:
        """Fetch and record what the forge tells of, oldest first, from the first work of the student on."""
        worked = bool(record.pushes or record.lost)
        for entry in activity:
            if entry.is_deletion or (not worked and entry.after in self.upstream):
                continue
            worked = True
            there = fork.fetch_commit(entry.after)
            if not there and self.now() - entry.time <= SETTLED:
                return  # git may be a moment behind the list: it is asked again next time
            notebooks = fork.notebooks(entry.after) if there else ()
            push = Push(
                fork.student.id, entry.after, fork.branch, entry.time, Clock.SERVER, notebooks, entry.id, not there
            )
            push = self.sightings.look_at(fork, push) if there else push
            Ledger(self.course.ledger).add_push(push)
            yield push


def _notes(
    course: Course, student: str, found: FoundRepository, tip: str | None, pushes: Iterable[Push]
) -> Iterator[str]:
    """Yield what a person should know about what was told."""
    if tip is None and found.branch != course.branch:
        yield f"{student}: {found.name} has no branch {course.branch!r}, its default branch is {found.branch!r}"
    elif tip is None:
        yield f"{student}: {found.name} lost its branch {course.branch!r}; what was collected before still counts"
    for push in pushes:
        if push.lost:
            when = f"{course.to_local_time(push.time):%d %b %Y %H:%M}"
            yield (
                f"{student}: the push of {when} ({push.commit[:10]}) cannot be fetched, it was overwritten or is too "
                "large: it cannot be graded, the push before it counts in its place"
            )
