"""From what a test inside the jail said to points, a status and a hint.

It is the student's process that speaks. A number and an error's class give the points; of its
words nothing is repeated to students. A hint is one of our own sentences, or what the released
test itself says where it failed.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from autograder.course.errors import KernelDied, OutOfTime
from autograder.course.exam import Exam, Exercise
from autograder.course.reports import ExerciseResult, Status, make_printable, round_points_below
from autograder.grader.accidents import NO_NAME, TOO_LONG, describe_accident
from autograder.grader.evidence import Evidence
from autograder.grader.hints import DISTURBED, ENDED, NOT_WRITTEN
from autograder.grader.verdict import choose_status, share_of_points, told_to_instructors

NOT_AS_WANTED = "The test found something that is not as the task wants it: try your answer on cases of your own."
NOT_FOUND = (
    "No `{name}` was found in your notebook: was it renamed or deleted, or does its cell fail?"
)


def judge_inside_test(
    exam: Exam, exercise: Exercise, evidence: Evidence, answer: Sequence[str], line: int = 0
) -> ExerciseResult:
    """Return the result of an exercise whose test ran inside the jail.

    Parameters
    ----------
    exam : Exam
        Whose exercise it is.
    evidence : Evidence
        How the test ended.
    answer : sequence of str
        Sources of the student's solution cells, as far as they still carry their ids.
    line : int
        The line of the test at which it ended, as the student's process says.
    """
    share = share_of_points(exercise, evidence)
    # A NameError's words come from the jail: only a name that the exam itself asks for is repeated.
    missing = _missing_name(exam, evidence)
    status = choose_status(share, evidence, answer, missing)
    hint = ""
    if status is Status.NOT_FOUND:
        hint = NOT_FOUND.format(name=missing)
    elif status in {Status.PARTIAL, Status.FAILED}:
        hint = _hint(exam, exercise, evidence, line)
    return ExerciseResult(
        id=exercise.id,
        part=exercise.part,
        points=round_points_below(share * exercise.points, exercise.points),
        max_points=exercise.points,
        status=status,
        hint=make_printable(hint),
        detail=told_to_instructors(evidence),
    )


def _hint(exam: Exam, exercise: Exercise, evidence: Evidence, line: int) -> str:
    error = evidence.error
    if evidence.limit:
        return f"Your code was stopped while it was tested: {evidence.limit.rstrip('.')}."
    if isinstance(error, OutOfTime | TimeoutError):
        return TOO_LONG
    if evidence.lost:
        return ENDED if isinstance(error, KernelDied) else DISTURBED
    if isinstance(error, NotImplementedError):
        return NOT_WRITTEN
    if error is None or isinstance(error, AssertionError):
        return _released_message(exam, exercise, line) or NOT_AS_WANTED
    return NO_NAME if isinstance(error, NameError) else describe_accident(error)


def _released_message(exam: Exam, exercise: Exercise, line: int) -> str:
    """Return the message of the assertion at a line, if students were given that assertion."""
    test = exam.tests[exercise.id]
    lines = test.splitlines()
    if not 0 < line <= len(lines):
        return ""
    given = exam.handout.text(exercise.id).splitlines()
    try:
        tree = ast.parse(test)
    except SyntaxError:  # a magic
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and node.lineno <= line <= (node.end_lineno or node.lineno):
            # Its own text, not what came out of the jail; and no message that is computed.
            whole = set(lines[node.lineno - 1 : node.end_lineno])
            message = node.msg.value if isinstance(node.msg, ast.Constant) else None
            if isinstance(message, str) and whole <= set(given):
                return message
    return ""


def _missing_name(exam: Exam, evidence: Evidence) -> str:
    """Return the name that the test missed, if the exam asks for it; empty otherwise."""
    error = evidence.error
    if not isinstance(error, NameError):
        return ""
    words = str(error).split("'")
    name = words[1] if len(words) > 1 else ""
    return name if name in exam.asked_names else ""
