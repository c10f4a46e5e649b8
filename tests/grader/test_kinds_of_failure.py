"""In the jail: endless recursion behind a raised limit, missing packages, lost names, other processes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from small_course import SmallCourse, code, dump, solution, test

from autograder.course.exam import Exam, read_exam
from autograder.course.submissions import Submission
from autograder.grader.examined_notebooks import ExaminedNotebook
from autograder.grader.examiner import Examiner
from autograder.jail import Limits

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner(Limits(cell_seconds=20, call_seconds=20, seconds=120, memory_mb=512)) as examiner:
        yield examiner


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Exam:
    course = SmallCourse(tmp_path_factory.mktemp("course"))
    course.write(
        code("import numpy as np"),
        solution("def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"),
        test("### BEGIN HIDDEN TESTS\nassert double(21) == 42\n### END HIDDEN TESTS"),
        solution("def same(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION", "same_solution"),
        test("### BEGIN HIDDEN TESTS\nassert same(3) == 3\n### END HIDDEN TESTS", "same", 3),
    )  # fmt: skip
    return read_exam(course.source)


def graded(examiner: Examiner, exam: Exam, double: str, above: str = "") -> ExaminedNotebook:
    cells = [
        code("import numpy as np"), code(above), solution(double), test(""),
        solution("def same(x):\n    return x", "same_solution"), test("", "same", 3),
    ]  # fmt: skip
    return examiner.examine(exam, Submission("hw", "hw_solved.ipynb", dump(cells)))


DEEP = "def double(x):\n    return double(x)"
HINTS = {
    "recursion": (DEEP, "", "calls itself without end"),
    "recursion behind a raised limit": (
        DEEP,
        "import sys\nsys.setrecursionlimit(10**8)",
        "calls itself without end",
    ),
    "recursion of two": (
        "def other(x):\n    return double(x)\ndef double(x):\n    return other(x)",
        "from sys import setrecursionlimit\nsetrecursionlimit(10**9)",
        "calls itself without end",
    ),
    "a lost name": (
        "def double(x):\n    return np.float(2 * x)",
        "",
        "NumPy no longer has `np.float`: write `float`",
    ),
    "a lost constant": (
        "def double(x):\n    return min(np.Inf, 2 * x)",
        "",
        "`np.Inf`: write `np.inf`",
    ),
    "a lost name, imported": (
        "def double(x):\n    from numpy import int\n    return int(2 * x)",
        "",
        "`np.int`",
    ),
    "a missing package": (
        "def double(x):\n    import torch\n    return 2 * x",
        "",
        "imported that is not there when",
    ),
    "a missing part": (
        "def double(x):\n    from math import nothing\n    return 2 * x",
        "",
        "package does not have",
    ),
}


@pytest.mark.parametrize(("double", "above", "words"), HINTS.values(), ids=HINTS)
def test_each_kind_of_failure_has_its_words_and_the_line(
    examiner: Examiner, exam: Exam, double: str, above: str, words: str
) -> None:
    report = graded(examiner, exam, double, above).report
    assert [result.points for result in report.exercises] == [0.0, 3.0]
    assert words in report.exercises[0].hint
    assert re.search(r"It happened in line [24] of cell 3: `", report.exercises[0].hint)


COUNTING = """
def double(x):
    def count(n):
        return 0 if n == 0 else 1 + count(n - 1)
    return 2 * x + count(9000) - 9000
"""


def test_a_deep_recursion_with_an_end_is_done(examiner: Examiner, exam: Exam) -> None:
    report = graded(examiner, exam, COUNTING, "import sys\nsys.setrecursionlimit(10_000)").report
    assert report.points == 5.0


GET, MAP = "from multiprocessing import get_context\n", "print(list(pool.map(square, [1, 2, 3])))"
POOLS = {
    "spawn": f"{GET}with get_context('spawn').Pool(2) as pool:\n    {MAP}",
    "forkserver": f"{GET}with get_context('forkserver').Pool(2) as pool:\n    {MAP}",
    "spawn for all": "import multiprocessing\nmultiprocessing.set_start_method('spawn')\n"
    f"with multiprocessing.Pool(2) as pool:\n    {MAP}",
    "as it comes": f"from multiprocessing import Pool\nwith Pool(2) as pool:\n    {MAP}",
    "an executor": f"from concurrent.futures import ProcessPoolExecutor\n{GET}"
    f"with ProcessPoolExecutor(2, mp_context=get_context('spawn')) as pool:\n    {MAP}",
    "joblib": "from joblib import Parallel, delayed\nprint(Parallel(n_jobs=2)(delayed(square)(n) for n in [1, 2, 3]))",
}


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_processes_are_started_whichever_way_a_notebook_asks_for(
    examiner: Examiner, exam: Exam, pool: str
) -> None:
    if examiner.jail.rung == 3:
        pytest.skip("rung 3 has no /dev/shm")
    examined = graded(
        examiner,
        exam,
        "def double(x):\n    return 2 * x",
        f"def square(n):\n    return n * n\n{pool}",
    )
    assert examined.report.problems == ()
    assert examined.report.points == 5.0
    assert examined.cells[1]["outputs"][0]["text"] == "[1, 4, 9]\n"
