"""Addresses of databases, as nbgrader's `db_url` has them, and the files that they mean.

In an address a question mark begins options, also where it is one of a folder's name: nbgrader's
own address of the gradebook in `exam?/` means a file `exam` beside the course. From SQLAlchemy 2.1
on what follows a percent sign is read, too: `50%20/` is taken for `50 /`. In folders of such names
the address is written otherwise, and nbgrader has to be told.
"""

from __future__ import annotations

import functools
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote

SQLITE = "sqlite:///"
_AS_URI = "file:"
_QUOTED = re.compile("%[0-9A-Fa-f]{2}")


def address_database(path: Path) -> str:
    """Return the address of a database in a file."""
    text = str(path)
    if _reads_quotes():
        if "?" in text or _QUOTED.search(text):
            text = text.replace("%", "%25").replace("?", "%3F")
    elif "?" in text:
        text = f"{_AS_URI}{quote(text)}?uri=true"
    # Every other one is the address that nbgrader has by itself.
    return f"{SQLITE}{text}"


def find_database_file(address: str) -> Path | None:
    """Return the file that a database's address names, None where it is on a server."""
    if not address.startswith(SQLITE):
        return None
    name, _, options = address.removeprefix(SQLITE).partition("?")
    if _reads_quotes():
        name = unquote(name)
    if name.startswith(_AS_URI) and "uri" in parse_qs(options):
        name = unquote(name.removeprefix(_AS_URI))
    return Path(name)


def is_cut_short(address: str) -> bool:
    """Whether the name of a file holds a question mark that the address takes for its end."""
    options = address.partition("?")[2] if address.startswith(SQLITE) else ""
    return "/" in options


def say_what_nbgrader_needs(address: str, config: Path) -> str:
    """Return what has to be in nbgrader's configuration for it to find the gradebook, where its own
    address would mean another file; empty where it does not.
    """
    file = find_database_file(address)
    nbgraders = f"{SQLITE}{file}"
    if file is None or address == nbgraders:
        return ""
    line = f"c.CourseDirectory.db_url = {address!r}"
    if config.exists() and address in config.read_text(encoding="utf-8", errors="replace"):
        return ""
    taken = find_database_file(nbgraders)
    # What nbgrader has made there is the course's gradebook so far, with its marks.
    moving = f"; move {taken} to {file} first" if taken is not None and taken.is_file() else ""
    return (
        "nbgrader reads the ? or the % in the folder's name otherwise, and would make another gradebook: "
        f"rename the folder, or put {line} into {config.name}{moving}"
    )


@functools.cache
def _reads_quotes() -> bool:
    """Whether the SQLAlchemy that is installed reads percent signs in addresses of files."""
    # Its version, not itself: importing it takes longer than all that a command does before.
    try:
        first, second = version("sqlalchemy").split(".")[:2]
    except PackageNotFoundError:  # students need none
        return False
    return (int(first), int(second)) >= (2, 1)
