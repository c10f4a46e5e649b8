"""Points over pushes: a line that a student wants to see rise, drawn at build time and without a
script.

Positions are in percent of the width and in pixels of the height, so that the drawing is as wide as the page and its
words keep their size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autograder.pages.push_history import Entry

# As many as a telephone can show apart.
MOST_DOTS = 20
FEWEST_DOTS = 2
# Pixels, room for the number above the highest dot.
TOP = 18.0
HEIGHT = 56.0


@dataclass(frozen=True)
class Dot:
    """A grading: where it is drawn, its points, and whether it counts for some part."""

    x: float
    y: float
    points: float
    counts: bool


@dataclass(frozen=True)
class PointsChart:
    """The gradings of an assignment, oldest first, and whether older ones were left out."""

    dots: tuple[Dot, ...]
    max_points: float
    is_cut: bool

    @property
    def base(self) -> float:
        """Where 0 points are, in pixels from above."""
        return TOP + HEIGHT

    @property
    def best(self) -> float:
        """The most points of any of these gradings."""
        return max(dot.points for dot in self.dots)


def make_points_chart(history: Sequence[Entry], max_points: float) -> PointsChart | None:
    """Return the chart of an assignment's history, newest entry first; None where there is nothing
    to compare.
    """
    graded = []
    for entry in reversed(history):
        if entry.graded is not None:
            graded.append(entry)
    shown = graded[-MOST_DOTS:]
    if len(shown) < FEWEST_DOTS or max_points <= 0:
        return None
    dots = []
    for number, entry in enumerate(shown):
        points = entry.graded.report.points if entry.graded else 0.0
        # Bonus points, and points of an exam that gave more, would leave the drawing.
        share = min(points / max_points, 1.0)
        x = 100 * (number + 0.5) / len(shown)
        y = TOP + HEIGHT * (1 - share)
        dots.append(Dot(round(x, 2), round(y, 1), points, bool(entry.counts)))
    return PointsChart(tuple(dots), max_points, len(graded) > len(shown))
