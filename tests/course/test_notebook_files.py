import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from small_course import code, dump, text

from autograder.course.layout import find_misplaced, find_notebook
from autograder.course.notebook_files import Unreadable, conflict_sides, read_notebook
from autograder.course.submissions import NotebookFile


def files(*paths: str) -> tuple[NotebookFile, ...]:
    return tuple(NotebookFile(path, f"blob of {path}", 10) for path in paths)


def test_cells_keep_order_kind_and_id() -> None:
    notebook = read_notebook(dump([text("# A"), code("x = 1", grade_id="one"), code("y = 2")]))
    assert [(cell.kind, cell.source, cell.grade_id) for cell in notebook.cells] == [
        ("markdown", "# A", ""),
        ("code", "x = 1", "one"),
        ("code", "y = 2", ""),
    ]
    assert notebook.problems == ()


def test_sources_may_be_lists_of_lines() -> None:
    notebook = read_notebook(
        json.dumps({"cells": [{"cell_type": "code", "source": ["a\n", "b"]}]}).encode()
    )
    assert notebook.cells[0].source == "a\nb"


def test_format_3_is_read() -> None:
    sheet = {
        "cells": [{"cell_type": "code", "input": "x = 1"}, {"cell_type": "heading", "source": "A"}]
    }
    notebook = read_notebook(json.dumps({"nbformat": 3, "worksheets": [sheet]}).encode())
    assert [(cell.kind, cell.source) for cell in notebook.cells] == [
        ("code", "x = 1"),
        ("markdown", "A"),
    ]


def conflicted(ours: str, theirs: str) -> bytes:
    lines = json.dumps(json.loads(dump([code("x = 1")])), indent=1).split("\n")
    index = next(i for i, line in enumerate(lines) if '"source"' in line)
    lines[index : index + 1] = [
        "<<<<<<< HEAD",
        f"{ours},",
        "=======",
        f"{theirs},",
        ">>>>>>> upstream/master",
    ]
    return "\n".join(lines).encode()


def test_the_students_own_side_of_a_conflict_is_graded() -> None:
    notebook = read_notebook(conflicted('"source": "mine"', '"source": "yours"'))
    assert notebook.cells[0].source == "mine"
    assert "<<<<<<<" in notebook.problems[0]


def test_the_other_side_of_a_conflict_is_taken_where_the_own_is_broken() -> None:
    assert (
        read_notebook(conflicted('"source": "mine', '"source": "yours"')).cells[0].source == "yours"
    )


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("<<<<<<< a\n1\n=======\n2\n>>>>>>> b\n3", ("1\n3", "2\n3")),
        ("0\n<<<<<<<\n1\n||||||| base\n7\n=======\n2\n>>>>>>>", ("0\n1\n", "0\n2\n")),
        (
            "<<<<<<<\n=======\n=======\n>>>>>>>\n<<<<<<<\n<<<<<<<\n=======\n>>>>>>>",
            ("<<<<<<<\n", "=======\n"),
        ),
        ("=======\n>>>>>>>\n", None),
        ("<<<<<<<\n=======\n", None),
        (" <<<<<<<\n\u2028<<<<<<<\n=======\n>>>>>>>\n", None),
    ],
)
def test_a_conflict_has_two_sides(text: str, sides: tuple[str, str] | None) -> None:
    assert conflict_sides(text) == sides


def test_many_marks_of_conflicts_hold_nobody_up() -> None:
    marks = b"<<<<<<<\n" * 10_000 + b"|||||||\n" * 10_000 + b"=======\n" * 10_000
    for content in (marks, marks * 2 + b">>>>>>>\n"):
        with pytest.raises(Unreadable):
            read_notebook(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x80\x81", "not text"),
        (dump([code("x")])[:20], "not valid JSON, from line 1"),
        (b"[1, 2]", "no cells"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b"[" * 100_000, "not valid JSON"),
        (conflicted('"source": "mine', '"source": "yours'), "conflict marks"),
        (json.dumps({"cells": [{}] * 6000}).encode(), "6000 cells"),
        (json.dumps({"nbformat": 3, "worksheets": [{"no": "cells"}]}).encode(), "no list of cells"),
    ],
    ids=["binary", "torn", "list", "no cells", "deep", "both sides broken", "many", "empty sheet"],
)
def test_what_is_no_notebook_is_said_in_a_sentence(content: Any, words: str) -> None:
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
def test_odd_cells_are_read_without_a_crash(cell: dict[str, Any]) -> None:
    assert len(read_notebook(json.dumps({"cells": [cell, 5, None]}).encode()).cells) == 1


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (["assignments/hw/hw.ipynb"], "assignments/hw/hw.ipynb"),
        (
            ["assignments/hw/hw.ipynb", "assignments/hw/hw_solved.ipynb"],
            "assignments/hw/hw_solved.ipynb",
        ),
        (["assignments/hw_solved.ipynb", "assignments/hw/hw.ipynb"], "assignments/hw_solved.ipynb"),
        (["assignments/hw.ipynb"], "assignments/hw.ipynb"),
        (["hw_solved.ipynb", "assignments/other.ipynb"], None),
    ],
)
def test_a_copy_is_wanted_before_the_original(paths: list[str], found: str | None) -> None:
    file = find_notebook(files(*paths), "hw")
    assert (file.path if file else None) == found


def test_notebooks_elsewhere_are_named_but_checkpoints_are_not() -> None:
    listing = files(
        "hw_solved.ipynb",
        "assignments/.ipynb_checkpoints/hw_solved.ipynb",
        "assignments/hw/hw.ipynb",
    )
    assert find_misplaced(listing, "hw") == ("hw_solved.ipynb",)


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
def test_a_renamed_copy_is_named_unless_there_is_a_right_one(path: str, seen: bool) -> None:
    original, copy = (
        "assignments/hw01_numpy/hw01_numpy.ipynb",
        "assignments/hw01_numpy/hw01_numpy_solved.ipynb",
    )
    assert find_misplaced(files(original, path), "hw01_numpy") == ((path,) if seen else ())
    assert find_misplaced(files(original, path, copy), "hw01_numpy") == ()


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 48213\n"
OTHER_FILES = {
    "LFS pointer": (POINTER, "git lfs untrack"),
    "LFS pointer with a mark before it": (b"\xef\xbb\xbf" + POINTER, "git lfs untrack"),
    "zip": (b"PK\x03\x04\x14\x00\x00\x00", "zip archive"),
    "gzip": (b"\x1f\x8b\x08\x00", "gzip archive"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
    "picture": (b"\x89PNG\r\n\x1a\n\x00\x00", "picture"),
    "RTF": (b"{\\rtf1\\ansi", "text document"),
    "page of GitHub": (b"\n\n<!DOCTYPE html>\n<html lang='en'>", "Download raw file"),
    "page without a type": (b"<html><body>Not Found</body></html>", "web page"),
    "XML": (b"<?xml version='1.0'?><notebook/>", "web page"),
    "script": (b"import numpy as np\n\ndef f(x):\n    return x\n", "Python script"),
    "script of Colab": (b'# -*- coding: utf-8 -*-\n"""hw.ipynb"""\n', "Python script"),
    "script with cells": (b"# %% [markdown]\n# A\n# %%\nx = 1\n", "Python script"),
    "link": (b"../../hw01_numpy_solved.ipynb", "link to ../../hw01_numpy_solved.ipynb"),
    "empty": (b"", "empty.*git checkout"),
    "blank": (b" \r\n\t", "empty"),
    "zero bytes": (bytes(4096), "zero bytes.*git checkout"),
    "half a notebook in UTF-16": ('{"cells"'.encode("utf-16"), "not valid JSON"),
}


@pytest.mark.parametrize(("content", "words"), OTHER_FILES.values(), ids=OTHER_FILES)
def test_another_kind_of_file_is_told_by_its_first_bytes_with_a_step_that_works(
    content: bytes, words: str
) -> None:
    with pytest.raises(Unreadable, match=words) as caught:
        read_notebook(content)
    assert "pen it in JupyterLab" not in str(caught.value)


WHOLE = dump([text("# Kř"), code("x = 1"), code("y = 2")])
THREE = ["# Kř", "x = 1", "y = 2"]
MENDED = {
    "UTF-16 of PowerShell": (WHOLE.decode().encode("utf-16"), THREE, "p.read_text\\('utf-16'\\)"),
    "UTF-16, the other way round": (
        b"\xfe\xff" + WHOLE.decode().encode("utf-16-be"),
        ["# Kř", "x = 1", "y = 2"],
        "utf-16",
    ),
    "an editor's own encoding": ('{"cells": [{"source": "é"}]}'.encode("cp1252"), ["é"], "cp1252"),
    "a raw line break": (b'{"cells": [{"source": "a\nb"}]}', ["a\nb"], "line break"),
    "a raw tab": (b'{"cells": [{"source": "a\tb"}]}', ["a\tb"], "line break or tab"),
    "a comma too many": (
        b'{"cells": [{"source": "a"}, {"source": "b"},]}',
        ["a", "b"],
        "2 cells above",
    ),
    "a comma too few": (
        b'{"cells": [{"source": "a"} {"source": "b"}]}',
        ["a"],
        "Only the cell above",
    ),
    "cut off": (
        WHOLE[: WHOLE.index(b"y = 2")],
        ["# Kř", "x = 1"],
        "not valid JSON from line 1 .*2 cells above",
    ),
    "half a conflict": (
        b'{\n"cells": [\n{"source": "a"},\n=======\n{"source": "b"}]}',
        ["a"],
        "line 4",
    ),
}


@pytest.mark.parametrize(("content", "sources", "words"), MENDED.values(), ids=MENDED)
def test_a_file_that_jupyterlab_refuses_is_read_as_far_as_its_cells_can_be_told(
    content: Any, sources: list[str], words: str
) -> None:
    notebook = read_notebook(content)
    assert [cell.source for cell in notebook.cells] == sources
    (problem,) = notebook.problems
    assert re.search(words, problem), problem


@pytest.mark.parametrize(
    "name", ["UTF-16 of PowerShell", "an editor's own encoding", "a raw line break"]
)
def test_the_command_that_mends_a_file_does_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    content, sources, _ = MENDED[name]
    monkeypatch.chdir(tmp_path)
    Path("FILE").write_bytes(content)
    (problem,) = read_notebook(content).problems
    command = re.search("`(python .*)`", problem)[1]
    subprocess.run(
        command.replace("python", shlex.quote(sys.executable), 1), shell=True, check=True
    )
    notebook = read_notebook(Path("FILE").read_bytes())
    assert ([cell.source for cell in notebook.cells], notebook.problems) == (sources, ())
