"""What a run of grading holds: of a thousand submissions as much as of ten."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from small_course import make_small_course

from autograder.classroom.classroom import Classroom
from autograder.course.submissions import NotebookFile, Report, Student
from autograder.grader.examined_notebooks import ExaminedNotebook
from autograder.grading import grading_run
from autograder.record.open_tasks import GradingTask


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

    @contextmanager
    def open_threads(*_: object) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(2) as pool:
            yield pool

    monkeypatch.setattr(grading_run, "open_workers", open_threads)
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
