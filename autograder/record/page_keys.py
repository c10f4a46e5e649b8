"""Who may open which page: the course's secret, and a random key and file name per student.

The file is the only thing the pages need that cannot be computed again: lose it, and every student needs a new link.
It is kept readable for its owner alone and never gets into the site.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.course.errors import ConfigError, UsageError
from autograder.course.nearest_names import find_nearest_name
from autograder.course.whole_files import PRIVATE, write_whole

KEYS_VERSION = 1
KEY_BYTES = 16  # as docs/pages.md promises: nobody guesses 128 bits
SECRET_BYTES = 32
PAGE_NAME = re.compile(r"[0-9a-f]{32}")
# Crockford's base 32: no letter in it can be read as another letter or a digit.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class PageKey:
    """One student's page: its file name without ending, and the 128-bit key that opens it."""

    page: str
    key: bytes = field(repr=False)

    @property
    def link(self) -> str:
        """The page's address relative to the site, with the key in the fragment, which no server
        ever sees.
        """
        return f"p/{self.page}.html#k={_text(self.key)}"


@dataclass(frozen=True)
class _Contents:
    """What the file holds."""

    secret: bytes = field(repr=False)
    students: Mapping[str, PageKey] = field(repr=False)


class PageKeys:
    """The file of keys. Making a key for one student never changes another's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._contents = _read(path)

    def __repr__(self) -> str:
        return f"Keys({str(self.path)!r}, students={len(self._contents.students)})"

    @classmethod
    def load_or_create(cls, path: Path) -> PageKeys:
        """Read the file of keys, after making one with a new secret if there is none.

        Raises
        ------
        ConfigError
            If there is a file but it holds no keys. It is left as it is.
        """
        with _alone(path):
            if not path.exists():
                _write(path, _Contents(secrets.token_bytes(SECRET_BYTES), {}))
        path.chmod(0o600)  # a checkout of a state branch makes it readable for all
        return cls(path)

    def has_key_of(self, student: str) -> bool:
        """Whether a student has a key."""
        return student in self._contents.students

    def key_of(self, student: str) -> PageKey:
        """Return a student's page and key.

        Raises
        ------
        UsageError
            If the student has none.
        """
        if student not in self._contents.students:
            nearest = find_nearest_name(student, self._contents.students)
            advice = (
                f"did you mean {nearest!r}?" if nearest else "the next build of the pages makes one"
            )
            raise UsageError(f"{self.path}: student {student!r} has no key; {advice}")
        return self._contents.students[student]

    def make_missing(self, students: Iterable[str]) -> None:
        """Make a page and a key for each student who has none."""
        with _alone(self.path):
            # Read again under the lock, since another run may have made some meanwhile.
            known = _read(self.path)
            keys = dict(known.students)
            for student in students:
                if student not in keys:
                    keys[student] = _fresh()
            self._contents = _Contents(known.secret, keys)
            if len(keys) > len(known.students):
                _write(self.path, self._contents)

    def rotate_key(self, student: str) -> PageKey:
        """Give a student another page and another key; the old link ends with the next build.

        Raises
        ------
        UsageError
            If the student has no key yet.
        """
        with _alone(self.path):
            self._contents = _read(self.path)
            # Only to refuse who has none: a slip in an id must make no key for nobody.
            self.key_of(student)
            self._contents = _Contents(
                self._contents.secret, {**self._contents.students, student: _fresh()}
            )
            _write(self.path, self._contents)
        return self.key_of(student)

    def regrade_code_of(self, student: str) -> str:
        """Return the code that stands for a student wherever others may read along: 40 bits of an
        HMAC, `7K2Q-XM4D`.
        """
        digest = hmac.new(self._contents.secret, student.encode(), hashlib.sha256).digest()
        # Short enough to be read out; with a thousand students two alike are one in two million.
        bits = int.from_bytes(digest[:5], "big")
        letters = ""
        for shift in range(35, -1, -5):
            letters += ALPHABET[bits >> shift & 31]
        return f"{letters[:4]}-{letters[4:]}"

    def draw_number(self, purpose: str, student: str) -> int:
        """Return a number that looks drawn and is always the same for a purpose and a student."""
        words = f"{purpose}\0{student}".encode()
        digest = hmac.new(self._contents.secret, words, hashlib.sha256).digest()
        return int.from_bytes(digest, "big")


def _fresh() -> PageKey:
    return PageKey(secrets.token_hex(16), secrets.token_bytes(KEY_BYTES))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the folder's lock, so that two runs at once do not undo each other's new keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The folder, and not the file: that one is replaced by each writing.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _read(path: Path) -> _Contents:
    try:
        return _contents(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file of keys") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        advice = "restore it from a backup, for a new one means a new link for every student"
        raise ConfigError(
            f"{path}: not a file of keys ({type(error).__name__}: {error}); {advice}"
        ) from None


def _contents(data: Mapping[str, Any]) -> _Contents:
    if data["version"] != KEYS_VERSION:
        raise ValueError(f"version {data['version']!r}, this program reads {KEYS_VERSION}")
    secret = bytes.fromhex(data["secret"])
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a secret of {len(secret)} bytes, {SECRET_BYTES} are needed")
    students = {}
    for student, entry in data["students"].items():
        page = PageKey(entry["page"], _bytes(entry["key"]))
        students[student] = page
        # The page's name becomes a path in the site: nothing but what was made here
        if not PAGE_NAME.fullmatch(page.page) or len(page.key) != KEY_BYTES:
            raise ValueError(f"the entry of {student!r} is damaged")
    return _Contents(secret, students)


def _write(path: Path, contents: _Contents) -> None:
    students = {}
    for student, page in sorted(contents.students.items()):
        students[student] = {"page": page.page, "key": _text(page.key)}
    data = {"version": KEYS_VERSION, "secret": contents.secret.hex(), "students": students}
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    write_whole(path, text.encode(), "page keys", mode=PRIVATE)


def _text(key: bytes) -> str:
    return urlsafe_b64encode(key).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
