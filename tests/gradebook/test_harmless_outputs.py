"""What the formgrader shows of a submission: text and pictures, formulas among them, and nothing that runs."""

import re
from typing import Any

import pytest

from autograder.gradebook.harmless_outputs import harmless_outputs, harmless_text


@pytest.mark.parametrize(
    "text",
    [
        "The loss falls, since $a < b$ and $W_{1} \\in \\mathbb{R}^{N}$.",
        "1. one\n2. **two** [three]\n\n> four | five",
        "x<3, y<=4 and [1, 2] > [0]",
        "$$\\begin{pmatrix}a&b\\\\ c&d\\end{pmatrix}\\frac{1}{2}\\notin A$$ AT&T; R&D",
        "from 3:15 to 4:20 // a ratio of 1:2",
    ],
    ids=["formulas", "markup", "comparisons", "matrices", "colons"],
)
def test_an_honest_answer_stays_as_it_is(text: str) -> None:
    assert harmless_text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>", "< script>"),
        ("</div>", "< /div>"),
        ("<!-- -->", "< !-- -->"),
        ("[x](javascript:a)", "[x] (javascript:a)"),
        ("[x]: javascript:a", "[x] : javascript:a"),
        ("$\\href{javascript:a}{x}$", "$\\text{javascript:a}{x}$"),
        ('$\\mmlToken{mtext}[href="javascript:a"]{x}$', '$\\text{mtext}[href="javascript:a"]{x}$'),
        ("$\\hreflike$", "$\\hreflike$"),
        ("see https://evil.example/x now", "see https: //evil.example/x now"),
        ("HTTP://evil.example", "HTTP: //evil.example"),
        ("https&#58;//evil.example", "https: //evil.example"),
        ("&#60;script&gt;", "< script>"),
        ("&#36;&#92;href{javascript:a}{x}&dollar;", "$\\text{javascript:a}{x}$"),
        ("&dollar;&bsol;bbox[border:9px]{x}&#x24", "$\\text[border:9px]{x}$"),
        ("&amp;bsol;bbox", "&amp;bsol;bbox"),
        ("$\\bbox[position:fixed;top:0]{x}$", "$\\text[position:fixed;top:0]{x}$"),
        ("$\\raise 900px\\hbox{x}\\moveleft9px$", "$\\text 900px\\hbox{x}\\text9px$"),
        (
            "$\\hspace{-99em}\\kern-99em\\llap{x}\\rule{9em}{9em}$",
            "$\\text{-99em}\\text-99em\\text{x}\\text{9em}{9em}$",
        ),
        ("$$a\\\\[-99em]b$$", "$$a\\\\{}[-99em]b$$"),
        ("$\\eqref{x}\\enclose{box}[href='x']{y}$", "$\\text{x}\\text{box}[href='x']{y}$"),
    ],
)
def test_no_tag_and_no_link_begins(text: str, shown: str) -> None:
    assert harmless_text(text) == shown


def test_what_is_shown_has_no_link_and_no_tag_of_its_own() -> None:
    """As nbgrader's formgrader turns it into HTML."""
    from nbconvert.filters.markdown import markdown2html

    essay = "see https://evil.example/x, <b>x</b>, [x](http://evil.example), &#60;i>, &#36;&#92;href{javascript:a}{x}$"
    html = str(markdown2html(harmless_text(essay)))
    assert re.findall(r"<(?!/?p>)[a-z]|\\href", html) == []
    assert "evil.example" in html


def display(**data: str) -> dict[str, Any]:
    return {
        "output_type": "display_data",
        "data": {kind.replace("_", "/"): text for kind, text in data.items()},
    }


def shown(*outputs: dict[str, Any]) -> list[dict[str, str]]:
    return [output["data"] for output in harmless_outputs(outputs)]


def test_a_plot_and_its_words_are_shown() -> None:
    assert shown(display(image_png="iVBOR+/w0=\n", text_plain="<Figure>")) == [
        {"image/png": "iVBOR+/w0=\n", "text/plain": "<Figure>"}
    ]


def test_pictures_within_html_stay_and_the_rest_of_it_goes() -> None:
    html = """<b>x</b><img alt="loss" src="data:image/png;base64,iVB0"><img src='data:image/jpeg;base64,AAAA'>"""
    assert shown(display(text_html=html, text_plain="The loss.")) == [
        {"image/png": "iVB0", "text/plain": "The loss."},
        {"image/jpeg": "AAAA", "text/plain": "The loss."},
    ]


@pytest.mark.parametrize(
    "kind", ["text/html", "text/markdown", "text/latex", "application/javascript", "image/gif"]
)
def test_of_everything_else_only_its_words_are_shown(kind: str) -> None:
    assert shown(
        {"output_type": "display_data", "data": {kind: "evil()", "text/plain": "words"}}
    ) == [{"text/plain": "words"}]
    assert shown({"output_type": "display_data", "data": {kind: "evil()"}}) == []


def test_a_picture_that_is_none_is_not_shown() -> None:
    assert shown(display(image_png='"><script>evil()</script>')) == []


def test_metadata_goes_and_streams_and_errors_stay() -> None:
    stream = {"output_type": "stream", "name": "stdout", "text": "<b>"}
    result = {
        "output_type": "execute_result",
        "execution_count": 1,
        "data": {"text/plain": "1"},
        "metadata": {"width": "x"},
    }
    assert harmless_outputs([stream, result]) == [
        stream,
        {"output_type": "display_data", "data": {"text/plain": "1"}, "metadata": {}},
    ]
