"""One remote asked for its pushes: by the forge's own list of them where there is one, else by what
git shows now.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from autograder.collecting.astray_work import OtherBranches, notes_on_places
from autograder.collecting.notebook_sightings import Sightings
from autograder.course.configuration import DEFAULT_BRANCH, Course
from autograder.course.errors import ForgeFailed, describe_error
from autograder.course.remotes import repository_name
from autograder.course.submissions import Clock, Push, Repository, Student
from autograder.forge.forge_protocol import Activity, Forge, Forks, FoundRepository
from autograder.forge.repository_identity import (
    IdentifiedRepository,
    identify_repository,
    mark_as_handled,
)
from autograder.git.student_stores import Fork, open_fork
from autograder.record.ledger import Ledger, StudentRecord

# Servers and git have only words for a repository that is not there, and no code.
NOT_THERE = re.compile(
    r"does not exist|not found|does not appear to be a git repository|is private"
)
# The forge's `pushed_at` cannot tell two pushes within one second apart, and git may lag behind its
# list.
SETTLED = timedelta(minutes=1)
Entry = TypeVar("Entry", Push, Repository)


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
        What a person should know though nothing failed: a renamed repository, a commit that is
        gone.
    """

    student: Student
    pushes: tuple[Push, ...] = ()
    error: str = ""
    notes: tuple[str, ...] = ()

    @property
    def push(self) -> Push | None:
        """The newest new push, None if there is nothing new."""
        return self.pushes[-1] if self.pushes else None


@dataclass(frozen=True)
class ForgeAndForks:
    """The forge, and the forks it listed."""

    forge: Forge
    forks: Forks


@dataclass(frozen=True)
class RemotePoll:
    """One round of asking: all that does not depend on the student."""

    course: Course
    upstream: frozenset[str]
    now: Callable[[], datetime]
    told: ForgeAndForks | None
    sightings: Sightings

    def collect(self, student: Student) -> Collected:
        """Ask for one student's pushes; whatever fails is theirs alone."""
        if not student.remotes:
            return self._collect_from(student)
        every = [self._collect_from(student)] if student.remote else []
        for assignment, remote in student.remotes:
            every.append(
                self._collect_from(replace(student, remote=remote, remotes=()), assignment)
            )
        pushes: list[Push] = []
        errors: list[str] = []
        notes: dict[str, None] = {}  # each once: several repositories may say the same
        for collected in every:
            pushes += collected.pushes
            errors += [collected.error] if collected.error else []
            notes |= dict.fromkeys(collected.notes)
        return Collected(student, tuple(pushes), "; ".join(errors), tuple(notes))

    def _collect_from(self, student: Student, assignment: str = "") -> Collected:
        """Ask one remote, which may be for one assignment only."""
        record = None
        try:
            fork = open_fork(self.course, student, assignment)
            record = self._read_record(fork)
            if self.told is not None and repository_name(student.remote, self.course.forge):
                return self._ask_forge(self.told, student, fork, record)
            fork = fork.on_graded_branch()
            branches = fork.list_branches()
            pushes = self._record_tip(fork, record, branches)
            return self._with_other_branches(
                Collected(student, pushes), fork, branches, self._see_push
            )
        except Exception as error:
            # Also what nobody foresaw: a store that is no folder, a hostile answer
            said = describe_error(error)
            # Before the first push of an assignment its repository need not be there yet.
            if assignment and record is not None and not record.pushes and NOT_THERE.search(said):
                note = f"{student.id}: no repository for {assignment} to be seen at {student.remote} yet"
                return Collected(student, notes=(note,))
            return Collected(
                student, error=said if said.startswith(student.id) else f"{student.id}: {said}"
            )

    def _read_record(self, fork: Fork) -> StudentRecord:
        """Return the record of what was pushed to this repository."""
        record = Ledger.of(self.course).read(fork.student.id)
        return replace(
            record,
            pushes=_keep_of(fork.assignment, record.pushes),
            lost=_keep_of(fork.assignment, record.lost),
            repositories=_keep_of(fork.assignment, record.repositories),
        )

    def _with_other_branches(
        self,
        collected: Collected,
        fork: Fork,
        branches: Mapping[str, str],
        make_push: Callable[[Fork, str], Push],
    ) -> Collected:
        """Add what is new on other branches, and notes on answers that are not where they are
        graded.
        """
        student = collected.student.id
        ledger = Ledger.of(self.course)
        others = OtherBranches(self.course, self.sightings, self.upstream)
        error = collected.error
        aside: list[Push] = []
        try:
            aside += others.collect(fork, ledger.read(student), branches, make_push)
        except Exception as failed:  # what is graded is recorded all the same
            error = error or describe_error(failed)
        notes = list(collected.notes)
        if collected.pushes or aside:
            # Read once more: the pushes of a moment ago are in it now.
            notes += notes_on_places(self.course, ledger.read(student))
        return replace(
            collected, pushes=(*collected.pushes, *aside), error=error, notes=tuple(notes)
        )

    def _see_push(self, fork: Fork, commit: str) -> Push:
        """Return the push of a commit that is seen now for the first time."""
        clock = Clock.COMMIT_DATE if self.course.clock is Clock.COMMIT_DATE else Clock.FIRST_SEEN
        return fork.make_push(commit, self.now(), clock)

    def _record_tip(
        self, fork: Fork, record: StudentRecord, branches: Mapping[str, str] | None = None
    ) -> tuple[Push, ...]:
        """Record the tip of the branch if it is new."""
        tip = fork.fetch(branches)
        last = record.pushes[-1].commit if record.pushes else None
        # Before any work the published commits are no push; later somebody may go back to one.
        if tip is None or tip == last or (last is None and tip in self.upstream):
            return ()
        push = self.sightings.look_at(fork, self._see_push(fork, tip))
        Ledger.of(self.course).add_push(push)
        return (push,)

    def _ask_forge(
        self, told: ForgeAndForks, student: Student, fork: Fork, record: StudentRecord
    ) -> Collected:
        """Record what the forge tells of; where it does not answer, what git shows."""
        try:
            identified = identify_repository(
                told.forge, told.forks, self.course, student, record.repositories
            )
            if identified is None:
                note = f"{student.id}: no repository to be seen at {student.remote} yet"
                return Collected(student, notes=(note,))
            if fork.branch == DEFAULT_BRANCH:
                fork = replace(fork, branch=identified.found.branch)
            known = replace(
                identified, repository=replace(identified.repository, assignment=fork.assignment)
            )
            # Of most nothing is new at a poll, and every further question counts at the forge.
            if not identified.changed and record.repositories[-1:] == (known.repository,):
                return Collected(student)
            return self._record_told(told.forge, fork, record, known)
        except ForgeFailed as error:
            return Collected(student, self._record_tip(fork, record), str(error))

    def _record_told(
        self, forge: Forge, fork: Fork, record: StudentRecord, identified: IdentifiedRepository
    ) -> Collected:
        """Record every push the forge tells of since the last one in the record."""
        found = identified.found
        address = f"{self.course.forge.web}/{found.name}.git"
        fork = replace(fork, student=replace(fork.student, remote=address))
        tip = fork.fetch()  # before the question, so that the answer explains it
        known = []  # what the forge itself told of; what git showed has no number there
        for push in (*record.pushes, *record.lost):
            if push.activity:
                known.append(push)
        activity = forge.list_activity(found, fork.branch, {push.activity for push in known})
        pushes = tuple(self._record_activity(fork, record, activity))
        newest = max(known, key=lambda push: push.time, default=None)
        explained = {entry.after for entry in activity} | self.upstream
        if newest is not None:
            explained |= {newest.commit}
        repository = identified.repository  # as it stands, it is asked about again next time
        if tip is not None and tip not in explained and found.pushed > found.created:
            pushes += self._record_tip(fork, record)  # the forge's list is behind its own branch
        elif self.now() - found.pushed > SETTLED:
            repository = mark_as_handled(identified)
        if record.repositories[-1:] != (repository,):
            Ledger.of(self.course).add_repository(fork.student.id, repository)
        notes = (*identified.notes, *_list_notes(self.course, fork, found, tip, pushes))
        there = [push for push in pushes if not push.lost]
        collected = Collected(fork.student, tuple(there), notes=notes)

        def date_push(on_branch: Fork, commit: str) -> Push:
            """Return the push of another branch's tip, with the forge's time of it where it tells
            one.
            """
            push = self._see_push(on_branch, commit)
            # From its beginning: of a branch that is not graded nothing is known already.
            for entry in forge.list_activity(found, on_branch.branch, ()):
                if entry.after == commit:
                    return replace(push, time=entry.time, clock=Clock.SERVER)
            return push

        return self._with_other_branches(collected, fork, fork.list_branches(), date_push)

    def _record_activity(
        self, fork: Fork, record: StudentRecord, activity: Iterable[Activity]
    ) -> Iterator[Push]:
        """Fetch and record what the forge tells of, oldest first, from the first work of the
        student on.
        """
        worked = bool(record.pushes or record.lost)
        for entry in activity:
            if entry.is_deletion or (not worked and entry.after in self.upstream):
                continue
            worked = True
            there = fork.fetch_commit(entry.after)
            if not there and self.now() - entry.time <= SETTLED:
                return  # git may be a moment behind the list: it is asked again next time
            push = Push(
                fork.student.id,
                entry.after,
                fork.branch,
                entry.time,
                Clock.SERVER,
                notebooks=fork.notebooks(entry.after) if there else (),
                activity=entry.id,
                lost=not there,
                assignment=fork.assignment,
            )
            if there:
                push = self.sightings.look_at(fork, push)
            Ledger.of(self.course).add_push(push)
            yield push


def _keep_of(assignment: str, entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return what is of the repository for one assignment only, or for all where that is empty."""
    return tuple(entry for entry in entries if entry.assignment == assignment)


def _list_notes(
    course: Course, fork: Fork, found: FoundRepository, tip: str | None, pushes: Iterable[Push]
) -> Iterator[str]:
    """Yield what a person should know about what was told."""
    student = fork.student.id
    branch = fork.branch
    if tip is None and found.branch != branch:
        yield f"{student}: {found.name} has no branch {branch!r}, its default branch is {found.branch!r}"
    elif tip is None:
        yield f"{student}: {found.name} lost its branch {branch!r}; what was collected before still counts"
    for push in pushes:
        if push.lost:
            when = f"{course.to_local_time(push.time):%d %b %Y %H:%M}"
            yield (
                f"{student}: the push of {when} ({push.commit[:10]}) cannot be fetched, it was overwritten or is too "
                "large: it cannot be graded, the push before it counts in its place"
            )
