"""Documentation is tested: commands and options it names exist, and none is left out; files it links are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
from small_course import REPOSITORY

from autograder.cli.application import app

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
CALL = re.compile(r"\bautograder ((?!demo\b.*\bsays)[a-z][a-z-]*)((?:[ \t]+[^\s`#|&;]+)*)")


def calls(page: Path) -> list[tuple[str, str]]:
    """Commands in the page's code: in backticks and in fenced blocks."""
    text = page.read_text(encoding="utf-8")
    code = re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text)
    lines = [line for piece in code for line in piece.splitlines()]
    return [(name, rest) for line in lines for name, rest in CALL.findall(line.split("#")[0])]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_of_the_documentation_exist(page: Any) -> None:
    for name, rest in calls(page):
        assert name in COMMANDS, f"{page.name} speaks of `autograder {name}`"
        command = COMMANDS[name]
        group = getattr(command, "commands", {})  # as in `autograder state push`
        if group and rest.split():
            name = f"{name} {rest.split()[0]}"
            assert rest.split()[0] in group, f"{page.name} speaks of `autograder {name}`"
            command = group[rest.split()[0]]
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", rest):
            assert option in known, f"{page.name} speaks of `autograder {name} {option}`"


def test_every_command_is_documented() -> None:
    documented = {name for page in PAGES for name, _ in calls(page)}
    assert set(COMMANDS) <= documented | {"demo"}  # the demo is `make demo`


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_an_example(name: Any) -> None:
    assert "Example: autograder " in COMMANDS[name].help, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Any) -> None:
    folder = (
        REPOSITORY if page.name == "public-readme.md" else page.parent
    )  # it becomes the public README
    for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (folder / link).exists(), f"{page.name} links {link}"


def test_the_readme_is_short_and_begins_with_a_picture() -> None:
    lines = (REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    assert lines[2].startswith("![")


# --- for the next owner --------------------------------------------------------------------------------------------

ARCHITECTURE = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    sorted(
        path.stem for path in (REPOSITORY / "autograder").iterdir() if not path.name.startswith("_")
    ),
)
def test_the_architecture_names_every_room_and_every_module_at_the_top(name: str) -> None:
    if name != "py":  # py.typed is no module
        assert re.search(rf"`(autograder[./])?{name}(/|\.py)?`|\b{name}/", ARCHITECTURE), name


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_architecture_names_every_command(name: str) -> None:
    assert re.search(rf"`(autograder )?{re.escape(name)}`", ARCHITECTURE), name
