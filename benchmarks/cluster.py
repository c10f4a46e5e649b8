"""Dask: two workers against one, on the same distinct submissions, with the same points.

    python benchmarks/cluster.py [--submissions 32] [--own 0.5]

A scheduler and workers of one thread each are started on this machine: first one worker grades all submissions, then
two do, with nothing in their ledger. What starting costs is not counted: the clock runs from the moment at which every
worker has graded something. Two workers need two cores of their own: run it on an idle machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "support"))

from distributed import Client  # noqa: E402
from measuring import make_parser  # noqa: E402
from small_class import PATH  # noqa: E402
from submissions import KINDS, answer, write_exam  # noqa: E402

from autograder.course.configuration import Course  # noqa: E402
from autograder.course.configuration_file import load_course  # noqa: E402
from autograder.course.exam import Exam  # noqa: E402
from autograder.course.submissions import NotebookFile, Student  # noqa: E402
from autograder.git.tree_objects import name_of_blob  # noqa: E402
from autograder.grading.cluster_run import grade_on_cluster  # noqa: E402
from autograder.record.open_tasks import GradingTask  # noqa: E402

# A student's own training, in processor seconds: of a loop that no cache and no second core shortens
OWN = """\
import time
begun = time.process_time()
while time.process_time() - begun < {seconds}:
    sum(number * number for number in range(10_000))
# {name}
"""


def make_submission(number: int, own: float) -> bytes:
    """Return a submission that nobody else hands in, right or wrong as its number has it."""
    wrong = list(KINDS.values())[number % len(KINDS)]
    return answer(wrong, OWN.format(seconds=own, name=f"by student {number}"))


def start_part(stack: ExitStack, *arguments: str | Path) -> None:
    """Start a part of a cluster, which ends with the stack."""
    command = [sys.executable, "-m", "dask", *map(str, arguments), "--no-dashboard"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.terminate)


def start_cluster(stack: ExitStack, folder: Path, workers: int) -> str:
    """Start a scheduler with workers of one thread each, and return its address."""
    file = folder / f"scheduler-{workers}.json"
    start_part(stack, "scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", file)
    while not file.exists():
        time.sleep(0.1)
    options = ("--nthreads", "1", "--no-nanny", "--local-directory", folder)
    for _ in range(workers):
        start_part(stack, "worker", "--scheduler-file", file, *options)
    with Client(scheduler_file=str(file), set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=120)
        return str(client.scheduler.address)


def measure_rate(
    course: Course, exam: Exam, contents: list[bytes], folder: Path, workers: int
) -> tuple[float, dict[str, float]]:
    """Return submissions a second of a cluster, and the points of each student."""
    here = replace(course, ledger=folder / f"ledger-{workers}")
    by_blob = {str(name_of_blob(content)): content for content in contents}
    tasks = []
    for number, (blob, content) in enumerate(by_blob.items()):
        student = Student(f"student-{number}", "")
        file = NotebookFile(PATH, blob, len(content))
        tasks.append(GradingTask("hw", file, student, [(student.id, blob)]))
    warming = 4 * workers  # more than each has in hand at first
    points = {}
    with ExitStack() as stack:
        address = start_cluster(stack, folder, workers)
        run = grade_on_cluster(
            here, {"hw": exam}, tasks, lambda task: by_blob[task.file.blob], address
        )
        for done in run:
            if done.report is None:
                raise SystemExit(done.error)
            points[done.task.student.id] = done.report.points
            if len(points) == warming:
                begun = time.perf_counter()
        rate = (len(points) - warming) / (time.perf_counter() - begun)
    return rate, points


def main() -> None:
    """Measure one worker, then two, and print the rates and their ratio."""
    parser = make_parser(__doc__)
    parser.add_argument("--submissions", type=int, default=32)
    parser.add_argument("--own", type=float, default=0.5, help="CPU seconds of a student's own")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        exam = write_exam(folder / "course")
        course = load_course(folder / "course" / "grading_config.py")
        contents = [make_submission(number, options.own) for number in range(options.submissions)]
        one, points = measure_rate(course, exam, contents, folder, 1)
        two, again = measure_rate(course, exam, contents, folder, 2)
    print(f"{options.submissions} submissions, load before {os.getloadavg()[2]:.1f}")
    print(f"one worker {one:.2f} a second, two {two:.2f}: {two / one:.2f} ×")
    print(f"same points: {points == again}")


if __name__ == "__main__":
    main()
