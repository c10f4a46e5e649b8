"""Cells put right as the exam knows them, without running anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_course import SmallCourse, code, dump, solution, test, text

from autograder.course.exam import Exam, read_exam
from autograder.course.notebook_files import read_notebook
from autograder.grader.cell_restoring import RestoredCell, restore_cells
from autograder.grader.essays import find_essays
from autograder.grader.trial_steps import plan_steps

DOUBLE = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION\n"
ANSWER = "def double(x):\n    return 2 * x"
STUB = "def double(x):\n    raise NotImplementedError"
SCHEME = "### BEGIN MARK SCHEME\nOne point for the word gradient.\n### END MARK SCHEME\n"
WHY, HOW = "Why does it shrink?", "How would you see that?"


@pytest.fixture
def exam(small_course: SmallCourse) -> Exam:
    small_course.write(
        text("# Homework"), code("import math"),
        solution(DOUBLE), test("### BEGIN HIDDEN TESTS\nassert double(21) == 42\n### END HIDDEN TESTS"),
        text(WHY), essay(SCHEME, "why"), text(HOW), essay("### BEGIN SOLUTION\nBy its norm.\n### END SOLUTION", "how"),
        code("def shown(x):\n    return x", grade_id="given", locked=True),
    )  # fmt: skip
    return read_exam(small_course.source)


def essay(source: str, grade_id: str, points: float = 4) -> dict[str, Any]:
    return text(source, grade_id=grade_id, grade=True, solution=True, points=points)


def handed_in(
    why: str = "YOUR ANSWER HERE",
    how: str = "YOUR ANSWER HERE",
    answer: str = ANSWER,
    kind: str = "code",
) -> list[dict[str, Any]]:
    return [
        text("# Homework"), code("import math"), solution(answer) | {"cell_type": kind}, test(""),
        text(WHY), essay(why, "why"), text(HOW), essay(how, "how"),
        code("def shown(x):\n    return x", grade_id="given", locked=True),
    ]  # fmt: skip


def restored(exam: Exam, cells: list[dict[str, Any]]) -> tuple[RestoredCell, ...]:
    return restore_cells(exam, read_notebook(dump(cells)))


def without_metadata(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [cell | {"metadata": {}} for cell in cells]


def sources_run(exam: Exam, cells: list[dict[str, Any]]) -> list[str]:
    return [
        step.source for step in plan_steps(exam, restored(exam, cells)) if step.exercise is None
    ]


@pytest.mark.parametrize("kind", ["raw", "markdown"])
@pytest.mark.parametrize(
    "change", [lambda cells: cells, without_metadata], ids=["with its id", "without it"]
)
def test_an_answer_of_another_type_is_code_again(
    exam: Exam, kind: str, change: Callable[..., Any]
) -> None:
    cells = change(handed_in(kind=kind))
    assert ANSWER in sources_run(exam, cells)
    assert restored(exam, cells)[2].cell.grade_id == "double_solution"


def test_text_that_looks_like_code_stays_text_where_the_answer_is_there(exam: Exam) -> None:
    cells = [*handed_in(), text("def double(x):\n    return 3 * x")]
    assert "def double(x):\n    return 3 * x" not in sources_run(exam, cells)


@pytest.mark.parametrize(
    "stub",
    [
        solution(STUB),
        code(STUB),
        code('def double(x):\n    """Twice x."""\n    raise NotImplementedError()'),
    ],
    ids=["with the id", "without it", "with a docstring"],
)
def test_a_stub_below_an_answer_is_left_out_and_told(exam: Exam, stub: Any) -> None:
    cells = handed_in()
    cells.insert(3, stub)
    assert stub["source"] not in sources_run(exam, cells)
    (remark,) = [entry.remark for entry in restored(exam, cells) if entry.remark]
    assert (
        remark
        == "Cell 4 holds `double` as given out, below your answer in cell 3; it was left out."
    )


def test_a_stub_above_an_answer_runs(exam: Exam) -> None:
    cells = handed_in()
    cells.insert(2, solution(STUB))
    assert sources_run(exam, cells)[1:3] == [STUB, ANSWER]


def test_a_copy_of_a_locked_cell_is_the_students_to_try_things_in(exam: Exam) -> None:
    scratch = code("print(shown(3))", grade_id="given", locked=True)
    assert "print(shown(3))" in sources_run(exam, [*handed_in(), scratch])


def test_an_answer_within_a_test_cell_is_run_before_the_test(exam: Exam) -> None:
    cells = handed_in(answer="# see below")
    assert ANSWER not in sources_run(exam, cells)
    cells[3]["source"] = ANSWER
    assert ANSWER in sources_run(exam, cells)


WRITTEN = {
    "in its place": handed_in(why="The gradient vanishes."),
    "below the placeholder": handed_in(why="YOUR ANSWER HERE\n\nThe gradient vanishes."),
    "about an error": handed_in(why="Because it raises NotImplementedError."),
    "the placeholder taken out": handed_in(why=""),
    "with a picture only": [
        cell | ({"attachments": {"g.png": {"image/png": "aa"}}} if cell["id"] == "why" else {})
        for cell in handed_in()
    ],
    "in a cell below": [*handed_in()[:6], text("The gradient vanishes."), *handed_in()[6:]],
    "in a cell above": [*handed_in()[:5], text("The gradient vanishes."), *handed_in()[5:]],
    "in a raw cell below": [
        *handed_in()[:6],
        text("It vanishes.") | {"cell_type": "raw"},
        *handed_in()[6:],
    ],
    "below the question": [*handed_in()[:4], text(f"{WHY}\n\nIt vanishes."), *handed_in()[5:]],
    "twice, written first": [*handed_in()[:5], essay("It vanishes.", "why"), *handed_in()[5:]],
    "twice, written last": [*handed_in()[:6], essay("It vanishes.", "why"), *handed_in()[6:]],
    "in a cell of code": [
        cell | ({"cell_type": "code", "source": "It vanishes."} if cell["id"] == "why" else {})
        for cell in handed_in()
    ],
    "without metadata": without_metadata(handed_in(why="It vanishes.")),
    "moved to the end, without metadata": [
        *[cell for cell in handed_in() if cell["id"] != "why"],
        text("It vanishes."),
    ],
}


@pytest.mark.parametrize("cells", WRITTEN.values(), ids=WRITTEN)
def test_an_essay_that_is_not_what_was_given_out_reaches_a_person(exam: Exam, cells: Any) -> None:
    essays = find_essays(exam, restored(exam, cells))
    assert essays["why"].written
    assert not essays["how"].written


UNTOUCHED = {
    "as given out": handed_in(),
    "without metadata": without_metadata(handed_in()),
    "deleted": [cell for cell in handed_in() if cell["id"] not in {"why", "how"}],
    "nothing handed in": [],
    "notes elsewhere": [text("My name"), *handed_in()],
    "the solution alone": [solution(ANSWER)],
}


@pytest.mark.parametrize("cells", UNTOUCHED.values(), ids=UNTOUCHED)
def test_an_essay_as_it_was_given_out_gets_its_nothing_at_once(exam: Exam, cells: Any) -> None:
    essays = find_essays(exam, restored(exam, cells))
    assert [essays[name].written for name in ("why", "how")] == [False, False]


def test_two_essays_without_metadata_are_told_apart_by_their_places(exam: Exam) -> None:
    cells = without_metadata(handed_in(why="It vanishes.", how="By its norm."))
    essays = find_essays(exam, restored(exam, cells))
    assert [cells[essays[name].cell - 1]["source"] for name in ("why", "how")] == [
        "It vanishes.",
        "By its norm.",
    ]
    half = without_metadata(handed_in(how="By its norm."))
    assert [entry.written for entry in find_essays(exam, restored(exam, half)).values()] == [
        False,
        True,
    ]


def test_what_was_given_out_is_read_from_the_release(
    small_course: SmallCourse, exam: Exam, tmp_path: Path
) -> None:
    release = tmp_path / "hw.ipynb"
    release.write_text(json.dumps({"cells": handed_in(why="*Write here!*", how="*Write here!*")}))
    exam = read_exam(small_course.source, release=release)
    found = find_essays(exam, restored(exam, handed_in(why="*Write here!*", how="*Write here?*")))
    assert [found["why"].written, found["how"].written] == [False, True]
    assert read_exam(small_course.source, release=tmp_path / "none.ipynb").handout.is_unchanged(
        "why", "YOUR ANSWER HERE"
    )


def test_a_stub_of_other_words_below_an_answer_is_left_out(
    small_course: SmallCourse, exam: Exam, tmp_path: Path
) -> None:
    stub = "def double(x):\n    # YOUR TURN\n    pass"
    release = tmp_path / "hw.ipynb"
    release.write_text(json.dumps({"cells": handed_in(answer=stub)}))
    exam = read_exam(small_course.source, release=release)
    cells = handed_in()
    cells.insert(3, solution(stub))
    assert stub not in sources_run(exam, cells)
    assert stub in sources_run(exam, handed_in(answer=stub))


def test_a_stub_that_asks_for_the_same_name_once_more_is_an_exercise_of_its_own(
    small_course: SmallCourse,
) -> None:
    again = test("assert double(2) == 4", "again")
    small_course.write(solution(DOUBLE), test(""), solution(DOUBLE, "again_solution"), again)
    cells = [solution(ANSWER), test(""), solution(STUB, "again_solution"), again]
    assert STUB in sources_run(read_exam(small_course.source), cells)
