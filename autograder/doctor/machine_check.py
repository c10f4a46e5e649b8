"""Can this machine grade? Each finding says what is there, or what is missing and how to get it."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

MODULES = ("nbgrader", "msgpack", "msgspec", "pyseccomp", "cryptography", "IPython", "numpy")


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `needed` things must be good for grading, `step` is what to do about one
    that is not.
    """

    what: str
    good: bool
    detail: str
    needed: bool = True
    step: str = ""

    @property
    def line(self) -> str:
        """The finding as a person reads it."""
        if self.good:
            return f"ok       {self.what}: {self.detail}"
        mark = "MISSING" if self.needed else "no     "
        step = f" → {self.step}" if self.step else ""
        return f"{mark}  {self.what}: {self.detail}{step}"

    def to_json(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        return asdict(self)


def examine_machine() -> list[Finding]:
    """Look at everything grading needs."""
    return [
        _check_python(),
        _check_git(),
        *map(_check_module, MODULES),
        *_check_jail(),
    ]


def _check_python() -> Finding:
    return Finding(
        "Python",
        sys.version_info >= (3, 11),
        sys.version.split()[0],
        step="install Python 3.11 or newer",
    )


def _check_git() -> Finding:
    path = shutil.which("git")
    return Finding("git", path is not None, path or "not found", step="install git")


def _check_module(name: str) -> Finding:
    try:
        return Finding(name, True, version(name))
    except PackageNotFoundError:
        return Finding(name, False, "not installed", step='pip install -e ".[grader]"')


def _check_jail() -> list[Finding]:
    # Only here, since the jail's own modules may be what is missing
    try:
        from autograder.jail import try_rungs
    except ImportError as error:
        return [Finding("jail", False, str(error), step="install the modules named above")]
    findings = []
    chosen = None
    for report in try_rungs():
        said = report.reason or "works"
        findings.append(Finding(f"jail, rung {report.rung}", report.works, said, needed=False))
        if report.works and chosen is None:
            chosen = report.rung
    if chosen is None:
        nothing = "no rung works here: nothing will be graded"
        step = "do what the rungs above say; see docs/security.md"
        findings.append(Finding("jail", False, nothing, step=step))
    else:
        said = f"rung {chosen} will be used, the first that works"
        findings.append(Finding("jail", True, said))
    return findings
