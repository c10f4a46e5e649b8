"""The command that tests the tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from autograder.cli.application import ConfigOption, JsonOption, app, err, open_classroom, out

if TYPE_CHECKING:
    from autograder.auditing.audit_cases import AuditCase
    from autograder.auditing.audit_run import GradedCase
    from autograder.auditing.audit_tally import AuditTally
    from autograder.auditing.vacuous_tests import VacuousCriterion

HEADS = ("exercise", "caught", "named", "kept", "right", "stopped", "killed", "equal")


@app.command()
def audit(
    assignments: Annotated[list[str] | None, typer.Argument(help="Names; default: all in grading_config.py.")] = None,
    exercise: Annotated[list[str] | None, typer.Option("--exercise", "-e", help="Only these exercises.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Grade known mistakes, right answers, shortcuts and mutants of the reference: are the tests good?

    Example: autograder audit hw01_numpy --exercise graded_commutator
    """
    from autograder.auditing.audit_cases import read_cases
    from autograder.auditing.audit_run import grade_cases
    from autograder.auditing.audit_tally import describe_shortfalls, tally_json
    from autograder.auditing.vacuous_tests import find_vacuous_criteria
    from autograder.cli.progress_bar import track_progress
    from autograder.course.configuration import say_nearest_name
    from autograder.course.errors import UsageError

    course = open_classroom(config).course
    names = assignments or list(course.assignments)
    read = {name: read_cases(course, name) for name in names}
    cases = [case for _, some in read.values() for case in some if not exercise or case.exercise in exercise]
    unknown = set(exercise or ()) - {case.exercise for case in cases}
    if unknown:
        first, known = sorted(unknown)[0], {exercise.id for exam, _ in read.values() for exercise in exam.exercises}
        raise UsageError(f"no exercise {first!r} in {', '.join(names)}; {say_nearest_name(first, known)}")
    done = grade_cases(course, {name: exam for name, (exam, _) in read.items()}, cases)
    place = {case: index for index, case in enumerate(cases)}
    graded = sorted(track_progress(done, len(cases), "auditing", err), key=lambda entry: place[entry.case])
    vacuous = [
        entry
        for exam, _ in read.values()
        for entry in find_vacuous_criteria(exam)
        if not exercise or entry.exercise in exercise
    ]
    if as_json:
        out.print_json(data=tally_json(graded, vacuous))
    else:
        _print(graded, vacuous)
    if describe_shortfalls(graded, vacuous):
        raise typer.Exit(1)


def _print(graded: Sequence[GradedCase], vacuous: Sequence[VacuousCriterion]) -> None:
    from autograder.auditing.audit_tally import (
        count_by_exercise,
        count_cases,
        describe_shortfalls,
        list_killed_equivalents,
        list_misnamed,
        list_stopped,
        list_survivors,
    )

    for name in dict.fromkeys(entry.case.assignment for entry in graded):
        counts = [count for count in count_by_exercise(graded) if count.assignment == name]
        out.print(_table(name, [*counts, count_cases(graded, name)]))
    for entry in list_misnamed(graded):
        case = entry.case
        out.print(f"not told by its own hint: {case.exercise}, {case.name!r}", markup=False)
        out.print(f"    student reads: {entry.result.hint}\n    its own hint:  {case.hint}", markup=False)
    for entry in list_stopped(graded):
        points = f"{entry.result.points:g} of {entry.result.max_points:g} points"
        out.print(f"stopped: {entry.case.exercise}, {entry.case.name!r} gets {points}; not met:", markup=False)
        for sentence in entry.stopped_by:
            out.print(f"    {sentence}", markup=False)
    for case in list_survivors(graded):
        out.print(f"survivor: {_change(case)}", markup=False)
    for case in list_killed_equivalents(graded):
        out.print(f"called equivalent, but it loses points: {_change(case)}", markup=False)
    for sentence in describe_shortfalls(graded, vacuous):
        out.print(f"falls short: {sentence}", style="red", markup=False)


def _table(title: str, counts: Sequence[AuditTally]) -> Table:
    what = "mistakes caught, named, within what they keep; right answers accepted, shortcuts stopped, mutants killed"
    table = Table(title=escape(f"{title}: {what}"), box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    rows = [HEADS, *map(_row, counts)]
    table.add_column(HEADS[0], overflow="ellipsis")
    for column in range(1, len(HEADS)):  # a name may be cut where a line is too long, a number never
        width = max(len(row[column]) for row in rows)
        table.add_column(HEADS[column], justify="right", no_wrap=True, min_width=width)
    for row in rows[1:]:
        table.add_row(*row)
    return table


def _row(count: AuditTally) -> tuple[str, ...]:
    return (
        escape(count.exercise or "all"),
        f"{count.caught}/{count.mistakes}",
        f"{count.named}/{count.mistakes}",
        f"{count.kept}/{count.keeping}",
        f"{count.accepted}/{count.alternatives}",
        f"{count.stopped}/{count.shortcuts}",
        f"{count.killed}/{count.mutants}",
        f"{count.equivalent or ''}",
    )


def _change(case: AuditCase) -> str:
    lines = [("-", line) for line in case.before.splitlines()] + [("+", line) for line in case.after.splitlines()]
    where = f"{case.assignment}, {case.exercise}, line {case.line} of its solution cell"
    return "\n".join([where, *(f"    {mark} {line}" for mark, line in lines)])
