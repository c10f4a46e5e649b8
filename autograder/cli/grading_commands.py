"""Commands of instructors, from a source notebook to points pages. Each is short: it reads, calls one room, prints."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.application import ConfigOption, JsonOption, app, config_here, open_classroom, out
from autograder.cli.long_work import (
    build_pages,
    collect_all,
    grade_all,
    hold_course_lock,
    note_empty_roster,
    print_troubles,
    require_student,
    run_all,
    update_gradebook,
)


@app.command()
def doctor(
    network: Annotated[bool, typer.Option("--network", help="Ask the public repository, too.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say whether this machine can grade and, inside a course, whether that is set up; and what to do where not.

    Example: autograder doctor --network
    """
    from autograder.doctor.machine_check import examine_machine

    found = {"this machine": examine_machine()}
    path = config or config_here()
    if path is not None:
        from autograder.doctor.course_check import examine_course

        found["this course"] = examine_course(path.resolve(), network=network)
    findings = [finding for part in found.values() for finding in part]
    if as_json:
        out.print_json(data=[finding.to_json() for finding in findings])
    else:
        for title, part in found.items():
            out.print(title, style="bold")
            for finding in part:
                out.print(finding.line, markup=False)
    if any(finding.needed and not finding.good for finding in findings):
        raise typer.Exit(1)


@app.command()
def examine(
    file: Annotated[Path, typer.Argument(help="A notebook file.")],
    assignment: Annotated[str, typer.Option("--assignment", "-a", help="What to grade it as.")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Grade one notebook file here and now, with hints; nothing is recorded.

    Example: autograder examine hw01_numpy_solved.ipynb --assignment hw01_numpy
    """
    from autograder.cli.result_text import print_report
    from autograder.course.errors import UsageError
    from autograder.course.submissions import Submission
    from autograder.grader.examiner import Examiner

    course = open_classroom(config).course
    course.find_assignment(assignment)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}; name a notebook file") from None
    exam = course.read_exam(assignment)
    with Examiner(course.limits) as examiner:
        report = examiner.examine(exam, Submission(assignment, str(file), content)).report
    if as_json:
        out.print_json(data=report.for_students().to_json())
    else:
        print_report(report, out)
    if report.status != "graded":
        raise typer.Exit(1)


@app.command()
def collect(config: ConfigOption = None) -> None:
    """Ask every student's repository what was pushed, and record what is new.

    Example: autograder collect
    """
    classroom = open_classroom(config)
    note_empty_roster(classroom)
    with hold_course_lock(classroom, "collect"):
        done = collect_all(classroom)
    raise typer.Exit(0 if done else 1)


@app.command()
def grade(
    student: Annotated[list[str] | None, typer.Option("--student", "-s", help="Only these students.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Grade again what is graded already.")] = False,
    config: ConfigOption = None,
) -> None:
    """Grade what was collected and has no points yet, and what a changed exam made outdated.

    Example: autograder grade --student someone --force
    """
    classroom = open_classroom(config)
    with hold_course_lock(classroom, "grade"):
        done = grade_all(classroom, student or [], force=force)
    raise typer.Exit(max(print_troubles(classroom), 0 if done else 1))


@app.command()
def standings(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Print who has how many points, and why.

    Example: autograder standings --json
    """
    from autograder.cli.result_text import print_standings, standings_json

    classroom, now = open_classroom(config), datetime.now(UTC)
    found = classroom.standings()
    note_empty_roster(classroom)
    if as_json:
        out.print_json(data=standings_json(found, now))
    elif found:
        print_standings(found, out, now)
    code = print_troubles(classroom)
    if code:
        raise typer.Exit(code)


@app.command()
def show(
    student: Annotated[str, typer.Argument(help="The student's id in the roster.")],
    config: ConfigOption = None,
) -> None:
    """Show everything about one student: pushes, which one counts and why, points and hints.

    Example: autograder show someone
    """
    from autograder.cli.result_text import print_student

    classroom = open_classroom(config)
    require_student(classroom, student)
    records = classroom.records()
    found = classroom.standings(records)
    if student in found:
        print_student(classroom.course, found[student], records[student], out)
    raise typer.Exit(print_troubles(classroom))


@app.command()
def gradebook(config: ConfigOption = None) -> None:
    """Read marks that people gave in nbgrader's formgrader, and bring its gradebook.db up to date.

    Example: autograder gradebook && nbgrader export
    """
    classroom = open_classroom(config)
    with hold_course_lock(classroom, "gradebook"):
        done = update_gradebook(classroom)
    raise typer.Exit(max(print_troubles(classroom), 0 if done else 1))


@app.command()
def pages(config: ConfigOption = None) -> None:
    """Build the points pages.

    Example: autograder pages
    """
    classroom = open_classroom(config)
    with hold_course_lock(classroom, "pages"):
        build_pages(classroom)
    raise typer.Exit(print_troubles(classroom))


@app.command()
def links(
    rotate: Annotated[list[str] | None, typer.Option("--rotate", help="Give this student a new page and key.")] = None,
    config: ConfigOption = None,
) -> None:
    """Print each student's own link as CSV, for a mail merge; an old link ends when the pages are next built.

    Example: autograder links > links.csv
    """
    from autograder.pages import PageKeys, links_csv

    classroom = open_classroom(config)
    with hold_course_lock(classroom, "links"):
        keys = PageKeys.load_or_create(classroom.course.keys)
        for student in rotate or []:
            require_student(classroom, student)
            keys.rotate_key(student)
        found = classroom.build_pages()
    print(links_csv(classroom.students, found, classroom.course.site_url), end="")
    raise typer.Exit(print_troubles(classroom))


@app.command()
def run(config: ConfigOption = None) -> None:
    """Do everything a poll does: collect, grade, gradebook, pages; exits with 75 while another one is at it.

    Example: autograder run
    """
    classroom = open_classroom(config)
    with hold_course_lock(classroom, "run"):
        code = run_all(classroom)
    raise typer.Exit(code)
