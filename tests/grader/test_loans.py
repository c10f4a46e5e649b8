"""A mistake costs its points once: what builds on a wrong function is tested with the reference's, and only then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from small_course import SmallCourse, code, dump, solution, test

from autograder.course.configuration_file import load_course
from autograder.course.exam import Exam, read_exam
from autograder.course.reports import ExerciseResult, Status
from autograder.course.submissions import Submission
from autograder.grader.examined_notebooks import ExaminedNotebook
from autograder.grader.examiner import Examiner
from autograder.jail import Limits

pytestmark = pytest.mark.slow

DOUBLE = "def double(x):\n    return 2 * x"
QUADRUPLE = "def quadruple(x):\n    return double(double(x))"
OCTUPLE = "def octuple(x):\n    return double(quadruple(x))"
RIGHT = {"double": DOUBLE, "quadruple": QUADRUPLE, "octuple": OCTUPLE}
FACTORS = {"double": 2, "quadruple": 4, "octuple": 8}
FULL = {"double": 2.0, "quadruple": 3.0, "octuple": 5.0}
WRONG_DOUBLE = "def double(x):\n    return x * x + 1"


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner(Limits(cell_seconds=10, call_seconds=10, seconds=60)) as examiner:
        yield examiner


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Exam:
    course = SmallCourse(tmp_path_factory.mktemp("course"))
    cells = []
    for name, factor in FACTORS.items():
        hidden = f"assert [{name}(x) for x in (3, 5)] == [3 * {factor}, 5 * {factor}]"
        source = f"### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
        cells += [solution(RIGHT[name], f"{name}_solution"), test(source, name, FULL[name])]
    return read_exam(course.write(*cells))


def cells_of(answers: dict[str, str]) -> list[dict[str, Any]]:
    return [
        cell
        for name, answer in answers.items()
        for cell in (solution(answer, f"{name}_solution"), test("", name))
    ]


def examine(examiner: Examiner, exam: Exam, cells: list[dict[str, Any]]) -> ExaminedNotebook:
    return examiner.examine(exam, Submission("hw", "hw_solved.ipynb", dump(cells)))


def results(
    examiner: Examiner, exam: Exam, *cells: dict[str, Any], **answers: str
) -> dict[str, ExerciseResult]:
    report = examine(examiner, exam, list(cells) or cells_of(RIGHT | answers)).report
    return {result.id: result for result in report.exercises}


def points(found: dict[str, ExerciseResult]) -> dict[str, float]:
    return {name: result.points for name, result in found.items()}


# ------------------------------------------------------------------------------------------------ what it gives


def test_a_notebook_whose_only_fault_is_one_function_loses_that_exercise_only(
    examiner: Examiner, exam: Exam
) -> None:
    found = results(examiner, exam, double=WRONG_DOUBLE)
    assert points(found) == FULL | {"double": 0.0}
    for name in ("quadruple", "octuple"):
        assert (
            found[name].hint
            == "Marked with the reference's `double`, because yours is not right yet."
        )
        assert found[name].status is Status.PASSED


@pytest.mark.parametrize(
    "answer",
    [
        "def double(x):\n    raise ValueError('no')",
        "def double(x):\n    raise NotImplementedError",
        "",
        "double = 2",
    ],
    ids=["raises", "a stub", "missing", "no function"],
)
def test_a_function_that_does_not_work_at_all_is_lent_too(
    examiner: Examiner, exam: Exam, answer: str
) -> None:
    assert points(results(examiner, exam, double=answer)) == FULL | {"double": 0.0}


def test_right_answers_are_tested_with_themselves(examiner: Examiner, exam: Exam) -> None:
    found = results(examiner, exam)
    assert points(found) == FULL
    assert [result.hint for result in found.values()] == ["", "", ""]


def test_two_wrong_functions_cost_two_exercises(examiner: Examiner, exam: Exam) -> None:
    found = results(
        examiner, exam, double=WRONG_DOUBLE, quadruple="def quadruple(x):\n    return double(x) + 1"
    )
    assert points(found) == FULL | {"double": 0.0, "quadruple": 0.0}
    note = "Marked with the reference's `double` and `quadruple`, because yours are not right yet."
    assert found["octuple"].hint == note


def test_an_answer_that_needs_no_loan_is_not_told_of_one(examiner: Examiner, exam: Exam) -> None:
    found = results(
        examiner, exam, double=WRONG_DOUBLE, quadruple="def quadruple(x):\n    return 4 * x"
    )
    assert (found["quadruple"].points, found["quadruple"].hint) == (3.0, "")


def test_the_students_own_function_is_back_after_the_test(examiner: Examiner, exam: Exam) -> None:
    cells = [*cells_of(RIGHT | {"double": WRONG_DOUBLE}), code("print(double(3))")]
    (shown,) = examine(examiner, exam, cells).cells[-1]["outputs"]
    assert shown["text"] == "10\n"


# ------------------------------------------------------------------------------------------------ layouts of one's own

UNITS = {
    "forward": "def forward(w, x):\n    return w * x, (w, x)",
    "backward": "def backward(d, cache):\n    w, x = cache\n    return d * w, d * x",
    "network": "def network(weights, x):\n    caches = []\n    for w in weights:\n        x, cache = forward(w, x)\n"
    "        caches.append(cache)\n    return x, caches",
    "gradients": "def gradients(d, caches):\n    found = []\n    for cache in reversed(caches):\n"
    "        d, slope = backward(d, cache)\n        found.append(slope)\n    return found[::-1]",
    "train": "def train(weights, x):\n    y, caches = network(weights, x)\n    return gradients(y, caches)",
}
TESTS = {
    "forward": "assert forward(3, 5)[0] == 15",
    "backward": "assert tuple(backward(7, forward(3, 5)[1])) == (21, 35)",
    "network": "assert network([2, 3], 5)[0] == 30",
    "gradients": "assert list(gradients(1, network([2, 3], 5)[1])) == [15, 10]",
    "train": "assert list(train([2, 3], 5)) == [450, 300]",
}
IN_A_DICTIONARY = {
    "forward": "def forward(w, x):\n    return w * x, {'x': x, 'w': w}",
    "backward": "def backward(d, cache):\n    return d * cache['w'], d * cache['x']",
}


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Exam:
    course = SmallCourse(tmp_path_factory.mktemp("units"))
    cells = []
    for name, answer in UNITS.items():
        source = f"### BEGIN HIDDEN TESTS\n{TESTS[name]}\n### END HIDDEN TESTS"
        cells += [solution(answer, f"{name}_solution"), test(source, name, 1)]
    return read_exam(course.write(*cells))


@pytest.mark.parametrize(
    ("wrong", "answer"),
    [
        ("backward", "def backward(d, cache):\n    return -d * cache['w'], d * cache['x']"),
        ("backward", "def backward(d, cache):\n    raise ValueError"),
        ("forward", "def forward(w, x):\n    return w + x, {'x': x, 'w': w}"),
        ("network", "def network(weights, x):\n    return 0, [forward(w, x)[1] for w in weights]"),
    ],
    ids=["backward is wrong", "backward raises", "forward is wrong", "the network is wrong"],
)
def test_a_layout_of_ones_own_costs_nothing_more(
    examiner: Examiner, units: Exam, wrong: str, answer: str
) -> None:
    report = examine(examiner, units, cells_of(UNITS | IN_A_DICTIONARY | {wrong: answer})).report
    assert {result.id: result.points for result in report.exercises} == dict.fromkeys(
        UNITS, 1.0
    ) | {wrong: 0.0}


def test_whoever_calls_lent_functions_only_is_told_which_one_is_not_right(
    examiner: Examiner, units: Exam
) -> None:
    wrong = {"backward": "def backward(d, cache):\n    raise ValueError"}
    report = examine(examiner, units, cells_of(UNITS | IN_A_DICTIONARY | wrong)).report
    hints = {result.id: result.hint for result in report.exercises}
    assert (
        hints["gradients"]
        == "Marked with the reference's `backward`, because yours is not right yet."
    )
    assert (
        hints["train"]
        == "Marked with the reference's functions, because your `backward` is not right yet."
    )


SCALED = {"scale": "def scale(x):\n    return 10 * x", **UNITS}
REVERSED = IN_A_DICTIONARY | {
    "network": "def network(weights, x):\n    caches = []\n    for w in weights:\n        x, cache = forward(w, x)\n"
    "        caches.insert(0, cache)\n    return x, caches",
}


@pytest.fixture(scope="module")
def scaled(tmp_path_factory: pytest.TempPathFactory) -> Exam:
    course = SmallCourse(tmp_path_factory.mktemp("scaled"))
    cells = []
    for name, answer in SCALED.items():
        hidden = TESTS.get(name, "assert scale(2) == 20")
        source = f"### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
        cells += [solution(answer, f"{name}_solution"), test(source, name, 1)]
    return read_exam(course.write(*cells))


@pytest.mark.parametrize(
    "scale", ["def scale(x):\n    return x", SCALED["scale"]], ids=["wrong", "right"]
)
def test_two_functions_that_do_not_fit_together_are_not_mended_because_another_is_wrong(
    examiner: Examiner, scaled: Exam, scale: Any
) -> None:
    report = examine(examiner, scaled, cells_of(SCALED | REVERSED | {"scale": scale})).report
    found = {result.id: result.points for result in report.exercises}
    wrong_scale = {"scale": 0.0} if scale != SCALED["scale"] else {}
    wrong = {"gradients": 0.0} | wrong_scale
    assert found == dict.fromkeys(SCALED, 1.0) | wrong | {"train": found["train"]}
    assert "scale" not in report.exercises[-1].hint + report.exercises[-2].hint


def test_only_what_is_wrong_is_lent(examiner: Examiner, exam: Exam) -> None:
    right_in_the_test_only = "def quadruple(x):\n    return {3: 12, 5: 20}.get(x, 0)"
    found = results(examiner, exam, double=WRONG_DOUBLE, quadruple=right_in_the_test_only,
                    octuple="def octuple(x):\n    return double(quadruple(x + 0.5)) - 4")  # fmt: skip
    assert points(found) == FULL | {"double": 0.0, "octuple": 0.0}


def test_the_loan_can_be_switched_off_for_an_exercise(
    examiner: Examiner, small_course: SmallCourse
) -> None:
    tagged = test("assert quadruple(21) == 84", "quadruple")
    tagged["metadata"]["tags"] = ["no-loan"]
    small_course.write(
        solution(DOUBLE), test("assert double(21) == 42"), solution(QUADRUPLE, "quadruple_solution"), tagged,
        solution(OCTUPLE, "octuple_solution"), test("assert octuple(21) == 168", "octuple"),
    )  # fmt: skip
    cells = cells_of(RIGHT | {"double": WRONG_DOUBLE})
    cells[0]["metadata"]["nbgrader"]["grade_id"] = "double_solution"
    found = results(examiner, read_exam(small_course.source), *cells)
    assert points(found) == {"double": 0.0, "quadruple": 0.0, "octuple": 2.0}


def test_the_loan_can_be_switched_off_for_a_course(
    examiner: Examiner, small_course: SmallCourse
) -> None:
    small_course.write(
        solution(DOUBLE), test("assert double(21) == 42"), solution(QUADRUPLE, "quadruple_solution"),
        test("assert quadruple(21) == 84", "quadruple"),
    )  # fmt: skip
    lending = load_course(small_course.config).read_exam("hw")
    small_course.config.write_text(small_course.config.read_text() + "c.Course.lend = False\n")
    exam = load_course(small_course.config).read_exam("hw")
    cells = cells_of({"double": WRONG_DOUBLE, "quadruple": QUADRUPLE})
    assert points(results(examiner, lending, *cells)) == {"double": 0.0, "quadruple": 2.0}
    assert points(results(examiner, exam, *cells)) == {"double": 0.0, "quadruple": 0.0}
    assert exam.version != lending.version


# ------------------------------------------------------------------------------------------------ what it does not give


@pytest.mark.parametrize(
    "answer",
    [
        "def double(x):\n    return globals()['double'](x)",
        "def double(x):\n    return quadruple(x) / 2\ndef quadruple(x):\n    return octuple(x) / 2",
    ],
    ids=["asks itself", "asks what comes later"],
)
def test_an_answer_cannot_ask_the_loan_for_itself(
    examiner: Examiner, exam: Exam, answer: str
) -> None:
    found = results(examiner, exam, double=answer, quadruple="def quadruple(x):\n    return 7")
    assert found["double"].points == 0


def test_an_answer_cannot_ask_a_later_function_by_moving_its_test_up(
    examiner: Examiner, exam: Exam
) -> None:
    cells = [
        solution("def quadruple(x):\n    return 7", "quadruple_solution"), test("", "quadruple"),
        solution("def double(x):\n    return quadruple(x) / 2", "double_solution"), test("", "double"),
        solution(OCTUPLE, "octuple_solution"), test("", "octuple"),
    ]  # fmt: skip
    assert points(results(examiner, exam, *cells)) == FULL | {"double": 0.0, "quadruple": 0.0}


HOARD = """\
hoard = []
def quadruple(x):
    hoard.append(double)
    return double(double(x))
"""


def test_a_loan_that_was_kept_does_not_answer_after_the_test(
    examiner: Examiner, exam: Exam
) -> None:
    cells = [
        *cells_of({"double": WRONG_DOUBLE, "quadruple": HOARD}),
        code("try:\n    print(hoard[-1](3))\nexcept RuntimeError as error:\n    print(error)"),
    ]
    found = examine(examiner, exam, cells)
    assert found.report.exercises[1].points == 3.0
    assert (
        found.cells[-1]["outputs"][0]["text"]
        == "a function of a test can only be called while the test runs\n"
    )


def test_a_loan_that_was_kept_does_not_answer_in_another_test(
    examiner: Examiner, exam: Exam
) -> None:
    octuple = "def octuple(x):\n    return 4 * hoard[-1](x)"
    found = results(examiner, exam, double=WRONG_DOUBLE, quadruple=HOARD, octuple=octuple)
    assert points(found) == {"double": 0.0, "quadruple": 3.0, "octuple": 0.0}


def test_what_a_loan_answered_cannot_mend_the_exercise_it_is_for(
    examiner: Examiner, exam: Exam
) -> None:
    remembering = """\
seen = {}
def quadruple(x):
    for number in range(10):
        seen[number] = double(number)
    return double(double(x))
"""
    tests_last = [
        solution("def double(x):\n    return seen.get(x, 1)", "double_solution"),
        *cells_of({"quadruple": remembering}), test("", "double"), *cells_of({"octuple": OCTUPLE}),
    ]  # fmt: skip
    found = results(examiner, exam, *tests_last)
    assert points(found) == FULL | {"double": 0.0, "quadruple": 0.0}


def test_what_is_lent_because_another_function_is_wrong_cannot_mend_an_exercise_whose_test_comes_later(
    examiner: Examiner, exam: Exam
) -> None:
    hoarding = """\
seen = []
def octuple(x):
    seen.append([quadruple(number) for number in range(10)])
    return 0
"""
    tests_last = [
        *cells_of({"double": WRONG_DOUBLE, "octuple": hoarding}),
        solution("def quadruple(x):\n    return seen[0][x]", "quadruple_solution"), test("", "quadruple"),
    ]  # fmt: skip
    assert points(results(examiner, exam, *tests_last)) == dict.fromkeys(FULL, 0.0)


def test_a_second_test_that_was_moved_down_is_not_answered_by_what_is_lent(
    examiner: Examiner, small_course: SmallCourse
) -> None:
    small_course.write(
        solution(DOUBLE), test("assert double(1) == 2", "visible"), test("assert double(21) == 42", "hidden"),
        solution("def triple(x):\n    return 3 * x", "triple_solution"), test("assert triple(2) == 6", "triple"),
        solution(QUADRUPLE, "quadruple_solution"), test("assert quadruple(21) == 84", "quadruple"),
    )  # fmt: skip
    hoarding = "seen = {}\ndef quadruple(x):\n    seen[21] = double(21)\n    return 0"
    cells = [
        solution("def double(x):\n    return seen.get(x, 0)"), test("", "visible"),
        solution("def triple(x):\n    return 0", "triple_solution"), test("", "triple"),
        solution(hoarding, "quadruple_solution"), test("", "quadruple"), test("", "hidden"),
    ]  # fmt: skip
    found = results(examiner, read_exam(small_course.source), *cells)
    assert points(found) == {"visible": 0.0, "hidden": 0.0, "triple": 0.0, "quadruple": 0.0}


def test_a_second_test_of_an_answer_is_not_answered_by_the_reference(
    examiner: Examiner, small_course: SmallCourse
) -> None:
    small_course.write(
        solution(DOUBLE), test("assert double(1) == 2", "visible"),
        test("assert double(21) == 42", "hidden"), test("assert double(0) == 0", "zero"),
    )  # fmt: skip
    cells = [
        solution("def double(x):\n    return 7"),
        test("", "visible"),
        test("", "hidden"),
        test("", "zero"),
    ]
    found = results(examiner, read_exam(small_course.source), *cells)
    assert points(found) == {"visible": 0.0, "hidden": 0.0, "zero": 0.0}


def test_what_is_lent_is_told_in_a_sentence_after_the_hint(
    examiner: Examiner, small_course: SmallCourse
) -> None:
    head = "from autograder.marking import Hint, Marking\nmarking = Marking(points=2)\n"
    criterion = (
        "@marking.criterion(1, 'of {0}')\ndef of_{0}():\n    if quadruple({0}) != 4 * {0}:\n"
        "        raise Hint('not for all')\n"
    )
    tests = head + criterion.format(21) + criterion.format(22) + "marking.score()"
    small_course.write(
        solution(DOUBLE), test("assert double(21) == 42"), solution(QUADRUPLE, "quadruple_solution"),
        test(f"### BEGIN HIDDEN TESTS\n{tests}\n### END HIDDEN TESTS", "quadruple"),
    )  # fmt: skip
    partly = "def quadruple(x):\n    return double(double(x)) if x == 21 else 0"
    found = results(
        examiner,
        read_exam(small_course.source),
        *cells_of({"double": WRONG_DOUBLE, "quadruple": partly}),
    )
    assert found["quadruple"].points == 1.0
    assert found["quadruple"].hint == (
        "Not for all. Marked with the reference's `double`, because yours is not right yet."
    )
