"""What a person who marks sees of an answer: its words, its pictures, and nothing that runs or leads away."""

from __future__ import annotations

import base64
import io
import time
from typing import Any

import pytest
from small_course import SmallCourse, code, dump, solution, test, text

from autograder.course.exam import read_exam
from autograder.gradebook.answer_pictures import NOT_SHOWN, show_answer
from autograder.gradebook.autograded_notebooks import autograded_notebook


def picture(kind: str) -> bytes:
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(0.2, 0.2))
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind)
    plt.close(figure)
    return buffer.getvalue()


PNG = picture("png")
ENCODED = base64.b64encode(PNG).decode()
JPEG = base64.b64encode(picture("jpeg")).decode()
SVG = base64.b64encode(
    b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
).decode()
ATTACHED = {"my graph.png": {"image/png": ENCODED}}


def shown_page(source: str, attachments: dict[str, Any]) -> str:
    """The HTML that nbgrader's formgrader makes of a cell, by nbconvert's own filter."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    markdown, pictures = show_answer(source, attachments)
    return MarkdownWithMath(renderer=IPythonRenderer(escape=False, attachments=pictures)).render(
        markdown
    )


SHOWN = {
    "attached": ("My graph: ![it](attachment:my%20graph.png)", ATTACHED),
    "attached, with a title": ("![it](attachment:my%20graph.png 'title')", ATTACHED),
    "attached, as a tag": ('<img src="attachment:my graph.png" width="300">', ATTACHED),
    "attached, not named": ("Below.", ATTACHED),
    "embedded": (f"![it](data:image/png;base64,{ENCODED})", {}),
    "embedded, as a tag": (f'<img alt="x" src="data:image/png;base64,{ENCODED}"/>', {}),
    "of another type than it says": ("![it](attachment:a)", {"a": {"image/svg+xml": ENCODED}}),
    "in lines": (
        "![it](attachment:a)",
        {"a": {"image/png": "\n".join((ENCODED[:40], ENCODED[40:]))}},
    ),
}


@pytest.mark.parametrize(("source", "attachments"), SHOWN.values(), ids=SHOWN)
def test_a_picture_is_shown(source: str, attachments: dict[str, Any]) -> None:
    assert f'src="data:image/png;base64,{ENCODED}"' in shown_page(source, attachments)


def test_a_photograph_is_shown() -> None:
    assert f"data:image/jpeg;base64,{JPEG}" in shown_page(
        "![it](attachment:a)", {"a": {"image/jpeg": JPEG}}
    )


HIDDEN = {
    "a drawing with a script": ("![it](attachment:a)", {"a": {"image/svg+xml": SVG}}),
    "a drawing that says it is a picture": ("![it](attachment:a)", {"a": {"image/png": SVG}}),
    "an embedded drawing": (f"![it](data:image/svg+xml;base64,{SVG})", {}),
    "no base64": ("![it](attachment:a)", {"a": {"image/png": '"><script>alert(1)</script>'}}),
    "nothing attached": ("![it](attachment:a)", {}),
    "too large": (
        "![it](attachment:a)",
        {"a": {"image/png": base64.b64encode(PNG + bytes(6 << 20)).decode()}},
    ),
}


@pytest.mark.parametrize(("source", "attachments"), HIDDEN.values(), ids=HIDDEN)
def test_what_is_no_picture_is_not_shown_and_the_page_is_whole(
    source: str, attachments: dict[str, Any]
) -> None:
    page = shown_page(source, attachments)
    assert NOT_SHOWN in page
    assert "<script" not in page
    assert "<img" not in page


LEADING_AWAY = {
    "a link": "[here](https://example.org)",
    "a picture elsewhere": "![it](https://example.org/a.png)",
    "a tag": '<img src="https://example.org/a.png">',
    "a script": "<script>alert(1)</script>",
    "a name that is markup": "![it](attachment:<script>alert(1)</script>)",
    "a place of ours": "\ue0000\ue001",
    "a tag around a picture": f'<img onerror="alert(1)" src="data:image/png;base64,{ENCODED}">',
}


@pytest.mark.parametrize("source", LEADING_AWAY.values(), ids=LEADING_AWAY)
def test_pictures_open_no_way_for_anything_else(source: str) -> None:
    page = shown_page(source, {})
    assert 'example.org/a.png"' not in page
    assert "<script" not in page
    assert "<a href" not in page
    assert "onerror=" not in page


@pytest.mark.slow
def test_there_is_an_end_to_pictures_and_to_looking_for_them() -> None:
    many = "\n".join(f"![it](data:image/png;base64,{ENCODED})" for _ in range(30))
    text, pictures = show_answer(many, {})
    assert len(pictures) == 20
    assert text.count(NOT_SHOWN) == 10
    begin = time.process_time()
    for piece in (
        "<img ",
        "![",
        "![](attachment:",
        "![a](data:image/png;base64,",
        "<img src='data:image/png;base64,",
    ):
        show_answer(piece * 10_000, {})
    assert time.process_time() - begin < 20


def essay(source: str, grade_id: str = "why") -> dict[str, Any]:
    return text(source, grade_id=grade_id, grade=True, solution=True, points=4)


SCHEME = "### BEGIN MARK SCHEME\nThe word gradient.\n### END MARK SCHEME\n"


@pytest.fixture
def exam(small_course: SmallCourse) -> Any:
    small_course.write(solution("x = 1"), test("assert x"), text("Why?"), essay(SCHEME))
    return read_exam(small_course.source)


def marked_cell(exam: Any, *cells: dict[str, Any]) -> dict[str, Any]:
    notebook = autograded_notebook(exam, dump(cells), {})
    (found,) = [
        c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == "why"
    ]
    import nbformat

    nbformat.validate(nbformat.from_dict(notebook))
    return found


SEEN = {
    "in its place": [essay("It vanishes.")],
    "without its id": [solution("x = 1"), text("Why?"), text("It vanishes.")],
    "of another type": [essay("It vanishes.") | {"cell_type": "raw"}],
    "as code": [code("It vanishes.", grade_id="why", grade=True, solution=True, points=4)],
    "twice": [essay("It vanishes."), essay("YOUR ANSWER HERE")],
}


@pytest.mark.parametrize("cells", SEEN.values(), ids=SEEN)
def test_the_mark_is_asked_for_at_the_students_words(exam: Any, cells: list[Any]) -> None:
    found = marked_cell(exam, *cells)
    assert (found["cell_type"], found["source"]) == ("markdown", "It vanishes.")


@pytest.mark.parametrize(
    "cells", [[], [solution("x = 1")], [essay("YOUR ANSWER HERE")]], ids=["none", "gone", "left"]
)
def test_the_mark_scheme_is_never_shown_as_an_answer(exam: Any, cells: list[Any]) -> None:
    assert marked_cell(exam, *cells)["source"] == "YOUR ANSWER HERE"


def test_an_attached_picture_is_in_the_formgraders_notebook(exam: Any) -> None:
    answer = essay("My drawing: ![g.png](attachment:g.png)") | {
        "attachments": {"g.png": {"image/png": ENCODED}}
    }
    found = marked_cell(exam, answer)
    assert found["attachments"] == {"picture-1": {"image/png": ENCODED}}
    assert "![picture-1](attachment:picture-1)" in found["source"]
