"""What must not be seen, and where it is seen: lines of solutions and hidden tests, the class, keys.

A line is secret when it is hidden in a source notebook and public in none. The course's own code and demonstrations
treat the same matter, so there a single line that looks alike gives nothing away; several of one hidden cell do.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.config import Course
from autograder.exam import INSTRUCTORS_ONLY, Exam

MARKER = re.compile(r"^\s*#{2,}\s*(BEGIN|END)\b|^\s*=== (BEGIN|END) ", re.IGNORECASE)
BEGIN = re.compile(r"(###|===) BEGIN (SOLUTION|HIDDEN TESTS|MARK SCHEME)")
END = re.compile(r"(###|===) END (SOLUTION|HIDDEN TESTS|MARK SCHEME)")

COMMON = ("autograder/", "demonotebooks/")  # the course's own code and demonstrations
COMMON_LINES = 3  # of one hidden cell in one of their files
SHORT = 10  # characters; `else:` or `return x` are nobody's secret
NEVER = (
    "solutions/*", "ledger/*", "submitted/*", "autograded/*", "feedback/*", "forks/*", "outputs/*",
    "*gradebook.db", "*links.csv", "*keys.json", ".env", "*.pem", "*.key",
)  # fmt: skip
CREDENTIALS = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{50,}|\bAKIA[0-9A-Z]{16}\b"
)
TOKEN = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|[\w-]{16,}")  # an address, or what may be a key
LEDGER = re.compile(rb'^\{"entry": ?"\w+"', re.MULTILINE)


# --- one release -----------------------------------------------------------------------------------------------------


def leaks(exam: Exam, released: Path) -> list[str]:
    """Return every line of a release that is not public in its source, and every file that is not for students."""
    public = Counter(line for cell in exam.cells for line, hidden in marked(cell.source, cell.solution) if not hidden)
    found = [
        f"  file {file.name}"
        for file in sorted(released.parent.iterdir())
        if file.name in INSTRUCTORS_ONLY or (file.name != released.name and file.name not in exam.files)
    ]
    hidden = {line for cell in exam.cells for line in _hidden(cell.source, cell.solution)}
    seen: Counter[str] = Counter()
    for cell in json.loads(released.read_text(encoding="utf-8"))["cells"]:
        text = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        if cell.get("outputs"):
            found.append(f"  stored output: {json.dumps(cell['outputs'])[:80]}")
        for line in map(str.strip, text.splitlines()):
            seen[line] += 1
            if MARKER.match(line) or (line in hidden and seen[line] > public[line]):
                found.append(f"  {line}")
    return found


def marked(source: str, solution: bool) -> list[tuple[str, bool]]:
    """Return each line of a source cell, stripped, with whether it may not be released.

    A solution cell without markers is one solution from its first line to its last, as nbgrader has it.
    """
    whole = solution and not BEGIN.search(source)
    inside = False
    lines = []
    for line in map(str.strip, source.splitlines()):
        inside = inside or bool(BEGIN.search(line))
        lines.append((line, inside or whole))
        inside = inside and not END.search(line)
    return lines


def _hidden(source: str, solution: bool) -> list[str]:
    return [line for line, hidden in marked(source, solution) if hidden and re.search(r"\w", line)]


# --- anything that is public -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Secrets:
    """What must be in no public file.

    Attributes
    ----------
    lines : mapping of str to str
        Secret lines of notebooks, and the cell that hides each.
    texts : frozenset of str
        What may not stand anywhere, as a line or as a word: rows about students, addresses, keys.
    names : tuple of str
        Patterns of paths that are never public.
    """

    lines: Mapping[str, str] = field(repr=False)
    texts: frozenset[str] = field(repr=False)
    names: tuple[str, ...] = NEVER

    def seen_in(self, path: str, content: bytes) -> list[str]:
        """Return a sentence for everything secret that a file shows."""
        found = [f"the file {path} is never public"] if self._is_private(path) else []
        if CREDENTIALS.search(content):
            found.append("a private key or an access token")
        if LEDGER.search(content):
            found.append("a line of the ledger")
        lines = list(_lines(path, content))
        text = content.decode("utf-8", "replace")
        words = {*lines, *map(str.strip, text.splitlines()), *TOKEN.findall(text)}
        found += [f"about students, or a key: {word[:8]}…" for word in sorted(self.texts & words)]
        if path.endswith(".ipynb"):
            found += [f"a marker of nbgrader's: {line}" for line in lines if BEGIN.search(line) or END.search(line)]
        by_cell: dict[str, set[str]] = defaultdict(set)
        for line in lines:
            if line in self.lines:
                by_cell[self.lines[line]].add(line)
        needed = COMMON_LINES if path.startswith(COMMON) else 1
        for cell, some in sorted(by_cell.items()):
            if len(some) >= needed:
                found.append(f"{cell}: {min(some)}")
        return found

    def _is_private(self, path: str) -> bool:
        if PurePosixPath(path).name in INSTRUCTORS_ONLY and not path.startswith(COMMON):
            return True
        return any(fnmatchcase(path, pattern) for pattern in self.names)


def secrets_of(course: Course, exams: Mapping[str, Exam], solved: Iterable[str] = ()) -> Secrets:
    """Gather a course's secrets; the solutions of the assignments `solved` are none any more."""
    solved = set(solved)
    public: set[str] = set()
    hidden: dict[str, str] = {}
    for name, exam in exams.items():
        for cell in exam.cells:
            shown = cell.solution and name in solved
            what = "a solution" if cell.solution else "a hidden test"
            for line, is_hidden in marked(cell.source, cell.solution):
                if shown or not is_hidden:
                    public.add(line)
                elif len(line) >= SHORT and re.search(r"\w", line):
                    hidden.setdefault(line, f"{what} of {name}, cell {cell.grade_id or '?'}")
    places = (course.roster, course.extensions, course.keys)
    names = tuple(path.relative_to(course.root).as_posix() for path in places if path.is_relative_to(course.root))
    return Secrets(
        lines={line: cell for line, cell in hidden.items() if line not in public},
        texts=frozenset(_private_texts(course)),
        names=(*NEVER, *names),
    )


def _private_texts(course: Course) -> Iterator[str]:
    """What the class's files say of single students, and the keys of their pages."""
    for table in (course.roster, course.extensions):
        if table.exists():
            for row in table.read_text(encoding="utf-8-sig").splitlines()[1:]:
                if row.count(",") and len(row.strip()) >= SHORT:
                    yield row.strip()
                yield from (word for word in TOKEN.findall(row) if "@" in word)
    if course.keys.exists():
        keys = _strings(json.loads(course.keys.read_text(encoding="utf-8")), least=16)
        yield from (word for key in keys for word in TOKEN.findall(key))


def _strings(data: Any, least: int = 0) -> Iterator[str]:
    """Every string within JSON data that is at least so long."""
    if isinstance(data, str) and len(data) >= least:
        yield data
    elif isinstance(data, Mapping):
        for value in data.values():
            yield from _strings(value, least)
    elif isinstance(data, list):
        for value in data:
            yield from _strings(value, least)


def _lines(path: str, content: bytes) -> Iterator[str]:
    """The lines of a file, stripped; of a notebook the lines of every text in it, its outputs among them."""
    text = content.decode("utf-8", "replace")
    data = None
    if path.endswith(".ipynb"):
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            text = text.replace("\\n", "\n").replace('\\"', '"').replace('"', "\n")
    parts = [text] if data is None else _strings(_joined(data))
    for part in parts:
        yield from map(str.strip, part.splitlines())


def _joined(data: Any) -> Any:
    """JSON data of a notebook with its lists of lines joined."""
    if isinstance(data, list) and data and all(isinstance(item, str) for item in data):
        return "".join(data)
    if isinstance(data, list):
        return [_joined(item) for item in data]
    return {key: _joined(value) for key, value in data.items()} if isinstance(data, dict) else data
