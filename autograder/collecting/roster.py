"""Who takes the course, and who has more time: two CSV files the instructors keep."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from autograder.config import MOMENT, NAME, Course, nearest, read_moment
from autograder.errors import ConfigError
from autograder.exam import WHOLE
from autograder.records import Student

ROSTER_COLUMNS = ("student", "remote", "name", "email", "group", "repository", "number")
EXTENSION_COLUMNS = ("student", "assignment", "part", "deadline")

Extensions = Mapping[tuple[str, str, str], datetime]  # (student, assignment, part) → deadline


def read_roster(path: Path) -> tuple[Student, ...]:
    """Read the roster: columns `student` and `remote`, and whichever of the others there are.

    A remote is a URL or path for git, or `owner/repository` on the forge; `repository` is the forge's own number of
    it, needed only to say that a repository of another account is meant all the same. `number` is what the university
    calls the student, for exports.

    Raises
    ------
    ConfigError
        Naming file, line and what is wrong with it.
    """
    students: dict[str, Student] = {}
    for line, row in _rows(path, ("student", "remote"), ROSTER_COLUMNS):
        student, remote = row["student"], row["remote"]
        if not NAME.fullmatch(student):
            raise ConfigError(f"{path}, line {line}: student {student!r}; letters, digits, '_', '-' and '.' only")
        if student in students:
            raise ConfigError(f"{path}, line {line}: student {student!r} stands here twice")
        if not remote or remote.startswith("-") or "::" in remote:
            raise ConfigError(f"{path}, line {line}: remote {remote!r} of {student!r} is not a URL or path for git")
        number = row["repository"]
        if number and not (number.isascii() and number.isdigit() and len(number) < 19):
            raise ConfigError(f"{path}, line {line}: repository {number!r} of {student!r} is not the forge's number")
        about = {name: row[name] for name in ("name", "email", "group", "number")}
        students[student] = Student(student, remote, repository=int(number or 0), **about)
    return tuple(students.values())


def read_extensions(
    path: Path, course: Course, students: Collection[str] | None = None
) -> dict[tuple[str, str, str], datetime]:
    """Read the extensions; no file means none. An empty `part` means every part of the assignment.

    Where the `students` of the roster are given, a line for anybody else is refused.

    Raises
    ------
    ConfigError
        Naming file, line and what is wrong with it.
    """
    extensions: dict[tuple[str, str, str], datetime] = {}
    if not path.exists():
        return extensions
    for line, row in _rows(path, ("student", "assignment", "deadline"), EXTENSION_COLUMNS):
        if students is not None and row["student"] not in students:
            raise ConfigError(
                f"{path}, line {line}: no student {row['student']!r} in the roster; {nearest(row['student'], students)}"
            )
        try:
            assignment = course.assignment(row["assignment"])
            deadline = read_moment(row["deadline"], course.timezone)
        except ConfigError as error:
            raise ConfigError(f"{path}, line {line}: {error}") from None
        except ValueError:
            raise ConfigError(f"{path}, line {line}: deadline {row['deadline']!r} is not {MOMENT}") from None
        names = [part.name for part in assignment.parts]
        if row["part"] and row["part"] not in names:
            right = "leave it empty" if names == [WHOLE] else nearest(row["part"], names)
            raise ConfigError(f"{path}, line {line}: {assignment.name} has no part {row['part']!r}; {right}")
        for part in [row["part"]] if row["part"] else names:
            extensions[row["student"], assignment.name, part] = deadline
    return extensions


def _rows(path: Path, needed: tuple[str, ...], known: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = [(name or "").strip() for name in reader.fieldnames or ()]
            missing = [name for name in needed if name not in columns]
            if missing:
                raise ConfigError(f"{path}: column {missing[0]!r} is missing; the first line names {', '.join(known)}")
            reader.fieldnames = columns
            for row in reader:
                values = {name: (row.get(name) or "").strip() for name in known}
                if any(values.values()):
                    yield reader.line_num, values
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file; write it, with a first line {','.join(needed)}, or autograder state pull"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text; save the table as 'CSV UTF-8'") from None
