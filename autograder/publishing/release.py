"""From a source notebook to the one students get, made by nbgrader's own converter and then proved.

Three proofs stand between a source notebook and its release: nothing of a solution or of a hidden test is in it; as
released it runs to its end and scores nothing; the source itself scores everything. If one fails, nothing is
released and the reason is said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.course.configuration import Course
from autograder.course.errors import ReleaseError
from autograder.course.exam import Exam
from autograder.course.handout import read_handout
from autograder.course.submissions import Status, Submission
from autograder.course.temporary_folders import temporary_folder
from autograder.course.whole_files import write_whole
from autograder.gradebook.assignment_conversion import convert_assignment, enter_assignment
from autograder.gradebook.exam_entries import clear_outdated_exam
from autograder.grader.examiner import ExaminedNotebook, Examiner
from autograder.publishing.leak_search import find_leaks
from autograder.publishing.notebook_fields import keep_student_fields


@dataclass(frozen=True)
class ReleasedAssignment:
    """A release that passed its proofs; `others` lie in its folder, are no part of it and were left alone."""

    assignment: str
    path: Path
    exercises: int
    points: float
    changed: bool
    others: tuple[str, ...] = ()


def release_assignment(course: Course, assignment: str, examiner: Examiner) -> ReleasedAssignment:
    """Make, prove and put in place the released version of one assignment, and enter it in the gradebook.

    The notebook and the files its source brings are written; whatever else lies in the folder is not touched.

    Raises
    ------
    ReleaseError
        If a proof failed; the folder of releases and the gradebook are then as they were.
    ExamError
        If the source notebook cannot serve as an exam.
    """
    exam = course.read_exam(assignment)
    with temporary_folder("release") as folder:
        staged = _stage(course, assignment, folder)
        exam = replace(exam, handout=read_handout(exam.cells, staged))
        prove_release(exam, staged, course.source_path(assignment), examiner)
        clear_outdated_exam(course, exam)
        enter_assignment(course, assignment)
        files = _files(staged.parent)
    folder_here = course.releases / assignment
    changed = _put(files, folder_here, last=staged.name)
    others = tuple(sorted(path.name for path in folder_here.iterdir() if path.name not in files))
    return ReleasedAssignment(
        assignment, course.release_path(assignment), len(exam.exercises), exam.points, changed, others
    )


def _stage(course: Course, assignment: str, folder: Path) -> Path:
    """Return the notebook for students, made in a folder: nbgrader's, less what is for instructors."""
    made = convert_assignment(course, assignment, folder, enter=False)
    notebook = keep_student_fields(json.loads(made.read_text(encoding="utf-8")))
    # As nbformat writes it, so that a notebook of which nothing was left out is the converter's to the byte.
    text = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True, separators=(",", ": "))
    made.write_text(text + "\n", encoding="utf-8")
    return made


def is_release_current(course: Course, assignment: str) -> bool:
    """Return whether what is released is what the source would give now.

    Raises
    ------
    ReleaseError
        If nbgrader cannot convert the source.
    """
    with temporary_folder("release") as folder:
        staged = _stage(course, assignment, folder)
        files = _files(staged.parent)
    return _stale(files, course.releases / assignment) == []


def prove_release(exam: Exam, released: Path, source: Path, examiner: Examiner) -> None:
    """Check that a released notebook gives nothing away, scores nothing, and that its source scores everything.

    Raises
    ------
    ReleaseError
        Naming what is wrong and where.
    """
    leaked = find_leaks(exam, released)
    if leaked:
        raise ReleaseError(f"{exam.assignment}: not released, it would give away:\n" + "\n".join(leaked))
    _prove_scores_nothing(exam, released, examiner)
    _prove_scores_everything(exam, source, examiner)


def _prove_scores_nothing(exam: Exam, released: Path, examiner: Examiner) -> None:
    examined = _examine(exam, released, examiner)
    report = examined.report
    if report.points > 0:
        given = next(exercise for exercise in report.exercises if exercise.points > 0)
        raise ReleaseError(f"{exam.assignment}: not released, unsolved it scores on {given.id}: its test is too weak")
    failing = next(iter(_errors(exam, examined, stubs=True)), "")
    if failing or report.problems:
        reason = failing or report.problems[0]
        raise ReleaseError(f"{exam.assignment}: not released, unsolved it does not run: {reason}")
    for exercise in report.exercises:
        if exercise.status is not Status.NOT_ATTEMPTED:
            raise ReleaseError(
                f"{exam.assignment}: not released, unsolved {exercise.id} reads {exercise.status.value!r} "
                f"instead of 'not attempted': {exercise.detail or exercise.hint}"
            )


def _prove_scores_everything(exam: Exam, source: Path, examiner: Examiner) -> None:
    examined = _examine(exam, source, examiner)
    failing = next(iter(_errors(exam, examined)), "")
    if failing:
        raise ReleaseError(f"{exam.assignment}: not released, its source does not run: {failing}")
    for exercise in examined.report.exercises:
        if exercise.status not in {Status.PASSED, Status.TO_BE_MARKED}:
            raise ReleaseError(
                f"{exam.assignment}: not released, its own solution of {exercise.id} gets {exercise.points:g} "
                f"of {exercise.max_points:g}: {exercise.detail or exercise.hint}"
            )


def _examine(exam: Exam, notebook: Path, examiner: Examiner) -> ExaminedNotebook:
    return examiner.examine(exam, Submission(exam.assignment, notebook.name, notebook.read_bytes()))


def _errors(exam: Exam, examined: ExaminedNotebook, *, stubs: bool = False) -> Sequence[str]:
    """Say which cells failed and how; `stubs` may: a solution cell that is one stub as a whole raises at once."""
    unwritten = {number for number, cell in enumerate(exam.cells, start=1) if stubs and cell.solution}
    return [
        f"cell {cell['number']}: {output['ename']}: {output['evalue']}"
        for cell in examined.cells
        for output in cell["outputs"]
        if output.get("output_type") == "error"
        and not (cell["number"] in unwritten and output["ename"] == "NotImplementedError")
    ]


def _put(files: Mapping[str, bytes], target: Path, last: str) -> bool:
    """Write those files that differ, the one called `last` after all others; return whether any did."""
    stale = _stale(files, target)
    target.mkdir(parents=True, exist_ok=True)
    for name in sorted(stale, key=lambda name: name == last):
        write_whole(target / name, files[name], "release")
    return bool(stale)


def _stale(files: Mapping[str, bytes], target: Path) -> list[str]:
    """Return the names of files that a folder does not have, or has with another content."""
    return [
        name
        for name, content in files.items()
        if not (target / name).is_file() or (target / name).read_bytes() != content
    ]


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
