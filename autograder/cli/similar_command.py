"""Similar work as a command: pairs of answers to look at, for instructors, and never a verdict."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from autograder.classroom.classroom import Classroom
from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import ConfigOption
from autograder.cli.long_work import print_troubles
from autograder.cli.screens import print_line
from autograder.course.exam import Exam
from autograder.overview.similar_site import list_known_answers, read_answers, write_similar
from autograder.overview.similar_work import SimilarWork, find_similar_work


def show_similar_work(
    assignment: Annotated[
        list[str] | None,
        typer.Option("--assignment", "-a", help="Only this one; default: each that has answers."),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="A folder; default: overview/ beside the points site."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Show pairs of answers that are alike beyond what the task and the class explain. It is never
    a verdict.

    Example: autograder similar --assignment hw03_neural_networks
    """
    classroom = open_classroom(config)
    course = classroom.gradable
    named = course.find_all_notebooks(assignment or ())
    works: dict[str, tuple[Exam, SimilarWork]] = {}
    for name in named or course.assignments:
        exam = classroom.exams[name]
        students = collect_answers(classroom, name, exam)
        if students:
            works[name] = (exam, find_similar_work(students, *list_known_answers(exam)))
    for name, (_, work) in works.items():
        print_line(f"{name}: {work.compared} compared, {len(work.pairs)} pairs to look at")
        for pair in work.pairs:
            one, other = pair.students
            print_line(f"  {pair.share:4.0%}  {one} and {other}")
    page = write_similar(course, works, to or course.site.with_name("overview"), datetime.now(UTC))
    print_line(f"both sides: {page}; likeness has many reasons, and none of them is told here")
    raise typer.Exit(print_troubles(classroom))


def collect_answers(classroom: Classroom, name: str, exam: Exam) -> dict[str, dict[str, str]]:
    """Return the answers that count, by student; who has none, or whose notebook is gone, is left
    out.
    """
    students = {}
    for student, content in classroom.read_counting_notebooks(name):
        answers = read_answers(content, exam)
        if answers:
            students[student] = answers
    return students
