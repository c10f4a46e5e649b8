"""A course in which a test marks one exercise and a person another; its record is written by hand, without a jail."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from small_course import CONFIG, DOUBLE, TEST_DOUBLE, SmallCourse, code, dump, solution, test, text

from autograder.classroom.classroom import Classroom
from autograder.course.reports import ExerciseResult, Report, Status
from autograder.course.submissions import Clock, NotebookFile, Push, Student
from autograder.git.student_stores import Fork
from autograder.gradebook.gradebook_database import put_tools_on_path
from autograder.record.ledger import Ledger
from autograder.record.manual_marks import ManualMark

MONDAY = datetime(2027, 3, 1, 12, tzinfo=UTC)
HANDED_IN = "assignments/hw/hw_solved.ipynb"
PLOT = code(
    "### BEGIN SOLUTION\nplot()\n### END SOLUTION",
    grade_id="plot",
    grade=True,
    solution=True,
    points=4,
)
ROSTER = """\
student,remote,name,email,group
on-time,/forks/on-time.git,On Time,on-time@example.org,Tuesday
late,/forks/late.git,Always Late,late@example.org,Friday
"""


@dataclass(frozen=True)
class MarkedCourse:
    """The course; `grade` writes what collecting and grading would."""

    small: SmallCourse

    @property
    def classroom(self) -> Classroom:
        """Read anew, as every command does."""
        return Classroom.open(self.small.config)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.small.root / "ledger")

    def grade(
        self,
        student: str,
        when: datetime,
        double: float = 2.0,
        plot: Status | None = Status.TO_BE_MARKED,
        answer: str = "plot()",
        extra: Iterable[dict[str, Any]] = (),
    ) -> str:
        """Let a student push, and grading give `double` points and leave the plot to a person; return the blob."""
        classroom = self.classroom
        cells = [
            solution("def double(x):\n    return 2 * x"),
            replace_source(PLOT, answer),
            text(student),
            *extra,
        ]
        content = dump(cells)
        store = Fork(Student(student, ""), classroom.course.forks / f"{student}.git", "master")
        blob = store.keep(content)
        file = NotebookFile(HANDED_IN, blob, len(content))
        self.ledger.add_push(Push(student, blob[:40], "master", when, Clock.FIRST_SEEN, (file,)))
        if plot is not None:
            status = Status.PASSED if double == 2 else Status.PARTIAL if double else Status.FAILED
            exercises = (
                ExerciseResult("double", "", double, 2.0, status),
                ExerciseResult("plot", "", 0.0, 4.0, plot),
            )
            exam = classroom.exams["hw"].version
            self.ledger.add_report(
                student,
                blob[:40],
                blob,
                Report("hw", HANDED_IN, "graded", exercises, exam=exam),
                when,
            )
        return blob

    def ran(self, blob: str, outputs: dict[int, list[dict[str, Any]]]) -> None:
        """Keep what the cells of a graded notebook gave, by number from 1."""
        folder = self.classroom.course.outputs / "hw"
        folder.mkdir(parents=True, exist_ok=True)
        cells = [{"number": number, "outputs": given} for number, given in outputs.items()]
        (folder / f"{blob}.json").write_text(json.dumps(cells))

    def update(self) -> list[str]:
        return self.classroom.update_gradebook()

    def points(self, student: str = "on-time") -> dict[str, tuple[float, str]]:
        """Points and status of each exercise as they stand."""
        (part,) = self.classroom.standings()[student]["hw"].parts
        return {
            exercise.id: (exercise.points, exercise.status.value) for exercise in part.exercises
        }

    def marks(self, student: str = "on-time") -> tuple[ManualMark, ...]:
        """What is in the ledger, whenever it got there."""
        return tuple(replace(mark, time=MONDAY) for mark in self.ledger.read(student).marks)

    @contextmanager
    def notebook(self, student: str = "on-time") -> Iterator[Any]:
        """The student's submitted notebook in nbgrader's gradebook; what is changed in it is saved."""
        put_tools_on_path()
        with Gradebook(self.classroom.course.database) as book:
            yield book.find_submission_notebook("hw", "hw", student)
            book.db.commit()

    def enter(
        self,
        exercise: str = "plot",
        student: str = "on-time",
        comment: str | None = None,
        **marks: Any,
    ) -> None:
        """Do what the formgrader does when a person enters a mark and a comment."""
        with self.notebook(student) as notebook:
            grade = next(grade for grade in notebook.grades if grade.cell.name == exercise)
            for name, value in marks.items():
                setattr(grade, name, value)
            grade.needs_manual_grade = grade.manual_score is None and grade.auto_score is None
            cell = "double_solution" if exercise == "double" else exercise
            next(
                entry for entry in notebook.comments if entry.cell.name == cell
            ).manual_comment = comment

    def entered(self, exercise: str = "plot", student: str = "on-time") -> dict[str, Any]:
        """What the formgrader shows of an exercise."""
        with self.notebook(student) as notebook:
            grade = next(grade for grade in notebook.grades if grade.cell.name == exercise)
            cell = "double_solution" if exercise == "double" else exercise
            comment = next(entry for entry in notebook.comments if entry.cell.name == cell)
            return {
                "auto": grade.auto_score,
                "manual": grade.manual_score,
                "extra": grade.extra_credit,
                "score": grade.score,
                "comment": comment.manual_comment,
                "asks": grade.needs_manual_grade,
            }


def replace_source(cell: dict[str, Any], source: str) -> dict[str, Any]:
    return cell | {"source": source}


def make_marked_course(root: Path) -> MarkedCourse:
    """The course, released, with two students of whom nothing is known yet."""
    small = SmallCourse(root)
    small.write(text("# Homework"), solution(DOUBLE), test(TEST_DOUBLE), PLOT)
    small.config.write_text(CONFIG)
    (root / "nbgrader_config.py").write_text('load_subconfig("grading_config.py")')
    (root / "roster.csv").write_text(ROSTER)
    released = root / "assignments" / "hw"
    released.mkdir(parents=True)
    (released / "hw.ipynb").write_bytes(
        small.source.read_bytes()
    )  # that it is there is all that matters here
    return MarkedCourse(small)


EARLY, LATER = MONDAY, MONDAY + timedelta(hours=5)
