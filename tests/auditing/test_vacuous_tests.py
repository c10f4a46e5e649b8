"""Which criteria can end without a comparison, read off their source."""

from __future__ import annotations

from typing import Any

import pytest
from criteria import EVIDENCE, NOTHING, cell
from small_course import SmallCourse, solution, test

from autograder.auditing.vacuous_tests import find_vacuous_criteria
from autograder.course.exam import read_exam

# These compare where they are run, and yet there is a way through them on which they would not.
EARLY = {"after an early return that was not taken"}
SURE = {
    "a loop over a strict zip": """
        for got, wanted in zip(answer(), (1, 2), strict=True):
            assert got == wanted
    """,
    "a zip whose length was compared": """
        expect_shape(answer(), (2,), "it")
        for got, wanted in zip(answer(), (1, 2)):
            if got != wanted:
                raise Hint("no")
    """,
    "all branches compare": """
        if answer() == 1:
            assert answer() == 1
        else:
            expect(answer() == 2, "two")
    """,
    "a loop that leaves out some": """
        for size in (1, 2):
            if size == 1:
                continue
            assert answer() == size
    """,
    "a helper of its own": """
        def inner():
            assert answer() == 1
        inner()
    """,
}
UNSURE = {
    "a loop over a zip": """
        for got, wanted in zip(answer(), (1, 2)):
            assert got == wanted
    """,
    "only if": """
        start, again = answer(), answer()
        if start == again:
            assert start == 1
    """,
    "a return after a comparison of something else": """
        expect_shape(answer(), (), "it")
        if answer() != answer():
            return
        assert answer() == 1
    """,
    "a loop that may not run": """
        while answer() == 2:
            assert answer() == 2
    """,
    "an error that ends it": """
        try:
            assert answer() == 1
        except TypeError:
            pass
    """,
}


def lines_of(course: SmallCourse, body: str) -> list[int]:
    course.write(solution("def answer():\n    return 1"), test(cell(body), "answer", 1))
    return [
        line for entry in find_vacuous_criteria(read_exam(course.source)) for line in entry.lines
    ]


@pytest.mark.parametrize("body", [*NOTHING.values(), *UNSURE.values()], ids=[*NOTHING, *UNSURE])
def test_a_way_to_the_end_without_a_comparison_is_found(
    small_course: SmallCourse, body: Any
) -> None:
    assert lines_of(small_course, body)


@pytest.mark.parametrize("body", [*EVIDENCE.values(), *SURE.values()], ids=[*EVIDENCE, *SURE])
def test_criteria_that_always_compare_are_left_alone(
    small_course: SmallCourse, body: Any, request: pytest.FixtureRequest
) -> None:
    found = lines_of(small_course, body)
    assert bool(found) is any(name in request.node.callspec.id for name in EARLY)


def test_the_finding_names_the_criterion_and_the_line(small_course: SmallCourse) -> None:
    body = "if answer() == 1:\n    return\nassert answer() == 2"
    small_course.write(solution("def answer():\n    return 1"), test(cell(body), "answer", 1))
    (found,) = find_vacuous_criteria(read_exam(small_course.source))
    assert (found.assignment, found.exercise, found.sentence) == ("hw", "answer", "the sentence")
    assert [cell(body).splitlines()[line - 1].strip() for line in found.lines] == ["return"]
