"""Where the marks of the overview's plots lie: numbers for the templates, which draw them as SVG
without a script.

Positions across are in percent, so that a plot is as wide as the page and its words keep their size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from autograder.overview.class_progress import Progress, TimeToFull
from autograder.overview.exercise_statistics import ExerciseStatistics

# Six minutes: whoever is right at once would lie at minus infinity, and is drawn here.
LEAST_HOURS = 0.1
MOST_HOURS = 1000.0
DECADES = ((0.1, "at once"), (1.0, "1 h"), (10.0, "10 h"), (100.0, "4 days"), (1000.0, "6 weeks"))
# More steps of a line cannot be seen, and a class of a thousand would make the page heavy.
MOST_STEPS = 120
STYLES = 6  # of lines, as many as overview.css has


@dataclass(frozen=True)
class Piece:
    """A piece of a stacked bar: where it begins and how wide it is, in percent."""

    kind: str
    start: float
    width: float
    count: int


@dataclass(frozen=True)
class Tick:
    """A place on an axis, in percent, and its words."""

    x: float
    words: str


@dataclass(frozen=True)
class Line:
    """A polyline in a box of 100 by 100, and the number of its style."""

    title: str
    points: str
    style: int
    end: float


@dataclass(frozen=True)
class ProgressPlot:
    """Lines over time, the ticks of the days, and whether there is anything to draw."""

    lines: tuple[Line, ...]
    ticks: tuple[Tick, ...]


def stack_outcomes(entry: ExerciseStatistics) -> tuple[Piece, ...]:
    """Return the pieces of the bar that tells how an exercise ended."""
    counts = (
        ("right", entry.right),
        ("partly", entry.partly),
        ("wrong", entry.wrong),
        ("waiting", entry.waiting),
        ("untouched", entry.untouched),
    )
    pieces = []
    start = 0.0
    for kind, count in counts:
        width = 100 * count / entry.students if entry.students else 0.0
        if count:
            pieces.append(Piece(kind, round(start, 2), round(width, 2), count))
        start += width
    return tuple(pieces)


def place_hours(hours: float) -> float:
    """Return where a number of hours lies on a logarithmic axis, in percent."""
    bounded = min(max(hours, LEAST_HOURS), MOST_HOURS)
    share = math.log(bounded / LEAST_HOURS) / math.log(MOST_HOURS / LEAST_HOURS)
    # Two percent of margin, or half of a dot at either end would be cut off.
    return round(2 + 96 * share, 2)


def list_hour_ticks() -> tuple[Tick, ...]:
    """Return the ticks of the axis of hours."""
    return tuple(Tick(place_hours(hours), words) for hours, words in DECADES)


def place_times(entry: TimeToFull) -> tuple[float, ...]:
    """Return where each student's time lies, in percent."""
    return tuple(place_hours(hours) for _, hours in entry.hours)


def draw_progress(progress: Sequence[Progress]) -> ProgressPlot:
    """Return a line for each assignment: the class's mean share of its points over time."""
    ends = []
    for entry in progress:
        if entry.points:
            ends += [entry.points[0].time, entry.points[-1].time]
    # One push alone has no length to be drawn along.
    if not ends or min(ends) == max(ends):
        return ProgressPlot((), ())
    first = min(ends)
    length = (max(ends) - first).total_seconds()
    lines = []
    for number, entry in enumerate(progress):
        if entry.points:
            lines.append(_draw_line(entry, number % STYLES, first, length))
    return ProgressPlot(tuple(lines), _list_day_ticks(first, length))


def _draw_line(entry: Progress, style: int, first: datetime, length: float) -> Line:
    stride = max(1, len(entry.points) // MOST_STEPS)
    # The last one is always kept: where the line ends is what the legend says.
    kept = [*entry.points[::stride], entry.points[-1]]
    corners = []
    height = 100.0
    # Steps and no slopes, for nothing happens between two pushes.
    for point in kept:
        x = 100 * (point.time - first).total_seconds() / length
        corners.append(f"{x:.2f},{height:.1f}")
        height = 100 * (1 - point.mean_share)
        corners.append(f"{x:.2f},{height:.1f}")
    corners.append(f"100,{height:.1f}")
    return Line(entry.title, " ".join(corners), style, round(kept[-1].mean_share, 3))


def _list_day_ticks(first: datetime, seconds: float) -> tuple[Tick, ...]:
    ticks = []
    for share in (0.0, 0.5, 1.0):
        moment = first + timedelta(seconds=seconds * share)
        ticks.append(Tick(100 * share, f"{moment.day} {moment:%b}"))
    return tuple(ticks)
