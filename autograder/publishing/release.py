"""From a source notebook to the one students get, made by nbgrader's own converter and then proved.

Three proofs stand between a source notebook and its release: nothing of a solution or of a hidden test is in it; as
released it runs to its end and scores nothing; the source itself scores everything. If the first fails, nothing is
released and the reason is said; where the course is strict the same holds for the others, else they are warnings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from autograder.course.configuration import Course
from autograder.course.errors import ReleaseError
from autograder.course.exam import BY_TAG, RAISES, Exam
from autograder.course.handout import read_handout
from autograder.course.recorded_tests import RecordedTests, fingerprint, write_recorded_tests
from autograder.course.reports import Status
from autograder.course.source_markers import MARKER
from autograder.course.submissions import Submission
from autograder.course.temporary_folders import temporary_folder
from autograder.course.whole_files import write_whole
from autograder.gradebook.assignment_conversion import convert_assignment, enter_assignment
from autograder.gradebook.autotests import make_tests
from autograder.gradebook.exam_entries import clear_outdated_exam
from autograder.grader.examined_notebooks import ExaminedNotebook
from autograder.grader.examiner import Examiner
from autograder.grader.test_places import choose_places
from autograder.publishing.leak_search import find_leaks, list_files
from autograder.publishing.notebook_fields import keep_student_fields

Progress = Callable[[str], object]

UNWRITTEN = "NotImplementedError"  # what a stub raises, and so each cell that calls it
LEAKED = """\
{name}: not released, it would give away:
{leaks}
Whatever is hidden stands between `### BEGIN …` and `### END …` marks, and nowhere else in {source}; correct that, and
release again."""


def _tell_nobody(step: str) -> None:
    """Take note of a step where nobody wants to know."""


@dataclass(frozen=True)
class ReleasedAssignment:
    """A release that passed its proofs.

    Attributes
    ----------
    others : tuple of str
        What lies in its folder, is no part of it and was left alone.
    inside : mapping of str to str
        Exercises whose tests run inside the jail, each with the reason.
    warnings : tuple of str
        What the instructor should look at.
    """

    assignment: str
    path: Path
    exercises: int
    points: float
    changed: bool
    others: tuple[str, ...] = ()
    inside: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class TriedRelease:
    """A release that passed its proofs and is not in its place yet: the exam, the tests made, the
    notebook.
    """

    exam: Exam
    made: RecordedTests
    staged: Path
    warnings: tuple[str, ...] = ()


def release_assignment(
    course: Course, assignment: str, examiner: Examiner, progress: Progress = _tell_nobody
) -> ReleasedAssignment:
    """Make, prove and put in place the released version of one assignment, and enter it in the
    gradebook.

    The notebook and the files its source brings are written; whatever else lies in the folder is
    not touched.

    Parameters
    ----------
    progress : callable
        Called with a few words before each step; together they take a minute.

    Raises
    ------
    ReleaseError
        If a proof failed; the folder of releases and the gradebook are then as they were.
    ExamError
        If the source notebook cannot serve as an exam.
    """
    source = course.source_path(assignment)
    with temporary_folder("release") as folder:
        tried = try_release(course, assignment, folder, examiner, progress)
        exam = tried.exam
        made = tried.made
        staged = tried.staged
        # Last of all that can fail, and before any file is put: the gradebook must know the cells
        # of every notebook that a student may have.
        progress("entering it in the gradebook")
        clear_outdated_exam(course, exam)
        enter_assignment(course, assignment)
        files = _read_files(staged.parent)
    found = {}
    for name, reason in exam.inside.items():
        if reason != BY_TAG:  # a tag stands in the source, and may be taken away there
            found[name] = reason
    print_of_source = fingerprint(source) if found or made.made else ""
    write_recorded_tests(source, RecordedTests(print_of_source, found, made.made))
    folder_here = course.release_path(assignment).parent
    changed = _put(files, folder_here, last=staged.name)
    ours = course.list_released_names(assignment).union(files)
    others = []
    for path in list_files(folder_here):
        if path not in ours:
            others.append(path)
    return ReleasedAssignment(
        assignment=assignment,
        path=course.release_path(assignment),
        exercises=len(exam.exercises),
        points=exam.points,
        changed=changed,
        others=tuple(others),
        inside=exam.inside,
        warnings=tried.warnings,
    )


def try_release(
    course: Course,
    assignment: str,
    folder: Path,
    examiner: Examiner,
    progress: Progress = _tell_nobody,
) -> TriedRelease:
    """Make and prove what students would get of an assignment, in a folder; nothing of the course
    is changed.

    Raises
    ------
    ReleaseError
        If a proof failed.
    ExamError
        If the source notebook cannot serve as an exam.
    """
    source = course.source_path(assignment)
    progress("reading the source")
    made = make_tests(course, assignment)
    exam = course.read_exam(assignment, made)
    _require_begun_solutions(exam, source)
    progress("making the students' notebook")
    staged = _stage(course, assignment, folder)
    # What was released before may be another notebook: tests are tried with this one's stubs.
    exam = replace(exam, handout=read_handout(exam.cells, staged, exam.markers))
    progress("trying where each test runs")
    exam, doubts = _place_tests(exam, staged, examiner, source)
    warnings = prove_release(exam, staged, source, examiner, progress)
    return TriedRelease(exam, made, staged, (*doubts, *warnings))


def _require_begun_solutions(exam: Exam, source: Path) -> None:
    """Refuse a solution cell with a mark in it but none that begins the solution: nobody means that
    all of it, its `def` too, is given out as a stub.

    Raises
    ------
    ReleaseError
        Naming the cell and the mark.
    """
    begin, _ = exam.markers.solution
    for number, cell in enumerate(exam.cells, start=1):
        if cell.kind != "code" or not cell.holds_solution or begin in cell.source:
            continue
        for line in cell.source.splitlines():
            if MARKER.match(line):
                raise ReleaseError(
                    f"{source}: cell {number} ({cell.grade_id}) has the mark {line.strip()!r}, but no "
                    f"{begin!r} before it: all of the cell would be given out as a stub; correct the mark"
                )


def _place_tests(
    exam: Exam, released: Path, examiner: Examiner, source: Path
) -> tuple[Exam, tuple[str, ...]]:
    """Return the exam with its tests where they run best, and what is wrong with tests wherever
    they run.
    """
    if find_leaks(exam, released):  # the proof refuses it: nothing needs to be tried
        return exam, ()
    places = choose_places(exam, source.read_bytes(), released.read_bytes(), examiner)
    return replace(exam, inside=places.inside), places.warnings


def _stage(course: Course, assignment: str, folder: Path) -> Path:
    """Return the notebook for students, made in a folder: nbgrader's, less what is for
    instructors.
    """
    made = convert_assignment(course, assignment, folder, enter=False)
    notebook = keep_student_fields(json.loads(made.read_text(encoding="utf-8")))
    # As nbformat writes it, so that a notebook of which nothing was left out is the converter's to
    # the byte.
    text = json.dumps(
        notebook, ensure_ascii=False, indent=1, sort_keys=True, separators=(",", ": ")
    )
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
        files = _read_files(staged.parent)
    return _stale(files, course.release_path(assignment).parent) == []


def prove_release(
    exam: Exam, released: Path, source: Path, examiner: Examiner, progress: Progress = _tell_nobody
) -> tuple[str, ...]:
    """Check that a released notebook gives nothing away, scores nothing, and that its source scores
    everything.

    Returns
    -------
    tuple of str
        What is not as it should be, where the exam is not strict and it gives nothing away.

    Raises
    ------
    ReleaseError
        Naming what is wrong and where.
    """
    leaked = find_leaks(exam, released)
    if leaked:
        listed = "\n".join(leaked)
        raise ReleaseError(LEAKED.format(name=exam.assignment, leaks=listed, source=source))
    progress("grading it unsolved, which must give nothing")
    given = list(_scores_when_unsolved(exam, released, examiner))
    progress("grading the source, which must get everything")
    lost = list(_lost_by_solution(exam, source, examiner))
    # A test that fails of itself fails both ways; what it does to a right answer says why
    findings = [*lost, *given]
    if findings and exam.strict:
        raise ReleaseError(f"{exam.assignment}: not released, {findings[0]}")
    return (*given, *lost)


def _scores_when_unsolved(exam: Exam, released: Path, examiner: Examiner) -> Iterator[str]:
    """Say where the released notebook gets points, does not run, or reads as if somebody had
    answered.
    """
    examined = _examine(exam, released, examiner)
    report = examined.report
    for exercise in report.exercises:
        if exercise.points > 0:
            test = exam.tests.get(exercise.id, "")
            step = "let every criterion compare something that only an answer can give"
            # Without its value at the end a cell has all points, as in nbgrader, when nothing is raised
            if "Marking(" in test and ".score(" not in test:
                step = "its last line has to be marking.score()"
            yield (
                f"unsolved it scores on {exercise.id}: its test is too weak{_where(exam, exercise.id)}; {step}"
            )
    failing = _errors(exam, examined, stubs=True)
    for reason in failing or report.problems:
        # In nbgrader's notebooks what comes below an answer may use it: nobody is to change those.
        if not exam.strict and UNWRITTEN in reason:
            continue
        yield f"unsolved it does not run: {reason}; put `with attempt():` around what needs an answer"
    for exercise in report.exercises:
        if exam.strict and exercise.status is not Status.NOT_ATTEMPTED:
            yield (
                f"unsolved {exercise.id}{_where(exam, exercise.id)} reads {exercise.status.value!r} instead of "
                f"'not attempted': {exercise.detail or exercise.hint}; let its stub be `raise NotImplementedError`"
            )


def _lost_by_solution(exam: Exam, source: Path, examiner: Examiner) -> Iterator[str]:
    """Say which of the source's cells fail, and where its own solution does not get all points."""
    examined = _examine(exam, source, examiner)
    for failing in _errors(exam, examined):
        yield f"its source does not run: {failing}; run it in JupyterLab from top to bottom"
    manual = {exercise.id for exercise in exam.marked_by_hand}
    for exercise in examined.report.exercises:
        marked = exercise.status is Status.TO_BE_MARKED and exercise.id in manual
        if exercise.status is not Status.PASSED and not marked:
            yield (
                f"its own solution of {exercise.id} gets {exercise.points:g} "
                f"of {exercise.max_points:g}{_where(exam, exercise.id)}: {exercise.detail or exercise.hint}"
            )


def _where(exam: Exam, exercise: str) -> str:
    """Name the test cell of an exercise."""
    for number, cell in enumerate(exam.cells, start=1):
        if cell.grade_id == exercise:
            return f" (cell {number})"
    return ""


def _examine(exam: Exam, notebook: Path, examiner: Examiner) -> ExaminedNotebook:
    return examiner.examine(exam, Submission(exam.assignment, notebook.name, notebook.read_bytes()))


def _errors(exam: Exam, examined: ExaminedNotebook, *, stubs: bool = False) -> Sequence[str]:
    """Say which cells failed that are not meant to, and how.

    With `stubs`, a solution cell may that is one stub as a whole: it raises at once.
    """
    failing = []
    for cell in examined.cells:
        number = cell["number"]
        for output in cell["outputs"]:
            if output.get("output_type") == "error" and not _is_meant(exam, number, output, stubs):
                failing.append(f"cell {number}: {output['ename']}: {output['evalue']}")
    return failing


def _is_meant(exam: Exam, number: int, error: Mapping[str, Any], stubs: bool) -> bool:
    """Whether a cell of this number may fail like this."""
    # What is kept was run without the inside tests: names that only these make are missing.
    made_by_tests = exam.made_by_tests_only if exam.inside else frozenset()
    if error["ename"] == "NameError":
        for name in made_by_tests:
            if f"'{name}'" in error["evalue"]:
                return True
    if number > len(exam.cells):
        return False
    cell = exam.cells[number - 1]
    if RAISES in cell.tags or cell.is_test:
        return True
    return stubs and cell.solution and error["ename"] == UNWRITTEN


def _put(files: Mapping[str, bytes], target: Path, last: str) -> bool:
    """Write those files that differ, the one called `last` after all others; return whether any
    did.
    """
    # The notebook comes last: who is killed before it finds the old release, stale but whole.
    stale = _stale(files, target)
    target.mkdir(parents=True, exist_ok=True)
    for name in sorted(stale, key=lambda name: name == last):
        write_whole(target / name, files[name], "release")
    return bool(stale)


def _stale(files: Mapping[str, bytes], target: Path) -> list[str]:
    """Return the names of files that a folder does not have, or has with another content."""
    stale = []
    for name, content in files.items():
        path = target / name
        if not path.is_file() or path.read_bytes() != content:
            stale.append(name)
    return stale


def _read_files(folder: Path) -> dict[str, bytes]:
    return {path: (folder / path).read_bytes() for path in list_files(folder)}
