"""What a file under a notebook's name is when it is no notebook, told by its first bytes, with the
step that helps.

JupyterLab refuses these files as well, so no sentence here advises to open one there.
"""

from __future__ import annotations

import re

TAKE_BACK = (
    "take back an older version of FILE, your notebook (`git log --oneline -- FILE` lists them, "
    "`git checkout COMMIT -- FILE` brings one back) and push again"
)
EMPTY = f"The notebook file is empty. If the notebook is still open in JupyterLab, save it there; else {TAKE_BACK}."
ZEROS = f"The notebook file holds nothing but zero bytes, as after a full disk: {TAKE_BACK}."
LFS = (
    "What was pushed is a pointer of Git LFS and not the notebook; the grader cannot follow it. Run "
    '`git lfs untrack "*.ipynb"`, `git add --renormalize .`, `git commit -m "Notebooks without LFS"` and push again.'
)
WEB_PAGE = (
    "The file is a web page saved under a notebook's name. Get the notebook itself: on GitHub by `Download raw file`, "
    "in Colab by File, Download, `Download .ipynb`. Put it in this file's place and push again."
)
ARCHIVE = "The file is {kind} under a notebook's name. Unpack it, put the notebook inside in its place, push again."
PRINTED = (
    "The file is {kind} under a notebook's name. Put the notebook itself, the .ipynb file you worked in, in its place "
    "and push again."
)
LINK = "What was pushed is only a link to {path}. Put the notebook itself in its place, as a file, and push again."
SCRIPT = (
    "The file is a Python script under a notebook's name. Put the .ipynb file in its place (in Colab: File, Download, "
    "`Download .ipynb`) and push again."
)
BINARY = f"The file is not a notebook: it is not text. Put the .ipynb file you worked in in its place, or {TAKE_BACK}."
BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs.github.com/spec/", LFS),
    (b"PK\x03\x04", ARCHIVE.format(kind="a zip archive")),
    (b"PK\x05\x06", ARCHIVE.format(kind="an empty zip archive")),
    (b"\x1f\x8b", ARCHIVE.format(kind="a gzip archive")),
    (b"7z\xbc\xaf\x27\x1c", ARCHIVE.format(kind="a 7z archive")),
    (b"Rar!\x1a\x07", ARCHIVE.format(kind="a rar archive")),
    (b"BZh", ARCHIVE.format(kind="a bzip2 archive")),
    (b"\xfd7zXZ\x00", ARCHIVE.format(kind="an xz archive")),
    (b"%PDF-", PRINTED.format(kind="a PDF")),
    (b"{\\rtf", PRINTED.format(kind="a text document (RTF)")),
    (b"\x89PNG\r\n\x1a\n", PRINTED.format(kind="a picture (PNG)")),
    (b"\xff\xd8\xff", PRINTED.format(kind="a picture (JPEG)")),
    (b"\xd0\xcf\x11\xe0", PRINTED.format(kind="an office document")),
)
MARKUP = re.compile(rb"<(?:!doctype|html|head|body|\?xml|script|div)\b", re.IGNORECASE)
# Where a system has no links, git puts a plain file with the path in their place.
PATH = re.compile(r"[^\s{}\[\]\"]{1,200}\.ipynb")
CODE = re.compile(
    r"^(?:#!.*python|# %%|# -\*- coding|# coding|import \w|from \w+ import |def \w+\()",
    re.MULTILINE,
)


def kind_of_file(content: bytes) -> str:
    """Return a sentence that says what a file is and what to do; empty for what may be a notebook's
    text.
    """
    if not content.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        return ZEROS if b"\0" in content else EMPTY
    begin = content[:4_096].removeprefix(b"\xef\xbb\xbf").lstrip()
    for beginning, sentence in BEGINNINGS:
        if begin.startswith(beginning):
            return sentence
    return WEB_PAGE if MARKUP.match(begin) else ""


def kind_of_text(text: str) -> str:
    """Return a sentence about text that is no JSON; empty where nothing is known of it."""
    if PATH.fullmatch(text.strip()):
        return LINK.format(path=text.strip())
    return SCRIPT if not text.lstrip().startswith("{") and CODE.search(text[:4_096]) else ""
