"""Commands that cut grading into jobs on different machines, as .github/workflows/grade.yml does."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.cli.application import ConfigOption, app, err, open_classroom, out
from autograder.cli.long_work import hold_course_lock, print_troubles, require_student
from autograder.course.errors import UsageError

if TYPE_CHECKING:
    from autograder.classroom.classroom import Classroom
    from autograder.record.open_tasks import GradingTask

# The variables are for a workflow's inputs: these are typed by people, and must not end up in a shell's command line.
StudentOption = Annotated[
    list[str] | None, typer.Option("--student", "-s", envvar="AUTOGRADER_STUDENT", help="Only these students.")
]
AssignmentOption = Annotated[
    str, typer.Option("--assignment", "-a", envvar="AUTOGRADER_ASSIGNMENT", help="Only this assignment.")
]
ForceOption = Annotated[bool, typer.Option("--force", envvar="AUTOGRADER_FORCE", help="Also what is graded already.")]
RemoteOption = Annotated[str, typer.Option("--remote", help="Name or URL of the repository with the state.")]
BranchOption = Annotated[str, typer.Option("--branch", help="Its branch.")]

STATE = """The course's memory on a branch: ledger, roster, extensions, page keys.

Example: autograder state pull
"""
state = typer.Typer(help=STATE, no_args_is_help=True)
app.add_typer(state, name="state", rich_help_panel=None)


@app.command()
def bundle(
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    student: StudentOption = None,
    assignment: AssignmentOption = "",
    force: ForceOption = False,
    with_course: Annotated[bool, typer.Option("--with-course", help="Put the course's own files in, too.")] = False,
    per_shard: Annotated[int, typer.Option("--per-shard", min=1, help="Notebooks one machine should grade.")] = 40,
    most: Annotated[int, typer.Option("--most", min=1, max=256, help="Machines there are at most.")] = 8,
    remote: RemoteOption = "origin",
    config: ConfigOption = None,
) -> None:
    """Put the notebooks that have to be graded into a folder, for a machine that knows nothing of whose they are.

    Example: autograder bundle bundle --with-course
    """
    from autograder.collecting.lost_notebooks import restore_notebooks
    from autograder.grading.work_bundle import write_bundle, write_course
    from autograder.record.state_branch import StateBranch

    classroom = open_classroom(config)
    course, tasks = classroom.course, _tasks(classroom, student or (), assignment, force=force)
    read = restore_notebooks(course, classroom.students, StateBranch(course, remote))
    with hold_course_lock(classroom, "bundle"):  # a notebook that is found elsewhere goes into its store
        missing = write_bundle(course, classroom.exams, tasks, read, folder)
    if with_course:
        write_course(course.root, folder / "course")
    for sentence in missing:
        err.print(f"not bundled: {sentence}", style="red", markup=False)
    code = print_troubles(classroom)
    number = len(tasks) - len(missing)
    shards = min(most, -(-number // per_shard))
    _output(tasks=number, shards=[f"{shard}/{shards}" for shard in range(1, shards + 1)])
    out.print(f"bundled: {number} notebooks for {shards} machines, {len(missing)} missing → {folder}", markup=False)
    raise typer.Exit(max(code, 1 if missing else 0))


@app.command("grade-bundle")
def grade_bundle(
    folder: Annotated[Path, typer.Argument(help="What `autograder bundle` made.")],
    reports: Annotated[Path, typer.Argument(help="Where the reports go.")],
    shard: Annotated[str, typer.Option("--shard", help="Only this part of it, like 2/5.")] = "1/1",
    config: ConfigOption = None,
) -> None:
    """Grade a bundle in the jail; needs the course's files, but neither roster nor ledger nor network.

    Example: autograder grade-bundle bundle reports --shard 2/5
    """
    from autograder.cli.progress_bar import track_progress
    from autograder.grading.work_bundle import grade_bundle as grade
    from autograder.grading.work_bundle import read_bundle

    classroom = open_classroom(config)
    pieces = read_bundle(folder, _shard(shard))
    done = list(
        track_progress(grade(classroom.course, classroom.exams, folder, pieces, reports), len(pieces), "grading", out)
    )
    failed = [entry for entry in done if entry.error]
    for entry in failed:
        err.print(f"not graded: {entry.error}", style="red", markup=False)
    out.print(f"graded: {len(done) - len(failed)} notebooks, {len(failed)} failed")
    raise typer.Exit(1 if failed else 0)


@app.command()
def record(
    reports: Annotated[Path, typer.Argument(help="Folder of the reports that came back.")],
    student: StudentOption = None,
    assignment: AssignmentOption = "",
    force: ForceOption = False,
    config: ConfigOption = None,
) -> None:
    """Check reports that were made on another machine, and append those that can be believed to the ledger.

    Example: autograder record reports
    """
    from autograder.grading.work_bundle import record_returned

    classroom = open_classroom(config)
    with hold_course_lock(classroom, "record"):
        tasks = _tasks(classroom, student or (), assignment, force=force)
        done = list(record_returned(classroom.course, classroom.exams, tasks, reports, datetime.now(UTC)))
    refused = [entry for entry in done if entry.error]
    for entry in refused:
        err.print(f"refused: {entry.error}", style="red", markup=False)
    recorded = sum(entry.report is not None for entry in done)
    waiting = sum(entry.report is None and not entry.error for entry in done)
    line = f"recorded: {recorded} reports, {len(refused)} refused, {waiting} notebooks still to be graded"
    out.print(line)
    _summary(line)
    raise typer.Exit(max(print_troubles(classroom), 1 if refused else 0))


@state.command()
def pull(remote: RemoteOption = "origin", branch: BranchOption = "state", config: ConfigOption = None) -> None:
    """Bring the state from its branch here; what is only here stays.

    Example: autograder state pull
    """
    from autograder.record.state_branch import StateBranch

    classroom = open_classroom(config)
    memory = StateBranch(classroom.course, remote, branch)
    with hold_course_lock(classroom, "state pull"):
        changed = memory.pull()
    out.print(f"state: {len(changed)} files changed here")
    _tell_left_out(memory.troubles)


@state.command()
def push(
    remote: RemoteOption = "origin",
    branch: BranchOption = "state",
    message: Annotated[str, typer.Option("--message", "-m", help="What the change is.")] = "State of the course",
    config: ConfigOption = None,
) -> None:
    """Put what is new here on the branch, together with what others put there meanwhile.

    Example: autograder state push --message "Roster of the new term"
    """
    from autograder.record.state_branch import StateBranch

    classroom = open_classroom(config)
    memory = StateBranch(classroom.course, remote, branch)
    with hold_course_lock(classroom, "state push"):
        changed = memory.push(message)
    _output(changed=len(changed))
    out.print(f"state: {len(changed)} files changed on the branch {branch}", markup=False)
    _tell_left_out(memory.troubles)


@app.command()
def commit(
    paths: Annotated[list[str], typer.Argument(help="What to commit, with everything below it.")],
    message: Annotated[str, typer.Option("--message", "-m", help="What the change is.")],
    remote: RemoteOption = "origin",
    config: ConfigOption = None,
) -> None:
    """Commit a part of the instructors' repository and push it, as a workflow does with what it released.

    Example: autograder commit assignments --message "Release hw01_numpy"
    """
    from autograder.publishing.result_commits import commit_paths

    made = commit_paths(open_classroom(config).course, paths, message, remote)
    out.print(f"committed and pushed: {made[:10]}" if made else "nothing to commit: all is as it was", markup=False)


def _tell_left_out(troubles: Sequence[str]) -> None:
    for trouble in troubles:
        err.print(f"left out: {trouble}", style="red", markup=False)
    if troubles:
        raise typer.Exit(1)


def _tasks(classroom: Classroom, students: Sequence[str], assignment: str, *, force: bool) -> list[GradingTask]:
    """Return what is to be graded, of all students and assignments or of those that were named."""
    for student in students:
        require_student(classroom, student)
    if assignment:
        classroom.course.find_assignment(assignment)
    chosen = [entry for entry in classroom.students if not students or entry.id in students]
    tasks = classroom.open_tasks(force=force, students=chosen)
    return [task for task in tasks if assignment in {"", task.assignment}]


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
    number, of = (int(part) for part in match.groups()) if match else (2, 1)
    if number > of:
        raise UsageError(f"--shard {text!r}; like 2/5: the second of five")
    return number, of


def _output(**values: object) -> None:
    """Tell the jobs that follow, where there are any."""
    if path := os.environ.get("GITHUB_OUTPUT"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.writelines(f"{name}={json.dumps(value)}\n" for name, value in values.items())


def _summary(line: str) -> None:
    """Show a line on the run's page, where there is one."""
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
