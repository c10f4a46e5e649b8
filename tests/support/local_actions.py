"""GitHub Actions on this machine: the jobs of a workflow file, each in a clean folder with only what it would have.

The steps are those of the file. `run:` steps run as they stand; of the actions, checkout clones, artifacts are copied
(without hidden files, as the real ones), Pages are a folder, and setting up Python is done already.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import matplotlib
import warm_autograder
import yaml

BIN = Path(sys.executable).parent
INSTALL = re.compile(
    r"(?:uv pip install --quiet --system|python -m pip install\b.*?) (?:--requirement (\S+)|(?:--no-deps )?(\S+))$"
)
TOKEN = re.compile(r"'(?:[^']|'')*'|\d+|[A-Za-z_][\w.-]*|&&|\|\||==|!=|>|!|\(|\)")
STATUS = re.compile(r"\b(cancelled|always|failure|success)\(\)")


@dataclass
class Job:
    """What became of a job."""

    name: str
    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)

    def log(self) -> str:
        return "\n".join(
            f"--- {name}: {self.outcomes[name]}\n{text}" for name, text in self.said.items()
        )


@dataclass
class Actions:
    """A repository's Actions: its variables and secrets, and the Pages that were deployed."""

    repository: Path
    folder: Path
    variables: Mapping[str, str]
    secrets: Mapping[str, str]
    token: str
    runs: int = 0

    @property
    def pages(self) -> Path:
        return self.folder / "pages"

    def run(self, workflow: str, event: str = "schedule", **inputs: str) -> Run:
        """Begin a run; its jobs are done one by one, or all with `finish`."""
        self.runs += 1
        text = subprocess.run(
            ["git", "show", f"HEAD:.github/workflows/{workflow}.yml"],
            cwd=self.repository, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        return Run(self, yaml.safe_load(text), self.folder / f"run-{self.runs}", event, inputs)


@dataclass
class Run:
    """One run of a workflow."""

    actions: Actions
    workflow: dict[str, Any]
    folder: Path
    event: str
    inputs: Mapping[str, str]
    jobs: dict[str, Job] = field(default_factory=dict)
    attempts: int = 0

    def finish(self, *, broken: str = "") -> dict[str, Job]:
        """Do every job that was not done yet; `broken` names a command that fails as if the machine had died."""
        for name in self.workflow["jobs"]:
            if name not in self.jobs:
                self.job(name, broken=broken)
        return self.jobs

    def job(self, name: str, *, broken: str = "") -> Job:
        """Do one job, or do it again."""
        definition = self.workflow["jobs"][name]
        needs = definition.get("needs", [])
        needed = {need: self.jobs[need] for need in ([needs] if isinstance(needs, str) else needs)}
        context = self._context(needed)
        condition = str(definition.get("if", ""))
        good = all(job.result == "success" for job in needed.values()) or bool(
            STATUS.search(condition)
        )
        if not good or (condition and not evaluate(condition, context)):
            self.jobs[name] = Job(name, "skipped")
            return self.jobs[name]
        matrix = definition.get("strategy", {}).get("matrix", {})
        shards: list[Any] = [None]
        for value in matrix.values():
            shards = evaluate(value, context) if isinstance(value, str) else value
        done = []
        for index, value in enumerate(shards):
            more = {"strategy": {"job-index": index}, "matrix": dict.fromkeys(matrix, value)}
            self.attempts += 1
            place = self.folder / f"{name}-{self.attempts}"
            done.append(_Machine(self, name, definition, context | more, place, broken).run())
        self.jobs[name] = max(done, key=lambda job: job.result == "failure")
        return self.jobs[name]

    def _context(self, needed: Mapping[str, Job]) -> dict[str, Any]:
        return {
            "vars": dict(self.actions.variables),
            "secrets": dict(self.actions.secrets),
            "inputs": dict(self.inputs),
            "github": {
                "token": self.actions.token,
                "event_name": self.event,
                "event": {
                    "schedule": "13,43 * * * *" if self.event == "schedule" else "",
                    "before": "0" * 40,
                },
                "ref": "refs/heads/main",
            },
            "needs": {
                name: {"result": job.result, "outputs": job.outputs} for name, job in needed.items()
            },
        }


class _Machine:
    """A fresh machine that does one job."""

    def __init__(
        self,
        run: Run,
        name: str,
        definition: dict[str, Any],
        context: dict[str, Any],
        place: Path,
        broken: str,
    ) -> None:
        self.job_run, self.definition, self.context = run, definition, context | {"steps": {}}
        self.broken = broken
        self.job = Job(name, "success")
        self.workspace, self.home = place / "work", place / "home"
        for folder in (self.workspace, self.home, place / "temp"):
            folder.mkdir(parents=True)
        self.place = place

    def run(self) -> Job:
        for number, step in enumerate(self.definition["steps"]):
            self._step(step, step.get("name", f"step {number}"))
        self.job.outputs = {
            name: str(filled(value, self.context))
            for name, value in self.definition.get("outputs", {}).items()
        }
        return self.job

    def _step(self, step: dict[str, Any], name: str) -> None:
        condition = str(step.get("if", ""))
        good = self.job.result == "success" or bool(STATUS.search(condition))
        if not good or (condition and not evaluate(condition, self.context)):
            self.job.outcomes[name] = "skipped"
            return
        output = self.place / f"output-{len(self.job.outcomes)}"
        output.touch()
        if "run" in step:
            outcome, self.job.said[name] = self._command(step, output)
        else:
            outcome, self.job.said[name] = "success", self._action(step, output)
        self.job.outcomes[name] = outcome
        if outcome == "failure" and not step.get("continue-on-error"):
            self.job.result = "failure"
        told = dict(line.split("=", 1) for line in output.read_text().splitlines())
        self.context["steps"][step.get("id", name)] = {"outputs": told, "outcome": outcome}

    def _command(self, step: dict[str, Any], output: Path) -> tuple[str, str]:
        if install := INSTALL.match(
            step["run"]
        ):  # everything is installed here; what is named must be there
            assert (self.workspace / (install[1] or install[2])).exists(), step["run"]
            return "success", ""
        if self.broken and self.broken in step["run"]:
            return "failure", "the machine died"
        programs = warm_autograder.folder_for_path()
        environment = {
            "PATH": f"{programs}{os.pathsep}{BIN}{os.pathsep}{os.defpath}",
            "HOME": str(self.home),
            "MPLCONFIGDIR": matplotlib.get_cachedir(),  # else each would look for all fonts
            "LANG": "C.UTF-8",
            "OPENBLAS_NUM_THREADS": "1",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.place / "summary.md"),
            "RUNNER_TEMP": str(self.place / "temp"),
        }
        environment |= {
            key: str(filled(value, self.context)) for key, value in step.get("env", {}).items()
        }
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        if self._is_offline():
            command = ["unshare", "--net", *command]
        done = subprocess.run(
            command,
            cwd=self.workspace,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return "failure" if done.returncode else "success", done.stdout + done.stderr

    def _is_offline(self) -> bool:
        """A job without grants gets no network either, where this machine can take it away."""
        return (
            self.definition["permissions"] == {}
            and os.geteuid() == 0
            and shutil.which("unshare") is not None
        )

    def _action(self, step: dict[str, Any], output: Path) -> str:
        name = step["uses"].split("@")[0]
        options = {
            key: str(filled(value, self.context)) for key, value in step.get("with", {}).items()
        }
        artifacts = self.job_run.folder / "artifacts"
        if name == "actions/checkout":
            assert options["persist-credentials"] == "False"
            git(
                self.place,
                "clone",
                "--quiet",
                str(self.job_run.actions.repository),
                str(self.workspace),
            )
        elif name == "actions/upload-artifact":
            self._upload(self.workspace / options["path"], artifacts / options["name"], options)
        elif name == "actions/download-artifact":
            pattern = options.get("pattern", options.get("name", ""))
            found = [
                path for path in sorted(artifacts.glob("*")) if fnmatchcase(path.name, pattern)
            ]
            assert found or "pattern" in options, f"no artifact {pattern}"
            for path in found:
                shutil.copytree(path, self.workspace / options["path"], dirs_exist_ok=True)
        elif name == "actions/upload-pages-artifact":
            links = [
                path for path in (self.workspace / options["path"]).rglob("*") if path.is_symlink()
            ]
            assert not links, links
            shutil.copytree(
                self.workspace / options["path"], artifacts / "github-pages", dirs_exist_ok=True
            )
            output.write_text("artifact_id=1\n")
        elif name == "actions/deploy-pages":
            assert self.definition["permissions"] == {"pages": "write", "id-token": "write"}
            shutil.rmtree(self.job_run.actions.pages, ignore_errors=True)
            shutil.copytree(artifacts / "github-pages", self.job_run.actions.pages)
        else:
            assert name in {"actions/setup-python", "astral-sh/setup-uv"}, name
        return ""

    def _upload(self, source: Path, target: Path, options: Mapping[str, str]) -> None:
        if not source.exists():
            assert options.get("if-no-files-found") != "error", f"nothing at {source}"
            return
        assert options.get("overwrite") == "True" or not target.exists(), (
            f"{target.name} is there already"
        )
        shutil.rmtree(target, ignore_errors=True)
        for path in source.rglob("*"):
            relative = path.relative_to(source)
            if path.is_file() and not any(part.startswith(".") for part in relative.parts):
                (target / relative).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target / relative)


def filled(value: Any, context: Mapping[str, Any]) -> Any:
    """A value with its `${{ }}` replaced; one that is nothing but an expression keeps its type."""
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\$\{\{((?:(?!\}\}).)*)\}\}", value.strip())
    if whole:
        return evaluate(value, context)
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: str(evaluate(match[1], context)), value)


def evaluate(expression: str, context: Mapping[str, Any]) -> Any:
    """The value of an expression of Actions: contexts, comparisons, and, or, not, fromJSON, cancelled."""
    text = re.sub(r"^\s*\$\{\{(.*)\}\}\s*$", r"\1", expression, flags=re.DOTALL)
    words = {"&&": " and ", "||": " or ", "!": " not "}
    python = []
    for token in TOKEN.findall(text):
        if token.startswith("'"):
            python.append(repr(token[1:-1].replace("''", "'")))
        elif token == "fromJSON":
            python.append("json.loads")
        elif token == "cancelled":
            python.append("bool")  # bool() is False: nobody cancels anything here
        elif token[0].isalpha():
            python.append(f"look({token!r})")
        else:
            python.append(words.get(token, token))

    def look(name: str) -> Any:
        value: Any = context
        for part in name.split("."):
            value = value.get(part, "") if isinstance(value, Mapping) else ""
        return value

    return eval("".join(python), {"json": json, "look": look, "bool": bool})


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=instructor", "-c", "user.email=instructor@localhost")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()
