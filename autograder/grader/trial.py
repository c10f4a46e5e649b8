"""One submission tried: the student's cells in the jail, the hidden tests here, by value.

This runs in a short-lived process of its own, so that a hostile reply costs only its own submission. Cells run in
the student's order; a test runs where its cell stands in the student's notebook, tests whose cells are gone run at
the end. When a cell or a test ends the student's process, a new one is started and brought to the same place
without the cell that did it, so that the other exercises keep their points.
"""

from __future__ import annotations

import contextlib
import functools
import io
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np

from autograder import reference as references
from autograder.errors import KernelDied, KernelError
from autograder.exam import Exam, Exercise
from autograder.grader.evidence import Evidence
from autograder.grader.kernel import CellRun, Kernel
from autograder.grader.losses import MAX_RESTARTS, Losses
from autograder.grader.notebooks import Notebook
from autograder.grader.proxy import Call
from autograder.grader.testcell import Names, run_cell
from autograder.grader.verdict import judge, to_be_marked
from autograder.lending import Functions, lender
from autograder.mistakes import Variants
from autograder.records import ExerciseResult, Status

SEED = 0


class Kernels(Protocol):
    """Where kernels come from: the examiner, who can start jailed processes."""

    def start(self) -> Kernel:
        """Start a fresh jailed kernel."""

    def why(self) -> str:
        """Say which limit ended the last kernel, empty if none did."""


@dataclass(frozen=True)
class Step:
    """A cell of the notebook as it will be run: the student's own source, or the test of an exercise."""

    source: str
    number: int | None = None
    exercise: Exercise | None = None


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
    test_names: dict[str, Any] = field(default_factory=dict)
    _kernel: Kernel | None = None
    _done: list[str] = field(default_factory=list)
    _restarts: int = 0
    _tested: set[str] = field(default_factory=set)  # ids of exercises whose test is over
    _wrong: list[str] = field(default_factory=list)  # functions of exercises that did not get all their points

    def __post_init__(self) -> None:
        self._losses = Losses(self.tell_problem)

    def run(self, notebook: Notebook) -> None:
        """Run the whole notebook and report each exercise once."""
        references.current.set(SimpleNamespace(**self.reference))
        sources = {cell.grade_id: cell.source for cell in notebook.cells if cell.grade_id}
        for step in plan(self.exam, notebook):
            if step.exercise is None:
                self._run_cell(step)
            else:
                self._run_test(step.exercise, step, sources)
                self._losses.tested = True
        self._losses.summarise()
        for exercise in self.exam.exercises:
            if exercise.manual:
                self.tell_result(to_be_marked(exercise, sources.get(exercise.id)))

    @property
    def kernel(self) -> Kernel:
        """The running kernel; a new one where the last was lost, brought to where that one was."""
        if self._kernel is None:
            if self._given_up:
                raise KernelDied("the notebook ended its process too often")
            self._restarts += 1
            self._kernel = self.kernels.start()
            for source in self._done:
                self._kernel.run_cell(source)
        return self._kernel

    @property
    def _given_up(self) -> bool:
        """Whether no process runs, and none will be started."""
        return self._kernel is None and self._restarts > MAX_RESTARTS

    def _run_cell(self, step: Step) -> None:
        if self._given_up:
            self._losses.gave_up()
            return
        try:
            ran = self.kernel.run_cell(step.source)
        except KernelError as error:
            self._kernel = None
            self._losses.lost(step.number, self.kernels.why(), error)
            return
        self._done.append(step.source)
        self.tell_cell(step, ran)
        if ran.timed_out:
            self._losses.stopped(step.number)

    def _run_test(self, exercise: Exercise, step: Step, sources: Mapping[str, str]) -> None:
        answer = [sources[cell] for cell in exercise.solutions if cell in sources]
        result = self._judge(exercise, self._try(step.source), answer)
        if result.status is not Status.NOT_ATTEMPTED:
            for names in self._loans(exercise):
                if result.points < exercise.points:
                    result = max(result, self._with_loan(exercise, step, answer, names), key=lambda one: one.points)
        if result.status is not Status.PASSED:
            self._wrong += [name for name in self.exam.defines(exercise) if callable(self.reference.get(name))]
        self._tested.add(exercise.id)
        self.tell_result(result)

    def _loans(self, exercise: Exercise) -> list[list[str]]:
        """Return what may be lent to an exercise: first what is wrong, then all, in case it has a layout of its own.

        A wrong `linear_backward` cannot be replaced alone where the student's caches look otherwise than the
        reference's. Functions of this exercise and of those below it in the source are not lent, wherever the
        student's test cells stand: they could answer it. Nor is any function that an exercise defines of which a
        test is still to come, the second of one answer for instance: what it returns could be kept for it.
        """
        above = self.exam.exercises[: self.exam.exercises.index(exercise)]
        names = dict.fromkeys(name for one in above for name in self.exam.defines(one))
        to_come = [one for one in self.exam.exercises if not one.manual and one.id not in self._tested]
        kept = {name for one in (exercise, *to_come) for name in self.exam.defines(one)}
        lendable = [name for name in names if name not in kept and callable(self.reference.get(name))]
        wrong = [name for name in lendable if name in self._wrong]
        return [wrong, lendable] if wrong else []

    def _with_loan(self, exercise: Exercise, step: Step, answer: list[str], names: list[str]) -> ExerciseResult:
        """Test again with the reference in the place of functions of earlier exercises: a mistake costs once.

        The loan runs out here, by value, and only while this test lasts.
        """
        used: dict[str, None] = {}
        loan = {name: _noting(self.reference[name], name, used) for name in names}
        result = self._judge(exercise, self._try(step.source, loan), answer)
        if not used:
            return result
        wrong = [name for name in names if name in self._wrong]
        return replace(result, hint=f"{result.hint} {_note([name for name in wrong if name in used], wrong)}".strip())

    def _judge(self, exercise: Exercise, evidence: Evidence, answer: list[str]) -> ExerciseResult:
        functions = self.exam.defines(exercise)
        return judge(exercise, evidence, answer, self.mistakes, self.reference, functions)

    def _try(self, source: str, loan: Mapping[str, Callable[..., Any]] | None = None) -> Evidence:
        calls: list[Call] = []
        printed = io.StringIO()
        value: object = None
        error: BaseException | None = None
        try:
            kernel = self.kernel
            _start_random_numbers()
            lent = kernel.lend(loan) if loan else contextlib.nullcontext()
            lender.set(functools.partial(_lent_by_test, kernel))
            with lent, _observed(kernel.namespace, calls), redirect_stdout(printed), redirect_stderr(printed):
                value = run_cell(source, self._names(kernel))
            kernel.forget_functions()
        except (Exception, SystemExit) as raised:
            error = raised
        limit = ""
        if isinstance(error, KernelError):
            self._kernel = None
            limit = self.kernels.why()
        return Evidence(source, value, error, tuple(calls), printed.getvalue(), limit)

    def _names(self, kernel: Kernel) -> Names:
        exam = self.exam
        return Names(self.test_names, kernel.namespace, self.reference, exam.imported, exam.bound_by_tests)


def plan(exam: Exam, notebook: Notebook) -> Iterator[Step]:
    """Yield the steps of a notebook: its code cells, each test at its place, lost tests at the end.

    Locked cells are taken from the exam, as nbgrader does, whatever the student made of them.
    """
    exercises = {exercise.id: exercise for exercise in exam.exercises if not exercise.manual}
    last = {cell.grade_id: index for index, cell in enumerate(notebook.cells) if cell.grade_id in exercises}
    for index, cell in enumerate(notebook.cells):
        if cell.grade_id in exercises:
            if last[cell.grade_id] == index:
                yield Step(exam.tests[cell.grade_id], index + 1, exercises[cell.grade_id])
        elif cell.kind == "code":
            yield Step(exam.locked.get(cell.grade_id, cell.source), index + 1)
    for name, exercise in exercises.items():
        if name not in last:
            yield Step(exam.tests[name], None, exercise)


def _note(lent: list[str], wrong: list[str]) -> str:
    """Tell the student what was lent, or, where only others' functions were called, why."""
    verb = "is" if len(lent or wrong) == 1 else "are"
    if lent:
        return f"Marked with the reference's {_listed(lent)}, because yours {verb} not right yet."
    return f"Marked with the reference's functions, because your {_listed(wrong)} {verb} not right yet."


def _listed(names: list[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _start_random_numbers() -> None:
    """Begin every test from the same random states, which travel with its calls: equal answers get equal points."""
    np.random.seed(SEED)
    random.seed(SEED)


def _noting(function: Callable[..., Any], name: str, used: dict[str, None]) -> Callable[..., Any]:
    """Return the function, noting in `used` that it was called."""

    @functools.wraps(function)
    def noting(*args: Any, **kwargs: Any) -> Any:
        used[name] = None
        return function(*args, **kwargs)

    return noting


@contextlib.contextmanager
def _lent_by_test(kernel: Kernel, functions: Functions) -> Iterator[None]:
    """Lend what a test lends; what is called meanwhile stays out of the evidence."""
    observer, kernel.namespace.observer = kernel.namespace.observer, None
    try:
        with kernel.lend(functions):
            yield
    finally:
        kernel.namespace.observer = observer


@contextlib.contextmanager
def _observed(namespace: Any, calls: list[Call]) -> Iterator[None]:
    namespace.observer = calls.append
    try:
        yield
    finally:
        namespace.observer = None
