"""The processes that grade: one warm process for all their jails, and none of them outlives the grader."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from jails import command_of, eventually, list_children
from small_class import Class
from small_course import DOUBLE, REPOSITORY, TEST_DOUBLE, SmallCourse, code, dump, solution, test

from autograder.classroom.classroom import Classroom
from autograder.course.errors import JailFailed, NoJail
from autograder.course.exam import Exam, read_exam
from autograder.course.submissions import Submission
from autograder.grading import grading_run
from autograder.grading.grading_run import grade_tasks
from autograder.grading.worker_pool import Workers, current_desk, open_workers
from autograder.jail import Jail, Limits, rungs
from autograder.jail.keeper import Keeper
from autograder.jail.processes import list_descendants
from autograder.record.open_tasks import GradingTask

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("own_zygotes")]

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
    found = [child for child in list_descendants(process) if b"zygote" in command_of(child)]
    return [child for child in found if parent(child) not in found]


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


@pytest.fixture
def noting_exam(small_course: SmallCourse, tmp_path: Path) -> tuple[Exam, Path]:
    """An exam that writes down each time it is prepared, and where."""
    notes = tmp_path / "notes"
    note = f"import os\nprint(os.getpid(), file=open({str(notes)!r}, 'a'))"
    small_course.write(code(note), solution(DOUBLE), test(TEST_DOUBLE))
    return read_exam(small_course.source), notes


@pytest.mark.parametrize("count", [1, 2])
def test_they_get_ready_before_there_is_a_jail(noting_exam: tuple[Exam, Path], count: int) -> None:
    exam, notes = noting_exam
    with closing(Workers(count, {"hw": exam})) as workers:
        workers.get_ready()
        assert eventually(lambda: notes.exists() and len(notes.read_text().split()) == count)
        with Jail(SMALL) as jail, closing(workers):
            graded = list(workers.enter(jail).map(points, range(4)))
    assert [score for _, score in graded] == [2.0] * 4
    # Each was ready once, and none came later.
    assert {process for process, _ in graded} <= {int(word) for word in notes.read_text().split()}
    assert len(notes.read_text().split()) == count


@pytest.fixture
def others() -> set[int]:
    """The processes that are below this one already: other tests of this process share them."""
    return list_children()


def grading_processes(others: set[int]) -> list[int]:
    """Return the processes that have come below this one, before there is a jail."""
    return sorted(list_children() - others)


def make_tasks(course: SmallCourse) -> tuple[Classroom, list[GradingTask]]:
    made = Class(course)
    made.enrol("good")
    made.push("good", RIGHT, "right")
    room = Classroom.open(course.config)
    list(room.collect())
    return room, room.open_tasks()


def test_what_is_ready_for_a_jail_that_fails_is_there_for_the_next(
    small_course: SmallCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, tasks = make_tasks(small_course)
    real = rungs.start_checked
    prepared = []

    def start(rung: int, *, meanwhile: Iterator[None], **options: Any) -> Keeper:
        if not prepared:
            prepared.extend(islice(meanwhile, 1))
            raise JailFailed("this one does not work here")
        return real(rung - 1, meanwhile=meanwhile, **options)

    monkeypatch.setattr(rungs, "start_checked", start)
    (done,) = grade_tasks(room.course, room.exams, tasks)
    assert done.error == "" and done.report is not None and done.report.points == 2.0


def test_without_a_jail_they_end_and_nothing_is_graded(
    small_course: SmallCourse, others: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    room, tasks = make_tasks(small_course)
    begun = []

    def fail(*_: object, meanwhile: Iterator[None], **__: object) -> Jail:
        list(meanwhile)
        begun.extend(grading_processes(others))
        raise NoJail("there is none")

    monkeypatch.setattr(grading_run, "Jail", fail)
    with pytest.raises(NoJail, match="there is none"):
        list(grade_tasks(room.course, room.exams, tasks))
    assert begun
    assert grading_processes(others) == []


def test_one_that_is_killed_before_there_is_a_jail_is_replaced(
    small_course: SmallCourse, others: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    room, tasks = make_tasks(small_course)

    def start(*arguments: Any, meanwhile: Iterator[None], **options: Any) -> Jail:
        list(meanwhile)
        for process in grading_processes(others):
            os.kill(process, signal.SIGKILL)
        return Jail(*arguments, **options)

    monkeypatch.setattr(grading_run, "Jail", start)
    (done,) = grade_tasks(room.course, room.exams, tasks)
    assert done.error == "" and done.report is not None and done.report.points == 2.0


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
    assert eventually(lambda: not any(command_of(process) for process in tree))
