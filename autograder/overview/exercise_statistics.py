"""How an exercise did: who got it, which criteria are hardest, and whether its test looks wrong.

A test looks wrong when those who are strong everywhere else fail it. The measure is the classical one of test theory:
the mean share of points of the strong less that of the weak (discrimination), where strong and weak are the upper and
lower 27 percent by their points in all *other* exercises; Kelley, J. Educ. Psych. 30 (1939) 17.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.course.reports import CriterionOutcome, ExerciseResult, Status
from autograder.overview.class_work import AssignmentWork, has_all_points, was_attempted

GROUP = 0.27
# With fewer there are no two groups of two.
FEWEST_STUDENTS = 8
# Of the points: what the strong should reach.
STRONG_ENOUGH = 0.7
# Below 0.2 test theory calls an item poor.
LITTLE_DIFFERENCE = 0.15


@dataclass(frozen=True)
class ExerciseStatistics:
    """The answers to one exercise that count now.

    Attributes
    ----------
    right, partly, wrong, untouched, waiting : int
        Students by how it ended; `waiting` are to be marked by a person.
    strong, weak : float or None
        Mean share of the points among the strong and the weak, None where the class is too small to
        tell.
    """

    assignment: str
    exercise: str
    title: str
    right: int
    partly: int
    wrong: int
    untouched: int
    waiting: int
    mean_share: float
    strong: float | None
    weak: float | None

    @property
    def students(self) -> int:
        """All who are counted."""
        return self.right + self.partly + self.wrong + self.untouched + self.waiting

    @property
    def discrimination(self) -> float | None:
        """How much better the strong are than the weak."""
        return None if self.strong is None or self.weak is None else self.strong - self.weak

    @property
    def looks_wrong(self) -> bool:
        """Whether the strong fail it, and hardly less than the weak."""
        if self.strong is None or self.discrimination is None:
            return False
        return self.strong < STRONG_ENOUGH and self.discrimination < LITTLE_DIFFERENCE


@dataclass(frozen=True)
class CriterionStatistics:
    """A criterion of an exercise: of those whose answer was held against it, how many met it."""

    assignment: str
    exercise: str
    title: str
    sentence: str
    met: int
    missed: int

    @property
    def share_missed(self) -> float:
        """Those who missed it."""
        return self.missed / (self.met + self.missed)


def measure_exercises(work: AssignmentWork) -> tuple[ExerciseStatistics, ...]:
    """Return the statistics of an assignment's exercises, in their order."""
    shares = _list_shares(work)
    measured = []
    for exercise in work.exam.exercises:
        results = []
        for own in work.students:
            if exercise.id in own.results:
                results.append(own.results[exercise.id])
        # Without a result nothing was graded yet, and a row of zeros would look like a failure.
        if results:
            measured.append(_measure_exercise(work, exercise.id, results, shares))
    return tuple(measured)


def _measure_exercise(
    work: AssignmentWork,
    exercise: str,
    results: Sequence[ExerciseResult],
    shares: Sequence[dict[str, float]],
) -> ExerciseStatistics:
    right = 0
    partly = 0
    by_status: Counter[Status] = Counter()
    for result in results:
        by_status[result.status] += 1
        # An exercise of no points has all of them untouched.
        right += has_all_points(result) and was_attempted(result)
        partly += result.points > 0 and not has_all_points(result)
    own_shares = []
    for of_student in shares:
        if exercise in of_student:
            own_shares.append(of_student[exercise])
    strong, weak = compare_groups(shares, exercise)
    return ExerciseStatistics(
        assignment=work.name,
        exercise=exercise,
        title=work.call_exercise(exercise),
        right=right,
        partly=partly,
        wrong=by_status[Status.FAILED],
        untouched=by_status[Status.NOT_ATTEMPTED] + by_status[Status.NOT_FOUND],
        waiting=by_status[Status.TO_BE_MARKED],
        mean_share=sum(own_shares) / len(own_shares) if own_shares else 0.0,
        strong=strong,
        weak=weak,
    )


def _list_shares(work: AssignmentWork) -> list[dict[str, float]]:
    """Return each student's share of the points of each exercise that was attempted."""
    shares = []
    for own in work.students:
        of_student = {}
        for result in own.results.values():
            if was_attempted(result) and result.max_points > 0:
                of_student[result.id] = result.points / result.max_points
        shares.append(of_student)
    return shares


def compare_groups(
    shares: Sequence[dict[str, float]], exercise: str
) -> tuple[float | None, float | None]:
    """Return the mean share of the strong and of the weak in an exercise, both None where there are
    too few.

    Parameters
    ----------
    shares : sequence of dict of str to float
        For each student the share of the points by exercise.
    """
    ranked = []
    for of_student in shares:
        # Without the exercise itself, which would vouch for itself.
        others = dict(of_student)
        own_share = others.pop(exercise, None)
        if own_share is not None and others:
            ranked.append((sum(others.values()) / len(others), own_share))
    if len(ranked) < FEWEST_STUDENTS:
        return None, None
    ranked.sort(key=lambda entry: entry[0])
    size = max(2, round(GROUP * len(ranked)))
    weak = sum(share for _, share in ranked[:size])
    strong = sum(share for _, share in ranked[-size:])
    return strong / size, weak / size


def rank_criteria(work: AssignmentWork) -> tuple[CriterionStatistics, ...]:
    """Return the criteria of an assignment that somebody missed, the hardest first; what was
    skipped says nothing.
    """
    counts: dict[tuple[str, str], list[int]] = {}
    for own in work.students:
        for result in own.results.values():
            for criterion in result.criteria:
                if criterion.outcome is not CriterionOutcome.SKIPPED:
                    count = counts.setdefault((result.id, criterion.sentence), [0, 0])
                    count[criterion.outcome is CriterionOutcome.NOT_MET] += 1
    ranked = []
    for (exercise, sentence), (met, missed) in counts.items():
        if missed:
            title = work.call_exercise(exercise)
            ranked.append(CriterionStatistics(work.name, exercise, title, sentence, met, missed))
    return tuple(
        sorted(ranked, key=lambda entry: (-entry.share_missed, -entry.missed, entry.sentence))
    )
