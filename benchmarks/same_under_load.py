"""The same submissions on this machine as it is, and under a load of twenty: their reports have to be the same.

    python benchmarks/same_under_load.py [--submissions 30] [--load 20]

The load is processes that this script starts, which compute without an end, and which it ends. Compared is everything
in a report but its seconds. Exits with 1 where a report differs, and says in what.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from textwrap import indent

from measuring import make_parser
from submissions import KINDS, answer, write_exam

from autograder.course.exam import Exam
from autograder.course.limits import Limits
from autograder.course.reports import Report
from autograder.course.submissions import Submission
from autograder.grader.examiner import Examiner

ENDLESS = "while True: pass"
# Tight enough that a clock alone would end what computes for half a second under such a load.
LIMITS = Limits(cell_seconds=5, call_seconds=2, seconds=60)
# What takes time by itself: computing, waiting, and never coming to an end.
SLOW = {
    "computes": "import time\nuntil = time.process_time() + 0.5\nwhile time.process_time() < until: pass",
    "waits": "import time\ntime.sleep(0.5)",
    "never ends": "while True: pass",
}


def make_submissions(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield as many different submissions, each with a name: right, wrong and slow ones by turns."""
    slow = list(SLOW)
    kinds = list(KINDS)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        content = answer(KINDS[kind])
        name = f"{number}: {kind}"
        if number % len(kinds) == 0:
            chosen = slow[number // len(kinds) % len(slow)]
            content = with_first_line(content, SLOW[chosen])
            name = f"{number}: {chosen}"
        yield name, content


def with_first_line(content: bytes, source: str) -> bytes:
    """Return a submission whose `score` does something first."""
    head = b"def score(Z, Y):"
    body = json.dumps(f"\n{indent(source, '    ')}")[1:-1]
    return content.replace(head, head + body.encode())


@contextmanager
def loaded(count: int) -> Iterator[None]:
    """Let processes compute while the context lasts; only these are ended."""
    processes = [subprocess.Popen([sys.executable, "-c", ENDLESS]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


def grade(exam: Exam, submissions: Mapping[str, bytes]) -> dict[str, Report]:
    """Return the reports; what only the clock decided is graded once more, as a run does."""
    reports = {}
    with Examiner(LIMITS) as examiner:
        for name, content in submissions.items():
            submission = Submission("hw", "hw_solved.ipynb", content)
            examined = examiner.examine(exam, submission)
            if examined.by_clock:
                examined = examiner.examine(exam, submission)
            reports[name] = replace(examined.report, seconds=0.0)
    return reports


def main() -> int:
    """Grade twice, compare, and say what differs."""
    parser = make_parser(__doc__)
    parser.add_argument("--submissions", type=int, default=30)
    parser.add_argument("--load", type=int, default=20)
    options = parser.parse_args()
    submissions = dict(make_submissions(options.submissions))
    with tempfile.TemporaryDirectory() as folder:
        exam = write_exam(Path(folder))
        began = time.monotonic()
        quiet = grade(exam, submissions)
        print(f"as it is (load {os.getloadavg()[0]:.1f}): {time.monotonic() - began:.0f} s")
        began = time.monotonic()
        with loaded(options.load):
            busy = grade(exam, submissions)
            print(f"with {options.load} more processes: {time.monotonic() - began:.0f} s")
    different = [name for name in quiet if quiet[name] != busy[name]]
    for name in different:
        print(f"{name}\n  {quiet[name]}\n  {busy[name]}")
    print(f"{len(quiet) - len(different)} of {len(quiet)} reports are the same")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
