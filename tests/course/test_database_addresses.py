"""The address of a database in folders of every name: SQLAlchemy opens the file that is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course.configuration_file import load_course
from autograder.course.database_addresses import (
    SQLITE,
    address_database,
    find_database_file,
    say_what_nbgrader_needs,
)
from autograder.course.errors import ConfigError

CONFIG = """\
c = get_config()
c.Course.name = "A course"
c.Course.timezone = "UTC"
c.Course.assignments = {"hw": {"deadline": "2127-03-06 23:59"}}
"""
ORDINARY = ("plain", "two words", "Größe 数", "a#b", "100%", 'it\'s "x"', "[x] {y}", "a&b=c;d")
QUOTED = ("a?b", "why??", "a?b=c", "50%20off", "a%3Fb", "what?%41")


@pytest.mark.parametrize("name", [*ORDINARY, *QUOTED])
def test_the_file_that_is_meant_is_made(name: str, tmp_path: Path) -> None:
    import sqlalchemy

    file = tmp_path / name / "gradebook.db"
    file.parent.mkdir()
    address = address_database(file)
    engine = sqlalchemy.create_engine(address)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("create table t (x)"))
    engine.dispose()
    assert file.exists()
    assert [path.name for path in tmp_path.iterdir()] == [name], "and no other"
    assert find_database_file(address) == file


@pytest.mark.parametrize("name", ORDINARY)
def test_nbgraders_own_address_is_kept_where_it_is_right(name: str, tmp_path: Path) -> None:
    file = tmp_path / name / "gradebook.db"
    assert address_database(file) == f"{SQLITE}{file}"
    assert say_what_nbgrader_needs(address_database(file), tmp_path / "nbgrader_config.py") == ""


def test_a_line_for_nbgrader_is_asked_for_until_it_is_there(tmp_path: Path) -> None:
    config = tmp_path / "nbgrader_config.py"
    address = address_database(tmp_path / "a?b" / "gradebook.db")
    needed = say_what_nbgrader_needs(address, config)
    line = f"c.CourseDirectory.db_url = {address!r}"
    assert line in needed
    config.write_text(f"c = get_config()\n{line}\n")
    assert say_what_nbgrader_needs(address, config) == ""
    (tmp_path / "a").write_bytes(b"made by nbgrader for a?b/gradebook.db")
    config.unlink()
    needed = say_what_nbgrader_needs(address, config)
    assert f"move {tmp_path / 'a'} to {tmp_path / 'a?b' / 'gradebook.db'} first" in needed
    assert say_what_nbgrader_needs("postgresql://x/y?a=/b", config) == ""


def test_a_course_in_such_a_folder_knows_its_file(tmp_path: Path) -> None:
    folder = tmp_path / "exam? 50%20"
    folder.mkdir()
    (folder / "grading_config.py").write_text(CONFIG)
    course = load_course(folder / "grading_config.py")
    assert find_database_file(course.database) == folder / "gradebook.db"


def test_an_address_that_is_cut_short_is_refused_with_the_right_one(tmp_path: Path) -> None:
    config = tmp_path / "grading_config.py"
    file = Path("/courses/exam?/gradebook.db")
    config.write_text(f"{CONFIG}c.CourseDirectory.db_url = 'sqlite:///{file}'\n")
    with pytest.raises(ConfigError, match="taken for options") as caught:
        load_course(config)
    assert repr(address_database(file)) in str(caught.value)
