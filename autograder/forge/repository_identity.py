"""Which repository is a student's: by the number first seen, whatever it is called today.

A name can be changed, given up, and taken by someone else; a repository can be deleted and forked again. The number
in the record settles what can be settled; the rest is said to a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from autograder.course.configuration import Course
from autograder.course.errors import RemoteFailed
from autograder.course.remotes import repository_name
from autograder.course.submissions import Repository, Student
from autograder.forge.forge_protocol import Forge, Forks, FoundRepository


@dataclass(frozen=True)
class IdentifiedRepository:
    """A student's repository as it is now, and as the record will have it."""

    found: FoundRepository
    repository: Repository
    notes: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything may have been pushed that is not in the record."""
        return self.repository.pushed != self.found.pushed


def identify_repository(
    forge: Forge, forks: Forks, course: Course, student: Student, history: Sequence[Repository]
) -> IdentifiedRepository | None:
    """Return a student's repository; None if nothing was ever seen where the roster says.

    Parameters
    ----------
    forge, forks
        Whom to ask, and what the list of forks said already.
    history : sequence of Repository
        What the record knows of the student's repository, oldest first.

    Raises
    ------
    RemoteFailed
        If it is gone, or its name belongs to another account now: a person has to look.
    ForgeFailed
        If the forge gives no usable answer.
    """
    last = history[-1] if history else None
    wanted = repository_name(student.remote, course.forge)
    same = last is not None and repository_name(last.remote, course.forge).lower() == wanted.lower()
    # The roster's word goes before what was seen first.
    pinned = student.repository or (last.id if last and same else 0)
    named = forks.by_name.get(wanted.lower())
    if pinned:
        # The list of forks is paid for already; a question of its own costs a request.
        found = forks.by_id.get(pinned) or forge.find_repository_by_id(pinned)
        if found is not None:
            taken = named if not student.repository and named and named.id != found.id else None
            return _identified(course, student, last, found, taken)
    found = named or forge.find_repository(wanted)
    if found is None and last is not None:
        raise RemoteFailed(
            f"{student.id}: {wanted} is gone, deleted or made private; what was collected until now still counts"
        )
    if found is not None and student.repository:
        raise RemoteFailed(
            f"{student.id}: the roster insists on repository {student.repository}, which is gone; {wanted} is now "
            f"{found.id}: write that into the roster if it is theirs"
        )
    # Deleted and forked again by the same account, it is still the student's.
    if found is not None and pinned and last is not None and found.owner != last.owner:
        raise RemoteFailed(
            f"{student.id}: {wanted} belongs to another account now (number {found.owner}, it was {last.owner}); if it "
            f"is theirs all the same, write {found.id} into the roster's column 'repository'"
        )
    return _identified(course, student, last, found, None) if found else None


def describe_changes(course: Course, student: str, history: Sequence[Repository]) -> Iterator[str]:
    """Yield a sentence for each time the student's repository became another one, or got another
    name or owner.
    """
    by_assignment: dict[str, list[Repository]] = {}
    for repository in history:
        by_assignment.setdefault(repository.assignment, []).append(repository)
    for repositories in by_assignment.values():
        for before, after in pairwise(repositories):
            yield from _change(course, student, before, after)


def _identified(
    course: Course,
    student: Student,
    last: Repository | None,
    found: FoundRepository,
    taken: FoundRepository | None,
) -> IdentifiedRepository:
    # Of another repository the record holds nothing yet, whatever its name is.
    pushed = last.pushed if last and last.id == found.id else None
    now = Repository(found.id, found.owner, found.name, student.remote, found.created, pushed)
    notes = list(_change(course, student.id, last, now)) if last else []
    if taken is not None:
        notes.append(
            f"{student.id}: {taken.name} is another repository now (number {taken.id}); still collecting {found.name} "
            f"(number {found.id}), seen first; to change that, write the number into the roster's column 'repository'"
        )
    return IdentifiedRepository(found, now, tuple(notes))


def _change(course: Course, student: str, before: Repository, after: Repository) -> Iterator[str]:
    if before.id != after.id:
        over = []
        for name, entry in course.assignments.items():
            deadlines = [part.deadline for part in entry.parts if part.deadline is not None]
            # A repository made after a deadline cannot show what was pushed before it.
            if deadlines and min(deadlines) < after.created:
                over.append(name)
        when = f"{course.to_local_time(after.created):%d %b %Y %H:%M}"
        late = f", after a deadline of {', '.join(over)}: look at this one" if over else ""
        yield (
            f"{student}: another repository than before, {after.name}, made on {when} "
            f"(number {after.id}, it was {before.id}){late}"
        )
    elif before.name != after.name:
        yield f"{student}: {before.name} is called {after.name} now"
    if before.id == after.id and before.owner != after.owner:
        yield f"{student}: {after.name} was given to another account (number {after.owner}, it was {before.owner})"


def mark_as_handled(identified: IdentifiedRepository) -> Repository:
    """Return the repository as the record has it once everything pushed until now is in it."""
    return replace(identified.repository, pushed=identified.found.pushed)
