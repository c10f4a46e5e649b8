"""What assignments, notebooks and students may be called: what nbgrader permits, and every disk,
shell and page can hold.

A name becomes a folder, a file, a column and a part of an address on other people's machines. So
what could lead elsewhere, or be taken for another one, is refused where it is read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

BETWEEN = "/"  # a notebook's name: FOLDER/NOTEBOOK where its assignment has several
# In the place of BETWEEN where a file is called like a notebook; no name has it, nbgrader neither.
JOINT = "+"
PUNCTUATION = frozenset(" _-.,()&'!#%@=")
PLAIN_WORD = re.compile(r"[\w./@=,+-]+")
MOST_LETTERS = 80
MOST_BYTES = 160  # of the 255 that a file's name may have: endings and git's blobs are added
# Windows keeps these for devices, whatever their ending.
DEVICES = re.compile(r"con|prn|aux|nul|(?:com|lpt)[1-9]")
# Letters of other alphabets that nobody can tell from Latin ones on a screen.
LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0455\u0458\u04bb\u0501\u051b\u051d"
    "\u03bf\u03bd\u03b1\u03c1\u03b9\u03ba\u0131",
    "aeopcyxisjhdqwovapiki",
)


def find_name_fault(name: str) -> str:
    """Say why something cannot be a name, and what would be right; empty where it can."""
    if not name:
        return "it is empty; write a name"
    if unicodedata.normalize("NFC", name) != name:
        return "its accents are letters of their own (NFD, as macOS writes them); type it anew"
    for letter in name:
        if not letter.isalnum() and letter not in PUNCTUATION and not unicodedata.combining(letter):
            shown = letter if letter.isprintable() else f"U+{ord(letter):04X}"
            return f"{shown!r} cannot be in a name; take letters, digits, blanks and _ - . , ( )"
    if not name[0].isalnum():
        return f"it begins with {name[0]!r}; begin it with a letter or a digit"
    if "  " in name:
        return "it has two blanks in a row, which tables and pages show as one; take one"
    if name[-1] in " .":
        return f"it ends with {name[-1]!r}, which Windows drops; take that away"
    if len(name) > MOST_LETTERS or len(name.encode()) > MOST_BYTES:
        return f"it has {len(name)} letters; {MOST_LETTERS} can be had, of other alphabets fewer"
    if DEVICES.fullmatch(name.partition(".")[0].casefold()):
        return "Windows keeps it for a device; take another one"
    return ""


def find_twins(names: Iterable[str]) -> tuple[str, str] | None:
    """Return two names that people or disks cannot tell apart, None where there are none.

    They differ in capitals, in forms of one letter, or in letters of another alphabet that look
    the same.
    """
    seen: dict[str, str] = {}
    for name in names:
        look = _reduce_to_its_look(name)
        if look in seen:
            return seen[look], name
        seen[look] = name
    return None


def is_notebook_name(name: str) -> bool:
    """Whether a notebook can be called so: like its assignment, or FOLDER/NOTEBOOK."""
    parts = name.split(BETWEEN)
    return len(parts) <= 2 and not any(map(find_name_fault, parts))


def name_assignment(notebook: str) -> str:
    """Return the name of the assignment that a notebook belongs to."""
    return notebook.partition(BETWEEN)[0]


def name_notebook(notebook: str) -> str:
    """Return what the file of a notebook is called, without its ending."""
    return notebook.rpartition(BETWEEN)[2]


def name_formerly(notebook: str) -> str:
    """Return what a notebook was called while each was an assignment of its own:
    FOLDER.NOTEBOOK.
    """
    return notebook.replace(BETWEEN, ".")


def label_notebook(notebook: str) -> str:
    """Return what tells a notebook from the others of its assignment; empty where it is the only
    one.
    """
    return notebook.partition(BETWEEN)[2]


def name_file(notebook: str) -> str:
    """Return what a file about a notebook is called, without an ending."""
    return notebook.replace(BETWEEN, JOINT)


def quote_name(name: str) -> str:
    """Return a name as one word of a command line.

    Double quotes serve on Windows, too; nothing that has a meaning within them can be in a name.
    """
    return name if PLAIN_WORD.fullmatch(name) else f'"{name}"'


def _reduce_to_its_look(name: str) -> str:
    plain = unicodedata.normalize("NFKC", name).casefold()
    # Once more: folding capitals can take apart what NFKC had put together.
    return " ".join(unicodedata.normalize("NFKC", plain).translate(LOOKALIKES).split())
