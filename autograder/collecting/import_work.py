"""Work that was handed in elsewhere put into the record, as if it had been pushed: the same
grading, the same pages.

Each submission becomes a commit in the student's store, made of its files and its time only. So the same archive may
be imported again: what is in the record already is not recorded twice.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from autograder.collecting.handed_in_files import HandedIn, HandedInFile, unpack_archive
from autograder.collecting.notebook_sightings import Sightings
from autograder.course.configuration import Course
from autograder.course.errors import AutograderError, RemoteFailed, describe_error
from autograder.course.exam import Exam
from autograder.course.layout import FOLDER, original_place
from autograder.course.names import name_assignment, name_notebook
from autograder.course.nearest_names import say_nearest_name
from autograder.course.reports import make_printable
from autograder.course.roster import list_ids
from autograder.course.submission_files import is_path_beside
from autograder.course.submissions import Clock, Push, Student
from autograder.git.student_stores import open_fork
from autograder.record.ledger import Ledger

BRANCH = "imported"
MAX_ARCHIVE_MB = 200  # an archive within one is held in memory as a whole
MAX_NAMED = 3
# What browsers and Canvas add to the name of a file that is there already: `hw (1)`, `hw-1`.
AGAIN = re.compile(r"(?: ?\(\d+\)|-\d+)$")
NO_TIME = "nothing says when it was handed in: put a timestamp.txt into its folder, or give --time for all of these"


@dataclass(frozen=True)
class ImportedWork:
    """What became of one submission; `push` is None where it was in the record already, or could
    not be taken.
    """

    names: tuple[str, ...]
    student: str = ""
    assignment: str = ""
    push: Push | None = None
    error: str = ""
    note: str = ""


def import_work(
    course: Course,
    students: Sequence[Student],
    exams: Iterable[Exam],
    work: Iterable[HandedIn],
    *,
    assignment: str = "",
    time: datetime | None = None,
) -> Iterator[ImportedWork]:
    """Record each submission, and yield what became of it; whatever fails is one student's alone.

    Parameters
    ----------
    assignment : str
        The assignment of submissions that do not say theirs.
    time : datetime, optional
        When those were handed in that do not say it.
    """
    people = StudentNames(students)
    sightings = Sightings(exams, course.notebook_mb, course.layouts())
    for found in work:
        try:
            student = people.find_student(found.names)
            for name in _list_assignments(course, found, assignment):
                yield _import_one(course, student, name, found, sightings, time)
        except (AutograderError, OSError) as error:
            who = make_printable(" ".join(found.names))
            yield ImportedWork(found.names, error=f"{who}: {describe_error(error)}")


class StudentNames:
    """Finds the student whom a platform means: by id, number, address, or by the letters of the
    name.
    """

    def __init__(self, students: Iterable[Student]) -> None:
        self.students: dict[str, list[Student]] = {}
        self.ids: list[str] = []
        for student in students:
            self.ids.append(student.id)
            for name in self._list_names(student):
                known = self.students.setdefault(name, [])
                if student not in known:
                    known.append(student)

    def find_student(self, names: Iterable[str]) -> Student:
        """Return the student that one of the names belongs to; the first name that does decides.

        Raises
        ------
        RemoteFailed
            If it is nobody in the roster, or several.
        """
        names = tuple(names)
        for name in names:
            found = self.students.get(_only_letters(name), [])
            if len(found) > 1:
                ids = " and ".join(list_ids(found))
                raise RemoteFailed(
                    f"may be {ids}; give them different names, or numbers, in the roster"
                )
            if found:
                return found[0]
        near = say_nearest_name(names[0], self.ids)
        raise RemoteFailed(
            f"nobody in the roster is called so; {near}. "
            "Its columns student, number, email and name (first name, last name) are looked at"
        )

    def _list_names(self, student: Student) -> Iterator[str]:
        yield _only_letters(student.id)
        for given in (student.number, student.email, student.email.partition("@")[0], student.name):
            if given:  # what stands before the @ is the login in many a university
                yield _only_letters(given)
        words = student.name.replace(",", " ").split()
        # Canvas writes the last name first, Moodle as the site is set.
        for first in range(1, len(words)):
            yield _only_letters("".join([*words[first:], *words[:first]]))


def _only_letters(name: str) -> str:
    """Return a name's letters and digits, without accents: a platform's file names have no more."""
    letters = []
    for mark in unicodedata.normalize("NFKD", name):  # an accent is a mark of its own then
        if mark.isalnum() and not unicodedata.combining(mark):
            letters.append(mark)
    return "".join(letters).casefold()


def _list_assignments(course: Course, found: HandedIn, assignment: str) -> list[tuple[str, ...]]:
    """Return what was handed in: of each assignment the notebooks that may be meant."""
    meant = found.assignment or assignment
    if meant:
        return [course.find_notebooks(meant)]
    stems = set(map(_stem, _keep_notebooks(found.files)))
    named = []
    for whole, names in _list_names(course).items():
        if whole in stems:
            named.append(names)
    if named:
        return named
    raise RemoteFailed(
        "nothing says for which assignment this was handed in; name it with --assignment"
    )


def _list_names(course: Course) -> dict[str, tuple[str, ...]]:
    """Return the notebooks by what a file of its own may be called that says which are meant."""
    names = {}
    for whole, entries in course.list_notebooks().items():
        names[whole] = tuple(entry.name for entry in entries)
    for former, name in course.former_names.items():
        names[former] = (name,)
    return names


def _import_one(
    course: Course,
    student: Student,
    notebooks: Sequence[str],
    found: HandedIn,
    sightings: Sightings,
    time: datetime | None,
) -> ImportedWork:
    assignment = name_assignment(notebooks[0])
    moment = found.time or time
    if moment is None:
        raise RemoteFailed(NO_TIME)
    chosen = _choose_files(course, notebooks, found)
    fork = open_fork(course, student)
    commit = fork.commit_files(chosen.files, moment, f"Handed in: {assignment}")
    ledger = Ledger.of(course)
    record = ledger.read(student.id)
    # A commit is made of the files and their time: the same one was handed in before.
    if any(push.commit == commit for push in record.pushes):
        return ImportedWork(found.names, student.id, assignment)
    push = Push(
        student.id,
        commit,
        BRANCH,
        moment,
        Clock.PLATFORM,
        notebooks=fork.notebooks(commit),
        assignment=assignment,
    )
    push = sightings.look_at(fork, push)
    ledger.add_push(push)
    about = f"{student.id}, {assignment}"
    notes = [f"{about}: {sentence}" for sentence in chosen.sentences]
    if found.said_late and _is_in_time(course, notebooks[0], moment):
        when = course.write_moment(moment)
        notes.append(
            f"{about}: the platform calls it late, by its time ({when}) it is not: look at it"
        )
    return ImportedWork(found.names, student.id, assignment, push, note="; ".join(notes))


def _is_in_time(course: Course, assignment: str, moment: datetime) -> bool:
    for part in course.find_assignment(assignment).parts:
        if part.deadline is not None and moment > part.deadline:
            return False
    return True


@dataclass(frozen=True)
class _ChosenFiles:
    """The files of a submission by the places where the record looks for them, and what is to be
    said of others.
    """

    files: Mapping[str, bytes]
    sentences: tuple[str, ...] = ()


def _choose_files(course: Course, names: Sequence[str], found: HandedIn) -> _ChosenFiles:
    """Return the files of a submission at the places where the record looks for them."""
    files = _find_notebooks(course, found.files)
    notebooks = _choose_notebooks(names, _keep_notebooks(files), files)
    size = sum(file.size for file in files.values())
    if size > course.store_mb * 1e6:  # as the archive says, before anything of it is unpacked
        raise RemoteFailed(f"it unpacks to {size / 1e6:.0f} MB, more than c.Course.store_mb")
    # What lies beside the notebook stays beside it, however deep a folder a student handed in.
    top = PurePosixPath(next(iter(notebooks))).parent
    folder = f"{FOLDER}/{name_assignment(names[0])}"
    limit = course.notebook_mb * 1e6
    chosen = {}
    left_out = []
    for path, file in files.items():
        inside = PurePosixPath(path)
        place = inside.relative_to(top) if inside.is_relative_to(top) else inside
        if path in notebooks and file.size > limit:
            raise RemoteFailed(
                f"{path} has {file.size / 1e6:.0f} MB, more than c.Course.notebook_mb"
            )
        if path in notebooks:
            chosen[original_place(notebooks[path])] = file.read()
        elif not is_path_beside(place.as_posix().removesuffix(".ipynb")) or file.size > limit:
            left_out.append(path)
        else:
            # The notebook that counts stays where another file would come to the same place.
            chosen.setdefault(f"{folder}/{place}", file.read())
    if not left_out:
        return _ChosenFiles(chosen)
    named = make_printable(", ".join(left_out[:MAX_NAMED]))
    more = f" and {len(left_out) - MAX_NAMED} more" if left_out[MAX_NAMED:] else ""
    sentence = f"left out {named}{more}: hidden, too large, or a path that leads elsewhere"
    return _ChosenFiles(chosen, (sentence,))


def _find_notebooks(
    course: Course, files: Mapping[str, HandedInFile]
) -> Mapping[str, HandedInFile]:
    """Return the files; where there is no notebook among them, but an archive, what is in that."""
    archives = [path for path in files if path.lower().endswith(".zip")]
    # Of several archives nobody knows which one counts.
    if _keep_notebooks(files) or len(archives) != 1:
        return files
    archive = files[archives[0]]
    if archive.size > MAX_ARCHIVE_MB * 1e6:
        raise RemoteFailed(
            f"an archive of {archive.size / 1e6:.0f} MB, more than the {MAX_ARCHIVE_MB} that are read"
        )
    return unpack_archive(archive, course.timezone)


def _choose_notebooks(
    names: Sequence[str], notebooks: Sequence[str], files: Iterable[str]
) -> dict[str, str]:
    """Return the path of each notebook that is graded, with the name of the course's that it is.

    Raises
    ------
    RemoteFailed
        If there is none, or nobody can tell which of several it is.
    """
    if not notebooks:
        there = ", ".join(files) or "nothing"
        raise RemoteFailed(f"no notebook was handed in, only {make_printable(there)[:200]}")
    chosen = {}
    for name in names:
        # `problem-1` is a notebook of its own, and no second `problem`, where both are wanted.
        others = set(map(name_notebook, names)) - {name_notebook(name)}
        mine = [path for path in notebooks if _stem(path) not in others]
        path = _choose_notebook(name, mine, is_only=len(names) == 1)
        if path:
            chosen[path] = name
    if not chosen:
        wanted = " or ".join(f"{name_notebook(name)}.ipynb" for name in names)
        raise RemoteFailed(
            f"no notebook of {name_assignment(names[0])} was handed in, which would be {wanted}, "
            f"only {make_printable(', '.join(notebooks))[:200]}"
        )
    return chosen


def _choose_notebook(name: str, notebooks: Sequence[str], *, is_only: bool) -> str:
    """Return the path of one of the course's notebooks, empty where it was not handed in.

    Parameters
    ----------
    is_only : bool
        Whether no other is wanted, so that it may be called in any way.

    Raises
    ------
    RemoteFailed
        If nobody can tell which of several it is.
    """
    stem = name_notebook(name)
    own = (stem, name_assignment(name), f"{name_assignment(name)}.{stem}") if is_only else (stem,)
    named = []
    again = []
    alike = []
    for path in notebooks:
        called = _stem(path)
        if called in own:
            named.append(path)
        if AGAIN.sub("", called) in own:
            again.append(path)
        if stem in called:
            alike.append(path)
    # From the surest to the vaguest: the first that leaves one notebook decides.
    choices = [named, again]
    if is_only:
        choices += [alike, list(notebooks)]
    for choice in choices:
        if len(choice) == 1:
            return choice[0]
    there = choices[-1] if is_only else [*named, *again]
    if not there:
        return ""
    raise RemoteFailed(
        f"several notebooks were handed in ({make_printable(', '.join(there))[:200]}); "
        f"call the one that counts {stem}.ipynb"
    )


def _keep_notebooks(paths: Iterable[str]) -> list[str]:
    return [path for path in paths if path.endswith(".ipynb")]


def _stem(path: str) -> str:
    """Return what a file is called, without its ending."""
    return PurePosixPath(path).stem
