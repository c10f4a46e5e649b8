"""What one submission of this course's own homework costs, in seconds of processor time.

    python benchmarks/homework.py [hw01_numpy …] [--rounds 3] [--roles solved untouched]

Everything is warm. Printed are medians of everything that runs for a submission: the examiner, the trial, the jail and
what is in it.
"""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from measuring import list_jail_processes, make_parser, measure_work

from autograder.course.configuration_file import load_course
from autograder.course.exam import Exam, read_exam
from autograder.course.submissions import Submission
from autograder.grader.examiner import Examiner
from autograder.rehearsal.student_roles import (
    StudentDesk,
    answer_everything,
    answer_first_half,
    leave_untouched,
)

REPOSITORY = Path(__file__).parents[1]
ROLES: Mapping[str, Callable[[StudentDesk], Mapping[str, bytes]]] = {
    "solved": answer_everything,
    "half": answer_first_half,
    "untouched": leave_untouched,
}


def measure(examiner: Examiner, exam: Exam, content: bytes, rounds: int) -> tuple[float, float]:
    """Return the points of a submission, and the median of its seconds."""
    submission = Submission(exam.assignment, f"{exam.assignment}_solved.ipynb", content)
    warm = list_jail_processes(examiner.jail)
    examine = partial(examiner.examine, exam, submission)
    points = examine().report.points
    return points, statistics.median(measure_work(examine, warm).cpu for _ in range(rounds))


def main() -> None:
    """Measure and print a table."""
    course = load_course(REPOSITORY / "grading_config.py")
    parser = make_parser(__doc__)
    parser.add_argument("assignments", nargs="*", default=list(course.assignments))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--roles", nargs="+", choices=ROLES, default=["solved", "untouched"])
    options = parser.parse_args()
    line = "{:<24} {:<10} {:>8} {:>10}".format
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    print(line("assignment", "role", "points", "CPU"))
    exams = {}
    for name in options.assignments:
        patterns = course.assignments[name].patterns
        exams[name] = read_exam(course.source_path(name), patterns, course.release_path(name))
    # As `autograder grade` does, which has in the warm process what its exams import, and no more.
    with Examiner(exams=exams.values()) as examiner:
        for name, exam in exams.items():
            released = json.loads(course.release_path(name).read_text())
            for role in options.roles:
                files = ROLES[role](StudentDesk("student", exam, released))
                content = next(iter(files.values()))
                points, seconds = measure(examiner, exam, content, options.rounds)
                print(line(name, role, f"{points:g}", f"{seconds:.2f} s"))


if __name__ == "__main__":
    main()
