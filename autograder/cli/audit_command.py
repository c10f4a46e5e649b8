"""The command that tests the tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from autograder.auditing.audit_cases import AuditCase, read_cases
from autograder.auditing.audit_run import GradedCase, grade_cases
from autograder.auditing.audit_tally import (
    AuditTally,
    count_by_exercise,
    count_cases,
    describe_shortfalls,
    list_audited,
    list_killed_equivalents,
    list_misnamed,
    list_stopped,
    list_survivors,
    tally_json,
)
from autograder.auditing.vacuous_tests import VacuousCriterion, find_vacuous_criteria
from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import ConfigOption, JsonOption
from autograder.cli.progress_bar import track_progress
from autograder.cli.screens import err, out, print_line
from autograder.course.errors import UsageError
from autograder.course.exam import Exam
from autograder.course.nearest_names import say_nearest_name

HEADS = ("exercise", "caught", "named", "kept", "right", "stopped", "killed", "equal")
TITLE = "mistakes caught, named, within what they keep; right answers accepted, shortcuts stopped, mutants killed"


def audit_assignments(
    assignments: Annotated[
        list[str] | None, typer.Argument(help="Names; default: all in grading_config.py.")
    ] = None,
    exercise: Annotated[
        list[str] | None, typer.Option("--exercise", "-e", help="Only these exercises.")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Grade known mistakes, right answers, shortcuts and mutants of the reference: are the tests
    good?

    Example: autograder audit hw01_numpy --exercise graded_commutator
    """
    course = open_classroom(config).course
    exams: dict[str, Exam] = {}
    cases: list[AuditCase] = []
    vacuous: list[VacuousCriterion] = []
    named = course.find_all_notebooks(assignments or ())
    for name in named or course.assignments:
        exam, its_cases = read_cases(course, name)
        exams[name] = exam
        cases += its_cases
        vacuous += find_vacuous_criteria(exam)
    if exercise:
        cases = [case for case in cases if case.exercise in exercise]
        vacuous = [entry for entry in vacuous if entry.exercise in exercise]
        _require_exercises(exercise, cases, exams)
    done = grade_cases(course, exams, cases)
    graded = list(track_progress(done, len(cases), "auditing", err))
    # They come as they are done; what is printed has the order of the notebook
    place = {case: index for index, case in enumerate(cases)}
    graded.sort(key=lambda entry: place[entry.case])
    if as_json:
        out.print_json(data=tally_json(graded, vacuous))
    else:
        _print_audit(graded, vacuous)
    if describe_shortfalls(graded, vacuous):
        raise typer.Exit(1)


def _require_exercises(
    exercises: Sequence[str], cases: Sequence[AuditCase], exams: dict[str, Exam]
) -> None:
    unknown = set(exercises) - {case.exercise for case in cases}
    if not unknown:
        return
    first = min(unknown)
    known: set[str] = set()
    for exam in exams.values():
        known.update(exam.points_of)
    meant = say_nearest_name(first, known)
    raise UsageError(f"no exercise {first!r} in {', '.join(exams)}; {meant}")


def _print_audit(graded: Sequence[GradedCase], vacuous: Sequence[VacuousCriterion]) -> None:
    by_exercise = count_by_exercise(graded)
    for name in list_audited(graded):
        counts = [count for count in by_exercise if count.assignment == name]
        out.print(_build_table(name, [*counts, count_cases(graded, name)]))
    for entry in list_misnamed(graded):
        case = entry.case
        print_line(f"not told by its own hint: {case.exercise}, {case.name!r}")
        print_line(f"    student reads: {entry.result.hint}\n    its own hint:  {case.hint}")
    for entry in list_stopped(graded):
        points = f"{entry.result.points:g} of {entry.result.max_points:g} points"
        case = entry.case
        print_line(f"stopped: {case.exercise}, {case.name!r} gets {points}; not met:")
        for sentence in entry.stopped_by:
            print_line(f"    {sentence}")
    for case in list_survivors(graded):
        print_line(f"survivor: {_describe_change(case)}")
        print_line("  close the gap in the tests; or, if it is as right, add to alternatives.py:")
        print_line(write_equivalent(case))
    for case in list_killed_equivalents(graded):
        print_line(f"called equivalent, but it loses points: {_describe_change(case)}")
    for sentence in describe_shortfalls(graded, vacuous):
        out.print(f"falls short: {sentence}", style="red", markup=False)


def _build_table(title: str, counts: Sequence[AuditTally]) -> Table:
    table = Table(
        title=escape(f"{title}: {TITLE}"),
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    rows = [HEADS, *map(_build_row, counts)]
    table.add_column(HEADS[0], overflow="ellipsis")
    # A name may be cut where a line is too long, a number never
    for column in range(1, len(HEADS)):
        width = max(len(row[column]) for row in rows)
        table.add_column(HEADS[column], justify="right", no_wrap=True, min_width=width)
    for row in rows[1:]:
        table.add_row(*row)
    return table


def _build_row(count: AuditTally) -> tuple[str, ...]:
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


def write_equivalent(case: AuditCase) -> str:
    """Return the lines that call a mutant as right as the reference, to be pasted once the reason
    is filled in.
    """
    function = case.function.split(", ")[0]
    lines = ["alternatives.equivalent("]
    for text in (function, case.before, case.after):
        lines.append(f"    {json.dumps(text, ensure_ascii=False)},")
    lines += ['    because="…",', ")"]
    return "\n".join(lines)


def _describe_change(case: AuditCase) -> str:
    lines = [f"{case.assignment}, {case.exercise}, line {case.line} of its solution cell"]
    for line in case.before.splitlines():
        lines.append(f"    - {line}")
    for line in case.after.splitlines():
        lines.append(f"    + {line}")
    return "\n".join(lines)
