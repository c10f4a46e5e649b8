"""From what a test saw to points, a status and a hint a student may read."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.errors import KernelDied, KernelError, OutOfTime
from autograder.exam import Exercise
from autograder.marking import Hint, Score
from autograder.mistakes import Variants, recognise
from autograder.proxy import Call
from autograder.records import Criterion, ExerciseResult, Status, rounded
from autograder.testcell import FILENAME

MAX_DETAIL = 4_000
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
STUBS = ("NotImplementedError", "YOUR ANSWER HERE", "Write your answer here")
STILL_RAISES = "`raise NotImplementedError` still stands above your answer: delete that line."


@dataclass(frozen=True)
class Evidence:
    """What trying one test cell gave; `limit` names the limit that ended the student's process, if one did."""

    source: str
    value: object
    error: BaseException | None
    calls: tuple[Call, ...] = ()
    printed: str = ""
    limit: str = ""

    @property
    def lost(self) -> bool:
        """Whether the student's process is gone."""
        return isinstance(self.error, KernelError)

    @property
    def errors(self) -> tuple[BaseException, ...]:
        """Everything that went wrong, in order."""
        if self.error is not None:
            return (self.error,)
        return self.value.errors if isinstance(self.value, Score) else ()


def judge(
    exercise: Exercise,
    evidence: Evidence,
    answer: Sequence[str],
    mistakes: Variants | None,
    reference: Mapping[str, Any],
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
    """
    points, criteria = _points(exercise, evidence)
    missing = _missing_name(evidence)
    if points >= exercise.points:
        status = Status.PASSED
    elif points > 0:
        status = Status.PARTIAL
    elif _unattempted(evidence, answer):
        status = Status.NOT_ATTEMPTED
    else:
        status = Status.NOT_FOUND if missing else Status.FAILED
    hint = ""
    if status in {Status.PARTIAL, Status.FAILED}:
        hint = _hint(evidence, answer, mistakes, reference)
    if status is Status.NOT_FOUND:
        hint = f"No `{missing}` was found in your notebook: was it renamed or deleted, or does its cell fail?"
    return ExerciseResult(
        exercise.id, exercise.part, points, exercise.points, status, hint, criteria, _detail(evidence)
    )


def to_be_marked(exercise: Exercise, answer: str | None) -> ExerciseResult:
    """Return the result of an exercise that a person will mark; an untouched one gets its zero at once."""
    untouched = answer is None or any(stub in answer for stub in STUBS)
    status = Status.NOT_ATTEMPTED if untouched else Status.TO_BE_MARKED
    return ExerciseResult(exercise.id, exercise.part, 0.0, exercise.points, status)


def not_tested(exercise: Exercise, hint: str = "") -> ExerciseResult:
    """Return the result of an exercise whose test could not be run; without a hint there was nothing to test."""
    status = Status.FAILED if hint else Status.NOT_FOUND
    return ExerciseResult(exercise.id, exercise.part, 0.0, exercise.points, status, hint)


def _points(exercise: Exercise, evidence: Evidence) -> tuple[float, tuple[Criterion, ...]]:
    value = evidence.value
    if evidence.error is not None:
        return 0.0, ()
    if isinstance(value, Score):
        return min(rounded(value), exercise.points), value.criteria
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return rounded(min(max(float(value), 0.0), exercise.points)), ()
    return exercise.points, ()


def _unattempted(evidence: Evidence, answer: Sequence[str]) -> bool:
    """Whether nothing was written: every failure is a stub's, or the cell that should define the name is a stub."""
    errors = evidence.errors
    if answer and not any("NotImplementedError" in source for source in answer):
        return False
    if any(_answer_below_stub(source) for source in answer):
        return False
    stubs = [isinstance(error, NotImplementedError) for error in errors]
    return bool(errors) and (all(stubs) or (bool(answer) and isinstance(errors[0], NameError)))


def _hint(evidence: Evidence, answer: Sequence[str], mistakes: Variants | None, reference: Mapping[str, Any]) -> str:
    if evidence.lost:
        return _loss(evidence)
    errors = evidence.errors
    if any(isinstance(error, NotImplementedError) for error in errors):
        if any(_answer_below_stub(source) for source in answer):
            return STILL_RAISES
        return "It calls a function that is not written yet."
    for error in errors:
        if isinstance(error, Hint):
            return str(error)
    known = recognise(evidence.calls, mistakes, reference) if mistakes is not None else None
    if known is not None:
        return known.hint
    for error in errors:
        hint = getattr(error, "hint", "")
        if isinstance(hint, str) and hint:
            return hint
    return _visible_message(evidence) or _general(errors)


def _loss(evidence: Evidence) -> str:
    if evidence.limit:
        return f"Your code was stopped while it was tested: {evidence.limit}."
    if isinstance(evidence.error, OutOfTime):
        return "Your code took too long in this test: does a loop never end?"
    if isinstance(evidence.error, KernelDied):
        return "Your code ended the Python process during this test."
    return "Your code disturbed the exchange with the test."


def _general(errors: Sequence[BaseException]) -> str:
    if errors and hasattr(errors[0], "student_traceback"):
        return "Your code stopped with an error in this test: try it with other shapes and sizes."
    return "The result is not what it should be: compare it by hand on a small case with other shapes and sizes."


def _visible_message(evidence: Evidence) -> str:
    """Return the message of an assertion the student can read in the released notebook."""
    error = evidence.error
    if not isinstance(error, AssertionError) or not str(error):
        return ""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == FILENAME]
    if not lines or lines[0] is None:
        return ""
    above = evidence.source.splitlines()[: lines[0]]
    hidden = sum(BEGIN_HIDDEN in line for line in above) > sum(END_HIDDEN in line for line in above)
    return "" if hidden else str(error)


def _missing_name(evidence: Evidence) -> str:
    for error in evidence.errors:
        if isinstance(error, NameError) and not hasattr(error, "student_traceback"):
            return error.name or ""
    return ""


def _answer_below_stub(source: str) -> bool:
    """Whether something was written below a `raise NotImplementedError` that was left standing."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return False
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.Module)):
            raises = [isinstance(line, ast.Raise) and "NotImplementedError" in ast.unparse(line) for line in node.body]
            if True in raises and raises.index(True) < len(raises) - 1 and isinstance(node, ast.FunctionDef):
                return True
    return False


def _detail(evidence: Evidence) -> str:
    """What an instructor wants to know: errors with tracebacks, and what was printed."""
    pieces = []
    for error in evidence.errors:
        pieces.append("".join(traceback.format_exception_only(error)).strip())
        pieces.append(str(getattr(error, "student_traceback", "")))
    pieces.append(evidence.printed)
    return "\n".join(piece for piece in pieces if piece)[:MAX_DETAIL]
