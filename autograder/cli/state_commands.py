"""The course's memory brought to and from its branch, and results committed, as workflows do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import ConfigOption, RemoteOption
from autograder.cli.long_work import hold_course_lock
from autograder.cli.screens import out, print_error, print_line
from autograder.cli.workflow_files import tell_next_jobs
from autograder.publishing.result_commits import commit_paths
from autograder.record.state_branch import StateBranch

HELP = """The course's memory on a branch: ledger, roster, extensions, page keys.

Example: autograder state pull
"""
state = typer.Typer(help=HELP, no_args_is_help=True, add_completion=False, rich_markup_mode=None)
BranchOption = Annotated[str, typer.Option("--branch", help="Its branch.")]


@state.command("pull")
def pull_state(
    remote: RemoteOption = "origin", branch: BranchOption = "state", config: ConfigOption = None
) -> None:
    """Bring the state from its branch here; what is only here stays.

    Example: autograder state pull
    """
    classroom = open_classroom(config)
    memory = StateBranch(classroom.course, remote, branch)
    with hold_course_lock(classroom, "state pull"):
        changed = memory.pull()
    out.print(f"state: {len(changed)} files changed here")
    _print_left_out(memory.troubles)


@state.command("push")
def push_state(
    remote: RemoteOption = "origin",
    branch: BranchOption = "state",
    message: Annotated[
        str, typer.Option("--message", "-m", help="What the change is.")
    ] = "State of the course",
    config: ConfigOption = None,
) -> None:
    """Put what is new here on the branch, together with what others put there meanwhile.

    Example: autograder state push --message "Roster of the new term"
    """
    classroom = open_classroom(config)
    memory = StateBranch(classroom.course, remote, branch)
    with hold_course_lock(classroom, "state push"):
        changed = memory.push(message)
    tell_next_jobs(changed=len(changed))
    print_line(f"state: {len(changed)} files changed on the branch {branch}")
    _print_left_out(memory.troubles)


def commit_results(
    paths: Annotated[list[str], typer.Argument(help="What to commit, with everything below it.")],
    message: Annotated[str, typer.Option("--message", "-m", help="What the change is.")],
    remote: RemoteOption = "origin",
    config: ConfigOption = None,
) -> None:
    """Commit a part of the instructors' repository and push it, as a workflow does with what it
    released.

    Example: autograder commit assignments --message "Release hw01_numpy"
    """
    made = commit_paths(open_classroom(config).course, paths, message, remote)
    if made:
        print_line(f"committed and pushed: {made[:10]}")
    else:
        print_line("nothing to commit: all is as it was")


def _print_left_out(troubles: Sequence[str]) -> None:
    for trouble in troubles:
        print_error(f"left out: {trouble}")
    if troubles:
        raise typer.Exit(1)
