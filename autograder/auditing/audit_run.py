"""The test of the tests: known answers and mutants graded as a student's would be.

Every known mistake has to lose points, keeps those that it does not concern, and should be told by its own hint; every
right answer written otherwise keeps all points; no shortcut does; functions that return nothing get none, and mutants
of the reference lose some: one that keeps them all shows a gap in the hidden tests.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace

from autograder.auditing.audit_cases import AuditCase, CaseKind
from autograder.auditing.exam_excerpt import ExamExcerpt, cut_excerpt, take_whole_exam
from autograder.course.configuration import Course
from autograder.course.errors import AutograderError, ExamError
from autograder.course.exam import Exam
from autograder.course.reports import CriterionOutcome, ExerciseResult
from autograder.grader.examiner import Examiner
from autograder.grading.worker_pool import current_desk, open_workers
from autograder.jail import Jail
from autograder.marking import NothingCompared

ENDED_EMPTY = re.compile(rf"{NothingCompared.__name__}: (\w+) ended without a comparison")
# A mutant may loop for ever; no known answer takes that long.
CALL_SECONDS = 10.0
SECONDS = 60.0


@dataclass(frozen=True)
class GradedCase:
    """A case and what grading it gave."""

    case: AuditCase
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
        if self.case.kind in {CaseKind.REFERENCE, CaseKind.ALTERNATIVE}:
            return self.full
        if self.case.kind is CaseKind.NOTHING:
            return self.result.points == 0
        return not self.full or bool(self.case.equivalent)

    @property
    def lost(self) -> tuple[int, ...]:
        """Positions of the criteria that the mistake should have met, and did not."""
        criteria = self.result.criteria
        lost = []
        for position in self.case.keeps:
            is_missing = position > len(criteria)
            if is_missing or criteria[position - 1].outcome is not CriterionOutcome.MET:
                lost.append(position)
        return tuple(lost)

    @property
    def empty(self) -> tuple[str, ...]:
        """Names of the checks that ended without a comparison."""
        # The traceback is the one place where it stands: a criterion without evidence is not met, whatever the cause
        return tuple(dict.fromkeys(ENDED_EMPTY.findall(self.result.detail)))

    @property
    def stopped_by(self) -> tuple[str, ...]:
        """Sentences of the criteria that were not met; a test without criteria is one itself."""
        not_met = []
        for criterion in self.result.criteria:
            if criterion.outcome is CriterionOutcome.NOT_MET:
                not_met.append(criterion.sentence)
        if not not_met and not self.full:
            return ("the test as a whole",)
        return tuple(not_met)

    @property
    def named(self) -> bool:
        """Whether a student would read the mistake's own hint."""
        return not self.full and self.case.hint in self.result.hint


def grade_cases(
    course: Course, exams: Mapping[str, Exam], cases: Sequence[AuditCase]
) -> Iterator[GradedCase]:
    """Grade cases through the examiner, several at once, and yield each as it is done.

    Raises
    ------
    NoJail
        If this machine has no jail.
    ExamError
        If a source notebook fails.
    """
    # No more processes than cases: each has a jail to start
    count = min(course.workers or os.cpu_count() or 1, max(len(cases), 1))
    limits = replace(
        course.limits,
        call_seconds=min(course.limits.call_seconds, CALL_SECONDS),
        seconds=min(course.limits.seconds, SECONDS),
    )
    with Jail(limits) as jail, open_workers(count, jail, exams) as pool:
        try:
            for future in as_completed([pool.submit(_grade, case) for case in cases]):
                yield future.result()
        except BrokenProcessPool:
            raise AutograderError(
                "a process of the audit was killed; is there enough memory?"
            ) from None


class CaseAuditor:
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
        self._excerpts: dict[tuple[str, str], ExamExcerpt] = {}

    def grade(self, case: AuditCase) -> GradedCase:
        """Grade one case: with the cells its exercise needs, and where that surprises, with all."""
        key = (case.assignment, case.exercise)
        if key not in self._excerpts:
            self._excerpts[key] = self._excerpt(*key)
        part = self._excerpts[key]
        everything = take_whole_exam(self._exams[case.assignment])
        graded = self._grade(part, case)
        expected = graded.good
        if case.kind is CaseKind.MISTAKE:
            expected = graded.good and graded.named and not graded.lost
        # The excerpt is guessed from names: what it says against the course has to hold in the whole notebook
        if expected or part == everything:
            return graded
        return self._grade(everything, case)

    def _excerpt(self, assignment: str, exercise: str) -> ExamExcerpt:
        exam = self._exams[assignment]
        part = cut_excerpt(exam, exam.find_exercise(exercise))
        reference = AuditCase(assignment, exercise, CaseKind.REFERENCE, "", "")
        try:
            if self._grade(part, reference).full:
                return part
        # A name was missing that no cell of the excerpt binds; then all cells are needed
        except ExamError:
            pass
        return take_whole_exam(exam)

    def _grade(self, part: ExamExcerpt, case: AuditCase) -> GradedCase:
        report = self._examiner.examine(part.exam, part.submission(dict(case.changes))).report
        return GradedCase(case, report.results[case.exercise], report.seconds, report.problems)


@functools.cache
def _auditor() -> CaseAuditor:
    """Return the auditor of this process, which keeps what it has found out about an exercise."""
    return CaseAuditor(current_desk().examiner, current_desk().exams)


def _grade(case: AuditCase) -> GradedCase:
    # A function of the module, since it is named to another process
    return _auditor().grade(case)
