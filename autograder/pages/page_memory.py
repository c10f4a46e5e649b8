"""What each student's page was made from, in a file beside the file of keys: so that nothing is rendered again where
nothing changed.

A page that is there already holds its contents, sealed with the student's key. They are taken out of it when they are
still the ones that were put in, and sealed anew with all others: whose page changed is to be seen by nobody. The memory
can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from autograder.course.configuration import Course
from autograder.course.exam import Exam
from autograder.course.submissions import Student
from autograder.course.whole_files import PRIVATE, write_whole
from autograder.pages.leaderboards import BoardPlace
from autograder.pages.page_seal import SEALED, unseal_packed
from autograder.record.ledger import StudentRecord
from autograder.record.page_keys import PageKey
from autograder.record.standings import Standing, is_over

MEMORY_VERSION = 1
# Together the code that makes a page's contents: a change of it makes every page anew.
RENDERING = (".py", ".html")


@dataclass(frozen=True)
class PageMemory:
    """What the pages of a site were made from, and what they hold.

    Attributes
    ----------
    pages : mapping of str to (str, str)
        By a page's name the fingerprint of what it was made from, and the hash of its contents.
    """

    pages: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def find_contents(self, site: Path, key: PageKey, fingerprint: str) -> bytes | None:
        """Return the packed contents of a page in the site, None where it has to be made anew."""
        made_from, held = self.pages.get(key.page, ("", ""))
        if made_from != fingerprint:
            return None
        try:
            page = (site / "p" / f"{key.page}.html").read_text(encoding="utf-8")
            sealed = SEALED.search(page)
            packed = unseal_packed(sealed["sealed"], key.key, key.page) if sealed else b""
        except (OSError, ValueError):
            return None
        # Somebody may have put an older page of this student's back, which opens as well.
        return packed if hash_contents(packed) == held else None


def hash_contents(packed: bytes) -> str:
    """Return what a page's contents are known by."""
    return hashlib.sha256(packed).hexdigest()


def read_page_memory(path: Path) -> PageMemory:
    """Return what the pages were last made from; nothing where that is not known."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if said["version"] != MEMORY_VERSION:
            return PageMemory()
        pages = {}
        for page, (made_from, held) in said["pages"].items():
            pages[str(page)] = (str(made_from), str(held))
        return PageMemory(pages)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return PageMemory()


def write_page_memory(path: Path, memory: PageMemory) -> None:
    """Remember what the pages were made from."""
    said = {"version": MEMORY_VERSION, "pages": dict(memory.pages)}
    write_whole(path, json.dumps(said).encode(), "memory of the pages", mode=PRIVATE)


def memory_path(keys: Path) -> Path:
    """Return where the memory lies: with the keys, for it tells which pages changed."""
    return keys.with_name(f".{keys.name}.made-from.json")


@dataclass(frozen=True)
class PageFingerprints:
    """Fingerprints of what students' pages are made from.

    Attributes
    ----------
    common : bytes
        Digest of what all pages are made from.
    now : datetime
        The moment for which they are made: of it a page shows only which deadlines are over.
    """

    common: bytes
    now: datetime

    @classmethod
    def prepare(
        cls, course: Course, exams: Mapping[str, Exam], contact: str, now: datetime
    ) -> PageFingerprints:
        """Take in what all pages share."""
        asked = [(name, exam.version, exam.cells, exam.exercises) for name, exam in exams.items()]
        digest = hashlib.sha256(repr((course, asked, contact)).encode("utf-8", "replace"))
        for content in _list_rendering():
            digest.update(content)
        return cls(digest.digest(), now)

    def fingerprint(
        self,
        student: Student,
        code: str,
        standings: Mapping[str, Standing],
        record: StudentRecord,
        places: Sequence[BoardPlace] = (),
    ) -> str:
        """Return the fingerprint of what a student's page is made from."""
        over = []
        for standing in standings.values():
            for part in standing.parts:
                over.append(is_over(part.deadline, self.now))
        # Field by field: a record also keeps what was once computed from it.
        recorded = [getattr(record, entry.name) for entry in fields(record)]
        # Pickle is read by nobody: it is the fastest way to all that a dataclass holds.
        said = pickle.dumps((student, code, dict(standings), recorded, over, places))
        return hashlib.sha256(self.common + said).hexdigest()


def _list_rendering() -> Iterator[bytes]:
    """Yield the contents of the files that make a page: ours, and those that write what it shows."""
    room = files("autograder")
    for folder in (room / "course", room / "record", room / "pages", room / "pages" / "templates"):
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if entry.name.endswith(RENDERING):
                yield entry.read_bytes()
