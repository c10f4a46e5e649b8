"""Pushes, clocks, kills, regrades, extensions and two machines, in any order, against a tiny model of the ledger.

The model is a list: what was written, in the order in which it was written. Whatever happens in between, the ledger
must say the same, each thing once, and the points that count must be those of the model's last push in time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from autograder.course.configuration import Assignment, Course, Part
from autograder.course.exam import Exam, Exercise, SourceCell
from autograder.course.reports import ExerciseResult, Report, Status
from autograder.course.submissions import Clock, NotebookFile, Push, Student
from autograder.record.ledger import Ledger
from autograder.record.manual_marks import ManualMark
from autograder.record.standings import judge_assignment
from autograder.record.state_merging import FileVersions, merge_lines
from autograder.verifying.ledger_check import read_ledger_file, set_lines_aside

ME = Student("on-time", "/forks/on-time.git")
PATH = "assignments/hw/hw_solved.ipynb"
DEADLINE = datetime(2027, 3, 6, 22, 59, tzinfo=UTC)
START = DEADLINE - timedelta(hours=12)
WORTH = 10.0
LENGTHY = os.environ.get("AUTOGRADER_LENGTHY") == "1"
MINUTES = st.integers(1, 300)
JUMPS = st.sampled_from([0, 0, 0, -600, 600])  # minutes; mostly the clock is right


@dataclass
class Model:
    """What was written: the pushes with their times, the points by notebook and exam, the marks."""

    pushes: list[tuple[str, datetime]] = field(default_factory=list)
    points: dict[tuple[str, str], float] = field(default_factory=dict)
    marks: list[float | None] = field(default_factory=list)

    def counting(self, deadline: datetime) -> str:
        """The notebook of the last push, in the order of writing, whose time is not after a deadline."""
        in_time = [
            blob
            for blob, when in self.pushes
            if when <= deadline + timedelta(seconds=59, microseconds=999_999)
        ]
        return in_time[-1] if in_time else ""


class LedgerMachine(RuleBasedStateMachine):
    """One student's ledger here, and a copy of it on another machine, with the branch between them."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ledger-model-"))
        self.model = Model()
        self.now, self.number, self.exam, self.extension = START, 0, 1, None
        self.ledger = Ledger(self.folder / "ledger")
        self.branch, self.base = b"", b""

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def path(self) -> Path:
        return self.folder / "ledger" / f"{ME.id}.jsonl"

    def tick(self) -> datetime:
        """The next second: no two things happen in the same moment."""
        self.now += timedelta(seconds=1)
        return self.now

    def content(self) -> bytes:
        return self.path.read_bytes() if self.path.exists() else b""

    def whole_bytes(self) -> bytes:
        content = self.content()
        return content[: content.rfind(b"\n") + 1]

    def new_push(self, jump: int) -> Push:
        self.number += 1
        blob = f"{self.number:040x}"
        file = NotebookFile(PATH, blob, 9)
        return Push(
            ME.id, blob, "master", self.now + timedelta(minutes=jump), Clock.FIRST_SEEN, (file,)
        )

    def exam_now(self) -> Exam:
        """An exam of the version the course is at: its source differs."""
        cell = SourceCell("code", f"assert {self.exam}", "e", graded=True, points=WORTH)
        return Exam("hw", (cell,), (Exercise("e", "", WORTH, False, ()),))

    # --- what happens ------------------------------------------------------------------------------------------------

    @rule(minutes=MINUTES, jump=JUMPS)
    def push(self, minutes: int, jump: int) -> None:
        """Somebody pushes; the clock may be wrong in this moment."""
        self.now += timedelta(minutes=minutes)
        push = self.new_push(jump)
        self.ledger.add_push(push)
        self.model.pushes.append((push.commit, push.time))

    @precondition(lambda self: self.model.pushes)
    @rule(jump=JUMPS)
    def see_the_newest_again(self, jump: int) -> None:
        """Two collectors see the same push: it is one, of the earlier time."""
        blob, when = self.model.pushes[-1]
        again = self.tick() + timedelta(minutes=jump)
        file = NotebookFile(PATH, blob, 9)
        self.ledger.add_push(Push(ME.id, blob, "master", again, Clock.FIRST_SEEN, (file,)))
        self.model.pushes[-1] = blob, min(when, again)

    @precondition(lambda self: self.model.pushes)
    @rule(choice=st.integers(0, 100), points=st.integers(0, 10))
    def grade(self, choice: int, points: int) -> None:
        """A notebook is graded under the exam as it is; again where it was."""
        blob, _ = self.model.pushes[choice % len(self.model.pushes)]
        result = ExerciseResult("e", "", float(points), WORTH, Status.PARTIAL)
        report = Report("hw", PATH, "graded", (result,), exam=self.exam_now().version)
        self.ledger.add_report(ME.id, blob, blob, report, self.tick())
        self.model.points[blob, report.exam] = float(points)

    @rule()
    def repair_the_exam(self) -> None:
        self.exam += 1

    @rule(points=st.one_of(st.none(), st.integers(0, 10).map(float)))
    def mark(self, points: float | None) -> None:
        self.ledger.add_mark(ME.id, ManualMark("hw", "e", self.tick(), points))
        self.model.marks.append(points)

    @rule(hours=st.one_of(st.none(), st.integers(1, 48)))
    def extend(self, hours: int | None) -> None:
        self.extension = None if hours is None else DEADLINE + timedelta(hours=hours)  # type: ignore[assignment]

    @rule(share=st.floats(0.05, 0.95))
    def be_killed_while_writing(self, share: float) -> None:
        """A part of a line is on the disk, and nobody builds on it."""
        beside = Ledger(self.folder / "scratch")
        beside.add_push(self.new_push(0))
        scratch = self.folder / "scratch" / f"{ME.id}.jsonl"
        line = scratch.read_bytes()
        scratch.unlink()
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("ab") as file:
            file.write(line[: max(1, int(len(line) * share))])

    @rule(number=st.integers(2, 4))
    def write_from_two_processes(self, number: int) -> None:
        """Two writers at once: each line is there, whole, in some order."""
        points = [float(index) for index in range(number)]
        marks = [ManualMark("hw", "e", self.tick(), value) for value in points]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda mark: Ledger(self.ledger.folder).add_mark(ME.id, mark), marks))
        written = [mark.points for mark in self.ledger.read(ME.id).marks[-number:]]
        assert sorted(written) == points
        self.model.marks += written

    @rule(where=st.integers(0, 100))
    def spoil_a_line_and_set_it_aside(self, where: int) -> None:
        """Something that is no entry stands between two; what can be read is read, before and after the repair."""
        lines = self.whole_bytes().splitlines(keepends=True)
        lines.insert(where % (len(lines) + 1), b'{"entry":"push","broken":\n')
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_bytes(b"".join(lines))
        assert len(self.ledger.read(ME.id).damaged) == 1
        course = Course(self.folder, "Course", ZoneInfo("UTC"), {}, ledger=self.ledger.folder)
        assert set_lines_aside(course, read_ledger_file(self.path), self.now)
        assert self.ledger.read(ME.id).damaged == ()

    @rule()
    def synchronise(self) -> None:
        """What is new here and on the branch comes together, as `state push` does it."""
        merged = merge_lines(
            FileVersions(self.base or None, self.branch or None, self.content() or None)
        )
        if self.path.exists():
            self.ledger.rewrite_lines(ME.id, lambda _: merged)
        self.base = self.branch = merged

    @precondition(lambda self: self.branch)
    @rule(minutes=MINUTES)
    def push_seen_by_another_machine(self, minutes: int) -> None:
        """Another machine, which is at the branch, sees a newer push and puts it there; then it comes here."""
        self.synchronise()
        self.now += timedelta(minutes=minutes)
        other = Ledger(self.folder / "other")
        path = other.folder / f"{ME.id}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(self.branch)
        push = self.new_push(0)
        other.add_push(push)
        self.branch = path.read_bytes()
        self.model.pushes.append((push.commit, push.time))
        self.synchronise()

    # --- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def the_ledger_says_what_was_written(self) -> None:
        record = self.ledger.read(ME.id)
        assert record.damaged == ()
        assert [(push.commit, push.time) for push in record.pushes] == self.model.pushes
        assert {
            key[1:]: report.points for key, report in record.reports.items()
        } == self.model.points
        assert [mark.points for mark in record.marks] == self.model.marks

    @invariant()
    def the_points_are_those_of_the_last_push_in_time(self) -> None:
        entry = Assignment("hw", "Homework", (Part("", ("*",), DEADLINE),))
        course = Course(self.folder, "Course", ZoneInfo("UTC"), {"hw": entry})
        extensions = {(ME.id, "hw", ""): self.extension} if self.extension else {}
        exam = self.exam_now()
        found = judge_assignment(course, entry, exam, ME, self.ledger.read(ME.id), extensions)
        blob = self.model.counting(self.extension or DEADLINE)
        given = [value for (notebook, _), value in self.model.points.items() if notebook == blob]
        wanted = self.model.points.get((blob, exam.version), given[-1] if given else None)
        hand = self.model.marks[-1] if self.model.marks else None
        if blob and wanted is not None:
            assert found.points == (wanted if hand is None else hand)
        elif blob:
            assert found.points is None
        else:
            assert not found.points


LedgerMachine.TestCase.settings = settings(
    max_examples=2000 if LENGTHY else 12,
    stateful_step_count=40 if LENGTHY else 15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
test_the_ledger_is_as_its_model = LedgerMachine.TestCase
