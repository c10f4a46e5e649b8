"""One submission damaged in many ways, as editors, merges and people do it: what nbgrader restores and what it loses.

Each damage takes the cells of a right notebook and returns others; the notebook is of the course below.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from small_course import code, solution, test, text

Cells = list[dict[str, Any]]

IMPORTS = "import numpy as np"
DOUBLE = "def double(x):\n    return helper(2 * np.asarray(x))"
MEAN = "def mean_rows(X):\n    return np.mean(X, axis=0)"
STUB = "raise NotImplementedError"
PLACEHOLDER = "YOUR ANSWER HERE"


def source_cells() -> Cells:
    """The source notebook: two tests, a locked helper, two essays."""
    return [
        text("# Homework"),
        code(IMPORTS),
        code("def helper(x):\n    return x + 0", grade_id="helper", locked=True),
        solution(f"### BEGIN SOLUTION\n{DOUBLE}\n### END SOLUTION"),
        test("assert double(1) == 2\n### BEGIN HIDDEN TESTS\nassert double(21) == 42\n### END HIDDEN TESTS", "double"),
        solution(f"### BEGIN SOLUTION\n{MEAN}\n### END SOLUTION", "mean_solution"),
        test("### BEGIN HIDDEN TESTS\nassert np.allclose(mean_rows([[1, 2], [3, 6]]), [2, 4])\n### END HIDDEN TESTS",
             "mean_rows", 3),
        text("Why does it shrink?"),
        essay("### BEGIN MARK SCHEME\nThe word gradient.\n### END MARK SCHEME", "why"),
        text("How would you see that?"),
        essay("### BEGIN SOLUTION\nBy its norm.\n### END SOLUTION", "how"),
    ]  # fmt: skip


def essay(source: str, grade_id: str) -> dict[str, Any]:
    return text(source, grade_id=grade_id, grade=True, solution=True, points=4)


def solved(released: Cells) -> Cells:
    """The released notebook with right answers, one essay written and one left."""
    answers = {"double_solution": DOUBLE, "mean_solution": MEAN, "why": "The gradient vanishes."}
    cells = copy.deepcopy(released)
    for cell in cells:
        cell["source"] = answers.get(id_of(cell), "".join(cell["source"]))
    return cells


def id_of(cell: dict[str, Any]) -> str:
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))


def change(grade_id: str, how: Callable[[dict[str, Any]], Any]) -> Callable[[Cells], Cells]:
    """Return the damage of one cell; what `how` returns takes the cell's place: a cell, several, or the cell itself."""

    def damage(cells: Cells) -> Cells:
        changed: Cells = []
        for cell in cells:
            new = how(cell) if id_of(cell) == grade_id else cell
            changed += new if isinstance(new, list) else [cell if new is None else new]
        return changed

    return damage


def typed(kind: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def retype(cell: dict[str, Any]) -> dict[str, Any]:
        kept = {
            key: value for key, value in cell.items() if key not in {"outputs", "execution_count"}
        }
        extra = {"outputs": [], "execution_count": None} if kind == "code" else {}
        return kept | {"cell_type": kind} | extra

    return retype


def marks(**changes: Any) -> Callable[[dict[str, Any]], None]:
    def remark(cell: dict[str, Any]) -> None:
        cell["metadata"]["nbgrader"].update(changes)

    return remark


def says(source: str) -> Callable[[dict[str, Any]], None]:
    return lambda cell: cell.update(source=source)


def twin(source: str | None = None, *, above: bool = False) -> Callable[[dict[str, Any]], Cells]:
    """The cell and a copy of it with its id, as JupyterLab pastes it."""

    def double(cell: dict[str, Any]) -> Cells:
        other = copy.deepcopy(cell) | {"id": f"{cell['id']}-2"}
        if source is not None:
            other["source"] = source
        return [other, cell] if above else [cell, other]

    return double


def split(first: str, second: str, *, with_id: bool) -> Callable[[dict[str, Any]], Cells]:
    def apart(cell: dict[str, Any]) -> Cells:
        below = copy.deepcopy(cell) | {"id": f"{cell['id']}-2", "source": second}
        below["metadata"] = below["metadata"] if with_id else {}
        return [cell | {"source": first}, below]

    return apart


def moved(grade_id: str, to: int) -> Callable[[Cells], Cells]:
    def move(cells: Cells) -> Cells:
        (cell,) = (one for one in cells if id_of(one) == grade_id)
        rest = [one for one in cells if one is not cell]
        place = len(rest) if to < 0 else to
        return [*rest[:place], cell, *rest[place:]]

    return move


def merged(first: str, second: str, *, keep: str) -> Callable[[Cells], Cells]:
    """Two cells made one, which has the metadata of one of them."""

    def merge(cells: Cells) -> Cells:
        found = {id_of(cell): cell for cell in cells}
        text_of_both = f"{found[first]['source']}\n{found[second]['source']}"
        gone = second if keep == first else first
        return [
            cell | ({"source": text_of_both} if id_of(cell) == keep else {})
            for cell in cells
            if id_of(cell) != gone
        ]

    return merge


def stripped(cells: Cells) -> Cells:
    return [cell | {"metadata": {}} for cell in cells]


def without(*grade_ids: str) -> Callable[[Cells], Cells]:
    return lambda cells: [cell for cell in cells if id_of(cell) not in grade_ids]


def first_code(source: str) -> Callable[[Cells], Cells]:
    """Another text in the cell with the imports."""
    return lambda cells: [
        cell | ({"source": source} if cell["source"] == IMPORTS else {}) for cell in cells
    ]


def below(grade_id: str, *new: dict[str, Any]) -> Callable[[Cells], Cells]:
    return change(grade_id, lambda cell: [cell, *copy.deepcopy(list(new))])


DOUBLE_STUB = f"def double(x):\n    {STUB}"
DAMAGES: dict[str, Callable[[Cells], Cells]] = {
    "nothing": lambda cells: cells,
    "answer raw": change("double_solution", typed("raw")),
    "answer Markdown": change("double_solution", typed("markdown")),
    "test raw": change("double", typed("raw")),
    "test Markdown": change("double", typed("markdown")),
    "locked Markdown": change("helper", typed("markdown")),
    "essay raw": change("why", typed("raw")),
    "essay code": change("why", typed("code")),
    "points raised": change("double", marks(points=100)),
    "points zero": change("mean_rows", marks(points=0)),
    "points of an essay": change("why", marks(points=100)),
    "test unlocked": change("double", marks(locked=False)),
    "test no grade": change("double", marks(grade=False)),
    "test a solution": change("double", marks(solution=True)),
    "answer locked": change("double_solution", marks(locked=True)),
    "answer no solution": change("double_solution", marks(solution=False)),
    "locked unlocked": change("helper", marks(locked=False)),
    "test emptied": change("double", says("")),
    "test passes always": change("double", says("pass")),
    "test raises": change("double", says("raise SystemExit")),
    "locked emptied": change("helper", says("")),
    "locked broken": change("helper", says("def helper(x):\n    return None")),
    "answer twice": change("double_solution", twin()),
    "answer, stub below": change("double_solution", twin(DOUBLE_STUB)),
    "answer, stub above": change("double_solution", twin(DOUBLE_STUB, above=True)),
    "answer, notes below": change("double_solution", twin("double(3)")),
    "test twice": change("double", twin()),
    "test copied to try": change("double", twin("print(double(3))")),
    "test copied above": change("double", twin("print('here')", above=True)),
    "locked copied to try": change("helper", twin("print(helper(3))")),
    "essay twice, stub below": change("why", twin(PLACEHOLDER)),
    "essay twice, stub above": change("why", twin(PLACEHOLDER, above=True)),
    "answer split": change("double_solution", split(DOUBLE, "double(3)", with_id=False)),
    "answer split, with ids": change("double_solution", split(DOUBLE, "double(3)", with_id=True)),
    "essay split": change("why", split("The gradient", "vanishes.", with_id=False)),
    "essay split, with ids": change("why", split("The gradient", "vanishes.", with_id=True)),
    "essay split, first part empty": change(
        "why", split(PLACEHOLDER, "It vanishes.", with_id=False)
    ),
    "answers merged": merged("double_solution", "mean_solution", keep="double_solution"),
    "answer merged into test": merged("double_solution", "double", keep="double"),
    "test merged into answer": merged("double_solution", "double", keep="double_solution"),
    "answer merged into locked": merged("helper", "double_solution", keep="helper"),
    "test above its answer": moved("double", 2),
    "all tests at the end": lambda cells: moved("mean_rows", -1)(moved("double", -1)(cells)),
    "answer below all": moved("double_solution", -1),
    "essay at the top": moved("why", 0),
    "upside down": lambda cells: cells[::-1],
    "metadata stripped": stripped,
    "metadata of the answer lost": change("double_solution", lambda cell: cell | {"metadata": {}}),
    "metadata of the essay lost": change("why", lambda cell: cell | {"metadata": {}}),
    "id renamed": change("double_solution", marks(grade_id="mine")),
    "id of the test renamed": change("double", marks(grade_id="mine")),
    "test deleted": without("double"),
    "tests deleted": without("double", "mean_rows"),
    "answer deleted": without("double_solution"),
    "locked deleted": without("helper"),
    "essay deleted": without("why"),
    "essay in a cell below": lambda cells: below("why", text("It vanishes."))(
        change("why", says(PLACEHOLDER))(cells)
    ),
    "essay below the placeholder": change("why", says(f"{PLACEHOLDER}\n\nIt vanishes.")),
    "essay on an error": change("why", says("It raises NotImplementedError.")),
    "essay emptied": change("why", says("")),
    "answer is wrong": change("double_solution", says("def double(x):\n    return 3 * x")),
    "answer is a stub": change("double_solution", says(DOUBLE_STUB)),
    "answer is Python 2": change(
        "double_solution", says("def double(x):\n    print 'x'\n    return 2 * x")
    ),
    "imports fail": first_code("import no_such_package\nimport numpy as np"),
    "imports deleted": first_code("# mine"),
    "a cell fails": below("helper", code("1 / 0")),
    "a cell exits": below("helper", code("exit()")),
    "answer in a cell of one's own": lambda cells: below("double_solution", code(DOUBLE))(
        change("double_solution", says("# see below"))(cells)
    ),
}

# ------------------------------------------------------------------ the same answers in other files

Book = dict[str, Any]


def with_metadata(**metadata: Any) -> Callable[[Book], bytes]:
    """The file with other metadata of its own."""
    return lambda book: json.dumps(book | {"metadata": metadata}).encode()


def of_cells(change_cell: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Book], bytes]:
    """The file with each of its cells changed."""

    def write(book: Book) -> bytes:
        return json.dumps(book | {"cells": [change_cell(cell) for cell in book["cells"]]}).encode()

    return write


def of_minor(minor: int, *, ids: bool = False) -> Callable[[Book], bytes]:
    def write(book: Book) -> bytes:
        cells = book["cells"]
        if not ids:
            cells = [{key: cell[key] for key in cell if key != "id"} for cell in cells]
        return json.dumps(book | {"nbformat_minor": minor, "cells": cells}).encode()

    return write


def as_nbformat_3(book: Book) -> bytes:
    cells = []
    for cell in book["cells"]:
        old = {"cell_type": cell["cell_type"], "metadata": cell["metadata"]}
        if cell["cell_type"] == "code":
            old |= {"input": cell["source"], "language": "python", "outputs": []}
            old["prompt_number"] = 1
        else:
            old["source"] = cell["source"]
        cells.append(old)
    sheets = [{"cells": cells, "metadata": {}}]
    made = {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": sheets}
    return json.dumps(made).encode()


def with_marks(**marks: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A cell with other marks of nbgrader's; None takes one away."""

    def remark(cell: dict[str, Any]) -> dict[str, Any]:
        if not id_of(cell):
            return cell
        changed = cell["metadata"]["nbgrader"] | marks
        kept = {key: value for key, value in changed.items() if value is not None}
        return cell | {"metadata": cell["metadata"] | {"nbgrader": kept}}

    return remark


def without_outputs(cell: dict[str, Any]) -> dict[str, Any]:
    return {key: cell[key] for key in cell if key not in {"outputs", "execution_count"}}


def with_output(output: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda cell: cell | ({"outputs": [output]} if cell["cell_type"] == "code" else {})


def in_lines(cell: dict[str, Any]) -> dict[str, Any]:
    return cell | {"source": cell["source"].splitlines(keepends=True)}


def lived_in(cell: dict[str, Any]) -> dict[str, Any]:
    """A cell as JupyterLab, VS Code and Colab leave it."""
    own = {"collapsed": True, "tags": ["mine"], "deletable": False, "jupyter": {"x": 1}}
    return cell | {"metadata": cell["metadata"] | own | {"colab": {"base_uri": "https://x"}}}


R_KERNEL = {"display_name": "R", "language": "R", "name": "ir"}
CONDA_KERNEL = {"display_name": "dl", "language": "python", "name": "conda-env-dl-py"}
COLAB = {"colab": {"provenance": []}, "accelerator": "GPU"}
FORMS: dict[str, Callable[[Book], bytes]] = {
    "nbformat 3": as_nbformat_3,
    "nbformat 4.0": of_minor(0),
    "nbformat 4.4": of_minor(4),
    "nbformat 4.5 without ids": of_minor(5),
    "nbformat 4.9": of_minor(9, ids=True),
    "nbformat 5": lambda book: json.dumps(book | {"nbformat": 5}).encode(),
    "one id for all cells": of_cells(lambda cell: cell | {"id": "same"}),
    "a kernel of conda's": with_metadata(kernelspec=CONDA_KERNEL),
    "a kernel of R's": with_metadata(kernelspec=R_KERNEL, language_info={"name": "R"}),
    "no kernel": with_metadata(),
    "from Colab": with_metadata(
        **COLAB, kernelspec={"name": "python3", "display_name": "Python 3"}
    ),
    "a widget's state": with_metadata(widgets={"application/vnd.jupyter.widget-state+json": {}}),
    "sources in lines": of_cells(in_lines),
    "cells that were lived in": of_cells(lived_in),
    "marks of schema 1": of_cells(with_marks(schema_version=1, task=None)),
    "marks of schema 2": of_cells(with_marks(schema_version=2, task=None)),
    "marks of schema 4": of_cells(with_marks(schema_version=4)),
    "marks of no schema": of_cells(with_marks(schema_version=None)),
    "marks of another course": of_cells(with_marks(cell_type="code", checksum="0" * 32)),
    "no outputs at all": of_cells(without_outputs),
    "an output of no kind": of_cells(with_output({"data": {}})),
    "a mark before the text": lambda book: b"\xef\xbb\xbf" + json.dumps(book).encode(),
    "UTF-16": lambda book: json.dumps(book).encode("utf-16"),
    "lines of Windows": lambda book: json.dumps(book, indent=1).replace("\n", "\r\n").encode(),
    "NaN": with_metadata(x=float("nan")),
}
