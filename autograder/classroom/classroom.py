"""A course with its students, exams and record in hand: what every command of an instructor works
on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path

from autograder.collecting.collect import poll_remotes
from autograder.collecting.handed_in_files import read_handed_in
from autograder.collecting.import_work import ImportedWork, import_work
from autograder.collecting.lost_notebooks import restore_notebooks
from autograder.collecting.remote_poll import Collected
from autograder.course.configuration import Course
from autograder.course.configuration_file import load_course
from autograder.course.errors import (
    AutograderError,
    ExamError,
    Interrupted,
    NoJail,
    UsageError,
    describe_error,
)
from autograder.course.exam import Exam
from autograder.course.nearest_names import say_nearest_name
from autograder.course.reports import make_printable
from autograder.course.roster import Extensions, list_ids, read_extensions, read_roster
from autograder.course.submissions import Student
from autograder.gradebook.autograded_notebooks import find_unshown, remove_unneeded_outputs
from autograder.gradebook.projection import read_gradebook, update_gradebook
from autograder.grading.finished_tasks import FinishedTask
from autograder.record.assignment_standings import join_class, judge_notebooks
from autograder.record.ledger import Ledger, StudentRecord
from autograder.record.open_tasks import GradingTask, find_open_tasks
from autograder.record.record_cache import RecordCache
from autograder.record.standings import Standing, is_released
from autograder.record.state_branch import StateBranch

MAX_NAMED = 5
# What the gradebook loads, in parts of a tenth of a second: a step taken meanwhile holds up whoever
# takes it
GRADEBOOK_PARTS = (
    "sqlalchemy.orm",
    "nbformat",
    "nbgrader.utils",
    "nbgrader.api",
    "autograder.gradebook.gradebook",
)


@dataclass(frozen=True)
class _Judged:
    """A student's standings, and what they were made from."""

    record: StudentRecord
    released: Mapping[str, bool]
    standings: dict[str, Standing]


@dataclass(frozen=True)
class Classroom:
    """A course, read and checked. Every call looks anew; what did not change since is not read and
    judged again.

    Attributes
    ----------
    course : Course
        The course.
    troubles : dict of str to int
        What failed for one student, one assignment or one file while the others went on: a sentence
        with what to do, and the exit code it stands for. Who called tells it to a person.
    """

    course: Course
    troubles: dict[str, int] = field(default_factory=dict, compare=False)
    _judged: dict[str, _Judged] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def open(cls, config: Path) -> Classroom:
        """Read the configuration of a course.

        Raises
        ------
        ConfigError
            If it says something that cannot be meant.
        """
        return cls(load_course(config))

    @cached_property
    def students(self) -> tuple[Student, ...]:
        """The roster."""
        return read_roster(self.course.roster, self.course)

    @cached_property
    def extensions(self) -> Extensions:
        """Who has more time; a line for somebody who is not in the roster is a trouble."""
        strangers: list[str] = []
        names = set(list_ids(self.students))
        found = read_extensions(self.course.extensions, self.course, names, strangers)
        self._note(strangers)
        return found

    @cached_property
    def exams(self) -> Mapping[str, Exam]:
        """The exam of each assignment; one that cannot serve is a trouble, and the others go on.

        Raises
        ------
        ExamError
            If none can serve.
        """
        exams: dict[str, Exam] = {}
        failed = []
        for name in self.course.assignments:
            try:
                exams[name] = self.course.read_exam(name)
            except ExamError as error:
                failed.append(error)
        if failed and not exams:
            raise failed[0]
        for fault in failed:
            told = f"{fault}; until then nothing of it is graded or shown"
            self._note([told], ExamError.exit_code)
        return exams

    @property
    def gradable(self) -> Course:
        """The course with those assignments only that have an exam."""
        return replace(
            self.course, assignments={name: self.course.assignments[name] for name in self.exams}
        )

    def collect(
        self, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> Iterator[Collected]:
        """Ask every remote what was pushed; see `autograder.collecting.collect`."""
        try:
            exams = tuple(self.exams.values())
        except ExamError:  # grading will say so; what was pushed when is written down all the same
            exams = ()
        return poll_remotes(self.course, self.students, now=now, exams=exams)

    def import_work(
        self, place: Path, assignment: str = "", time: datetime | None = None
    ) -> Iterator[ImportedWork]:
        """Record what was handed in elsewhere; files of nobody are a trouble. See
        `autograder.collecting.import_work`.

        Raises
        ------
        UsageError
            If there is no such folder or archive.
        """
        # Folders from before are called FOLDER.NOTEBOOK.
        names = self.course.list_notebooks().keys() | self.course.former_names.keys()
        found = read_handed_in(place, names, self.course.timezone)
        if found.unknown:
            named = ", ".join(make_printable(path) for path in found.unknown[:MAX_NAMED])
            self._note(
                [
                    f"{place}: {len(found.unknown)} files of which nothing says whose they are: {named}"
                ]
            )
        exams = tuple(self.exams.values())
        yield from import_work(
            self.course, self.students, exams, found.work, assignment=assignment, time=time
        )

    def open_tasks(
        self, *, force: bool = False, students: Sequence[Student] = ()
    ) -> list[GradingTask]:
        """Return what still has to be graded, of all students or of some."""
        records = self.records()
        chosen = [student for student in students or self.students if student.id in records]
        return find_open_tasks(
            self.gradable,
            self.exams,
            chosen,
            records,
            self.extensions,
            force=force,
            wall=self.wall,
        )

    def grade(
        self,
        tasks: Sequence[GradingTask],
        scheduler: str = "",
        meanwhile: Sequence[Callable[[], object]] = (),
    ) -> Iterator[FinishedTask]:
        """Grade tasks here, or on a Dask cluster; see `autograder.grading.grading_run` and
        `cluster_run`. The steps to be taken `meanwhile` are taken while other processes work, as
        far as there is time for them.

        Raises
        ------
        UsageError
            If a cluster is named, and what talks with it is not installed.
        """
        if scheduler or self.course.scheduler:
            return self._grade_on_cluster(tasks, scheduler or self.course.scheduler)
        if not tasks:
            return iter(())
        # Not at the top: what grades takes a third of a second to load, and most runs of a term
        # find nothing new.
        from autograder.grading.grading_run import grade_tasks

        return grade_tasks(self.course, self.exams, tasks, self._reader(), meanwhile)

    def prepare_results(self) -> tuple[Callable[[], object], ...]:
        """Return the steps that gradebook and pages would begin with when there is something new
        for both; they change nothing.
        """
        return (
            *(partial(import_module, name) for name in GRADEBOOK_PARTS),
            self._prepare_gradebook,
            self._prepare_pages,
        )

    def _prepare_gradebook(self) -> None:
        from autograder.gradebook.gradebook_database import prepare_database_tools

        prepare_database_tools(self.course)

    def _prepare_pages(self) -> None:
        from autograder.pages import compile_templates

        compile_templates(self.course)

    def _grade_on_cluster(
        self, tasks: Sequence[GradingTask], scheduler: str
    ) -> Iterator[FinishedTask]:
        try:  # an optional extra, which most courses do without
            from autograder.grading.cluster_run import grade_on_cluster
        except ImportError as error:
            if error.name not in {"dask", "distributed"}:
                raise
            raise UsageError(
                f"{scheduler}: Dask is not installed here; pip install 'autograder[cluster]'"
            ) from None
        return grade_on_cluster(self.course, self.exams, tasks, self._reader(), scheduler)

    def records(self) -> dict[str, StudentRecord]:
        """Return the record of every student whose file can be read; what cannot be read is a
        trouble.
        """
        found = {}
        for student in self.students:
            try:
                found[student.id] = self._cache.read(student.id)
            except AutograderError as error:
                self._note([f"{student.id}: {error}; until then nothing of theirs changes"])
        for record in found.values():
            self._note(record.damaged)
        self._note(self._renamed(found))
        return found

    @cached_property
    def _cache(self) -> RecordCache:
        return RecordCache(Ledger.of(self.course))

    def _renamed(self, records: Mapping[str, StudentRecord]) -> Iterator[str]:
        """Yield a sentence for each assignment that has results and is not in the configuration any
        more.
        """
        students: dict[str, set[str]] = {}
        for student, record in records.items():
            for entry in record.graded:
                name = entry.report.assignment
                if name not in self.course.assignments:
                    students.setdefault(name, set()).add(student)
        for name, graded in students.items():
            yield (
                f"{self.course.ledger} has results of {name!r} for {len(graded)} students, and grading_config.py names "
                f"no such assignment: they count for nobody; {say_nearest_name(name, self.course.assignments)} "
                "(an assignment keeps its name, also when it is over)"
            )

    def standings(
        self, records: Mapping[str, StudentRecord] | None = None
    ) -> dict[str, dict[str, Standing]]:
        """Return where every student stands in every assignment; who cannot be judged is left out,
        and a trouble.
        """
        records = self.records() if records is None else records
        extensions = (
            self.extensions
        )  # read outside of the walls: a table that cannot be meant concerns everybody
        # Once for all students: where a release is missing, everybody's pushes are looked through.
        released = {name: is_released(self.course, name, records.values()) for name in self.exams}
        found = {}
        for student in self.students:
            if student.id in records:
                with self.wall(f"{student.id}: their points cannot be told"):
                    found[student.id] = self._standings_of(
                        student, records[student.id], extensions, released
                    )
        return found

    def assignment_standings(
        self, standings: Mapping[str, Mapping[str, Standing]]
    ) -> dict[str, dict[str, Standing]]:
        """Return where every student stands in every assignment, the notebooks of one summed up."""
        return join_class(self.gradable.list_notebooks(), standings)

    def _standings_of(
        self,
        student: Student,
        record: StudentRecord,
        extensions: Extensions,
        released: Mapping[str, bool],
    ) -> dict[str, Standing]:
        before = self._judged.get(student.id)
        # Roster, extensions and exams are read once; the same record object is an unchanged file.
        if before is not None and before.record is record and before.released == released:
            return before.standings
        found: dict[str, Standing] = {}
        for notebooks in self.gradable.list_notebooks().values():
            found |= judge_notebooks(
                self.course, notebooks, self.exams, student, record, extensions, released
            )
        self._judged[student.id] = _Judged(record, released, found)
        return found

    @contextmanager
    def wall(self, what: str) -> Iterator[None]:
        """Let what fails within concern nobody else: it becomes a trouble."""
        try:
            yield
        # No trouble of one student's: somebody ends it, or the machine lacks what everybody needs.
        except (Interrupted, NoJail, ModuleNotFoundError):
            raise
        except AutograderError as error:
            self._note([f"{what}: {error}"], error.exit_code)
        except Exception as error:  # whatever one student's data make of our code
            self._note([f"{what}: {describe_error(error)}"])

    def _note(self, sentences: Iterable[str], code: int = 1) -> None:
        for sentence in sentences:
            # Each once: every call looks anew, and meets the same again.
            self.troubles.setdefault(sentence, code)

    def read_gradebook(self) -> int:
        """Take the marks that people gave in nbgrader's formgrader into the record; return how many
        are new.
        """
        return read_gradebook(self.course, self.exams, self.wall)

    def find_unshown(self) -> list[GradingTask]:
        """Return what has to be run so that people can mark it; see
        `autograder.gradebook.autograded_notebooks`.
        """
        standings = self.standings()
        return find_unshown(
            self.course, self.list_judged_students(standings), standings, self._reader()
        )

    def update_gradebook(self) -> list[str]:
        """Bring nbgrader's gradebook up to the standings; return a sentence for each notebook it
        cannot show.
        """
        # Before anything is entered: a mark that a person has just given is nowhere else yet.
        self.read_gradebook()
        records = self.records()
        standings = self.standings(records)
        judged = self.list_judged_students(standings)
        sentences = update_gradebook(
            self.gradable, self.exams, judged, standings, self._reader(), self.wall
        )
        if len(judged) == len(self.students):  # else nobody knows what the others need
            remove_unneeded_outputs(self.gradable, standings, records)
        return sentences

    def list_judged_students(self, standings: Mapping[str, object]) -> list[Student]:
        """Return the students who have standings, in the order of the roster."""
        return [student for student in self.students if student.id in standings]

    def _reader(self) -> Callable[[GradingTask], bytes]:
        return restore_notebooks(self.course, self.students, StateBranch(self.course))

    def read_counting_notebooks(self, assignment: str) -> Iterator[tuple[str, bytes]]:
        """Yield each student with the notebook that counts for an assignment; one that is gone is a
        trouble.
        """
        read = self._reader()
        standings = self.standings()
        for student in self.list_judged_students(standings):
            task = None
            for part in standings[student.id][assignment].parts:
                if part.file is not None and part.push is not None:
                    commits = [(student.id, part.push.commit)]
                    task = GradingTask(assignment, part.file, student, commits)
            content = b""
            if task is not None:
                with self.wall(f"{student.id}: the notebook cannot be read"):
                    content = read(task)
            if content:
                yield student.id, content

    def build_pages(self, now: datetime | None = None) -> Mapping[str, str]:
        """Build the points site and return each student's link into it, relative to the site.

        The page of a student whose record cannot be read, or who cannot be judged, stays as it was.
        """
        # Not at the top: templates and ciphers take a while to load, and grading needs neither.
        from autograder.pages import PageKeys, SiteSource, build_site

        keys = PageKeys.load_or_create(self.course.keys)
        moment = now or datetime.now(UTC)
        records = self.records()
        standings = self.standings(records)
        source = SiteSource(
            course=self.course,
            exams=self.exams,
            standings=standings,
            records=records,
            keys=keys,
            students=self.students,
            now=moment,
            contact=self.course.contact,
        )
        return build_site(
            source,
            self.course.site,
            unchanged=set(list_ids(self.students)) - set(standings),
            wall=self.wall,
        )
