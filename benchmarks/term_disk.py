"""What a term takes of the disk, measured on a few students and multiplied.

    python benchmarks/term_disk.py [--students 3] [--weeks 14] [--pushes 5]

Each student has a repository, pushes the homework of the week a few times, always with more cells answered and outputs
kept in the file, and is fetched after each push as `autograder collect` does. Then the stores are packed as `autograder
tidy` does. The notebooks of the formgrader come from really running each homework once; after two weeks `autograder
tidy` puts them away, so that only those of the last three weeks are there.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from class_size import make_class, make_result
from measuring import make_parser

from autograder.classroom.classroom import Classroom
from autograder.classroom.disk_use import measure_disk_use
from autograder.course.reports import Report
from autograder.course.submissions import Clock, Student, Submission
from autograder.git.student_stores import Fork
from autograder.gradebook.autograded_notebooks import autograded_notebook
from autograder.gradebook.put_away_notebooks import SETTLED
from autograder.grader.examiner import Examiner
from autograder.record.ledger import Ledger

START = datetime(2027, 1, 4, 12, tzinfo=UTC)
STUDENTS, WEEKS, PUSHES = 300, 14, 5
BLOCK = 4096  # bytes that the smallest file takes
GIT = ("git", "-c", "user.name=somebody", "-c", "user.email=nobody@example.org", "-c", "gc.auto=0")


def walk_term(classroom: Classroom, folder: Path, students: int, weeks: int, pushes: int) -> None:
    """Let students push, and do what collecting and grading write."""
    ledger = Ledger(classroom.course.ledger)
    exams = list(classroom.exams.values())
    for number in range(students):
        name = f"student-{number:05}"
        remote = folder / f"{name}.work"
        subprocess.run([*GIT, "init", "--quiet", "--initial-branch=master", remote], check=True)
        fork = Fork(Student(name, str(remote)), classroom.course.forks / f"{name}.git", "master")
        for step in range(weeks * pushes):
            week, push = divmod(step, pushes)
            exam = exams[week % len(exams)]
            place = remote / f"week{week:02}" / f"{exam.assignment}_solved.ipynb"
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(half_solved(classroom, exam.assignment, name, (push + 1) / pushes))
            subprocess.run([*GIT, "-C", remote, "add", "."], check=True)
            subprocess.run([*GIT, "-C", remote, "commit", "--quiet", "-m", "work"], check=True)
            commit = fork.fetch()
            assert commit is not None
            moment = START + timedelta(hours=step)
            pushed = fork.make_push(commit, moment, Clock.FIRST_SEEN)
            ledger.add_push(pushed)
            results = tuple(make_result(exercise, number + push) for exercise in exam.exercises)
            report = Report(exam.assignment, str(place), "graded", results, exam=exam.version)
            ledger.add_report(name, commit, pushed.notebooks[0].blob, report, moment)


def half_solved(classroom: Classroom, assignment: str, student: str, share: float) -> bytes:
    """Return the source's cells up to a share of the notebook, the released ones below."""
    solved = json.loads(classroom.course.source_path(assignment).read_text())
    released = json.loads(classroom.course.release_path(assignment).read_text())
    count = int(share * len(released["cells"]))
    released["cells"][:count] = solved["cells"][:count]
    own = {
        "cell_type": "markdown",
        "id": "own",
        "metadata": {},
        "source": f"By {student}, {share:.1f}.",
    }
    released["cells"].append(own)
    return json.dumps(released, indent=1).encode()


def measure_shown(classroom: Classroom) -> float:
    """Return the mean size of what the formgrader shows of a solved homework, with all its outputs."""
    sizes = []
    with Examiner(classroom.course.limits) as examiner:
        for name, exam in classroom.exams.items():
            content = classroom.course.source_path(name).read_bytes()
            examined = examiner.examine(exam, Submission(name, f"{name}.ipynb", content))
            executed = {cell["number"]: cell for cell in examined.cells}
            text = json.dumps(autograded_notebook(exam, content, executed), indent=1)
            sizes.append(len(text.encode()))
            print(f"  shown of {name}: {sizes[-1] / 1e3:.0f} kB")
    return sum(sizes) / len(sizes)


def main() -> None:
    """Walk the term, and print what it takes."""
    parser = make_parser(__doc__)
    parser.add_argument("--students", type=int, default=3)
    parser.add_argument("--weeks", type=int, default=WEEKS)
    parser.add_argument("--pushes", type=int, default=PUSHES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = make_class(Path(folder), 0, 4)
        classroom = Classroom.open(config)
        walk_term(classroom, Path(folder), options.students, options.weeks, options.pushes)
        times = STUDENTS / options.students * (WEEKS * PUSHES) / (options.weeks * options.pushes)
        uses = {use.what: use.size * times / 1e6 for use in measure_disk_use(classroom)}
        stores, ledger = uses["what students pushed"], uses["record of pushes, points and marks"]
        for number in range(options.students):
            name = f"student-{number:05}"
            Fork(Student(name, ""), classroom.course.forks / f"{name}.git", "master").pack()
        packed = {use.what: use.size * times / 1e6 for use in measure_disk_use(classroom)}
        each = measure_shown(classroom)
        weeks_shown = 1 + SETTLED.days // 7
        shown = each * STUDENTS * weeks_shown / 1e6
        away = BLOCK * STUDENTS * (WEEKS - weeks_shown) / 1e6
        print(
            f"{STUDENTS} students, {WEEKS} weeks, {PUSHES} pushes a week, from {options.students} students:"
        )
        print(
            f"{stores:8.0f} MB  what students pushed, {packed['what students pushed']:.0f} MB packed"
        )
        print(f"{ledger:8.0f} MB  record")
        print(f"{shown:8.0f} MB  notebooks of the formgrader, with outputs, of {weeks_shown} weeks")
        print(f"{away:8.0f} MB  what stands in the place of the others")
        total = packed["what students pushed"] + ledger + shown + away
        print(f"{total:8.0f} MB  in all, tidied")
        print(
            f"{total - away - shown + each * STUDENTS * WEEKS / 1e6:8.0f} MB  with nothing put away"
        )


if __name__ == "__main__":
    os.environ.setdefault("GIT_CONFIG_GLOBAL", os.devnull)
    main()
