"""What a class costs beside grading: its gradebook filled for the first time, and a run in which nothing is new.

    python benchmarks/class_size.py [--students 20 100 300 1000] [--assignments 2]

The class is made from its record alone: pushes, reports and stores are written as collecting and grading would, and
the network is not asked. Printed are CPU seconds of a command with all its children, start-up included; that is the
figure to trust on a busy machine.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from measuring import make_parser, measure_work

from autograder.classroom.classroom import Classroom
from autograder.course.exam import Exercise
from autograder.course.reports import Criterion, CriterionOutcome, ExerciseResult, Report, Status
from autograder.course.submissions import Clock, NotebookFile, Push
from autograder.record.ledger import Ledger

REPOSITORY = Path(__file__).parents[1]
CONFIG = """\
c = get_config()
c.Course.name = "A class of many"
c.Course.timezone = "Europe/Budapest"
c.Course.assignments = {assignments}
c.CourseDirectory.course_id = "many"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "assignments"
c.CourseDirectory.ignore = ["*.py"]
c.ClearSolutions.code_stub = {{"python": "raise NotImplementedError"}}
"""
STEPS = """
import sys
from pathlib import Path
from autograder.classroom.classroom import Classroom
from autograder.cli import long_work
classroom = Classroom.open(Path(sys.argv[1]))
for name in sys.argv[2:]:
    getattr(long_work, name)(classroom)
sys.exit(long_work.print_troubles(classroom))
"""
POLL = ("grade_all", "bring_gradebook_up", "build_all_pages")
DEADLINE = "2027-03-06 23:59"
PUSHED = datetime(2027, 3, 1, 12, tzinfo=UTC)
STATUSES = (Status.PASSED, Status.PASSED, Status.FAILED, Status.PASSED)


def make_class(root: Path, students: int, assignments: int) -> Path:
    """Make a course with its students' stores and ledger in a folder; return its configuration."""
    names = sorted(
        folder.name for folder in (REPOSITORY / "assignments").iterdir() if folder.is_dir()
    )
    chosen = names[:assignments]
    for name in chosen:
        shutil.copytree(REPOSITORY / "solutions" / name, root / "solutions" / name)
        shutil.copytree(REPOSITORY / "assignments" / name, root / "assignments" / name)
    config = root / "grading_config.py"
    table = {name: {"title": name, "deadline": DEADLINE} for name in chosen}
    config.write_text(CONFIG.format(assignments=table))
    rows = ["student,remote,name,email,group"]
    for number in range(students):
        rows.append(f"student-{number:05},/nowhere/{number}.git,Student {number:05},,")
    (root / "roster.csv").write_text("\n".join(rows) + "\n")
    template = root / "template.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--template=", template], check=True)
    classroom = Classroom.open(config)
    for number, student in enumerate(classroom.students):
        store = classroom.course.forks / f"{student.id}.git"
        shutil.copytree(template, store)
        hand_in(classroom, student.id, number, store)
    return config


def hand_in(classroom: Classroom, student: str, number: int, store: Path) -> None:
    """Write what a student's pushes of every assignment, and their grading, leave behind."""
    ledger = Ledger(classroom.course.ledger)
    for index, (name, exam) in enumerate(classroom.exams.items()):
        content = own_notebook(classroom.course.release_path(name), student)
        blob = keep(store, content)
        path = f"assignments/{name}/{name}_solved.ipynb"
        written = tuple(exercise.id for exercise in exam.exercises)
        file = NotebookFile(path, blob, len(content), name, written)
        moment = PUSHED + timedelta(hours=index, seconds=number)
        ledger.add_push(Push(student, blob, "master", moment, Clock.FIRST_SEEN, (file,)))
        results = tuple(make_result(exercise, number) for exercise in exam.exercises)
        report = Report(name, path, "graded", results, exam=exam.version)
        ledger.add_report(student, blob, blob, report, moment + timedelta(minutes=5))


def own_notebook(release: Path, student: str) -> bytes:
    """Return a released notebook with a cell of a student's own."""
    notebook: dict[str, Any] = json.loads(release.read_text())
    cell = {"cell_type": "markdown", "id": "own", "metadata": {}, "source": f"By {student}."}
    notebook["cells"].append(cell)
    return json.dumps(notebook, indent=1).encode()


def keep(store: Path, content: bytes) -> str:
    """Put a file among a store's objects, and return its name."""
    whole = b"blob %d\0" % len(content) + content
    blob = hashlib.sha1(whole).hexdigest()
    place = store / "objects" / blob[:2] / blob[2:]
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(zlib.compress(whole))
    return blob


def make_result(exercise: Exercise, number: int) -> ExerciseResult:
    """Return one of a few results, as grading gives them."""
    status = STATUSES[(number + len(exercise.id)) % len(STATUSES)]
    points = exercise.points if status is Status.PASSED else 0.0
    met = CriterionOutcome.MET if status is Status.PASSED else CriterionOutcome.NOT_MET
    criteria = tuple(
        Criterion(f"criterion {index}", points / 4, exercise.points / 4, met) for index in range(4)
    )
    if exercise.manual:
        status, points, criteria = Status.FAILED, 0.0, ()
    hint = "" if status is Status.PASSED else "Twice is not squared; see the line above."
    return ExerciseResult(
        exercise.id, exercise.part, points, exercise.points, status, hint, criteria
    )


def cpu_of(config: Path, *steps: str) -> float:
    """Return the CPU seconds of steps in a process of their own, all its children included."""
    return measure_work(lambda: run_steps(config, *steps)).cpu


def run_steps(config: Path, *steps: str) -> None:
    """Do steps of a poll in a process of their own."""
    done = subprocess.run(
        [sys.executable, "-c", STEPS, config, *steps], stdout=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(steps)} ended with {done.returncode}")


def print_slopes(sizes: list[int], costs: list[list[float]]) -> None:
    """Print what one more student costs, by the straight line that fits best, in milliseconds."""
    slopes, fixed = np.polyfit(sizes, np.array(costs), 1)
    print("a student more, ms " + "".join(f"{1000 * slope:9.2f}" for slope in slopes))
    print("for any size, s    " + "".join(f"{seconds:9.2f}" for seconds in fixed))


def main() -> None:
    """Make each class, and print what its commands cost."""
    parser = make_parser(__doc__)
    parser.add_argument("--students", type=int, nargs="+", default=[20, 100, 300, 1000])
    parser.add_argument("--assignments", type=int, default=2)
    options = parser.parse_args()
    print("CPU seconds        first     first    nothing new:")
    print("students            fill     pages    grade gradebook    pages  all three")
    costs = []
    for students in options.students:
        with tempfile.TemporaryDirectory() as folder:
            config = make_class(Path(folder), students, options.assignments)
            cost = [cpu_of(config, "bring_gradebook_up"), cpu_of(config, "build_all_pages")]
            cost += [cpu_of(config, step) for step in POLL]
            cost.append(cpu_of(config, *POLL))
        costs.append(cost)
        print(f"{students:<19}" + "".join(f"{seconds:9.2f}" for seconds in cost), flush=True)
    if len(costs) > 1:
        print_slopes(options.students, costs)


if __name__ == "__main__":
    main()
