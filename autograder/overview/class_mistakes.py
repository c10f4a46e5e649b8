"""Which known mistakes a class made, how often, and which hints helped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from autograder.course.exam import Exam
from autograder.course.reports import ExerciseResult
from autograder.grader.hints import PERHAPS
from autograder.mistakes import load_variants
from autograder.overview.class_work import (
    ALMOST,
    AssignmentWork,
    StudentWork,
    has_all_points,
    was_attempted,
)
from autograder.pages.exercise_rows import split_hint

MOST_EXAMPLES = 5
# Of fewer next pushes nobody can say whether a hint helps.
FEWEST_FOLLOWERS = 3


@dataclass(frozen=True)
class MistakeCount:
    """A hint of an exercise, and who got it.

    Attributes
    ----------
    mistake : str
        The known mistake's name in `mistakes.py`; empty for a hint that the grader derived by
        itself.
    made, still : tuple of str
        Students who ever got it, and those for whose counting answer it stands now.
    attempts : int
        Students of the class whose answer to this exercise was tested.
    examples : tuple of (str, str)
        Students and commits to look at.
    """

    assignment: str
    exercise: str
    title: str
    mistake: str
    hint: str
    made: tuple[str, ...]
    still: tuple[str, ...]
    attempts: int
    examples: tuple[tuple[str, str], ...]

    @property
    def share(self) -> float:
        """Those who ever made it, of those who attempted the exercise."""
        return len(self.made) / self.attempts if self.attempts else 0.0


@dataclass(frozen=True)
class HintEffect:
    """How often a hint was followed by another try at its exercise, and how often that one was
    better or right.
    """

    assignment: str
    exercise: str
    title: str
    hint: str
    followed: int
    better: int
    solved: int

    @property
    def share_better(self) -> float:
        """Next tries that were better."""
        return self.better / self.followed


@dataclass
class _Tally:
    """Who got one hint of one exercise."""

    # By student the newest commit with it: an instructor who looks wants the latest words.
    made: dict[str, str] = field(default_factory=dict)
    still: set[str] = field(default_factory=set)


def count_mistakes(work: AssignmentWork) -> tuple[MistakeCount, ...]:
    """Return the hints of an assignment's exercises with their students, the most frequent
    first.
    """
    names = name_mistakes(work.exam)
    tallies: dict[tuple[str, str], _Tally] = {}
    attempts: dict[str, set[str]] = {}
    for own in work.students:
        for grading in own.gradings:
            for result in grading.report.exercises:
                if was_attempted(result):
                    attempts.setdefault(result.id, set()).add(own.student.id)
                if is_mistaken(result):
                    tally = tallies.setdefault((result.id, plain_hint(result.hint)), _Tally())
                    tally.made[own.student.id] = grading.commit
        for result in own.results.values():
            if is_mistaken(result):
                tally = tallies.setdefault((result.id, plain_hint(result.hint)), _Tally())
                tally.still.add(own.student.id)
    counts = []
    for (exercise, hint), tally in tallies.items():
        # What counts may come from elsewhere than the history: another branch, a person's mark.
        made = tuple(sorted({*tally.made, *tally.still}))
        examples = tuple(list(tally.made.items())[:MOST_EXAMPLES])
        counts.append(
            MistakeCount(
                assignment=work.name,
                exercise=exercise,
                title=work.call_exercise(exercise),
                mistake=names.get(hint, ""),
                hint=hint,
                made=made,
                still=tuple(sorted(tally.still)),
                # A hint can come without a test's word on the answer; a share above 1 would not.
                attempts=max(len(attempts.get(exercise, ())), len(made)),
                examples=examples,
            )
        )
    return tuple(sorted(counts, key=lambda count: (-len(count.made), count.exercise, count.hint)))


def is_mistaken(result: ExerciseResult) -> bool:
    """Whether a result has a hint at what is wrong."""
    # Who has all points may have a hint all the same: a note on how they came about.
    return bool(result.hint) and not has_all_points(result)


def name_mistakes(exam: Exam) -> dict[str, str]:
    """Return the names of an assignment's known mistakes by their hints, several mistakes of one
    hint together.
    """
    names: dict[str, list[str]] = {}
    variants = None
    if exam.mistakes:
        variants = load_variants(exam.mistakes, f"{exam.assignment}/mistakes.py")
    # By its words, for a report keeps the hint and not which mistake it came from.
    for variant in variants or ():
        of_hint = names.setdefault(variant.hint, [])
        if variant.name not in of_hint:
            of_hint.append(variant.name)
    joined = {}
    for hint, of_hint in names.items():
        joined[hint] = " or ".join(of_hint)
    return joined


def plain_hint(hint: str) -> str:
    """Return a hint without the student's own line, and without how sure the grader was of it."""
    words, _ = split_hint(hint)
    return words.removeprefix(PERHAPS)


def measure_hints(work: AssignmentWork) -> tuple[HintEffect, ...]:
    """Return what came after each hint of an assignment, the least helpful first.

    A next try is the next graded state of the notebook. Whoever worked on something else in between counts as having
    tried in vain: compare hints with one another, not with 100 percent.
    """
    followed: dict[tuple[str, str], list[tuple[float, bool]]] = {}
    for own in work.students:
        for exercise, hint, gain, is_solved in _list_next_tries(own):
            followed.setdefault((exercise, hint), []).append((gain, is_solved))
    effects = []
    for (exercise, hint), tries in followed.items():
        if len(tries) < FEWEST_FOLLOWERS:
            continue
        better = 0
        solved = 0
        for gain, is_solved in tries:
            better += gain > ALMOST
            solved += is_solved
        title = work.call_exercise(exercise)
        effects.append(HintEffect(work.name, exercise, title, hint, len(tries), better, solved))
    return tuple(
        sorted(effects, key=lambda effect: (effect.share_better, -effect.followed, effect.hint))
    )


def _list_next_tries(own: StudentWork) -> Iterator[tuple[str, str, float, bool]]:
    """Yield exercise, hint, gain and whether it was solved, for each hint that another push
    followed.
    """
    for before, after in pairwise(own.gradings):
        for result in before.report.exercises:
            following = after.find_result(result.id)
            if following is not None and is_mistaken(result):
                gain = following.points - result.points
                yield result.id, plain_hint(result.hint), gain, has_all_points(following)
