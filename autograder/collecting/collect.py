"""Collecting: ask every remote what was pushed, and write down what is new, with the time of the
course's clock.

The forge's own times are asked for where the configuration says so and the remote is on the forge; everywhere else a
push has the time at which it was first seen. A push that was seen before the forge told of it is not counted twice:
the record keeps both lines and the forge's stands for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

from autograder.collecting.notebook_sightings import Sightings
from autograder.collecting.remote_poll import Collected, ForgeAndForks, RemotePoll
from autograder.course.configuration import Course
from autograder.course.errors import ForgeFailed, RemoteFailed, describe_error
from autograder.course.exam import Exam
from autograder.course.remotes import git_address, repository_name
from autograder.course.roster import shared_remotes
from autograder.course.submissions import Clock, Student
from autograder.forge.forge_protocol import Forge, Forks, open_forge
from autograder.git.repository import remove_passwords
from autograder.git.student_stores import Fork

REMOTES_AT_ONCE = 16  # threads that wait for the network most of the time
UPSTREAM_STORE = "_upstream.git"  # no student's id begins like this
FORGE_CACHE = "_forge.json"


def poll_remotes(
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
        told = None
        if course.clock is Clock.SERVER:
            forge = stack.enter_context(open_forge(course.forge, course.forks / FORGE_CACHE))
            told, error = _ask_for_forks(course, forge)
            if error:
                yield Collected(Student("the forge", course.forge.api), error=error)
        sightings = Sightings(exams, course.notebook_mb, course.layouts())
        poll = RemotePoll(course, upstream, now, told, sightings)
        shared = shared_remotes(students, course.forge)
        pool = stack.enter_context(ThreadPoolExecutor(REMOTES_AT_ONCE))
        # Before the pool is left, which waits: an interrupt ends those that have not begun.
        stack.callback(pool.shutdown, cancel_futures=True)
        questions = []
        for student in students:
            if student.remote or student.remotes:  # else their work is only imported
                questions.append(pool.submit(poll.collect, student))
        for done in as_completed(questions):
            yield _with_sharers(course, done.result(), shared)


def _with_sharers(
    course: Course, collected: Collected, shared: Mapping[str, tuple[str, ...]]
) -> Collected:
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
    """Return every commit of the published course; a fork whose tip is one of them holds no work of
    a student.

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
    """Return the commits of the published course; those it had last time where it cannot be asked,
    and why not.
    """
    try:
        return upstream_commits(course), None
    except (RemoteFailed, OSError) as error:
        published = _published(course)
        said = f"{describe_error(error)}; collecting went on with what was published when it last answered"
        # With none known, every untouched fork would pass for its student's work.
        return published.read_known_history(), Collected(published.student, error=said)


def _ask_for_forks(course: Course, forge: Forge) -> tuple[ForgeAndForks, str]:
    """Ask for the list of forks; without it every repository is asked for by name."""
    upstream = repository_name(course.upstream, course.forge)
    if not upstream:
        return ForgeAndForks(forge, Forks()), ""
    try:
        return ForgeAndForks(forge, forge.list_forks(upstream)), ""
    except ForgeFailed as error:
        return ForgeAndForks(forge, Forks()), str(error)
