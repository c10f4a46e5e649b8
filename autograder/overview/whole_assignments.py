"""The work on notebooks put together to the work on assignments: what a class has points in, and
deadlines for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from autograder.course.configuration import Course
from autograder.course.exam import Exam
from autograder.course.names import label_notebook
from autograder.course.reports import ExerciseResult, Status
from autograder.overview.class_work import AssignmentWork, Grading, StudentWork
from autograder.record.assignment_standings import join_notebooks, label_results
from autograder.record.standings import Standing, decided_sum


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
    unanswered = {work.name: _list_unanswered(work.exam) for work in works}
    students = []
    for own in works[0].students:
        standings: list[Standing] = []
        gradings: list[Grading] = []
        for work in works:
            mine = work.find_student(own.student.id)
            # Who is judged in one notebook is judged in all: they are in one record.
            if mine is not None:
                standings.append(mine.standing)
                gradings += mine.gradings
        standing = join_notebooks(name, standings)
        points = decided_sum(standing, now)
        joined = _join_gradings(name, unanswered, gradings)
        students.append(StudentWork(own.student, standing, joined, points))
    return AssignmentWork(name, title, works[0].exam, tuple(students))


def _join_gradings(
    name: str, unanswered: Mapping[str, tuple[ExerciseResult, ...]], gradings: Sequence[Grading]
) -> tuple[Grading, ...]:
    """Return what the whole assignment was worth after each grading of one of its notebooks.

    What was not handed in yet gives nothing, or the first notebook alone would be everything.
    """
    newest = dict(unanswered)
    joined: list[Grading] = []
    for event in sorted(gradings, key=attrgetter("pushed")):
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
