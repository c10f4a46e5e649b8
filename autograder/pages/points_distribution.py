"""How a class did in one assignment, told without telling of anyone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from autograder.course.configuration import Assignment
from autograder.record.standings import Standing, is_over

BINS = 10
# With fewer students a bar would be about someone.
FEWEST = 5


@dataclass(frozen=True)
class Bar:
    """Students with points between two shares of the maximum, in percent; `share` is of the highest
    bar, in percent.
    """

    low: int
    high: int
    students: int
    share: float


@dataclass(frozen=True)
class Distribution:
    """Students by points, or the sentence why it is not shown."""

    bars: tuple[Bar, ...] = ()
    students: int = 0
    absent: str = ""


def count_by_tenths(
    assignment: Assignment, standings: Iterable[Standing], now: datetime
) -> Distribution:
    """Count students by tenths of the points they have.

    Students of whom nothing was graded are not counted. Nothing is shown before the last deadline is over: everybody
    can see who pushes to a public fork, so a picture that moves with each push would tell whose points moved it.
    """
    end = assignment.last_deadline
    if end is not None and not is_over(end, now):
        return Distribution(
            absent="The distribution of points appears here after the last deadline."
        )
    shares = []
    for standing in standings:
        share = _share_of_points(standing)
        if share is not None:
            shares.append(share)
    if len(shares) < FEWEST:
        return Distribution(
            absent=f"The distribution of points appears here once {FEWEST} students are graded."
        )
    return Distribution(_make_bars(shares), len(shares))


def _share_of_points(standing: Standing) -> float | None:
    """A student's points as a share of the maximum, None if nothing or not everything was
    graded.
    """
    graded = any(part.exercises for part in standing.parts)
    if standing.points is None or not graded or standing.max_points <= 0:
        return None
    return standing.points / standing.max_points


def _make_bars(shares: Sequence[float]) -> tuple[Bar, ...]:
    counts = [0] * BINS
    for share in shares:
        # Three tenths of the points may be a little less than 0.3 in binary numbers.
        below_all = int(share * BINS + 1e-9)
        # All points belong to the last bar, which has no other; so do more than all, by a bonus.
        counts[min(BINS - 1, max(0, below_all))] += 1
    width = 100 // BINS
    highest = max(counts)
    bars = []
    for index, count in enumerate(counts):
        bars.append(Bar(index * width, (index + 1) * width, count, 100 * count / highest))
    return tuple(bars)
