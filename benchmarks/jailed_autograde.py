"""What plain `nbgrader autograde` costs on an ordinary course, and what the same command costs with jails.

    python benchmarks/jailed_autograde.py [--submissions 20]

Printed are CPU seconds of the command with all its children, and wall-clock seconds. Scores are compared, too.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from measuring import make_parser, measure_work
from nbgrader_course import nbgrader
from plain_course import ANSWERS, CONFIG, ONE_LINE, make_course, scores


def main() -> None:
    """Grade the same course both ways."""
    parser = make_parser(__doc__)
    parser.add_argument("--submissions", type=int, default=20)
    options = parser.parse_args()
    # Without the one that waits for its limit.
    quick = [answer for name, answer in ANSWERS.items() if name != "endless"]
    answers = {
        f"student-{number:03}": quick[number % len(quick)] for number in range(options.submissions)
    }
    with tempfile.TemporaryDirectory() as folder:
        plain = make_course(Path(folder) / "plain", answers, CONFIG)
        jailed = Path(folder) / "jailed"
        shutil.copytree(plain, jailed)
        (jailed / "nbgrader_config.py").write_text(CONFIG + ONE_LINE + "\n")
        print(f"{options.submissions} submissions     CPU s   wall s")
        for name, root in (("nbgrader", plain), ("with jails", jailed)):
            cost = measure_work(partial(nbgrader, root, "autograde", "ps1"))
            print(f"{name:15} {cost.cpu:10.1f} {cost.wall:8.1f}")
        equal = scores(plain) == scores(jailed)
        print("scores are equal" if equal else f"scores differ: {scores(plain)} {scores(jailed)}")


if __name__ == "__main__":
    main()
