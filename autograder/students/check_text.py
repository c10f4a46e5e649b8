"""Practice results as text: a table for a terminal, a summary and annotations for GitHub. All from
data to text.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from rich import box
from rich.markup import escape
from rich.table import Table

from autograder.students.check_run import CheckRun, ExerciseChecks

MARKS = {"passed": "✓", "failed": "✗", "not run": "✗", "not attempted": "–"}
COLOURS = {"passed": "green", "failed": "red", "not run": "red", "not attempted": "dim"}
# GitHub shows no more of a kind
MAX_ANNOTATIONS = 10
MAX_MESSAGE = 400


def build_check_table(run: CheckRun) -> Table:
    """Return a run as a table for a terminal: a row per exercise."""
    title = f"{run.notebook} ({run.seconds:.0f} s)"
    table = Table(
        "exercise",
        "checks",
        "what to look at",
        title=escape(title),
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    for entry in run.exercises:
        result = f"[{COLOURS[entry.status]}]{MARKS[entry.status]} {_count_passed(entry)}[/]"
        table.add_row(escape(entry.exercise), result, escape(entry.message))
    return table


def summarise_runs(runs: Sequence[CheckRun], remarks: Iterable[str], where: str) -> str:
    """Return runs as Markdown, for the summary of a job on GitHub."""
    lines = [
        "## Practice results",
        "",
        f"These are the checks you can see; {_escape_markdown(where)}.",
        "",
    ]
    for run in runs:
        lines += [f"### {_escape_markdown(run.notebook)}", ""]
        for problem in run.problems:
            lines.append(f"- ✗ {_escape_markdown(problem)}")
        if run.exercises:
            lines += ["", "| exercise | checks | what to look at |", "|---|---|---|"]
        for entry in run.exercises:
            checks = f"{MARKS[entry.status]} {_count_passed(entry)}"
            message = _escape_markdown(entry.message)
            lines.append(f"| {_escape_markdown(entry.exercise)} | {checks} | {message} |")
        lines.append("")
    for remark in remarks:
        lines.append(f"- {_escape_markdown(remark)}")
    return "\n".join(lines) + "\n"


def build_annotations(runs: Sequence[CheckRun]) -> list[str]:
    """Return at most ten commands with which a step annotates a notebook on GitHub."""
    return list(islice(_iterate_annotations(runs), MAX_ANNOTATIONS))


def _iterate_annotations(runs: Sequence[CheckRun]) -> Iterator[str]:
    for run in runs:
        for problem in run.problems:
            yield _write_command(run.notebook, run.assignment, problem)
        for entry in run.exercises:
            if entry.status == "failed":
                yield _write_command(run.notebook, entry.exercise, entry.message)


def _write_command(file: str, title: str, message: str) -> str:
    return f"::error file={_escape_property(file)},title={_escape_property(title)}::{_escape_data(message)}"


def _count_passed(entry: ExerciseChecks) -> str:
    return f"{entry.passed} of {len(entry.outcomes)}" if entry.outcomes else "not run"


def _escape_markdown(text: str) -> str:
    """Return a text as one line of Markdown in which it cannot be more than text; code marks
    stay.
    """
    return (
        html.escape(" ".join(text[:MAX_MESSAGE].split()), quote=False)
        .replace("|", "\\|")
        .replace("[", "\\[")
    )


def _escape_data(text: str) -> str:
    # The per cent sign first, or it would escape the other escapes; a line's end would end the command
    return text[:MAX_MESSAGE].replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    # Between properties a comma parts, behind the name and before the data a colon
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")
