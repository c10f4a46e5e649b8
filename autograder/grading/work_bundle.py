"""Grading on a machine that is trusted with nothing: what goes there, and what may come back.

A bundle holds the notebooks to grade and which exam each is for: no names, no numbers of students, no credentials.
What comes back is a file per notebook, written where students' code ran; it is read as data that anyone may have
written, and only what the exam allows reaches the ledger. To whom the points belong is known here alone.
"""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from autograder.course.configuration import Course
from autograder.course.errors import AutograderError, UsageError, describe_error
from autograder.course.exam import Exam
from autograder.course.layout import notebook_places
from autograder.course.names import is_notebook_name, name_file
from autograder.course.reports import Report
from autograder.course.submissions import NotebookFile, Student
from autograder.course.temporary_folders import temporary_folder
from autograder.course.whole_files import write_whole
from autograder.git.repository import GitRepository
from autograder.git.student_stores import Fork
from autograder.grading.finished_tasks import FinishedTask
from autograder.grading.grading_run import grade_tasks
from autograder.grading.oversized_notebooks import is_too_large
from autograder.grading.returned_reports import read_returned_report
from autograder.record.ledger import Ledger
from autograder.record.open_tasks import GradingTask

BUNDLE_VERSION = 1
MANIFEST = "bundle.json"
BLOB = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
NOBODY = Student("bundle", "")


@dataclass(frozen=True)
class BundlePiece:
    """A notebook in a bundle, and the exam it is for."""

    assignment: str
    exam: str
    blob: str
    path: str
    size: int


@dataclass(frozen=True)
class RecordedTask:
    """What became of a task: its report is in the ledger, or `error` says why not; neither if none
    came back.
    """

    task: GradingTask
    report: Report | None = None
    error: str = ""


def write_bundle(
    course: Course,
    exams: Mapping[str, Exam],
    tasks: Sequence[GradingTask],
    read: Callable[[GradingTask], bytes],
    out: Path,
) -> list[str]:
    """Write a bundle into a new folder, and return a sentence for each notebook that could not be
    had.

    Raises
    ------
    UsageError
        If the folder is not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not empty; name a new folder")
    notebooks = out / "notebooks"
    notebooks.mkdir(parents=True, exist_ok=True)
    pieces = []
    missing = []
    for task in tasks:
        try:
            # A larger one is not graded, only said to be too large.
            if not is_too_large(course, task):
                (notebooks / f"{task.file.blob}.ipynb").write_bytes(read(task))
            exam = exams[task.assignment].version
            pieces.append(
                BundlePiece(task.assignment, exam, task.file.blob, task.file.path, task.file.size)
            )
        except (AutograderError, OSError) as error:
            (notebooks / f"{task.file.blob}.ipynb").unlink(missing_ok=True)
            missing.append(f"{task.assignment}, {task.file.path}: {describe_error(error)}")
    manifest = {"version": BUNDLE_VERSION, "pieces": [asdict(piece) for piece in pieces]}
    (out / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return missing


def read_bundle(folder: Path, shard: tuple[int, int] = (1, 1)) -> list[BundlePiece]:
    """Return the pieces of a bundle, or a part of them: of a shard (2, 5) every fifth, beginning
    with the second.

    Raises
    ------
    UsageError
        If the folder holds no bundle, or one of another version.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["version"] != BUNDLE_VERSION:
            raise ValueError(
                f"version {manifest['version']!r}, this program reads {BUNDLE_VERSION}"
            )
        pieces = [_checked(BundlePiece(**entry)) for entry in manifest["pieces"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{path}: no bundle of notebooks to grade ({reason}); `autograder bundle` makes one"
        ) from None
    number, of = shard
    # In an order that every shard finds: each reads the whole list and takes its own.
    return sorted(pieces, key=lambda piece: (piece.blob, piece.assignment))[number - 1 :: of]


def grade_bundle(
    course: Course,
    exams: Mapping[str, Exam],
    folder: Path,
    pieces: Sequence[BundlePiece],
    out: Path,
) -> Iterator[FinishedTask]:
    """Grade pieces of a bundle, write each report into a folder of its own kind, and yield it.

    Raises
    ------
    UsageError
        If a piece is for an exam this checkout does not have, or its notebook is not the one that
        was sent.
    NoJail
        If this machine has no jail: then nothing is graded.
    """
    for piece in pieces:
        if piece.assignment not in exams or exams[piece.assignment].version != piece.exam:
            raise UsageError(
                f"{folder}: bundled for another exam of {piece.assignment!r} than this checkout has"
            )
    out.mkdir(parents=True, exist_ok=True)
    with temporary_folder("bundle") as scratch:
        here = replace(
            course, forks=scratch, outputs=scratch / "outputs", ledger=scratch / "ledger"
        )
        store = Fork(NOBODY, here.forks / f"{NOBODY.id}.git", course.branch)
        for piece in pieces:
            file = folder / "notebooks" / f"{piece.blob}.ipynb"
            if (
                piece.size <= course.notebook_mb * 1e6
                and store.keep(file.read_bytes()) != piece.blob
            ):
                raise UsageError(f"{file}: not the notebook that was sent")
        tasks = []
        for piece in pieces:
            notebook = NotebookFile(piece.path, piece.blob, piece.size)
            tasks.append(GradingTask(piece.assignment, notebook, NOBODY))
        for finished in grade_tasks(here, exams, tasks):
            if finished.report is not None:
                _write(out / _name(finished.task), finished.report)
            yield finished


def record_returned(
    course: Course,
    exams: Mapping[str, Exam],
    tasks: Sequence[GradingTask],
    folder: Path,
    now: datetime,
) -> Iterator[RecordedTask]:
    """Hold what came back against what was to be graded, append what is believed to the ledger, and
    yield each task.

    Only files with the names of tasks are looked at, and a task is open only while the ledger lacks its report: what
    was recorded before, or was never asked for, changes nothing.
    """
    ledger = Ledger.of(course)
    for task in tasks:
        path = folder / _name(task)
        if not os.path.lexists(path):
            yield RecordedTask(task)
            continue
        try:
            report = read_returned_report(path, exams[task.assignment])
        except AutograderError as error:
            yield RecordedTask(
                task,
                error=f"{task.student.id}, {task.assignment}: what came back is refused: {error}",
            )
            continue
        failed = []
        for student, commit in task.waiting:
            try:
                entries = ledger.read(student).graded
                if not any(
                    entry.report == report and entry.commit == commit for entry in entries
                ):  # started again
                    ledger.add_report(student, commit, task.file.blob, report, now)
            except (AutograderError, OSError) as error:
                failed.append(f"{student}, {task.assignment}: {describe_error(error)}")
        yield RecordedTask(task, report, "; ".join(failed))


def write_course(root: Path, out: Path) -> None:
    """Write the course as it is in its repository's newest commit, and nothing else that lies
    about, into a folder.

    Raises
    ------
    GitFailed
        If the course is in no git repository.
    """
    archive = GitRepository(root).raw("archive", "--format=tar", "HEAD", ".")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(out, filter="data")


def _checked(piece: BundlePiece) -> BundlePiece:
    if not is_notebook_name(piece.assignment) or not BLOB.fullmatch(piece.blob):
        raise ValueError(f"{piece.assignment!r} or {piece.blob!r} is no name")
    if piece.path not in notebook_places(piece.assignment) or not isinstance(piece.size, int):
        raise ValueError(f"{piece.path!r} is no place for {piece.assignment!r}")
    return piece


def _name(task: GradingTask) -> str:
    return f"{name_file(task.assignment)}.{task.file.blob}.json"


def _write(path: Path, report: Report) -> None:
    text = json.dumps(report.to_json(), ensure_ascii=False)
    write_whole(path, text.encode("utf-8", "replace"), "returned report")
