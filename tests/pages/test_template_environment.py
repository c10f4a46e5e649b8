"""Templates are compiled once on a machine, and wherever that cannot be kept, each time."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from jinja2 import Environment
from small_course import make_small_course

from autograder.course.configuration import Course
from autograder.course.configuration_file import load_course
from autograder.pages.template_environment import make_environment


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A course on a machine whose temporary folder is empty."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return load_course(make_small_course(tmp_path / "course").config)


def compile_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Environment, "_generate", None)


def test_a_template_is_compiled_once(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    template = make_environment(course).list_templates(["html"])[0]
    make_environment(course).get_template(template)
    compile_nothing(monkeypatch)
    make_environment(course).get_template(template)


@pytest.mark.parametrize("damage", ["", "no bytecode"], ids=["cut off", "something else"])
def test_what_was_damaged_is_compiled_again(course: Course, damage: str) -> None:
    template = make_environment(course).list_templates(["html"])[0]
    make_environment(course).get_template(template)
    for kept in Path(tempfile.gettempdir()).glob("*/*.cache"):
        kept.write_text(damage)
    make_environment(course).get_template(template)


def test_a_folder_that_is_not_our_own_is_not_used(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = make_environment(course).list_templates(["html"])[0]
    make_environment(course).get_template(template)
    (folder,) = Path(tempfile.gettempdir()).iterdir()
    elsewhere = folder.with_name("of somebody else")
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    compile_nothing(monkeypatch)
    with pytest.raises(TypeError):
        make_environment(course).get_template(template)
