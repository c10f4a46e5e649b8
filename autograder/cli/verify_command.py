"""The command that proves that nothing was lost, and builds anew what can be built."""

from __future__ import annotations

from typing import Annotated

import typer

from autograder.cli.application import ConfigOption, JsonOption, app, open_classroom, out
from autograder.cli.long_work import hold_course_lock


@app.command()
def verify(
    repair: Annotated[
        bool, typer.Option("--repair", help="Set aside what cannot be read, and make anew what can be made.")
    ] = False,
    remote: Annotated[str, typer.Option("--remote", help="Name of the repository with the state branch.")] = "origin",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Hold the record against itself, the stores, the state branch, the gradebook and the pages: is all as it was?

    Example: autograder verify --repair
    """
    from autograder.verifying.verification import repair_course as repair_now
    from autograder.verifying.verification import verify_course as verify_now

    classroom, done = open_classroom(config), []
    if repair:
        with hold_course_lock(classroom, "verify --repair"):
            done = list(repair_now(classroom, remote=remote))
    found = verify_now(open_classroom(config), remote=remote)
    looked = f"{found.students} students, {found.lines} lines of the ledger, {found.notebooks} notebooks"
    if as_json:
        troubles = [trouble.to_json() for trouble in found.troubles]
        repaired = [trouble.to_json() for trouble in done]
        out.print_json(data={"sound": found.is_sound, "repaired": repaired, "troubles": troubles})
    else:
        for trouble in done:
            out.print(
                f"repaired: {trouble.where}: {trouble.what}" + (f"; {trouble.step}" if trouble.step else ""),
                markup=False,
            )
        for trouble in found.troubles:
            out.print(trouble.line, markup=False)
        wrong = sum(trouble.serious for trouble in found.troubles)
        verdict = f"{wrong} things are wrong" if wrong else "nothing is wrong"
        out.print(f"verified: {looked}: {verdict}", markup=False)
    if not found.is_sound:
        raise typer.Exit(1)
