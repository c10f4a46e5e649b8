"""The command that brings the public course repository up to date."""

from __future__ import annotations

from typing import Annotated

import typer

from autograder.cli.frame import ConfigOption, app, open_classroom, out


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
    from autograder.publishing.publish import publish as publish_now

    course = open_classroom(config).course
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
