"""An ordinary nbgrader course without this project's layout, and the one line that puts its students into jails."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader_course import nbgrader
from small_course import code, notebook, solution, test, text

ONE_LINE = "import autograder.gradebook.jailed_autograde as jailed; jailed.use_jails(c)"
CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "plain"
c.Execute.timeout = 5
"""
HIDDEN = "assert double(21) == 42, 'the hidden number'"
TESTS = f"assert double(1) == 2\n### BEGIN HIDDEN TESTS\n{HIDDEN}\n### END HIDDEN TESTS"
PARTIAL = "sum(double(x) == 2 * x for x in table)"
ESSAY = text("", grade_id="essay", grade=True, solution=True, points=3)
SOURCE = (
    text("# Plain"),
    code(
        "import csv\nfrom pathlib import Path\ntable = [int(row[0]) for row in csv.reader(open('data/table.csv'))]"
    ),
    solution("def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"),
    test(TESTS),
    code("made_by = 'a later cell'\nprint(double(1))"),
    test(PARTIAL, grade_id="partial", points=2),
    ESSAY,
)
ANSWERS = {
    "right": "def double(x):\n    return x + x",
    "wrong": "def double(x):\n    return x * x",
    "unsolved": "def double(x):\n    raise NotImplementedError",
    "broken": "def double(x:\n    return",
    "warns": "import sys\ndef double(x):\n    print('careful', file=sys.stderr)\n    return 2 * x",
    "endless": "while True:\n    pass",
    "prints": "def double(x):\n    print(x)\n    return 2 * x",
    "nothing": "",
}
# After the text of the test, and after its points; under nbgrader each gets what it is after.
SPIES = "def double(x):\n    print(get_ipython().user_ns['In'][-1])\n    return 2 * x"
CHEATS = {
    "deletes-asserts": "def double(x):\n    return -1\nget_ipython().input_transformers_cleanup.append("
    "lambda lines: [] if any('assert' in line for line in lines) else lines)",
    "shows-points": "def sum(values):\n    return 2",
}
EVERYONE = {**ANSWERS, **CHEATS, "spies": SPIES}
# What plain nbgrader makes of everyone's answers; `python tests/support/plain_course.py FOLDER` asks it anew.
GRADED = Path(__file__).with_name("plain_course_nbgrader.json")


def make_course(root: Path, answers: Mapping[str, str], config: str) -> Path:
    """An ordinary nbgrader course, released, with a submission of each answer."""
    source = root / "source" / "ps1"
    (source / "data").mkdir(parents=True)
    (source / "data" / "table.csv").write_text("1\n2\n")
    (source / "problem 1.ipynb").write_text(json.dumps(notebook(*SOURCE)))
    (root / "nbgrader_config.py").write_text(config)
    nbgrader(root, "generate_assignment", "ps1", "--force")
    released = json.loads((root / "release" / "ps1" / "problem 1.ipynb").read_text())
    for student, answer in answers.items():
        for cell in released["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == "double_solution":
                cell["source"] = answer
        folder = root / "submitted" / student / "ps1"
        folder.mkdir(parents=True)
        (folder / "problem 1.ipynb").write_text(json.dumps(released))
    return root


def scores(root: Path) -> dict[str, dict[str, tuple[float | None, bool]]]:
    """The automatic points of each student and cell, and whether a person is asked."""
    found: dict[str, dict[str, tuple[float | None, bool]]] = {}
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        for submission in book.assignment_submissions("ps1"):
            (submitted,) = submission.notebooks
            mine = {
                grade.name: (grade.auto_score, grade.needs_manual_grade)
                for grade in submitted.grades
            }
            found[submission.student.id] = mine
    return found


def shown(root: Path, student: str) -> list[list[Any]]:
    """What the formgrader shows below each code cell: kinds of outputs, and errors without a file's name."""
    graded = json.loads((root / "autograded" / student / "ps1" / "problem 1.ipynb").read_text())
    cells = []
    for cell in graded["cells"]:
        if cell["cell_type"] != "code":
            continue
        outputs = []
        for output in cell["outputs"]:
            said = re.sub(r"\(\S+( \d+>)?, line", "(a file, line", output.get("evalue", ""))
            text = output.get("text") if output.get("name") == "stdout" else None
            outputs.append((output["output_type"], output.get("ename"), said, text))
        cells.append(
            sorted(outputs, key=str)
        )  # which of two streams comes first is chance under nbgrader
    return cells


def as_json(value: object) -> Any:
    """A value as it is read from a file: its tuples are lists."""
    return json.loads(json.dumps(value))


def ask_nbgrader(root: Path) -> dict[str, Any]:
    """What plain nbgrader makes of the course: scores, what it shows, and the names of what it leaves."""
    make_course(root, EVERYONE, CONFIG)
    nbgrader(root, "autograde", "ps1")
    files = sorted(path.name for path in root.iterdir())
    # What an endless cell has shown when it is stopped is chance.
    outputs = {student: shown(root, student) for student in EVERYONE if student != "endless"}
    return as_json({"scores": scores(root), "shown": outputs, "files": files})  # type: ignore[no-any-return]


if __name__ == "__main__":
    graded = json.dumps(ask_nbgrader(Path(sys.argv[1])), indent=1, sort_keys=True)
    GRADED.write_text(graded + "\n", encoding="utf-8")
