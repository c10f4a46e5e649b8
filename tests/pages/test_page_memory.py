"""Pages that are not rendered again: what they say is what a site made from nothing says."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pages_class import MARKS, REGRESSION, PracticeClass, at, practice_class
from pages_reading import contents

from autograder.pages import points_site
from autograder.record.standings import judge_assignment

Change = Callable[[PracticeClass], PracticeClass]


def a_mark(before: PracticeClass) -> PracticeClass:
    """Return the class after a person has marked the work of one student."""
    record = replace(before.records["on-time"], marks=MARKS)
    student = next(student for student in before.students if student.id == "on-time")
    assignment = before.course.assignments[REGRESSION]
    judged = judge_assignment(
        before.course, assignment, before.exams[REGRESSION], student, record, {}
    )
    own = {**before.standings["on-time"], REGRESSION: judged}
    return replace(
        before,
        records={**before.records, "on-time": record},
        standings={**before.standings, "on-time": own},
    )


def a_deadline_over(before: PracticeClass) -> PracticeClass:
    return replace(before, now=at("03-14 00:00"))


def a_new_title(before: PracticeClass) -> PracticeClass:
    named = replace(before.course.assignments[REGRESSION], title="Lines through points")
    assignments = {**before.course.assignments, REGRESSION: named}
    return replace(before, course=replace(before.course, assignments=assignments))


CHANGES: dict[str, tuple[Change, int]] = {
    "nothing": (lambda before: before, 0),
    "a minute later": (lambda before: replace(before, now=at("03-07 12:01")), 0),
    "a mark of one student": (a_mark, 1),
    "a deadline that is over for all": (a_deadline_over, 8),
    "another title": (a_new_title, 8),
}


@pytest.mark.parametrize(("change", "rendered"), CHANGES.values(), ids=CHANGES)
def test_only_pages_that_say_something_new_are_rendered(
    change: Change, rendered: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = practice_class()
    before.build(tmp_path)
    made: list[str] = []
    render = points_site._render_own_page

    def count_page(*said: Any) -> str:
        made.append(said[2].student.id)
        return render(*said)

    monkeypatch.setattr(points_site, "_render_own_page", count_page)
    after = change(before)
    links, _ = after.build(tmp_path)
    assert len(made) == rendered
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    shutil.copy(tmp_path / "keys.json", fresh)
    after.build(fresh)
    for student in links:
        again = contents((tmp_path / "site", links), student)
        assert again == contents((fresh / "site", links), student)


def test_an_older_page_that_was_put_back_is_not_kept(tmp_path: Path) -> None:
    before = practice_class()
    links, _ = before.build(tmp_path)
    page = tmp_path / "site" / urlsplit(links["on-time"]).path
    older = page.read_bytes()
    after = a_mark(before)
    after.build(tmp_path)
    right = contents((tmp_path / "site", links), "on-time")
    page.write_bytes(older)
    after.build(tmp_path)
    assert contents((tmp_path / "site", links), "on-time") == right


@pytest.mark.parametrize("said", [b"", b"[]", b'{"version": 1, "pages": {"x": 3}}', b"\xff"])
def test_a_damaged_memory_is_none(said: bytes, tmp_path: Path) -> None:
    everyone = practice_class()
    links, _ = everyone.build(tmp_path)
    right = contents((tmp_path / "site", links), "late")
    memory = tmp_path / ".keys.json.made-from.json"
    assert memory.stat().st_mode & 0o077 == 0
    memory.write_bytes(said)
    everyone.build(tmp_path)
    assert contents((tmp_path / "site", links), "late") == right
