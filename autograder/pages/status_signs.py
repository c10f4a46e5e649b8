"""The words and signs for how things ended: a sign, a word and a tone, so that colour is never the
only one to tell.
"""

from __future__ import annotations

from dataclasses import dataclass

from autograder.course.reports import CriterionOutcome, Status
from autograder.course.submissions import Clock
from autograder.record.standings import PartState


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
    CriterionOutcome.MET: Mark("✓", "met", "good"),
    CriterionOutcome.NOT_MET: Mark("✗", "not met", "bad"),
    CriterionOutcome.SKIPPED: Mark("–", "skipped", "quiet"),
}
OF_STATE = {
    PartState.GRADED: Mark("✓", "graded", "good"),
    PartState.LATE: Mark("◷", "graded late", "partly"),
    PartState.MISSING: Mark("?", "no notebook", "bad"),
    PartState.WAITING: Mark("…", "not graded yet", "waiting"),
    PartState.NOTHING: Mark("○", "nothing pushed", "quiet"),
    PartState.UNRELEASED: Mark("○", "not released yet", "quiet"),
    PartState.TOO_LATE: Mark("✗", "pushed too late", "bad"),
    PartState.NOT_BEGUN: Mark("○", "not begun", "quiet"),
}
ALL_POINTS = Mark("✓", "all points", "good")
SOME_POINTS = Mark("◐", "graded", "partly")
NO_POINTS = Mark("○", "graded", "bad")
BEFORE_WORK = Mark("○", "not begun", "quiet")  # there is time: nothing to be alarmed at
ELSEWHERE = Mark("!", "not at its place", "partly")
OF_CLOCK = {
    Clock.SERVER: "time recorded by the server",
    Clock.FIRST_SEEN: "time at which the collector first saw it",
    Clock.COMMIT_DATE: "the commit’s own date, unverified",
    Clock.PLATFORM: "time recorded by the platform it was handed in on",
}
