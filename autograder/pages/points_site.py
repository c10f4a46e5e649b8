"""The site written: a whole new folder beside the old one, then put into its place."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment

from autograder.course.configuration import Course
from autograder.course.errors import ConfigError, DiskFailed, UsageError, Wall, no_wall
from autograder.course.exam import Exam
from autograder.course.faults import reached
from autograder.course.roster import list_ids
from autograder.course.submissions import Student
from autograder.course.whole_files import place_beside
from autograder.pages.course_page import make_course_page
from autograder.pages.leaderboards import Board, list_places, make_boards
from autograder.pages.page_memory import (
    PageFingerprints,
    PageMemory,
    hash_contents,
    memory_path,
    read_page_memory,
    write_page_memory,
)
from autograder.pages.page_seal import find_padded_size, pack_contents, seal_contents
from autograder.pages.readings import Reading, copy_pictures, list_readings, render_homework
from autograder.pages.student_page import StudentPage, make_student_page
from autograder.pages.template_environment import make_environment
from autograder.record.ledger import StudentRecord
from autograder.record.page_keys import PageKeys
from autograder.record.standings import Standing

STATIC = ("pages.css", "reading.css", "times.js", "open.js", "icon.svg")
INDEX = "index.html"
LEADERBOARD = "leaderboard.html"
OURS = frozenset({INDEX, LEADERBOARD, "static", "p", "read", ".nojekyll"})


@dataclass(frozen=True)
class Contents:
    """What the pages say: the course page, by student the page of their own, and the leaderboard,
    which is empty where nobody wants to be on one.
    """

    index: str = field(repr=False)
    own: Mapping[str, str] = field(repr=False)
    leaderboard: str = field(repr=False, default="")


@dataclass(frozen=True)
class SiteSource:
    """What a site is made from.

    Attributes
    ----------
    course : Course
        The course.
    exams : mapping of str to Exam
        By assignment; one without an exam yet stands on the course page with its deadlines only.
    standings : mapping of str to mapping of str to Standing
        By student id, then by assignment.
    records : mapping of str to StudentRecord
        By student id, for the history of pushes.
    keys : PageKeys
        The key of each student's page.
    students : sequence of Student
        Who gets a page.
    now : datetime
        The "last update" of the pages; deadlines are open or closed by it.
    contact : str
        Where to ask for a regrade: a `mailto:` or `https:` address.
    """

    course: Course
    exams: Mapping[str, Exam]
    standings: Mapping[str, Mapping[str, Standing]]
    records: Mapping[str, StudentRecord]
    keys: PageKeys
    students: Sequence[Student]
    now: datetime
    contact: str = ""

    def standings_of(self, student: Student) -> Mapping[str, Standing]:
        """Return where a student stands, nothing where that is not known."""
        return self.standings.get(student.id, {})

    def record_of(self, student: Student) -> StudentRecord:
        """Return a student's record, empty where there is none."""
        return self.records.get(student.id, StudentRecord(student.id))

    def make_boards(self) -> tuple[Board, ...]:
        """Return the leaderboards on which somebody wants to be."""
        return make_boards(self.course, self.exams, self.students, self.records, self.keys)


def build_site(
    source: SiteSource,
    out: Path,
    *,
    unchanged: Collection[str] = (),
    wall: Wall = no_wall,
) -> dict[str, str]:
    """Write the course page and a page per student; the folder `out` changes all at once or not at
    all.

    Parameters
    ----------
    source : SiteSource
        What the pages are made from; its keys get one for each student who has none.
    out : Path
        Folder of the site; replaced.
    unchanged : collection of str, optional
        Students of whom nothing is known now: their pages stay as they were.
    wall : callable, optional
        Keeps what fails for one student from the others; that student's page stays as it was.

    Returns
    -------
    dict of str to str
        Student id → link relative to the site, with the key in its fragment.

    Raises
    ------
    ConfigError
        If the contact is no such address.
    UsageError
        If `out` holds anything that is not of a site.
    """
    course = source.course
    keys = source.keys
    students = source.students
    _check_contact(source.contact)
    _check_replaceable(out)
    keys.make_missing(list_ids(students))
    with wall("the homework's text is not shown"):
        render_homework(course)
    readings = list_readings(course)
    # Of the whole roster, for nobody's name may be a code name, also not of who is not judged now.
    boards: tuple[Board, ...] = ()
    with wall("the leaderboard is not shown"):
        boards = source.make_boards()
    known_now = [student for student in students if student.id not in unchanged]
    judged = replace(source, students=known_now)
    fingerprints = _take_fingerprints(judged, boards)
    packed = _find_same_contents(read_page_memory(memory_path(keys.path)), out, fingerprints, keys)
    contents = render_contents(judged, boards, known=packed.keys(), wall=wall)
    for student, text in contents.own.items():
        packed[student] = pack_contents(text)
    unmade = [student for student in students if student.id not in packed]
    kept = _read_kept_pages(out, unmade, keys)
    templates = _load_templates(course, source.now)
    pages = (
        {INDEX: contents.index}
        | kept
        | _seal_pages(templates, packed, keys)
        | _render_readings(templates, readings)
    )
    if contents.leaderboard:
        pages[LEADERBOARD] = contents.leaderboard
    _replace_site(out, pages, readings)
    _remember_pages(keys, fingerprints, packed)
    return {student.id: keys.key_of(student.id).link for student in students}


def render_contents(
    source: SiteSource,
    boards: Sequence[Board],
    *,
    known: Collection[str] = (),
    wall: Wall = no_wall,
) -> Contents:
    """Return what the pages say, before anything is sealed or written; not the pages of students
    whose contents are `known`.
    """
    course = source.course
    templates = _load_templates(course, source.now)
    standings = [source.standings_of(student) for student in source.students]
    course_page = make_course_page(course, source.exams, standings, source.now)
    index = _render_page(
        templates,
        "course.html",
        page=course_page,
        readings=list_readings(course),
        has_boards=bool(boards),
    )
    leaderboard = _render_page(templates, "leaderboard.html", boards=boards) if boards else ""
    own = {}
    for student in source.students:
        if student.id in known:
            continue
        with wall(f"{student.id}: the page stays as it was"):
            page = make_student_page(
                course,
                source.exams,
                student,
                source.keys.regrade_code_of(student.id),
                source.standings_of(student),
                source.record_of(student),
                source.now,
                list_places(boards, student.id),
            )
            own[student.id] = _render_own_page(templates, course, page, source.contact)
    return Contents(index, own, leaderboard)


def _take_fingerprints(source: SiteSource, boards: Sequence[Board]) -> dict[str, str]:
    """Return by student the fingerprint of what their page is made from."""
    common = PageFingerprints.prepare(source.course, source.exams, source.contact, source.now)
    taken = {}
    for student in source.students:
        taken[student.id] = common.fingerprint(
            student,
            source.keys.regrade_code_of(student.id),
            source.standings_of(student),
            source.record_of(student),
            list_places(boards, student.id),
        )
    return taken


def _find_same_contents(
    memory: PageMemory, out: Path, fingerprints: Mapping[str, str], keys: PageKeys
) -> dict[str, bytes]:
    """Return by student the packed contents of the pages that would be made the same again."""
    found = {}
    for student, fingerprint in fingerprints.items():
        packed = memory.find_contents(out, keys.key_of(student), fingerprint)
        if packed is not None:
            found[student] = packed
    return found


def _remember_pages(
    keys: PageKeys, fingerprints: Mapping[str, str], packed: Mapping[str, bytes]
) -> None:
    """Keep what the pages were made from, where that can be written: without it they are only made
    once more.
    """
    pages = {}
    for student, content in packed.items():
        page = keys.key_of(student).page
        pages[page] = (fingerprints[student], hash_contents(content))
    with suppress(DiskFailed):
        write_page_memory(memory_path(keys.path), PageMemory(pages))


def _load_templates(course: Course, now: datetime) -> Environment:
    templates = make_environment(course)
    templates.globals |= {"now": now}
    return templates


def _render_readings(templates: Environment, readings: Sequence[Reading]) -> dict[str, str]:
    pages = {}
    for reading in readings:
        body = reading.read_body()
        pages[reading.place] = _render_page(
            templates, "reading.html", root="../", reading=reading, body=body
        )
    return pages


def _read_kept_pages(out: Path, students: Iterable[Student], keys: PageKeys) -> dict[str, str]:
    """Return the pages of students as they are in the site now."""
    pages = {}
    for student in students:
        place = f"p/{keys.key_of(student.id).page}.html"
        if (out / place).is_file():
            pages[place] = (out / place).read_text(encoding="utf-8")
    return pages


def _render_own_page(
    templates: Environment, course: Course, page: StudentPage, contact: str
) -> str:
    if contact.startswith("mailto:") and "?" not in contact:
        contact += "?subject=" + quote(f"{course.name}: regrade request of {page.code}")
    return templates.get_template("student.html").render(page=page, contact=contact)


def _seal_pages(
    templates: Environment, contents: Mapping[str, bytes], keys: PageKeys
) -> dict[str, str]:
    size = find_padded_size(list(map(len, contents.values())))
    pages = {}
    for student, packed in contents.items():
        own = keys.key_of(student)
        sealed = seal_contents(packed, own.key, own.page, size)
        pages[f"p/{own.page}.html"] = _render_page(
            templates, "sealed.html", root="../", name=own.page, sealed=sealed
        )
    return pages


def _render_page(templates: Environment, template: str, root: str = "", **data: object) -> str:
    return templates.get_template(template).render(root=root, **data)


def _check_contact(contact: str) -> None:
    if contact and not contact.startswith(("mailto:", "https://")):
        raise ConfigError(
            f"contact is {contact!r}; an address that begins with 'mailto:' or 'https://' is wanted"
        )


def _check_replaceable(out: Path) -> None:
    """Refuse to replace a folder that someone keeps other things in."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: a file is there; name a folder for the site")
    names = [entry.name for entry in out.iterdir()] if out.exists() else []
    foreign = set(names) - OURS
    if foreign:
        raise UsageError(
            f"{out}: holds {min(foreign)!r}, which is not of the site; name an empty folder or a new one"
        )


def _replace_site(out: Path, pages: Mapping[str, str], readings: Sequence[Reading]) -> None:
    out = out.resolve()
    new = place_beside(out)
    old = out.with_name(f".{out.name}.old")
    if old.exists() and not out.exists():  # a run was killed just between the two renames below
        old.rename(out)
    for folder in (new, old):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        _write_new_folder(new, pages, readings)
    except OSError as error:  # a full disk: the site stays as it was
        shutil.rmtree(new, ignore_errors=True)
        raise DiskFailed.at(new, error) from None
    reached("site: written beside its place")
    if out.exists():
        out.rename(old)
        reached("site: old one moved away")
    new.rename(out)
    reached("site: in its place")
    shutil.rmtree(old, ignore_errors=True)


def _write_new_folder(new: Path, pages: Mapping[str, str], readings: Sequence[Reading]) -> None:
    (new / "p").mkdir(parents=True)
    (new / "static").mkdir()
    if readings:
        (new / "read").mkdir()
        copy_pictures(readings, new / "read")
    for name, text in pages.items():
        (new / name).write_text(text, encoding="utf-8", errors="replace")
    for name in STATIC:
        (new / "static" / name).write_bytes(
            (files("autograder.pages") / "static" / name).read_bytes()
        )
    (new / ".nojekyll").touch()
