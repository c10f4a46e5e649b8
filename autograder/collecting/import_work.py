"""Work that was handed in elsewhere put into the record, as if it had been pushed: the same
grading, the same pages.

Each submission becomes a commit in the student's store, made of its files and its time only. So the same archive may
be imported again: what is in the record already is not recorded twice.
"""

from __future__ import annotations

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
from autograder.course.layout import FOLDER
from autograder.course.nearest_names import say_nearest_name
from autograder.course.submission_files import is_path_beside
from autograder.course.submissions import Clock, Push, Student, make_printable
from autograder.git.student_stores import open_fork
from autograder.record.ledger import Ledger

BRANCH = "imported"
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
                ids = " and ".join(student.id for student in found)
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


def _list_assignments(course: Course, found: HandedIn, assignment: str) -> list[str]:
    """Return the assignment of a submission, or of a folder with several notebooks those that are
    there.
    """
    stems = {PurePosixPath(path).stem for path in found.files if path.endswith(".ipynb")}
    meant = found.assignment or assignment
    several = [
        entry for entry in course.assignments.values() if entry.folder and entry.folder == meant
    ]
    there = [entry.name for entry in several if stems & {entry.notebook, entry.name}]
    if there:
        return there
    if several:
        wanted = " or ".join(f"{entry.notebook}.ipynb" for entry in several)
        raise RemoteFailed(f"no notebook of {meant} was handed in, which would be {wanted}")
    if meant:
        return [course.find_assignment(meant).name]
    named = [name for name in stems if name in course.assignments]
    if named:
        return named
    raise RemoteFailed(
        "nothing says for which assignment this was handed in; name it with --assignment"
    )


def _import_one(
    course: Course,
    student: Student,
    assignment: str,
    found: HandedIn,
    sightings: Sightings,
    time: datetime | None,
) -> ImportedWork:
    moment = found.time or time
    if moment is None:
        raise RemoteFailed(NO_TIME)
    files = _choose_files(course, assignment, found)
    fork = open_fork(course, student)
    commit = fork.commit_files(files, moment, f"Handed in: {assignment}")
    record = Ledger(course.ledger).read(student.id)
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
    Ledger(course.ledger).add_push(push)
    note = ""
    if found.said_late and _is_in_time(course, assignment, moment):
        when = course.write_moment(moment)
        note = f"{student.id}, {assignment}: the platform calls it late, by its time ({when}) it is not: look at it"
    return ImportedWork(found.names, student.id, assignment, push, note=note)


def _is_in_time(course: Course, assignment: str, moment: datetime) -> bool:
    for part in course.find_assignment(assignment).parts:
        if part.deadline is not None and moment > part.deadline:
            return False
    return True


def _choose_files(course: Course, assignment: str, found: HandedIn) -> dict[str, bytes]:
    """Return the files of a submission at the places where the record looks for them."""
    files = _find_notebooks(course, found.files)
    notebook = _choose_notebook(assignment, course.find_assignment(assignment).notebook, files)
    limit = course.notebook_mb * 1e6
    chosen = {}
    for path, file in files.items():
        if path == notebook:
            place = f"{FOLDER}/{assignment}/{assignment}.ipynb"
        elif path.endswith(".ipynb") or is_path_beside(path):
            place = f"{FOLDER}/{assignment}/{path}"
        else:
            continue
        if file.size <= limit:
            chosen[place] = file.read()
        elif path == notebook:
            raise RemoteFailed(
                f"{path} has {file.size / 1e6:.0f} MB, more than c.Course.notebook_mb"
            )
    return chosen


def _find_notebooks(
    course: Course, files: Mapping[str, HandedInFile]
) -> Mapping[str, HandedInFile]:
    """Return the files; where there is no notebook among them, but an archive, what is in that."""
    archives = [file for path, file in files.items() if path.endswith(".zip")]
    if any(path.endswith(".ipynb") for path in files) or len(archives) != 1:
        return files
    if archives[0].size > course.store_mb * 1e6:
        raise RemoteFailed(
            f"an archive of {archives[0].size / 1e6:.0f} MB, more than c.Course.store_mb"
        )
    return unpack_archive(archives[0], course.timezone)


def _choose_notebook(assignment: str, source: str, files: Mapping[str, HandedInFile]) -> str:
    """Return the path of the notebook that is graded.

    Raises
    ------
    RemoteFailed
        If there is none, or nobody can tell which of several it is.
    """
    notebooks = [path for path in files if path.endswith(".ipynb")]
    named = [path for path in notebooks if PurePosixPath(path).stem in (source, assignment)]
    alike = [path for path in notebooks if assignment in PurePosixPath(path).stem]
    # The surest sign first; where it fits several, a weaker one may still fit one of them only.
    for choice in (named, alike, notebooks):
        if len(choice) == 1:
            return choice[0]
    if not notebooks:
        there = ", ".join(files) or "nothing"
        raise RemoteFailed(f"no notebook was handed in, only {make_printable(there)[:200]}")
    raise RemoteFailed(
        f"several notebooks were handed in ({make_printable(', '.join(notebooks))[:200]}); "
        f"call the one that counts {assignment}.ipynb"
    )
