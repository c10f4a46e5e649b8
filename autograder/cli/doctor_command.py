"""The command that looks whether everything is there that grading needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.command_options import ConfigOption, JsonOption
from autograder.cli.screens import out, print_line
from autograder.course.configuration_file import find_config
from autograder.course.errors import AutograderError
from autograder.doctor.machine_check import Finding, examine_machine


def examine_setup(
    network: Annotated[
        bool, typer.Option("--network", help="Ask the public repository, too.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say whether this machine can grade and, inside a course, whether that is set up; and what to
    do where not.

    Example: autograder doctor --network
    """
    found = {"this machine": examine_machine()}
    path = config or _find_config_here()
    if path is not None:
        found["this course"] = _examine_course(path.resolve(), network)
    findings = [*found["this machine"], *found.get("this course", ())]
    if as_json:
        out.print_json(data=[finding.to_json() for finding in findings])
    else:
        for title, part in found.items():
            out.print(title, style="bold")
            for finding in part:
                print_line(finding.line)
    if any(finding.needed and not finding.good for finding in findings):
        raise typer.Exit(1)


def _examine_course(config: Path, network: bool) -> list[Finding]:
    # Only here: the machine is examined also where modules are missing that a course needs
    try:
        from autograder.doctor.course_check import examine_course
    except ModuleNotFoundError as error:
        said = f"not looked at: {error.name} is not installed"
        return [Finding("course", False, said, step="do first what is said of this machine")]
    return examine_course(config, network=network)


def _find_config_here() -> Path | None:
    """Return the configuration of the course we are in, None outside of any."""
    try:
        return find_config(Path.cwd())
    except AutograderError:
        return None
