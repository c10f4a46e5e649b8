"""Exams made ready for submissions: what takes time and is the same for all of them."""

from __future__ import annotations

from typing import Any

from autograder.course.exam import Exam
from autograder.grader.bound_names import read_cell_names
from autograder.grader.reachable_names import find_read_names
from autograder.grader.test_cells import import_for_tests
from autograder.mistakes import Variants, load_variants
from autograder.reference import run_reference


class PreparedExams:
    """The references and known mistakes of exams, each built once."""

    def __init__(self) -> None:
        self._references: dict[str, tuple[dict[str, Any], Variants | None]] = {}

    def prepare(self, exam: Exam) -> None:
        """Build the exam's reference, once.

        Raises
        ------
        ExamError
            If the source notebook fails.
        """
        if exam.version not in self._references:
            mistakes = load_variants(exam.mistakes, "mistakes.py") if exam.mistakes else None
            self._references[exam.version] = (run_reference(exam), mistakes)
            import_for_tests(exam)
            # Found here once, not in every trial: trials are forked from this process.
            _ = (
                exam.imported,
                exam.bound_by_tests,
                exam.settings,
                exam.imports,
                exam.made_by_tests_only,
                exam.used_by_given_functions,
            )
            # Both remember them, and most cells of a submission are as they were given out.
            for text in exam.handout.texts:
                read_cell_names(text)
                find_read_names(text)
            for cell in exam.cells:
                read_cell_names(cell.source)
            for test in exam.tests.values():
                find_read_names(test)

    def get_reference(self, exam: Exam) -> tuple[dict[str, Any], Variants | None]:
        """Return what the exam's own cells made, and its known mistakes, if it names any."""
        return self._references[exam.version]
