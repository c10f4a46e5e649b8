"""The work on notebooks put together to the work on assignments: what a class has points in, and
deadlines for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from autograder.course.configuration import Course
from autograder.course.exam import Exam
from autograder.course.names import label_notebook
from autograder.course.submissions import ExerciseResult, Status
from autograder.overview.class_work import AssignmentWork, Grading, StudentWork
from autograder.record.assignment_standings import join_notebooks, label_results
from autograder.record.standings import decided_sum


def join_works(
    course: Course, works: Sequence[AssignmentWork], now: datetime
) -> tuple[AssignmentWork, ...]:
    """Return a class's work on each assignment, of its work on each notebook."""
    by_name = {work.name: work for work in works}
    joined = []
    for name, notebooks in course.list_notebooks().items():
        mine = [by_name[entry.name] for entry in notebooks if entry.name in by_name]
        if len(notebooks) == 1:
            joined += mine
        elif mine:
            title = notebooks[0].title
            joined.append(_join_works(name, title, mine, now))
    return tuple(joined)


def _join_works(
    name: str, title: str, works: Sequence[AssignmentWork], now: datetime
) -> AssignmentWork:
    exams = {work.name: work.exam for work in works}
    students = []
    for own in works[0].students:
        others = [work.find_student(own.student.id) for work in works]
        mine = [work for work in others if work is not None]
        # Who is judged in one notebook is judged in all: they are in one record.
        standing = join_notebooks(name, [work.standing for work in mine])
        gradings = _join_gradings(name, exams, mine)
        students.append(StudentWork(own.student, standing, gradings, decided_sum(standing, now)))
    return AssignmentWork(name, title, works[0].exam, tuple(students))


def _join_gradings(
    name: str, exams: Mapping[str, Exam], works: Sequence[StudentWork]
) -> tuple[Grading, ...]:
    """Return what the whole assignment was worth after each grading of one of its notebooks."""
    events = [grading for work in works for grading in work.gradings]
    events.sort(key=lambda grading: grading.pushed)
    # What was not handed in yet gives nothing, or the first notebook alone would be everything.
    newest = {notebook: _list_unanswered(exam) for notebook, exam in exams.items()}
    joined: list[Grading] = []
    for event in events:
        newest[event.report.assignment] = event.report.exercises
        exercises: list[ExerciseResult] = []
        for notebook, results in newest.items():
            exercises += label_results(label_notebook(notebook), results)
        report = replace(event.report, assignment=name, exercises=tuple(exercises))
        grading = replace(event, report=report)
        if joined and joined[-1].commit == event.commit:
            joined[-1] = grading
        else:
            joined.append(grading)
    return tuple(joined)


def _list_unanswered(exam: Exam) -> tuple[ExerciseResult, ...]:
    results = []
    for exercise in exam.exercises:
        status = Status.NOT_ATTEMPTED
        results.append(ExerciseResult(exercise.id, exercise.part, 0.0, exercise.points, status))
    return tuple(results)
