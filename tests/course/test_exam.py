import json
from pathlib import Path
from typing import Any

import pytest
from small_course import DOUBLE, TEST_DOUBLE, SmallCourse, code, solution, test, text

from autograder.course.cell_statements import asks_for_all_names
from autograder.course.errors import ExamError
from autograder.course.exam import read_exam
from autograder.reference import run_reference


def test_an_exercise_is_a_graded_cell_and_the_solutions_above_it(small_course: SmallCourse) -> None:
    small_course.write(
        solution("a = 1", "one"), solution("b = 2", "two"), test("assert a", "both"), solution("c = 3", "three"),
        test("assert c", "last", points=5),
    )  # fmt: skip
    exam = read_exam(small_course.source)
    assert [(e.id, e.points, e.solutions) for e in exam.exercises] == [
        ("both", 2.0, ("one", "two")),
        ("last", 5.0, ("three",)),
    ]
    assert exam.points == 7.0


def test_tests_one_after_the_other_grade_the_same_solutions(small_course: SmallCourse) -> None:
    small_course.write(
        solution("a = 1", "one"), test("assert a", "first"), text("*Why?*", grade_id="why", grade=True, solution=True),
        test("assert a > 0", "second"), solution("b = 2", "two"), test("assert b", "third"),
    )  # fmt: skip
    found = {
        exercise.id: exercise.solutions for exercise in read_exam(small_course.source).exercises
    }
    assert found == {"first": ("one",), "why": ("why",), "second": ("one",), "third": ("two",)}


def test_an_essay_is_marked_by_a_person(small_course: SmallCourse) -> None:
    small_course.write(text("*Why?*", grade_id="why", grade=True, solution=True, points=3))
    (exercise,) = read_exam(small_course.source).exercises
    assert exercise.manual
    assert exercise.solutions == ("why",)


def test_parts_take_exercises_by_pattern(small_course: SmallCourse) -> None:
    small_course.write(test("", "linear_forward"), test("", "linear_backward"), test("", "softmax"))
    parts = {"forward": ("*_forward", "softmax"), "backward": ("*_backward",)}
    assert [e.part for e in read_exam(small_course.source, parts).exercises] == [
        "forward",
        "backward",
        "forward",
    ]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"one": ("x",)}, "'double' belongs to none"),
        ({"a": ("*",), "b": ("d*",)}, "'double' belongs to a and b"),
    ],
)
def test_every_exercise_belongs_to_exactly_one_part(
    small_course: SmallCourse, parts: dict[str, tuple[str]], words: str
) -> None:
    with pytest.raises(ExamError, match=words):
        read_exam(small_course.source, parts)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("not json", "not a notebook"),
        ('{"nbformat": 3}', "format 4"),
        (json.dumps({"nbformat": 4, "cells": []}), "no cell gives points"),
        (
            json.dumps({"nbformat": 4, "cells": [test("", "a"), test("", "a")]}),
            "two cells have the nbgrader id 'a'",
        ),
    ],
)
def test_a_file_that_cannot_serve_says_why(
    small_course: SmallCourse, content: Any, words: str
) -> None:
    small_course.source.write_text(content)
    with pytest.raises(ExamError, match=words):
        read_exam(small_course.source)


def test_a_missing_source_names_its_place(tmp_path: Path) -> None:
    with pytest.raises(ExamError, match="solutions/NAME/NAME"):
        read_exam(tmp_path / "hw.ipynb")


def variants() -> Any:
    return {
        "test": [solution(DOUBLE), test(TEST_DOUBLE + "assert double(3) == 6")],
        "points": [solution(DOUBLE), test(TEST_DOUBLE, points=3)],
        "solution": [solution(DOUBLE.replace("2 * x", "x + x")), test(TEST_DOUBLE)],
    }


@pytest.mark.parametrize("name", variants())
def test_what_points_depend_on_makes_another_version(small_course: SmallCourse, name: Any) -> None:
    small_course.write(solution(DOUBLE), test(TEST_DOUBLE))
    before = read_exam(small_course.source).version
    small_course.write(*variants()[name])
    assert read_exam(small_course.source).version != before


def test_prose_makes_no_other_version(small_course: SmallCourse) -> None:
    small_course.write(text("one"), solution(DOUBLE), test(TEST_DOUBLE))
    before = read_exam(small_course.source).version
    small_course.write(text("two"), solution(DOUBLE), test(TEST_DOUBLE))
    assert read_exam(small_course.source).version == before


def test_data_files_ship_but_instructors_files_do_not(small_course: SmallCourse) -> None:
    (small_course.source.parent / "data.csv").write_text("1,2")
    for name in ("alternatives.py", "shortcuts.py"):
        (small_course.source.parent / name).write_text("")
    assert dict(read_exam(small_course.source).files) == {"data.csv": b"1,2"}


def test_the_reference_is_the_namespace_of_the_sources_own_cells(small_course: SmallCourse) -> None:
    small_course.write(
        code("import math\nfactor = 2"), solution("def f(x):\n    return factor * x"), test("assert 1 / 0"),
        code("raise RuntimeError") | {"metadata": {"tags": ["try-it"]}},
    )  # fmt: skip
    reference = run_reference(read_exam(small_course.source))
    assert reference["f"](21) == 42


def test_a_source_that_fails_names_cell_and_line(small_course: SmallCourse) -> None:
    small_course.write(solution("x = 1\ny = 1 / 0", "broken"), test("", "t"))
    with pytest.raises(ExamError, match=r"line 2 of hw: broken: ZeroDivisionError"):
        run_reference(read_exam(small_course.source))


def test_imports_are_for_everybody_unless_an_answer_binds_their_name(
    small_course: SmallCourse,
) -> None:
    small_course.write(
        code("%matplotlib inline\nimport os.path\nfrom math import isclose as near, sqrt, pi\nx = pi"),
        code("from fractions import *\nfrom string import *"), solution("def sqrt(x):\n    return x\nlcm = 1"),
        code("from math import lcm"), test("import random\ndef helper():\n    inner = 1\nfound, (a, b) = 1, (2, 3)"),
    )  # fmt: skip
    exam = read_exam(small_course.source)
    assert {"os", "near", "pi", "Fraction", "ascii_letters"} <= exam.imported
    assert not {"sqrt", "lcm", "x", "isclose", "random"} & exam.imported
    assert exam.bound_by_tests == {"random", "helper", "found", "a", "b"}


@pytest.mark.parametrize(
    ("source", "asks"),
    [
        ("assert 'x' not in dir()", True),
        ("for name, value in locals().items():\n    print(name)", True),
        ("assert not [name for name in globals() if name.startswith('tmp')]", True),
        ("assert 'x' in globals() and globals()['x'] == globals().get('x')", False),
        ("assert 'size' in dir(box) and vars(box) == {}", False),
    ],
)
def test_a_test_that_asks_for_all_names_is_known(source: str, asks: bool) -> None:
    assert asks_for_all_names(source) is asks
