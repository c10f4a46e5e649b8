"""The command that puts what is released where students fork."""

from __future__ import annotations

from typing import Annotated

import typer

from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import ConfigOption
from autograder.cli.screens import print_line, print_note
from autograder.publishing.publish import Publication, describe_uncommitted, publish_course


def publish_released(
    to: Annotated[
        str, typer.Option("--to", help="Address to push to; default: c.Course.upstream.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the files and what would change; push nothing.")
    ] = False,
    over: Annotated[
        str, typer.Option("--over", help="A commit made elsewhere, on top of which to publish.")
    ] = "",
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", help="A file's id that may be public after all."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List every file that changed.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Put what is released on the public course repository, as one more commit, after searching it
    all for secrets.

    Example: autograder publish --dry-run
    """
    course = open_classroom(config).course
    for sentence in describe_uncommitted(course):
        print_note(sentence)
    done = publish_course(course, to, dry_run=dry_run, over=over, accept=accept or ())
    if dry_run:
        for path in done.files:
            print_line(path)
    if done.changes and (dry_run or verbose):
        print_line(done.changes)
    for sentence in done.held_back:
        print_note(f"not published: {sentence}")
    print_line(_describe_result(done))


def _describe_result(done: Publication) -> str:
    """Say in one line what was published where, and that it was searched."""
    searched = f"searched {done.searched} files of its history, nothing secret in them"
    where = f"{done.url}, branch {done.branch}"
    if not done.commit:
        return f"{where}: is up to date; {searched}"
    what = "got one more commit" if done.pushed else "would get one more commit"
    # The last line of git's statistics counts the files, as in "3 files changed, 40 insertions(+)".
    counted = done.changes.splitlines()[-1].strip()
    return f"{where}: {what} {done.commit[:10]} ({counted}); {searched}"
