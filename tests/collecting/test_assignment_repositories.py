"""A repository for each student and assignment, as GitHub Classroom makes them: any branch, the notebook anywhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from small_course import DOUBLE, TEST_DOUBLE, SmallCourse, code, dump, solution, test

from autograder.collecting.collect import poll_remotes
from autograder.collecting.remote_poll import Collected
from autograder.course.configuration import Assignment, Course, Part
from autograder.course.configuration_file import load_course
from autograder.course.errors import ConfigError
from autograder.course.exam import read_exam
from autograder.course.layout import place_notebooks
from autograder.course.roster import read_roster
from autograder.course.submissions import NotebookFile
from autograder.record.ledger import Ledger
from autograder.record.push_candidates import list_wanted_notebooks
from autograder.rehearsal.forge_on_disk import BareRepository

pytestmark = pytest.mark.slow  # many git

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
SOLVED = dump([solution("def double(x):\n    return x + x"), test("", "double")])
PART = (Part("", ("*",), None),)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """Two assignments, and a student who has begun both, on different branches."""
    assignments = {name: Assignment(name, name, PART) for name in ("hw1", "hw2")}
    pattern = f"{tmp_path}/class/{{assignment}}-{{account}}.git"
    (tmp_path / "roster.csv").write_text("student,account\non-time,octo\nlate,cat\n")
    return Course(
        tmp_path, "x", ZoneInfo("UTC"), assignments, graded="HEAD", repositories=pattern,
        roster=tmp_path / "roster.csv", forks=tmp_path / "forks", ledger=tmp_path / "ledger",
    )  # fmt: skip


def collect(course: Course, tmp_path: Path) -> dict[str, Collected]:
    exams = []
    for name in course.assignments:
        small = SmallCourse(tmp_path / "sources" / name)
        small.write(code("import math"), solution(DOUBLE), test(TEST_DOUBLE))
        exams.append(replace(read_exam(small.source), assignment=name))
    students = read_roster(course.roster, course)
    return {done.student.id: done for done in poll_remotes(course, students, exams=exams)}


def test_each_assignment_has_a_repository_and_says_nothing_of_the_others(
    course: Course, tmp_path: Path
) -> None:
    for name, branch, path in (
        ("hw1", "main", "work.ipynb"),
        ("hw2", "trunk", "src/deep/hw2.ipynb"),
    ):
        repository = BareRepository(tmp_path / "class" / f"{name}-octo.git", branch)
        repository.create()
        repository.push({path: SOLVED, "README.md": b"", "mine.py": b"x = 1\n"}, "work", NOW)
    done = collect(course, tmp_path)
    assert [(push.assignment, push.branch) for push in done["on-time"].pushes] == [
        ("hw1", "main"),
        ("hw2", "trunk"),
    ]
    assert done["on-time"].error == ""
    assert done["late"].error == "", "who has not accepted an assignment is no failure"
    assert len(done["late"].notes) == 2

    record = Ledger(course.ledger).read("on-time")
    for name in course.assignments:
        ((push, file),) = list_wanted_notebooks(
            course, course.assignments[name], "on-time", record, {}
        )
        assert (push.assignment, file.path) == (name, f"assignments/{name}/{name}.ipynb")
    first, second = record.pushes
    assert first.notebooks[0].beside == ("README.md", "mine.py"), "its top is the notebook's folder"
    assert second.notebooks[0].beside == (), "what lies in other folders is not beside it"

    assert [entry.pushes for entry in collect(course, tmp_path).values()] == [(), ()], (
        "nothing is new"
    )


def test_one_push_with_two_notebooks_counts_for_both_assignments_of_a_folder(
    course: Course, tmp_path: Path
) -> None:
    repository = BareRepository(tmp_path / "class" / "ps-octo.git", "main")
    repository.create()
    repository.push({"hw1.ipynb": SOLVED, "hw2.ipynb": SOLVED}, "work", NOW)
    entries = {}
    for name in ("hw1", "hw2"):
        entries[f"ps/{name}"] = Assignment(f"ps/{name}", "ps", PART)
    pattern = f"{tmp_path}/class/{{folder}}-{{account}}.git"
    both = replace(course, assignments=entries, repositories=pattern, layout=("{notebook}.ipynb",))
    collect(both, tmp_path)
    record = Ledger(course.ledger).read("on-time")
    assert len({push.commit for push in record.pushes}) == 1
    for entry in entries.values():
        ((push, file),) = list_wanted_notebooks(both, entry, "on-time", record, {})
        assert (push.assignment, file.path) == ("ps", f"assignments/ps/{entry.notebook}.ipynb")


def test_a_column_of_the_roster_gives_another_address(course: Course) -> None:
    course.roster.write_text(
        "student,account,remote HW2\non-time,octo,owner/other\nlate,cat,none\n"
    )
    on_time, late = read_roster(course.roster, course)
    assert dict(on_time.remotes)["hw2"] == "owner/other"
    assert dict(on_time.remotes)["hw1"].endswith("class/hw1-octo.git")
    assert list(dict(late.remotes)) == ["hw1"]


def test_what_an_address_needs_must_be_in_the_roster(course: Course) -> None:
    course.roster.write_text("student,account\non-time,\n")
    with pytest.raises(
        ConfigError, match=r"line 2: account is empty, and c\.Course\.repositories needs it"
    ):
        read_roster(course.roster, course)


@pytest.mark.parametrize(
    "pattern", ["owner/{student}", "owner/{assignment}-{nick}", "owner/{assignment", "{0}"]
)
def test_a_pattern_that_cannot_be_meant_is_refused(tmp_path: Path, pattern: str) -> None:
    config = tmp_path / "grading_config.py"
    config.write_text(
        f'c = get_config()\nc.Course.name = "x"\nc.Course.assignments = {{"hw": {{}}}}\n'
        f"c.Course.repositories = {pattern!r}\n"
    )
    with pytest.raises(ConfigError, match=r"an address with .assignment. or .folder. and one of"):
        load_course(config)


@pytest.mark.parametrize(
    ("layout", "paths", "placed"),
    [
        (("hw/hw.ipynb",), ["hw/hw.ipynb", "other.ipynb"], "hw/hw.ipynb"),
        (("src/*.ipynb", "*.ipynb"), ["a.ipynb", "src/b.ipynb"], "src/b.ipynb"),
        (("*.ipynb",), [".ipynb_checkpoints/hw.ipynb"], None),
        (("*.ipynb",), ["assignments/hw/hw_solved.ipynb", "a.ipynb"], None),
        ((), ["a.ipynb"], None),
    ],
)
def test_a_layout_says_where_the_notebook_lies(
    layout: tuple[str, ...], paths: list[str], placed: str | None
) -> None:
    files = [NotebookFile(path, path, 1) for path in paths]
    found = [
        file.blob
        for file in place_notebooks(files, {"hw": layout})
        if file.path == "assignments/hw/hw.ipynb"
    ]
    assert found == ([placed] if placed else [])
