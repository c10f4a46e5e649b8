"""What the record lacks: the notebooks that count and have no report yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.course.configuration import Course
from autograder.course.errors import Wall, no_wall
from autograder.course.exam import Exam
from autograder.course.layout import put_at_its_place
from autograder.course.roster import Extensions
from autograder.course.submissions import NotebookFile, Push, Student
from autograder.record.ledger import StudentRecord
from autograder.record.push_candidates import list_wanted_notebooks


@dataclass(frozen=True)
class GradingTask:
    """One notebook to grade as one assignment, and the pushes that wait for it."""

    assignment: str
    file: NotebookFile
    student: Student
    waiting: list[tuple[str, str]] = field(
        default_factory=list, compare=False
    )  # (student id, commit)


def keep_asked_exams(exams: Mapping[str, Exam], tasks: Iterable[GradingTask]) -> dict[str, Exam]:
    """Return the exams that tasks are of, by assignment, and no others."""
    return {task.assignment: exams[task.assignment] for task in tasks}


def find_open_tasks(
    course: Course,
    exams: Mapping[str, Exam],
    students: Sequence[Student],
    records: Mapping[str, StudentRecord],
    extensions: Extensions,
    *,
    force: bool = False,
    wall: Wall = no_wall,
) -> list[GradingTask]:
    """Return what the record lacks: a task for each notebook that counts, or is newest, and has no
    report yet.
    """
    # By assignment and blob: what many students pushed alike is graded once, for all of them.
    tasks: dict[tuple[str, str], GradingTask] = {}
    for student in students:
        with wall(f"{student.id}: nothing of theirs is graded"):
            record = records[student.id]
            reports = record.reports
            for name, assignment in course.assignments.items():
                for push, file in list_wanted_notebooks(
                    course, assignment, student.id, record, extensions
                ):
                    if force or (name, file.blob, exams[name].version) not in reports:
                        _add(tasks, GradingTask(name, put_at_its_place(file, name), student), push)
    return list(tasks.values())


def outputs_path(course: Course, assignment: str, blob: str) -> Path:
    """Where the cells of a graded notebook lie with their outputs, for the formgrader."""
    return course.outputs / assignment / f"{blob}.json"


def _add(tasks: dict[tuple[str, str], GradingTask], task: GradingTask, push: Push) -> None:
    tasks.setdefault((task.assignment, task.file.blob), task).waiting.append(
        (push.student, push.commit)
    )
