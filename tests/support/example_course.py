"""A course for nbgrader as a newcomer has it: two notebooks in one assignment, a module and data beside them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from small_course import code, notebook, solution, test, text

NBGRADER_CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "example"
"""
SQUARES = """\
def squares(n):
    \"\"\"Return the squares of 1 to n.\"\"\"
    ### BEGIN SOLUTION
    return [k ** 2 for k in range(1, n + 1)]
    ### END SOLUTION
"""
TEST_SQUARES = """\
assert squares(1) == [1]
### BEGIN HIDDEN TESTS
assert squares(4) == [1, 4, 9, 16]
### END HIDDEN TESTS
"""
TOTAL = """\
def total(path):
    \"\"\"Return the sum of the numbers in a file.\"\"\"
    ### BEGIN SOLUTION
    return sum(read_numbers(path))
    ### END SOLUTION
"""
TEST_TOTAL = 'assert total("data/numbers.txt") == 6\n'
COUNTER = """\
class Counter:
    ### BEGIN SOLUTION
    def __init__(self):
        self.count = 0

    def increase(self):
        self.count += 1
    ### END SOLUTION
"""
# The test derives a class from the student's, which no value can stand for.
TEST_COUNTER = """\
class Twice(Counter):
    def increase(self):
        super().increase()
        super().increase()
counter = Twice()
counter.increase()
assert counter.count == 2
"""

PROBLEM_1 = [
    text("# Problem 1"),
    solution(SQUARES, "squares_answer"),
    test(TEST_SQUARES, "squares"),
]
PROBLEM_2 = [
    code("from reading import read_numbers"),
    solution(TOTAL, "total_answer"),
    test(TEST_TOTAL, "total", 1),
    solution(COUNTER, "counter_answer"),
    test(TEST_COUNTER, "counter", 3),
    text("Why?", grade=True, solution=True, grade_id="why", points=2),
]
READING = "def read_numbers(path):\n    return [int(line) for line in open(path)]\n"


def write_notebook(path: Path, cells: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook(*cells)))


def write_example_course(folder: Path) -> None:
    """Write the course's sources."""
    folder.mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(NBGRADER_CONFIG)
    source = folder / "source" / "ps1"
    write_notebook(source / "problem1.ipynb", PROBLEM_1)
    write_notebook(source / "problem2.ipynb", PROBLEM_2)
    (source / "data").mkdir()
    (source / "data" / "numbers.txt").write_text("1\n2\n3\n")
    (source / "reading.py").write_text(READING)


def answer(cells: list[dict[str, Any]], **answers: str) -> bytes:
    """Return a notebook of a student's, with these answers and the tests as they were given."""
    mine = []
    for cell in cells:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        mine.append(cell | {"source": answers[grade_id]} if grade_id in answers else cell)
    return json.dumps(notebook(*mine)).encode()


RIGHT_1 = answer(
    PROBLEM_1, squares_answer="def squares(n):\n    return [k * k for k in range(1, n + 1)]"
)
WRONG_1 = answer(PROBLEM_1, squares_answer="def squares(n):\n    return [1]")
RIGHT_2 = answer(
    PROBLEM_2,
    total_answer="from mine import add\n\ndef total(path):\n    return add(read_numbers(path))",
    counter_answer="class Counter:\n    count = 0\n    def increase(self):\n        self.count = self.count + 1",
    why="Because.",
)


def write_submitted(folder: Path) -> None:
    """Write what nbgrader's exchange gives: one student in time, one with one notebook only."""
    files = {
        "on-time/ps1/problem1.ipynb": RIGHT_1,
        "on-time/ps1/problem2.ipynb": RIGHT_2,
        "on-time/ps1/mine.py": b"def add(numbers):\n    return sum(numbers)\n",
        "on-time/ps1/timestamp.txt": b"2027-03-06 20:15:00 UTC",
        "late/ps1/problem1.ipynb": WRONG_1,
        "late/ps1/timestamp.txt": b"2027-03-07 20:15:00 UTC",
    }
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def write_moodle_archive(path: Path) -> None:
    """Write what Moodle lets one download: the second student has corrected the first notebook."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        entry = zipfile.ZipInfo(
            "Always Late_312_assignsubmission_file_/problem1.ipynb", (2027, 3, 8, 9, 0, 0)
        )
        archive.writestr(entry, RIGHT_1)
    path.write_bytes(content.getvalue())
