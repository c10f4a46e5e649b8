"""The notebook that nbgrader's formgrader shows: a student's cells with what they gave, and the exam's own tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from autograder.config import Course
from autograder.errors import RemoteFailed
from autograder.exam import Exam, SourceCell
from autograder.grader.grading import Task, outputs_path
from autograder.grader.notebooks import Unreadable, read_notebook
from autograder.record.harmless import harmless_outputs, harmless_text
from autograder.record.standings import Standing
from autograder.records import NotebookFile, Push, Status, Student

Standings = Mapping[str, Mapping[str, Standing]]
BLOB = "autograder_blob"  # in the notebook's metadata: which state of the student's file it shows


def autograded_path(course: Course, student: str, assignment: str) -> Path:
    """Return where nbgrader looks for the notebook."""
    return course.autograded / student / assignment / f"{assignment}.ipynb"


def shown_push(standing: Standing) -> Push | None:
    """Return the push that the formgrader shows: of the last part that has results."""
    return next((part.push for part in reversed(standing.parts) if part.push and part.exercises), None)


def shown_file(standing: Standing) -> NotebookFile | None:
    """Return the notebook of that push."""
    return next((part.file for part in reversed(standing.parts) if part.push and part.exercises), None)


def unshown(
    course: Course, students: Sequence[Student], standings: Standings, read: Callable[[Task], bytes]
) -> list[Task]:
    """Return what has to be run so that a person can mark it: notebooks that wait for marks and have no outputs here.

    Nobody waits for these tasks, so `grade` records nothing of them; it keeps the outputs. A notebook that `read`
    cannot get is left out.
    """
    tasks: dict[tuple[str, str], Task] = {}
    for student in students:
        for name, standing in standings[student.id].items():
            push, file = shown_push(standing), shown_file(standing)
            waits = any(
                exercise.status is Status.TO_BE_MARKED for part in standing.parts for exercise in part.exercises
            )
            if push and file and waits and not outputs_path(course, name, file.blob).exists():
                with suppress(RemoteFailed):
                    read(Task(name, file, student, [(student.id, push.commit)]))
                    tasks.setdefault((name, file.blob), Task(name, file, student))
    return list(tasks.values())


def shown_blob(course: Course, student: str, assignment: str) -> str:
    """Return the git blob of what the formgrader shows of a student at this moment, "" if it shows nothing of ours."""
    try:
        notebook = json.loads(autograded_path(course, student, assignment).read_text(encoding="utf-8"))
        return str(notebook["metadata"][BLOB])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def write_autograded(course: Course, exam: Exam, student: str, blob: str, content: bytes) -> None:
    """Write the notebook that the formgrader is to show of a student; `content` is that of the blob."""
    executed: dict[int, Any] = {}
    with suppress(OSError, ValueError, KeyError, TypeError):  # without what they gave, the cells can be shown as well
        outputs = json.loads(outputs_path(course, exam.assignment, blob).read_text())
        executed = {cell["number"]: cell for cell in outputs}
    notebook = autograded_notebook(exam, content, executed)
    notebook["metadata"][BLOB] = blob
    path = autograded_path(course, student, exam.assignment)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    temporary.write_text(text, encoding="utf-8", errors="replace")  # a student's lone surrogate cannot be written
    temporary.replace(path)


def autograded_notebook(exam: Exam, content: bytes, executed: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a notebook of format 4 from a submission and what its cells gave, by number from 1."""
    marks = {cell.grade_id: cell for cell in exam.cells if cell.grade_id}
    try:
        cells = read_notebook(content).cells
    except Unreadable:
        cells = ()
    written = []
    seen: set[str] = set()
    for number, cell in enumerate(cells, start=1):
        ran = executed.get(number, {})
        mark = marks.get(cell.grade_id) if cell.grade_id not in seen else None
        seen |= {cell.grade_id} if mark else set()
        ours = mark.source if mark and (mark.is_test or mark.locked) else None
        kind = "markdown" if cell.kind == "raw" else cell.kind
        source = ours or (cell.source if kind == "code" else harmless_text(cell.source))
        written.append(_cell(f"cell-{number}", kind, source, mark, harmless_outputs(ran.get("outputs", []))))
    for mark in marks.values():
        if mark.graded and mark.grade_id not in seen:
            written.append(_cell(f"cell-{len(written) + 1}", mark.kind, mark.source, mark, []))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": written, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _cell(cell_id: str, kind: str, source: str, mark: SourceCell | None, outputs: Sequence[Any]) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if mark is not None:
        task = mark.graded and mark.solution and mark.kind == "markdown" and mark.locked
        metadata["nbgrader"] = {
            "grade": mark.graded and not task,
            "grade_id": mark.grade_id,
            "locked": mark.locked,
            "schema_version": 3,
            "solution": mark.solution and not task,
            "task": task,
        } | ({"points": mark.points} if mark.graded else {})
    cell = {"cell_type": kind, "id": cell_id, "metadata": metadata, "source": source}
    return cell | ({"execution_count": None, "outputs": list(outputs)} if kind == "code" else {})
