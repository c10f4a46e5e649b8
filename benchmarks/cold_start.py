"""What one push costs from cold: `autograder run` in a process of its own, one student having pushed something new.

    python benchmarks/cold_start.py [--rounds 5] [--students 3]

Two courses: a notebook that imports numpy only, and one that imports scikit-learn and pyplot, too. Before the first
measured run everything else is up to date. Printed are medians: seconds by the clock, and of processor time of the
command with all it starts. On a busy machine only the latter says anything.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "support"))

from measuring import Cost, make_parser, measure_work  # noqa: E402
from small_class import Class  # noqa: E402
from small_course import CONFIG, SmallCourse, code, dump, solution, test  # noqa: E402

IMPORTS = {
    "numpy only": "import numpy as np",
    "scikit-learn and pyplot": (
        "import numpy as np\nimport matplotlib.pyplot as plt\n"
        "from sklearn.linear_model import LinearRegression"
    ),
}
ANSWER = "def double(x):\n    return 2 * np.asarray(x)"
TEST = (
    "### BEGIN HIDDEN TESTS\nfor n in range(20):\n"
    "    assert np.array_equal(double(np.arange(n)), 2 * np.arange(n))\n### END HIDDEN TESTS"
)


def make_class(root: Path, imports: str, students: int) -> Class:
    """Make a course, and students of whom each has pushed something."""
    course = SmallCourse(root)
    stub = f"### BEGIN SOLUTION\n{ANSWER}\n### END SOLUTION"
    course.write(code(imports), solution(stub), test(TEST, "double"))
    course.config.write_text(CONFIG)
    made = Class(course)
    made.enrol(*(f"student-{number}" for number in range(students)))
    for number in range(students):
        push_answer(made, number, imports, "first")
    return made


def push_answer(made: Class, number: int, imports: str, remark: str) -> None:
    """Have a student push a notebook like no other."""
    cells = [code(f"# {number}, {remark}\n{imports}"), solution(ANSWER), test("", "double")]
    made.push(f"student-{number}", dump(cells), remark)


def run_command(config: Path) -> None:
    """Do what a poll does, in a process of its own."""
    command = [sys.executable, "-m", "autograder", "run", "--config", config]
    environment = dict(os.environ)
    # Where it is set, our own modules would be compiled anew in every run, as they are on nobody's machine.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(
            f"autograder run ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )


def format_medians(costs: list[Cost]) -> list[str]:
    """Return the medians of both kinds of seconds."""
    wall = statistics.median(cost.wall for cost in costs)
    cpu = statistics.median(cost.cpu for cost in costs)
    return [f"{wall:.2f} s", f"{cpu:.2f} s"]


def main() -> None:
    """Measure both courses and print a table."""
    parser = make_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--students", type=int, default=3)
    options = parser.parse_args()
    line = "{:<26} {:>10} {:>10} {:>12} {:>12}".format
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    print(line("notebook imports", "one push", "its CPU", "nothing new", "its CPU"))
    for name, imports in IMPORTS.items():
        with tempfile.TemporaryDirectory() as folder:
            made = make_class(Path(folder), imports, options.students)
            run = partial(run_command, made.course.config)
            run()
            pushes = []
            idle = []
            for number in range(options.rounds):
                push_answer(made, 0, imports, f"push {number}")
                pushes.append(measure_work(run))
                idle.append(measure_work(run))
        print(line(name, *format_medians(pushes), *format_medians(idle)))


if __name__ == "__main__":
    main()
