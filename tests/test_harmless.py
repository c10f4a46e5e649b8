"""What the formgrader shows of a submission: text and pictures, formulas among them, and nothing that runs."""

import pytest

from autograder.record.harmless import harmless_outputs, harmless_text


@pytest.mark.parametrize(
    "text",
    [
        "The loss falls, since $a < b$ and $W_{1} \\in \\mathbb{R}^{N}$.",
        "1. one\n2. **two** [three]\n\n> four | five",
        "x<3, y<=4 and [1, 2] > [0]",
    ],
    ids=["formulas", "markup", "comparisons"],
)
def test_an_honest_answer_stays_as_it_is(text):
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
    ],
)
def test_no_tag_and_no_link_begins(text, shown):
    assert harmless_text(text) == shown


def display(**data: str) -> dict:
    return {"output_type": "display_data", "data": {kind.replace("_", "/"): text for kind, text in data.items()}}


def shown(*outputs: dict) -> list[dict[str, str]]:
    return [output["data"] for output in harmless_outputs(outputs)]


def test_a_plot_and_its_words_are_shown():
    assert shown(display(image_png="iVBOR+/w0=\n", text_plain="<Figure>")) == [
        {"image/png": "iVBOR+/w0=\n", "text/plain": "<Figure>"}
    ]


def test_pictures_within_html_stay_and_the_rest_of_it_goes():
    html = """<b>x</b><img alt="loss" src="data:image/png;base64,iVB0"><img src='data:image/jpeg;base64,AAAA'>"""
    assert shown(display(text_html=html, text_plain="The loss.")) == [
        {"image/png": "iVB0", "text/plain": "The loss."},
        {"image/jpeg": "AAAA", "text/plain": "The loss."},
    ]


@pytest.mark.parametrize("kind", ["text/html", "text/markdown", "text/latex", "application/javascript", "image/gif"])
def test_of_everything_else_only_its_words_are_shown(kind):
    assert shown({"output_type": "display_data", "data": {kind: "evil()", "text/plain": "words"}}) == [
        {"text/plain": "words"}
    ]
    assert shown({"output_type": "display_data", "data": {kind: "evil()"}}) == []


def test_a_picture_that_is_none_is_not_shown():
    assert shown(display(image_png='"><script>evil()</script>')) == []


def test_metadata_goes_and_streams_and_errors_stay():
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
