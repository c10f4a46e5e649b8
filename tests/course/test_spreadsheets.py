"""Tables as spreadsheets write them, each seen as the roster or the extensions that it must be."""

from pathlib import Path
from typing import Any

import pytest
from small_course import CONFIG, SmallCourse

from autograder.classroom.classroom import Classroom
from autograder.course.configuration_file import load_course
from autograder.course.errors import ConfigError
from autograder.course.roster import read_extensions, read_roster

PLAIN = "student,remote,name\non-time,https://host/a,First Last\nlate,https://host/b,\n"
STUDENTS = [("on-time", "https://host/a", "First Last"), ("late", "https://host/b", "")]


def roster(tmp_path: Path, content: str | bytes) -> Any:
    path = tmp_path / "roster.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [(student.id, student.remote, student.name) for student in read_roster(path)]


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        "sep=;\n" + PLAIN.replace(",", ";"),
        '"sep=\t"\r\n' + PLAIN.replace(",", "\t"),
        "sep=,\n" + PLAIN,
        PLAIN.replace("student,remote,name", "Student, REMOTE ,Name"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.encode("utf-8-sig"),
        ("sep=;\n" + PLAIN.replace(",", ";")).encode("utf-8-sig"),
        PLAIN.replace(",", "\t").encode("utf-16"),
        PLAIN.replace(",", ";").encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-32"),
        PLAIN.replace("First Last", '"First\nLast"'),
        PLAIN.replace("First Last", '"First\r\n\r\nLast"').replace(",", ";"),
        "".join(f"{line},,\n" for line in PLAIN.splitlines()),
        PLAIN + ",,\n\n   \n",
        "\n\n" + PLAIN,
        PLAIN.replace("name", "name,remark").replace("First Last", 'First Last,"a; b; c; d, e"'),
    ],
    ids=[
        "commas", "semicolons", "tabs", "bars", "sep=;", "sep= a tab", "sep=,", "capitals", "Windows' line ends",
        "old line ends", "byte-order mark", "mark and sep", "UTF-16 of a spreadsheet", "UTF-16-LE unmarked",
        "UTF-16-BE unmarked", "UTF-32", "quoted newline", "quoted newlines", "empty surplus fields", "empty lines",
        "empty lines first", "a remark full of semicolons",
    ],
)  # fmt: skip
def test_a_table_is_read_however_a_spreadsheet_wrote_it(
    tmp_path: Path, content: str | bytes
) -> None:
    assert roster(tmp_path, content) == STUDENTS


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("student;url\na;b\n", ["'remote' is missing", "'student', 'url'", "semicolons"]),
        ("student remote\na b\n", ["'student' is missing", "'student remote'"]),
        ("a,https://host/a\n", ["'student' is missing", "'a', 'https://host/a'"]),
        ("student,remote,Remote\na,x,y\n", ["two columns", "'remote'"]),
        ("", ["empty", "student,remote"]),
        ("student,remote,name\na,x,Last, First\n", ["line 2", "4 fields", "names 3", "'First'", "quotes"]),
        ('student,remote,name\na,x,"First\nLast"\nb,y,Last, First\n', ["line 4", "4 fields"]),
        ('student,remote,name\na,x,"First\nb,y,\nc,z,\n', ["line 2", "quotes do not match"]),
        ('student,remote,name\na,x,"First "the" Last"\n', ["line 2", "quotes do not match"]),
        ("student,remote,name\na,x,\x00\n", ["line 2", "zero bytes"]),
        ("student,remote,name\na,x,\nb,y,Lászl\xf3\n".encode("latin-1"), ["line 3", "CSV UTF-8"]),
        ("sep=;\nstudent,remote\na,b\n", ["'student' is missing", "'student,remote'"]),
    ],
    ids=[
        "another name", "blanks", "no first line", "a column twice", "empty", "a comma in a name",
        "the line after a quoted newline", "an open quote", "quotes within", "zero bytes", "an old encoding",
        "another separator than it says",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_what_was_found(
    tmp_path: Path, content: str | bytes, words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        roster(tmp_path, content)
    said = str(caught.value)
    assert [word for word in words if word not in said] == [], said


def extensions(tmp_path: Path, *lines: str, parts: str = "") -> Any:
    config = tmp_path / "grading_config.py"
    config.write_text(CONFIG + parts)
    path = tmp_path / "extensions.csv"
    path.write_text("\n".join(("student;assignment;part;deadline", *lines)) + "\n")
    return read_extensions(path, load_course(config), {"a", "b"})


PARTS = """
c.Course.assignments = {"hw": {"parts": {
    "first": {"exercises": ["one"], "deadline": "2027-03-06 23:59"},
    "second": {"exercises": ["two"], "deadline": "2027-03-13 23:59"},
}}}
"""


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            ["a;hw;;2027-03-20 23:59", "a;hw;;2027-03-10 23:59"],
            ["line 3", "'a'", "for hw already, in line 2"],
        ),
        (
            ["a;hw;;2027-03-20 23:59", "b;hw;;2027-03-10 23:59", "a;hw;;2027-03-20 23:59"],
            ["line 4", "in line 2"],
        ),
        (
            ["a;hw;;2027-03-06 23:58"],
            ["line 2", "2027-03-06 23:58", "before everybody's, 2027-03-06 23:59"],
        ),
        (["a;hw;;2026-03-20 23:59"], ["line 2", "before everybody's"]),
    ],
    ids=["two", "the same twice", "a minute earlier", "last year"],
)
def test_an_extension_that_cannot_be_meant_is_refused_with_its_line(
    tmp_path: Path, lines: list[str], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        extensions(tmp_path, *lines)
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            ["a;hw;;2027-03-20 23:59", "a;hw;second;2027-03-22 23:59"],
            ["line 3", "part 'second' of hw", "in line 2"],
        ),
        (
            ["a;hw;first;2027-03-20 23:59", "a;hw;;2027-03-22 23:59"],
            ["line 3", "part 'first' of hw", "in line 2"],
        ),
        (
            ["a;hw;;2027-03-10 23:59"],
            ["line 2", "of part 'second', 2027-03-13 23:59", "name the part"],
        ),
    ],
    ids=["all and one", "one and all", "later than one part only"],
)
def test_an_extension_of_parts_that_cannot_be_meant_is_refused_with_its_line(
    tmp_path: Path, lines: list[str], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        extensions(tmp_path, *lines, parts=PARTS)
    assert all(word in str(caught.value) for word in words), caught.value


def test_an_extension_to_everybodys_deadline_changes_nothing(tmp_path: Path) -> None:
    assert len(extensions(tmp_path, "a;hw;;2027-03-06 23:59", "b;hw;;2027-03-07 23:59")) == 2


def test_a_table_that_cannot_be_meant_stops_the_command_with_its_line(
    small_course: SmallCourse,
) -> None:
    (small_course.root / "roster.csv").write_text("student,remote\na,/forks/a.git\n")
    (small_course.root / "extensions.csv").write_text(
        "student,assignment,deadline\na,hw,2027-03-01 23:59\n"
    )
    classroom = Classroom.open(small_course.config)
    with pytest.raises(
        ConfigError,
        match=r"extensions\.csv, line 2: deadline 2027-03-01 23:59 is before everybody's",
    ):
        classroom.standings()
