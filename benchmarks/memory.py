"""What grading a class takes of the memory: a large class against a small one, measured at its peak.

    python benchmarks/memory.py [--students 100 1000]

Each student hands in a notebook of their own, which prints a lot. `autograder grade` runs as a command. Printed are
megabytes at the peak: of the command, which holds the class's record, and of all its processes together, each page of
memory counted once (PSS). The command grows by what a student's record takes; nothing may grow by what came back.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "support"))

from measuring import make_parser  # noqa: E402
from small_class import PATH  # noqa: E402
from small_course import code, dump, make_small_course, solution, test  # noqa: E402

from autograder.classroom.classroom import Classroom  # noqa: E402
from autograder.course.submissions import Clock, NotebookFile, Push, Student  # noqa: E402
from autograder.git.student_stores import Fork  # noqa: E402
from autograder.record.ledger import Ledger  # noqa: E402

PUSHED = datetime(2027, 3, 1, 12, tzinfo=UTC)
PRINTS = "print('x' * 200_000)  # {student}"  # outputs that would be seen if they were held
PAUSE = 0.25  # seconds between two looks


@dataclass(frozen=True)
class Peak:
    """Megabytes at the peak."""

    command: float
    together: float


def make_class(root: Path, students: int) -> Path:
    """Make a course in which every student has pushed and nothing is graded."""
    small = make_small_course(root)
    names = [f"student-{number:05}" for number in range(students)]
    rows = [f"{name},/nowhere,,," for name in names]
    (small.root / "roster.csv").write_text("\n".join(["student,remote,name,email,group", *rows]))
    course = Classroom.open(small.config).course
    for name in names:
        cells = [code(PRINTS.format(student=name)), solution("def double(x):\n    return 2 * x")]
        content = dump([*cells, test("")])
        blob = Fork(Student(name, ""), course.forks / f"{name}.git", "master").keep(content)
        file = NotebookFile(PATH, blob, len(content))
        push = Push(name, blob, "master", PUSHED, Clock.FIRST_SEEN, (file,))
        Ledger(course.ledger).add_push(push)
    return small.config


def measure_peak(config: Path) -> Peak:
    """Grade the class by a command, and return its peak."""
    command = [sys.executable, "-m", "autograder", "grade", "--config", str(config)]
    running = psutil.Popen(command, stdout=subprocess.DEVNULL)
    own = 0
    together = 0
    while running.poll() is None:
        every = []
        try:
            every = [running, *running.children(recursive=True)]
            own = max(own, running.memory_info().rss)
        except psutil.Error:  # it has just ended
            continue
        together = max(together, sum(map(measure_process, every)))
        time.sleep(PAUSE)
    if running.returncode:
        raise SystemExit(f"autograder grade ended with {running.returncode}")
    return Peak(own / 1e6, together / 1e6)


def measure_process(process: psutil.Process) -> int:
    """Return what a process takes, its share of what it has in common with others; 0 if it ended."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def main() -> None:
    """Grade each class, and print what that takes."""
    parser = make_parser(__doc__)
    parser.add_argument("--students", type=int, nargs="+", default=[100, 1000])
    options = parser.parse_args()
    print("students  the command, MB  all together, MB")
    for students in options.students:
        with tempfile.TemporaryDirectory() as folder:
            peak = measure_peak(make_class(Path(folder), students))
        print(f"{students:8}  {peak.command:15.0f}  {peak.together:16.0f}")


if __name__ == "__main__":
    main()
