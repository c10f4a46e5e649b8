"""Who takes the course, and who has more time: two tables the instructors keep."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from string import Formatter

from autograder.course.configuration import Assignment, Course, ForgeOptions, Part
from autograder.course.configuration_file import ROSTER_FIELDS
from autograder.course.errors import ConfigError
from autograder.course.exam import WHOLE
from autograder.course.names import find_name_fault, find_twins
from autograder.course.nearest_names import say_nearest_name
from autograder.course.option_values import MOMENT, read_moment
from autograder.course.remotes import git_address, repository_name
from autograder.course.spreadsheets import read_table
from autograder.course.submissions import Student

NO_REMOTE = "none"
ROSTER_COLUMNS = ("student", "remote", "name", "email", "group", "repository", "number", "account")
EXTENSION_COLUMNS = ("student", "assignment", "part", "deadline")

Extensions = Mapping[tuple[str, str, str], datetime]  # (student, assignment, part) → deadline


def list_ids(students: Iterable[Student]) -> list[str]:
    """Return the ids of students, in their order."""
    return [student.id for student in students]


def read_roster(path: Path, course: Course | None = None) -> tuple[Student, ...]:
    """Read the roster: columns `student` and `remote`, and whichever of the others there are.

    A remote is a URL or path for git, or `owner/repository` on the forge, or `none` of a student
    who pushes nowhere, whose work is imported. `repository` is the forge's own number of it, needed
    only to say that a repository of another account is meant all the same. `number` is what the
    university calls the student, for exports, `account` what the forge does. Where each assignment
    has a repository of its own, `c.Course.repositories` makes its address of these, and a column
    `remote ASSIGNMENT` gives another.

    Raises
    ------
    ConfigError
        Naming file, line and what is wrong with it.
    """
    pattern = course.repositories if course else ""
    # In small letters, as `read_table` compares the names of columns.
    own = {}
    if course is not None:
        for name in course.list_notebooks():
            own[f"remote {name}".casefold()] = name
    needed = ("student",) if pattern else ("student", "remote")
    students: dict[str, Student] = {}
    for line, row in read_table(path, needed, (*ROSTER_COLUMNS, *own)):
        where = f"{path}, line {line}"
        student = _read_student(where, row)
        if student.id in students:
            raise ConfigError(f"{where}: student {student.id!r} stands here twice")
        # A cell of one assignment's column goes before the pattern: that one repository is another.
        remotes = {}
        for column, assignment in own.items():
            remote = row[column]
            if not remote and course is not None:
                remote = _make_address(where, pattern, assignment, row)
            _check_remote(where, student.id, remote or NO_REMOTE)
            if remote and remote != NO_REMOTE:
                remotes[assignment] = remote
        if not remotes and not student.remote and row["remote"] != NO_REMOTE:
            _check_remote(where, student.id, row["remote"])
        students[student.id] = replace(student, remotes=tuple(remotes.items()))
    # Ids name files: on a disk that ignores capitals two of them would share a record.
    twins = find_twins(students)
    if twins is not None:
        raise ConfigError(
            f"{path}: people or disks cannot tell the students {twins[0]!r} and {twins[1]!r} apart; "
            "give one of the two another id"
        )
    return tuple(students.values())


def _read_student(where: str, row: Mapping[str, str]) -> Student:
    student = row["student"]
    remote = row["remote"]
    fault = find_name_fault(student)
    if fault:
        raise ConfigError(f"{where}: student {student!r}; {fault}")
    _check_remote(where, student, remote or NO_REMOTE)
    number = row["repository"]
    # Other scripts' digits are digits to Python, and 19 of them may not fit into the forge's 64 bits.
    if number and not (number.isascii() and number.isdigit() and len(number) < 19):
        raise ConfigError(
            f"{where}: repository {number!r} of {student!r} is not the forge's number"
        )
    return Student(
        id=student,
        remote="" if remote == NO_REMOTE else remote,
        name=row["name"],
        email=row["email"],
        group=row["group"],
        repository=int(number or 0),
        number=row["number"],
        account=row["account"],
    )


def _check_remote(where: str, student: str, remote: str) -> None:
    # To git, `-` begins an option, and `ext::command` is a remote that runs a command.
    if not remote or remote.startswith("-") or "::" in remote:
        raise ConfigError(f"{where}: remote {remote!r} of {student!r} is not a URL or path for git")


def _make_address(where: str, pattern: str, assignment: str, row: Mapping[str, str]) -> str:
    """Return the address of a student's repository of an assignment, empty where there is no
    pattern.
    """
    if not pattern:
        return ""
    for _, name, _, _ in Formatter().parse(pattern):
        if name in ROSTER_FIELDS and not row[name]:
            raise ConfigError(
                f"{where}: {name} is empty, and c.Course.repositories needs it for the address"
            )
    about = {name: row[name] for name in ROSTER_FIELDS}
    return pattern.format(assignment=assignment, folder=assignment, **about)


def read_extensions(
    path: Path,
    course: Course,
    students: Collection[str] | None = None,
    strangers: list[str] | None = None,
) -> dict[tuple[str, str, str], datetime]:
    """Read the extensions; no file means none. An empty `part` means every part of the assignment.

    Where the `students` of the roster are given, a line for anybody else is refused; where
    `strangers` is given, too, it is left out, and a sentence about it added there.

    Raises
    ------
    ConfigError
        Naming file, line and what is wrong with it.
    """
    extensions: dict[tuple[str, str, str], datetime] = {}
    lines: dict[tuple[str, str, str], int] = {}
    if not path.exists():
        return extensions
    for line, row in read_table(path, ("student", "assignment", "deadline"), EXTENSION_COLUMNS):
        where = f"{path}, line {line}"
        if students is not None and row["student"] not in students:
            nearest = say_nearest_name(row["student"], students)
            sentence = f"{where}: no student {row['student']!r} in the roster; {nearest}"
            if strangers is None:
                raise ConfigError(sentence)
            strangers.append(f"{sentence} (or delete the line, if they left)")
            continue
        notebooks, deadline = _read_extension(where, row, course)
        # The first one speaks for all: they have the parts of their assignment.
        for part in _parts(where, notebooks[0], row["part"]):
            key = row["student"], notebooks[0].whole, part.name
            if key in lines:
                raise ConfigError(
                    f"{where}: {_twice(key)}, in line {lines[key]}; delete one of the two"
                )
            if part.deadline is not None and deadline < part.deadline:
                raise ConfigError(
                    f"{where}: {_earlier(row['deadline'], part, course.to_local_time(part.deadline))}"
                )
            lines[key] = line
            # Each by its own name, for notebooks are judged one by one.
            for notebook in notebooks:
                extensions[row["student"], notebook.name, part.name] = deadline
    return extensions


def _read_extension(
    where: str, row: Mapping[str, str], course: Course
) -> tuple[tuple[Assignment, ...], datetime]:
    """Return the notebooks that a line gives more time for, and until when."""
    try:
        deadline = read_moment(row["deadline"], course.timezone)
        return _find_extended(course, row["assignment"]), deadline
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    except ValueError:
        raise ConfigError(f"{where}: deadline {row['deadline']!r} is not {MOMENT}") from None


def _find_extended(course: Course, name: str) -> tuple[Assignment, ...]:
    """Return the notebooks of an assignment; one of several has no deadline of its own.

    Raises
    ------
    ConfigError
        If there is no such assignment, or only a notebook of one is named.
    """
    by_name = course.list_notebooks()
    if name in by_name:
        return by_name[name]
    entry = course.assignments[course.find_notebooks(name)[0]]
    raise ConfigError(
        f"{name!r} is a notebook of {entry.whole!r}, which has one deadline; write {entry.whole!r}"
    )


def shared_remotes(students: Iterable[Student], forge: ForgeOptions) -> dict[str, tuple[str, ...]]:
    """Return, by student, the others with the same remote: whoever pushes there pushes for all of
    them.

    A repository of the forge is the same however its address is written.
    """
    # By the name in small letters: to GitHub `Owner/Repo` and `owner/repo` are the same.
    sharing: dict[str, list[str]] = {}
    of_student = {}
    for student in students:
        if not student.remote:
            continue
        address = git_address(student.remote, forge)
        name = repository_name(address, forge) or address.rstrip("/").removesuffix(".git")
        of_student[student.id] = sharing.setdefault(name.casefold(), [])
        of_student[student.id].append(student.id)
    others = {}
    for student_id, ids in of_student.items():
        if len(ids) > 1:
            others[student_id] = tuple(other for other in ids if other != student_id)
    return others


def _parts(where: str, assignment: Assignment, name: str) -> tuple[Part, ...]:
    """The part of a name, or all where none is named."""
    if not name:
        return assignment.parts
    names = [part.name for part in assignment.parts]
    if name not in names:
        right = "leave it empty" if names == [WHOLE] else say_nearest_name(name, names)
        raise ConfigError(f"{where}: {assignment.whole} has no part {name!r}; {right}")
    return (assignment.parts[names.index(name)],)


def _twice(key: tuple[str, str, str]) -> str:
    student, assignment, part = key
    what = f"part {part!r} of {assignment}" if part else assignment
    return f"{student!r} has an extension for {what} already"


def _earlier(deadline: str, part: Part, everybodys: datetime) -> str:
    """Say why a deadline is no extension of a part: it would take time away."""
    of_part = f" of part {part.name!r}" if part.name else ""
    more = ", or name the part that is meant" if part.name else ""
    return f"deadline {deadline} is before everybody's{of_part}, {everybodys:%Y-%m-%d %H:%M}; give a later one{more}"
