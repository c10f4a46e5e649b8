"""Cells of a student's that fail: what it costs, what the student is told, and what nobody is told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from small_course import SmallCourse, code, dump, solution, test, text

from autograder.course.exam import Exam, read_exam
from autograder.course.reports import Report, Status
from autograder.course.submissions import Submission
from autograder.grader.examiner import Examiner
from autograder.jail import Limits

pytestmark = pytest.mark.slow

IMPORTS = "import math\nimport numpy as np\nscale = 2"
DOUBLE = "def double(x):\n    ### BEGIN SOLUTION\n    return scale * np.asarray(x)\n    ### END SOLUTION\n"
HALVE = (
    "def halve(x):\n    ### BEGIN SOLUTION\n    return np.asarray(x) / 2\n    ### END SOLUTION\n"
)
FULL = {"double": 2.0, "halve": 3.0}


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner(Limits(cell_seconds=1, call_seconds=1, seconds=120, memory_mb=512)) as examiner:
        yield examiner


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Exam:
    course = SmallCourse(tmp_path_factory.mktemp("course"))
    course.write(
        text("# Homework"), code(IMPORTS), code("def helper(x):\n    return x + 0", grade_id="given", locked=True),
        solution(DOUBLE), test("### BEGIN HIDDEN TESTS\nassert double(21) == 42\n### END HIDDEN TESTS", "double"),
        solution(HALVE, "halve_solution"),
        test("### BEGIN HIDDEN TESTS\nassert halve(8128.0) == 4064.0\n### END HIDDEN TESTS", "halve", 3),
    )  # fmt: skip
    return read_exam(course.source)


def graded(examiner: Examiner, exam: Exam, *cells: dict[str, Any]) -> Report:
    return examiner.examine(exam, Submission("hw", "hw_solved.ipynb", dump(cells))).report


def cells(
    imports: str = IMPORTS,
    double: str = "def double(x):\n    return scale * np.asarray(x)",
    halve: str = "def halve(x):\n    return np.asarray(x) / 2",
    between: str = "",
) -> list[dict[str, Any]]:
    return [
        code(imports), solution(double), test("", "double"), code(between),
        solution(halve, "halve_solution"), test("", "halve", 3),
    ]  # fmt: skip


def points(report: Report) -> dict[str, float]:
    return {exercise.id: exercise.points for exercise in report.exercises}


SETTINGS = {
    "Colab": ("from google.colab import drive\n" + IMPORTS, "No module named 'google'"),
    "a progress bar": (
        "from no_such_bar.notebook import tqdm\n" + IMPORTS,
        "The package no_such_bar is not there",
    ),
    "seaborn, in the middle": (
        "import numpy as np\nimport seaborn as sns\nscale = 2",
        "line `import seaborn as sns`",
    ),
    "widgets": ("%matplotlib widget\n" + IMPORTS, "Cell 1 (`%matplotlib widget`) raised"),
    "a style": (
        "import matplotlib.pyplot as plt\nplt.style.use('seaborn')\n" + IMPORTS,
        "line `plt.style.use('seaborn')`",
    ),
    "typographic quotes": (
        "print(“hi”)\n" + IMPORTS,
        "SyntaxError: invalid character '“' (U+201C)",
    ),
    "a file of one's own": (
        "notes = open('notes.txt').read()\n" + IMPORTS,
        "No such file or directory: 'notes.txt'",
    ),
}


@pytest.mark.parametrize(("imports", "words"), SETTINGS.values(), ids=SETTINGS)
def test_a_line_that_only_the_grader_cannot_run_costs_nothing_and_is_named(
    examiner: Examiner, exam: Exam, imports: str, words: str
) -> None:
    report = graded(examiner, exam, *cells(imports))
    assert points(report) == FULL
    (problem,) = report.problems
    assert problem.startswith("Cell 1 (`")
    assert words in problem


GONE = {
    "the import cell": cells("# mine"),
    "its cell is Python 2": cells("print 'x'\nimport no_such_package"),
    "a cell of the course's own": [
        *cells(double="def double(x):\n    return helper(scale * np.asarray(x))")
    ],
}


@pytest.mark.parametrize("gone", GONE.values(), ids=GONE)
def test_what_the_courses_own_cells_make_is_there_for_everybody(
    examiner: Examiner, exam: Exam, gone: Any
) -> None:
    assert points(graded(examiner, exam, *gone)) == FULL


def test_what_the_student_makes_comes_before_what_the_course_makes(
    examiner: Examiner, exam: Exam
) -> None:
    report = graded(examiner, exam, *cells("scale = 3\nimport numpy as np"))
    assert points(report) == {"double": 0.0, "halve": 3.0}


def test_an_exercise_that_is_not_written_is_no_failing_cell(examiner: Examiner, exam: Exam) -> None:
    stub = "def double(x):\n    raise NotImplementedError"
    assert graded(examiner, exam, *cells(double=stub, between="double(4)")).problems == ()


def test_a_cell_that_is_meant_to_fail_is_not_told(examiner: Examiner, exam: Exam) -> None:
    shown = code("1 / 0")
    shown["metadata"]["tags"] = ["raises-exception"]
    assert graded(examiner, exam, shown, *cells()).problems == ()


def test_a_cell_that_fails_below_a_test_is_told_as_it_fails_without_one(
    examiner: Examiner, exam: Exam
) -> None:
    report = graded(examiner, exam, *cells(between="table = {}\ntable['W1']"))
    assert report.problems == (
        "Cell 4 (`table = {}`) raised KeyError at its line `table['W1']`: 'W1'.",
    )


SPIES = {
    "its message": "raise ValueError(f'seen {seen}')",
    "its class": "raise type(f'Seen{seen}'.replace('.', '_'), (Exception,), {})",
    "a file": "raise ValueError(open('seen.txt').read())",
    "a claim": "assert seen < 0, f'seen {seen}'",
}


@pytest.mark.parametrize("spy", SPIES.values(), ids=SPIES)
def test_no_error_of_a_cell_tells_what_a_test_handed_to_a_function(
    examiner: Examiner, exam: Exam, spy: str
) -> None:
    halve = "def halve(x):\n    global seen\n    seen = x\n    open('seen.txt', 'w').write(f'{x}')\n    return x / 2"
    report = graded(examiner, exam, *cells(halve=halve), code(spy))
    assert points(report) == FULL
    said = json.dumps(report.for_students().to_json())
    assert "8128" not in said
    assert report.problems  # it is told that a cell failed


def test_of_very_many_failing_cells_some_are_told_and_the_others_counted(
    examiner: Examiner, exam: Exam
) -> None:
    many = [code(f"[][{number}]") for number in range(30)]
    problems = graded(examiner, exam, *many, *cells()).problems
    assert len(problems) == 21
    assert problems[-1].startswith("10 cells more")
    below = graded(examiner, exam, *cells(), *many).problems
    assert below == tuple(
        re.sub(r"^Cell (\d+)", lambda found: f"Cell {int(found[1]) + 6}", line) for line in problems
    )


def test_long_messages_are_cut(examiner: Examiner, exam: Exam) -> None:
    (problem,) = graded(examiner, exam, code("raise ValueError('x' * 100_000)"), *cells()).problems
    assert len(problem) < 400


def test_a_name_that_is_missing_because_its_cell_fails_is_told_so(
    examiner: Examiner, exam: Exam
) -> None:
    report = graded(examiner, exam, *cells(double="def double(x):\n    return (2 * x"))
    assert report.exercises[0].status is Status.NOT_FOUND
    assert report.exercises[0].hint.startswith(
        "No `double` was found in your notebook: cell 2, which should define it"
    )
    assert points(report)["halve"] == 3.0


DOUBLE_WITH_A_BAR = "def double(x):\n    return [2 * x for _ in tqdm([0])][0]"


def test_a_function_that_uses_what_a_failing_line_should_have_made_names_its_cell(
    examiner: Examiner, exam: Exam
) -> None:
    report = graded(
        examiner,
        exam,
        *cells("from no_such_bar import tqdm\n" + IMPORTS, double=DOUBLE_WITH_A_BAR),
    )
    hint = report.exercises[0].hint
    assert "cell 1 stops with an error" in hint
    assert "in line 2 of cell 2" in hint.lower()
    assert points(report)["halve"] == 3.0


LINES = {
    "its own line": (
        "def halve(x):\n    y = x.no_such\n    return y",
        "line 2 of cell 5: `y = x.no_such`",
    ),
    "a helper of one's own": (
        "def part(x):\n    return x[0, 0, 0]\n\ndef halve(x):\n    return part(np.ones(2))",
        "line 2 of cell 5: `return x[0, 0, 0]`",
    ),
    "in a library": (
        "def halve(x):\n    return np.ones((2, 3)) @ np.ones(4)",
        "line 2 of cell 5: `return np.ones(",
    ),
}


@pytest.mark.parametrize(("halve", "words"), LINES.values(), ids=LINES)
def test_on_an_error_in_a_test_the_student_sees_the_line_of_their_own_code(
    examiner: Examiner, exam: Exam, halve: str, words: str
) -> None:
    hint = graded(examiner, exam, *cells(halve=halve)).exercises[1].hint
    assert words in hint


def test_a_forged_traceback_shows_no_line_that_is_not_the_students(
    examiner: Examiner, exam: Exam
) -> None:
    forged = (
        "def halve(x):\n    error = ValueError('x')\n    name = '<cell 9>'\n"
        "    code = compile(f'1 / 0  # {x}', name, 'exec')\n    import linecache\n"
        "    linecache.cache[name] = (9, None, [f'1 / 0  # {x}'], name)\n    exec(code)"
    )
    hint = graded(examiner, exam, *cells(halve=forged)).exercises[1].hint
    assert "8128" not in hint
    assert "in line 7 of cell 5" in hint
