"""The notebook that nbgrader's formgrader shows: a student's cells with what they gave, and the
exam's own tests.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from autograder.course.configuration import Course
from autograder.course.errors import RemoteFailed
from autograder.course.exam import Exam, SourceCell
from autograder.course.names import name_assignment, name_notebook
from autograder.course.notebook_files import Cell, Notebook, Unreadable, read_notebook
from autograder.course.reports import Status
from autograder.course.submission_files import unpack_submission
from autograder.course.submissions import NotebookFile, Push, Student
from autograder.course.whole_files import write_whole
from autograder.gradebook.answer_pictures import show_answer
from autograder.gradebook.harmless_outputs import harmless_outputs
from autograder.grader.cell_restoring import restore_cells
from autograder.grader.essays import find_essays, list_looked_at
from autograder.record.ledger import StudentRecord
from autograder.record.open_tasks import GradingTask, outputs_path
from autograder.record.standings import PartStanding, Standing

Standings = Mapping[str, Mapping[str, Standing]]
# In the notebook's metadata: which state of the student's file it shows, and whether with what its
# cells gave.
BLOB = "autograder_blob"
RAN = "autograder_ran"

CELL_ID = "cell-"  # before its number
METADATA_BYTES = 1000  # more than the metadata of a notebook of ours take


def autograded_path(course: Course, student: str, assignment: str) -> Path:
    """Return where nbgrader looks for the notebook."""
    folder = course.autograded / student / name_assignment(assignment)
    return folder / f"{name_notebook(assignment)}.ipynb"


def shown_push(standing: Standing) -> Push | None:
    """Return the push that the formgrader shows: of the last part that has results."""
    part = _shown_part(standing)
    return None if part is None else part.push


def shown_file(standing: Standing) -> NotebookFile | None:
    """Return the notebook of that push."""
    part = _shown_part(standing)
    return None if part is None else part.file


def _shown_part(standing: Standing) -> PartStanding | None:
    """Return the last part that has results: its push is the newest that counts for anything."""
    for part in reversed(standing.parts):
        if part.push and part.exercises:
            return part
    return None


def find_unshown(
    course: Course,
    students: Sequence[Student],
    standings: Standings,
    read: Callable[[GradingTask], bytes],
) -> list[GradingTask]:
    """Return what has to be run so that a person can mark it: notebooks that wait for marks and
    have no outputs here.

    Nobody waits for these tasks, so `grade_tasks` records nothing of them; it keeps the outputs. A notebook that
    `read` cannot get is left out.
    """
    tasks: dict[tuple[str, str], GradingTask] = {}
    for student in students:
        for name, standing in standings[student.id].items():
            push = shown_push(standing)
            file = shown_file(standing)
            if push is None or file is None or not _waits_for_mark(standing):
                continue
            if outputs_path(course, name, file.blob).exists() or shows_outputs(
                course, student.id, name, file.blob
            ):
                continue
            # Read before it is promised: a push that is nowhere to be had any more is no task.
            with suppress(RemoteFailed, OSError):
                read(GradingTask(name, file, student, [(student.id, push.commit)]))
                tasks.setdefault((name, file.blob), GradingTask(name, file, student))
    return list(tasks.values())


def _waits_for_mark(standing: Standing) -> bool:
    for part in standing.parts:
        for exercise in part.exercises:
            if exercise.status is Status.TO_BE_MARKED:
                return True
    return False


def find_unneeded_outputs(
    course: Course, standings: Standings, records: Mapping[str, StudentRecord]
) -> list[Path]:
    """Return the files of outputs that nobody will look at any more.

    Needed are those of notebooks that count or are newest, until the formgrader shows the notebook with them.
    """
    files: list[Path] = []
    for name in course.assignments:
        files += (course.outputs / name).glob("*.json")
    if not files:  # most runs end here, without a look at the whole class
        return []
    needed: set[str] = set()
    for student, record in records.items():
        for push in record.pushes[-1:]:
            needed.update(file.blob for file in push.notebooks)
        for standing in standings.get(student, {}).values():
            needed.update(part.file.blob for part in standing.parts if part.file)
    shown: set[str] = set()
    waiting: set[str] = set()
    for student, mine in standings.items():
        for name, standing in mine.items():
            file = shown_file(standing)
            if file is not None and shows_outputs(course, student, name, file.blob):
                shown.add(file.blob)
            elif file is not None:
                waiting.add(file.blob)
    # Equal notebooks of two students share a file: it stays until both are shown.
    needed = (needed - shown) | waiting
    return [path for path in files if path.stem not in needed]


def remove_unneeded_outputs(
    course: Course, standings: Standings, records: Mapping[str, StudentRecord]
) -> int:
    """Remove the outputs that nobody will look at any more, and return how many there were."""
    removed = 0
    for path in find_unneeded_outputs(course, standings, records):
        with suppress(OSError):  # it goes the next time
            path.unlink()
            removed += 1
    return removed


def shown_blob(course: Course, student: str, assignment: str) -> str:
    """Return the git blob of what the formgrader shows of a student at this moment, "" if it shows
    nothing of ours.
    """
    try:
        notebook = json.loads(
            autograded_path(course, student, assignment).read_text(encoding="utf-8")
        )
        return str(notebook["metadata"][BLOB])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def shows_blob(course: Course, student: str, assignment: str, blob: str) -> bool:
    """Whether the formgrader shows this blob of a student."""
    return _blob_entry(blob) in _read_metadata(course, student, assignment)


def shows_outputs(course: Course, student: str, assignment: str, blob: str) -> bool:
    """Whether the formgrader shows this blob of a student with what its cells gave."""
    metadata = _read_metadata(course, student, assignment)
    return _blob_entry(blob) in metadata and f'"{RAN}": true'.encode() in metadata


def _blob_entry(blob: str) -> bytes:
    return f'"{BLOB}": "{blob}"'.encode()


def _read_metadata(course: Course, student: str, assignment: str) -> bytes:
    """Return the end of the file, where its metadata are. Quotes within a student's cell are
    escaped there.
    """
    try:
        with autograded_path(course, student, assignment).open("rb") as file:
            # A class has thousands of these files; parsing them took longer than all the rest.
            length = file.seek(0, os.SEEK_END)
            file.seek(max(0, length - METADATA_BYTES))
            return file.read()
    except OSError:
        return b""


def write_autograded(course: Course, exam: Exam, student: str, blob: str, content: bytes) -> None:
    """Write the notebook that the formgrader is to show of a student; `content` is that of the
    blob.
    """
    # Those of grading first: they are newer, where the notebook was run again.
    executed = _read_outputs(outputs_path(course, exam.assignment, blob))
    if executed is None:
        executed = _read_shown_outputs(course, student, exam.assignment, blob)
    notebook = autograded_notebook(exam, content, executed or {})
    notebook["metadata"][BLOB] = blob
    if executed is not None:
        notebook["metadata"][RAN] = True
    path = autograded_path(course, student, exam.assignment)
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    # JSON may hold half a surrogate pair, which no file can.
    write_whole(path, text.encode("utf-8", "replace"), "autograded notebook")


def _read_outputs(path: Path) -> dict[int, Any] | None:
    """Return what grading kept of each cell, by number; None where there is nothing of use."""
    try:
        return {cell["number"]: cell for cell in json.loads(path.read_text())}
    except (OSError, ValueError, KeyError, TypeError):
        return None  # without what they gave, the cells can be shown as well


def _read_shown_outputs(
    course: Course, student: str, assignment: str, blob: str
) -> dict[int, Any] | None:
    """Return the outputs that the formgrader shows of this blob now: those of grading are gone once
    it does.
    """
    if not shows_outputs(course, student, assignment, blob):
        return None
    executed: dict[int, Any] = {}
    with suppress(OSError, ValueError, KeyError, TypeError):
        notebook = json.loads(
            autograded_path(course, student, assignment).read_text(encoding="utf-8")
        )
        for cell in notebook["cells"]:
            number = cell["id"].removeprefix(CELL_ID)
            if cell.get("outputs") and number.isdigit():
                executed[int(number)] = {"outputs": cell["outputs"]}
    return executed


def autograded_notebook(
    exam: Exam, content: bytes, executed: Mapping[int, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a notebook of format 4 from a submission and what its cells gave, by number from 1."""
    marks: dict[str, SourceCell] = {}
    for cell in exam.cells:
        if cell.grade_id:
            marks[cell.grade_id] = cell
    try:
        notebook = read_notebook(unpack_submission(content).notebook)
    except Unreadable:  # there is a row in the gradebook, and the formgrader needs a file for it
        notebook = Notebook(())
    cells = restore_cells(exam, notebook)
    beside: dict[int, str] = {}
    for essay in find_essays(exam, cells).values():
        if essay.cell:
            beside[essay.cell] = essay.exercise
    looked_at = list_looked_at(exam, cells)
    written = []
    seen: set[str] = set()
    for entry in cells:
        grade_id = entry.cell.grade_id or beside.get(entry.number, "")
        given = executed.get(entry.number, {}).get("outputs", [])
        outputs = harmless_outputs(given, pictures=entry.number in looked_at)
        written.append(_cell(f"{CELL_ID}{entry.number}", entry.cell, marks.get(grade_id), outputs))
        seen.add(grade_id)
    # A graded cell that the notebook lacks: without it the formgrader has no place for its points.
    for mark in marks.values():
        if mark.graded and mark.grade_id not in seen:
            source = exam.handout.text(mark.grade_id) if mark.solution else mark.source
            written.append(_cell(f"{CELL_ID}{len(written) + 1}", Cell(mark.kind, source), mark, []))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": written,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cell(
    cell_id: str, own: Cell, mark: SourceCell | None, outputs: Sequence[Any]
) -> dict[str, Any]:
    """Return a cell of nbformat: the student's own, the exam's where that is locked, with the
    exam's metadata.
    """
    cell: dict[str, Any] = {
        "cell_type": "code" if own.kind == "code" else "markdown",
        "id": cell_id,
    }
    # The exam's metadata and tests, whatever the student made of them: the page shows and saves by
    # these.
    cell["metadata"] = {} if mark is None else {"nbgrader": _marks(mark)}
    if mark is not None and (mark.is_test or mark.locked):
        cell["source"] = mark.source
    elif own.kind == "code":
        cell["source"] = own.source
    else:
        cell["source"], pictures = show_answer(own.source, own.attachments)
        cell |= {"attachments": pictures} if pictures else {}
    return cell | (
        {"execution_count": None, "outputs": list(outputs)} if own.kind == "code" else {}
    )


def _marks(mark: SourceCell) -> dict[str, Any]:
    # An exam has a task cell as one that is graded and solved; nbgrader wants it to be neither.
    task = mark.graded and mark.solution and mark.kind == "markdown" and mark.locked
    marks = {
        "grade": mark.graded and not task,
        "grade_id": mark.grade_id,
        "locked": mark.locked,
        "schema_version": 3,
        "solution": mark.solution and not task,
        "task": task,
    }
    return marks | ({"points": mark.points} if mark.graded else {})
