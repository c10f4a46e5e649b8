"""A practice class: the whole way from source notebooks to points pages, walked by students of
every kind.

Nothing in it is pretended except the time at which the collector looks: bare git repositories are forked, pushed to
and fetched, notebooks are graded in the jail, the gradebook is nbgrader's. Each step is written down when it is done,
so that a run that was killed goes on where it was, and a second run grades nothing twice.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from autograder.classroom.classroom import Classroom
from autograder.course.configuration import CONFIG_FILE, Assignment, Course, read_exams
from autograder.course.database_addresses import address_database
from autograder.course.errors import UsageError
from autograder.course.exam import WHOLE, Exercise
from autograder.course.reports import ExerciseResult
from autograder.course.whole_files import place_beside, write_whole
from autograder.grader.examiner import Examiner
from autograder.publishing.release import release_assignment
from autograder.record.standings import Standing
from autograder.rehearsal.forge_on_disk import BareRepository
from autograder.rehearsal.student_roles import ROLES, DueGrade, PushWave, StudentDesk, StudentRole

DEADLINE = datetime(2026, 3, 6, 22, 59, tzinfo=UTC)
# Stands in every hidden test of the course, and nowhere else
HIDDEN = "marking.criterion"
# One role never ends: the practice class waits for it, and no cell of the course takes a second
CELL_SECONDS = 6
LATE_RULE = {"per_day": 0.2, "days": 1}
ASSIGNMENTS = 2
CONFIG = '''\
"""The practice class: made by `autograder demo`; the course's own configuration with other dates and places."""

load_subconfig({original!r})  # noqa: F821
c = get_config()  # noqa: F821
c.Course.name = "Practice class"
c.Course.timezone = "UTC"
c.Course.upstream = {upstream!r}
c.Course.clock = "first seen"
c.Course.roster = "roster.csv"
c.Course.extensions = "extensions.csv"
c.Course.assignments = {assignments!r}
c.Course.limits = {{"cell_seconds": {cell_seconds}, "call_seconds": {cell_seconds}}}
c.CourseDirectory.db_url = {database!r}
'''


@dataclass(frozen=True)
class PracticeClass:
    """A practice class in a folder of its own."""

    original: Course
    out: Path
    size: int

    @property
    def assignments(self) -> dict[str, Assignment]:
        """The course's first assignments: enough to see everything, quick enough to wait for."""
        return dict(list(self.original.assignments.items())[:ASSIGNMENTS])

    @property
    def students(self) -> dict[str, StudentRole]:
        """Student ids and their roles; with more students than roles, the roles repeat."""
        names = {}
        for number in range(self.size):
            lap, index = divmod(number, len(ROLES))
            role = ROLES[index]
            names[role.name if lap == 0 else f"{role.name}-{lap + 1}"] = role
        return names

    @cached_property
    def classroom(self) -> Classroom:
        """The practice class as any other course."""
        return Classroom.open(self.out / CONFIG_FILE)

    @property
    def upstream(self) -> BareRepository:
        """The published course."""
        return BareRepository(self.out / "forge" / "course.git", self.original.branch)

    def fork(self, student: str) -> BareRepository:
        """Return a student's fork."""
        return BareRepository(
            self.out / "forge" / "students" / f"{student}.git", self.original.branch
        )

    def prepare(self) -> None:
        """Lay out the folder: sources, configuration, roster. An older class of other notebooks is
        cleared away.

        Raises
        ------
        UsageError
            If the folder holds something that is not a practice class.
        """
        about = {
            "sources": self._fingerprint(),
            "deadline": DEADLINE.isoformat(),
            "roles": " ".join(role.name for role in ROLES),
        }
        journal = ClassJournal(self.out)
        found = set(self.out.iterdir()) if self.out.exists() else set()
        # A run killed on its very first file left only what was to become the journal.
        if found - {place_beside(journal.path)} and journal.path not in found:
            raise UsageError(
                f"{self.out} is not empty and no practice class; name another folder with --out"
            )
        # Only what holds our journal: a folder named by mistake is refused above
        if journal.path.exists() and journal.about != about:
            shutil.rmtree(self.out)
        self.out.mkdir(parents=True, exist_ok=True)
        journal.start(about)
        for name in self.assignments:
            shutil.copytree(
                self.original.sources / name, self.out / "solutions" / name, dirs_exist_ok=True
            )
        (self.out / CONFIG_FILE).write_text(self._config(), encoding="utf-8")
        (self.out / "nbgrader_config.py").write_text(
            f'load_subconfig("{CONFIG_FILE}")  # noqa: F821\n'
        )
        roster = "student,remote\n"
        for student in self.students:
            roster += f"{student},{self.fork(student).path}\n"
        (self.out / "roster.csv").write_text(roster, encoding="utf-8")

    @property
    def is_released(self) -> bool:
        """Whether every assignment is released and the course published."""
        return ClassJournal(self.out).has("published")

    def release(self) -> None:
        """Release every assignment and publish the course, once."""
        if self.is_released:
            return
        with Examiner(self.original.limits) as examiner:
            for name in self.classroom.course.assignments:
                release_assignment(self.classroom.course, name, examiner)
        self.upstream.create()
        files = {}
        for path in sorted((self.out / "assignments").rglob("*")):
            if path.is_file():
                files[str(path.relative_to(self.out))] = path.read_bytes()
        # Two weeks before, so that every push comes after what it answers
        self.upstream.push(files, "The course: first assignments", DEADLINE - timedelta(days=14))
        ClassJournal(self.out).note("published")

    def waves(self) -> Iterator[tuple[PushWave, datetime]]:
        """Yield the waves of pushes that were not collected yet, with the time of each."""
        for wave in PushWave:
            if not ClassJournal(self.out).has(self._collected(wave)):
                yield wave, DEADLINE + timedelta(days=int(wave))

    @property
    def end(self) -> datetime:
        """The moment at which the practice class is looked at: everything is over."""
        return DEADLINE + timedelta(days=max(PushWave) + 1)

    def push(self, wave: PushWave, time: datetime) -> Iterator[str]:
        """Let every student push what their role pushes in this wave; yield who has."""
        for student, role in self.students.items():
            fork = self.fork(student)
            fork.fork(self.upstream)
            if wave in role.pushes:
                fork = fork.with_branch(role.branch) if role.branch else fork
                files: dict[str, bytes] = {}
                for desk in self.desks(student):
                    files |= role.pushes[wave](desk)
                fork.push(files, f"Homework, {wave.name.lower().replace('_', ' ')}", time)
            yield student

    def collected(self, wave: PushWave) -> None:
        """Write down that a wave is in the ledger."""
        ClassJournal(self.out).note(self._collected(wave))

    def desks(self, student: str) -> Iterable[StudentDesk]:
        """Yield a student's desk for each assignment."""
        for name, exam in self.classroom.exams.items():
            released = json.loads(
                self.classroom.course.release_path(name).read_text(encoding="utf-8")
            )
            yield StudentDesk(student, exam, released)

    def differences(self) -> list[str]:
        """Return a sentence for everything that is not as a role must get it."""
        standings = self.classroom.standings()
        found = []
        for student, role in self.students.items():
            for desk in self.desks(student):
                due = role.in_course(self.classroom.course.find)
                name = desk.exam.assignment
                for sentence in describe_wrong_grades(due, desk, standings[student][name]):
                    found.append(f"{student}, {name}: {sentence}")
        return found + self._find_leaks()

    def _find_leaks(self) -> list[str]:
        """Look for hidden tests in what the jail let out and in what students can read."""
        course = self.classroom.course
        found = []
        for place in (course.outputs, course.site, self.out / "assignments"):
            for path in place.rglob("*"):
                if path.is_file() and HIDDEN.encode() in path.read_bytes():
                    found.append(f"{path}: holds a hidden test")
        return found

    def _collected(self, wave: PushWave) -> str:
        return f"collected {wave.name}, {self.size} students"

    def _fingerprint(self) -> str:
        # Of the practice class's assignments alone: another homework changed is no reason to begin anew
        exams = read_exams(replace(self.original, assignments=self.assignments))
        return " ".join(exam.version for exam in exams.values())

    def _config(self) -> str:
        local = f"{DEADLINE:%Y-%m-%d %H:%M}"
        assignments: dict[str, Any] = {}
        for name, entry in self.assignments.items():
            dated = {}
            for part in entry.parts:
                dated[part.name] = {"exercises": list(part.exercises), "deadline": local}
            whole = dated.keys() == {WHOLE}
            dates = {"deadline": local} if whole else {"parts": dated}
            assignments[name] = {"title": entry.title, "late": LATE_RULE} | dates
        return CONFIG.format(
            upstream=str(self.upstream.path),
            original=str(self.original.root / CONFIG_FILE),
            assignments=assignments,
            cell_seconds=CELL_SECONDS,
            database=address_database(self.out / "gradebook.db"),
        )


@dataclass(frozen=True)
class ClassJournal:
    """What a practice class has done so far, written when it is done."""

    out: Path

    @property
    def path(self) -> Path:
        """The journal's file."""
        return self.out / "practice.json"

    @property
    def about(self) -> Any:
        """What class the folder holds."""
        return self._read()["about"]

    def start(self, about: Mapping[str, str]) -> None:
        """Begin a journal, unless there is one."""
        if not self.path.exists():
            self._write({"about": dict(about), "done": []})

    def has(self, step: str) -> bool:
        """Whether a step is done."""
        return step in self._read()["done"]

    def note(self, step: str) -> None:
        """Write down that a step is done."""
        journal = self._read()
        self._write(journal | {"done": [*journal["done"], step]})

    def _read(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return data

    def _write(self, data: Mapping[str, Any]) -> None:
        write_whole(self.path, json.dumps(data, indent=1).encode(), "practice class")


def describe_wrong_grades(
    role: StudentRole, desk: StudentDesk, standing: Standing
) -> Iterator[str]:
    """Yield a sentence for each difference between a standing and what the role must get."""
    results = {}
    said = list(standing.problems)
    for part in standing.parts:
        said.append(part.why)
        for graded in part.exercises:
            results[graded.id] = graded
        if part.state is not role.state:
            yield f"the state is {part.state.value!r}, it must be {role.state.value!r}"
        if part.factor != role.factor:
            yield f"{part.factor:g} of the points count, it must be {role.factor:g}"
    if role.problem and not any(role.problem in sentence for sentence in said):
        yield f"no sentence says {role.problem!r}"
    for exercise in desk.exam.exercises:
        wanted = role.grades(exercise, desk)
        for sentence in _describe_grade(exercise, results.get(exercise.id), wanted, desk):
            yield f"{exercise.id} has {sentence}"


def _describe_grade(
    exercise: Exercise, result: ExerciseResult | None, wanted: DueGrade, desk: StudentDesk
) -> Iterator[str]:
    points = result.points if result else 0.0
    if wanted is DueGrade.NOTHING:
        if points:
            yield f"{points:g} points, it must have none"
    elif wanted is DueGrade.HINT:
        if result is None or points >= exercise.points:
            yield f"{points:g} points, the mistake must cost some"
        if result is not None and desk.known_mistake()[2] not in result.hint:
            yield f"the hint {result.hint!r}, not the known mistake's"
    # What a person marks has no points before somebody gave some
    elif points != exercise.points and not exercise.manual:
        yield f"{points:g} of {exercise.points:g} points"
