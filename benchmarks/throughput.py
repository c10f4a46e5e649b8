"""Throughput against `nbgrader autograde` on the same submissions, in one run, with the same scores.

    python benchmarks/throughput.py [--assignment hw01_numpy] [--students 20]
    python benchmarks/throughput.py --assignment foreign --students 10 30

Both are commands, as an instructor gives them: `nbgrader autograde` and `autograder grade`. Printed are wall and CPU
seconds of each, and their ratio; for two sizes of a class also what a submission more costs, in which no start-up is.
`foreign` is the six functions of `submissions.py`, right and wrong, with tests that know nothing of this grader, no
two submissions alike. Machines are shared and noisy: quote the ratio.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "support"))

from measuring import Cost, make_parser, measure_work  # noqa: E402
from nbgrader_course import nbgrader, prepare, scores  # noqa: E402
from submissions import KINDS, RIGHT, TESTS, answer, write_course  # noqa: E402

from autograder.course.configuration_file import load_course  # noqa: E402
from autograder.course.exam import read_exam  # noqa: E402
from autograder.gradebook.assignment_conversion import put_tools_on_path  # noqa: E402
from autograder.record.ledger import Ledger  # noqa: E402
from autograder.rehearsal.student_roles import (  # noqa: E402
    StudentDesk,
    answer_everything,
    answer_first_half,
    leave_untouched,
)

AUTHORS = (answer_everything, answer_first_half, leave_untouched)
FOREIGN = "foreign"
NBGRADER = "nbgrader autograde"
OURS = "autograder grade"


@dataclass(frozen=True)
class HandedIn:
    """An assignment, where its course lies, and what each student handed in."""

    course: Path
    assignment: str
    notebooks: Mapping[str, bytes]


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--students", type=int, nargs="+", default=[20], help="sizes of classes")
    parser.add_argument(
        "--assignment", default="hw01_numpy", help=f"of this course, or {FOREIGN!r}"
    )
    options = parser.parse_args()
    put_tools_on_path()
    print(f"{options.assignment}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    sizes = sorted(options.students)
    costs = [measure_class(options.assignment, size) for size in sizes]
    if len(sizes) > 1:
        print("one more")
        more = {name: subtract_costs(costs[-1][name], costs[0][name]) for name in costs[0]}
        print_costs(more, sizes[-1] - sizes[0])


def measure_class(assignment: str, students: int) -> dict[str, Cost]:
    """Have a class graded by both, and return and print what it cost each."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if assignment == FOREIGN:
            handed_in = hand_in_foreign(root / "course", students)
        else:
            handed_in = hand_in_homework(assignment, students)
        theirs = root / "nbgrader"
        ours = root / "autograder"
        prepare(handed_in.course, theirs, handed_in.assignment, handed_in.notebooks)
        # nbgrader lends no function where the student's is wrong, and knows no other assignment.
        with (theirs / "grading_config.py").open("a") as config:
            config.write("\nc.Course.lend = False\nassignments = c.Course.assignments\n")
            config.write("c.Course.assignments = ")
            config.write(f"{{{handed_in.assignment!r}: assignments[{handed_in.assignment!r}]}}\n")
        shutil.copytree(theirs, ours)
        record(ours, handed_in)
        nbgrader(theirs, "generate_assignment", handed_in.assignment)
        costs = {
            NBGRADER: measure_work(partial(nbgrader, theirs, "autograde", handed_in.assignment)),
            OURS: measure_work(partial(autograder, ours, "grade")),
        }
        graded = scores(theirs, handed_in.assignment)
        wanted = {student: sum(grades.values()) for student, grades in graded.items()}
        print(f"{students} submissions, same scores: {read_points(ours, handed_in) == wanted}")
    print_costs(costs, students)
    return costs


def print_costs(costs: Mapping[str, Cost], students: int) -> None:
    """Print what some submissions cost both, and the ratio."""
    for name, cost in costs.items():
        wall, cpu = (1000 * seconds / students for seconds in (cost.wall, cost.cpu))
        print(
            f"{name:20} {cost.wall:7.1f} s wall {cost.cpu:7.1f} s CPU  each {wall:6.0f} ms wall {cpu:6.0f} ms CPU"
        )
    theirs, ours = costs[NBGRADER], costs[OURS]
    print(
        f"ratio                {theirs.wall / ours.wall:7.1f}   wall {theirs.cpu / ours.cpu:7.1f}   CPU"
    )


def subtract_costs(one: Cost, other: Cost) -> Cost:
    """Return what one thing cost more than another."""
    return Cost(one.wall - other.wall, one.cpu - other.cpu)


def hand_in_homework(assignment: str, students: int) -> HandedIn:
    """Return an assignment of this course, with its answers, half of them, and none by turns."""
    course = load_course(REPOSITORY / "grading_config.py")
    exam = read_exam(course.source_path(assignment), course.assignments[assignment].patterns)
    released = json.loads(course.release_path(assignment).read_text())
    notebooks = {}
    for number in range(students):
        student = f"student-{number}"
        files = AUTHORS[number % len(AUTHORS)](StudentDesk(student, exam, released))
        notebooks[student] = next(iter(files.values()))
    return HandedIn(REPOSITORY, assignment, notebooks)


def hand_in_foreign(folder: Path, students: int) -> HandedIn:
    """Return an assignment of another course, with every kind of submission by turns."""
    course = write_course(folder, {name: make_foreign(source) for name, source in TESTS.items()})
    with course.config.open("a") as config:
        config.write("\nc.Course.workers = 0\n")
    (folder / "nbgrader_config.py").write_text('load_subconfig("grading_config.py")')
    kinds = list(KINDS.values())
    notebooks = {}
    for number in range(students):
        own = f"student = {number}"
        notebooks[f"student-{number}"] = answer(kinds[number % len(kinds)], own)
    return HandedIn(folder, course.source.stem, notebooks)


def make_foreign(source: str) -> str:
    """Return a hidden test that brings the right functions itself."""
    called = re.compile(rf"\b({'|'.join(RIGHT)})(?=\()")
    right = [called.sub(r"right_\1", function) for function in RIGHT.values()]
    return "\n".join([*right, source.replace("reference.", "right_")])


def record(root: Path, handed_in: HandedIn) -> None:
    """Put what was handed in into the record of a course."""
    rows = [f"{student},file:///nowhere/{student}.git\n" for student in handed_in.notebooks]
    (root / "roster.csv").write_text("".join(["student,remote\n", *rows]))
    autograder(root, "import", "submitted", "--time", "2026-11-01 12:00")


def autograder(root: Path, *arguments: str) -> None:
    """Run a command of ours in a course."""
    command = [sys.executable, "-m", "autograder", *arguments]
    subprocess.run(command, cwd=root, check=True, capture_output=True)


def read_points(root: Path, handed_in: HandedIn) -> dict[str, float]:
    """Return the points of each student in the ledger."""
    ledger = Ledger(load_course(root / "grading_config.py").ledger)
    points = {}
    for student in handed_in.notebooks:
        points[student] = ledger.read(student).graded[-1].report.points
    return points


if __name__ == "__main__":
    main()
