"""The words and signs for how things ended: a sign, a word and a tone, so that colour is never the only one to tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from autograder.records import Clock, Outcome, Status
from autograder.standings import PartStanding, State, end_of


@dataclass(frozen=True)
class Mark:
    """A sign for the eye, a word for everybody, and the tone the style sheet colours."""

    sign: str
    word: str
    tone: str


OF_STATUS = {
    Status.PASSED: Mark("✓", "passed", "good"),
    Status.PARTIAL: Mark("◐", "partly right", "partly"),
    Status.FAILED: Mark("✗", "not right yet", "bad"),
    Status.NOT_ATTEMPTED: Mark("○", "not attempted", "quiet"),
    Status.NOT_FOUND: Mark("?", "not found", "bad"),
    Status.TO_BE_MARKED: Mark("✎", "to be marked by a person", "waiting"),
}
OF_OUTCOME = {
    Outcome.MET: Mark("✓", "met", "good"),
    Outcome.NOT_MET: Mark("✗", "not met", "bad"),
    Outcome.SKIPPED: Mark("–", "skipped", "quiet"),
}
OF_STATE = {
    State.GRADED: Mark("✓", "graded", "good"),
    State.LATE: Mark("◷", "graded late", "partly"),
    State.MISSING: Mark("?", "no notebook", "bad"),
    State.WAITING: Mark("…", "not graded yet", "waiting"),
    State.NOTHING: Mark("○", "nothing pushed", "quiet"),
    State.TOO_LATE: Mark("✗", "pushed too late", "bad"),
}
OF_CLOCK = {
    Clock.SERVER: "time recorded by the server",
    Clock.FIRST_SEEN: "time at which the collector first saw it",
    Clock.COMMIT_DATE: "the commit’s own date, unverified",
}


def closed(deadline: datetime | None, now: datetime) -> bool:
    """Whether a deadline is over; its minute counts to its end."""
    return deadline is not None and now > end_of(deadline)


def decided_points(part: PartStanding, now: datetime) -> float | None:
    """Return the points of a part, None while they may not be called points yet.

    Who has pushed nothing, or not this notebook, has no points to show before the deadline and 0 after it.
    """
    if part.state in (State.NOTHING, State.MISSING) and not closed(part.deadline, now):
        return None
    return part.points
