import fcntl
import json
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from autograder.course.errors import DiskFailed
from autograder.course.reports import Criterion, CriterionOutcome, ExerciseResult, Report, Status
from autograder.course.submissions import Clock, NotebookFile, Push, Repository
from autograder.record.ledger import Ledger
from autograder.record.manual_marks import ManualMark, newest_marks

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
PUSH = Push(
    "on-time", "c" * 40, "master", NOON, Clock.FIRST_SEEN, (NotebookFile("hw.ipynb", "b" * 40, 7),)
)
CRITERION = Criterion("the sign is right", 1.0, 1.0, CriterionOutcome.MET)
RESULT = ExerciseResult(
    "double", "", 1.0, 2.0, Status.PARTIAL, "Look at “twice”.", (CRITERION,), "detail"
)
REPORT = Report("hw", "hw.ipynb", "graded", (RESULT,), ("A sentence.",), 0.25, 1, "exam")


def filled(tmp_path: Path) -> Ledger:
    ledger = Ledger(tmp_path / "ledger")
    ledger.add_push(PUSH)
    ledger.add_report("on-time", PUSH.commit, "b" * 40, REPORT, NOON + timedelta(hours=1))
    return ledger


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    record = filled(tmp_path).read("on-time")
    assert record.pushes == (PUSH,)
    assert record.graded[0].report == REPORT
    assert record.reports == {("hw", "b" * 40, "exam"): REPORT}


def test_a_student_without_a_record_has_an_empty_one(tmp_path: Path) -> None:
    assert Ledger(tmp_path).read("nobody").pushes == ()


def test_what_the_forge_said_is_read_again(tmp_path: Path) -> None:
    repository = Repository(17, 5, "on-time/course", "on-time/course", NOON)
    pushed = replace(repository, name="on-time/renamed", pushed=NOON + timedelta(hours=1))
    for entry in (repository, pushed):
        filled(tmp_path).add_repository("on-time", entry)
    assert Ledger(tmp_path / "ledger").read("on-time").repositories == (repository, pushed)


def told(commit: str, hours: float, activity: int, **more: Any) -> Push:
    return replace(
        PUSH,
        commit=commit,
        time=NOON + timedelta(hours=hours),
        clock=Clock.SERVER,
        activity=activity,
        **more,
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
def test_each_push_counts_once_and_the_forges_time_stands_for_all_sightings(
    tmp_path: Path, pushes: list[Any], wanted: list[tuple[str, int]]
) -> None:
    for entry in pushes:
        Ledger(tmp_path).add_push(entry)
    record = Ledger(tmp_path).read("on-time")
    assert [
        (push.commit, (push.time - NOON) / timedelta(hours=1)) for push in record.pushes
    ] == wanted
    assert record.lost == tuple(entry for entry in pushes if entry.lost)


def test_a_push_written_before_forges_were_asked_is_read(tmp_path: Path) -> None:
    entry = {
        "entry": "push",
        "commit": "c" * 40,
        "branch": "master",
        "time": NOON.isoformat(),
        "clock": "first seen",
    }
    (tmp_path / "on-time.jsonl").write_text(json.dumps(entry | {"notebooks": []}) + "\n")
    (push,) = Ledger(tmp_path).read("on-time").pushes
    assert (push.activity, push.lost) == (0, False)


def test_writing_only_appends(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    path = tmp_path / "ledger" / "on-time.jsonl"
    before = path.read_bytes()
    ledger.add_push(PUSH)
    assert path.read_bytes().startswith(before)


@pytest.mark.parametrize("lost", [1, 10, 100])
def test_a_torn_last_line_is_skipped_and_then_cut_off(tmp_path: Path, lost: int) -> None:
    ledger = filled(tmp_path)
    path = tmp_path / "ledger" / "on-time.jsonl"
    path.write_bytes(path.read_bytes()[:-lost])
    assert ledger.read("on-time").graded == ()
    ledger.add_report("on-time", PUSH.commit, "b" * 40, REPORT, NOON)
    assert len(ledger.read("on-time").graded) == 1
    assert all(json.loads(line) for line in path.read_text().splitlines())


def report_line(points: float = 1.0, **changes: Any) -> bytes:
    report = replace(REPORT, exercises=(replace(RESULT, points=points),)).to_json()
    entry = {
        "entry": "report",
        "commit": "c" * 40,
        "blob": "b" * 40,
        "time": NOON.isoformat(),
        "report": report,
    }
    return json.dumps(entry | changes).encode()


DAMAGED = {
    "no JSON": b"{broken",
    "no object": b"[]",
    "a push without its fields": b'{"entry": "push"}',
    "a report without its fields": b'{"entry": "report", "report": {}}',
    "no text": b"\xff\xfe\x00",
    "nested without end": b"[" * 100_000,
    "more points than there are": report_line(100.0),
    "fewer points than none": report_line(-1.0),
    "points that are no number": report_line(float("nan")),
    "a time without a zone": report_line(time="2027-03-01T12:00:00"),
}


@pytest.mark.parametrize("line", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_line_is_named_and_the_others_are_read(tmp_path: Path, line: Any) -> None:
    ledger = filled(tmp_path)
    path = tmp_path / "ledger" / "on-time.jsonl"
    path.write_bytes(line + b"\n" + path.read_bytes())
    record = ledger.read("on-time")
    (sentence,) = record.damaged
    assert "on-time.jsonl, line 1: cannot be read (" in sentence
    assert "autograder verify says what to do" in sentence
    assert record.pushes == (PUSH,)
    assert record.graded[0].report == REPORT


@pytest.mark.parametrize("blank", [b"\n", b"  \r\n", b"\t\n\n"])
def test_a_blank_line_says_nothing(tmp_path: Path, blank: bytes) -> None:
    ledger = filled(tmp_path)
    path = tmp_path / "ledger" / "on-time.jsonl"
    path.write_bytes(blank + path.read_bytes() + blank)
    record = ledger.read("on-time")
    assert record.damaged == ()
    assert (record.pushes, len(record.graded)) == ((PUSH,), 1)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger" / "on-time.jsonl").mkdir(parents=True)
    ledger = Ledger(tmp_path / "ledger")
    with pytest.raises(DiskFailed, match=r"on-time\.jsonl: Is a directory; look at"):
        ledger.read("on-time")
    with pytest.raises(DiskFailed, match=r"on-time\.jsonl: Is a directory; look at"):
        ledger.add_push(PUSH)


def test_a_line_that_is_being_written_is_not_cut(tmp_path: Path) -> None:
    """One writer is in the middle of a line when the other begins."""
    ledger = filled(tmp_path)
    path = tmp_path / "ledger" / "on-time.jsonl"
    half = threading.Event()

    def write_slowly() -> None:
        line = report_line() + b"\n"
        with path.open("ab", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(line[:50])
            half.set()
            time.sleep(0.3)
            file.write(line[50:])

    writer = threading.Thread(target=write_slowly)
    writer.start()
    half.wait()
    ledger.add_push(replace(PUSH, commit="d" * 40))
    writer.join()
    record = ledger.read("on-time")
    assert record.damaged == ()
    assert (len(record.pushes), len(record.graded)) == (2, 2)


APPEND = """
import sys
from datetime import timedelta
sys.path.insert(0, {tests!r})
from test_ledger import NOON, PUSH, Ledger, Path, replace
ledger, who = Ledger(Path({folder!r})), sys.argv[1]
for number in range(100):
    moment = NOON + timedelta(seconds=number)
    ledger.add_push(replace(PUSH, commit=f"{{who}}{{number:039}}", time=moment))
    if who == "a" and number % 10 == 0:
        ledger.rewrite_lines("on-time", lambda lines: lines)
"""


def test_two_writers_lose_no_line_of_each_other_also_where_one_replaces_the_file(
    tmp_path: Path,
) -> None:
    script = APPEND.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    writers = [subprocess.Popen([sys.executable, "-c", script, who]) for who in "ab"]
    assert [writer.wait() for writer in writers] == [0, 0]
    record = Ledger(tmp_path).read("on-time")
    assert record.damaged == ()
    assert len(record.pushes) == 200
    lines = (tmp_path / "on-time.jsonl").read_bytes().splitlines()
    assert len(lines) == len(set(lines)) == 200


def test_a_full_disk_leaves_no_part_of_a_line(tmp_path: Path) -> None:
    filled(tmp_path)
    path = tmp_path / "ledger" / "on-time.jsonl"
    before = path.read_bytes()
    room = len(before) + 40
    script = (
        f"import resource, signal, sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_ledger import PUSH, Ledger, Path\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n"
        f"Ledger(Path({str(path.parent)!r})).add_push(PUSH)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert "DiskFailed" in done.stderr
    assert "on-time.jsonl: File too large" in done.stderr
    assert path.read_bytes() == before


def test_a_lone_surrogate_is_recorded_as_what_can_be_written(tmp_path: Path) -> None:
    report = replace(REPORT, problems=("\ud800 is no letter",))
    Ledger(tmp_path).add_report("on-time", "c" * 40, "b" * 40, report, NOON)
    record = Ledger(tmp_path).read("on-time")
    assert record.graded[0].report.problems == ("? is no letter",)


@pytest.mark.parametrize("clock", [Clock.FIRST_SEEN, Clock.COMMIT_DATE])
def test_the_newest_push_is_the_last_one_recorded_whatever_the_clock_said(
    tmp_path: Path, clock: Any
) -> None:
    """The clock was a year ahead for one poll, and a day behind for another."""
    commits = {
        "a": NOON,
        "b": NOON + timedelta(days=365),
        "c": NOON + timedelta(hours=1),
        "d": NOON - timedelta(days=1),
    }
    for commit, moment in commits.items():
        Ledger(tmp_path).add_push(replace(PUSH, commit=commit, time=moment, clock=clock))
    assert [push.commit for push in Ledger(tmp_path).read("on-time").pushes] == list(commits)


def test_the_mark_that_stands_is_the_last_one_recorded_whatever_the_clock_said(
    tmp_path: Path,
) -> None:
    for hours, points in ((9000.0, 1.0), (1.0, 2.0)):
        mark = ManualMark("hw", "double", NOON + timedelta(hours=hours), points)
        Ledger(tmp_path).add_mark("on-time", mark)
    marks = Ledger(tmp_path).read("on-time").marks
    assert newest_marks(marks, "hw")["double"].points == 2.0


def test_a_report_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version"):
        Report.from_json(REPORT.to_json() | {"version": 99})


@pytest.mark.parametrize(
    "field", ["assignment", "exercises", "problems", "seconds", "rung", "exam"]
)
def test_a_report_without_a_field_is_refused(field: str) -> None:
    data = REPORT.to_json()
    del data[field]
    with pytest.raises(ValueError, match=field):
        Report.from_json(data)


def test_students_do_not_see_what_is_for_instructors() -> None:
    assert "detail" not in json.dumps(REPORT.for_students().to_json()).replace('"detail": ""', "")
