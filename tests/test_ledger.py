import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from autograder.errors import AutograderError
from autograder.record.ledger import Ledger
from autograder.records import Clock, Criterion, ExerciseResult, NotebookFile, Outcome, Push, Report, Repository, Status

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
PUSH = Push("on-time", "c" * 40, "master", NOON, Clock.FIRST_SEEN, (NotebookFile("hw.ipynb", "b" * 40, 7),))
CRITERION = Criterion("the sign is right", 1.0, 1.0, Outcome.MET)
RESULT = ExerciseResult("double", "", 1.0, 2.0, Status.PARTIAL, "Look at “twice”.", (CRITERION,), "detail")
REPORT = Report("hw", "hw.ipynb", "graded", (RESULT,), ("A sentence.",), 0.25, 1, "exam")


def filled(tmp_path) -> Ledger:
    ledger = Ledger(tmp_path / "ledger")
    ledger.add_push(PUSH)
    ledger.add_report("on-time", PUSH.commit, "b" * 40, REPORT, NOON + timedelta(hours=1))
    return ledger


def test_what_is_written_is_read_again(tmp_path):
    record = filled(tmp_path).read("on-time")
    assert record.pushes == (PUSH,)
    assert record.graded[0].report == REPORT
    assert record.reports == {("hw", "b" * 40, "exam"): REPORT}


def test_a_student_without_a_record_has_an_empty_one(tmp_path):
    assert Ledger(tmp_path).read("nobody").pushes == ()


def test_what_the_forge_said_is_read_again(tmp_path):
    repository = Repository(17, 5, "on-time/course", "on-time/course", NOON)
    pushed = replace(repository, name="on-time/renamed", pushed=NOON + timedelta(hours=1))
    for entry in (repository, pushed):
        filled(tmp_path).add_repository("on-time", entry)
    assert Ledger(tmp_path / "ledger").read("on-time").repositories == (repository, pushed)


def told(commit: str, hours: float, activity: int, **more) -> Push:
    return replace(
        PUSH, commit=commit, time=NOON + timedelta(hours=hours), clock=Clock.SERVER, activity=activity, **more
    )


def seen(commit: str, hours: float) -> Push:
    return replace(PUSH, commit=commit, time=NOON + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("pushes", "wanted"),
    [
        ([seen("a", 2), told("a", 1, 1)], [("a", 1)]),
        ([told("a", 1, 1), seen("a", 2)], [("a", 1)]),
        ([seen("a", 2), seen("a", 3)], [("a", 2)]),
        ([seen("a", 3), seen("a", 2)], [("a", 2)]),
        ([told("b", 2, 2), told("a", 1, 1)], [("a", 1), ("b", 2)]),
        ([told("a", 1, 1), told("a", 1, 1)], [("a", 1)]),
        ([seen("a", 1), seen("b", 2), seen("a", 3)], [("a", 1), ("b", 2), ("a", 3)]),
        ([told("a", 1, 1), told("b", 2, 2), told("a", 3, 3), seen("b", 9)], [("a", 1), ("b", 2), ("a", 3)]),
        ([told("a", 1, 1, lost=True), seen("b", 2)], [("b", 2)]),
    ],
    ids=[
        "seen, then told", "told, then seen", "seen by two", "out of order", "told out of order", "told by two",
        "pushed again", "pushed again and told", "lost",
    ],
)  # fmt: skip
def test_each_push_counts_once_and_the_forges_time_stands_for_all_sightings(tmp_path, pushes, wanted):
    for entry in pushes:
        Ledger(tmp_path).add_push(entry)
    record = Ledger(tmp_path).read("on-time")
    assert [(push.commit, (push.time - NOON) / timedelta(hours=1)) for push in record.pushes] == wanted
    assert record.lost == tuple(entry for entry in pushes if entry.lost)


def test_a_push_written_before_forges_were_asked_is_read(tmp_path):
    entry = {"entry": "push", "commit": "c" * 40, "branch": "master", "time": NOON.isoformat(), "clock": "first seen"}
    (tmp_path / "on-time.jsonl").write_text(json.dumps(entry | {"notebooks": []}) + "\n")
    (push,) = Ledger(tmp_path).read("on-time").pushes
    assert (push.activity, push.lost) == (0, False)


def test_writing_only_appends(tmp_path):
    ledger = filled(tmp_path)
    path = tmp_path / "ledger" / "on-time.jsonl"
    before = path.read_bytes()
    ledger.add_push(PUSH)
    assert path.read_bytes().startswith(before)


@pytest.mark.parametrize("lost", [1, 10, 100])
def test_a_torn_last_line_is_skipped_and_then_cut_off(tmp_path, lost):
    ledger = filled(tmp_path)
    path = tmp_path / "ledger" / "on-time.jsonl"
    path.write_bytes(path.read_bytes()[:-lost])
    assert ledger.read("on-time").graded == ()
    ledger.add_report("on-time", PUSH.commit, "b" * 40, REPORT, NOON)
    assert len(ledger.read("on-time").graded) == 1
    assert all(json.loads(line) for line in path.read_text().splitlines())


@pytest.mark.parametrize("line", [b"{broken", b"[]", b'{"entry": "push"}', b'{"entry": "report", "report": {}}'])
def test_a_damaged_line_is_named(tmp_path, line):
    ledger = filled(tmp_path)
    path = tmp_path / "ledger" / "on-time.jsonl"
    path.write_bytes(line + b"\n" + path.read_bytes())
    with pytest.raises(AutograderError, match=r"on-time\.jsonl, line 1"):
        ledger.read("on-time")


def test_a_report_of_another_version_is_refused():
    with pytest.raises(ValueError, match="version"):
        Report.from_json(REPORT.to_json() | {"version": 99})


@pytest.mark.parametrize("field", ["assignment", "exercises", "problems", "seconds", "rung", "exam"])
def test_a_report_without_a_field_is_refused(field):
    data = REPORT.to_json()
    del data[field]
    with pytest.raises(ValueError, match=field):
        Report.from_json(data)


def test_students_do_not_see_what_is_for_instructors():
    assert "detail" not in json.dumps(REPORT.for_students().to_json()).replace('"detail": ""', "")
