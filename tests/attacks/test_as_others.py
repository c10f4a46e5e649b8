"""The attacks fail too for those who do not run this test: an ordinary user, root on the weaker rungs, a container."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from attacks.world import REPOSITORY

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(
        os.geteuid() != 0, reason="only root can become others; the attacks ran as this user"
    ),
]
AS_SOMEBODY = Path(__file__).with_name("as_somebody.py")
USER, ROOT, CONTAINER = "61234", "0", "container"
each_of_them = pytest.mark.parametrize(
    "somebody", [USER, ROOT, CONTAINER], ids=["an ordinary user", "root", "root in a container"]
)
WITHOUT_A_JAIL = "test_harmless_attacks_would_succeed_without_a_jail"
ON_WEAKER_RUNGS = ("-m", "not release")  # the strongest is what root's own run of the attacks uses


@each_of_them
def test_an_attack_on_each_defence_fails_for(somebody: str) -> None:
    """Fail in a jail; and what does no harm is seen to succeed without one, by a user who is not root."""
    passed = passed_as(
        somebody,
        "-k",
        f"each_defence or {WITHOUT_A_JAIL}",
        *(ON_WEAKER_RUNGS if somebody == ROOT else ()),
    )
    assert (WITHOUT_A_JAIL in passed) is (somebody == USER)
    if not any("each_defence" in name for name in passed):
        pytest.skip("no rung works for them on this machine")


@pytest.mark.release
@each_of_them
def test_no_attack_succeeds_for(somebody: str) -> None:
    if not passed_as(somebody, "-k", "every_rung"):
        pytest.skip("no rung works for them on this machine")


def passed_as(somebody: str, *chosen: str) -> list[str]:
    """Run some of the attacks as somebody; returns the names of the tests that passed, and fails if one failed."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o777)
        become = [sys.executable, str(AS_SOMEBODY), somebody, str(REPOSITORY), directory]
        report = Path(directory, "report.xml")
        tests = [str(Path(__file__).with_name("test_attacks.py")), f"--junitxml={report}"]
        plain = [word for plugin in NOT_NEEDED for word in ("-p", f"no:{plugin}")]
        options = ["-q", *plain, f"--basetemp={directory}/tests", *chosen]
        command = [*become, sys.executable, "-m", "pytest", *options, *tests]
        run = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
        if run.returncode not in (0, NOTHING_CHOSEN):
            skip_if_they_cannot_read(become)
        assert run.returncode in (0, NOTHING_CHOSEN), run.stdout[-5000:] + run.stderr[-2000:]
        cases = ElementTree.parse(report).iter("testcase")
        return [case.attrib["name"] for case in cases if not len(case)]


NOT_NEEDED = ("cacheprovider", "nbval", "randomly", "xdist")  # they are imported for seconds
NOTHING_CHOSEN = 5  # pytest's exit code when a user has no such rung


def skip_if_they_cannot_read(become: list[str]) -> None:
    """Skip where files are readable for their owner alone, as after `umask 077`."""
    reading = f"import numpy, pytest, autograder; open({str(Path(__file__))!r})"
    run = subprocess.run(
        [*become, sys.executable, "-c", reading],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode and "PermissionError" in run.stderr:
        pytest.skip(f"others cannot read this clone: chmod -R o+rX '{REPOSITORY}'")
    assert run.returncode == 0, run.stderr
