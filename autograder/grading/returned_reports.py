"""Reports that come back from where students' code ran: untrusted data, held against the exam they
claim to be of.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograder.course.errors import AutograderError
from autograder.course.exam import Exam, Exercise
from autograder.course.layout import notebook_places
from autograder.course.leaderboard import MOST_LETTERS_KEPT
from autograder.course.plain_files import open_plain_file
from autograder.course.reports import (
    BoardEntry,
    Criterion,
    ExerciseResult,
    Report,
    Status,
    make_printable,
    round_points,
    round_points_below,
)

# Far more than grading writes: they are for whoever writes in its place.
MAX_BYTES = 4 << 20
MAX_SECONDS = 86_400.0
MAX_CRITERIA = 200
MAX_PROBLEMS = 200
MAX_SENTENCE = 4_000
MAX_DETAIL = 100_000
STATES = ("graded", "unreadable")
RUNGS = (None, 1, 2, 3)


class ReportRefused(AutograderError):
    """A report says what cannot be; nothing of it is recorded."""


def read_returned_report(path: Path, exam: Exam) -> Report:
    """Read a report of an exam from a file, which is not followed where it is a link; see
    `check_report`.
    """
    try:
        said = json.loads(_read(path), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ReportRefused(f"not a report ({type(error).__name__})") from None
    return check_report(said, exam)


def check_report(said: Any, exam: Exam) -> Report:
    """Return what is said to be a report of an exam, held against it.

    Parameters
    ----------
    said : object
        What JSON says, whoever wrote it.
    exam : Exam
        What was asked for: exercises and points come from here.

    Returns
    -------
    Report
        With texts cut to what can be shown and written.

    Raises
    ------
    Unbelievable
        If it is anything but a report that grading this exam can give.
    """
    try:
        report = Report.from_json(said)
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise ReportRefused(f"not a report ({type(error).__name__})") from None
    _require(report.assignment == exam.assignment, "it is of another assignment")
    _require(report.exam == exam.version, "it is of another exam, or of an older version of it")
    _require(
        report.notebook in notebook_places(exam.assignment),
        "it is of a notebook where none belongs",
    )
    _require(report.status in STATES, "its status is none a graded notebook can have")
    _require(
        report.status == "graded" or report.points == 0, "points for a notebook nobody could read"
    )
    _require(report.rung in RUNGS, "there is no such rung of the jail")
    _require(0 <= report.seconds <= MAX_SECONDS, "its time cannot be")
    _require(len(report.problems) <= MAX_PROBLEMS, "it has too many problems")
    # In their order, and each once.
    found = [result.id for result in report.exercises]
    _require(found == list(exam.points_of), "it has other exercises")
    is_for_board = report.entry is not None
    _require(not is_for_board or exam.leaderboard is not None, "there is no such leaderboard")
    exercises = map(_check_result, report.exercises, exam.exercises)
    return replace(
        report,
        entry=_check_entry(report.entry) if report.entry else None,
        exercises=tuple(exercises),
        problems=tuple(_text(sentence, MAX_SENTENCE) for sentence in report.problems),
        seconds=round_points(report.seconds),
    )


def _read(path: Path) -> bytes:
    try:
        file = open_plain_file(path)
    except OSError:
        raise ReportRefused("not a file") from None
    with file:
        content = file.read(MAX_BYTES + 1)
    _require(len(content) <= MAX_BYTES, f"more than {MAX_BYTES >> 20} MB")
    return content


def _check_result(result: ExerciseResult, exercise: Exercise) -> ExerciseResult:
    name = exercise.id
    _require(result.part == exercise.part, f"{name} is of another part")
    _require(math.isclose(result.max_points, exercise.points), f"{name} gives other points")
    _require(0 <= result.points <= exercise.points, f"{name} has points that cannot be")
    _require(
        result.status is not Status.TO_BE_MARKED or result.points == 0,
        f"{name} has points before it is marked",
    )
    _require(not exercise.manual or result.points == 0, f"{name} is marked by a person")
    _require(
        (result.status is Status.PASSED) <= (result.points == exercise.points),
        f"{name} passed without its points",
    )
    _require(len(result.criteria) <= MAX_CRITERIA, f"{name} has too many criteria")
    return replace(
        result,
        points=round_points_below(result.points, exercise.points),
        max_points=exercise.points,
        hint=_text(result.hint, MAX_SENTENCE),
        criteria=tuple(_check_criterion(criterion, name) for criterion in result.criteria),
        detail=_text(result.detail, MAX_DETAIL),
    )


def _check_entry(entry: BoardEntry) -> BoardEntry:
    code_name = _text(entry.code_name, MOST_LETTERS_KEPT)
    return replace(entry, code_name=code_name, remark=_text(entry.remark, MAX_SENTENCE))


def _check_criterion(criterion: Criterion, exercise: str) -> Criterion:
    _require(
        0 <= criterion.points <= criterion.max_points < math.inf,
        f"{exercise} has a criterion that cannot be",
    )
    return replace(criterion, sentence=_text(criterion.sentence, MAX_SENTENCE))


def _text(text: str, most: int) -> str:
    """Return a text that can be written and shown: cut, without lone surrogates and control
    characters.
    """
    return make_printable(text[:most])


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ReportRefused(otherwise)


def _refuse_constant(constant: str) -> Any:
    raise ValueError(constant)
