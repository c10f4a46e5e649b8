"""What one more submission costs: six functions, hidden tests with some hundred calls, right and wrong answers.

    python benchmarks/submissions.py [--rounds 5]

Printed per kind of submission: processor milliseconds of everything that runs for it (the examiner, the trial, the
jail and what is in it). Everything is warm; processor time is the figure to trust on a busy machine.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "support"))

from measuring import list_jail_processes, make_parser, measure_own_time  # noqa: E402
from small_course import CONFIG, SmallCourse, code, dump, solution, test  # noqa: E402

from autograder.course.configuration_file import load_course  # noqa: E402
from autograder.course.exam import Exam, read_exam  # noqa: E402
from autograder.course.submissions import Submission  # noqa: E402
from autograder.grader.examiner import Examiner  # noqa: E402
from autograder.jail.processes import measure_processor_time  # noqa: E402

IMPORTS = "import numpy as np"
RIGHT = {
    "predict": "def predict(X, W, b):\n    return X @ W.T + b",
    "loss": "def loss(Z, Y):\n    return float(np.mean((Z - Y) ** 2))",
    "gradients": (
        "def gradients(Z, X, Y):\n    dZ = 2 * (Z - Y) / Y.size\n    return {'dW': dZ.T @ X, 'db': dZ.sum(axis=0)}"
    ),
    "step": (
        "def step(parameters, gradients, rate=0.1):\n"
        "    return {name: value - rate * gradients['d' + name] for name, value in parameters.items()}"
    ),
    "train": (
        "def train(X, Y, epochs):\n    parameters = {'W': np.zeros((1, X.shape[1])), 'b': np.zeros(1)}\n"
        "    losses = []\n    for _ in range(epochs):\n        Z = predict(X, **parameters)\n"
        "        losses.append(loss(Z, Y))\n        parameters = step(parameters, gradients(Z, X, Y))\n"
        "    return parameters, losses"
    ),
    "score": "def score(Z, Y):\n    return 1 - float(np.sum((Y - Z) ** 2) / np.sum((Y - Y.mean()) ** 2))",
}
WRONG = {
    "predict": "def predict(X, W, b):\n    return X @ W.T - b",
    "loss": "def loss(Z, Y):\n    return float(np.sum((Z - Y) ** 2))",
    "gradients": (
        "def gradients(Z, X, Y):\n    dZ = (Z - Y) / Y.size\n    return {'dW': dZ.T @ X, 'db': dZ.sum(axis=0)}"
    ),
    "step": (
        "def step(parameters, gradients, rate=0.1):\n"
        "    return {name: value + rate * gradients['d' + name] for name, value in parameters.items()}"
    ),
    "train": "def train(X, Y, epochs):\n    return {'W': np.zeros((1, X.shape[1])), 'b': np.zeros(1)}, [0.0] * epochs",
    "score": "def score(Z, Y):\n    return float(np.sum((Y - Z) ** 2) / np.sum((Y - Y.mean()) ** 2))",
}
DATA = "rng = np.random.default_rng(1)\nX, Y = rng.normal(size=(20, 3)), rng.normal(size=(20, 1))\n"
TESTS = {
    "predict": DATA
    + "for n in range(1, 8):\n    W, b = rng.normal(size=(1, 3)), rng.normal(size=1)\n"
    "    np.testing.assert_allclose(predict(X[:n], W, b), reference.predict(X[:n], W, b))",
    "loss": DATA + "for _ in range(8):\n    Z = rng.normal(size=(20, 1))\n"
    "    np.testing.assert_allclose(loss(Z, Y), reference.loss(Z, Y))",
    "gradients": DATA
    + "for _ in range(8):\n    Z = rng.normal(size=(20, 1))\n    got = gradients(Z, X, Y)\n"
    "    for name, value in reference.gradients(Z, X, Y).items():\n"
    "        np.testing.assert_allclose(got[name], value)",
    "step": DATA + "parameters = {'W': np.ones((1, 3)), 'b': np.ones(1)}\n"
    "expected = {'W': np.ones((1, 3)), 'b': np.ones(1)}\nfor _ in range(300):\n"
    "    slopes = {'dW': rng.normal(size=(1, 3)), 'db': rng.normal(size=1)}\n"
    "    parameters, expected = step(parameters, slopes), reference.step(expected, slopes)\n"
    "np.testing.assert_allclose(parameters['W'], expected['W'])",
    "train": DATA
    + "parameters, losses = train(X, Y, 50)\nexpected, wanted = reference.train(X, Y, 50)\n"
    "np.testing.assert_allclose(losses, wanted)\nnp.testing.assert_allclose(parameters['W'], expected['W'])",
    "score": DATA + "for _ in range(8):\n    Z = rng.normal(size=(20, 1))\n"
    "    np.testing.assert_allclose(score(Z, Y), reference.score(Z, Y))",
}
MISTAKES = """\
import numpy as np
from autograder.mistakes import Mistakes
mistakes = Mistakes("hw")
@mistakes.of("loss", hint="The mean, not the sum.")
def summed(Z, Y):
    return float(np.sum((Z - Y) ** 2))
@mistakes.of("step", hint="Against the gradient.")
def uphill(parameters, gradients, rate=0.1):
    return {name: value + rate * gradients['d' + name] for name, value in parameters.items()}
@mistakes.of("gradients", hint="The factor 2 is missing.")
def half(Z, X, Y):
    dZ = (Z - Y) / Y.size
    return {'dW': dZ.T @ X, 'db': dZ.sum(axis=0)}
"""
KINDS: dict[str, set[str]] = {
    "all right": set(),
    "one wrong": {"loss"},
    "a wrong step": {"step"},
    "three wrong": {"predict", "gradients", "score"},
    "all wrong": set(RIGHT),
}


def write_exam(folder: Path) -> Exam:
    """Write the course of one assignment and return its exam."""
    reference = "import autograder.reference\nreference = autograder.reference.reference_of('hw')\n"
    course = write_course(folder, {name: reference + source for name, source in TESTS.items()})
    loaded = load_course(course.config)
    return read_exam(course.source, loaded.assignments["hw"].patterns)


def write_course(folder: Path, tests: Mapping[str, str]) -> SmallCourse:
    """Write the course of one assignment, with these hidden tests of its functions."""
    course = SmallCourse(folder)
    cells = [code(IMPORTS)]
    for name, source in RIGHT.items():
        stub = f"### BEGIN SOLUTION\n{source}\n### END SOLUTION"
        hidden = f"### BEGIN HIDDEN TESTS\n{tests[name]}\n### END HIDDEN TESTS"
        cells += [solution(stub, f"{name}_solution"), test(hidden, name)]
    course.write(*cells)
    (course.source.parent / "mistakes.py").write_text(MISTAKES)
    course.config.write_text(CONFIG)
    return course


def answer(wrong: set[str], *own: str) -> bytes:
    """Return a submission in which these functions are wrong, with cells of a student's own."""
    cells = [code(IMPORTS), *map(code, own)]
    for name in RIGHT:
        cells += [
            solution((WRONG if name in wrong else RIGHT)[name], f"{name}_solution"),
            test("", name),
        ]
    return dump(cells)


def main() -> None:
    """Measure and print a table."""
    parser = make_parser(__doc__)
    parser.add_argument(
        "--rounds", type=int, default=5, help="how many of each kind to grade (default 5)"
    )
    options = parser.parse_args()
    line = "{:<16} {:>8} {:>10} {:>10} {:>10}".format
    print(line("submission", "points", "trial's", "jail's", "CPU ms"))
    everything = 0.0
    with tempfile.TemporaryDirectory() as folder:
        exam = write_exam(Path(folder))
    # As `autograder grade` does, which has in the warm process what its exams import, and no more.
    with Examiner(exams=[exam]) as examiner:
        zygote = list_jail_processes(examiner.jail)
        for name, wrong in KINDS.items():
            submission = Submission("hw", "hw_solved.ipynb", answer(wrong))
            points = examiner.examine(exam, submission).report.points
            there, here = measure_processor_time(zygote), measure_own_time()
            for _ in range(options.rounds):
                examiner.examine(exam, submission)
            there = 1000 * (measure_processor_time(zygote) - there) / options.rounds
            here = 1000 * (measure_own_time() - here) / options.rounds
            everything += (there + here) / len(KINDS)
            print(line(name, f"{points:g}", f"{here:.0f}", f"{there:.0f}", f"{here + there:.0f}"))
    print(line("mean", "", "", "", f"{everything:.0f}"))


if __name__ == "__main__":
    main()
