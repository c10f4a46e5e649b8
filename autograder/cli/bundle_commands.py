"""Commands that cut grading into jobs on different machines, as .github/workflows/grade.yml
does.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import (
    AssignmentOption,
    ConfigOption,
    ForceOption,
    RemoteOption,
    StudentOption,
)
from autograder.cli.long_work import find_tasks, hold_course_lock, print_troubles
from autograder.cli.progress_bar import track_progress
from autograder.cli.screens import out, print_error, print_line
from autograder.cli.workflow_files import show_on_run_page, tell_next_jobs
from autograder.collecting.lost_notebooks import restore_notebooks
from autograder.course.errors import UsageError
from autograder.grading.work_bundle import (
    grade_bundle,
    read_bundle,
    record_returned,
    write_bundle,
    write_course,
)
from autograder.record.state_branch import StateBranch


def write_work_bundle(
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    student: StudentOption = None,
    assignment: AssignmentOption = "",
    force: ForceOption = False,
    with_course: Annotated[
        bool, typer.Option("--with-course", help="Put the course's own files in, too.")
    ] = False,
    per_shard: Annotated[
        int, typer.Option("--per-shard", min=1, help="Notebooks one machine should grade.")
    ] = 40,
    most: Annotated[
        # GitHub starts no more jobs of one matrix.
        int, typer.Option("--most", min=1, max=256, help="Machines there are at most.")
    ] = 8,
    remote: RemoteOption = "origin",
    config: ConfigOption = None,
) -> None:
    """Put the notebooks that have to be graded into a folder, for a machine that knows nothing of
    whose they are.

    Example: autograder bundle bundle --with-course
    """
    classroom = open_classroom(config)
    course = classroom.course
    tasks = find_tasks(classroom, student or (), assignment, force=force)
    read = restore_notebooks(course, classroom.students, StateBranch(course, remote))
    # A notebook found elsewhere goes into its store
    with hold_course_lock(classroom, "bundle"):
        missing = write_bundle(course, classroom.exams, tasks, read, folder)
    if with_course:
        write_course(course.root, folder / "course")
    for sentence in missing:
        print_error(f"not bundled: {sentence}")
    code = print_troubles(classroom)
    number = len(tasks) - len(missing)
    # Rounded up: the last machine may have less to do
    shards = min(most, -(-number // per_shard))
    tell_next_jobs(tasks=number, shards=[f"{shard}/{shards}" for shard in range(1, shards + 1)])
    print_line(
        f"bundled: {number} notebooks for {shards} machines, {len(missing)} missing → {folder}"
    )
    raise typer.Exit(max(code, 1 if missing else 0))


def grade_work_bundle(
    folder: Annotated[Path, typer.Argument(help="What `autograder bundle` made.")],
    reports: Annotated[Path, typer.Argument(help="Where the reports go.")],
    shard: Annotated[str, typer.Option("--shard", help="Only this part of it, like 2/5.")] = "1/1",
    config: ConfigOption = None,
) -> None:
    """Grade a bundle in the jail; needs the course's files, but neither roster nor ledger nor
    network.

    Example: autograder grade-bundle bundle reports --shard 2/5
    """
    classroom = open_classroom(config)
    pieces = read_bundle(folder, _read_shard(shard))
    work = grade_bundle(classroom.course, classroom.exams, folder, pieces, reports)
    done = list(track_progress(work, len(pieces), "grading", out))
    failed = [entry for entry in done if entry.error]
    for entry in failed:
        print_error(f"not graded: {entry.error}")
    out.print(f"graded: {len(done) - len(failed)} notebooks, {len(failed)} failed")
    raise typer.Exit(1 if failed else 0)


def record_reports(
    reports: Annotated[Path, typer.Argument(help="Folder of the reports that came back.")],
    student: StudentOption = None,
    assignment: AssignmentOption = "",
    force: ForceOption = False,
    config: ConfigOption = None,
) -> None:
    """Check reports that were made on another machine, and append those that can be believed to the
    ledger.

    Example: autograder record reports
    """
    classroom = open_classroom(config)
    course = classroom.course
    # What may be recorded is asked anew: since the bundle was made, other reports may have come
    with hold_course_lock(classroom, "record"):
        tasks = find_tasks(classroom, student or (), assignment, force=force)
        done = list(record_returned(course, classroom.exams, tasks, reports, datetime.now(UTC)))
    recorded = 0
    refused = 0
    waiting = 0
    for entry in done:
        # One that is recorded for some of its students may have failed for others.
        recorded += entry.report is not None
        waiting += entry.report is None and not entry.error
        if entry.error:
            refused += 1
            print_error(f"refused: {entry.error}")
    line = (
        f"recorded: {recorded} reports, {refused} refused, {waiting} notebooks still to be graded"
    )
    out.print(line)
    show_on_run_page(f"{line}\n")
    raise typer.Exit(max(print_troubles(classroom), 1 if refused else 0))


def _read_shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
    if match:
        number = int(match[1])
        count = int(match[2])
        if number <= count:
            return number, count
    raise UsageError(f"--shard {text!r}; like 2/5: the second of five")
