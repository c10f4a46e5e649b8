"""A process compiles a template once, for all its environments."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import CodeType

import pytest
from jinja2 import Environment
from small_course import make_small_course

from autograder.course.configuration_file import load_course
from autograder.pages import template_environment
from autograder.pages.template_environment import (
    CompiledTemplates,
    compile_templates,
    make_environment,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The templates that are compiled from now on, in a process that has compiled none."""
    names: list[str] = []
    compile_source = Environment.compile

    def count(self: Environment, source: str, name: str, filename: str) -> CodeType:
        names.append(name)
        return compile_source(self, source, name, filename)

    monkeypatch.setattr(Environment, "compile", count)
    monkeypatch.setattr(template_environment, "_COMPILED", CompiledTemplates())
    return names


def test_what_was_compiled_before_is_not_compiled_again(
    tmp_path: Path, compiled: list[str]
) -> None:
    course = load_course(make_small_course(tmp_path / "course").config)
    compile_templates(course)
    assert {"student.html", "course.html", "sealed.html"} <= set(compiled)
    assert len(compiled) == len(set(compiled))
    before = len(compiled)
    templates = make_environment(course)
    assert templates.get_template("student.html").name == "student.html"
    assert len(compiled) == before


def test_what_was_compiled_for_one_course_speaks_of_another_as_its_own(
    tmp_path: Path, compiled: list[str]
) -> None:
    rendered = []
    for name in ("one", "other"):
        small = make_small_course(tmp_path / name)
        small.config.write_text(small.config.read_text() + f'\nc.Course.name = "The {name}"\n')
        environment = make_environment(load_course(small.config))
        sealed = {"root": "../", "name": "page", "sealed": "…", "now": NOON}
        rendered.append(environment.get_template("sealed.html").render(**sealed))
    assert "The one" in rendered[0] and "The other" in rendered[1]
    assert rendered[0].replace("The one", "The other") == rendered[1]
    assert len(compiled) == len(set(compiled))
