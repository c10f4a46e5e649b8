import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from autograder.course.exam import Exam, Exercise
from autograder.course.reports import Criterion, CriterionOutcome, ExerciseResult, Report, Status
from autograder.grading.returned_reports import MAX_BYTES, ReportRefused, read_returned_report
from autograder.record.ledger import Ledger

EXAM = Exam(
    "hw",
    (),
    (Exercise("one", "first", 3.0, False, ()), Exercise("essay", "second", 5.0, True, ("essay",))),
)
CRITERION = Criterion("the sign is right", 1.0, 2.0, CriterionOutcome.NOT_MET)
REPORT = Report(
    "hw", "assignments/hw/hw_solved.ipynb", "graded",
    (
        ExerciseResult("one", "first", 1.5, 3.0, Status.PARTIAL, "Look at the sign.", (CRITERION,), "Traceback"),
        ExerciseResult("essay", "second", 0.0, 5.0, Status.TO_BE_MARKED),
    ),
    ("A sentence.",), 0.25, 1, EXAM.version,
)  # fmt: skip


def returned(tmp_path: Path, content: bytes | object) -> Report:
    path = tmp_path / "report.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return read_returned_report(path, EXAM)


def changed(*path: str | int, to: object) -> dict[str, Any]:
    """The report with one value replaced."""
    data = json.loads(json.dumps(REPORT.to_json()))
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return data


def test_an_honest_report_comes_through_as_it_is(tmp_path: Path) -> None:
    assert returned(tmp_path, REPORT.to_json()) == REPORT


@pytest.mark.parametrize(
    "change",
    [
        (("version",), 2),
        (("assignment",), "hw2"),
        (("notebook",), "../../etc/passwd"),
        (("exam",), "0" * 16),
        (("status",), "missing"),
        (("status",), "unreadable"),
        (("seconds",), -1),
        (("seconds",), 1e9),
        (("seconds",), "nan"),
        (("rung",), 7),
        (("rung",), [1]),
        (("problems",), ["x"] * 1000),
        (("problems",), 3),
        (("exercises",), []),
        (("exercises",), {"one": 1}),
        (("exercises", 0), None),
        (("exercises", 0, "id"), "two"),
        (("exercises", 0, "id"), "essay"),
        (("exercises", 0, "part"), "second"),
        (("exercises", 0, "points"), 3.01),
        (("exercises", 0, "points"), -0.5),
        (("exercises", 0, "points"), "nan"),
        (("exercises", 0, "points"), "inf"),
        (("exercises", 0, "points"), 10**400),
        (("exercises", 0, "points"), {}),
        (("exercises", 0, "max_points"), 30.0),
        (("exercises", 0, "status"), "excellent"),
        (("exercises", 0, "status"), "passed"),
        (("exercises", 0, "status"), "to be marked"),
        (("exercises", 1, "points"), 5.0),
        (("exercises", 0, "criteria"), [REPORT.to_json()["exercises"][0]["criteria"][0]] * 500),
        (("exercises", 0, "criteria", 0, "points"), 3.0),
        (("exercises", 0, "criteria", 0, "points"), "nan"),
        (("exercises", 0, "criteria", 0, "max_points"), "inf"),
        (("exercises", 0, "criteria", 0, "outcome"), "great"),
        (("exercises", 0, "criteria", 0), "met"),
    ],
    ids=lambda change: f"{'.'.join(map(str, change[0]))}={str(change[1])[:20]}",
)
def test_what_cannot_be_is_refused(tmp_path: Path, change: tuple[Any, ...]) -> None:
    path, value = change
    with pytest.raises(ReportRefused):
        returned(tmp_path, changed(*path, to=value))


def test_a_report_without_one_of_its_exercises_is_refused(tmp_path: Path) -> None:
    data = REPORT.to_json()
    data["exercises"] = data["exercises"][:1]
    with pytest.raises(ReportRefused, match="other exercises"):
        returned(tmp_path, data)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff\xfe", b"null", b"[]", b"3", b'"x"', b"{}", b"{" * 100_000, b"[" * 100_000, b"9" * 10_000,
        json.dumps(REPORT.to_json()).encode()[:-1],
        json.dumps(REPORT.to_json()).replace('"points": 1.5', '"points": NaN').encode(),
        json.dumps(REPORT.to_json()).replace('"points": 1.5', '"points": Infinity').encode(),
        json.dumps(REPORT.to_json()).replace('"points": 1.5', '"points": 1e999').encode(),
    ],
)  # fmt: skip
def test_what_is_no_report_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(ReportRefused):
        returned(tmp_path, content)


def test_too_large_a_file_is_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(ReportRefused, match="MB"):
        returned(tmp_path, b" " * (MAX_BYTES + 1))


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "nothing"])
def test_only_a_plain_file_is_read(tmp_path: Path, kind: str) -> None:
    path, secret = tmp_path / "report.json", tmp_path / "secret.json"
    secret.write_text(json.dumps(REPORT.to_json()))
    if kind == "link":
        path.symlink_to(secret)
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(ReportRefused, match="not a"):
        read_returned_report(path, EXAM)


def test_texts_are_cut_and_can_be_written_and_shown(tmp_path: Path) -> None:
    data = changed("exercises", 0, "hint", to="a\ud800b\x1b[31mc\u202ed\nnext\tline")
    data["problems"] = ["x" * 10**6]
    report = returned(tmp_path, data)
    assert report.exercises[0].hint == "a\ufffdb\ufffd[31mc\ufffdd\nnext\tline"
    assert len(report.problems[0]) == 4000
    ledger = Ledger(tmp_path / "ledger")
    ledger.add_report("on-time", "c" * 40, "b" * 40, report, datetime(2027, 3, 1, tzinfo=UTC))
    assert ledger.read("on-time").graded[0].report == report


def test_points_are_kept_to_a_hundredth(tmp_path: Path) -> None:
    assert (
        returned(tmp_path, changed("exercises", 0, "points", to=1.23456)).exercises[0].points
        == 1.23
    )
