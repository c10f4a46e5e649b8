"""The course to read in the browser: formulas without a script, pictures as files, one making for each change."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pages_class import PracticeClass, practice_class
from pages_reading import Text
from small_course import REPOSITORY

from autograder.course.configuration import Course
from autograder.course.configuration_file import load_course
from autograder.course.errors import AutograderError
from autograder.pages import PageKeys, build_site
from autograder.pages.demo_runs import execute_notebook
from autograder.pages.notebook_html import (
    highlight_code,
    keep_plain_tags,
    render_formula,
    render_notebook,
)
from autograder.pages.readings import (
    ReadingFailed,
    ReadingSource,
    list_readings,
    list_stale,
    make_reading,
)

PNG = b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
        "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
    )
).decode()
PICTURE = f'<img alt="Two &lt;clouds&gt;." onload="alert(1)" src="data:image/png;base64,{PNG}">'
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", re.DOTALL)


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "source": source,
        "metadata": {},
        "execution_count": None,
        "outputs": list(outputs),
    }


def text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def shown(**data: str) -> dict[str, Any]:
    return {
        "output_type": "display_data",
        "metadata": {},
        "data": {kind.replace("_", "/"): value for kind, value in data.items()},
    }


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def everyone(tmp_path: Path) -> PracticeClass:
    """The practice class in a course on disk, with one demo and one released homework."""
    made = practice_class()
    demos = tmp_path / "demonotebooks"
    demos.mkdir()
    demo = notebook(
        text("# A demo\n\nSee [the homework](../assignments/hw01_numpy/hw01_numpy.ipynb)."),
        code("1 + 1"),
    )
    (demos / "first.ipynb").write_text(json.dumps(demo))
    release = tmp_path / "assignments" / "hw01_numpy" / "hw01_numpy.ipynb"
    release.parent.mkdir(parents=True)
    release.write_text(
        json.dumps(notebook(text("# Arrays\n\nLet $x^2$ be."), code("raise NotImplementedError")))
    )
    course = replace(
        made.course, root=tmp_path, site=tmp_path / "site", releases=tmp_path / "assignments"
    )
    return replace(made, course=course)


def pretend_to_run(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    found["cells"][-1]["outputs"] = [shown(text_html=PICTURE, text_plain="words")]
    return found


def demo_of(course: Course) -> ReadingSource:
    (source,) = [source for source in list_stale(course) if source.is_demo]
    return source


# ------------------------------------------------------------------ a notebook as HTML


@pytest.mark.parametrize(
    "path",
    [
        *sorted(REPOSITORY.glob("demonotebooks/*.ipynb")),
        *sorted(REPOSITORY.glob("assignments/*/*.ipynb")),
    ],
    ids=lambda path: path.stem,
)
def test_every_formula_of_the_course_becomes_mathml(path: Path) -> None:
    found = json.loads(path.read_text(encoding="utf-8"))
    formulas = []
    for cell in found["cells"]:
        if cell["cell_type"] == "markdown":
            source = re.sub(r"`[^`]*`", "", "".join(cell["source"]))
            formulas += [block or inline for block, inline in FORMULA.findall(source)]
    for formula in formulas:
        markup = render_formula(formula, block=False)
        assert markup.startswith("<math") and markup.endswith("</math>"), formula
        assert not re.search(r"\\|<mi>&amp;|<code>| style=", markup), formula
    page = render_notebook(found, path.stem)
    assert page.body.count("<math") >= len(formulas)
    assert not re.search(
        r"\$[^$\n<]+\$", re.sub(r"<pre.*?</pre>|<code.*?</code>", "", page.body, flags=re.DOTALL)
    )
    assert len(page.body) < 120_000
    assert page.title


@pytest.mark.parametrize(
    ("markup", "kept"),
    [
        ("<details><summary>Why $x^2$?</summary>", "<details><summary>Why <math"),
        ('<b onclick="alert(1)">a</b>', "<b>a</b>"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ('<img src=x onerror="alert(1)">', "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;"),
        ("<iframe src='//x'></iframe>", "&lt;iframe"),
        ("a <!-- <script> --> b", "a  b"),
        ("1 < 2 &amp; 3", "1 &lt; 2 &amp; 3"),
        ("<svg/onload=alert(1)>", "&lt;svg/onload=alert(1)&gt;"),
    ],
)
def test_of_html_a_few_plain_tags_are_kept(markup: str, kept: str) -> None:
    assert kept in keep_plain_tags(markup)
    assert not re.search(
        r"<(?:script|img|iframe|svg)|on\w+=[^&]*>", keep_plain_tags(markup).replace("&quot;", "")
    )


def test_a_picture_becomes_a_file_and_keeps_its_words() -> None:
    page = render_notebook(notebook(text("# T"), code("draw()", shown(text_html=PICTURE))), "demo")
    ((name, content),) = page.pictures.items()
    assert re.fullmatch(r"demo-[0-9a-f]{12}\.png", name)
    assert content.startswith(b"\x89PNG")
    assert (
        f'<img class="drawing" loading="lazy" alt="Two &lt;clouds&gt;." src="{name}">' in page.body
    )
    assert "onload" not in page.body


def test_what_cannot_be_shown_is_told_in_words() -> None:
    widget = shown(text_plain="interactive(...)")
    widget["data"]["application/vnd.jupyter.widget-view+json"] = {}
    html_only = shown(text_html="<script>alert(1)</script>", text_plain="a table")
    printed = {"output_type": "stream", "name": "stdout", "text": ["1 < 2\n", "x" * 10_000]}
    body = render_notebook(notebook(code("f()", widget, html_only, printed)), "demo").body
    assert "Here the notebook has sliders" in body
    assert "a table" in body
    assert "1 &lt; 2" in body
    assert len(body) < 7_000
    assert "<script" not in body


def test_links_lead_to_other_readings_and_to_the_web_only() -> None:
    source = "[a](other.ipynb) [b](../x/gone.ipynb) [c](https://example.org/?a&b) [d](javascript:alert(1)) ![e](x.png)"
    body = render_notebook(notebook(text(source)), "demo", ["other"]).body
    assert '<a href="other.html">a</a> b ' in body
    assert 'href="https://example.org/?a&amp;b"' in body
    assert "javascript:" not in body
    assert "<img" not in body


# ------------------------------------------------------------------ made once, beside the points


def test_a_reading_is_made_once_for_each_change(everyone: PracticeClass) -> None:
    course = everyone.course
    assert [source.name for source in list_stale(course)] == ["first", "hw01_numpy"]
    source = demo_of(course)
    make_reading(course, source, pretend_to_run)
    assert [reading.name for reading in list_readings(course)] == ["first"]
    assert [source.name for source in list_stale(course)] == ["hw01_numpy"]
    source.path.write_text(source.path.read_text().replace("A demo", "Another demo"))
    assert list_readings(course) == ()
    assert make_reading(course, source, pretend_to_run).title == "Another demo"


def test_the_site_has_the_homework_at_once_and_a_demo_when_it_was_run(
    everyone: PracticeClass, tmp_path: Path
) -> None:
    everyone.build(tmp_path)
    index = (tmp_path / "site" / "index.html").read_text()
    assert 'href="read/hw01_numpy.html">Arrays</a>' in index
    assert "read/first.html" not in index
    make_reading(everyone.course, demo_of(everyone.course), pretend_to_run)
    everyone.build(tmp_path)
    page = (tmp_path / "site" / "read" / "first.html").read_text()
    assert 'href="read/first.html">A demo</a>' in (tmp_path / "site" / "index.html").read_text()
    assert '<a href="hw01_numpy.html">the homework</a>' in page
    for tag, attributes in Text(page).tags:
        assert tag not in {"style", "iframe", "object", "form"}
        assert "style" not in attributes
        if tag in {"img", "script"} or (tag == "link" and attributes["rel"] == "stylesheet"):
            place = attributes.get("src") or attributes["href"]
            assert place and (tmp_path / "site" / "read" / place).is_file()
    assert "<math" in (tmp_path / "site" / "read" / "hw01_numpy.html").read_text()


def test_a_damaged_release_takes_no_page_away(everyone: PracticeClass, tmp_path: Path) -> None:
    everyone.course.release_path("hw01_numpy").write_text("<<<<<<<")
    with pytest.raises(ReadingFailed, match="not a notebook"):
        make_reading(everyone.course, list_stale(everyone.course)[1])
    troubles: list[str] = []

    @contextmanager
    def wall(what: str) -> Iterator[None]:
        try:
            yield
        except AutograderError as error:
            troubles.append(f"{what}: {error}")

    keys = PageKeys.load_or_create(tmp_path / "keys.json")
    site = tmp_path / "site"
    build_site(everyone.source(keys), site, wall=wall)
    assert (site / "index.html").exists()
    assert len(troubles) == 1
    assert troubles[0].startswith("the homework's text is not shown: ")


@pytest.mark.slow
def test_a_demo_is_run_and_one_that_fails_is_named(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.ipynb", tmp_path / "bad.ipynb"
    good.write_text(json.dumps(notebook(code("print(6 * 7)"))))
    bad.write_text(json.dumps(notebook(code("1 / 0"))))
    (output,) = execute_notebook(good)["cells"][0]["outputs"]
    assert output["text"] == "42\n"
    with pytest.raises(
        ReadingFailed, match=r"bad.ipynb: a cell fails \(ZeroDivisionError: division by zero\)"
    ):
        execute_notebook(bad)


def test_the_course_lists_its_demos_and_its_released_homework(tmp_path: Path) -> None:
    course = replace(load_course(REPOSITORY / "grading_config.py"), site=tmp_path / "site")
    names = [source.name for source in list_stale(course)]
    assert "linear_regression" in names
    assert names[-4:] == list(course.assignments)


RELEASED = sorted((REPOSITORY / "assignments").glob("*/*.ipynb"))


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_the_text_of_a_homework_is_whole_and_below_100_kilobytes(path: Path) -> None:
    notebook = json.loads(path.read_text())
    page = render_notebook(notebook, path.stem)
    assert len(page.body.encode()) < 97_000
    sources = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"]).strip("\n")
        if cell["cell_type"] == "code" and source.strip():
            sources.append(source)
            shown = re.sub(r"<[^>]*>", "", highlight_code(source))
            assert html.unescape(shown).rstrip() == source.rstrip()
            assert "</span></span>" not in highlight_code(source)
    assert len(sources) > 10


def test_words_of_one_colour_share_an_element() -> None:
    shown = highlight_code('def f(x):\n    """One.\n\n    Two."""\n    return 1 if x else None')
    assert '<span class="k">def</span> <span class="n">f</span>(x):' in shown
    assert '<span class="s">"""One.\n\n    Two."""</span>' in shown.replace("&quot;", '"')
    assert (
        '<span class="k">return</span> <span class="m">1</span> <span class="k">if</span> x'
        in shown
    )
