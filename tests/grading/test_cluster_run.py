"""Grading on a Dask cluster: a real scheduler and real workers, and what is left when they are killed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jails import command_of, eventually
from small_course import SmallCourse, dump, make_small_course, solution, test

from autograder.classroom.classroom import Classroom
from autograder.course.errors import RemoteFailed
from autograder.course.submissions import Clock, NotebookFile, Push, Student
from autograder.git.student_stores import Fork
from autograder.jail.processes import list_descendants
from autograder.record.ledger import Ledger

pytest.importorskip(
    "distributed", reason="Dask is not installed: pip install 'autograder[cluster]'"
)
pytestmark = pytest.mark.slow

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
PATH = "assignments/hw/hw_solved.ipynb"
ANSWERS = {
    "right": ("def double(x):\n    return 2 * x", 2.0),
    "squared": ("def double(x):\n    return x * x", 0.0),
    "slow": ("import time\ntime.sleep(3)\ndef double(x):\n    return x + x", 2.0),
    "slower": ("import time\ntime.sleep(4)\ndef double(x):\n    return x + x", 2.0),
    "failing": ("def double(x):\n    raise ValueError(x)", 0.0),
    "late": ("def double(x):\n    return x * 2", 2.0),
}


def start(*arguments: str | Path) -> subprocess.Popen[bytes]:
    """Start a part of a cluster in a folder of its own, with nothing of the course's in it."""
    command = [sys.executable, "-m", "dask", *map(str, arguments), "--no-dashboard"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Cluster:
    """A scheduler and two workers on this machine, in processes of their own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.stack = stack
        file = folder / "scheduler.json"
        self.scheduler = self._started(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", file
        )
        assert eventually(file.exists)
        options = ("--nthreads", "1", "--no-nanny", "--local-directory", folder)
        self.workers = [
            self._started("worker", "--scheduler-file", file, *options) for _ in range(2)
        ]
        from distributed import Client

        with Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            self.address = client.scheduler.address

    def _started(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        process = start(*arguments)
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    with ExitStack() as stack:
        yield Cluster(folder, stack)


@pytest.fixture
def classroom(tmp_path: Path) -> Classroom:
    """A course with a push of each answer in the ledger, and nothing graded."""
    small: SmallCourse = make_small_course(tmp_path / "course")
    roster = "student,remote,name,email,group\n" + "".join(
        f"{name},/nowhere,,,\n" for name in ANSWERS
    )
    (small.root / "roster.csv").write_text(roster)
    room = Classroom.open(small.config)
    for name, (source, _) in ANSWERS.items():
        content = dump([solution(source), test("")])
        blob = Fork(Student(name, ""), room.course.forks / f"{name}.git", "master").keep(content)
        file = NotebookFile(PATH, blob, len(content))
        Ledger(room.course.ledger).add_push(
            Push(name, blob[:40], "master", NOW, Clock.FIRST_SEEN, (file,))
        )
    return room


def is_running(process: int) -> bool:
    """Whether a process does anything still; one that is only waited for has no command line."""
    return bool(command_of(process))


def points(room: Classroom) -> dict[str, list[float]]:
    """The points of every report in the ledger, student by student."""
    return {
        name: [entry.report.points for entry in record.graded]
        for name, record in room.records().items()
    }


def test_a_worker_and_then_the_scheduler_die_and_nothing_is_lost(
    cluster: Cluster, classroom: Classroom
) -> None:
    wanted = {name: [expected] for name, (_, expected) in ANSWERS.items()}
    others = {
        name: [expected]
        for name, (_, expected) in ANSWERS.items()
        if name not in {"slow", "slower"}
    }
    slow = [task for task in classroom.open_tasks() if task.student.id in {"slow", "slower"}]
    quick = [task for task in classroom.open_tasks() if task not in slow]
    assert [finished.error for finished in classroom.grade(quick, cluster.address)] == [""] * len(
        quick
    )
    assert {name: got for name, got in points(classroom).items() if got} == others

    # One worker dies while each has a slow notebook in hand: its own is graded by the other.
    jailed = set(list_descendants(cluster.workers[0].pid))
    running = classroom.grade([*slow], cluster.address)
    first = next(running)
    assert first.error == ""
    cluster.workers[0].kill()
    assert [finished.error for finished in running] == [""]
    assert points(classroom) == wanted
    assert eventually(lambda: not any(map(is_running, jailed))), (
        "what the worker started ends with it"
    )

    # The scheduler dies while work is under way: what is in the ledger stays, the rest is for the next run.
    running = classroom.grade(classroom.open_tasks(force=True), cluster.address)
    done = [next(running)]
    cluster.scheduler.kill()
    done += running
    lost = [finished for finished in done if finished.error]
    assert len(done) == len(ANSWERS) and 0 < len(lost) < len(ANSWERS)
    assert all("the next run grades it" in finished.error for finished in lost)
    reports = sum(len(got) for got in points(classroom).values())
    assert reports == len(ANSWERS) + len(done) - len(lost)
    began = time.monotonic()
    with pytest.raises(RemoteFailed, match="no scheduler of a Dask cluster answers"):
        list(classroom.grade(slow, cluster.address))
    assert time.monotonic() - began < 60
