"""What a student wants to know at midnight: what is new, what is due next, what to look at first,
what can still come.

All of it follows from the standings and the history; nobody notes down when a page was last looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autograder.course.reports import round_points
from autograder.pages.assignment_view import AssignmentView, PartView
from autograder.pages.exercise_rows import Row
from autograder.pages.push_history import Entry

# Percent of what can still come.
SHARES = (100, 75, 50, 0)


@dataclass(frozen=True)
class News:
    """The newest grading of all, and how many points its notebook had at the grading before; None
    at the first.
    """

    view: AssignmentView
    entry: Entry
    before: float | None


@dataclass(frozen=True)
class FirstLook:
    """The exercise to look at first."""

    view: AssignmentView
    part: PartView
    row: Row


@dataclass(frozen=True)
class Ending:
    """With which points the term ends if a share of what can still come is reached, all in percent
    but `points`.
    """

    share: int
    points: float
    of_all: float


@dataclass(frozen=True)
class Outlook:
    """What can still come, and where that leads."""

    to_come: float
    max_points: float
    endings: tuple[Ending, ...]


def find_news(views: Sequence[AssignmentView]) -> News | None:
    """Return the newest grading of a student's notebooks, None if there is none."""
    newest: News | None = None
    for view in list_sections(views):
        graded = _list_graded(view.history)
        if not graded:
            continue
        before = _find_points(graded[1]) if len(graded) > 1 else None
        news = News(view, graded[0], before)
        # By the time of grading, not of pushing: a repaired test is news about an old push.
        if newest is None or _when(news.entry) > _when(newest.entry):
            newest = news
    return newest


def find_next(views: Sequence[AssignmentView]) -> tuple[AssignmentView, PartView] | None:
    """Return the part that falls due next and is not complete yet; of complete ones the next, if
    all are.
    """
    due = []
    for view, part in list_parts(views):
        if part.standing.deadline is not None and not part.closed:
            # A complete part is due as well, but only worth a word when nothing else is.
            due.append((part.is_full, part.standing.deadline, view, part))
    soonest = min(due, key=lambda entry: entry[:2], default=None)
    return (soonest[2], soonest[3]) if soonest else None


def find_first_look(views: Sequence[AssignmentView]) -> FirstLook | None:
    """Return the exercise to look at first: one that can still be improved, with a hint if any has
    one.

    Of several, the one with the most points to gain; what nobody attempted yet is no mistake to look at.
    """
    chosen: tuple[bool, float] = (False, 0.0)
    found: FirstLook | None = None
    for view, part in list_parts(views):
        for row in part.rows:
            # Without a hint or a criterion there is nothing to be read that would help.
            is_slip = row.graded and row.points is not None and bool(row.hint or row.criteria)
            rank = (bool(row.hint), row.missed)
            if is_slip and not part.closed and row.missed > 0 and rank > chosen:
                chosen = rank
                found = FirstLook(view, part, row)
    return found


def make_outlook(views: Sequence[AssignmentView]) -> Outlook | None:
    """Return what can still come of all assignments with their points known, None when all is
    over.
    """
    points = max_points = to_come = 0.0
    for _, part in list_parts(views):
        max_points += part.standing.max_points
        points += part.points or 0.0
        # A closed part without points still waits to be graded or marked.
        if not part.closed or part.points is None:
            to_come += part.standing.max_points - (part.points or 0.0)
    if to_come <= 0 or max_points <= 0:
        return None
    endings = []
    for share in SHARES:
        end = points + to_come * share / 100
        endings.append(Ending(share, round_points(end), round(100 * end / max_points)))
    return Outlook(round_points(to_come), round_points(max_points), tuple(endings))


def find_current(views: Sequence[AssignmentView]) -> AssignmentView | None:
    """Return the assignment to show unfolded: the one due next if it is begun, else where something
    happened last.
    """
    due = find_next(views)
    due_view = next((view for view in views if due and due[0] in view.sections), None)
    if due_view is not None and due_view.history:
        return due_view
    begun = [view for view in views if view.history]
    if begun:
        return max(begun, key=lambda view: view.history[0].push.time)
    return due_view


def list_sections(views: Sequence[AssignmentView]) -> Iterator[AssignmentView]:
    """Yield each notebook; an assignment that has only one is that."""
    for view in views:
        yield from view.sections


def list_parts(views: Sequence[AssignmentView]) -> Iterator[tuple[AssignmentView, PartView]]:
    """Yield each part with its assignment, or with the notebook of several."""
    for view in list_sections(views):
        for part in view.parts:
            yield view, part


def _list_graded(history: Sequence[Entry]) -> list[Entry]:
    """Return the entries of a history that were graded, newest first as they are."""
    graded = []
    for entry in history:
        if entry.graded is not None:
            graded.append(entry)
    return graded


def _find_points(entry: Entry) -> float | None:
    return entry.graded.report.points if entry.graded else None


def _when(entry: Entry) -> float:
    return entry.graded.time.timestamp() if entry.graded else 0.0
