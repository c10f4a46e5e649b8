"""What one submission of this course's own homework costs, in seconds of processor time.

    python benchmarks/homework.py [hw01_numpy …] [--rounds 3] [--roles solved untouched]

Everything is warm. Printed are medians of everything that runs for a submission: the examiner, the trial, the jail and
what is in it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(Path(__file__).parent))

from submissions import cpu_seconds  # noqa: E402

from autograder.course.configuration_file import load_course  # noqa: E402
from autograder.course.exam import Exam, read_exam  # noqa: E402
from autograder.course.submissions import Submission  # noqa: E402
from autograder.grader.examiner import Examiner  # noqa: E402
from autograder.jail.processes import list_descendants  # noqa: E402
from autograder.rehearsal.student_roles import (  # noqa: E402
    StudentDesk,
    answer_everything,
    answer_first_half,
    leave_untouched,
)

ROLES: Mapping[str, Callable[[StudentDesk], Mapping[str, bytes]]] = {
    "solved": answer_everything,
    "half": answer_first_half,
    "untouched": leave_untouched,
}


def measure(examiner: Examiner, exam: Exam, content: bytes, rounds: int) -> tuple[float, float]:
    """Return the points of a submission, and the median of its seconds."""
    submission = Submission(exam.assignment, f"{exam.assignment}_solved.ipynb", content)
    zygote = list_descendants(examiner.jail._keeper._process.pid)
    points = examiner.examine(exam, submission).report.points
    measured = []
    for _ in range(rounds):
        before = sum(os.times()[:4]) + cpu_seconds(zygote)
        examiner.examine(exam, submission)
        measured.append(sum(os.times()[:4]) + cpu_seconds(zygote) - before)
    return points, statistics.median(measured)


def main() -> None:
    """Measure and print a table."""
    course = load_course(REPOSITORY / "grading_config.py")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("assignments", nargs="*", default=list(course.assignments))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--roles", nargs="+", choices=ROLES, default=["solved", "untouched"])
    options = parser.parse_args()
    line = "{:<24} {:<10} {:>8} {:>10}".format
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    print(line("assignment", "role", "points", "CPU"))
    with Examiner() as examiner:
        for name in options.assignments:
            patterns = course.assignments[name].patterns
            exam = read_exam(course.source_path(name), patterns, course.release_path(name))
            released = json.loads(course.release_path(name).read_text())
            for role in options.roles:
                files = ROLES[role](StudentDesk("student", exam, released))
                content = next(iter(files.values()))
                points, seconds = measure(examiner, exam, content, options.rounds)
                print(line(name, role, f"{points:g}", f"{seconds:.2f} s"))


if __name__ == "__main__":
    main()
