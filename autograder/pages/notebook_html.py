"""A notebook as HTML that needs no script and no other server: text, formulas as MathML, code,
outputs, pictures.

Pictures become files beside the page, named by what is in them. Of HTML, in texts and in outputs, only a few tags
without attributes are kept: the notebooks are the course's own, and the page shall need no exception from its policy.
"""

from __future__ import annotations

import hashlib
import html
import io
import re
from base64 import b64decode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

import mistune
from latex2mathml.converter import convert as convert_to_mathml
from mistune.plugins.formatting import strikethrough
from mistune.plugins.table import table
from nbconvert.filters.markdown_mistune import MathBlockParser, MathInlineParser
from PIL import Image
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from autograder.course.names import JOINT

KEPT_TAGS = frozenset(
    """b br code details div em hr i kbd li ol p pre s small strong sub summary sup u ul""".split()  # noqa: SIM905
)
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)\b[^>]*>")
DOLLARS = re.compile(r"\$([^$\n]+)\$")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
ALIGNMENT = re.compile(r' style="text-align:(left|right|center)"')  # of a table's cells
MATHML_EXTRA = re.compile(r'\s(?:style|class|xmlns)="[^"]*"')
WHOLE_ROW = re.compile(r"^(<math[^>]*>)<mrow>(.*)</mrow></math>$", re.DOTALL)
NUMBERED_SIGN = re.compile(r"&#x([0-9A-Fa-f]{1,5});")
# Classes of words that reading.css colours. The others are half of a page's bytes for nothing.
COLOURED = "k|kn|kc|kd|ow|s|s1|s2|sd|sa|si|se|c|c1|cm|mi|mf|mh|nf|nc"
PLAIN_WORD = re.compile(rf'<span class="(?!(?:{COLOURED})")\w+">([^<]*)</span>')
COLOUR_CLASS = re.compile(r'<span class="(\w)\w*">')  # the first letter tells the colour
SAME_COLOUR_AGAIN = re.compile(r'(?:<span class="(\w)">[^<]*</span>\s*)+')
COLOURED_WORD = re.compile(r'<span class="(\w)">([^<]*)</span>(\s*)')
PICTURE = re.compile(r"<img\b[^>]*>")
ALT = re.compile(r'\balt="([^"]*)"')
DATA = re.compile(r'\bsrc="data:(image/(?:png|jpeg|gif|svg\+xml));base64,([^"]+)"')
ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/svg+xml": "svg"}
WIDGET = "application/vnd.jupyter.widget-view+json"
# Plots have fewer; stored so, a picture takes a third of the bytes.
FEW_COLOURS = 256
# Letters of printed text; a page is read, not searched.
MOST_OUTPUT = 6_000
TITLE = re.compile(r"^#[ \t]+(.+?)[ \t#]*$", re.MULTILINE)


@dataclass
class NotebookPage:
    """A notebook's title, its HTML, and its pictures by their file names."""

    title: str
    body: str
    pictures: dict[str, bytes] = field(default_factory=dict)


def render_notebook(
    notebook: Mapping[str, Any], name: str, others: Collection[str] = ()
) -> NotebookPage:
    """Return a notebook as a page.

    Parameters
    ----------
    notebook : mapping
        The notebook's JSON, executed or not.
    name : str
        What its pictures' file names begin with.
    others : collection of str
        Names of notebooks that have a page beside this one: links to them are kept.
    """
    page = NotebookPage("", "")
    renderer = _Renderer(name, others)
    markdown = mistune.Markdown(
        renderer=renderer,
        block=MathBlockParser(),
        inline=MathInlineParser(hard_wrap=False),
        plugins=[table, strikethrough],
    )
    pieces = []
    for cell in notebook["cells"]:
        source = _join(cell["source"])
        if cell["cell_type"] == "markdown":
            page.title = page.title or find_title(source)
            # The policy allows no style in a tag, which is how mistune aligns a table's cells.
            text = ALIGNMENT.sub(r' class="\1"', str(markdown(source)))
            pieces.append(f'<div class="text">{text}</div>')
        elif cell["cell_type"] == "code" and source.strip():
            pieces.append(highlight_code(source))
            for output in cell.get("outputs", ()):
                pieces.append(_render_output(output, name, page.pictures))
    page.title = page.title or name
    page.body = "\n".join(filter(None, pieces))
    return page


def find_title(source: str) -> str:
    """Return the first heading of the highest level in a text, empty if it has none."""
    found = TITLE.search(source)
    return found[1].replace("`", "") if found else ""


def highlight_code(source: str) -> str:
    """Return Python code as HTML with classes for its words."""
    formatter = HtmlFormatter(nowrap=True)
    words = PLAIN_WORD.sub(r"\1", highlight(source.strip("\n"), PythonLexer(), formatter))
    # One colour, one element: a docstring comes in an element for each of its lines.
    words = COLOUR_CLASS.sub(lambda found: f'<span class="{found[1]}">', words)
    words = SAME_COLOUR_AGAIN.sub(_join_colours, words)
    return f'<pre class="code-cell" tabindex="0"><code>{words}</code></pre>'


def _join_colours(found: re.Match[str]) -> str:
    """Return neighbouring words with those of one colour in one element."""
    pieces: list[str] = []
    colour = ""
    blank = ""
    for word in COLOURED_WORD.finditer(found[0]):
        if word[1] == colour:
            pieces += [blank, word[2]]
        else:
            pieces += ["</span>" if colour else "", blank, f'<span class="{word[1]}">', word[2]]
        colour = word[1]
        blank = word[3]
    return "".join([*pieces, "</span>", blank])


def render_formula(formula: str, *, block: bool) -> str:
    """Return a formula of TeX as MathML; as it is, in a `code` element, where it cannot be
    converted.
    """
    # The same to the eye; the converter knows only the second.
    known = formula.replace("{aligned}", "{align*}")
    try:
        markup = convert_to_mathml(known.strip(), display="block" if block else "inline")
    # The converter promises no exceptions of its own, and a reader can read TeX.
    except Exception:
        return f"<code>{html.escape(formula)}</code>"
    # Styles the policy forbids, names of the language a browser knows, a row around a single row.
    markup = markup.replace(' display="inline"', "", 1)  # as it is without
    markup = WHOLE_ROW.sub(r"\1\2</math>", MATHML_EXTRA.sub("", markup))
    return NUMBERED_SIGN.sub(_write_sign, markup)


def _write_sign(found: re.Match[str]) -> str:
    """Write a sign that is given by its number as itself: formulas become a third shorter."""
    sign = chr(int(found[1], 16))
    return html.escape(sign)


def keep_plain_tags(markup: str) -> str:
    """Return HTML of which a few tags are kept, without their attributes, and everything else is
    text.
    """
    pieces = []
    position = 0
    markup = COMMENT.sub("", markup)
    for tag in TAG.finditer(markup):
        pieces.append(_render_words(markup[position : tag.start()]))
        name = tag[2].lower()
        pieces.append(f"<{tag[1]}{name}>" if name in KEPT_TAGS else html.escape(tag[0]))
        position = tag.end()
    pieces.append(_render_words(markup[position:]))
    return "".join(pieces)


def _render_words(markup: str) -> str:
    """Return the words between two tags, with formulas in them: Markdown leaves those within HTML
    as they are.
    """
    pieces = []
    # `split` by a pattern with one group gives, in turn, what is between and what was found.
    for number, piece in enumerate(DOLLARS.split(html.unescape(markup))):
        if number % 2 == 1:
            pieces.append(render_formula(piece, block=False))
        else:
            pieces.append(html.escape(piece, quote=False))
    return "".join(pieces)


class _Renderer(mistune.HTMLRenderer):
    """Renders a text cell's Markdown."""

    def __init__(self, name: str, others: Collection[str]) -> None:
        super().__init__(escape=True)
        self._beside = name.partition(JOINT)[0] + JOINT  # where links to notebooks beside it lead
        self._others = others

    def inline_html(self, html: str) -> str:
        return keep_plain_tags(html)

    def block_html(self, html: str) -> str:
        return keep_plain_tags(html) + "\n"

    def block_math(self, text: str) -> str:
        return f'<span class="formula" tabindex="0">{render_formula(text, block=True)}</span>'

    def inline_math(self, text: str) -> str:
        return render_formula(text, block=False)

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(rf"\begin{{{name}}}{body}\end{{{name}}}")

    def link(self, text: str, url: str, title: str | None = None) -> str:
        notebook = unquote(url.rsplit("/", 1)[-1].partition("#")[0]).removesuffix(".ipynb")
        if url.startswith("https://"):
            return f'<a href="{html.escape(url)}" rel="noopener noreferrer">{text}</a>'
        for page in (notebook, self._beside + notebook):
            if page in self._others:
                return f'<a href="{quote(page)}.html">{text}</a>'
        # A file of the repository, which is not on this site.
        return text

    def image(self, text: str, url: str, title: str | None = None) -> str:
        # Nothing is loaded from elsewhere.
        return f"<em>{text}</em>"

    def block_code(self, code: str, info: str | None = None) -> str:
        if (info or "").strip() in ("python", "py"):
            return highlight_code(code)
        return f'<pre class="code-cell" tabindex="0"><code>{html.escape(code)}</code></pre>'


def _render_output(output: Mapping[str, Any], name: str, pictures: dict[str, bytes]) -> str:
    if output["output_type"] == "stream":
        return _render_printed(_join(output["text"]))
    if output["output_type"] == "error":
        return _render_printed(f"{output['ename']}: {output['evalue']}")
    data = output.get("data", {})
    if WIDGET in data:
        return '<p class="small">Here the notebook has sliders: open it to play with them.</p>'
    drawn = _render_pictures(data, name, pictures)
    return drawn or _render_printed(_join(data.get("text/plain", "")))


def _render_pictures(data: Mapping[str, Any], name: str, pictures: dict[str, bytes]) -> str:
    """Return the pictures of an output, written down in `pictures`; empty where it has none."""
    words = html.escape(_join(data.get("text/plain", "")))
    # A figure has both: the picture as it was drawn, and HTML around the same picture.
    if "image/png" in data:
        return _place_picture("image/png", _join(data["image/png"]), words, name, pictures)
    pieces = []
    for picture in PICTURE.findall(_join(data.get("text/html", ""))):
        content = DATA.search(picture)
        if content:
            alt = ALT.search(picture)
            pieces.append(
                _place_picture(content[1], content[2], alt[1] if alt else words, name, pictures)
            )
    return "\n".join(pieces)


def _place_picture(kind: str, encoded: str, alt: str, name: str, pictures: dict[str, bytes]) -> str:
    """Return the tag of a picture; `alt` is escaped already."""
    content = b64decode(encoded)
    if kind == "image/png":
        content = shrink_png(content)
    # Named by what is in it, so that a changed picture is not taken from a browser's memory.
    digest = hashlib.sha256(content).hexdigest()[:12]
    file = f"{name}-{digest}.{ENDINGS[kind]}"
    pictures[file] = content
    return f'<img class="drawing" loading="lazy" alt="{alt}" src="{quote(file)}">'


def shrink_png(content: bytes) -> bytes:
    """Return a picture with a palette, if that makes it smaller."""
    image: Image.Image = Image.open(io.BytesIO(content)).convert("RGB")
    buffer = io.BytesIO()
    image.quantize(FEW_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        buffer, "png", optimize=True
    )
    # A palette makes some small pictures larger.
    return min(content, buffer.getvalue(), key=len)


def _render_printed(text: str) -> str:
    if not text.strip():
        return ""
    shown = text if len(text) <= MOST_OUTPUT else text[:MOST_OUTPUT] + "\n…"
    return f'<pre class="printed" tabindex="0">{html.escape(shown.rstrip())}</pre>'


def _join(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
