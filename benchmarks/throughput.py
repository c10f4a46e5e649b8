"""Throughput against `nbgrader autograde` on the same submissions, in one run, with the same scores.

Run it with `python benchmarks/throughput.py [--students N] [--assignment NAME]`; it prints wall and CPU seconds of both
and their ratio. Machines are shared and noisy: quote the ratio.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "support"))

from measuring import make_parser, measure_work  # noqa: E402
from nbgrader_course import nbgrader, prepare, scores  # noqa: E402

from autograder.course.configuration_file import load_course  # noqa: E402
from autograder.course.exam import Exam, read_exam  # noqa: E402
from autograder.course.submissions import NotebookFile, Student  # noqa: E402
from autograder.gradebook.assignment_conversion import put_tools_on_path  # noqa: E402
from autograder.grading.grading_run import grade_tasks  # noqa: E402
from autograder.record.ledger import Ledger  # noqa: E402
from autograder.record.open_tasks import GradingTask  # noqa: E402
from autograder.rehearsal.forge_on_disk import BareRepository  # noqa: E402
from autograder.rehearsal.practice_class import DEADLINE  # noqa: E402
from autograder.rehearsal.student_roles import (  # noqa: E402
    StudentDesk,
    answer_everything,
    answer_first_half,
    leave_untouched,
)

AUTHORS = (answer_everything, answer_first_half, leave_untouched)


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--students", type=int, default=20)
    parser.add_argument("--assignment", default="hw01_numpy")
    options = parser.parse_args()
    course = load_course(REPOSITORY / "grading_config.py")
    exam = read_exam(
        course.source_path(options.assignment), course.assignments[options.assignment].patterns
    )
    released = json.loads(course.release_path(options.assignment).read_text())
    notebooks = {
        f"student-{number}": next(
            iter(AUTHORS[number % 3](StudentDesk(f"student-{number}", exam, released)).values())
        )
        for number in range(options.students)
    }
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        prepare(REPOSITORY, root / "nbgrader", options.assignment, notebooks)
        nbgrader(root / "nbgrader", "generate_assignment", options.assignment)
        theirs = measure_work(lambda: nbgrader(root / "nbgrader", "autograde", options.assignment))
        tasks = pushed(root, exam, notebooks)
        ours_course = replace(
            course, forks=root / "forks", ledger=root / "ledger", outputs=root / "outputs"
        )
        ours = measure_work(
            lambda: list(grade_tasks(ours_course, {options.assignment: exam}, tasks))
        )
        put_tools_on_path()
        equal = points(root / "ledger", notebooks) == {
            student: sum(grades.values())
            for student, grades in scores(root / "nbgrader", options.assignment).items()
        }
    print(
        f"{options.students} submissions of {options.assignment}, {os.cpu_count()} cores, same scores: {equal}"
    )
    for name, cost in (("nbgrader autograde", theirs), ("autograder", ours)):
        wall, cpu = (1000 * seconds / options.students for seconds in (cost.wall, cost.cpu))
        print(
            f"{name:20} {cost.wall:7.1f} s wall {cost.cpu:7.1f} s CPU  each {wall:6.0f} ms wall {cpu:6.0f} ms CPU"
        )
    print(
        f"ratio                {theirs.wall / ours.wall:7.1f}   wall {theirs.cpu / ours.cpu:7.1f}   CPU"
    )


def pushed(root: Path, exam: Exam, notebooks: dict[str, bytes]) -> list[GradingTask]:
    """Put each notebook into a store of its own, as collecting does, and return what there is to grade."""
    tasks = []
    for student, content in notebooks.items():
        store = BareRepository(root / "forks" / f"{student}.git", "master")
        store.create()
        store.push({"hw.ipynb": content}, "homework", DEADLINE)
        file = NotebookFile("hw.ipynb", store.blob("hw.ipynb"), len(content))
        tasks.append(GradingTask(exam.assignment, file, Student(student, ""), [(student, "c")]))
    return tasks


def points(ledger: Path, notebooks: dict[str, bytes]) -> dict[str, float]:
    """Return the points of each student in the ledger."""
    return {student: Ledger(ledger).read(student).graded[-1].report.points for student in notebooks}


if __name__ == "__main__":
    main()
