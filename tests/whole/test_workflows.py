import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from small_course import REPOSITORY
from typer.testing import CliRunner

from autograder.cli.application import app

FOLDER = REPOSITORY / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
BIN = Path(sys.executable).parent
PINNED = re.compile(r"uses: [\w-]+(/[\w-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
OURS = re.compile(r"(?:\.venv/bin/)?autograder (?P<command>(?:state )?[a-z-]+)(?P<rest>.*)")
OTHERS = re.compile(
    r"(uv pip install --quiet --system|python -m pip install|git init|"
    r"make (check|test|demo|matrix VERSIONS=lowest)$) ?.*"
)


def lint(tool: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / tool), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)


def zizmor(folder: Path) -> subprocess.CompletedProcess[str]:
    return lint("zizmor", "--offline", "--persona", "pedantic", "--no-progress", folder)


def actionlint(*files: Path) -> subprocess.CompletedProcess[str]:
    return lint("actionlint", "-shellcheck", BIN / "shellcheck", "-pyflakes=", *files)


def schema(*files: Path) -> subprocess.CompletedProcess[str]:
    return lint("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files)


def load(path: Path) -> dict[str, Any]:
    data = yaml.safe_load(path.read_text())
    data["on"] = data.pop(True)  # YAML 1.1 reads `on` as a truth
    return data


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in load(path)["jobs"].items():
            yield f"{path.stem}.{name}", job


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in jobs():
        for number, step in enumerate(job["steps"]):
            yield f"{name}.{number}", step


def named(pairs: Iterator[tuple[str, dict[str, Any]]]) -> list[Any]:
    return [pytest.param(value, id=name) for name, value in pairs]


def test_all_workflows_are_here() -> None:
    assert [path.stem for path in WORKFLOWS] == ["check", "ci", "grade", "release"]


def test_zizmor_finds_nothing_even_when_it_is_pedantic() -> None:
    done = zizmor(FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No findings" in done.stdout


def test_actionlint_and_shellcheck_find_nothing() -> None:
    done = actionlint(*WORKFLOWS)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.slow
def test_the_workflows_are_of_githubs_own_schema() -> None:
    done = schema(*WORKFLOWS)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("old", "new", "linter"),
    [
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7", "zizmor"),
        ("environment: release\n", "", "zizmor"),
        ("permissions: {}\n", "permissions: write-all\n", "zizmor"),
        (
            'run: autograder release -- "$ASSIGNMENT"',
            "run: autograder release ${{ inputs.assignment }}",
            "zizmor",
        ),
        ('-- "$ASSIGNMENT"', "-- $ASSIGNMENT", "actionlint"),
        ("github.token", "github.tokken", "actionlint"),
        ("timeout-minutes: 60", "timeout-minuts: 60", "schema"),
    ],
    ids=[
        "no pin",
        "no environment",
        "permissions",
        "injection",
        "unquoted",
        "no such context",
        "misspelt",
    ],
)
@pytest.mark.slow
def test_the_linters_would_find_something(tmp_path: Path, old: str, new: str, linter: str) -> None:
    text = (FOLDER / "release.yml").read_text()
    assert old in text
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "release.yml").write_text(text.replace(old, new))
    done = {"zizmor": zizmor, "actionlint": actionlint, "schema": schema}[linter](  # type: ignore[operator]
        folder if linter == "zizmor" else folder / "release.yml"
    )
    assert done.returncode != 0, done.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_is_granted_on_top_and_every_action_is_pinned(path: Path) -> None:
    assert load(path)["permissions"] == {}
    uses = [
        line.strip().removeprefix("- ") for line in path.read_text().splitlines() if "uses:" in line
    ]
    assert uses and all(PINNED.fullmatch(line) for line in uses), uses
    assert "pull_request_target" not in path.read_text()


@pytest.mark.parametrize("job", named(jobs()))
def test_every_job_has_its_own_grants_a_pinned_machine_and_an_end(job: Any) -> None:
    assert "permissions" in job
    assert job["runs-on"] == "ubuntu-24.04"
    assert job["timeout-minutes"] <= 120


@pytest.mark.parametrize("step", named(steps()))
def test_a_step_is_one_short_call_and_keeps_no_credentials(step: Any) -> None:
    if "run" in step:
        assert "\n" not in step["run"].strip()
        assert OURS.fullmatch(step["run"]) or OTHERS.fullmatch(step["run"]), step["run"]
        assert "${{" not in step["run"], "what people type comes through the environment"
    if "checkout" in step.get("uses", ""):
        assert step["with"]["persist-credentials"] is False
    assert "cache" not in step.get("with", {}) and "actions/cache" not in step.get("uses", "")
    if "setup-uv" in step.get("uses", ""):
        assert step["with"]["enable-cache"] is False


def commands() -> dict[str, str]:
    found = {}
    for _, step in steps():
        if match := OURS.fullmatch(step.get("run", "")):
            found[match["command"]] = f"{found.get(match['command'], '')} {match['rest']}"
    return found


@pytest.mark.parametrize(("command", "rest"), commands().items(), ids=commands())
def test_every_command_and_option_exists(command: Any, rest: Any) -> None:
    done = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "120"})
    assert done.exit_code == 0, done.output
    for option in re.findall(r"(?<= )--[a-z][a-z-]*", rest):
        assert option in done.output, f"{command} has no {option}"


def test_where_students_code_runs_there_is_nothing_to_take() -> None:
    job = load(FOLDER / "grade.yml")["jobs"]["grade"]
    assert job["permissions"] == {}
    text = yaml.dump(job)
    for word in ("token", "secrets", "inputs", "checkout", "environment"):
        assert word not in text.lower(), word
    runs = [step["run"] for step in job["steps"] if "run" in step]
    assert runs.index("autograder doctor") < [
        r.startswith("autograder grade-bundle") for r in runs
    ].index(True)
    assert "continue-on-error" not in text, "without a jail nothing is graded"


def test_only_the_job_that_publishes_may_write_pages_and_none_but_two_the_repository() -> None:
    grants = {
        name: set(job["permissions"]) for name, job in load(FOLDER / "grade.yml")["jobs"].items()
    }
    assert grants == {
        "collect": {"contents"}, "grade": set(), "record": {"contents"}, "publish": {"pages", "id-token"},
    }  # fmt: skip


def test_grading_runs_one_at_a_time_and_never_in_another_repository() -> None:
    workflow = load(FOLDER / "grade.yml")
    assert workflow["concurrency"] == {"group": "grade", "cancel-in-progress": False}
    assert workflow["jobs"]["collect"]["if"] == "vars.GRADING == 'on'"
    minutes = {
        int(minute)
        for entry in workflow["on"]["schedule"]
        for minute in entry["cron"].split()[0].split(",")
    }
    assert all(minute % 5 and 5 < minute < 55 for minute in minutes), "not around the full hour"


def test_secrets_are_named_in_one_step_only() -> None:
    lines = [
        line for path in WORKFLOWS for line in path.read_text().splitlines() if "secrets." in line
    ]
    assert lines == ["          GITHUB_TOKEN: ${{ secrets.PUBLIC_REPOSITORY_TOKEN }}"]


def test_the_linters_are_the_ones_the_environment_brings() -> None:
    for tool in ("zizmor", "actionlint", "shellcheck", "check-jsonschema"):
        assert shutil.which(tool, path=str(BIN)), tool
