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

MAX_BRANCHES = 20  # of one student that are looked at: each new one is a fetch
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
        known = set(self.upstream)
        for push in (*record.pushes, *record.aside, *record.lost):
            known.add(push.commit)
        others = []
        for name, tip in branches.items():
            if name != fork.branch and tip not in known:
                others.append((name, tip))
        others.sort(key=lambda other: (other[0] not in USUAL, other[0]))
        for name, tip in others[:MAX_BRANCHES]:
            if fork.was_looked_at(tip) or not fork.fetch_commit(tip):
                continue
            push = self.sightings.look_at(fork, push_of(replace(fork, branch=name), tip))
            if self._answers_anything_new(record, push):
                push = replace(push, aside=True)
                Ledger.of(self.course).add_push(push)
                yield push
            # After the record has it: a run that is killed before looks at the branch once more.
            fork.note_looked_at(tip)

    def _answers_anything_new(self, record: StudentRecord, push: Push) -> bool:
        answered = [file.holds or "" for file in push.notebooks if file.written]
        return not all(self._is_begun(record, assignment) for assignment in answered)

    def _is_begun(self, record: StudentRecord, assignment: str) -> bool:
        """Whether something of an assignment is answered at its place on the graded branch."""
        for push in record.pushes:
            file = find_notebook(push.notebooks, assignment)
            if file is not None and is_begun(file, assignment):
                return True
        return False


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
