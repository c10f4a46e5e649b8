import json

import pytest
from conftest import code, dump, text

from autograder.grader.notebooks import Unreadable, conflict_sides, find_notebook, misplaced, read_notebook
from autograder.records import NotebookFile


def files(*paths: str) -> tuple[NotebookFile, ...]:
    return tuple(NotebookFile(path, f"blob of {path}", 10) for path in paths)


def test_cells_keep_order_kind_and_id():
    notebook = read_notebook(dump([text("# A"), code("x = 1", grade_id="one"), code("y = 2")]))
    assert [(cell.kind, cell.source, cell.grade_id) for cell in notebook.cells] == [
        ("markdown", "# A", ""),
        ("code", "x = 1", "one"),
        ("code", "y = 2", ""),
    ]
    assert notebook.problems == ()


def test_sources_may_be_lists_of_lines():
    notebook = read_notebook(json.dumps({"cells": [{"cell_type": "code", "source": ["a\n", "b"]}]}).encode())
    assert notebook.cells[0].source == "a\nb"


def test_format_3_is_read():
    sheet = {"cells": [{"cell_type": "code", "input": "x = 1"}, {"cell_type": "heading", "source": "A"}]}
    notebook = read_notebook(json.dumps({"nbformat": 3, "worksheets": [sheet]}).encode())
    assert [(cell.kind, cell.source) for cell in notebook.cells] == [("code", "x = 1"), ("markdown", "A")]


def conflicted(ours: str, theirs: str) -> bytes:
    lines = json.dumps(json.loads(dump([code("x = 1")])), indent=1).split("\n")
    index = next(i for i, line in enumerate(lines) if '"source"' in line)
    lines[index : index + 1] = ["<<<<<<< HEAD", f"{ours},", "=======", f"{theirs},", ">>>>>>> upstream/master"]
    return "\n".join(lines).encode()


def test_the_students_own_side_of_a_conflict_is_graded():
    notebook = read_notebook(conflicted('"source": "mine"', '"source": "yours"'))
    assert notebook.cells[0].source == "mine"
    assert "<<<<<<<" in notebook.problems[0]


def test_the_other_side_of_a_conflict_is_taken_where_the_own_is_broken():
    assert read_notebook(conflicted('"source": "mine', '"source": "yours"')).cells[0].source == "yours"


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("<<<<<<< a\n1\n=======\n2\n>>>>>>> b\n3", ("1\n3", "2\n3")),
        ("0\n<<<<<<<\n1\n||||||| base\n7\n=======\n2\n>>>>>>>", ("0\n1\n", "0\n2\n")),
        ("<<<<<<<\n=======\n=======\n>>>>>>>\n<<<<<<<\n<<<<<<<\n=======\n>>>>>>>", ("<<<<<<<\n", "=======\n")),
        ("=======\n>>>>>>>\n", None),
        ("<<<<<<<\n=======\n", None),
        (" <<<<<<<\n\u2028<<<<<<<\n=======\n>>>>>>>\n", None),
    ],
)
def test_a_conflict_has_two_sides(text, sides):
    assert conflict_sides(text) == sides


def test_many_marks_of_conflicts_hold_nobody_up():
    marks = b"<<<<<<<\n" * 10_000 + b"|||||||\n" * 10_000 + b"=======\n" * 10_000
    for content in (marks, marks * 2 + b">>>>>>>\n"):
        with pytest.raises(Unreadable):
            read_notebook(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"\x80\x81", "not UTF-8"),
        (dump([code("x")])[:-20], "not valid JSON"),
        (b"[1, 2]", "no cells"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b"[" * 100_000, "not valid JSON"),
        (conflicted('"source": "mine', '"source": "yours'), "conflict marks"),
        (json.dumps({"cells": [{}] * 6000}).encode(), "6000 cells"),
        (json.dumps({"nbformat": 3, "worksheets": [{"no": "cells"}]}).encode(), "no list of cells"),
    ],
    ids=["empty", "blank", "binary", "torn", "list", "no cells", "deep", "both sides broken", "many", "empty sheet"],
)
def test_what_is_no_notebook_is_said_in_a_sentence(content, words):
    with pytest.raises(Unreadable, match=words):
        read_notebook(content)


@pytest.mark.parametrize(
    "cell",
    [
        {"cell_type": "code", "source": 7},
        {"cell_type": 3},
        {"cell_type": "code", "metadata": [], "source": "x"},
        {"cell_type": "code", "metadata": {"nbgrader": {"grade_id": ["x"]}}, "source": [1, "x"]},
    ],
)
def test_odd_cells_are_read_without_a_crash(cell):
    assert len(read_notebook(json.dumps({"cells": [cell, 5, None]}).encode()).cells) == 1


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (["assignments/hw/hw.ipynb"], "assignments/hw/hw.ipynb"),
        (["assignments/hw/hw.ipynb", "assignments/hw/hw_solved.ipynb"], "assignments/hw/hw_solved.ipynb"),
        (["assignments/hw_solved.ipynb", "assignments/hw/hw.ipynb"], "assignments/hw_solved.ipynb"),
        (["assignments/hw.ipynb"], "assignments/hw.ipynb"),
        (["hw_solved.ipynb", "assignments/other.ipynb"], None),
    ],
)
def test_a_copy_is_wanted_before_the_original(paths, found):
    file = find_notebook(files(*paths), "hw")
    assert (file.path if file else None) == found


def test_notebooks_elsewhere_are_named_but_checkpoints_are_not():
    listing = files("hw_solved.ipynb", "assignments/.ipynb_checkpoints/hw_solved.ipynb", "assignments/hw/hw.ipynb")
    assert misplaced(listing, "hw") == ("hw_solved.ipynb",)


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("assignments/hw01_numpy/hw01_solved.ipynb", True),
        ("assignments/hw01_numpy/hw01_numpy_solved (1).ipynb", True),
        ("assignments/hw01_numpy/hw01_numpy-Copy1.ipynb", True),
        ("assignments/hw01_numpy/hw02_solved.ipynb", False),
        ("assignments/hw01_numpy/scratch.ipynb", False),
        ("assignments/hw01_numpy/hw01_numpy_edited.ipynb", False),
        ("notes/hw01_solved.ipynb", False),
    ],
)
def test_a_renamed_copy_is_named_unless_there_is_a_right_one(path, seen):
    original, copy = ("assignments/hw01_numpy/hw01_numpy.ipynb", "assignments/hw01_numpy/hw01_numpy_solved.ipynb")
    assert misplaced(files(original, path), "hw01_numpy") == ((path,) if seen else ())
    assert misplaced(files(original, path, copy), "hw01_numpy") == ()
