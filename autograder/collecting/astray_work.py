"""Work that went astray: pushes to other branches than the graded one, and what the run says of
answers elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from autograder.collecting.notebook_sightings import Sightings
from autograder.course.configuration import Course
from autograder.course.layout import find_notebook, is_begun
from autograder.course.submissions import Push
from autograder.git.student_stores import Fork
from autograder.record.ledger import Ledger, StudentRecord
from autograder.record.push_candidates import choose_pushes
from autograder.record.push_sentences import PushSentences

MAX_BRANCHES = 20  # of one student that are looked at
USUAL = ("main", "master")  # looked at first


@dataclass(frozen=True)
class OtherBranches:
    """Looks at the branches that are not graded, for answers that are missing on the one that
    is.
    """

    course: Course
    sightings: Sightings
    upstream: frozenset[str]

    def collect(
        self,
        fork: Fork,
        record: StudentRecord,
        branches: Mapping[str, str],
        push_of: Callable[[Fork, str], Push],
    ) -> Iterator[Push]:
        """Record and yield new pushes to other branches in which something is answered that nowhere
        counts yet.

        Parameters
        ----------
        branches : mapping of str to str
            Commits by branch.
        push_of : callable
            Returns the push of a branch's tip, with its time.
        """
        known = {
            push.commit for push in (*record.pushes, *record.aside, *record.lost)
        } | self.upstream
        others = [
            (name, tip)
            for name, tip in branches.items()
            if name != fork.branch and tip not in known
        ]
        for name, tip in sorted(others, key=lambda other: (other[0] not in USUAL, other[0]))[
            :MAX_BRANCHES
        ]:
            if fork.was_looked_at(tip) or not fork.fetch_commit(tip):
                continue
            push = self.sightings.look_at(fork, push_of(replace(fork, branch=name), tip))
            if any(
                file.written and not self._is_begun(record, file.holds or "")
                for file in push.notebooks
            ):
                push = replace(push, aside=True)
                Ledger(self.course.ledger).add_push(push)
                yield push
            fork.note_looked_at(tip)

    def _is_begun(self, record: StudentRecord, assignment: str) -> bool:
        """Whether something of an assignment is answered at its place on the graded branch."""
        found = (find_notebook(push.notebooks, assignment) for push in record.pushes)
        return any(file is not None and is_begun(file, assignment) for file in found)


def notes_on_places(course: Course, record: StudentRecord) -> Iterator[str]:
    """Yield what a person should know about answers that do not lie where they are graded."""
    for name, assignment in course.assignments.items():
        sentences = PushSentences(course, name)
        told: dict[str, None] = {}
        for part in assignment.parts:
            choice = choose_pushes(course, assignment, record, part.deadline)
            begun = choice.on_time is not None and choice.on_time.is_begun(name)
            if choice.elsewhere is not None:
                told[sentences.tell_of_elsewhere(choice)] = None
            elif choice.newest is not None and not begun:
                told |= dict.fromkeys(sentences.list_pointer_sentences(choice.newest))
        yield from (f"{record.student}, {name}: {sentence}" for sentence in told)
