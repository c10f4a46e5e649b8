"""The test of the tests: known answers and mutants graded as a student's would be.

Every known mistake has to lose points and should be told by its own hint, every right answer written otherwise keeps
all points, functions that return nothing get none, and mutants of the reference lose some: one that keeps them all
shows a gap in the hidden tests.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from enum import StrEnum
from multiprocessing.util import Finalize

from autograder.answers import nothing_cell, variant_cell
from autograder.config import Course
from autograder.errors import AutograderError, ExamError
from autograder.exam import Exam, Exercise, SourceCell, read_exam
from autograder.examiner import Examiner
from autograder.excerpt import Excerpt, excerpt, whole
from autograder.jail import Limits
from autograder.mistakes import Alternatives, load_variants
from autograder.mutants import mutants_of
from autograder.records import ExerciseResult

CALL_SECONDS, SECONDS = 10.0, 60.0  # a mutant may loop for ever; no known answer takes that long


class Kind(StrEnum):
    """What is graded, and so what should come of it."""

    REFERENCE = "reference"
    MISTAKE = "mistake"
    ALTERNATIVE = "alternative"
    NOTHING = "returns nothing"
    MUTANT = "mutant"


@dataclass(frozen=True)
class Case:
    """One known answer: an exercise with another source in one of its solution cells.

    Attributes
    ----------
    function, name : str
        Which function is another, and the variant's name.
    cell, source : str
        The solution cell, and what stands in it; empty where everything is the reference's.
    hint : str
        For a mistake: what the student should read.
    line, before, after
        For a mutant: the change.
    equivalent : str
        For a mutant: why it is as right as the reference, if the course says so.
    """

    assignment: str
    exercise: str
    kind: Kind
    function: str
    name: str
    cell: str = ""
    source: str = field(default="", repr=False)
    hint: str = ""
    line: int = 0
    before: str = ""
    after: str = ""
    equivalent: str = ""


@dataclass(frozen=True)
class Graded:
    """A case and what grading it gave."""

    case: Case
    result: ExerciseResult
    seconds: float
    problems: tuple[str, ...] = ()

    @property
    def full(self) -> bool:
        """Whether the answer got all points."""
        return self.result.points >= self.result.max_points

    @property
    def good(self) -> bool:
        """Whether the tests judged the answer as they should."""
        if self.case.kind in {Kind.REFERENCE, Kind.ALTERNATIVE}:
            return self.full
        if self.case.kind is Kind.NOTHING:
            return self.result.points == 0
        return not self.full or bool(self.case.equivalent)

    @property
    def named(self) -> bool:
        """Whether a student would read the mistake's own hint."""
        return not self.full and self.case.hint in self.result.hint


def read_cases(course: Course, name: str) -> tuple[Exam, list[Case]]:
    """Read an assignment, and everything it is to be tried with.

    Raises
    ------
    ExamError
        If it cannot serve as an exam, or a variant belongs to nothing in it.
    """
    source = course.source(name)
    exam = read_exam(source, course.assignment(name).patterns)
    alternatives = source.with_name("alternatives.py")
    return exam, cases_of(exam, alternatives.read_text(encoding="utf-8") if alternatives.exists() else "")


def cases_of(exam: Exam, alternatives: str = "") -> list[Case]:
    """Return everything an assignment is to be tried with.

    Parameters
    ----------
    exam : Exam
        The assignment; it brings its `mistakes.py`.
    alternatives : str
        The source of `alternatives.py`, empty where there is none.

    Raises
    ------
    ExamError
        If a variant is of no function of a solution cell, or an equivalent is no mutant.
    """
    answers = list(_answers(exam))
    cases = [Case(exam.assignment, exercise.id, Kind.REFERENCE, "", "") for exercise in dict(answers)]
    cases += _variants(exam, answers, exam.mistakes, Kind.MISTAKE)
    cases += _variants(exam, answers, alternatives, Kind.ALTERNATIVE)
    for exercise, cell in answers:
        functions = _defined(exam, exercise, cell)
        if functions:
            names, source = ", ".join(functions), nothing_cell(functions)
            cases.append(Case(exam.assignment, exercise.id, Kind.NOTHING, names, "", cell.grade_id, source))
    return cases + _mutants(exam, answers, alternatives)


def _answers(exam: Exam) -> Iterator[tuple[Exercise, SourceCell]]:
    """Yield each exercise that is tested, with each of its solution cells."""
    cells = {cell.grade_id: cell for cell in exam.cells if cell.solution and cell.kind == "code"}
    for exercise in exam.exercises:
        if not exercise.manual:
            yield from ((exercise, cells[name]) for name in exercise.solutions if name in cells)


def _defined(exam: Exam, exercise: Exercise, cell: SourceCell) -> tuple[str, ...]:
    return exam.defines(replace(exercise, solutions=(cell.grade_id,)))


def _variants(exam: Exam, answers: Sequence[tuple[Exercise, SourceCell]], text: str, kind: Kind) -> Iterator[Case]:
    places = {name: answer for answer in answers for name in _defined(exam, *answer)}
    solutions = [cell.source for _, cell in answers]
    for variant in (load_variants(text, f"{kind}s.py") if text else None) or ():
        if variant.of not in places:
            raise ExamError(
                f"{exam.assignment}: {kind}s.py has {variant.name!r} as a way to write {variant.of!r}, "
                f"which no solution cell defines; there is {', '.join(sorted(places))}"
            )
        exercise, cell = places[variant.of]
        source = variant_cell(cell.source, text, variant.of, variant.name, solutions)
        yield Case(
            exam.assignment, exercise.id, kind, variant.of, variant.name, cell.grade_id, source, hint=variant.hint
        )


def _mutants(exam: Exam, answers: Sequence[tuple[Exercise, SourceCell]], alternatives: str) -> list[Case]:
    right = load_variants(alternatives, "alternatives.py") if alternatives else None
    reasons = dict(right.equivalents) if isinstance(right, Alternatives) else {}
    cases = []
    for exercise, cell in answers:
        functions = _defined(exam, exercise, cell)
        for mutant in mutants_of(cell.source):
            keys = [(function, mutant.before, mutant.after) for function in functions]
            reason = next((reasons[key] for key in keys if key in reasons), "")
            cases.append(
                Case(
                    exam.assignment, exercise.id, Kind.MUTANT, ", ".join(functions), f"line {mutant.line}",
                    cell.grade_id, mutant.source, "", mutant.line, mutant.before, mutant.after, reason,
                )
            )  # fmt: skip
    found = {(function, case.before, case.after) for case in cases for function in case.function.split(", ")}
    for function, before, after in reasons:
        if (function, before, after) not in found:
            raise ExamError(
                f"{exam.assignment}: alternatives.py calls {after!r} in {function} equivalent to {before!r}, "
                "but there is no such mutant; take the line out"
            )
    return cases


# ---------------------------------------------------------------------------------------------- many cases at once


def grade_cases(course: Course, exams: Mapping[str, Exam], cases: Sequence[Case]) -> Iterator[Graded]:
    """Grade cases through the examiner, several at once, and yield each as it is done.

    Raises
    ------
    NoJail
        If this machine has no jail.
    ExamError
        If a source notebook fails.
    """
    context = multiprocessing.get_context("spawn")
    workers = min(course.workers or os.cpu_count() or 1, max(len(cases), 1))
    limits = replace(
        course.limits,
        call_seconds=min(course.limits.call_seconds, CALL_SECONDS),
        seconds=min(course.limits.seconds, SECONDS),
    )
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=(limits, exams)) as pool:
        try:
            for future in as_completed([pool.submit(_grade, case) for case in cases]):
                yield future.result()
        except BrokenProcessPool:
            raise AutograderError("a process of the audit was killed; is there enough memory?") from None
        finally:
            pool.shutdown(cancel_futures=True)


class Auditor:
    """Grades cases one after the other with one examiner.

    Parameters
    ----------
    examiner : Examiner
        Grades; it stays the caller's to close.
    exams : mapping of str to Exam
        The assignments by name.
    """

    def __init__(self, examiner: Examiner, exams: Mapping[str, Exam]) -> None:
        self._examiner = examiner
        self._exams = exams
        self._excerpts: dict[tuple[str, str], Excerpt] = {}

    def grade(self, case: Case) -> Graded:
        """Grade one case: with the cells its exercise needs, and where that surprises, with all."""
        key = (case.assignment, case.exercise)
        if key not in self._excerpts:
            self._excerpts[key] = self._excerpt(*key)
        part, everything = self._excerpts[key], whole(self._exams[case.assignment])
        graded = self._grade(part, case)
        expected = graded.good and (graded.named or case.kind is not Kind.MISTAKE)
        return graded if expected or part == everything else self._grade(everything, case)

    def _excerpt(self, assignment: str, exercise: str) -> Excerpt:
        exam = self._exams[assignment]
        part = excerpt(exam, next(entry for entry in exam.exercises if entry.id == exercise))
        try:
            enough = self._grade(part, Case(assignment, exercise, Kind.REFERENCE, "", "")).full
        except ExamError:
            enough = False
        return part if enough else whole(exam)

    def _grade(self, part: Excerpt, case: Case) -> Graded:
        report = self._examiner.examine(part.exam, part.submission(case.cell, case.source)).report
        result = next(result for result in report.exercises if result.id == case.exercise)
        return Graded(case, result, report.seconds, report.problems)


# A pool's initializer can hand over what it made, or why it could not, only through the module.
_auditor: list[Auditor] = []
_failed: list[AutograderError] = []


def _start_worker(limits: Limits, exams: Mapping[str, Exam]) -> None:
    try:
        examiner = Examiner(limits)
        examiner.__enter__()
        Finalize(None, examiner.__exit__, args=(None, None, None), exitpriority=10)
        _auditor.append(Auditor(examiner, exams))
    except AutograderError as error:  # an initializer that raises would break the pool without a reason
        _failed.append(error)


def _grade(case: Case) -> Graded:
    if _failed:
        raise _failed[0]
    return _auditor[0].grade(case)
