"""What assignments, notebooks and students may be called, and what is refused with the reason."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from autograder.course.configuration_file import load_course
from autograder.course.errors import ConfigError
from autograder.course.layout import find_misplaced, notebook_places, original_place
from autograder.course.names import find_name_fault, find_twins, is_notebook_name, quote_name
from autograder.course.roster import read_extensions, read_roster
from autograder.course.submissions import NotebookFile

HEAD = "c = get_config()\nc.Course.name = 'A course'\nc.Course.timezone = 'Europe/Budapest'\n"
SEVERAL = (
    '{"Problem Set 1": {"notebooks": ["Problem 1", "Problem 2"], "deadline": "2027-03-06 23:59"}}'
)


def write_config(folder: Path, assignments: str) -> Path:
    path = folder / "grading_config.py"
    path.write_text(f"{HEAD}c.Course.assignments = {assignments}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "name",
    ["ps1", "Problem Set 1", "hw01_numpy", "Übung 3", "第一課", "a.b-c", "R&D, (2)", "who@school.example"],
)  # fmt: skip
def test_what_nbgrader_permits_can_be_a_name(name: str) -> None:
    assert find_name_fault(name) == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "empty"),
        ("..", "begins with"),
        ("../outside", "'/' cannot be in a name"),
        ("a\\b", "cannot be in a name"),
        (".hidden", "begins with '.'"),
        ("-rf", "begins with '-'"),
        (" ps1", "begins with ' '"),
        ("ps1 ", "Windows drops"),
        ("ps1.", "Windows drops"),
        ("a  b", "two blanks"),
        ("a\nb", "U+000A"),
        ("a\x1b[2Jb", "U+001B"),
        ("a\u202eb", "U+202E"),
        ("a\u200bb", "U+200B"),
        ("a\u00a0b", "U+00A0"),
        ("ps1+2", "'+' cannot"),
        ("a:b", "':' cannot"),
        ("a*", "'*' cannot"),
        ("{student}", "'{' cannot"),
        ("$HOME", "'$' cannot"),
        ("`id`", "'`' cannot"),
        (unicodedata.normalize("NFD", "Übung"), "NFD"),
        ("CON", "Windows keeps it"),
        ("nul.ipynb", "Windows keeps it"),
        ("x" * 200, "200 letters"),
        ("課" * 60, "60 letters"),
    ],
)
def test_what_leads_elsewhere_or_cannot_be_kept_is_no_name(name: str, words: str) -> None:
    assert words in find_name_fault(name)


@pytest.mark.parametrize(
    "twins",
    [("ps1", "PS1"), ("straße", "strasse"), ("paper", "p\u0430per"), ("fix", "ﬁx"), ("a b", "a\u3000b")],
    ids=["capitals", "sharp s", "a Cyrillic letter", "a ligature", "a wide blank"],
)  # fmt: skip
def test_names_that_nobody_can_tell_apart_are_twins(twins: tuple[str, str]) -> None:
    assert find_twins(("other", *twins)) == twins
    assert find_twins(("other", twins[0])) is None


def test_a_notebook_of_several_has_a_place_in_its_assignments_folder() -> None:
    name = "Problem Set 1/Problem 1"
    assert original_place(name) == "assignments/Problem Set 1/Problem 1.ipynb"
    assert notebook_places(name)[0] == "assignments/Problem Set 1/Problem 1_solved.ipynb"
    former = "assignments/Problem Set 1.Problem 1/Problem Set 1.Problem 1_solved.ipynb"
    assert former in notebook_places(name), "whoever began there goes on there"
    assert notebook_places("hw") == (
        "assignments/hw/hw_solved.ipynb",
        "assignments/hw_solved.ipynb",
        "assignments/hw/hw.ipynb",
        "assignments/hw.ipynb",
    )
    assert is_notebook_name(name)
    assert not any(map(is_notebook_name, ("a/b/c", "../b", "a/..", "/a")))


def test_a_notebook_of_another_assignment_with_the_same_name_is_not_misplaced() -> None:
    paths = ["assignments/ps2/problem1.ipynb", "problem1_solved.ipynb", "assignments/ps1/problem10.ipynb"]  # fmt: skip
    files = [NotebookFile(path, "", 0) for path in paths]
    assert find_misplaced(files, "ps1/problem1") == ("problem1_solved.ipynb",)


def test_names_are_one_word_of_a_command() -> None:
    assert quote_name("hw01_numpy") == "hw01_numpy"
    assert quote_name("Problem Set 1/Problem 1") == '"Problem Set 1/Problem 1"'


def test_an_assignment_with_several_notebooks_is_one_with_one_deadline(tmp_path: Path) -> None:
    course = load_course(write_config(tmp_path, SEVERAL))
    assert list(course.list_notebooks()) == ["Problem Set 1"]
    both = ("Problem Set 1/Problem 1", "Problem Set 1/Problem 2")
    assert tuple(course.assignments) == both == course.find_notebooks("Problem Set 1")
    assert course.find_notebooks("Problem Set 1.Problem 2") == both[1:], "as it was called before"
    assert len({entry.parts[0].deadline for entry in course.assignments.values()}) == 1

    table = tmp_path / "extensions.csv"
    table.write_text("student,assignment,deadline\nlate,Problem Set 1,2027-03-08 23:59\n")
    found = read_extensions(table, course)
    assert {name for _, name, _ in found} == set(both)
    for name in (both[0], "Problem Set 1.Problem 1"):
        table.write_text(f"student,assignment,deadline\nlate,{name},2027-03-08 23:59\n")
        with pytest.raises(ConfigError, match="write 'Problem Set 1'"):
            read_extensions(table, course)


@pytest.mark.parametrize(
    ("assignments", "words"),
    [
        ('{"../x": {}}', "cannot be in a name"),
        ('{"ps1": {}, "PS1": {}}', "cannot tell it from 'ps1'"),
        ('{"ps1": {"notebooks": ["a", "A"]}}', "cannot tell it from 'a'"),
        ('{"ps1": {"notebooks": ["a.ipynb"]}}', "without .ipynb"),
        ('{"ps1": {"notebooks": ["../a"]}}', "cannot be in a name"),
        ('{"ps1": {"notebooks": ["a"]}, "ps1.a": {}}', "cannot tell it from"),
    ],
)
def test_assignments_that_cannot_be_kept_apart_are_refused(
    tmp_path: Path, assignments: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words.replace("(", r"\(")):
        load_course(write_config(tmp_path, assignments))


def test_students_that_nobody_can_tell_apart_are_refused(tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("student,remote\nwho@school.example,none\nMax Ü,none\n", encoding="utf-8")
    assert [student.id for student in read_roster(roster)] == ["who@school.example", "Max Ü"]
    for ids, words in ((("anna", "Anna"), "'anna' and 'Anna'"), (("../x",), "'/' cannot")):
        roster.write_text("student,remote\n" + "".join(f"{one},none\n" for one in ids))
        with pytest.raises(ConfigError, match=words):
            read_roster(roster)
