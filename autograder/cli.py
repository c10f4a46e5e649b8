"""The command line. Every command is short: it reads, calls one room of the house, and prints.

Errors become one line and an exit code in one place: 0 done, 1 the work is wrong or something could not be graded,
2 wrong usage or configuration.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one process per core saturates the machine; threads only fight

import typer
from rich.console import Console

from autograder.errors import AutograderError

app = typer.Typer(
    help="A course repository that grades itself.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The course's grading_config.py; default: here or in a folder above.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def main() -> None:
    """Run the command line and exit with its code."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        app(args=arguments, prog_name="autograder")
    except AutograderError as error:
        if debug:
            raise
        err.print(f"autograder: {error}", style="red", markup=False)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        err.print("autograder: interrupted; run the same command again to go on")
        sys.exit(1)


def _classroom(config: Path | None) -> Any:
    from autograder.classroom import Classroom
    from autograder.config import find_config

    return Classroom.open(config or find_config(Path.cwd()))


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Say whether this machine can grade, and what is missing where it cannot.

    Example: autograder doctor
    """
    from autograder.doctor import examine_machine

    findings = examine_machine()
    if as_json:
        out.print_json(data=[finding.to_json() for finding in findings])
    else:
        for finding in findings:
            mark = "ok     " if finding.good else ("MISSING" if finding.needed else "no     ")
            out.print(f"{mark}  {finding.what}: {finding.detail}", markup=False)
    if any(finding.needed and not finding.good for finding in findings):
        raise typer.Exit(1)


@app.command()
def release(
    assignments: Annotated[list[str] | None, typer.Argument(help="Names; default: all in grading_config.py.")] = None,
    config: ConfigOption = None,
) -> None:
    """Make the students' notebooks from solutions/, and prove that they give nothing away.

    Example: autograder release hw01_numpy
    """
    from autograder.examiner import Examiner
    from autograder.release import release as release_one

    classroom = _classroom(config)
    names = assignments or list(classroom.course.assignments)
    for name in names:
        classroom.course.assignment(name)
    with Examiner(classroom.course.limits) as examiner:
        for name in names:
            made = release_one(classroom.course, name, examiner)
            state = "released" if made.changed else "unchanged"
            about = f"{made.exercises} exercises, {made.points:g} points"
            out.print(f"{name}: {state}, {about} → {made.path}", markup=False)


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
    from autograder.errors import UsageError
    from autograder.exam import read_exam
    from autograder.examiner import Examiner
    from autograder.records import Submission
    from autograder.text import report_table

    course = _classroom(config).course
    entry = course.assignment(assignment)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}; name a notebook file") from None
    exam = read_exam(course.source(assignment), entry.patterns)
    with Examiner(course.limits) as examiner:
        report = examiner.examine(exam, Submission(assignment, str(file), content)).report
    if as_json:
        out.print_json(data=report.for_students().to_json())
    else:
        report_table(report, out)
    if report.status != "graded":
        raise typer.Exit(1)


@app.command()
def collect(config: ConfigOption = None) -> None:
    """Ask every student's repository what was pushed, and record what is new.

    Example: autograder collect
    """
    raise typer.Exit(0 if _collect(_classroom(config)) else 1)


@app.command()
def grade(
    student: Annotated[list[str] | None, typer.Option("--student", "-s", help="Only these students.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Grade again what is graded already.")] = False,
    config: ConfigOption = None,
) -> None:
    """Grade what was collected and has no points yet, and what a changed exam made outdated.

    Example: autograder grade --student someone --force
    """
    raise typer.Exit(0 if _grade(_classroom(config), student or [], force=force) else 1)


@app.command()
def standings(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Print who has how many points, and why.

    Example: autograder standings --json
    """
    from autograder.text import standings_json, standings_table

    found = _classroom(config).standings()
    if as_json:
        out.print_json(data=standings_json(found))
    else:
        out.print(standings_table(found))


@app.command()
def show(
    student: Annotated[str, typer.Argument(help="The student's id in the roster.")],
    config: ConfigOption = None,
) -> None:
    """Show everything about one student: pushes, which one counts and why, points and hints.

    Example: autograder show someone
    """
    from autograder.errors import UsageError
    from autograder.text import show_student

    classroom = _classroom(config)
    if student not in {entry.id for entry in classroom.students}:
        raise UsageError(f"no student {student!r} in {classroom.course.roster}")
    show_student(classroom.course, classroom.standings()[student], classroom.records()[student], out)


@app.command()
def gradebook(config: ConfigOption = None) -> None:
    """Bring nbgrader's gradebook.db up to date; `nbgrader export` and the formgrader then show the same points.

    Example: autograder gradebook && nbgrader export
    """
    classroom = _classroom(config)
    classroom.update_gradebook()
    out.print(f"gradebook: {classroom.course.database}", markup=False)


@app.command()
def pages(config: ConfigOption = None) -> None:
    """Build the points pages.

    Example: autograder pages
    """
    classroom = _classroom(config)
    classroom.build_pages()
    out.print(f"pages: {classroom.course.site / 'index.html'}", markup=False)


@app.command()
def run(config: ConfigOption = None) -> None:
    """Do everything a poll does: collect, grade, gradebook, pages.

    Example: autograder run
    """
    classroom = _classroom(config)
    collected = _collect(classroom)
    graded = _grade(classroom, [], force=False)
    classroom.update_gradebook()
    classroom.build_pages()
    out.print(f"pages: {classroom.course.site / 'index.html'}", markup=False)
    raise typer.Exit(0 if collected and graded else 1)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--out", help="Where the practice class lives.")] = Path("demo"),
    students: Annotated[int, typer.Option("--students", min=1, max=5000, help="Beyond 13 the roles repeat.")] = 13,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Walk a practice class all the way from source notebooks to points pages.

    Example: autograder demo --students 200
    """
    from autograder.practice import Practice
    from autograder.text import standings_json, standings_table

    practice = Practice(_classroom(config).course, folder.resolve(), students)
    screen = err if as_json else out
    _walk(practice, screen)
    found = practice.classroom.standings()
    differences = practice.differences()
    if as_json:
        out.print_json(data={"standings": standings_json(found), "differences": differences})
    else:
        out.print(standings_table(found))
        out.print(f"points pages: {practice.classroom.course.site / 'index.html'}", markup=False)
    for sentence in differences:
        err.print(f"not as it must be: {sentence}", style="red", markup=False)
    screen.print("every role got what it must" if not differences else f"{len(differences)} differences")
    raise typer.Exit(1 if differences else 0)


def _walk(practice: Any, screen: Console) -> None:
    """Let a practice class happen: release, then each wave of pushes collected and graded."""
    from autograder.progress import tracked

    practice.prepare()
    screen.print("releasing: each notebook is made, searched for leaks and graded, solved and unsolved")
    practice.release()
    classroom = practice.classroom
    for wave, time in practice.waves():
        title = f"{time:%d %b}: students push"
        for _ in tracked(practice.push(wave, time), practice.size, title, screen):
            pass
        if not _collect(classroom, screen, now=time):
            raise AutograderError("a repository of the practice class could not be fetched")
        practice.collected(wave)
        _grade(classroom, [], force=False, screen=screen)
    if not _grade(classroom, [], force=False, screen=screen):
        raise AutograderError("a submission of the practice class could not be graded")
    classroom.update_gradebook()
    links = classroom.build_pages()
    (practice.out / "links.csv").write_text(
        "student,page\n" + "".join(f"{student},{link}\n" for student, link in links.items()), encoding="utf-8"
    )


def _collect(classroom: Any, screen: Console = out, now: Any = None) -> bool:
    """Collect with progress; return whether every remote answered."""
    from autograder.progress import tracked

    moment = {} if now is None else {"now": lambda: now}
    done = list(tracked(classroom.collect(**moment), len(classroom.students), "collecting", screen))
    failed = [entry for entry in done if entry.error]
    for entry in failed:
        err.print(f"not collected: {entry.error}", style="red", markup=False)
    new = sum(entry.push is not None for entry in done)
    screen.print(f"collected: {new} new pushes from {len(done)} repositories, {len(failed)} failed")
    return not failed


def _grade(classroom: Any, students: list[str], *, force: bool, screen: Console = out) -> bool:
    """Grade with progress; return whether every submission has a report."""
    from autograder.errors import UsageError
    from autograder.progress import tracked

    chosen = [entry for entry in classroom.students if not students or entry.id in students]
    unknown = set(students) - {entry.id for entry in chosen}
    if unknown:
        raise UsageError(f"no student {sorted(unknown)[0]!r} in {classroom.course.roster}")
    tasks = classroom.open_tasks(force=force, students=chosen)
    done = list(tracked(classroom.grade(tasks), len(tasks), "grading", screen))
    failed = [entry for entry in done if entry.error]
    for entry in failed:
        err.print(f"not graded: {entry.error}", style="red", markup=False)
    screen.print(f"graded: {len(done) - len(failed)} notebooks, {len(failed)} failed")
    return not failed
