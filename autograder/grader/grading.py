"""Many submissions graded: what is missing in the record, worked off by one process per core.

A task is a submission's bytes and an exam; its result is a report. Equal notebooks are graded once, graded ones
never again while exam and notebook stay as they are. Each result is in the ledger before the next is asked for, so
a run that is killed continues where it was.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.util import Finalize
from pathlib import Path

from autograder.collecting.collect import fork_of
from autograder.collecting.roster import Extensions
from autograder.config import Course
from autograder.errors import AutograderError, ExamError, NoJail
from autograder.exam import Exam, read_exam
from autograder.grader.examiner import Examined, Examiner
from autograder.grader.notebooks import find_notebook
from autograder.grader.verdict import not_tested
from autograder.jail import Limits
from autograder.record.ledger import Ledger
from autograder.record.standings import wanted_pushes
from autograder.records import NotebookFile, Push, Report, Student, Submission

ROUNDS = 3  # a pool whose process was killed is replaced; the last round has one process, so only the culprit fails


@dataclass(frozen=True)
class Task:
    """One notebook to grade as one assignment, and the pushes that wait for it."""

    assignment: str
    file: NotebookFile
    student: Student
    waiting: list[tuple[str, str]] = field(default_factory=list, compare=False)  # (student id, commit)


@dataclass(frozen=True)
class Finished:
    """A task that is done; `error` says why it could not be."""

    task: Task
    report: Report | None = None
    error: str = ""


def read_exams(course: Course) -> dict[str, Exam]:
    """Read every assignment's exam.

    Raises
    ------
    ExamError
        If one cannot serve; then nothing is graded.
    """
    return {
        name: read_exam(course.source(name), assignment.patterns) for name, assignment in course.assignments.items()
    }


def open_tasks(
    course: Course,
    exams: Mapping[str, Exam],
    students: Sequence[Student],
    extensions: Extensions,
    *,
    force: bool = False,
) -> list[Task]:
    """Return what the record lacks: a task for each notebook that counts, or is newest, and has no report yet."""
    tasks: dict[tuple[str, str], Task] = {}
    ledger = Ledger(course.ledger)
    for student in students:
        record = ledger.read(student.id)
        reports = record.reports
        for name, assignment in course.assignments.items():
            for push in wanted_pushes(assignment, student.id, record, extensions):
                file = find_notebook(push.notebooks, name)
                if file and (force or (name, file.blob, exams[name].version) not in reports):
                    _add(tasks, Task(name, file, student), push)
    return list(tasks.values())


def grade(course: Course, exams: Mapping[str, Exam], tasks: Sequence[Task]) -> Iterator[Finished]:
    """Grade the tasks, many at once, and yield each as it is done and in the ledger.

    Raises
    ------
    NoJail
        If this machine has no jail: then nothing is graded.
    ExamError
        If a source notebook fails.
    """
    left = list(tasks)
    most = course.workers or os.cpu_count() or 1
    for number in range(ROUNDS):
        if not left:
            return
        workers = 1 if number == ROUNDS - 1 else min(most, len(left))
        broken: list[Task] = []
        yield from _grade_with(course, exams, left, workers, broken)
        left = broken
    for task in left:
        yield Finished(
            task, error=f"{task.student.id}, {task.assignment}: its grading process died; see the system log"
        )


def _grade_with(
    course: Course, exams: Mapping[str, Exam], tasks: Sequence[Task], workers: int, broken: list[Task]
) -> Iterator[Finished]:
    context = multiprocessing.get_context("spawn")
    names = {task.assignment for task in tasks}
    setting = (course.limits, {name: exams[name] for name in names})
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=setting) as pool:
        waiting: dict[Future[Examined], Task] = {}
        for task in tasks:  # a task says where the bytes are: memory stays flat however many submissions wait
            try:
                waiting[pool.submit(_examine, course, task)] = task
            except BrokenProcessPool:
                broken.append(task)
        try:
            for future in as_completed(waiting):
                task = waiting[future]
                try:
                    yield _record(course, task, future.result())
                except BrokenProcessPool:
                    broken.append(task)
                except (NoJail, ExamError):  # nothing can be graded
                    raise
                except Exception as error:  # this one cannot: its store was lost, its jail could not be made
                    yield Finished(task, error=f"{task.student.id}, {task.assignment}: {error}")
        finally:
            pool.shutdown(cancel_futures=True)


def _record(course: Course, task: Task, examined: Examined) -> Finished:
    ledger, now = Ledger(course.ledger), datetime.now(UTC)
    _keep_outputs(outputs_path(course, task.assignment, task.file.blob), examined)
    for student, commit in task.waiting:
        ledger.add_report(student, commit, task.file.blob, examined.report, now)
    return Finished(task, examined.report)


def outputs_path(course: Course, assignment: str, blob: str) -> Path:
    """Where the cells of a graded notebook lie with their outputs, for the formgrader."""
    return course.outputs / assignment / f"{blob}.json"


def _keep_outputs(path: Path, examined: Examined) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps(examined.cells), encoding="utf-8")
    temporary.replace(path)


def _add(tasks: dict[tuple[str, str], Task], task: Task, push: Push) -> None:
    tasks.setdefault((task.assignment, task.file.blob), task).waiting.append((push.student, push.commit))


# ---------------------------------------------------------------------------------------------- in a worker process


@dataclass
class _Worker:
    """What a worker process owns: one examiner with its jail, and the exams."""

    examiner: Examiner
    exams: Mapping[str, Exam]


# A pool's initializer can hand over what it made, or why it could not, only through the module.
_worker: dict[str, _Worker] = {}
_failed: dict[str, AutograderError] = {}


def _start_worker(limits: Limits, exams: Mapping[str, Exam]) -> None:
    try:
        examiner = Examiner(limits)
        examiner.__enter__()
        Finalize(None, examiner.__exit__, args=(None, None, None), exitpriority=10)
        for exam in exams.values():
            examiner.prepare(exam)
        _worker["this"] = _Worker(examiner, exams)
    except AutograderError as error:  # an initializer that raises would break the pool without a reason
        _failed["this"] = error


def _examine(course: Course, task: Task) -> Examined:
    if _failed:
        raise _failed["this"]
    worker = _worker["this"]
    exam = worker.exams[task.assignment]
    limit = course.notebook_mb * 1e6
    if task.file.size > limit:
        sentence = f"The notebook has {task.file.size / 1e6:.0f} MB, more than {limit / 1e6:.0f}: clear its outputs."
        return Examined(unreadable(exam, task.file.path, sentence), ())
    content = fork_of(course, task.student).read(task.file.blob)
    return worker.examiner.examine(exam, Submission(task.assignment, task.file.path, content))


def unreadable(exam: Exam, notebook: str, sentence: str) -> Report:
    """Return the report of a file that was not even opened."""
    exercises = tuple(not_tested(exercise) for exercise in exam.exercises)
    return Report(exam.assignment, notebook, "unreadable", exercises, (sentence,), exam=exam.version)
