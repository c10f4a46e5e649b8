"""The second way of a notebook: tests that run in the student's own process, for its objects.

The first way, with the tests outside, has been gone by then: what its cells showed is kept, and no
test has run in it. Here the cells run once more in a fresh jail with the inside tests among them,
and nothing that they show is kept. So the text of a hidden test, which the student's code can read
here, reaches nobody. Of what comes back a number, an error's class and a line count, and whatever
the student reads of them is said in words of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.course.errors import KernelError
from autograder.course.exam import Exam, Exercise
from autograder.course.reports import ExerciseResult
from autograder.grader.evidence import Evidence
from autograder.grader.inside_verdict import judge_inside_test
from autograder.grader.lost_cells import MAX_RESTARTS
from autograder.grader.trial_steps import Kernels, Step, list_answers
from autograder.grader.verdict import not_attempted_if_untouched, untested_result
from autograder.kernel.inside_runs import InsideRun, run_inside_test
from autograder.kernel.jailed_kernel import Kernel

NOT_RUN = "It was not tested: the notebook ended its Python process too often."


@dataclass
class InsideTrial:
    """The state of the second way: which kernel is running, and what brought it there.

    Attributes
    ----------
    settings : str
        The course's own statements that come before everything of the student's.
    exercises : collection of str
        Those whose tests run here.
    """

    exam: Exam
    kernels: Kernels
    settings: str
    tell_result: Callable[[ExerciseResult], None]
    exercises: Collection[str]
    _kernel: Kernel | None = None
    _done: list[Step] = field(default_factory=list)
    _starts: int = 0

    def run(self, steps: Sequence[Step], sources: Mapping[str, str]) -> None:
        """Run the cells and the inside tests among them, and report the exercises of those.

        Parameters
        ----------
        steps : sequence of Step
            All cells and tests of the notebook; outside tests are passed over.
        sources : mapping of str to str
            The student's own cells by nbgrader's id.
        """
        for step in steps:
            if step.exercise is None:
                self._run_cell(step)
            elif step.exercise.id in self.exercises:
                self._run_test(step, step.exercise, sources)

    def _run_cell(self, step: Step) -> None:
        kernel = self._running_kernel()
        if kernel is None:
            return
        try:
            # A cell that fails is no end: outside it was told already.
            kernel.run_cell(step.source, run_on=True, draw=step.draw)
        except KernelError:
            self._kernel = None
            return
        self._done.append(step)

    def _run_test(self, step: Step, exercise: Exercise, sources: Mapping[str, str]) -> None:
        answer = list_answers(exercise, sources)
        kernel = self._running_kernel()
        if kernel is None:
            self.tell_result(untested_result(exercise, NOT_RUN))
            return
        try:
            ran = self._test(kernel, step)
        except KernelError as error:
            self._kernel = None
            lost = Evidence(step.source, None, error, limit=self.kernels.why())
            self.tell_result(judge_inside_test(self.exam, exercise, lost, answer))
            return
        self._done.append(step)
        evidence = Evidence(step.source, ran.number, ran.error, printed=ran.printed)
        result = judge_inside_test(self.exam, exercise, evidence, answer, ran.line)
        self.tell_result(not_attempted_if_untouched(self.exam, exercise, result, sources))

    def _test(self, kernel: Kernel, step: Step) -> InsideRun:
        exam = self.exam
        return run_inside_test(
            kernel,
            step.source,
            exam.imports,
            sorted(exam.made_by_cells),
            sorted(exam.made_by_tests_only),
            sorted(exam.used_by_given_functions),
        )

    def _running_kernel(self) -> Kernel | None:
        """Return the running kernel; where the last was lost a new one, brought to its place.

        None where the notebook has ended its process too often.
        """
        while self._kernel is None and self._starts <= MAX_RESTARTS:
            self._starts += 1
            kernel = self.kernels.start()
            try:
                self._bring_here(kernel)
            except KernelError:
                continue
            self._kernel = kernel
        return self._kernel

    def _bring_here(self, kernel: Kernel) -> None:
        if self.settings:
            kernel.bind_settings(self.settings)
        for step in self._done:
            if step.exercise is None:
                kernel.run_cell(step.source, run_on=True, draw=step.draw)
            else:  # later cells and tests may use what it made
                self._test(kernel, step)
