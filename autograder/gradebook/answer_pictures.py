"""Pictures in a student's answer, for the eyes of the person who marks it: those that are one, and
nothing else.

What is attached or embedded is taken for what its bytes are, whatever its name or type says. It is handed to the page
as an attachment under a name of ours, so no address and no name of the student's gets there.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from urllib.parse import unquote

from autograder.gradebook.harmless_outputs import harmless_text

# Of an answer: enough for photos of written pages, too little to make the marker's page slow.
MAX_BYTES = 5 << 20
MAX_PICTURES = 20
KINDS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
# Every part has an end: no text can make the search long.
SOURCE = r"(attachment:[^\"'<>)\n]{1,300}|data:image/[a-z+.-]{1,20};base64,[A-Za-z0-9+/=]*)"
MARKDOWN = re.compile(rf"!\[[^\]\n]{{0,300}}\]\(\s?<?{SOURCE}>?[^)\n]{{0,300}}\)")
TAG = re.compile(
    rf"<img\b[^<>]{{0,300}}?\bsrc\s?=\s?[\"']{SOURCE}[\"'][^<>]{{0,300}}>", re.IGNORECASE
)
# Of no alphabet: they hold the place of a picture while the text is made harmless.
BEGIN = "\ue000"
END = "\ue001"
NOT_SHOWN = "(A picture is not shown here: only PNG, JPEG and GIF of up to 5 MB are.)"


def show_answer(
    markdown: str, attachments: Mapping[str, Mapping[str, str]]
) -> tuple[str, dict[str, dict[str, str]]]:
    """Return a student's Markdown made harmless, and the pictures it shows as attachments of
    nbformat.

    Pictures that are attached and not named in the text stand below it.
    """
    pictures: dict[str, dict[str, str]] = {}
    places: list[str] = []
    named: set[str] = set()

    def put(kind: str, content: str) -> str:
        name = f"picture-{len(pictures) + 1}"
        pictures[name] = {kind: content}
        return f"![{name}](attachment:{name})"

    def place(found: re.Match[str]) -> str:
        source = found[1]
        if source.startswith("attachment:"):
            name = _attached(source.removeprefix("attachment:"), attachments)
            named.add(name)
            checked = _first_picture(attachments.get(name, {}))
        else:
            checked = _picture(source.partition(",")[2])
        fits = checked is not None and len(pictures) < MAX_PICTURES
        places.append(put(*checked) if checked is not None and fits else NOT_SHOWN)
        return f"{BEGIN}{len(places) - 1}{END}"

    # A student who writes these signs could name a place that another picture holds.
    text = markdown.replace(BEGIN, "").replace(END, "")
    text = harmless_text(TAG.sub(place, MARKDOWN.sub(place, text)))
    text = re.sub(rf"{BEGIN}(\d+){END}", lambda found: places[int(found[1])], text)
    for name, kinds in attachments.items():
        checked = _first_picture(kinds) if name not in named else None
        if checked is not None and len(pictures) < MAX_PICTURES:
            text += f"\n\n{put(*checked)}"
    return text, pictures


def _attached(name: str, attachments: Mapping[str, object]) -> str:
    """Return the name under which something is attached, of what stands in the text."""
    stripped = name.strip()
    # As written, as a URL, or before a title: editors write all three.
    candidates = [name, stripped, unquote(stripped)]
    if stripped:
        candidates.append(unquote(stripped.split()[0]))
    for candidate in candidates:
        if candidate in attachments:
            return candidate
    return ""


def _first_picture(kinds: Mapping[str, str]) -> tuple[str, str] | None:
    for content in kinds.values():
        found = _picture(content)
        if found is not None:
            return found
    return None


def _picture(content: str) -> tuple[str, str] | None:
    """Return the media type and base64 of a picture, None for anything else."""
    if len(content) > 2 * MAX_BYTES:  # base64 is a third longer: this is too big, not decoded
        return None
    try:
        data = base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(data) > MAX_BYTES:
        return None
    for begin, kind in KINDS:
        if data.startswith(begin):
            # Encoded anew: nothing but base64 of a picture gets onto the page.
            return kind, base64.b64encode(data).decode()
    return None
