from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from small_course import CONFIG, REPOSITORY, SmallCourse

from autograder.course.configuration_file import find_config, load_course
from autograder.course.errors import ConfigError
from autograder.course.roster import read_extensions, read_roster
from autograder.course.submissions import Clock

STUDENTS = {"late", "ill", "a"}


def load(tmp_path: Path, *lines: str) -> Any:
    path = tmp_path / "grading_config.py"
    path.write_text(CONFIG + "\n".join(lines))
    return load_course(path)


def test_the_courses_own_configuration_is_valid() -> None:
    course = load_course(REPOSITORY / "grading_config.py")
    assert course.sources == REPOSITORY / "solutions"
    assert {"hw01_numpy", "hw02_linear_regression"} <= set(course.assignments)


def test_deadlines_are_in_the_courses_time_zone(tmp_path: Path) -> None:
    part = load(tmp_path).assignments["hw"].parts[0]
    assert part.deadline == datetime(2027, 3, 6, 22, 59, tzinfo=UTC)


def test_parts_have_deadlines_of_their_own(tmp_path: Path) -> None:
    course = load(
        tmp_path,
        "c.Course.assignments = {'nn': {'parts': {",
        " 'forward': {'exercises': ['a', 'b_*'], 'deadline': '2027-03-06 12:00+00:00'},",
        " 'backward': {'exercises': ['c']}}, 'late': {'per_day': 0.25, 'days': 2}}}",
    )
    forward, backward = course.assignments["nn"].parts
    assert forward.deadline == datetime(2027, 3, 6, 12, tzinfo=UTC)
    assert backward.deadline is None
    assert course.assignments["nn"].late.per_day == 0.25


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("c.Course.timezon = 'UTC'", ["c.Course.timezon", "did you mean 'timezone'"]),
        ("c.Course.timezone = 'Europe/Budapst'", ["c.Course.timezone", "Budapst"]),
        ("c.Course.assignments = {}", ["at least one assignment"]),
        (
            "c.Course.assignments = {'hw': {'deadlin': 'x'}}",
            ["['hw']['deadlin']", "did you mean 'deadline'"],
        ),
        (
            "c.Course.assignments = {'hw': {'deadline': 'Friday'}}",
            ["['deadline']", "'Friday'", "2027-03-06 23:59"],
        ),
        ("c.Course.assignments = {'hw': {'deadline': '2027-03-06'}}", ["a date and time"]),
        ("c.Course.assignments = {'a:b': {}}", ["'a:b'", "letters, digits"]),
        (
            "c.Course.assignments = {'hw': {'deadline': '2027-03-06 23:59', 'parts': {}}}",
            ["not both"],
        ),
        (
            "c.Course.assignments = {'hw': {'parts': {'one': {'exercises': []}}}}",
            ["['exercises']", "patterns"],
        ),
        (
            "c.Course.assignments = {'hw': {'late': {'per_day': 10, 'days': 1}}}",
            ["['per_day']", "10", "0 and 1"],
        ),
        ("c.Course.limits = {'memory': 3}", ["['memory']", "memory_mb"]),
        ("c.Course.limits = {'memory_mb': -3}", ["-3", "greater than 0"]),
        ("c.Course.clock = 'sever'", ["c.Course.clock", "did you mean 'server'"]),
        ("c.Course.forge = {'apy': 'https://x'}", ["['apy']", "did you mean 'api'"]),
        ("c.Course.forge = {'api': 'github.com'}", ["['api']", "'github.com'", "https://"]),
        ("c.Course.forge = {'wait': 0}", ["['wait']", "greater than 0"]),
        ("c.Course.forge = {'token': 3}", ["['token']", "quotes"]),
        ("c.Course.branch = 3", ["c.Course.branch is 3", "quotes"]),
        ("c.Course.workers = 'two'", ["c.Course.workers", "whole number"]),
        ("c.course.name = 'x'", ["c.course", "did you mean 'Course'"]),
        ("c.Corse.name = 'x'", ["c.Corse", "did you mean 'Course'"]),
        ("x = 1 / 0", ["grading_config.py", "ZeroDivisionError"]),
    ],
)
def test_what_cannot_be_meant_names_key_value_and_what_would_be_right(
    tmp_path: Path, line: str, words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, line)
    for word in words:
        assert word in str(caught.value)


def test_a_configuration_is_found_from_a_folder_below(small_course: SmallCourse) -> None:
    assert find_config(small_course.source.parent) == small_course.config


def test_no_configuration_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config"):
        find_config(tmp_path)


def test_the_clock_is_first_seen_unless_said_otherwise(tmp_path: Path) -> None:
    assert load(tmp_path).clock is Clock.FIRST_SEEN
    assert load(tmp_path, "c.Course.clock = 'server'").clock is Clock.SERVER


def test_the_forge_may_be_another_server_than_github(tmp_path: Path) -> None:
    forge = load(
        tmp_path,
        "c.Course.forge = {'api': 'https://git.school/api/v3/', 'web': 'https://git.school'}",
    ).forge
    assert (forge.api, forge.web, forge.token) == (
        "https://git.school/api/v3",
        "https://git.school",
        "GITHUB_TOKEN",
    )
    assert load(tmp_path).forge.api == "https://api.github.com"


def test_a_roster_may_insist_on_a_repository(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text("student,remote,repository\na,on-time/course,1234\nb,late/course,\n")
    assert [student.repository for student in read_roster(path)] == [1234, 0]


def test_a_roster_gives_students_in_order(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(
        "student,remote,name\non-time, /forks/a.git ,\nlate,https://host/b,\n\n",
        encoding="utf-8-sig",
    )
    assert [(student.id, student.remote) for student in read_roster(path)] == [
        ("on-time", "/forks/a.git"),
        ("late", "https://host/b"),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("student,url\na,b\n", ["'remote'"]),
        ("student,remote\na,x\na,y\n", ["line 3", "twice"]),
        ("student,remote\n../a,x\n", ["line 2", "'../a'"]),
        ("student,remote\na,--upload-pack=evil\n", ["line 2", "not a URL"]),
        ("student,remote\na,ext::sh -c evil\n", ["line 2", "not a URL"]),
        ("student,remote\na,\n", ["line 2", "not a URL"]),
        ("student,remote,repository\na,on-time/course,#12\n", ["line 2", "'#12'", "number"]),
    ],
)
def test_a_wrong_roster_names_the_line(tmp_path: Path, content: str, words: list[str]) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        read_roster(path)
    assert all(word in str(caught.value) for word in words)


def test_extensions_apply_to_a_part_or_to_all(tmp_path: Path) -> None:
    parts = "{'one': {'exercises': ['a']}, 'two': {'exercises': ['b']}}"
    course = load(tmp_path, f"c.Course.assignments = {{'hw': {{'parts': {parts}}}}}")
    path = tmp_path / "extensions.csv"
    path.write_text(
        "student,assignment,part,deadline\nlate,hw,two,2027-03-10 23:59\nill,hw,,2027-03-20 23:59\n",
        encoding="utf-8",
    )
    extensions = read_extensions(path, course, STUDENTS)
    assert set(extensions) == {("late", "hw", "two"), ("ill", "hw", "one"), ("ill", "hw", "two")}
    assert extensions["ill", "hw", "one"] - extensions["late", "hw", "two"] == timedelta(days=10)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a,hw1,,2027-03-10 23:59", ["line 2", "did you mean 'hw'"]),
        ("a,hw,first,2027-03-10 23:59", ["line 2", "no part 'first'", "leave it empty"]),
        ("nobody,hw,,2027-03-10 23:59", ["line 2", "no student 'nobody'"]),
        ("lat,hw,,2027-03-10 23:59", ["line 2", "no student 'lat'", "did you mean 'late'"]),
        ("a,hw,,tomorrow", ["line 2", "'tomorrow'"]),
    ],
)
def test_a_wrong_extension_names_the_line(tmp_path: Path, line: str, words: list[str]) -> None:
    course = load(tmp_path)
    path = tmp_path / "extensions.csv"
    path.write_text(f"student,assignment,part,deadline\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        read_extensions(path, course, STUDENTS)
    assert all(word in str(caught.value) for word in words)


def test_no_extensions_file_means_none(tmp_path: Path) -> None:
    assert read_extensions(tmp_path / "extensions.csv", load(tmp_path), STUDENTS) == {}


OWN_MARKERS = 'c = get_config()\nc.ClearSolutions.begin_solution_delimeter = "VVV"\n'


@pytest.mark.parametrize(
    ("ours", "nbgraders", "begins"),
    [
        ("", OWN_MARKERS, "VVV"),
        (OWN_MARKERS.replace("VVV", "ours"), OWN_MARKERS, "ours"),
        ("", "c = get_config()\nraise ValueError('never run for nothing')\n", "BEGIN SOLUTION"),
    ],
    ids=["as nbgrader_config.py says", "ours come first", "a file that says nothing of markers"],
)
def test_markers_may_stand_in_nbgraders_own_file(
    tmp_path: Path, ours: str, nbgraders: str, begins: str
) -> None:
    lines = [line for line in CONFIG.splitlines() if "ClearSolutions" not in line]
    (tmp_path / "grading_config.py").write_text("\n".join([*lines, ours, ""]))
    (tmp_path / "nbgrader_config.py").write_text(nbgraders)
    assert load_course(tmp_path / "grading_config.py").markers.solution[0] == begins


def test_nbgraders_own_file_is_named_where_its_markers_cannot_be_read(tmp_path: Path) -> None:
    lines = [line for line in CONFIG.splitlines() if "ClearSolutions" not in line]
    (tmp_path / "grading_config.py").write_text("\n".join(lines))
    (tmp_path / "nbgrader_config.py").write_text(f"{OWN_MARKERS}c.no\nundefined\n")
    with pytest.raises(ConfigError, match=r"nbgrader_config\.py: NameError"):
        load_course(tmp_path / "grading_config.py")
