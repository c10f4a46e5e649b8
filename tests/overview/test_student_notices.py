"""Notices: each is told once, without points and without a key."""

from __future__ import annotations

import csv
import io
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pages_class import ARRAYS, NOW, REGRESSION, PracticeClass, Work, full, practice_class

from autograder.course.errors import UsageError
from autograder.course.reports import Status
from autograder.overview.student_notices import keep_told, make_notices, read_told, write_notices
from autograder.record.standings import judge_assignment


@pytest.fixture(scope="module")
def everyone() -> PracticeClass:
    return practice_class()


def test_what_is_due_is_told_once_to_those_whom_it_concerns(everyone: PracticeClass) -> None:
    early, told = make_notices(everyone.course, everyone.students, everyone.standings, {}, NOW, 2)
    assert [notice.student.id for notice in early] == []
    at_last = NOW + timedelta(days=5)
    due, told = make_notices(
        everyone.course, everyone.students, everyone.standings, told, at_last, 2
    )
    assert {notice.student.id for notice in due} == {student.id for student in everyone.students}
    assert due[0].text.startswith(
        "Linear regression, part training: due on Sat 13 Mar 2027, 23:59 CET.\n"
    )
    again, _ = make_notices(
        everyone.course, everyone.students, everyone.standings, told, at_last, 2
    )
    assert again == ()


def test_a_change_is_told_once_and_never_how_many_points(everyone: PracticeClass) -> None:
    (student,) = [person for person in everyone.students if person.id == "on-time"]
    worse = (
        Work("on-time")
        .push("02-25 18:04", {ARRAYS: full(ARRAYS, graded_vec_i=Status.FAILED)})
        .record
    )

    def standings_of(record: Any) -> Any:
        return {
            "on-time": {
                name: judge_assignment(
                    everyone.course, entry, everyone.exams[name], student, record, {}
                )
                for name, entry in everyone.course.assignments.items()
            }
        }

    first, told = make_notices(everyone.course, [student], standings_of(worse), {}, NOW, 0)
    assert first == ()
    better = standings_of(everyone.records["on-time"])
    (notice,), told = make_notices(everyone.course, [student], better, told, NOW, 0)
    assert notice.text.splitlines()[:2] == [
        "Arrays and matrices with numpy: something has changed.",
        "Linear regression: something has changed.",
    ]
    assert not any(letter.isdigit() for letter in notice.text + notice.subject)
    assert "http" not in notice.text
    assert make_notices(everyone.course, [student], better, told, NOW, 0)[0] == ()
    rows = list(csv.DictReader(io.StringIO(write_notices([notice]))))
    assert [(row["student"], row["email"], row["text"]) for row in rows] == [
        ("on-time", "on-time@example.org", notice.text)
    ]


def test_what_was_told_is_kept_for_its_owner_and_damage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "overview" / "notices.json"
    assert read_told(path) == {}
    keep_told(path, {f"someone {REGRESSION}": "0123"})
    assert read_told(path) == {f"someone {REGRESSION}": "0123"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("{")
    with pytest.raises(UsageError, match="delete it to begin anew"):
        read_told(path)
