"""The processes that grade: one warm process for all their jails, and none of them outlives the grader."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jails import eventually
from small_course import REPOSITORY, SmallCourse, dump, solution, test

from autograder.course.exam import Exam, read_exam
from autograder.course.submissions import Submission
from autograder.grading.worker_pool import current_desk, open_workers
from autograder.jail import Jail, Limits
from autograder.jail.processes import list_descendants

pytestmark = pytest.mark.slow

RIGHT = dump([solution("def double(x):\n    return 2 * x"), test("")])
SMALL = Limits(cell_seconds=10, call_seconds=5, seconds=60, memory_mb=512)


@pytest.fixture(autouse=True)
def quick_workers() -> None:
    """Let the processes that grade be spawned here, as outside of the tests; see tests/conftest.py."""


@pytest.fixture
def exam(small_course: SmallCourse) -> Exam:
    return read_exam(small_course.source)


def points(_: int) -> tuple[int, float]:
    """Grade a right answer; returns which process did, and the points."""
    return os.getpid(), current_desk().examiner.examine(
        current_desk().exams["hw"], Submission("hw", "hw.ipynb", RIGHT)
    ).report.points


def zygotes(process: int) -> list[int]:
    """Return the warm processes below a process, without those they wait in and those they have forked."""
    found = [child for child in list_descendants(process) if b"zygote" in command(child)]
    return [child for child in found if parent(child) not in found]


def command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def test_all_share_one_warm_process(exam: Exam) -> None:
    with Jail(SMALL) as jail, open_workers(2, jail, {"hw": exam}) as pool:
        graded = list(pool.map(points, range(6)))
        assert not any(zygotes(process) for process, _ in graded)
        assert len(zygotes(os.getpid())) == 1
    assert [score for _, score in graded] == [2.0] * 6


def test_without_the_shared_one_each_starts_its_own(exam: Exam) -> None:
    with Jail(SMALL) as jail, open_workers(1, jail, {"hw": exam}) as pool:
        (process, score), *_ = pool.map(points, [0])
        assert score == 2.0
        (zygote,) = zygotes(os.getpid())
        os.kill(zygote, signal.SIGKILL)
        assert list(pool.map(points, range(3))) == [(process, 2.0)] * 3
        assert len(zygotes(process)) == 1
    assert zygotes(os.getpid()) == []


def busy(folder: str) -> None:
    Path(folder, str(os.getpid())).touch()
    time.sleep(60)


GRADER = """
import os, sys, time
from pathlib import Path
from test_worker_pool import busy
from autograder.course.exam import read_exam
from autograder.grading.worker_pool import open_workers
from autograder.jail import Jail

if __name__ == "__main__":
    source, folder = sys.argv[1:]
    with Jail() as jail, open_workers(2, jail, {"hw": read_exam(Path(source))}) as pool:
        tasks = [pool.submit(busy, folder) for _ in range(2)]
        while len(os.listdir(folder)) < 2 and not any(task.done() for task in tasks):
            time.sleep(0.01)
        print("ready", flush=True)
        tasks[0].result()
"""


def test_none_outlives_the_grader(small_course: SmallCourse, tmp_path: Path) -> None:
    program, folder = tmp_path / "grader.py", tmp_path / "busy"
    program.write_text(GRADER)
    folder.mkdir()
    command_line = [sys.executable, str(program), str(small_course.source), str(folder)]
    folders = (REPOSITORY / "tests" / "support", Path(__file__).parent)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))}
    with subprocess.Popen(command_line, env=environment, stdout=subprocess.PIPE) as grader:
        assert grader.stdout is not None and grader.stdout.readline() == b"ready\n"
        tree = list_descendants(grader.pid)
        assert {int(process.name) for process in folder.iterdir()} < set(tree)
        grader.kill()
    assert eventually(lambda: not any(command(process) for process in tree))
