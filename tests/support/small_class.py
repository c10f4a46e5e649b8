"""A small course with students who push to bare repositories, and everything a poll does with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from small_course import SmallCourse, code, dump, solution, test

from autograder.classroom.classroom import Classroom
from autograder.cli.long_work import run_all
from autograder.rehearsal.forge_on_disk import BareRepository

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
PATH = "assignments/hw/hw_solved.ipynb"
RIGHT = "def double(x):\n    return 2 * x"
WRONG = "def double(x):\n    return x * x"
# For tests in which the clock of the machine says when a push was seen first.
NO_DEADLINE_SOON = (
    "for _assignment in c.Course.assignments.values(): _assignment['deadline'] = '2100-03-06 23:59'"
)


def answer(student: str, source: str = RIGHT) -> bytes:
    return dump([code(f"# {student}"), solution(source), test("", "double")])


@dataclass(frozen=True)
class Class:
    """A small course whose students push to bare repositories."""

    course: SmallCourse

    @property
    def root(self) -> Path:
        return self.course.root

    def remote(self, student: str) -> BareRepository:
        return BareRepository(self.root / "remotes" / f"{student}.git", "master")

    def enrol(self, *students: str) -> None:
        for student in students:
            self.remote(student).create()
            self.push(student, answer(student, WRONG if student == "wrong" else RIGHT), "first")
        lines = [f"{student},{self.remote(student).path}" for student in students]
        (self.root / "roster.csv").write_text("student,remote\n" + "\n".join(lines) + "\n")

    def push(self, student: str, content: bytes, subject: str) -> None:
        self.remote(student).push({PATH: content}, subject, NOON)

    def configure(self, *lines: str) -> None:
        with self.course.config.open("a") as file:
            file.writelines(f"{line}\n" for line in lines)

    def run(self) -> tuple[int, dict[str, float | None]]:
        """Everything a poll does: its exit code, and the points of everybody who has any."""
        classroom = Classroom.open(self.course.config)
        exit_code = run_all(classroom)
        standings = Classroom.open(self.course.config).standings()
        return exit_code, {
            student: entry["hw"].points for student, entry in standings.items() if "hw" in entry
        }

    def ledger(self, student: str) -> Path:
        return self.root / "ledger" / f"{student}.jsonl"

    def page_count(self) -> int:
        return len(list((self.root / "site" / "p").glob("*.html")))
