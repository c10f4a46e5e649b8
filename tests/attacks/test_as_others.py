"""The attacks fail too for those who do not run this test: an ordinary user, root on the weaker rungs, a container."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pytest

from attacks.test_attacks import ATTACKS
from attacks.world import REPOSITORY

AS_SOMEBODY = Path(__file__).with_name("as_somebody.py")
SPARE_USER = "61234"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become others; the attacks themselves ran as this user")
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "somebody",
    [SPARE_USER, "0", "container"],
    ids=["an ordinary user", "root", "root in a container"],
)
def test_no_attack_succeeds_for(somebody: str) -> None:
    chosen = ["-k", "not rung1"] if somebody == "0" else []  # rung 1 is what root's own run of the attacks uses
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o777)
        report = Path(directory, "report.xml")
        tests = [str(Path(__file__).with_name("test_attacks.py")), "-p", "no:cacheprovider", f"--junitxml={report}"]
        python = [sys.executable, "-m", "pytest", "-q", f"--basetemp={directory}/tests", *chosen, *tests]
        command = [sys.executable, str(AS_SOMEBODY), somebody, *python]
        run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
        counted = passed_by_rung(report)
    if not counted:
        pytest.skip("no rung works for them on this machine")
    assert all(count == len(ATTACKS) for rung, count in counted.items() if rung.startswith("rung"))


def passed_by_rung(report: Path) -> Counter[str]:
    """Return how many tests passed on each rung, from pytest's report."""
    cases = [case for case in ElementTree.parse(report).iter("testcase") if not len(case)]
    return Counter(case.attrib["name"].partition("[")[2].split("-")[0] for case in cases)
