"""What a hidden test cell imports: criteria with points, hints, and the reference solution.

A hidden test cell is an ordinary nbgrader cell. It runs the same under `nbgrader autograde`, in
the student's own kernel, and under `autograder grade`, outside of the jail; the last expression,
`marking.score()`, is nbgrader's partial credit.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from autograder.course.comparisons import count_comparisons, note_comparisons
from autograder.course.errors import (
    KernelError as KernelError,
)  # tests let it pass: nothing more can be asked
from autograder.course.reports import Criterion, CriterionOutcome
from autograder.reference import reference_of

__all__ = ["Hint", "Marking", "Score", "reference_of"]

Check = Callable[[], object]
NOTHING_COMPARED = (
    "In one criterion there was nothing to compare. Is something empty that your function returns, or another one in "
    "every call, though np.random starts from the same seed?"
)


class Hint(AssertionError):
    """A failed expectation whose message a student may read: no inputs, no values of the test."""


class NothingCompared(AssertionError):
    """A criterion ended without a comparison: it saw nothing wrong because it saw nothing."""


class Score(float):
    """The points of an exercise, a plain number to nbgrader, with the criteria they come from."""

    criteria: tuple[Criterion, ...]
    errors: tuple[BaseException, ...]

    def __new__(
        cls, points: float, criteria: tuple[Criterion, ...], errors: tuple[BaseException, ...]
    ) -> Score:
        """Make a score of `points`, remembering its criteria and what went wrong in those not
        met.
        """
        score = super().__new__(cls, points)
        score.criteria = criteria
        score.errors = errors
        return score


class Marking:
    """The criteria of one exercise, each run where it is defined.

    Parameters
    ----------
    points : float
        Points of the exercise; the criteria must add up to it.

    Examples
    --------
    >>> marking = Marking(points=3)
    >>> @marking.criterion(1, "the answer is a number")
    ... def number():
    ...     assert isinstance(42, int)
    >>> @marking.criterion(2, "the answer is 7", needs="number")
    ... def value():
    ...     assert 42 == 7
    >>> marking.score()
    1.0
    """

    def __init__(self, points: float) -> None:
        self.points = points
        self._criteria: dict[str, Criterion] = {}
        self._errors: list[BaseException] = []

    def criterion(
        self, points: float, sentence: str, *, needs: str | tuple[str, ...] = ()
    ) -> Callable[[Check], Check]:
        """Run the decorated check at once; an exception means that the criterion is not met.

        Nor is it met if the check ends without having compared anything: see
        `autograder.course.comparisons`.

        Parameters
        ----------
        points : float
            What meeting it gives.
        sentence : str
            What the student reads beside the mark, in the present tense: "Z has one row per
            example".
        needs : str or tuple of str
            Names of earlier checks without which this one says nothing; it is then skipped.

        Raises
        ------
        ValueError
            If the name is taken or `needs` names no earlier check.
        """
        required = (needs,) if isinstance(needs, str) else tuple(needs)

        def run(check: Check) -> Check:
            name = check.__name__
            if name in self._criteria:
                raise ValueError(f"two criteria are called {name!r}")
            for other in required:
                if other not in self._criteria:
                    raise ValueError(f"criterion {name!r} needs {other!r}, which is not above it")
            self._criteria[name] = self._judge(check, points, sentence, required)
            return check

        return run

    def _judge(
        self, check: Check, points: float, sentence: str, needs: tuple[str, ...]
    ) -> Criterion:
        if any(self._criteria[name].outcome is not CriterionOutcome.MET for name in needs):
            return Criterion(sentence, 0.0, points, CriterionOutcome.SKIPPED)
        all_noted = note_comparisons(check)
        try:
            with count_comparisons() as comparisons:
                check()
            if all_noted and not comparisons.count:
                raise NothingCompared(f"{check.__name__} ended without a comparison")
        # The student's process is gone: nothing more can be asked.
        except KernelError:
            raise
        # A person, or nbgrader's limit of time, stops the whole test.
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        # What pytest.raises and pytest.fail raise is no Exception.
        except BaseException as error:
            self._errors.append(error)
            return Criterion(sentence, 0.0, points, CriterionOutcome.NOT_MET)
        return Criterion(sentence, points, points, CriterionOutcome.MET)

    def score(self) -> Score:
        """Return the points; the last expression of the test cell.

        Raises
        ------
        ValueError
            If the criteria do not add up to the points of the exercise.
        """
        criteria = tuple(self._criteria.values())
        total = sum(criterion.max_points for criterion in criteria)
        if not math.isclose(total, self.points):
            raise ValueError(
                f"the criteria add up to {total:g} points, the exercise has {self.points:g}"
            )
        full = all(criterion.outcome is CriterionOutcome.MET for criterion in criteria)
        points = self.points if full else math.fsum(criterion.points for criterion in criteria)
        return Score(points, criteria, tuple(self._errors))
