"""Exercises that failed on a value no test can look at from outside: a person looks at them.

Nothing is said by that about the answer: it may be right, in a type that has no form outside of
the jail. What the test says inside is told to the instructor, and gives no points: any object of
the student's own would call for it, and then every exercise would be only as safe as those that
are tested inside.
"""

from __future__ import annotations

from dataclasses import replace

from autograder.course.exam import Exam
from autograder.course.reports import ExerciseResult, Status
from autograder.grader.evidence import Evidence
from autograder.kernel.proxies import Handle
from autograder.kernel.wire import CannotCross

LOOK = "Your answer holds a value of a type that the test cannot look at from outside; a person will look at it."
SEEN = "Inside the jail, where the student's word is taken for it, the test gives {points:g} of {most:g}."


def is_opaque(value: object) -> bool:
    """Whether a value stands for an object that is neither a value nor something to call."""
    if isinstance(value, dict):
        return any(map(is_opaque, value.values()))
    if isinstance(value, list | tuple):
        return any(map(is_opaque, value))
    # Not its subclasses: a function of the student's is there to be called, not to be looked at.
    return type(value) is Handle


def met_opaque_value(evidence: Evidence) -> bool:
    """Whether a test came across a value that it could not look at."""
    # By what arrived, not by the error: isinstance being False gives a plain AssertionError.
    refused = any(isinstance(error, CannotCross) for error in evidence.errors)
    return refused or evidence.opaque or any(is_opaque(call.result) for call in evidence.calls)


def for_a_person(exam: Exam, result: ExerciseResult, evidence: Evidence) -> ExerciseResult:
    """Return a result that waits for a person where its test failed on such a value.

    A strict exam asks for values that can be looked at, and says so in a hint.
    """
    if exam.strict or result.status is not Status.FAILED or not met_opaque_value(evidence):
        return result
    return replace(result, status=Status.TO_BE_MARKED, hint=LOOK)


def with_inside_verdict(result: ExerciseResult, inside: ExerciseResult) -> ExerciseResult:
    """Return a result that waits for a person, with what the test says inside."""
    seen = SEEN.format(points=inside.points, most=inside.max_points)
    return replace(result, detail=f"{result.detail}\n{seen}".strip())
