"""The leaderboard's number is what was measured here with data that the student does not have, or there is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from small_course import DOUBLE, REPOSITORY, SmallCourse, code, dump, solution, test

from autograder.course.errors import ExamError
from autograder.course.exam import Exam, read_exam
from autograder.course.leaderboard import MOST_LETTERS_KEPT, find_code_name
from autograder.course.reports import Report
from autograder.course.submissions import Submission
from autograder.grader.board_measuring import FAILED, NO_NUMBER, TOO_LONG, UNWRITTEN
from autograder.grader.examiner import Examiner
from autograder.jail import Limits

HIDDEN = "### BEGIN HIDDEN TESTS\nassert double(3) == 6\n### END HIDDEN TESTS"
SECRET = 4711
MEASURE = f'''"""Right answers, of 3."""
BETTER = "more"
from autograder.marking import Hint
found = [guess(number) for number in ({SECRET}, 2, 3)]
if found[0] == "too big":
    raise Hint("at most five networks")
sum(number == 7 for number in found) if found[0] != "its own" else found[1]
'''
NAMED = 'code_name = "Otter"\n'


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner(Limits(cell_seconds=4, call_seconds=2, seconds=60, memory_mb=512)) as examiner:
        yield examiner


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Exam:
    course = SmallCourse(tmp_path_factory.mktemp("course"))
    course.write(solution(DOUBLE), test(HIDDEN))
    course.source.with_name("leaderboard.py").write_text(MEASURE)
    return read_exam(course.source)


def graded(examiner: Examiner, exam: Exam, *cells: dict[str, Any]) -> Report:
    right = solution("def double(x):\n    return 2 * x")
    content = dump((right, test(HIDDEN), *cells))
    return examiner.examine(exam, Submission("hw", "hw_solved.ipynb", content)).report


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "score", "remark"),
    [
        pytest.param("def guess(x):\n    return 7", 3, "", id="honest"),
        pytest.param("def guess(x):\n    raise NotImplementedError", None, UNWRITTEN, id="a stub"),
        pytest.param("", None, UNWRITTEN, id="not there"),
        pytest.param("def guess(x):\n    return str(x) + 1", None, FAILED, id="fails"),
        pytest.param("def guess(x):\n    while True: pass", None, TOO_LONG, id="without end"),
        pytest.param("import os\ndef guess(x):\n    os._exit(0)", None, TOO_LONG, id="ends it all"),
        pytest.param(
            "def guess(x):\n    return 'too big'", None, "at most five networks", id="over budget"
        ),
        pytest.param("print('score: 1e9')\nscore = 1e9", None, UNWRITTEN, id="printed"),
        pytest.param(
            "class Always:\n    def __eq__(self, other): return True\n"
            "def guess(x):\n    return Always()",
            None,
            None,
            id="equals everything",
        ),
        pytest.param(
            "def guess(x):\n    return 'its own' if x == 4711 else float('inf')",
            None,
            NO_NUMBER,
            id="infinite",
        ),
        pytest.param(
            "def guess(x):\n    return 'its own' if x == 4711 else float('nan')",
            None,
            NO_NUMBER,
            id="nan",
        ),
        pytest.param(
            "def guess(x):\n    raise ValueError(f'the data are {x}')", None, FAILED, id="carries"
        ),
        pytest.param(
            "def guess(x):\n    global code_name\n    code_name = str(x)\n    return 7",
            3,
            "",
            id="renames itself",
        ),
    ],
)
def test_what_an_answer_gets(
    examiner: Examiner, exam: Exam, answer: str, score: float | None, remark: str | None
) -> None:
    report = graded(examiner, exam, code(NAMED + answer))
    assert report.points == report.max_points == 2
    assert report.entry is not None
    assert report.entry.code_name == "Otter"
    assert remark is None or report.entry.remark == remark
    assert report.entry.score == score
    for_students = json.dumps(report.for_students().to_json())
    assert str(SECRET) not in for_students
    assert Report.from_json(json.loads(for_students)).entry == report.entry


@pytest.mark.slow
def test_nothing_is_measured_of_who_does_not_ask(examiner: Examiner, exam: Exam) -> None:
    for line in ("", 'code_name = ""\n', "# code_name = 'Otter'\n", " code_name = other\n"):
        report = graded(examiner, exam, code(f"{line}def guess(x):\n    return 7"))
        assert report.entry is None
        assert "entry" not in report.to_json()


KMEANS = """
def my_clusters(X, k):
    np.random.seed(0)
    centres = X[:k]
    for _ in range(30):
        nearest = np.argmin(((X[:, None] - centres) ** 2).sum(axis=2), axis=1)
        centres = np.array([X[nearest == j].mean(axis=0) for j in range(k)])
    return nearest
"""


@pytest.mark.slow
def test_the_example_of_the_guide_measures(
    examiner: Examiner, tmp_path_factory: pytest.TempPathFactory
) -> None:
    guide = (REPOSITORY / "docs" / "writing-exercises.md").read_text()
    course = SmallCourse(tmp_path_factory.mktemp("course"))
    course.write(solution(DOUBLE), test(HIDDEN))
    example = guide.split("```python\n# leaderboard.py\n")[1].split("```")[0]
    course.source.with_name("leaderboard.py").write_text(example)
    exam = read_exam(course.source)
    found = []
    for answer in (KMEANS, "def my_clusters(X, k):\n    return X[:, 0]"):
        report = graded(examiner, exam, code(f"import numpy as np\n{NAMED}{answer}"))
        found.append(report.entry)
    right, wrong = found
    assert right is not None
    assert right.score is not None
    assert 70 < right.score <= 100
    assert wrong is not None
    assert wrong.remark == "`my_clusters` returns one whole number for each point."


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        (["code_name = 'A'  # mine"], "A"),
        (["%matplotlib inline\ncode_name = 'A'\nif:"], "A"),
        (["code_name = 'A'", 'code_name = "B"'], "B"),
        (["code_name = 'A'", 'code_name = ""'], ""),
        (['code_name = "a\\"b"'], 'a"b'),
        (["code_name = 'A' + secret"], ""),
        (["if x:\n    code_name = 'A'"], ""),
        (["code_name = '\\u202eevil'"], "\N{REPLACEMENT CHARACTER}evil"),
        ([f"code_name = '{'x' * 10_000}'"], "x" * MOST_LETTERS_KEPT),
        (["code_name = '\\x'"], ""),
    ],
)
def test_a_code_name_is_read_and_not_run(cells: list[str], name: str) -> None:
    assert find_code_name(cells) == name


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("BETTER = 'more'\n1", "docstring"),
        ('"""Right."""\n1', 'write BETTER = "more" or "less"'),
        ('"""Right."""\nBETTER = "up"\n1', "'up'"),
        ('"""Right."""\nBETTER = (', "line 2"),
    ],
)
def test_what_does_not_say_what_it_measures_is_refused(
    small_course: SmallCourse, source: str, complaint: str
) -> None:
    small_course.source.with_name("leaderboard.py").write_text(source)
    with pytest.raises(ExamError, match=complaint):
        read_exam(small_course.source)


def test_a_changed_measure_is_measured_again(small_course: SmallCourse) -> None:
    without = read_exam(small_course.source)
    path = small_course.source.with_name("leaderboard.py")
    path.write_text(MEASURE)
    first = read_exam(small_course.source)
    path.write_text(MEASURE + "\n7")
    versions = {without.version, first.version, read_exam(small_course.source).version}
    assert len(versions) == 3
    assert "leaderboard.py" not in first.files
