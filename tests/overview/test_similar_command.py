"""`autograder similar` from end to end: repositories, the collector, the command, the page."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import pytest
from small_class import Class, answer
from small_course import make_small_course
from warm_autograder import command

pytest.importorskip("copydetect", reason="the extra `similar` is not installed")
pytestmark = pytest.mark.slow

STATEMENTS = (
    "{a} = {b} + {c} * {d}",
    "{a} = abs({b} - {c})",
    "if {a} > {b}:\n        {c} = {d} // 3",
    "for _ in range({a}):\n        {b} = {c} - 1",
    "{a}, {b} = {c}, {d}",
    "{a} = [{b}, {c}][{b} < {d}]",
    "while {a} < {b} and {b} < 100:\n        {a} += {c} or 1",
    "{a} = ({b} & 7) ^ ({c} << 2)",
    "{a} = max({b}, {c}) % 11",
    "{a} = lambda {b}: {b} + {c}\n    {a} = {a}({d})",
)
ALONE = [f"student-{number:02d}" for number in range(10)]
COPY = "student-10"
IDLE = "student-11"


def write_answer(seed: int, names: str = "pqrs") -> str:
    """A long way to double a number, another one for each seed; equal ones in other names are copies."""
    draw = random.Random(seed)
    lines = ["def double(x):", f"    {' = '.join(names)} = x"]
    for _ in range(20):
        chosen = draw.sample(range(4), 4)
        words = dict(zip("abcd", (names[place] for place in chosen), strict=True))
        lines.append("    " + draw.choice(STATEMENTS).format(**words))
    return "\n".join([*lines, "    return 2 * x"])


def test_the_copied_pair_is_shown_with_both_sides_and_nobody_else(tmp_path: Path) -> None:
    small = Class(make_small_course(tmp_path))
    students = [*ALONE, COPY, IDLE]
    small.enrol(*students)
    for number, student in enumerate(ALONE):
        small.push(student, answer(student, write_answer(number)), "alone")
    small.push(COPY, answer(COPY, f"# all my own\n{write_answer(4, 'wxyz')}"), "copied")
    assert run(tmp_path, "collect").returncode == 0
    done = run(tmp_path, "similar", "--assignment", "hw")
    assert done.returncode == 0, done.stderr
    assert "hw: 12 compared, 1 pairs to look at" in done.stdout
    assert re.search(rf"\d+%  student-04 and {COPY}\n", done.stdout)
    page = tmp_path / "overview" / "similar.html"
    assert page.stat().st_mode & 0o777 == 0o600
    html = page.read_text()
    assert html.count("<details>") == 1
    assert html.count("<mark>") > 1
    assert "# all my own" in html
    assert IDLE not in html


def test_into_the_published_site_it_writes_nothing(tmp_path: Path) -> None:
    small = Class(make_small_course(tmp_path))
    small.enrol("one")
    assert run(tmp_path, "collect").returncode == 0
    done = run(tmp_path, "similar", "--to", "site/similar")
    assert done.returncode == 2
    assert "everybody can read" in done.stderr
    assert not (tmp_path / "site").exists()


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command(), *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
