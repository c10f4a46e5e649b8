"""A course made for nbgrader looked at: what `grading_config.py` has to say of it, and what each
notebook will do here.

Nothing of the course is changed: one file is written beside `nbgrader_config.py`, which it reads, and a roster if
nbgrader knows the students.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from traitlets.config.loader import Config, PyFileConfigLoader

from autograder.course.configuration import CONFIG_FILE, Course
from autograder.course.database_addresses import address_database
from autograder.course.errors import AutograderError, ConfigError, UsageError, describe_error
from autograder.course.marker_options import NBGRADER_FILE
from autograder.course.names import find_name_fault, find_twins
from autograder.course.roster import NO_REMOTE, list_ids
from autograder.course.temporary_folders import temporary_folder
from autograder.course.whole_files import write_whole
from autograder.gradebook.nbgrader_courses import KnownCourse, read_known_course
from autograder.grader.examiner import Examiner
from autograder.publishing.release import try_release

ROSTER_FILE = "roster.csv"
HEAD = '''\
"""The course as `autograder` sees it; written by `autograder adopt`, and yours to change.

Options of nbgrader stay in nbgrader_config.py.
"""

c = get_config()  # noqa: F821
{subconfig}
c.Course.name = {name}
c.Course.timezone = {timezone}

# Deadlines are in this zone, like "2027-03-06 23:59".
c.Course.assignments = {{
{assignments}
}}

c.Course.roster = "roster.csv"

# Students with a repository for each assignment: c.Course.repositories = "OUR-CLASS/{{folder}}-{{account}}"
# Notebooks that lie elsewhere in students' repositories:
# c.Course.layout = ["{{folder}}/{{notebook}}.ipynb", "{{notebook}}.ipynb"]
'''
SUBCONFIG = 'load_subconfig("nbgrader_config.py")  # noqa: F821\n'


@dataclass(frozen=True)
class FoundCourse:
    """What was found in the folder of a course.

    Attributes
    ----------
    notebooks : mapping of str to tuple of str
        Source notebooks without their ending, by the folder they lie in.
    unusable : tuple of str
        Sentences about folders and notebooks whose names cannot be used.
    """

    folder: Path
    name: str
    has_config: bool
    notebooks: Mapping[str, tuple[str, ...]]
    known: KnownCourse
    unusable: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotebookVerdict:
    """What a notebook will do here.

    Attributes
    ----------
    inside : mapping of str to str
        Exercises whose tests have to run inside the jail, with the reason.
    by_hand : tuple of str
        What somebody has to look at or to change.
    """

    assignment: str
    exercises: int = 0
    points: float = 0.0
    inside: Mapping[str, str] = field(default_factory=dict)
    by_hand: tuple[str, ...] = ()


def find_course(folder: Path) -> FoundCourse:
    """Look at a course of nbgrader's.

    Raises
    ------
    UsageError
        If there are no source notebooks in the folder.
    ConfigError
        If its `nbgrader_config.py` cannot be read.
    """
    config = _read_nbgrader_config(folder)
    section = config.CourseDirectory
    sources = folder / section.get("source_directory", "source")
    if not sources.is_dir():
        raise UsageError(
            f"{sources}: no such folder; give the folder of a course, with nbgrader's source notebooks"
        )
    notebooks: dict[str, tuple[str, ...]] = {}
    unusable: list[str] = []
    for place in sorted(sources.iterdir()):
        # Jupyter leaves a folder `.ipynb_checkpoints` wherever a notebook was opened.
        if not place.is_dir() or place.name.startswith("."):
            continue
        usable, faults = _sort_names(place)
        unusable += faults
        if usable:
            notebooks[place.name] = usable
    twins = find_twins(notebooks)
    if twins is not None:
        del notebooks[twins[1]]
        unusable.append(f"{sources}: {twins[0]!r} and {twins[1]!r} look alike; rename one")
    if not any(notebooks.values()):
        raise UsageError(
            f"{sources}: no source notebooks of the form ASSIGNMENT/NOTEBOOK.ipynb in it"
        )
    name = str(section.get("course_id", "")) or folder.resolve().name
    database = section.get("db_url", address_database(folder.resolve() / "gradebook.db"))
    known, faults = _sort_known(read_known_course(database), notebooks)
    has_config = (folder / NBGRADER_FILE).exists()
    return FoundCourse(folder, name, has_config, notebooks, known, (*unusable, *faults))


def _sort_known(known: KnownCourse, notebooks: Container[str]) -> tuple[KnownCourse, list[str]]:
    """Return what the gradebook knows that can be taken over, and what is to be said of the rest."""
    faults = []
    students = []
    for student in known.students:
        fault = find_name_fault(student.id)
        if fault:
            faults.append(f"the gradebook's student {student.id!r} is left out: {fault}")
        else:
            students.append(student)
    twins = find_twins(list_ids(students))
    if twins is not None:
        faults.append(f"{ROSTER_FILE}: {twins[0]!r} and {twins[1]!r} look alike; rename one")
    for assignment, deadline in known.deadlines.items():
        if assignment not in notebooks:
            faults.append(
                f"the gradebook's {assignment!r}, due {_write_deadline(deadline)}, is left out: "
                "no source notebooks of it are there"
            )
    return replace(known, students=tuple(students)), faults


def _sort_names(place: Path) -> tuple[tuple[str, ...], list[str]]:
    """Return the notebooks of a folder that can be called as they are, and what is to be said of the
    others; none where the folder itself cannot.
    """
    usable = []
    faults = []
    folder_fault = find_name_fault(place.name)
    if folder_fault:
        faults.append(f"{place.name}: {place.name!r}: {folder_fault}")
    for path in sorted(place.glob("*.ipynb")):
        fault = find_name_fault(path.stem)
        if fault:
            faults.append(f"{place.name}: {path.stem!r}: {fault}")
        else:
            usable.append(path.stem)
    twins = find_twins(usable)
    if twins is not None:
        faults.append(f"{place.name}: {twins[0]!r} and {twins[1]!r} look alike; rename one")
    return (() if folder_fault or twins else tuple(usable)), faults


def _read_nbgrader_config(folder: Path) -> Config:
    if not (folder / NBGRADER_FILE).exists():
        return Config()
    try:
        return PyFileConfigLoader(NBGRADER_FILE, path=str(folder)).load_config()
    except Exception as error:  # it is a program of somebody's
        raise ConfigError(f"{folder / NBGRADER_FILE}: {type(error).__name__}: {error}") from None


def write_config(found: FoundCourse, timezone: str) -> tuple[Path, ...]:
    """Write `grading_config.py`, and a roster if there is none; return what was written, nothing
    that was there.
    """
    written = []
    config = found.folder / CONFIG_FILE
    if not config.exists():
        write_whole(config, _make_config(found, timezone).encode(), "configuration")
        written.append(config)
    roster = found.folder / ROSTER_FILE
    if not roster.exists() and found.known.students:
        write_whole(roster, _make_roster(found.known).encode(), "roster")
        written.append(roster)
    return tuple(written)


def _make_config(found: FoundCourse, timezone: str) -> str:
    lines = []
    for name, notebooks in found.notebooks.items():
        entries = [f'"title": {json.dumps(name.replace("_", " "), ensure_ascii=False)}']
        if notebooks != (name,):
            entries.append(f'"notebooks": {json.dumps(list(notebooks))}')
        deadline = found.known.deadlines.get(name)
        if deadline is not None:
            entries.append(f'"deadline": "{_write_deadline(deadline)}"')
        lines.append(f"    {json.dumps(name)}: {{{', '.join(entries)}}},")
    return HEAD.format(
        subconfig=SUBCONFIG if found.has_config else "",
        name=json.dumps(found.name, ensure_ascii=False),
        timezone=json.dumps(timezone),
        assignments="\n".join(lines),
    )


def _write_deadline(deadline: datetime) -> str:
    """Write a deadline with its zone: nbgrader keeps it in UTC."""
    return deadline.replace(tzinfo=UTC).isoformat(" ", "minutes")


def _make_roster(known: KnownCourse) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("student", "name", "email", "remote"))
    for student in known.students:
        writer.writerow((student.id, student.name, student.email, NO_REMOTE))
    return text.getvalue()


def try_notebooks(course: Course, examiner: Examiner) -> Iterator[NotebookVerdict]:
    """Yield what each notebook will do: its own solution and what students get are graded, as a
    release does.
    """
    for name in course.assignments:
        with temporary_folder("adopt") as folder:
            try:
                tried = try_release(course, name, folder, examiner)
            except AutograderError as error:
                # One notebook that cannot be released says nothing about the others.
                yield NotebookVerdict(name, by_hand=(describe_error(error),))
                continue
        exam = tried.exam
        yield NotebookVerdict(name, len(exam.exercises), exam.points, exam.inside, tried.warnings)
