"""One submission in, one report out: the real jail, a small course."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jails import eventually
from small_course import (
    DOUBLE,
    MISTAKES,
    REPOSITORY,
    TEST_DOUBLE,
    SmallCourse,
    code,
    dump,
    notebook,
    solution,
    test,
    text,
)

from autograder.course.exam import Exam, read_exam
from autograder.course.reports import Status
from autograder.course.submission_files import SubmissionFiles, merge_files, pack_submission
from autograder.course.submissions import Submission
from autograder.grader.examined_notebooks import ExaminedNotebook
from autograder.grader.examiner import Examiner
from autograder.grader.hints import NO_VALUE
from autograder.jail import Limits
from autograder.jail.processes import list_descendants

pytestmark = pytest.mark.slow

SOLVED = "def double(x):\n    return 2 * x\n"
STUB = "def double(x):\n    raise NotImplementedError\n"
HALVE = "def halve(x):\n    ### BEGIN SOLUTION\n    return double(x) / 4\n    ### END SOLUTION\n"
TEST_HALVE = "### BEGIN HIDDEN TESTS\nassert halve(6.0) == 3.0\n### END HIDDEN TESTS\n"
MARK = "hidden-tests-mark-4711"


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner(Limits(cell_seconds=1, call_seconds=1, seconds=120, memory_mb=512)) as examiner:
        yield examiner


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Exam:
    course = SmallCourse(tmp_path_factory.mktemp("course"))
    course.write(
        text("# Homework"), code("import math\nimport numpy as np"), solution(DOUBLE),
        test(TEST_DOUBLE + f"# {MARK}\n"), solution(HALVE, "halve_solution"), test(TEST_HALVE, "halve", 3),
    )  # fmt: skip
    (course.source.parent / "mistakes.py").write_text(MISTAKES)
    (course.source.parent / "data.csv").write_text("1,2,3\n")
    return read_exam(course.source)


def examine(examiner: Examiner, exam: Exam, *cells: dict[str, Any]) -> ExaminedNotebook:
    return examiner.examine(exam, Submission("hw", "hw_solved.ipynb", dump(cells)))


def answered(
    double: str = SOLVED, halve: str = "def halve(x):\n    return x / 2"
) -> list[dict[str, Any]]:
    return [
        code("import math\nimport numpy as np"), solution(double), test("", "double"),
        solution(halve, "halve_solution"), test("", "halve", 3),
    ]  # fmt: skip


def points(examined: ExaminedNotebook) -> dict[str, float]:
    return {exercise.id: exercise.points for exercise in examined.report.exercises}


FULL = {"double": 2.0, "halve": 3.0}


def test_a_right_answer_gets_all_points(examiner: Examiner, exam: Exam) -> None:
    examined = examine(examiner, exam, *answered())
    assert points(examined) == FULL
    assert examined.report.rung == examiner.jail.rung
    assert (examined.report.points, examined.report.max_points) == (5.0, 5.0)


def kept(cells: list[dict[str, Any]], *left_out: str) -> list[dict[str, Any]]:
    return [cell for cell in cells if cell["id"] not in left_out]


def stripped(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [cell | {"metadata": {}} for cell in cells]


HARMLESS = {
    "test cells deleted": kept(answered(), "double", "halve"),
    "metadata stripped": stripped(answered()),
    "test cell edited": [
        cell | {"source": "raise SystemExit"} if cell["id"] == "double" else cell
        for cell in answered()
    ],
    "test cell twice": [*answered(), test("", "double")],
    "cells merged": [code("import numpy as np\n" + SOLVED + "def halve(x):\n    return x / 2")],
    "a cell that fails above": [code("1 / 0"), *answered()],
    "a syntax error above": [code("print 'Python 2'"), *answered()],
    "prints and warnings": [
        code("import sys, warnings\nprint('x', file=sys.stderr)\nwarnings.warn('x')"),
        *answered(),
    ],
    "exit() above": [code("exit()"), *answered()],
    "os._exit above": [code("import os\nos._exit(0)"), *answered()],
    "a crash above": [code("import ctypes\nctypes.string_at(0)"), *answered()],
    "a cell that never ends": [code("while True: pass"), *answered()],
    "a cell that never ends and catches everything": [
        code("while True:\n    try:\n        while True: pass\n    except BaseException: pass"),
        *answered(),
    ],
    "a memory bomb": [code("x = bytearray(4 << 30)"), *answered()],
    "rebound builtins": [code("import builtins\nbuiltins.len = None"), *answered()],
    "input()": [code("input('name?')"), *answered()],
}


@pytest.mark.parametrize("cells", HARMLESS.values(), ids=HARMLESS)
def test_what_is_odd_about_a_notebook_costs_nothing_by_itself(
    examiner: Examiner, exam: Exam, cells: Any
) -> None:
    assert points(examine(examiner, exam, *cells)) == FULL


@pytest.mark.parametrize(
    ("name", "words"),
    [("os._exit above", "ended the Python process"), ("a cell that never ends", "too long")],
)
def test_a_cell_that_was_left_out_is_named(
    examiner: Examiner, exam: Exam, name: str, words: str
) -> None:
    (problem,) = examine(examiner, exam, *HARMLESS[name]).report.problems
    assert problem.startswith("Cell 1 ")
    assert words in problem


UNDONE = {
    "a stub": (answered(STUB, STUB.replace("double", "halve")), Status.NOT_ATTEMPTED),
    "nothing at all": ([], Status.NOT_FOUND),
    "renamed": (answered(SOLVED.replace("double", "twice")), Status.NOT_FOUND),
    "a constant": (answered("double = 4"), Status.FAILED),
    "wrong": (answered("def double(x):\n    return x + 1"), Status.FAILED),
    "another arity": (answered("def double():\n    return 2"), Status.FAILED),
    "never returns": (answered("def double(x):\n    while True: pass"), Status.FAILED),
    "ends the process": (answered("def double(x):\n    import os\n    os._exit(0)"), Status.FAILED),
    "redefined below": (
        [*answered()[:2], code("def double(x): return 0"), *answered()[2:]],
        Status.FAILED,
    ),
}


@pytest.mark.parametrize(("cells", "status"), UNDONE.values(), ids=UNDONE)
def test_what_is_undone_is_said_as_what_it_is(
    examiner: Examiner, exam: Exam, cells: Any, status: Any
) -> None:
    double = examine(examiner, exam, *cells).report.exercises[0]
    assert (double.points, double.status) == (0.0, status)
    assert bool(double.hint) == (status is not Status.NOT_ATTEMPTED)


def test_one_function_that_ends_the_process_costs_only_its_own_exercise(
    examiner: Examiner, exam: Exam
) -> None:
    cells = answered("def double(x):\n    import os\n    os._exit(0)")
    assert points(examine(examiner, exam, *cells)) == {"double": 0.0, "halve": 3.0}


def test_a_mistake_costs_once(examiner: Examiner, exam: Exam) -> None:
    """`halve` is right but builds on a wrong `double`: it is tested with the reference's."""
    examined = examine(
        examiner,
        exam,
        *answered("def double(x):\n    return x * x", "def halve(x):\n    return double(x) / 4"),
    )
    assert points(examined) == {"double": 0.0, "halve": 3.0}
    double, halve = examined.report.exercises
    assert double.hint == "Twice is not squared."
    assert "reference's `double`" in halve.hint


def test_files_of_the_assignment_are_there_and_writable_for_one_submission(
    examiner: Examiner, exam: Exam
) -> None:
    cells = [
        code("print(open('data.csv').read().strip())"),
        code("_ = open('data.csv', 'w').write('gone')"),
        code("print(open('data.csv').read())"),
    ]
    for _ in range(2):
        outputs = [cell["outputs"] for cell in examine(examiner, exam, *cells).cells]
        assert [entry[0]["text"].strip() for entry in outputs if entry] == ["1,2,3", "gone"]


def test_what_was_pushed_beside_the_notebook_is_there_and_the_courses_own_as_it_gives_it(
    examiner: Examiner, exam: Exam
) -> None:
    cells = [
        code("import mine\nprint(mine.two())"),
        code("print(open('data.csv').read().strip(), open('more/own.txt').read())"),
    ]
    own = {
        "mine.py": b"def two():\n    return 2",
        "more/own.txt": b"mine",
        "data.csv": b"forged",
        "data.csv/x": b"",
    }
    files = SubmissionFiles(dump(cells), {path: own[path] for path in list(own)[:3]})
    examined = examiner.examine(exam, Submission("hw", "hw.ipynb", pack_submission(files)))
    assert [cell["outputs"][0]["text"].strip() for cell in examined.cells[:2]] == [
        "2",
        "1,2,3 mine",
    ]
    assert examined.report.problems == ()
    clash = merge_files({"data.csv": b"given"}, {"data.csv/x": b"a folder of that name"})
    assert clash == {"data.csv": b"given"}, "what cannot lie beside the course's files stays away"


SEARCH = f"""
import gc, os, sys
mark = {MARK[:12]!r} + {MARK[12:]!r}
found = []
for root, folders, files in os.walk("/"):
    if root.startswith(("/proc", "/sys", "/usr", "/lib", "/dev")) or "/lib/" in root:
        folders.clear()
        continue
    for name in files:
        try:
            if mark in open(os.path.join(root, name), errors="replace").read(1 << 20):
                found.append(name)
        except OSError:
            pass
found += [type(thing) for thing in gc.get_objects() if isinstance(thing, (str, dict)) and mark in str(thing)[:100000]
          and "found" not in str(thing)[:100000]]
frame = sys._getframe()
while frame:
    texts = {{name: value for name, value in frame.f_locals.items() if isinstance(value, str) and name != "mark"}}
    found += [name for name, value in texts.items() if mark in value and "gc" not in value]
    frame = frame.f_back
print("FOUND", found)
"""


@pytest.mark.parametrize(
    "planted", [False, True], ids=["as it is", "planted, so that the search is known to see"]
)
def test_hidden_tests_are_nowhere_in_the_jail(
    examiner: Examiner, exam: Exam, planted: bool
) -> None:
    plant = (
        [code(f"planted = {MARK!r}\nopen('planted.txt', 'w').write(planted)")] if planted else []
    )
    examined = examine(examiner, exam, *plant, code(SEARCH), *answered())
    said = examined.cells[len(plant)]["outputs"][0]["text"]
    assert (said == "FOUND []\n") is not planted, said
    assert ("planted.txt" in said) is planted
    assert points(examined) == FULL


def test_no_file_of_the_course_and_no_secret_is_in_the_jail(
    examiner: Examiner, exam: Exam, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", "4711")
    paths = [str(REPOSITORY / name) for name in ("solutions", "grading_config.py", "tests")] + [
        "/etc/shadow",
        "/root/.bashrc",
    ]
    look = f"import os\nprint([path for path in {paths} if os.path.exists(path)], 'A_SECRET' in os.environ)"
    (cell,) = examine(examiner, exam, code(look)).cells
    assert cell["outputs"][0]["text"] == "[] False\n"


def test_students_see_nothing_that_was_printed_or_raised_in_a_hidden_test(
    examiner: Examiner, exam: Exam
) -> None:
    spy = "def halve(x):\n    print('input was', x)\n    raise ValueError(f'input was {x}')"
    examined = examine(examiner, exam, *answered(SOLVED, spy))
    assert "input was" not in json.dumps(examined.report.for_students().to_json())
    assert all(not cell["outputs"] for cell in examined.cells)
    assert "input was 6.0" in examined.report.exercises[1].detail


TELLING = {
    "a dtype": "    return np.dtype([(f'input was {x}', 'f8')])",
    "the reason that the jail gives": """
    import sys
    from autograder.kernel.wire import CannotCross
    def refer(value): raise CannotCross(f'input was {x}\\x1b[2J')
    frame = sys._getframe()
    while type(frame.f_locals.get('self')).__name__ != 'Worker': frame = frame.f_back
    frame.f_locals['self'].refer = refer
    return object()""",
}


@pytest.mark.parametrize("body", TELLING.values(), ids=TELLING)
def test_why_a_result_does_not_cross_tells_students_nothing_of_a_hidden_test(
    examiner: Examiner, exam: Exam, body: str
) -> None:
    found = examine(examiner, exam, *answered(SOLVED, f"def halve(x):\n{body}")).report.exercises[1]
    assert found.hint == NO_VALUE
    assert "input was 6.0" in found.detail
    assert "\x1b" not in found.detail


def test_what_a_student_raises_cannot_drive_the_instructors_terminal(
    examiner: Examiner, exam: Exam
) -> None:
    spy = "def halve(x):\n    raise ValueError('\\x1b[2Jgone')"
    detail = examine(examiner, exam, *answered(SOLVED, spy)).report.exercises[1].detail
    assert "gone" in detail
    assert "\x1b" not in detail


FORGED = {
    "a function that the notebook imports": "def assert_allclose(*values, **settings): pass",
    "a helper of a test that the student put further down": "def near(*values): return True",
}


@pytest.mark.parametrize("forgery", FORGED.values(), ids=FORGED)
def test_what_a_test_judges_with_is_never_the_students(
    examiner: Examiner, small_course: SmallCourse, forgery: str
) -> None:
    small_course.write(
        code("%pwd\nfrom numpy.testing import assert_allclose"), solution(DOUBLE),
        test("def near(a, b):\n    return abs(a - b) < 1e-6\nassert near(double(21), 42)", "first"),
        test("assert_allclose(double(21), 42)\nassert near(double(0.5), 1)", "second"),
    )  # fmt: skip
    exam = read_exam(small_course.source)
    wrong = [
        solution(f"{forgery}\ndef double(x):\n    return 21"),
        test("", "second"),
        test("", "first"),
    ]
    assert points(examine(examiner, exam, *wrong)) == {"first": 0.0, "second": 0.0}
    right = [
        code("from numpy.testing import assert_allclose"),
        solution(SOLVED),
        test("", "first"),
        test("", "second"),
    ]
    assert points(examine(examiner, exam, *right)) == {"first": 2.0, "second": 2.0}


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"{", "not valid JSON"), (b"", "empty"), (json.dumps([1]).encode(), "no cells")],
)
def test_an_unreadable_file_is_a_report_with_a_sentence(
    examiner: Examiner, exam: Exam, content: bytes, words: str
) -> None:
    report = examiner.examine(exam, Submission("hw", "hw.ipynb", content)).report
    assert (report.status, report.points) == ("unreadable", 0.0)
    assert words in report.problems[0]


def test_a_hostile_notebook_changes_nothing_for_the_next_one(
    examiner: Examiner, exam: Exam
) -> None:
    examine(
        examiner,
        exam,
        code("import os, numpy, builtins\nnumpy.ones = None\nos.kill(1, 9)\nopen('x', 'w')"),
    )
    examined = examine(examiner, exam, code("import os; print(os.listdir('.'))"), *answered())
    assert points(examined) == FULL
    assert "x'" not in examined.cells[0]["outputs"][0]["text"]


def test_what_all_cells_show_together_has_a_limit(
    examiner: Examiner, exam: Exam, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.grader.trial_process.MAX_SHOWN", 25_000)
    examined = examine(examiner, exam, *[code("print('x' * 9_999)")] * 4, *answered())
    shown = [cell["outputs"][0]["text"] for cell in examined.cells[:4]]
    assert [len(text) for text in shown[:2]] == [10_000, 10_000]
    assert all("shows too much" in text for text in shown[2:])
    assert points(examined) == FULL


def test_too_many_restarts_end_in_a_report(examiner: Examiner, exam: Exam) -> None:
    cells = [code(f"import os\nos._exit({number})") for number in range(8)]
    report = examine(examiner, exam, *cells, *answered()).report
    assert report.status == "graded"
    assert report.points < 5.0


def test_the_same_notebook_gets_the_same_report(examiner: Examiner, exam: Exam) -> None:
    cells = answered("def double(x):\n    return x * x")
    reports = {repr(replace(examine(examiner, exam, *cells).report, seconds=0.0)) for _ in range(5)}
    assert len(reports) == 1


def test_nothing_is_left_of_a_trial(examiner: Examiner, exam: Exam) -> None:
    examine(examiner, exam, *answered())
    files, processes = open_files(), list_descendants(os.getpid())
    for _ in range(5):
        examine(examiner, exam, *answered())
    # What other tests have may be closed or end meanwhile; each trial would leave something.
    assert len(open_files()) < len(files) + 5
    assert eventually(lambda: set(list_descendants(os.getpid())) <= set(processes))


def open_files() -> list[str]:
    return [path.name for path in Path("/proc/self/fd").iterdir()]


def test_a_format_3_notebook_is_graded(examiner: Examiner, exam: Exam) -> None:
    cells = [{"cell_type": "code", "input": cell["source"], "outputs": []} for cell in answered()]
    content = json.dumps(
        {"nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": cells}]}
    ).encode()
    assert points(examiner.examine(exam, Submission("hw", "hw.ipynb", content))) == FULL


def test_conflict_marks_are_said_and_the_own_side_graded(examiner: Examiner, exam: Exam) -> None:
    good = json.dumps(notebook(*answered()), indent=1)
    line = next(line for line in good.splitlines() if "halve(x)" in line)
    content = good.replace(
        line, f'<<<<<<< HEAD\n{line}\n=======\n   "source": ""\n>>>>>>> upstream/master'
    )
    examined = examiner.examine(exam, Submission("hw", "hw.ipynb", content.encode()))
    assert points(examined) == FULL
    assert "<<<<<<<" in examined.report.problems[0]


ACCIDENTS = {
    "ends its own process": "import os\nos._exit(1)",
    "is killed": "import os\nos.kill(os.getpid(), 9)",
    "takes all memory": "hoard = []\nwhile True:\n    hoard.append(bytearray(1 << 26))",
    "raises SystemExit": "raise SystemExit",
    "prints without end": "for _ in range(10 ** 6):\n    print('x' * 100)",
}


@pytest.mark.parametrize("accident", ACCIDENTS.values(), ids=ACCIDENTS)
def test_a_test_that_comes_to_grief_costs_one_submission_what_it_had_not_given_yet(
    examiner: Examiner, small_course: SmallCourse, accident: str
) -> None:
    """The trial is a process of its own with limits: what was told before it died counts, the next one is unharmed."""
    small_course.write(
        solution(DOUBLE),
        test(TEST_DOUBLE),
        solution("x = 1", "x_solution"),
        test(accident, "bad", 1),
    )
    exam = read_exam(small_course.source)
    cells = [
        solution(SOLVED),
        test("", "double"),
        solution("x = 1", "x_solution"),
        test("", "bad", 1),
    ]
    report = examine(examiner, exam, *cells).report
    assert report.exercises[0].points == 2.0
    assert report.exercises[1].status in {Status.FAILED, Status.PASSED}
    good = read_exam(small_course.write(solution(DOUBLE), test(TEST_DOUBLE)))
    assert points(examine(examiner, good, *answered())) == {"double": 2.0}
