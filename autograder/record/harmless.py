"""A student's cells for the eyes of a person: what the formgrader shows runs nothing in that person's browser.

nbgrader's formgrader puts HTML and Markdown of a submission into a page of the Jupyter server, where a script could
do whatever its reader may: give marks, run code, read files. So only text and pictures get there. It is done by
allow-list where there is one; Markdown is shown, with everything in it that could begin a tag or a link held apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

PICTURES = ("image/png", "image/jpeg", "image/svg+xml")  # the page shows the last one as a picture, too
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
INSIDE = re.compile(r"""src=["']data:(image/(?:png|jpeg));base64,([A-Za-z0-9+/=]+)["']""")
TAG = re.compile(r"<(?=[A-Za-z/!?])")
LINK = re.compile(r"\](?=[(\[:])")
FORMULA_LINK = re.compile(r"\\(?:href|mmlToken|cssId|class|style|require|csname)(?![A-Za-z])")


def harmless_text(markdown: str) -> str:
    """Return Markdown with a space where a tag or a link would begin; formulas stay formulas."""
    return FORMULA_LINK.sub(r"\\text", LINK.sub("] ", TAG.sub("< ", markdown)))


def harmless_outputs(outputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return outputs of nbformat as text and pictures; pictures within HTML stay: the course's own figures are some."""
    return [shown for output in outputs for shown in _shown(output)]


def _shown(output: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if output["output_type"] not in {"display_data", "execute_result"}:
        yield dict(output)  # a stream or an error: text, which is escaped
        return
    data = output["data"]
    pictures = {kind: data[kind] for kind in PICTURES if _is_picture(kind, data.get(kind))}
    text = {"text/plain": str(data["text/plain"])} if "text/plain" in data else {}
    found = (
        [pictures] if pictures else [{kind: content} for kind, content in INSIDE.findall(str(data.get("text/html")))]
    )
    for kept in found or [{}]:
        if kept or text:
            yield {"output_type": "display_data", "data": {**kept, **text}, "metadata": {}}


def _is_picture(kind: str, content: object) -> bool:
    return isinstance(content, str) and (kind == "image/svg+xml" or bool(BASE64.fullmatch(content)))
