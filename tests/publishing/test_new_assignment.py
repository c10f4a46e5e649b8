"""`autograder new` lays out an assignment that can be released and audited as it stands."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from small_course import SmallCourse

from autograder.auditing.audit_cases import CaseKind, read_cases
from autograder.auditing.audit_run import CaseAuditor
from autograder.course.configuration_file import load_course
from autograder.course.errors import UsageError
from autograder.grader.examiner import Examiner
from autograder.publishing.new_assignment import lay_out_assignment
from autograder.publishing.release import release_assignment

TABLE = """\
c.Course.assignments = {
    "hw": {"title": "Homework"},  # the first
}
"""


def give_table(course: SmallCourse, table: str = TABLE) -> None:
    """Let the configuration hold this table of assignments, in place of its own line."""
    lines = course.config.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("c.Course.assignments")]
    course.config.write_text("".join(kept) + table, encoding="utf-8")


@pytest.mark.slow
def test_what_is_laid_out_can_be_released_and_its_tests_are_good(small_course: SmallCourse) -> None:
    give_table(small_course)
    made = lay_out_assignment(load_course(small_course.config), "hw05_k-means", title="Clusters")
    assert made.configured
    assert [path.name for path in made.files] == [
        "hw05_k-means.ipynb",
        "mistakes.py",
        "alternatives.py",
        "shortcuts.py",
    ]
    course = load_course(small_course.config)
    assert course.assignments["hw05_k-means"].title == "Clusters"
    assert "# the first" in small_course.config.read_text(encoding="utf-8")
    exam, cases = read_cases(course, "hw05_k-means")
    known = [case for case in cases if case.kind is not CaseKind.MUTANT]
    steps: list[str] = []
    with Examiner(course.limits) as examiner:
        released = release_assignment(course, "hw05_k-means", examiner, steps.append)
        auditor = CaseAuditor(examiner, {"hw05_k-means": exam})
        graded = [auditor.grade(case) for case in known]
    assert (released.exercises, released.points, released.inside, released.warnings) == (
        1,
        3,
        {},
        (),
    )
    assert {case.kind for case in known} == set(CaseKind) - {CaseKind.MUTANT}
    assert [entry.case.name for entry in graded if not entry.good or entry.lost] == []
    assert "grading it unsolved, which must give nothing" in steps
    cells = json.loads(released.path.read_text(encoding="utf-8"))["cells"]
    assert "def k_means(X, w):" in "".join(cells[3]["source"])
    assert "".join(cells[0]["source"]).startswith("# Clusters")


@pytest.mark.parametrize(
    "entry",
    [
        '    "hw": {"title": "Homework"},\n',
        '    "hw": {"title": "Homework"}\n',
        '    "hw": {"title": "Homework"}  # no comma, but one here\n',
        '    "hw": {"title": "Übung"},  # the first\n    # and nothing more\n',
        '    "hw": {\n        "title": "Homework",\n    }\n',
    ],
)
def test_the_line_joins_the_table_however_its_last_entry_ends(
    small_course: SmallCourse, entry: str
) -> None:
    give_table(small_course, f"c.Course.assignments = {{\n{entry}}}\n")
    assert lay_out_assignment(load_course(small_course.config), "hw05_clusters").configured
    assert list(load_course(small_course.config).assignments) == ["hw", "hw05_clusters"]
    text = small_course.config.read_text(encoding="utf-8")
    assert all(
        line.rstrip(",") in text
        for line in entry.splitlines()
        if "#" in line and "no comma" not in line
    )


@pytest.mark.parametrize(
    ("name", "function", "words"),
    [
        ("5 means", "", "no name for an assignment"),
        ("../hw05", "", "no name for an assignment"),
        ("hw05_x", "2x", "no name for a function"),
        ("hw", "", "is there already"),
    ],
)
def test_what_cannot_be_laid_out_is_said(
    small_course: SmallCourse, name: str, function: str, words: str
) -> None:
    before = small_course.config.read_bytes()
    with pytest.raises(UsageError, match=words):
        lay_out_assignment(load_course(small_course.config), name, function=function)
    assert small_course.config.read_bytes() == before


def test_a_table_made_otherwise_is_left_alone_and_the_line_told(small_course: SmallCourse) -> None:
    give_table(small_course, 'c.Course.assignments = dict(hw={"title": "Homework"})\n')
    before = small_course.config.read_bytes()
    command = [
        sys.executable,
        "-m",
        "autograder",
        "new",
        "hw05_clusters",
        "--config",
        str(small_course.config),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (
        'add to c.Course.assignments in grading_config.py: "hw05_clusters": {"title": "Clusters"},'
        in done.stdout
    )
    assert small_course.config.read_bytes() == before
