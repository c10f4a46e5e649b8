"""Commands that give out homework: release makes the students' notebooks, publish puts them where students fork."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from autograder.cli.application import ConfigOption, app, err, open_classroom, out
from autograder.course.errors import UsageError

if TYPE_CHECKING:
    from autograder.course.configuration import Course

EVERY = "all"  # what answers the question for names


@app.command()
def release(
    assignments: Annotated[list[str] | None, typer.Argument(help="Names; without any you are asked.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All in grading_config.py.")] = False,
    config: ConfigOption = None,
) -> None:
    """Make the students' notebooks from solutions/, and prove that they give nothing away.

    Example: autograder release hw01_numpy
    """
    from autograder.grader.examiner import Examiner
    from autograder.publishing.release import release_assignment as release_one

    course = open_classroom(config).course
    if every and assignments:
        raise UsageError("name assignments, or say --all, not both")
    names = list(course.assignments) if every else assignments or _ask_for_names(course)
    for name in names:
        course.find_assignment(name)
    with Examiner(course.limits) as examiner:
        for name in names:
            made = release_one(course, name, examiner)
            state = "released" if made.changed else "unchanged"
            about = f"{made.exercises} exercises, {made.points:g} points"
            out.print(f"{name}: {state}, {about} → {made.path}", markup=False)
            for other in made.others:
                err.print(f"note: {made.path.parent / other} is no part of the release; left as it is", markup=False)


def _ask_for_names(course: Course) -> list[str]:
    """Show what there is to be released, and return the names that somebody answers.

    Raises
    ------
    UsageError
        If nobody answers, or nothing.
    """
    for name, entry in course.assignments.items():
        state = "released before" if course.release_path(name).exists() else "not released yet"
        err.print(f"  {name}: {entry.title}, {state}", markup=False)
    err.print(f"release which? names, or {EVERY!r}: ", end="")
    try:
        answer = input().split()
    except EOFError:
        answer = []
    if not answer:
        raise UsageError("nothing was released; name the assignments to release, or say --all")
    return list(course.assignments) if answer == [EVERY] else answer


@app.command()
def publish(
    to: Annotated[str, typer.Option("--to", help="Address to push to; default: c.Course.upstream.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the files and what would change; push nothing.")
    ] = False,
    over: Annotated[str, typer.Option("--over", help="A commit made elsewhere, on top of which to publish.")] = "",
    accept: Annotated[
        list[str] | None, typer.Option("--accept", help="A file's id that may be public after all.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Put what is released on the public course repository, as one more commit, after searching it all for secrets.

    Example: autograder publish --dry-run
    """
    from autograder.publishing.publish import describe_uncommitted
    from autograder.publishing.publish import publish_course as publish_now

    course = open_classroom(config).course
    for sentence in describe_uncommitted(course):
        err.print(f"note: {sentence}", markup=False)
    done = publish_now(course, to, dry_run=dry_run, over=over, accept=accept or ())
    if dry_run:
        for path in done.files:
            out.print(path, markup=False)
    if done.changes:
        out.print(done.changes, markup=False)
    for sentence in done.held_back:
        out.print(f"not published: {sentence}", markup=False)
    out.print(f"searched {done.searched} files of the public history: nothing secret in them")
    what = "is up to date" if not done.commit else "got one more commit" if done.pushed else "would get one more commit"
    out.print(f"{done.url}, branch {done.branch}: {what} {done.commit[:10]}".rstrip(), markup=False)
