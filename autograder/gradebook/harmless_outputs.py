"""A student's cells for the eyes of a person: what the formgrader shows runs nothing in that
person's browser.

nbgrader's formgrader puts HTML and Markdown of a submission into a page of the Jupyter server, where a script could
do whatever its reader may: give marks, run code, read files. So only text and pictures get there. It is done by
allow-list where there is one; Markdown is shown, with everything in it that could begin a tag or a link held apart.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

# The page shows the last one as a picture, too: within <img> an SVG runs no script.
PICTURES = ("image/png", "image/jpeg", "image/svg+xml")
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
INSIDE = re.compile(r"""src=["']data:(image/(?:png|jpeg));base64,([A-Za-z0-9+/=]+)["']""")
TAG = re.compile(r"<(?=[A-Za-z/!?])")
LINK = re.compile(r"\](?=[(\[:])")
ADDRESS = re.compile(r"\bhttps?:(?=//)", re.IGNORECASE)
ENTITY = re.compile(r"&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[A-Za-z][A-Za-z0-9]*;)")
# What of a formula could be a link, run something, or be put over other parts of the page.
LINKING = (
    *("href", "ref", "eqref", "mmlToken", "cssId", "class", "style", "require", "csname"),
    *("unicode", "enclose"),
)
PLACING = (
    *("bbox", "raise", "lower", "moveleft", "moveright", "llap", "rlap", "mathllap", "mathrlap"),
    *("smash", "kern", "mkern", "hskip", "mskip", "hspace", "mspace", "Space", "rule", "Rule"),
    *("above", "abovewithdelims"),
)
COMMAND = re.compile(rf"\\(?:{'|'.join((*LINKING, *PLACING))})(?![A-Za-z])")
# Between the lines of a formula: as much as one likes, or less than none.
LINE_SPACE = re.compile(r"\\\\(?=\s*\[\s*[-+.0-9])")


def harmless_text(markdown: str) -> str:
    """Return Markdown with a space where a tag or a link would begin; formulas stay formulas.

    Entities become what they stand for first: the page turns them into it after all that is looked for here.
    """
    # Twice: `&amp;lt;` is to show an entity, and must not become a `<` on the page.
    text = ENTITY.sub(_as_written, ENTITY.sub(lambda found: html.unescape(found.group()), markdown))
    text = ADDRESS.sub(r"\g<0> ", LINK.sub("] ", TAG.sub("< ", text)))
    return LINE_SPACE.sub(r"\\\\{}", COMMAND.sub(r"\\text", text))


def _as_written(entity: re.Match[str]) -> str:
    """Return what shows an entity itself; what only looks like one stays as it is."""
    text = entity.group()
    return text if html.unescape(text) == text else f"&amp;{text[1:]}"


def harmless_outputs(
    outputs: Sequence[Mapping[str, Any]], *, pictures: bool = True
) -> list[dict[str, Any]]:
    """Return outputs of nbformat as text and, where they are wanted, pictures.

    Pictures within HTML stay: the course's own figures are some.
    """
    shown: list[dict[str, Any]] = []
    for output in outputs:
        if output["output_type"] not in {"display_data", "execute_result"}:
            shown.append(dict(output))  # a stream or an error: text, which is escaped
            continue
        data = output["data"]
        text = {}
        if "text/plain" in data:
            text["text/plain"] = str(data["text/plain"])
        found = _find_pictures(data) if pictures else []
        # Without a picture its text is left, as for a figure: `<Figure size 640x480 with 1 Axes>`.
        for kept in found or [{}]:
            if kept or text:
                shown.append(
                    {"output_type": "display_data", "data": {**kept, **text}, "metadata": {}}
                )
    return shown


def _find_pictures(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the pictures of an output: its own in all their formats, or else each that its HTML
    holds.
    """
    own = {}
    for kind in PICTURES:
        if _is_picture(kind, data.get(kind)):
            own[kind] = data[kind]
    if own:
        return [own]
    found = []
    for kind, content in INSIDE.findall(str(data.get("text/html"))):
        found.append({kind: content})
    return found


def _is_picture(kind: str, content: object) -> bool:
    return isinstance(content, str) and (kind == "image/svg+xml" or bool(BASE64.fullmatch(content)))
