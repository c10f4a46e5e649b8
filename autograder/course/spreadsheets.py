"""Tables as spreadsheets write them: whatever separates the fields and encodes the text, or one
sentence why not.

What separates the fields is not guessed from the look of the text, as `csv.Sniffer` does: a table is read with each
separator that spreadsheets use, and the one with which its first line names the columns is the right one.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from autograder.course.errors import ConfigError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
MARKS = (  # the longer ones first: UTF-32's begins as UTF-16's does
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
SAYS_SEPARATOR = re.compile(
    r"\ufeff?\"?sep=(.)\"?[ \t;,|]*\r?\n", re.IGNORECASE
)  # a line for Excel alone

Row = tuple[int, list[str]]  # the line on which it begins, its fields


def read_table(
    path: Path, needed: Sequence[str], known: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each line that says anything, with its number and the values of the known columns.

    Parameters
    ----------
    needed : sequence of str
        Columns that must be there.
    known : sequence of str
        Columns that are read; others may be there. Capitals in their names do not matter.

    Raises
    ------
    ConfigError
        Naming file, line, what was found and what is wanted.
    """
    text = _text(path, needed)
    said = SAYS_SEPARATOR.match(text)
    separators = [said[1]] if said else list(SEPARATORS)
    if said:  # the line stays, as a blank one, so that lines keep their numbers
        text = "\n" + text[said.end() :]
    # Of equals the first: a table of one column is read with commas.
    separator = max(separators, key=lambda mark: _score(text, mark, needed, known))
    rows = _rows(path, text, separator)
    columns = list(map(str.casefold, _header(path, rows, needed)))
    _check_columns(path, columns, separator, needed, known)
    for line, fields in rows:
        if len(fields) > len(columns) and any(fields[len(columns) :]):
            raise ConfigError(
                f"{path}, line {line}: {len(fields)} fields, separated by {_named(separator)}, where the first line "
                f"names {len(columns)}; the last is {fields[-1]!r}: put quotes around a text that holds "
                f"{separator!r}"
            )
        # Some programs leave out the empty fields at the end of a line.
        values = dict.fromkeys(known, "") | dict(zip(columns, fields, strict=False))
        if any(values[name] for name in known):
            yield line, {name: values[name] for name in known}


def _text(path: Path, needed: Sequence[str]) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file; write it, with a first line {','.join(needed)}, or autograder state pull"
        ) from None
    try:
        text = content.decode(_find_encoding(content))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"not UTF-8 text, it holds the byte {content[error.start]:#04x}"
        raise ConfigError(f"{path}, line {line}: {found}; save the table as 'CSV UTF-8'") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ConfigError(
            f"{path}, line {line}: zero bytes, which no text has; save the table as 'CSV UTF-8'"
        )
    return text


def _find_encoding(content: bytes) -> str:
    """Return the encoding that a mark at the beginning names; what it must be where there is none.

    UTF-16 without its mark has a zero in every second byte of what is plain; our columns' names are.
    """
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return encoding
    if content[1:2] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if content[:1] == b"\0" else "utf-8"


def _rows(path: Path, text: str, separator: str) -> Iterator[Row]:
    """Yield every line that is not empty; a quoted field may go over several."""
    # Strict, or an unclosed quote swallows all lines below it without a word.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    before = 1
    try:
        for row in reader:
            # No-break spaces and line ends get into cells by pasting, and nobody sees them.
            fields = [" ".join(field.split()) for field in row]
            if any(fields):
                yield before, fields
            before = reader.line_num + 1
    except csv.Error as error:
        raise ConfigError(
            f"{path}, line {before}: the quotes do not match ({error}); within quotes, write a quote twice"
        ) from None


def _score(
    text: str, separator: str, needed: Sequence[str], known: Sequence[str]
) -> tuple[int, int]:
    """How many needed and how many known columns the first line names, read with a separator."""
    try:
        first = next(_rows(Path(), text, separator), (0, []))[1]
    # Quotes that do not match may do so with another separator.
    except ConfigError:
        return (0, 0)
    columns = set(map(str.casefold, first))
    return len(columns & set(needed)), len(columns & set(known))


def _header(path: Path, rows: Iterator[Row], needed: Sequence[str]) -> list[str]:
    for _, columns in rows:
        return columns
    raise ConfigError(f"{path}: it is empty; its first line must be {','.join(needed)}")


def _check_columns(
    path: Path, columns: Sequence[str], separator: str, needed: Sequence[str], known: Sequence[str]
) -> None:
    times = Counter(columns)
    for name in known:
        if times[name] > 1:
            raise ConfigError(
                f"{path}: two columns are called {name!r}; name one of them otherwise"
            )
    missing = [name for name in needed if name not in times]
    if missing:
        found = ", ".join(map(repr, columns))
        others = [name for name in known if name not in needed]
        separated = f", separated by {_named(separator)}" if len(columns) > 1 else ""
        raise ConfigError(
            f"{path}: column {missing[0]!r} is missing. The first line has {found}{separated}; "
            f"it must name {', '.join(needed)}, and may name {', '.join(others)}"
        )


def _named(separator: str) -> str:
    return SEPARATORS.get(separator, repr(separator))
