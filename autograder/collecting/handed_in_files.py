"""Work that people handed in elsewhere, as it comes out of nbgrader's exchange, Moodle or Canvas: a
folder or archives.

Three ways of naming are known, and may be mixed in one folder:

    STUDENT/ASSIGNMENT/FILES                        nbgrader's `submitted`, also what `nbgrader
    zip_collect` makes NAME_NUMBER_assignsubmission_file_/FILES        Moodle's "Download all
    submissions", with folders or without NAME_[LATE_]NUMBER_NUMBER_FILE                  Canvas'
    "Download Submissions"

When something was handed in stands in its `timestamp.txt`, in Moodle's grading worksheet if that lies there, or is what
the archive says of its newest file. Nothing is unpacked to the disk, and no more is read than a submission may hold.
"""

from __future__ import annotations

import csv
import io
import lzma
import re
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from autograder.course.errors import UsageError
from autograder.course.option_values import read_moment

TIMESTAMP = "timestamp.txt"
MOODLE = re.compile(
    r"(?P<name>.+)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)"
)
# Canvas leaves letters and digits of a name, so that the first _ ends it.
CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<number>\d+)_\d+_(?P<file>.+)")
# Moodle writes times in the site's language; these are what it has in English.
WORKSHEET_TIMES = ("%A, %d %B %Y, %I:%M %p", "%d %B %Y, %I:%M %p", "%A, %d %B %Y, %H:%M")
IGNORED = frozenset({"__MACOSX", ".DS_Store", ".ipynb_checkpoints", "desktop.ini", "Thumbs.db"})
MAX_ENTRIES = 100_000
# A class's has some kilobytes: what is larger is data of somebody's homework.
MAX_WORKSHEET = 8 << 20  # bytes
# What zipfile raises of an entry that is damaged, encrypted, or packed in a way it does not know.
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    RuntimeError,
    NotImplementedError,
    EOFError,
    ValueError,
)
SAYS_UTF8 = 0x800  # of an archive's entry: its path is UTF-8
DIGITS_OF_YEAR = re.compile(r"\b[12]\d{3}\b")  # dateutil fills what is missing with today
NO_TIME = (1980, 1, 1)  # what an archive says that knows no time


@dataclass(frozen=True)
class HandedInFile:
    """A file in a folder or an archive; `time` is the archive's, None where there is only a
    folder.
    """

    path: str
    size: int
    read: Callable[[], bytes] = field(repr=False)
    time: datetime | None = None


@dataclass(frozen=True)
class HandedIn:
    """What one student handed in for one assignment.

    Attributes
    ----------
    names : tuple of str
        What is said of who it is: an id, a number, a name, an address.
    assignment : str
        As it is called there, empty where nothing says it.
    files : mapping of str to HandedInFile
        By path within it.
    time : datetime or None
        When it was handed in, None where nothing says it.
    said_late : bool
        Whether the platform calls it late.
    """

    names: tuple[str, ...]
    assignment: str
    files: Mapping[str, HandedInFile]
    time: datetime | None = None
    said_late: bool = False


@dataclass(frozen=True)
class HandedInFolder:
    """What a folder holds, and the paths of files of which nobody knows whose they are."""

    work: tuple[HandedIn, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class _Owner:
    """Whose a file is: what is said of the student, the assignment or "", and the file's path
    within the work.
    """

    names: tuple[str, ...]
    assignment: str
    path: str
    said_late: bool = False


def read_handed_in(place: Path, assignments: Collection[str], zone: ZoneInfo) -> HandedInFolder:
    """Return what was handed in, of a folder with its archives or of one archive.

    Parameters
    ----------
    assignments : collection of str
        Names of the course's assignments, by which nbgrader's folders are known.
    zone : ZoneInfo
        The zone of times that name none.

    Raises
    ------
    UsageError
        If there is no such folder or archive, or an archive cannot be read.
    """
    files = [file for file in _list_files(place, zone) if not _is_ignored(file.path)]
    worksheet = _read_worksheets(files, zone)
    groups: dict[tuple[tuple[str, ...], str], HandedIn] = {}
    unknown = []
    for file in files:
        owner = _find_owner(file.path, assignments)
        if owner is None:
            if not file.path.endswith(".csv"):
                unknown.append(file.path)
            continue
        key = (owner.names, owner.assignment)
        before = groups.get(key, HandedIn(owner.names, owner.assignment, {}))
        groups[key] = replace(
            before,
            files={**before.files, owner.path: file},
            said_late=before.said_late or owner.said_late,
        )
    # The time last: a worksheet may stand behind the files it speaks of.
    work = []
    for found in groups.values():
        timed = _with_time(found, worksheet, zone)
        # A folder with a time and nothing else is how nbgrader is told of work that came otherwise.
        if timed.files:
            work.append(timed)
    return HandedInFolder(tuple(work), tuple(unknown))


def _is_ignored(path: str) -> bool:
    return not IGNORED.isdisjoint(PurePosixPath(path).parts)


def _list_files(place: Path, zone: ZoneInfo) -> Iterator[HandedInFile]:
    if place.is_file():
        yield from _list_archive(place.name, place, zone)
        return
    if not place.is_dir():
        raise UsageError(
            f"{place}: no such folder or archive; give the folder with what was handed in"
        )
    for path in sorted(place.rglob("*")):
        # A link may lead out of the folder, to a file that nobody handed in.
        if not path.is_file() or path.is_symlink():
            continue
        name = unicodedata.normalize("NFC", path.relative_to(place).as_posix())
        is_submission = MOODLE.match(name) or CANVAS.match(name)  # a student zipped their own
        if path.suffix == ".zip" and path.parent == place and not is_submission:
            yield from _list_archive(name, path, zone)
        else:
            yield HandedInFile(name, path.stat().st_size, path.read_bytes)


def _list_archive(name: str, file: Path | io.BytesIO, zone: ZoneInfo) -> Iterator[HandedInFile]:
    try:
        # Left open for its entries, which are read one at a time when they are wanted.
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError) as error:
        raise UsageError(
            f"{name}: not an archive that can be read ({error}); give a .zip file or a folder"
        ) from None
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MAX_ENTRIES:
        raise UsageError(
            f"{name}: {len(entries)} files, more than a class hands in; is it the right archive?"
        )
    for entry in entries:
        time = _read_time(entry, zone)

        # Bound now: when it is called, the loop's own `entry` is the last one.
        def read(entry: zipfile.ZipInfo = entry) -> bytes:
            try:
                with archive.open(entry) as content:
                    # No more than it says of itself, for that was held against the limits.
                    return content.read(entry.file_size)
            except UNREADABLE as error:
                raise UsageError(f"{name}: {entry.filename} cannot be read: {error}") from None

        yield HandedInFile(_read_path(entry), entry.file_size, read, time)


def _read_time(entry: zipfile.ZipInfo, zone: ZoneInfo) -> datetime | None:
    if entry.date_time[:3] == NO_TIME:
        return None
    try:
        with_zone = datetime(*entry.date_time, tzinfo=zone)
    except ValueError:  # some programs leave the date empty, which is day 0 of month 0
        return None
    return with_zone.astimezone(UTC)


def _read_path(entry: zipfile.ZipInfo) -> str:
    """Return the path of an entry. macOS writes UTF-8 without saying so, which is read as CP437."""
    path = entry.filename
    if not entry.flag_bits & SAYS_UTF8:
        with suppress(UnicodeError):
            path = path.encode("cp437").decode("utf-8")
    # Some archivers on Windows write backslashes, against the format.
    return unicodedata.normalize("NFC", path.replace("\\", "/"))


def unpack_archive(file: HandedInFile, zone: ZoneInfo) -> dict[str, HandedInFile]:
    """Return what is in an archive that a student handed in, without a folder that holds all of
    it.
    """
    inside = {}
    tops = set()
    for entry in _list_archive(file.path, io.BytesIO(file.read()), zone):
        if not _is_ignored(entry.path):
            inside[entry.path] = entry
            tops.add(entry.path.partition("/")[0])
    has_one_folder = len(tops) == 1 and all("/" in path for path in inside)
    if not has_one_folder:
        return inside
    return {path.partition("/")[2]: entry for path, entry in inside.items()}


def _find_owner(path: str, assignments: Collection[str]) -> _Owner | None:
    parts = PurePosixPath(path).parts
    # Canvas last, for it knows no folders: a file within another platform's may be called so, too.
    for depth, part in enumerate(parts):
        moodle = MOODLE.fullmatch(part)
        if moodle:
            rest = "/".join(parts[depth + 1 :]) or moodle["file"]
            return _Owner((moodle["name"], moodle["number"]), "", rest) if rest else None
        if depth and part in assignments and parts[depth + 1 :]:
            return _Owner((parts[depth - 1],), part, "/".join(parts[depth + 1 :]))
    canvas = CANVAS.fullmatch(parts[-1])
    if canvas:
        who = (canvas["name"], canvas["number"])
        return _Owner(who, "", canvas["file"], said_late=bool(canvas["late"]))
    return None


def _with_time(
    found: HandedIn, worksheet: Mapping[str, tuple[str, datetime | None]], zone: ZoneInfo
) -> HandedIn:
    """Return it with its time, and with the address that a worksheet gives for its number."""
    files = dict(found.files)
    # Taken out: the platform put it there, and no student handed it in.
    stamp = files.pop(TIMESTAMP, None)
    address, time = worksheet.get(found.names[-1], ("", None))
    if stamp is not None:
        time = read_timestamp(stamp.read().decode("utf-8", "replace"), zone) or time
    if time is None:
        times = [file.time for file in files.values() if file.time is not None]
        time = max(times, default=None)
    names = (*found.names, address) if address else found.names
    return replace(found, names=names, files=files, time=time)


def read_timestamp(text: str, zone: ZoneInfo) -> datetime | None:
    """Read nbgrader's timestamp, `2027-03-06 22:59:00.5 UTC` or with another zone; None where it is
    no time.

    Whatever else nbgrader reads is read as it does: by dateutil, `Sat, 6 Mar 2027 22:59 +0100`.
    """
    moment = _read_iso_timestamp(text, zone)
    if moment is not None:
        return moment
    # Late: every command would load it, and a platform's times are nearly all of the first form.
    from dateutil.parser import parse as parse_any_time

    try:
        with warnings.catch_warnings():
            # A zone that it does not know, `PST`, is only warned of, and would be taken for none.
            warnings.simplefilter("error")
            given: datetime = parse_any_time(text.strip())
    except (ValueError, OverflowError, RuntimeWarning):
        return None
    if given.tzinfo is None or not DIGITS_OF_YEAR.search(text):
        return None
    return given.astimezone(UTC)


def _read_iso_timestamp(text: str, zone: ZoneInfo) -> datetime | None:
    words = text.split()
    if len(words) < 2:  # as ISO has it, with a T
        words = text.replace("T", " ").split()
    if len(words) < 2:
        return None
    moment = f"{words[0]} {words[1]}"
    try:
        if len(words) > 2:
            zone = ZoneInfo(words[2])
        return read_moment(
            moment.removesuffix("Z") + ("+00:00" if moment.endswith("Z") else ""), zone
        )
    except (ValueError, ZoneInfoNotFoundError):
        return None


def _read_worksheets(
    files: Sequence[HandedInFile], zone: ZoneInfo
) -> dict[str, tuple[str, datetime | None]]:
    """Return the address and the time of each participant's number, from Moodle's grading
    worksheets.
    """
    found = {}
    for file in files:
        if not file.path.endswith(".csv") or file.size > MAX_WORKSHEET:
            continue
        rows = csv.DictReader(io.StringIO(file.read().decode("utf-8-sig", "replace"), newline=""))
        for row in rows:
            # `Participant 12345` in the site's language, of which the number is always the same.
            number = re.search(r"\d+$", row.get("Identifier") or "")
            if number:
                time = _read_worksheet_time(row.get("Last modified (submission)") or "", zone)
                found[number[0]] = ((row.get("Email address") or "").strip(), time)
    return found


def _read_worksheet_time(text: str, zone: ZoneInfo) -> datetime | None:
    for pattern in WORKSHEET_TIMES:
        try:
            moment = datetime.strptime(text.strip(), pattern)
        except ValueError:
            continue
        return moment.replace(tzinfo=zone).astimezone(UTC)
    return None
