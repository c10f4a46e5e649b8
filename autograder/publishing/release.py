"""From a source notebook to the one students get, made by nbgrader's own converter and then proved.

Three proofs stand between a source notebook and its release: nothing of a solution or of a hidden test is in it; as
released it runs to its end and scores nothing; the source itself scores everything. If one fails, nothing is
released and the reason is said.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from traitlets.config.loader import Config, PyFileConfigLoader

from autograder.config import CONFIG_FILE, Course
from autograder.errors import ReleaseError
from autograder.exam import Exam
from autograder.grader.examiner import Examined, Examiner
from autograder.handout import read_handout
from autograder.publishing.fields import for_students
from autograder.publishing.leaks import leaks
from autograder.record.gradebook import make_room, put_tools_on_path
from autograder.records import Status, Submission
from autograder.temporary import temporary_folder
from autograder.writing import write_whole


@dataclass(frozen=True)
class Released:
    """A release that passed its proofs; `others` lie in its folder, are no part of it and were left alone."""

    assignment: str
    path: Path
    exercises: int
    points: float
    changed: bool
    others: tuple[str, ...] = ()


def release(course: Course, assignment: str, examiner: Examiner) -> Released:
    """Make, prove and put in place the released version of one assignment, and enter it in the gradebook.

    The notebook and the files its source brings are written; whatever else lies in the folder is not touched.

    Raises
    ------
    ReleaseError
        If a proof failed; the folder of releases and the gradebook are then as they were.
    ExamError
        If the source notebook cannot serve as an exam.
    """
    exam = course.exam(assignment)
    with temporary_folder("release") as folder:
        staged = _convert(course, assignment, folder, enter=False)
        exam = replace(exam, handout=read_handout(exam.cells, staged))
        prove(exam, staged, course.source(assignment), examiner)
        make_room(course, exam)
        enter(course, assignment)
        files = _files(staged.parent)
    folder_here = course.releases / assignment
    changed = _put(files, folder_here, last=staged.name)
    others = tuple(sorted(path.name for path in folder_here.iterdir() if path.name not in files))
    return Released(assignment, course.release(assignment), len(exam.exercises), exam.points, changed, others)


def enter(course: Course, assignment: str) -> None:
    """Enter an assignment into the gradebook as its source is now.

    Raises
    ------
    ReleaseError
        If nbgrader cannot convert it, or refuses because of what was handed in; see `gradebook.make_room`.
    """
    with temporary_folder("release") as folder:
        _convert(course, assignment, folder, enter=True)


def is_current(course: Course, assignment: str) -> bool:
    """Return whether what is released is what the source would give now.

    Raises
    ------
    ReleaseError
        If nbgrader cannot convert the source.
    """
    with temporary_folder("release") as folder:
        staged = _convert(course, assignment, folder, enter=False)
        files = _files(staged.parent)
    return _stale(files, course.releases / assignment) == []


def _convert(course: Course, assignment: str, folder: Path, *, enter: bool) -> Path:
    """Run nbgrader's generate_assignment into a folder, and into the gradebook too where `enter` says so."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory

    config = _nbgrader_config(course)
    config.CourseDirectory.root = str(course.root)
    config.CourseDirectory.release_directory = str(folder / "release")
    config.CourseDirectory.db_url = course.database
    if not enter:  # what its option --no-db means
        config.GenerateAssignment.no_database = True
        config.SaveCells.enabled = False
    config.CourseDirectory.assignment_id = assignment
    log = logging.getLogger("autograder.nbgrader")
    said = _Errors()
    log.propagate, log.handlers = False, [said]
    coursedir = CourseDirectory(config=config, log=log)
    converter = GenerateAssignment(coursedir=coursedir, config=config, log=log)
    put_tools_on_path()
    try:
        converter.start()
    except (Exception, SystemExit) as error:
        reason = said.last or str(error)
        raise ReleaseError(f"{course.source(assignment)}: nbgrader could not convert it: {reason}") from error
    made = folder / "release" / "." / assignment / f"{assignment}.ipynb"
    notebook = for_students(json.loads(made.read_text(encoding="utf-8")))
    # As nbformat writes it, so that a notebook of which nothing was left out is the converter's to the byte.
    text = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True, separators=(",", ": "))
    made.write_text(text + "\n", encoding="utf-8")
    return made


class _Errors(logging.Handler):
    """Keeps the last line of what nbgrader logs first as an error: the reason, behind a traceback."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        lines = [line for line in record.getMessage().splitlines() if line.strip()]
        if record.levelno >= logging.ERROR and len(lines) > 1 and not self.last:
            self.last = lines[-1].strip()


def _nbgrader_config(course: Course) -> Config:
    config: Config = PyFileConfigLoader(CONFIG_FILE, path=str(course.root)).load_config()
    return config


def prove(exam: Exam, released: Path, source: Path, examiner: Examiner) -> None:
    """Check that a released notebook gives nothing away, scores nothing, and that its source scores everything.

    Raises
    ------
    ReleaseError
        Naming what is wrong and where.
    """
    leaked = leaks(exam, released)
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


def _examine(exam: Exam, notebook: Path, examiner: Examiner) -> Examined:
    return examiner.examine(exam, Submission(exam.assignment, notebook.name, notebook.read_bytes()))


def _errors(exam: Exam, examined: Examined, *, stubs: bool = False) -> Sequence[str]:
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
