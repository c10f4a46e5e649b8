"""What a run of grading holds: of a thousand submissions as much as of ten."""

from __future__ import annotations

import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
from small_course import make_small_course

from autograder.classroom.classroom import Classroom
from autograder.course.reports import Report
from autograder.course.submissions import NotebookFile, Student
from autograder.grader.examined_notebooks import ExaminedNotebook
from autograder.grading import grading_run
from autograder.record.open_tasks import GradingTask


class Threads(ThreadPoolExecutor):
    """What stands for processes that grade."""

    def __init__(self, count: int, _: object) -> None:
        super().__init__(count)
        self.count = count

    def get_ready(self) -> None:
        pass

    def enter(self, _: object) -> Threads:
        return self

    def close(self) -> None:
        self.shutdown()


def test_results_are_forgotten_as_they_come_and_few_are_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Classroom.open(make_small_course(tmp_path).config)
    held: weakref.WeakSet[ExaminedNotebook] = weakref.WeakSet()
    lock = threading.Lock()

    def examine(*_: object) -> ExaminedNotebook:
        report = Report("hw", "hw.ipynb", "graded", ())
        with lock:
            examined = ExaminedNotebook(report, ())
            held.add(examined)
        return examined

    monkeypatch.setattr(grading_run, "Workers", Threads)
    monkeypatch.setattr(grading_run, "_examine_task", examine)
    monkeypatch.setattr(grading_run, "Jail", lambda *_, **__: nullcontext())
    tasks = []
    for number in range(200):
        file = NotebookFile("hw.ipynb", f"{number:040x}", 100)
        tasks.append(GradingTask("hw", file, Student("on-time", ""), [("on-time", f"{number}")]))
    most = 0
    done = 0
    for finished in grading_run.grade_tasks(room.course, room.exams, tasks):
        assert finished.error == ""
        done += 1
        most = max(most, len(held))
    assert done == len(tasks)
    assert most <= grading_run.AHEAD * (room.course.workers or 2) + 2


def test_a_step_towards_what_follows_that_fails_fails_nothing_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_for_later.py").write_text("1 / 0")
    (tmp_path / "good_for_later.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    room = Classroom.open(make_small_course(tmp_path / "course").config)
    report = Report("hw", "hw.ipynb", "graded", ())

    def examine(*_: object) -> ExaminedNotebook:
        # Nothing more is loaded once a result is there.
        deadline = time.monotonic() + 20
        while "good_for_later" not in sys.modules and time.monotonic() < deadline:
            time.sleep(0.01)
        return ExaminedNotebook(report, ())

    monkeypatch.setattr(grading_run, "Workers", Threads)
    monkeypatch.setattr(grading_run, "_examine_task", examine)
    monkeypatch.setattr(grading_run, "Jail", lambda *_, **__: nullcontext())
    file = NotebookFile("hw.ipynb", "0" * 40, 100)
    task = GradingTask("hw", file, Student("on-time", ""), [("on-time", "1")])
    names = ("broken_for_later", "missing_for_later", "good_for_later")
    steps = [partial(import_module, name) for name in names]
    (done,) = grading_run.grade_tasks(room.course, room.exams, [task], meanwhile=steps)
    assert done.error == "" and done.report is report
    assert sys.modules.pop("good_for_later")
