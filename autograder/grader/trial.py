"""One submission tried: the student's cells in the jail, the hidden tests here, by value.

This runs in a short-lived process of its own, so that a hostile reply costs only its own
submission. Cells run in the student's order; a test runs where its cell stands in the student's
notebook, tests whose cells are gone run at the end. When a cell or a test ends the student's
process, a new one is started and brought to the same place without the cell that did it, so that
the other exercises keep their points.
"""

from __future__ import annotations

import contextlib
import functools
import io
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from autograder import reference as references
from autograder.course.cell_statements import find_bound_names
from autograder.course.errors import KernelDied, KernelError
from autograder.course.exam import CELLS_NEED_TESTS, Exam, Exercise
from autograder.course.leaderboard import find_code_name
from autograder.course.notebook_files import Notebook
from autograder.course.reports import BoardEntry, ExerciseResult, Status
from autograder.grader.board_measuring import make_board_entry
from autograder.grader.cell_restoring import RestoredCell, restore_cells
from autograder.grader.essays import find_essays
from autograder.grader.evidence import Evidence
from autograder.grader.failed_cells import Failures
from autograder.grader.hints import as_sentence
from autograder.grader.inside_trial import InsideTrial
from autograder.grader.loans import Lender
from autograder.grader.lost_cells import MAX_RESTARTS, Losses
from autograder.grader.own_lines import RanCell, own_line
from autograder.grader.reachable_names import can_reach, find_read_names
from autograder.grader.second_look import for_a_person, with_inside_verdict
from autograder.grader.test_cells import CellGlobals, run_test_cell
from autograder.grader.trial_steps import (
    Kernels,
    Step,
    is_made_below,
    list_answers,
    needed_settings,
    plan_steps,
)
from autograder.grader.verdict import (
    judge_exercise,
    missing_name,
    not_attempted_if_untouched,
    result_to_be_marked,
)
from autograder.kernel.jailed_kernel import CellRun, Kernel, StudentError
from autograder.kernel.proxies import Call
from autograder.lending import Functions, lender
from autograder.mistakes import Variants

AGAIN_SECONDS = 60.0  # for learning what failing cells say: all points are told by then
# A notebook that took longer is not run once more only to tell an instructor what it would give.
LOOK_SECONDS = 10.0
SEED = 0  # any would do, as long as all submissions get the same


@dataclass
class Trial:
    """The state of one trial: which kernel is running, and which cells brought it there."""

    exam: Exam
    reference: Mapping[str, Any]
    mistakes: Variants | None
    kernels: Kernels
    tell_result: Callable[[ExerciseResult], None]
    tell_problem: Callable[[str], None]
    tell_cell: Callable[[Step, CellRun], None]
    tell_entry: Callable[[BoardEntry], None]
    test_names: dict[str, Any] = field(default_factory=dict)
    _kernel: Kernel | None = None
    _settings: str = ""  # the course's own statements that come before everything of the student's
    _done: list[Step] = field(default_factory=list)
    _failures: Failures = field(default_factory=Failures)
    # Results that lack a name, and which.
    _not_found: list[tuple[ExerciseResult, str]] = field(default_factory=list)
    _restarts: int = 0
    # Results that wait for a person.
    _for_person: dict[str, ExerciseResult] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lender = Lender(self.exam, self.reference)
        self._losses = Losses(self.tell_problem)
        self._look_until = time.monotonic() + LOOK_SECONDS

    def run(self, notebook: Notebook) -> None:
        """Run the whole notebook and report each exercise once."""
        references.current.set(SimpleNamespace(**self.reference))
        restored = restore_cells(self.exam, notebook)
        self._settings = needed_settings(self.exam, restored)
        sources: dict[str, str] = {}
        for entry in restored:
            if entry.remark:
                self.tell_problem(entry.remark)
            if entry.cell.grade_id:
                sources[entry.cell.grade_id] = entry.cell.source
        every_step = list(plan_steps(self.exam, restored))
        self._run_outside(list(self._outside_steps(every_step)), sources)
        self._losses.summarise()
        essays = find_essays(self.exam, restored)
        for exercise in self.exam.exercises:
            if exercise.manual:
                self.tell_result(result_to_be_marked(exercise, written=essays[exercise.id].written))
        self._tell_failures()
        # Last, when all that is kept of cells is told: from here on the hidden tests' text is in
        # the jail.
        if any(map(self._is_inside, every_step)):
            self._kernel = None
            self._go_inside(self.exam.inside, self.tell_result).run(every_step, sources)
        if self._for_person and time.monotonic() < self._look_until:
            self._kernel = None
            self._go_inside(self._for_person, self._tell_look).run(every_step, sources)
        # After all else: what it uses up of the time must not cost anybody a point.
        self._measure_for_board(restored)

    def _measure_for_board(self, restored: Sequence[RestoredCell]) -> None:
        """Measure the answer to the open question, if its author wants to be on the leaderboard."""
        if self.exam.leaderboard is None:
            return
        code_name = find_code_name(entry.cell.source for entry in restored if entry.is_code)
        if code_name:
            evidence = self._try(self.exam.leaderboard.source)
            self.tell_entry(make_board_entry(code_name, evidence))

    def _run_outside(self, steps: Sequence[Step], sources: Mapping[str, str]) -> None:
        """Run cells, and the tests that run outside, in the student's order."""
        postponed: list[tuple[Exercise, Step]] = []
        for position, step in enumerate(steps, start=1):
            if step.exercise is None:
                self._run_cell(step)
            elif not self._run_test(step.exercise, step, sources, steps[position:]):
                postponed.append((step.exercise, step))
        for exercise, step in postponed:
            self._run_test(exercise, step, sources, ())

    def _go_inside(
        self, exercises: Collection[str], tell: Callable[[ExerciseResult], None]
    ) -> InsideTrial:
        """Return the second way of the notebook, for the tests of these exercises."""
        return InsideTrial(self.exam, self.kernels, self._settings, tell, exercises)

    def _outside_steps(self, steps: Sequence[Step]) -> Iterator[Step]:
        """Yield the steps of the way outside.

        Where cells need names that tests make, they find those of the part of an inside test that
        was given out.
        """
        for step in steps:
            if step.exercise is None or not self._is_inside(step):
                yield step
            elif step.number and self.exam.inside[step.exercise.id] == CELLS_NEED_TESTS:
                given = self.exam.handout.text(step.exercise.id)
                if given.strip():
                    yield Step(given, step.number, may_fail=True)

    def _tell_look(self, inside: ExerciseResult) -> None:
        self.tell_result(with_inside_verdict(self._for_person[inside.id], inside))

    def _is_inside(self, step: Step) -> bool:
        return step.exercise is not None and step.exercise.id in self.exam.inside

    @property
    def kernel(self) -> Kernel:
        """The running kernel; a new one where the last was lost, brought to where that one was."""
        if self._kernel is None:
            if self._given_up:
                raise KernelDied("the notebook ended its process too often")
            self._restarts += 1
            # Cells that ended a process are not among those done: they would end this one, too.
            self._kernel = self._fresh_kernel()
            for step in self._done:
                self._kernel.run_cell(step.source, run_on=True, draw=False)
        return self._kernel

    @property
    def _given_up(self) -> bool:
        """Whether no process runs, and none will be started."""
        return self._kernel is None and self._restarts > MAX_RESTARTS

    def _fresh_kernel(self) -> Kernel:
        kernel = self.kernels.start()
        if self._settings:
            kernel.bind_settings(self._settings)
        return kernel

    def _run_cell(self, step: Step) -> None:
        if self._given_up:
            self._losses.gave_up()
            return
        try:
            ran = self.kernel.run_cell(step.source, run_on=True, draw=step.draw)
        except KernelError as error:
            self._kernel = None
            self._losses.lost(step.number, self.kernels.why(), error)
            return
        self._done.append(step)
        self.tell_cell(step, ran)
        self._note_error(step, ran, tested=self._losses.tested)
        if ran.timed_out:
            self._losses.stopped(step.number)

    def _note_error(self, step: Step, ran: CellRun, *, tested: bool) -> None:
        if ran.error is None or ran.timed_out or step.may_fail:
            return
        if misses_name_of_test(self.exam, ran.error):
            return
        sentence = self._failures.note(step.number, step.source, ran.error, tested=tested)
        if sentence:
            self.tell_problem(sentence)

    def _tell_failures(self) -> None:
        """Tell which cells failed below a test, and point to them where they lack a name."""
        if self._failures.untold:
            self._run_without_tests()
        for sentence in self._failures.closing_sentences():
            self.tell_problem(sentence)
        for result, name in self._not_found:
            pointed = self._failures.pointed(result, name)
            if pointed != result:
                self.tell_result(pointed)

    def _run_without_tests(self) -> None:
        """Run the cells once more without tests, to learn what those that failed say then."""
        self._kernel = None
        last = max(self._failures.untold)
        end = time.monotonic() + AGAIN_SECONDS
        with contextlib.suppress(KernelError):
            kernel = self._fresh_kernel()
            for step in self._done:
                if step.number > last or time.monotonic() > end:
                    break
                ran = kernel.run_cell(step.source, run_on=True, draw=False)
                self._note_error(step, ran, tested=False)

    def _run_test(
        self, exercise: Exercise, step: Step, sources: Mapping[str, str], below: Sequence[Step]
    ) -> bool:
        """Test an exercise and tell its result.

        Return False where a cell further down makes a name that is missing: then it is too early.
        """
        answer = list_answers(exercise, sources)
        evidence = self._try(step.source)
        result = self._judge(exercise, evidence, answer, explain=False)
        missing = missing_name(evidence) if result.status is Status.NOT_FOUND else ""
        if missing and is_made_below(missing, below):
            return False
        standing = evidence
        note = ""
        if result.status is not Status.NOT_ATTEMPTED and result.points < exercise.points:
            for loan in self._lender.loans(exercise):
                if not self._can_reach(step.source, loan.names):
                    continue
                with_loan = self._try(step.source, loan.functions(self.reference))
                better = self._judge(exercise, with_loan, answer, explain=False)
                if better.points > result.points:
                    result = better
                    standing = with_loan
                    note = loan.note if loan.used else ""
                if result.points >= exercise.points:
                    break
        # Only what stands is explained: a hint takes longer than all the rest.
        result = self._judge(exercise, standing, answer)
        result = replace(result, hint=_joined(result.hint, note))
        # With the calls of the first try: what was lent answered some of the others.
        self._lender.close(exercise, evidence.calls, passed=result.status is Status.PASSED)
        result = not_attempted_if_untouched(self.exam, exercise, result, sources)
        result = for_a_person(self.exam, result, evidence)
        if result.status is Status.TO_BE_MARKED:
            self._for_person[exercise.id] = result
        self._not_found.append((result, missing))
        self.tell_result(result)
        return True

    def _can_reach(self, test: str, lent: Collection[str]) -> bool:
        """Whether a test, or what it calls of the student's, can come to use what is lent."""
        read = find_read_names(test)
        if read is None:
            return True
        exam = self.exam
        if not (exam.bound_by_tests - find_bound_names([test])).isdisjoint(read):
            # It uses a function of another test, which may use anything that tests use.
            for other in exam.tests.values():
                read |= find_read_names(other) or frozenset(lent)
        # What tests make is never the student's; see `CellGlobals`.
        starts = read - (exam.bound_by_tests - self.reference.keys())
        cells = [self._settings]
        for step in self._done:
            cells.append(step.source)
        return can_reach(starts, lent, cells)

    def _judge(
        self, exercise: Exercise, evidence: Evidence, answer: list[str], *, explain: bool = True
    ) -> ExerciseResult:
        functions = self.exam.defines(exercise)
        mistakes = self.mistakes
        reference = self.reference
        wrong = self._lender.wrong
        result = judge_exercise(
            exercise, evidence, answer, mistakes, reference, functions, wrong, explain=explain
        )
        where = ""
        if result.hint:
            ran = [RanCell(step.number, step.source) for step in self._done]
            where = own_line(evidence, ran)
        return replace(result, hint=_joined(result.hint, where))

    def _try(self, source: str, loan: Mapping[str, Callable[..., Any]] | None = None) -> Evidence:
        self._losses.tested = True
        calls: list[Call] = []
        printed = io.StringIO()
        value: object = None
        error: BaseException | None = None
        opaque = False
        try:
            # Within the try: bringing a new kernel here may fail like the test itself.
            kernel = self.kernel
            names = self._names(kernel)
            _start_random_numbers()
            lent = kernel.lend_functions(loan) if loan else contextlib.nullcontext()
            lender.set(functools.partial(_lent_by_test, kernel))
            with (
                lent,
                _observed(kernel.namespace, calls),
                _told_of_changes(kernel, names),
                redirect_stdout(printed),
                redirect_stderr(printed),
            ):
                try:
                    value = run_test_cell(source, names)
                finally:
                    opaque = names.opaque
            kernel.forget_functions()
        except BaseException as raised:
            # However a test ends, the others go on: unittest.main ends it by SystemExit, and what
            # pytest.raises and pytest.fail raise is no Exception either.
            error = raised
        limit = ""
        if isinstance(error, KernelError):
            self._kernel = None
            limit = self.kernels.why()
        seen = tuple(calls), printed.getvalue()
        return Evidence(source, value, error, *seen, limit, self.exam.markers, opaque)

    def _names(self, kernel: Kernel) -> CellGlobals:
        exam = self.exam
        return CellGlobals(
            self.test_names, kernel.namespace, self.reference, exam.imported, exam.bound_by_tests
        )


def misses_name_of_test(exam: Exam, error: StudentError) -> bool:
    """Whether a cell failed for a name that an inside test makes: here that test did not run."""
    if not exam.inside or error.ename != "NameError":
        return False
    return any(f"'{name}'" in error.evalue for name in exam.made_by_tests_only)


def _joined(hint: str, more: str) -> str:
    """Return a hint with one more sentence."""
    return f"{as_sentence(hint)} {more}" if hint and more else hint or more


def _start_random_numbers() -> None:
    """Begin every test from the same random states: equal answers get equal points."""
    np.random.seed(SEED)
    random.seed(SEED)


@contextlib.contextmanager
def _lent_by_test(kernel: Kernel, functions: Functions) -> Iterator[None]:
    """Lend what a test lends; what is called meanwhile stays out of the evidence."""
    # What the test's own function answers is no evidence of what the student's does.
    observer = kernel.namespace.observer
    kernel.namespace.observer = None
    try:
        with kernel.lend_functions(functions):
            yield
    finally:
        kernel.namespace.observer = observer


@contextlib.contextmanager
def _told_of_changes(kernel: Kernel, names: CellGlobals) -> Iterator[None]:
    kernel.tell_change = names.fetched.note_change
    try:
        yield
    finally:
        kernel.tell_change = None


@contextlib.contextmanager
def _observed(namespace: Any, calls: list[Call]) -> Iterator[None]:
    namespace.observer = calls.append
    try:
        yield
    finally:
        namespace.observer = None
