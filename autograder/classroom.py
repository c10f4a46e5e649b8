"""A course with its students, exams and record in hand: what every command of an instructor works on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from autograder.actions.state import State
from autograder.collecting.collect import Collected, collect
from autograder.collecting.restore import restored
from autograder.collecting.roster import Extensions, read_extensions, read_roster
from autograder.config import Course, load_course
from autograder.exam import Exam
from autograder.grader.grading import Finished, Task, grade, open_tasks, read_exams
from autograder.record.autograded import unshown
from autograder.record.ledger import Ledger, Record
from autograder.record.standings import Standing, is_released, standing
from autograder.records import Student


@dataclass(frozen=True)
class Classroom:
    """A course, read and checked. Nothing is kept that the ledger does not hold: every call looks anew."""

    course: Course

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
        return read_roster(self.course.roster)

    @cached_property
    def extensions(self) -> Extensions:
        """Who has more time."""
        return read_extensions(self.course.extensions, self.course, {student.id for student in self.students})

    @cached_property
    def exams(self) -> Mapping[str, Exam]:
        """Every assignment's exam."""
        return read_exams(self.course)

    def collect(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Iterator[Collected]:
        """Ask every remote what was pushed; see `autograder.collecting.collect`."""
        return collect(self.course, self.students, now=now)

    def open_tasks(self, *, force: bool = False, students: Sequence[Student] = ()) -> list[Task]:
        """Return what still has to be graded, of all students or of some."""
        return open_tasks(self.course, self.exams, students or self.students, self.extensions, force=force)

    def grade(self, tasks: Sequence[Task]) -> Iterator[Finished]:
        """Grade tasks; see `autograder.grader.grading`."""
        return grade(self.course, self.exams, tasks)

    def records(self) -> dict[str, Record]:
        """Return every student's record."""
        ledger = Ledger(self.course.ledger)
        return {student.id: ledger.read(student.id) for student in self.students}

    def standings(self) -> dict[str, dict[str, Standing]]:
        """Return where every student stands in every assignment."""
        records = self.records()
        released = {name: is_released(self.course, name, records.values()) for name in self.course.assignments}
        return {
            student.id: {
                name: standing(
                    self.course,
                    entry,
                    self.exams[name],
                    student,
                    records[student.id],
                    self.extensions,
                    released=released[name],
                )
                for name, entry in self.course.assignments.items()
            }
            for student in self.students
        }

    def read_gradebook(self) -> int:
        """Take the marks that people gave in nbgrader's formgrader into the record; return how many are new."""
        from autograder.record.gradebook import read_gradebook  # nbgrader takes a second to load

        return read_gradebook(self.course, self.exams)

    def unshown(self) -> list[Task]:
        """Return what has to be run so that people can mark it; see `autograder.record.autograded`."""
        return unshown(self.course, self.students, self.standings(), self._reader())

    def update_gradebook(self) -> list[str]:
        """Bring nbgrader's gradebook up to the standings; return a sentence for each notebook it cannot show."""
        from autograder.record.gradebook import update_gradebook

        self.read_gradebook()
        return update_gradebook(self.course, self.exams, self.students, self.standings(), self._reader())

    def _reader(self) -> Callable[[Task], bytes]:
        return restored(self.course, self.students, State(self.course))

    def build_pages(self, now: datetime | None = None) -> Mapping[str, str]:
        """Build the points site and return each student's link into it, relative to the site."""
        from autograder.pages import Keys, build_site

        keys = Keys.load_or_create(self.course.keys)
        moment = now or datetime.now(UTC)
        return build_site(
            self.course,
            self.exams,
            self.standings(),
            self.records(),
            keys,
            self.course.site,
            moment,
            self.students,
            contact=self.course.contact,
        )
