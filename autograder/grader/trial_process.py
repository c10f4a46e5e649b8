"""The trial's own process: what it may use, how it asks for kernels, how it tells what it found.

Everything it tells is a line of JSON on a socket to the examiner, who believes none of it to be
complete: the process may die at any moment, by what a student's code answered.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import signal
import socket
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from autograder.course.errors import KernelDied
from autograder.course.exam import Exam
from autograder.course.notebook_files import Unreadable, read_notebook
from autograder.course.reports import make_printable
from autograder.course.submissions import Submission
from autograder.grader.trial import Trial
from autograder.grader.trial_steps import Step
from autograder.jail import Limits
from autograder.kernel.cell_outputs import Output, count_characters
from autograder.kernel.jailed_kernel import CellRun, Kernel
from autograder.mistakes import Variants

# Beyond the submission's own limit: for starting kernels and matching mistakes.
SLACK_SECONDS = 20.0
# Far above what the tests of any course needed; a hostile reply is refused long before.
TRIAL_MB = 2048
CUT_SHORT = "Grading was cut short by an error; please tell your instructor."
# Characters that the cells of one notebook may show: they are kept in memory and on the disk.
MAX_SHOWN = 64 << 20
LEFT_OUT = {
    "output_type": "stream",
    "name": "stderr",
    "text": "[Left out: the notebook as a whole shows too much.]\n",
}


class _LineToExaminer:
    """The trial's side of starting kernels: asks the examiner, who owns the jail."""

    def __init__(self, channel: socket.socket, limits: Limits) -> None:
        self.channel = channel
        self.limits = limits
        self._shown = 0
        self._kernels: list[Kernel] = []

    @property
    def out_of_time(self) -> bool:
        """Whether a limit of time ended anything in any kernel."""
        return any(kernel.out_of_time for kernel in self._kernels)

    def tell(self, **message: Any) -> None:
        self.channel.sendall(json.dumps(message).encode() + b"\n")

    def show(self, step: Step, ran: CellRun) -> None:
        outputs: list[Output] = list(ran.outputs)
        self._shown += sum(map(count_characters, outputs))
        if self._shown > MAX_SHOWN:
            outputs = [LEFT_OUT]
        self.tell(cell={"number": step.number, "source": step.source, "outputs": outputs})

    def start(self) -> Kernel:
        self.tell(start=True)
        # Its socket comes as an open file: the jailed process is no child of the trial's.
        answer, descriptors, _, _ = socket.recv_fds(self.channel, 1, 1)
        if not answer or not descriptors:
            raise KernelDied("no jailed process could be started")
        kernel = Kernel(socket.socket(fileno=descriptors[0]), self.limits)
        self._kernels.append(kernel)
        return kernel

    def why(self) -> str:
        self.tell(why=True)
        with self.channel.makefile("rb", buffering=0) as answers:
            return str(json.loads(answers.readline()))


def run_trial(
    exam: Exam,
    reference: dict[str, Any],
    mistakes: Variants | None,
    submission: Submission,
    channel: socket.socket,
    limits: Limits,
) -> NoReturn:
    """Try one submission, tell on the socket what was found, and end this process.

    Parameters
    ----------
    exam, reference, mistakes
        What it is tried by.
    submission : Submission
        The student's notebook.
    channel : socket.socket
        The examiner's ear.
    limits : Limits
        What the submission may use.
    """
    try:
        # What the examiner holds is no garbage here: the collector would look at all of it, and a
        # page that it looks at is copied.
        gc.freeze()
        # An interrupt from the terminal is the command's to answer: what is graded now is finished.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _limit_self(limits)
        line = _LineToExaminer(channel, limits)
        try:
            notebook = read_notebook(submission.content)
        except Unreadable as error:
            line.tell(unreadable=str(error))
            line.tell(done=True)
            os._exit(0)
        for problem in notebook.problems:
            line.tell(problem=problem)
        trial = Trial(
            exam,
            reference,
            mistakes,
            line,
            tell_result=lambda result: line.tell(result=asdict(result)),
            tell_problem=lambda problem: line.tell(problem=problem),
            tell_cell=line.show,
            tell_entry=lambda entry: line.tell(entry=asdict(entry)),
        )
        # A mistake that is tried, or the reference, may print; the grader's terminal is no place.
        with (
            Path(os.devnull).open("w", encoding="utf-8") as nowhere,
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
        ):
            trial.run(notebook)
        line.tell(done=True, by_clock=line.out_of_time)
    except BaseException as error:
        # Also what a hostile answer broke is told, and telling it may fail in the same way.
        with contextlib.suppress(BaseException):
            line = _LineToExaminer(channel, limits)
            line.tell(problem=CUT_SHORT)  # its class and its words may be the student's
            print(make_printable("".join(traceback.format_exception(error))), file=sys.stderr)
    finally:
        # No clean-up of the forked process: the jail, the temporary folders are the examiner's.
        os._exit(0)


def _limit_self(limits: Limits) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    # Counted from what the examiner had at the fork: its memory is shared, but limits count it.
    resource.setrlimit(resource.RLIMIT_DATA, (used + (TRIAL_MB << 20),) * 2)
    seconds = int(limits.seconds + SLACK_SECONDS)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
