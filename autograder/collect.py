"""Collecting: ask every remote what was pushed, and write down what is new with the time it was first seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime

from autograder.config import Course
from autograder.errors import AutograderError
from autograder.forks import Fork
from autograder.ledger import Ledger
from autograder.records import Push, Student

REMOTES_AT_ONCE = 16
UPSTREAM_STORE = "_upstream.git"  # no student's id begins like this


@dataclass(frozen=True)
class Collected:
    """What asking one student's remote gave: a new push, nothing new, or a sentence about what failed."""

    student: Student
    push: Push | None = None
    error: str = ""


def collect(
    course: Course, students: Sequence[Student], *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Iterator[Collected]:
    """Fetch every student's remote, many at once, and yield each as it is done.

    A new push is in the ledger, flushed and synced, before it is yielded. One dead remote fails alone.
    """
    upstream = upstream_commits(course)
    with ThreadPoolExecutor(REMOTES_AT_ONCE) as pool:
        waiting = [pool.submit(_collect_one, course, student, upstream, now) for student in students]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def fork_of(course: Course, student: Student) -> Fork:
    """Return a student's fork."""
    return Fork(student, course.forks / f"{student.id}.git", course.branch)


def upstream_commits(course: Course) -> frozenset[str]:
    """Return every commit of the published course; a fork whose tip is one of them holds no work of a student.

    Raises
    ------
    RemoteFailed
        If the published course cannot be fetched.
    """
    if not course.upstream:
        return frozenset()
    published = Fork(Student("the published course", course.upstream), course.forks / UPSTREAM_STORE, course.branch)
    return published.history()


def _collect_one(course: Course, student: Student, upstream: frozenset[str], now: Callable[[], datetime]) -> Collected:
    fork, ledger = fork_of(course, student), Ledger(course.ledger)
    try:
        commit = fork.fetch()
        last = _last_commit(ledger, student)
        if commit is None or commit == last or (last is None and commit in upstream):
            return Collected(student)
        push = fork.push_of(commit, now(), course.clock)
        ledger.add_push(push)
        return Collected(student, push)
    except AutograderError as error:
        return Collected(student, error=str(error))


def _last_commit(ledger: Ledger, student: Student) -> str | None:
    pushes = ledger.read(student.id).pushes
    return pushes[-1].commit if pushes else None
