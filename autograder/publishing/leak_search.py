"""What must not be seen, and where it is seen: lines of solutions and hidden tests, the class,
keys.

A line is secret when it is hidden in a source notebook and public in none. The course's own code and demonstrations
treat the same matter, so there a single line that looks alike gives nothing away; several of one hidden cell do.
"""

from __future__ import annotations

import builtins
import json
import keyword
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.course.configuration import Course
from autograder.course.exam import INSTRUCTORS_ONLY, Exam
from autograder.course.layout import FOLDER
from autograder.course.source_markers import (
    ANY_MARKER,
    MARKER,
    NBGRADERS,
    Markers,
    mark_hidden_lines,
)
from autograder.publishing.hidden_pictures import digest_pictures, find_hidden_pictures
from autograder.publishing.notebook_fields import (
    SETTINGS,
    find_withheld_fields,
    iterate_strings,
    read_source,
)

COMMON = ("autograder/", "demonotebooks/")  # the course's own code and demonstrations
# Of one hidden cell in one of their files: one line alike is chance, three are a copy.
COMMON_LINES = 3
KEY = 16  # characters of the shortest key
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


def list_files(folder: Path) -> list[str]:
    """Return the files of a folder and of those in it, by path from there."""
    return [
        path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()
    ]


def find_leaks(exam: Exam, released: Path) -> list[str]:
    """Return every line of a release that is not public in its source, and what else in its folder
    is not for students.

    That is files that are not the source's to give, and fields of the notebook that are not on the list.
    """
    found = []
    for path in list_files(released.parent):
        is_given = path == released.name or path in exam.files
        if PurePosixPath(path).name in INSTRUCTORS_ONLY or not is_given:
            found.append(f"  file {path}")
    return found + find_notebook_leaks(exam, released)


def find_notebook_leaks(exam: Exam, released: Path) -> list[str]:
    """Return every line of a released notebook that is not public in its source, and every field
    not for students.
    """
    public: Counter[str] = Counter()
    secret = set()
    for cell in exam.cells:
        for line, hidden in mark_hidden_lines(cell.source, cell.holds_solution, exam.markers):
            if not hidden:
                public[line] += 1
            elif re.search(r"\w", line):  # a lone `)` is nobody's secret
                secret.add(line)
    seen: Counter[str] = Counter()
    notebook = json.loads(released.read_text(encoding="utf-8"))
    found = [f"  {where}: {name}" for where, name in find_withheld_fields(notebook)]
    for cell in notebook["cells"]:
        text = read_source(cell)
        if cell.get("outputs"):
            found.append(f"  stored output: {json.dumps(cell['outputs'])[:80]}")
        # Counted, not only looked up: `return x` may be public once and stand in a solution too.
        for line in map(str.strip, text.splitlines()):
            seen[line] += 1
            is_marker = MARKER.match(line) or exam.markers.are_in(line)
            if is_marker or (line in secret and seen[line] > public[line]):
                found.append(f"  {line}")
    return found


# --- anything that is public -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CourseSecrets:
    """What must be in no public file.

    Attributes
    ----------
    lines : mapping of str to str
        Secret lines of notebooks, and the cell that hides each.
    texts : frozenset of str
        What may not stand anywhere, as a line or as a word: rows about students, addresses, keys.
    names : tuple of str
        Patterns of paths that are never public.
    pictures : mapping of str to str
        Digests of pictures and other files within source notebooks that students do not get, and
        where each is.
    markers : Markers
        What begins and ends a solution or a hidden test.
    """

    lines: Mapping[str, str] = field(repr=False)
    texts: frozenset[str] = field(repr=False)
    names: tuple[str, ...] = NEVER
    pictures: Mapping[str, str] = field(repr=False, default_factory=dict)
    markers: Markers = NBGRADERS

    def find_in_file(self, path: str, content: bytes) -> list[str]:
        """Return a sentence for everything secret that a file shows."""
        found = []
        if self._is_private(path):
            found.append(f"the file {path} is never public")
        if CREDENTIALS.search(content):
            found.append("a private key or an access token")
        if LEDGER.search(content):
            found.append("a line of the ledger")
        text = content.decode("utf-8", "replace")
        notebook = _parse_notebook(path, text)
        lines = list(_iterate_lines(path, text, notebook))
        words = {*lines, *map(str.strip, text.splitlines()), *TOKEN.findall(text)}
        for word in sorted(self.texts & words):
            # Begun, not whole: the sentence goes into logs, and the word is a secret.
            found.append(f"about students, or a key: {word[:8]}…")
        if path.endswith(".ipynb"):
            found += self._find_markers(lines)
        found += self._find_lines(path, lines)
        found += self._find_pictures(content, notebook)
        if isinstance(notebook, dict) and path.startswith(f"{FOLDER}/"):
            for where, name in find_withheld_fields(notebook):
                if name not in SETTINGS:
                    found.append(f"{where}, which students do not get: {name}")
        return found

    def _find_markers(self, lines: Sequence[str]) -> Iterator[str]:
        """Say which lines are markers that only a source notebook has."""
        # nbgrader's own words count between their signs only: a demonstration may speak of them.
        own = self.markers != NBGRADERS
        for line in lines:
            if ANY_MARKER.search(line) or (own and self.markers.are_in(line)):
                yield f"a marker of nbgrader's: {line}"

    def _find_lines(self, path: str, lines: Sequence[str]) -> Iterator[str]:
        """Say which cells a file shows secret lines of, with one of these."""
        by_cell: dict[str, set[str]] = defaultdict(set)
        for line in lines:
            if line in self.lines:
                by_cell[self.lines[line]].add(line)
        needed = COMMON_LINES if path.startswith(COMMON) else 1
        for cell, some in sorted(by_cell.items()):
            if len(some) >= needed:
                yield f"{cell}: {min(some)}"

    def _find_pictures(self, content: bytes, notebook: Any) -> list[str]:
        """Say which hidden pictures a file shows."""
        if not self.pictures:  # digesting every text of every file takes its time
            return []
        hidden = digest_pictures(content, notebook) & self.pictures.keys()
        return sorted({self.pictures[digest] for digest in hidden})

    def _is_private(self, path: str) -> bool:
        if PurePosixPath(path).name in INSTRUCTORS_ONLY and not path.startswith(COMMON):
            return True
        return any(fnmatchcase(path, pattern) for pattern in self.names)


def gather_secrets(
    course: Course, exams: Mapping[str, Exam], solved: Iterable[str] = ()
) -> CourseSecrets:
    """Gather a course's secrets; the solutions of the assignments `solved` are none any more."""
    solved = set(solved)
    public: set[str] = set()
    hidden: dict[str, str] = {}
    for name, exam in exams.items():
        for cell in exam.cells:
            shown = cell.solution and name in solved
            what = "a solution" if cell.solution else "a hidden test"
            for line, is_hidden in mark_hidden_lines(
                cell.source, cell.holds_solution, exam.markers
            ):
                if shown or not is_hidden:
                    public.add(line)
                elif len(line) >= SHORT and not is_common_python(line):
                    hidden.setdefault(line, f"{what} of {name}, cell {cell.grade_id or '?'}")
    pictures: dict[str, str] = {}
    for name in exams:
        pictures |= find_hidden_pictures(
            course.source_path(name), solved=name in solved, markers=course.markers
        )
    # Only now: a later notebook may show what an earlier one hides.
    for line in public & hidden.keys():
        del hidden[line]
    names = []
    for path in (course.roster, course.extensions, course.keys):
        if path.is_relative_to(course.root):
            names.append(path.relative_to(course.root).as_posix())
    return CourseSecrets(
        lines=hidden,
        texts=frozenset(_private_texts(course)),
        names=(*NEVER, *names),
        pictures=pictures,
        markers=course.markers,
    )


def is_common_python(line: str) -> bool:
    """Whether a line has no word but Python's own, like `except Exception:`: it stands in every
    program.
    """
    words = re.findall(r"\w+", line)
    return all(keyword.iskeyword(word) or hasattr(builtins, word) for word in words)


def _private_texts(course: Course) -> Iterator[str]:
    """What the class's files say of single students, and the keys of their pages."""
    for table in (course.roster, course.extensions):
        if table.exists():
            for row in table.read_text(encoding="utf-8-sig").splitlines()[1:]:
                if row.count(",") and len(row.strip()) >= SHORT:
                    yield row.strip()
                # Of a row's single words only addresses: an id or a name stands in the course, too.
                for word in TOKEN.findall(row):
                    if "@" in word:
                        yield word
    if course.keys.exists():
        for key in iterate_strings(json.loads(course.keys.read_text(encoding="utf-8"))):
            if len(key) >= KEY:
                yield from TOKEN.findall(key)


def _parse_notebook(path: str, text: str) -> Any:
    """Return what a notebook's file holds, None for another file and for one that is broken."""
    if not path.endswith(".ipynb"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _iterate_lines(path: str, text: str, notebook: Any) -> Iterator[str]:
    """The lines of a file, stripped; of a notebook the lines of every text in it, its outputs among
    them.
    """
    if path.endswith(".ipynb") and notebook is None:
        # A broken notebook is read by people all the same: take its JSON apart by hand.
        text = text.replace("\\n", "\n").replace('\\"', '"').replace('"', "\n")
    parts = [text] if notebook is None else iterate_strings(notebook)
    for part in parts:
        yield from map(str.strip, part.splitlines())
