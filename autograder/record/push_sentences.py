"""What a student is told of pushes and places: which push counts and why, where answers lie, what
to do next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from autograder.course.configuration import DEFAULT_BRANCH, Course
from autograder.course.layout import notebook_places, say_where_it_belongs
from autograder.course.names import quote_name
from autograder.course.reports import round_points
from autograder.course.submissions import SUBMODULE, NotebookFile, Push
from autograder.record.push_candidates import PushCandidate, PushChoice

PLAIN_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


@dataclass(frozen=True)
class PushSentences:
    """Sentences about one assignment of a course."""

    course: Course
    assignment: str

    @property
    def right(self) -> str:
        """Where the notebook belongs."""
        return notebook_places(self.assignment)[0]

    def explain_counting(self, candidate: PushCandidate, choice: PushChoice) -> str:
        """Say which push counts, and why."""
        when = self.course.write_moment(candidate.push.time)
        first = self.course.write_moment(candidate.since)
        newest = choice.newest
        if candidate.factor < 1.0:
            share = f"{round_points(100 * candidate.factor):g}%"
            return f"The push of {first} counts, at {share} because it came after the deadline."
        if candidate.since < candidate.push.time and candidate != choice.on_time:
            return (
                f"The push of {when} counts as one of {first}, when the same file was first pushed."
            )
        if newest is None or candidate.push.time > newest.time:
            return (
                f"The push of {when} counts as one of {first}, when the same file was first pushed."
            )
        if newest is not candidate.push and not candidate.push.aside:
            newer = self.course.write_moment(newest.time)
            return f"The push of {when} counts: in the newer one of {newer} nothing is answered."
        why = "the newest one" if choice.newest_late is None else "the last one before the deadline"
        return f"The push of {when} counts: {why}."

    def explain_too_late(self, choice: PushChoice) -> str:
        """Say that what was answered came too late."""
        late = choice.newest_late
        when = f"of {self.course.write_moment(late.time)} " if late else ""
        before = " What was pushed before it holds no answer." if choice.on_time is not None else ""
        return f"The push {when}came after the deadline.{before}"

    def explain_missing(self, push: Push, elsewhere: PushCandidate | None) -> str:
        """Say that there is no notebook at its place."""
        if elsewhere is not None:
            return self.tell_where_answers_lie(elsewhere)
        for pointer in self.list_pointer_sentences(push):
            return pointer
        return f"There is no notebook at {self.right}. {SAVE}"

    def explain_not_begun(
        self, push: Push, file: NotebookFile, elsewhere: PushCandidate | None
    ) -> str:
        """Say that nothing is answered yet."""
        if elsewhere is not None:
            return self.tell_where_answers_lie(elsewhere)
        for pointer in self.list_pointer_sentences(push):
            return f"{file.path} holds no answer. {pointer}"
        when = self.course.write_moment(push.time)
        begin = (
            ""
            if file.path.endswith("_solved.ipynb")
            else f" To begin: `autograder start {quote_name(self.assignment)}`."
        )
        return f"{file.path} holds no answer yet, as pushed on {when}.{begin} {SAVE} {LATER}"

    def tell_of_elsewhere(self, choice: PushChoice) -> str:
        """Say what there is to be said of answers elsewhere, whether they are graded or not; "" if
        nothing is.
        """
        found = choice.elsewhere
        counts = choice.on_time
        if found is None:
            return ""
        if found == counts or found in choice.late:
            return self.tell_graded_elsewhere(found)
        beside = (
            counts is not None and counts.push is found.push and counts.is_begun(self.assignment)
        )
        if counts is not None and counts.file is not None and beside:
            return self.tell_more_elsewhere(counts.file, found)
        return self.tell_where_answers_lie(found)

    def tell_where_answers_lie(self, found: PushCandidate) -> str:
        """Say where answers lie that are not graded there, and what to do."""
        if found.file is None:
            return ""
        path = found.file.path
        unchanged = f"Left unchanged, it counts from {self.course.write_moment(found.since)}, when it was first pushed."
        if found.push.aside:
            branches = (
                f"Your answers are on the branch {found.push.branch}, and {self._graded} is graded."
            )
            move = (
                ""
                if path in notebook_places(self.assignment)
                else f" Move {path} to {self.right}, commit and push."
            )
            return f"{branches} {self._explain_merging(found.push.branch)}{move} {unchanged}"
        if found.file.holds is None:
            return f"The notebook {say_where_it_belongs(path, self.assignment)} and push again. {unchanged}"
        there = {file.path for file in found.push.notebooks}
        instead = (
            ", in place of the one there, which holds no answer," if self.right in there else ""
        )
        where = say_where_it_belongs(path, self.assignment).removeprefix(path)
        return f"Your answers are in {path}. It{where}{instead} and push again. {unchanged}"

    def tell_graded_elsewhere(self, found: PushCandidate) -> str:
        """Say where answers were found that are graded though they do not lie at their place."""
        if found.file is None:
            return ""
        path = found.file.path
        moved = (
            ""
            if path in notebook_places(self.assignment)
            else f"; it belongs at {self.right}: move it there"
        )
        if not found.push.aside:
            return f"{path} is graded all the same{moved} before you go on."
        branch = found.push.branch
        return (
            f"{path} on the branch {branch} is graded all the same{moved}; it belongs on "
            f"{self._graded_branch}. {self._explain_merging(branch)}"
        )

    def tell_more_elsewhere(self, counting: NotebookFile, found: PushCandidate) -> str:
        """Say that another file beside the one that counts has more answers."""
        if found.file is None:
            return ""
        if found.file.holds is None:
            return f"The notebook {say_where_it_belongs(found.file.path, self.assignment)} and push again."
        more = len(found.file.written) - len(counting.written)
        cells = "1 cell" if more == 1 else f"{more} cells"
        return (
            f"{counting.path} is graded; {found.file.path} has answers in {cells} more. "
            "If that one is meant, save it under the name of the first and push again."
        )

    def list_pointer_sentences(self, push: Push) -> Iterator[str]:
        """Say of what leads elsewhere that nothing behind it was pushed."""
        for path, target in push.pointers:
            if target and path in notebook_places(self.assignment):
                yield (
                    f"{path} is a link to {target}, and what it leads to was not pushed. "
                    f"Put the notebook itself at {self.right} and push again."
                )
            elif not target or (
                target == SUBMODULE and not any(file.written for file in push.notebooks)
            ):
                yield (
                    f"{path} is a git repository within yours, and nothing of what is in it was pushed. "
                    f"If your notebook is there, move it to {self.right}, add it, commit and push."
                )

    @property
    def _graded(self) -> str:
        is_default = self.course.graded_branch == DEFAULT_BRANCH
        return "your repository's default branch" if is_default else self.course.graded_branch

    @property
    def _graded_branch(self) -> str:
        is_default = self.course.graded_branch == DEFAULT_BRANCH
        return self._graded if is_default else f"the branch {self._graded}"

    def _explain_merging(self, branch: str) -> str:
        """Say how a branch becomes a part of the one that is graded."""
        graded = self._graded
        if self.course.graded_branch == DEFAULT_BRANCH:
            return "Merge it into that one and push."
        if not PLAIN_BRANCH.fullmatch(branch):  # a shell might take it for more than a name
            return f"Merge it into {graded} and push."
        command = f"`git push origin {branch}:{graded}`"
        return f"To bring them there: {command}; if git refuses, merge it into {graded} and push."


SAVE = "If you have worked on it: save the notebook in JupyterLab, add, commit and push it."
LATER = "Without an answer it gives 0 points after the deadline."
