"""One submission in, one report out: the jail, the trial and the clock around them."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

from autograder.course.exam import Exam
from autograder.course.limits import CLOCK_FACTOR
from autograder.course.reports import (
    BoardEntry,
    ExerciseResult,
    Report,
    exercise_from_json,
    round_points,
)
from autograder.course.submission_files import merge_files, unpack_submission
from autograder.course.submissions import Submission
from autograder.course.temporary_folders import temporary_folder
from autograder.course.working_folder import enter_folder, write_files
from autograder.grader.examined_notebooks import ExaminedNotebook
from autograder.grader.needed_modules import list_needed_modules
from autograder.grader.prepared_exams import PreparedExams
from autograder.grader.trial_process import SLACK_SECONDS, run_trial
from autograder.grader.verdict import untested_result
from autograder.jail import Jail, Jailed, Limits

# How often limits are looked at while the trial says nothing.
TICK_MS = 50
MAX_LINE = 64 << 20
MAX_PROBLEMS = 50  # a report that goes another way is refused for more than 200


class Examiner:
    """Grades submissions one after the other; owns a jail. Use it as a context manager.

    Parameters
    ----------
    limits : Limits, optional
        What one submission may use; the jail's limits where one is given.
    rung : int, optional
        Insist on this rung of the jail.
    jail : Jail, optional
        Use this jail, which the examiner then closes, instead of making one.
    exams : iterable of Exam
        What it will grade by, if that is known: the jail is ready sooner where they import little.
    prepared : PreparedExams, optional
        Exams that are prepared already; others it prepares itself.

    Raises
    ------
    NoJail
        If no rung of the jail works on this machine: then nothing is graded.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        rung: int | None = None,
        jail: Jail | None = None,
        exams: Iterable[Exam] = (),
        prepared: PreparedExams | None = None,
    ) -> None:
        self.jail = jail or Jail(
            limits, rung=rung, modules=list_needed_modules(exams) if exams else None
        )
        self.limits = limits or self.jail.limits
        self._prepared = prepared or PreparedExams()

    def __enter__(self) -> Self:
        """Return itself; the jail is ready."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the jail and everything in it."""
        self.jail.close()

    def prepare(self, exam: Exam) -> None:
        """Build the exam's reference, once.

        Raises
        ------
        ExamError
            If the source notebook fails.
        """
        self._prepared.prepare(exam)

    def examine(self, exam: Exam, submission: Submission) -> ExaminedNotebook:
        """Grade one submission. Whatever the student's code does, a report comes back."""
        self.prepare(exam)
        started = time.monotonic()
        findings = _Findings()
        files = unpack_submission(submission.content)
        if files.problem:
            findings.problems.append(files.problem)
        submission = replace(submission, content=files.notebook)
        folder = merge_files(exam.files, files.beside)
        with _Kernels(self.jail, folder, self.limits) as kernels:
            self._try(exam, submission, kernels, findings)
        report = _report(exam, submission, findings, time.monotonic() - started, self.jail.rung)
        return ExaminedNotebook(report, tuple(findings.cells), findings.by_clock)

    def _try(
        self, exam: Exam, submission: Submission, kernels: _Kernels, findings: _Findings
    ) -> None:
        reference, mistakes = self._prepared.get_reference(exam)
        # The notebook runs once for the tests outside, once for those inside.
        ways = 2 if exam.inside else 1
        end = time.monotonic() + ways * CLOCK_FACTOR * self.limits.seconds + SLACK_SECONDS
        with temporary_folder("work") as folder:
            write_files(folder, exam.files)
            ours, theirs = socket.socketpair()
            process = os.fork()
            if process == 0:  # the trial: short-lived, and never returns from here
                # The trial must see its end of the channel break when the examiner dies.
                ours.close()
                kernels.forget()
                enter_folder(folder)
                run_trial(exam, reference, mistakes, submission, theirs, self.limits)
            theirs.close()
            try:
                _listen(ours, kernels, findings, end)
            finally:
                ours.close()
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)


@dataclass
class _Findings:
    """What the trial has told so far; what it told before an accident counts."""

    results: dict[str, ExerciseResult] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    cells: list[dict[str, Any]] = field(default_factory=list)
    entry: BoardEntry | None = None
    unreadable: bool = False
    complete: bool = False
    by_clock: bool = False

    def add(self, message: Mapping[str, Any]) -> None:
        if "result" in message:
            result = exercise_from_json(message["result"])
            self.results[result.id] = result
        elif "problem" in message:
            self.problems.append(str(message["problem"]))
        elif "cell" in message:
            self.cells.append(message["cell"])
        elif "entry" in message:
            self.entry = BoardEntry.from_json(message["entry"])
        elif "unreadable" in message:
            self.unreadable = True
            self.problems.append(str(message["unreadable"]))
        elif "done" in message:
            self.complete = True
            self.by_clock = bool(message.get("by_clock"))


class _Kernels:
    """The examiner's side of starting kernels: at most one jailed process at a time."""

    def __init__(self, jail: Jail, files: Mapping[str, bytes], limits: Limits) -> None:
        self.jail = jail
        self.files = files
        self.limits = limits
        self.limit = ""
        self._jailed: Jailed | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def start(self) -> socket.socket:
        # Whatever the old process still does, it does to nobody once the new one is asked.
        self._close()
        self.limit = ""
        self._jailed = self.jail.spawn(files=self.files)
        self._jailed.__enter__()
        return self._jailed.socket

    def watch(self) -> None:
        if self._jailed is not None and not self.limit:
            self.limit = self._jailed.check_limits() or ""

    def last_words(self) -> str:
        """Wait until the jailed process is dead, and say which limit ended it, if one did."""
        if self._jailed is not None and not self.limit:
            self.limit = self._jailed.await_end() or ""
        return self.limit

    def forget(self) -> None:
        """In the trial's process: the jail is not ours to end."""
        self._jailed = None

    def _close(self) -> None:
        if self._jailed is not None:
            self._jailed.__exit__(None, None, None)
            self._jailed = None


def _listen(
    channel: socket.socket, kernels: _Kernels, findings: _Findings, deadline: float
) -> None:
    """Serve the trial until it is done, dead or out of time."""
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    buffer = bytearray()
    while time.monotonic() < deadline:
        kernels.watch()
        if not poll.poll(TICK_MS):
            continue
        received = channel.recv(1 << 20)
        if not received:
            return
        buffer += received
        # What the trial tells was made from a student's answers: without end it would fill ours.
        if len(buffer) > MAX_LINE:
            return
        *lines, rest = buffer.split(b"\n")
        buffer = bytearray(rest)
        for line in lines:
            message = json.loads(line)
            if "start" in message:
                socket.send_fds(channel, [b"k"], [kernels.start().fileno()])
            elif "why" in message:
                channel.sendall(json.dumps(kernels.last_words()).encode() + b"\n")
            else:
                findings.add(message)
                if findings.complete:
                    return
    findings.by_clock = True
    findings.problems.append(
        "The notebook took too long as a whole; what had been graded until then counts."
    )


def _report(
    exam: Exam, submission: Submission, findings: _Findings, seconds: float, rung: int
) -> Report:
    if findings.unreadable:
        hint = ""
    elif findings.complete:
        hint = "It was not tested."
    else:
        hint = "The test could not be finished: the notebook took too long, or sent too much."
    # Every exercise of the exam gets a result, in its order, whatever the trial came to.
    exercises = []
    for exercise in exam.exercises:
        exercises.append(findings.results.get(exercise.id) or untested_result(exercise, hint))
    return Report(
        assignment=exam.assignment,
        notebook=submission.notebook,
        status="unreadable" if findings.unreadable else "graded",
        exercises=tuple(exercises),
        problems=_few(dict.fromkeys(findings.problems)),
        seconds=round_points(seconds),
        rung=rung,
        exam=exam.version,
        entry=findings.entry,
    )


def _few(sentences: Iterable[str]) -> tuple[str, ...]:
    """Return at most so many sentences as anybody reads, and how many more there are."""
    every = tuple(sentences)
    if len(every) <= MAX_PROBLEMS:
        return every
    kept = every[: MAX_PROBLEMS - 1]
    return (
        *kept,
        f"There is more of this kind: {len(every) - len(kept)} further sentences were left out.",
    )
