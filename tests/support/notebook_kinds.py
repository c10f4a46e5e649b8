"""Source notebooks of every kind that nbgrader's own documentation knows, written anew, and nbgrader's scores of them.

`notebook_kinds_nbgrader.json` holds the scores of the source itself and of the released notebook; with
`python tests/support/notebook_kinds.py FOLDER` plain nbgrader is asked again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbgrader_course import nbgrader
from small_course import cell, code, notebook, solution, test, text

SCORES = Path(__file__).with_name("notebook_kinds_nbgrader.json")
CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "kinds"
c.CourseDirectory.source_directory = "source"
c.CourseDirectory.release_directory = "release"
"""
OWN_MARKERS = """\
c.ClearSolutions.begin_solution_delimeter = "VVV ANSWER"
c.ClearSolutions.end_solution_delimeter = "^^^ ANSWER"
c.ClearSolutions.code_stub = {"python": "# here goes your code\\n..."}
c.ClearSolutions.text_stub = "(your words)"
c.ClearHiddenTests.begin_test_delimeter = "VVV SECRET"
c.ClearHiddenTests.end_test_delimeter = "^^^ SECRET"
c.ClearMarkScheme.begin_mark_scheme_delimeter = "VVV MARKS"
c.ClearMarkScheme.end_mark_scheme_delimeter = "^^^ MARKS"
"""
AUTOTESTS = """\
python3:
    setup: "from hashlib import sha1"
    hash: 'sha1({{snippet}}.encode("utf-8")+b"{{salt}}").hexdigest()'
    dispatch: "type({{snippet}})"
    normalize: "str({{snippet}})"
    check: 'assert {{snippet}} == "{{value}}", "{{message}}"'
    success: "print('Success!')"
    templates:
        default:
            - test: "type({{snippet}})"
              fail: "type of {{snippet}} is not correct"
            - test: "{{snippet}}"
              fail: "value of {{snippet}} is not correct"
"""
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


def answer(source: str, grade_id: str, begin: str = BEGIN, end: str = END) -> dict[str, Any]:
    """A solution cell with one region, which is all of it."""
    return solution(f"{begin}\n{source}\n{end}", grade_id)


def hidden(source: str) -> str:
    return f"### BEGIN HIDDEN TESTS\n{source}\n### END HIDDEN TESTS"


def task(source: str, grade_id: str, points: float) -> dict[str, Any]:
    return cell("markdown", source, grade_id=grade_id, task=True, locked=True, points=points)


def manual(kind: str, source: str, grade_id: str, points: float) -> dict[str, Any]:
    made = code if kind == "code" else text
    return made(source, grade_id=grade_id, grade=True, solution=True, points=points)


def tagged(made: dict[str, Any], *tags: str) -> dict[str, Any]:
    made["metadata"]["tags"] = list(tags)
    return made


KINDS: dict[str, list[dict[str, Any]]] = {
    "tasks": [
        text("# Tasks"),
        task(
            "Draw what you found.\n\n=== BEGIN MARK SCHEME ===\nTwo marks for axes.\n=== END MARK SCHEME ===",
            "draw",
            3,
        ),
        text("Here."),
        task("Discuss it with your neighbour.", "discuss", 1),
        answer("n = 4", "n_answer"),
        test("assert n == 4", "n", 1),
    ],
    "by-hand": [
        manual("code", f"def plot_it(x):\n    {BEGIN}\n    return x + 1\n    {END}", "plot_it", 2),
        manual("markdown", "Because of the law of large numbers.", "why", 2),
        answer("m = 1", "m_answer"),
        test(hidden("assert m == 1"), "m", 1),
    ],
    "several-tests": [
        answer("def f(x):\n    return abs(x)", "f_answer"),
        test("assert f(1) == 1", "f_positive", 1),
        test(hidden("assert f(-1) == 1"), "f_negative", 2),
        test("assert callable(f)", "f_no_points", 0),
        test("assert 1 + 1 == 2", "no_answer", 1),
    ],
    "quiet-stubs": [
        solution(
            f"def g(x):\n    y = None\n    {BEGIN}\n    y = 2 * x\n    {END}\n    return y",
            "g_answer",
        ),
        code("g(3)"),
        code("print(g(3) + 1)"),
        test("assert g(2) == 4", "g", 1),
        test("assert g(0) in (0, None)", "g_weak", 1),
    ],
    "tight-markers": [
        solution(
            "def h(x):\n    ###BEGIN SOLUTION\n    return x ** 2\n    ###END SOLUTION", "h_answer"
        ),
        solution("# BEGIN SOLUTION\nk = h(3)\n# END SOLUTION", "k_answer"),
        test(
            "assert h(2) == 4\n###BEGIN HIDDEN TESTS\nassert h(5) == 25 and k == 9\n###END HIDDEN TESTS",
            "h",
            2,
        ),
    ],
    "own-markers": [
        answer("p = 3", "p_answer", "# VVV ANSWER", "# ^^^ ANSWER"),
        test(
            "assert p > 0, 'p is positive'\n# VVV SECRET\nassert p == 3, 'p is three'\n# ^^^ SECRET",
            "p",
            1,
        ),
        manual("markdown", "All of it.", "words", 1),
        task("Think.\nVVV MARKS\none each\n^^^ MARKS", "think", 1),
    ],
    "modern-python": [
        code("import asyncio, pickle\nfrom dataclasses import dataclass"),
        answer("@dataclass\nclass P:\n    x: int\n    y: int = 0", "P_answer"),
        test(
            hidden("assert P(1) == P(1, 0)\nassert pickle.loads(pickle.dumps(P(2))).x == 2"), "P", 1
        ),
        answer("async def soon(x):\n    await asyncio.sleep(0)\n    return x", "soon_answer"),
        code("await asyncio.sleep(0)"),
        test("assert await soon(3) == 3", "soon", 1),
        tagged(code("1 / 0"), "raises-exception"),
        code("%matplotlib inline\nt = %timeit -o -n1 -r1 sum([1])"),
        answer("q = t.repeat", "q_answer"),
        test("assert q == 1", "q", 1),
    ],
    "errors-on-purpose": [
        answer("r = 5", "r_answer"),
        code("undefined_name"),
        test("assert r == 5", "r", 1),
    ],
    "names-of-tests": [
        answer("def make():\n    return [1, 2]", "make_answer"),
        test("made = make()\nassert made == [1, 2]", "make", 1),
        answer("total = sum(made)", "total_answer"),
        test(hidden("assert total == 3"), "total", 2),
    ],
    "autotests": [
        answer("s = [1, 2, 3]", "s_answer"),
        test("### AUTOTEST s; len(s)", "s", 2),
        answer("u = 'quite'", "u_answer"),
        test("### HASHED AUTOTEST u\n" + hidden("### AUTOTEST u.upper()"), "u", 2),
    ],
    "partial-credit": [
        answer("def parts(x):\n    return 1 if x else 0", "parts_answer"),
        test(
            "points = 0\nif parts(1) == 1:\n    points += 1\nif parts(0) == 0:\n    points += 2\npoints",
            "parts",
            3,
        ),
        test("assert parts(1) == 1\n3;  # not a number of points", "quiet", 4),
    ],
}

# Longer notebooks like those of courses on the web: one whose tests make names, one with data beside it, one on pandas.
KINDS["course-of-classes"] = [
    text("# Shapes"),
    code("import math\nfrom abc import ABC, abstractmethod"),
    code("class Shape(ABC):\n    @abstractmethod\n    def area(self):\n        ..."),
    solution(
        f"class Circle(Shape):\n    def __init__(self, r):\n        {BEGIN}\n        self.r = r\n        {END}\n"
        f"    def area(self):\n        {BEGIN}\n        return math.pi * self.r ** 2\n        {END}",
        "Circle_answer",
    ),
    test("c = Circle(2)\nassert c.r == 2\nassert isinstance(c, Shape)", "Circle_made", 1),
    test(hidden("assert math.isclose(c.area(), 4 * math.pi)"), "Circle_area", 2),
    code("print(f'The circle has the area {c.area():.2f}')"),
    answer(
        "def largest(shapes):\n    return max(shapes, key=lambda shape: shape.area())",
        "largest_answer",
    ),
    test("circles = [Circle(1), c, Circle(0.5)]\nassert largest(circles) is c", "largest", 2),
    answer("areas = [round(shape.area(), 2) for shape in circles]", "areas_answer"),
    test(hidden("assert areas == [3.14, 12.57, 0.79]"), "areas", 1),
    manual("markdown", "A circle is the set of points at one distance.", "definition", 2),
]
KINDS["course-with-data"] = [
    code("import csv\nimport numpy as np\nfrom tools.stats import centred"),
    answer(
        "def load(path):\n    with open(path) as file:\n        rows = list(csv.DictReader(file))\n"
        "    return np.array([float(row['height']) for row in rows])",
        "load_answer",
    ),
    code("heights = load('data/heights.csv')\nheights"),
    test(
        "assert heights.shape == (4,)\n"
        + hidden("assert np.allclose(load('data/heights.csv'), [1.5, 1.7, 1.6, 1.8])"),
        "load",
        2,
    ),
    answer("deviation = np.sqrt((centred(heights) ** 2).mean())", "deviation_answer"),
    test(
        hidden("from tools.stats import centred\nassert np.isclose(deviation, np.std(heights))"),
        "deviation",
        1,
    ),
    answer(
        "with open('report.txt', 'w') as file:\n    file.write(f'{heights.mean():.2f}')",
        "report_answer",
    ),
    test(hidden("assert open('report.txt').read() == '1.65'"), "report", 2),
]
KINDS["course-on-pandas"] = [
    code("import pandas as pd\nsales = pd.read_csv('sales.csv', parse_dates=['day'])"),
    answer("per_shop = sales.groupby('shop')['amount'].sum()", "per_shop_answer"),
    test(
        "assert isinstance(per_shop, pd.Series)\n"
        + hidden("assert per_shop.to_dict() == {'a': 30.0, 'b': 12.5}"),
        "per_shop",
        2,
    ),
    answer(
        "def best_days(frame, n):\n    ordered = frame.sort_values('amount', ascending=False)\n"
        "    return ordered.head(n).reset_index(drop=True)",
        "best_days_answer",
    ),
    test(
        hidden(
            "found = best_days(sales, 2)\nassert list(found['amount']) == [20.0, 12.5]\n"
            "assert found['day'].dt.day.tolist() == [2, 3]"
        ),
        "best_days",
        3,
    ),
    answer("with_tax = sales.assign(gross=sales.amount * 1.25)", "with_tax_answer"),
    test(
        "pd.testing.assert_series_equal(with_tax['gross'], sales['amount'] * 1.25, check_names=False)",
        "with_tax",
        1,
    ),
    answer("wide = sales.pivot_table(index='day', columns='shop', values='amount')", "wide_answer"),
    test(
        hidden("assert wide.shape == (3, 2)\nassert wide.loc['2024-01-02', 'a'] == 20.0"), "wide", 2
    ),
]
FILES = {
    "course-with-data": {
        "data/heights.csv": "name,height\nA,1.5\nB,1.7\nC,1.6\nD,1.8\n",
        "tools/__init__.py": "",
        "tools/stats.py": "def centred(values):\n    return values - values.mean()\n",
    },
    "course-on-pandas": {
        "sales.csv": "day,shop,amount\n2024-01-01,a,10.0\n2024-01-02,a,20.0\n2024-01-03,b,12.5\n"
    },
}


def write_course(folder: Path, names: list[str]) -> None:
    """Write a course with an assignment for each kind, all with one configuration but for the own markers."""
    folder.mkdir(parents=True, exist_ok=True)
    own = OWN_MARKERS if names == ["own-markers"] else ""
    (folder / "nbgrader_config.py").write_text(CONFIG + own)
    (folder / "autotests.yml").write_text(AUTOTESTS)
    for name in names:
        path = folder / "source" / name / f"{name}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook(*KINDS[name])))
        write_files(path.parent, name)


def write_files(folder: Path, name: str) -> None:
    """Write what lies beside a notebook."""
    for place, content in FILES.get(name, {}).items():
        file = folder / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


def ask_nbgrader(
    folder: Path, kinds: Sequence[str] = tuple(KINDS)
) -> dict[str, dict[str, dict[str, Any]]]:
    """Have plain nbgrader release and grade every kind: {kind: {"solved" or "stub": {cell: points}}}."""
    scores: dict[str, dict[str, dict[str, Any]]] = {}
    ordinary = [name for name in kinds if name != "own-markers"]
    for number, names in enumerate([ordinary, [name for name in kinds if name == "own-markers"]]):
        root = folder / str(number)
        write_course(root, names)
        for name in names:
            nbgrader(root, "generate_assignment", name)
            for student, made in (("solved", "source"), ("stub", "release")):
                target = root / "submitted" / student / name / f"{name}.ipynb"
                target.parent.mkdir(parents=True)
                target.write_bytes((root / made / name / f"{name}.ipynb").read_bytes())
                write_files(target.parent, name)
            nbgrader(root, "autograde", name)
            scores[name] = _scores(root, name)
    return scores


def _scores(root: Path, assignment: str) -> dict[str, dict[str, Any]]:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        return {
            submission.student.id: {
                grade.name: grade.auto_score for grade in submission.notebooks[0].grades
            }
            for submission in book.assignment_submissions(assignment)
        }


if __name__ == "__main__":
    SCORES.write_text(
        json.dumps(ask_nbgrader(Path(sys.argv[1])), indent=1, sort_keys=True) + "\n",
        encoding="utf-8",
    )
