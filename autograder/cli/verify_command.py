"""The command that proves that nothing was lost, and builds anew what can be built."""

from __future__ import annotations

from typing import Annotated

import typer

from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import ConfigOption, JsonOption
from autograder.cli.long_work import hold_course_lock
from autograder.cli.screens import out, print_line
from autograder.verifying.record_trouble import RecordTrouble
from autograder.verifying.verification import Verification, repair_course, verify_course


def verify_record(
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="Set aside what cannot be read, and make anew what can be made."
        ),
    ] = False,
    remote: Annotated[
        str, typer.Option("--remote", help="Name of the repository with the state branch.")
    ] = "origin",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Hold the record against itself, the stores, the state branch, the gradebook and the pages: is
    all as it was?

    Example: autograder verify --repair
    """
    repaired: list[RecordTrouble] = []
    if repair:
        classroom = open_classroom(config)
        with hold_course_lock(classroom, "verify --repair"):
            repaired = list(repair_course(classroom, remote=remote))
    # Opened anew: what a repair changed is to be read, and not remembered.
    found = verify_course(open_classroom(config), remote=remote)
    if as_json:
        troubles = [trouble.to_json() for trouble in found.troubles]
        done = [trouble.to_json() for trouble in repaired]
        out.print_json(data={"sound": found.is_sound, "repaired": done, "troubles": troubles})
    else:
        _print_verification(repaired, found)
    if not found.is_sound:
        raise typer.Exit(1)


def _print_verification(repaired: list[RecordTrouble], found: Verification) -> None:
    for trouble in repaired:
        step = f"; {trouble.step}" if trouble.step else ""
        print_line(f"repaired: {trouble.where}: {trouble.what}{step}")
    for trouble in found.troubles:
        print_line(trouble.line)
    verdict = "nothing is wrong" if found.is_sound else f"{found.wrong} things are wrong"
    looked = f"{found.students} students, {found.lines} lines of the ledger"
    print_line(f"verified: {looked}, {found.notebooks} notebooks: {verdict}")
