"""From what a test saw to points, a status and a hint a student may read."""

from __future__ import annotations

import traceback
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from autograder.course.exam import Exam, Exercise
from autograder.course.reports import (
    CriterionOutcome,
    ExerciseResult,
    Status,
    make_printable,
    round_points_below,
)
from autograder.grader.evidence import Evidence, answer_below_stub
from autograder.grader.hints import choose_hint
from autograder.marking import Score
from autograder.mistakes import Variants

MAX_DETAIL = 4_000
ALMOST = 1e-9  # sums of fractions miss what they come to by less


def judge_exercise(
    exercise: Exercise,
    evidence: Evidence,
    answer: Sequence[str],
    mistakes: Variants | None,
    reference: Mapping[str, Any],
    functions: Sequence[str] = (),
    wrong: Collection[str] = (),
    *,
    explain: bool = True,
) -> ExerciseResult:
    """Return the result of one exercise.

    Parameters
    ----------
    exercise : Exercise
        What was tested.
    evidence : Evidence
        What the test saw.
    answer : sequence of str
        Sources of the student's solution cells, as far as they still carry their ids.
    mistakes, reference
        The assignment's known mistakes and its reference namespace.
    functions : sequence of str
        Names of the functions that the exercise asks for.
    wrong : collection of str
        Functions of other exercises that did not pass their own test.
    explain : bool
        Whether to look for the hint, which takes longer than all the rest.
    """
    share = share_of_points(exercise, evidence)
    points = round_points_below(share * exercise.points, exercise.points)
    criteria = (
        evidence.value.criteria
        if isinstance(evidence.value, Score) and evidence.error is None
        else ()
    )
    missing = missing_name(evidence)
    status = choose_status(share, evidence, answer, missing)
    hint = ""
    if explain and status in {Status.PARTIAL, Status.FAILED}:
        hint = choose_hint(evidence, answer, functions, mistakes, reference, wrong)
    if status is Status.NOT_FOUND:
        hint = f"No `{missing}` was found in your notebook: was it renamed or deleted, or does its cell fail?"
    return ExerciseResult(
        id=exercise.id,
        part=exercise.part,
        points=points,
        max_points=exercise.points,
        status=status,
        hint=make_printable(hint),
        criteria=criteria,
        detail=told_to_instructors(evidence),
    )


def result_to_be_marked(exercise: Exercise, *, written: bool) -> ExerciseResult:
    """Return the result of an exercise that a person will mark; an untouched one gets its zero at
    once.
    """
    status = Status.TO_BE_MARKED if written else Status.NOT_ATTEMPTED
    return ExerciseResult(exercise.id, exercise.part, 0.0, exercise.points, status)


def not_attempted_if_untouched(
    exam: Exam, exercise: Exercise, result: ExerciseResult, sources: Mapping[str, str]
) -> ExerciseResult:
    """Return a result without points as not attempted where the answer's cells hold what was given
    out.

    A stub that raises NotImplementedError tells it by itself, and better: it may stand in one of
    several functions.
    """
    if result.points or result.status not in {Status.FAILED, Status.NOT_FOUND}:
        return result
    found = False
    for cell in exercise.solutions:
        if "NotImplementedError" in exam.handout.text(cell):
            return result
        if cell in sources:
            found = True
            if not exam.handout.is_unchanged(cell, sources[cell]):
                return result
    # Where its cells are gone, the answer may stand elsewhere.
    return replace(result, status=Status.NOT_ATTEMPTED, hint="") if found else result


def untested_result(exercise: Exercise, hint: str = "") -> ExerciseResult:
    """Return the result of an exercise whose test could not be run; without a hint there was
    nothing to test.
    """
    status = Status.FAILED if hint else Status.NOT_FOUND
    return ExerciseResult(exercise.id, exercise.part, 0.0, exercise.points, status, hint)


def choose_status(share: float, evidence: Evidence, answer: Sequence[str], missing: str) -> Status:
    """Return the status of an exercise that got a share of its points; `missing` is the name that
    was not found, if one was not.
    """
    if share == 1.0:
        return Status.PASSED
    if share > 0.0:
        return Status.PARTIAL
    if is_unattempted(evidence, answer):
        return Status.NOT_ATTEMPTED
    return Status.NOT_FOUND if missing else Status.FAILED


def share_of_points(exercise: Exercise, evidence: Evidence) -> float:
    """Return which part of an exercise's points its test gives, from 0 to 1; without rounding, 1 is
    all of them.

    An exercise of 0 points has a share, too: of its criteria those that were met, else whatever
    number the test gave.
    """
    value = evidence.value
    if evidence.error is not None:
        return 0.0
    if isinstance(value, Score) and not exercise.points:
        met = 0
        for criterion in value.criteria:
            met += criterion.outcome is CriterionOutcome.MET
        return met / len(value.criteria) if value.criteria else 1.0
    # True is a number to Python and none to nbgrader: `q == 3` as the last line says nothing.
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = max(0.0, float(value))  # in this order nan, a mean of nothing, is 0
        if number >= exercise.points - ALMOST:
            return 1.0 if number or exercise.points else 0.0
        return number / exercise.points
    return 1.0


def is_unattempted(evidence: Evidence, answer: Sequence[str]) -> bool:
    """Whether nothing was written: every failure is a stub's, or the cell that should define the
    name is a stub.
    """
    errors = evidence.errors
    if answer and "NotImplementedError" not in "\n".join(answer):
        return False
    if not errors or answer_below_stub(answer):
        return False
    if answer and isinstance(errors[0], NameError):
        return True
    return all(isinstance(error, NotImplementedError) for error in errors)


def missing_name(evidence: Evidence) -> str:
    """Return the name of the student's that a test asked for in vain, empty if there was none."""
    for error in evidence.errors:
        # With a traceback of the student's it was their function that missed a name of its own.
        if isinstance(error, NameError) and not hasattr(error, "student_traceback"):
            return error.name or ""
    return ""


def told_to_instructors(evidence: Evidence) -> str:
    """What an instructor wants to know: errors with tracebacks, and what was printed."""
    pieces = []
    for error in evidence.errors:
        pieces.append("".join(traceback.format_exception_only(error)).strip())
        pieces.append(str(getattr(error, "student_traceback", "")))
    pieces.append(evidence.printed)
    # Errors first: it is the end that is cut off, and a student may print without end.
    return make_printable("\n".join(filter(None, pieces))[:MAX_DETAIL])
