"""What one call of a student's function by a test costs, in microseconds of processor time of both sides together.

    python benchmarks/calls.py [--calls 2000] [--rung 1]

The calls are made as a hidden test makes them: the name is read, the function called, the call recorded. Processor
time is the figure to trust on a busy machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
from measuring import list_jail_processes, make_parser

from autograder.grader.test_cells import CellGlobals
from autograder.jail import Jail
from autograder.jail.processes import measure_processor_time
from autograder.kernel.jailed_kernel import Kernel

WARM_UP_CALLS = 50
STUDENT = """
import numpy as np
def same(x): return x
def no_value(): pass
def step(parameters, gradients):
    return {name: parameters[name] - 0.1 * gradients["d" + name] for name in parameters}
def fill(x): x[...] = 1.0
"""
PARAMETERS = {
    "W1": np.ones((4, 3)),
    "b1": np.zeros((4, 1)),
    "W2": np.ones((1, 4)),
    "b2": np.zeros((1, 1)),
}
GRADIENTS = {f"d{name}": np.full_like(value, 0.5) for name, value in PARAMETERS.items()}
CALLS: Mapping[str, Callable[[CellGlobals], object]] = {
    "nothing": lambda names: names["no_value"](),
    "a number": lambda names: names["same"](1.0),
    "an array of 5 x 7": lambda names: names["same"](np.ones((5, 7))),
    "an array changed in place": lambda names: names["fill"](np.ones((5, 7))),
    "dictionaries of arrays": lambda names: names["step"](PARAMETERS, GRADIENTS),
    "a list of 1,000 numbers": lambda names: names["same"]([0.5] * 1000),
    "an array of 8 MB": lambda names: names["same"](np.ones((1000, 1000))),
}
FEW = {"an array of 8 MB": 50}  # calls that take long are made less often


def measure(
    call: Callable[[CellGlobals], object], names: CellGlobals, processes: list[int], count: int
) -> tuple[float, float]:
    """Return the microseconds of processor time of a call, on this side and on the jail's."""
    for _ in range(min(WARM_UP_CALLS, count)):
        call(names)
    here, there = time.process_time(), measure_processor_time(processes)
    for _ in range(count):
        call(names)
    spent_here = time.process_time() - here
    spent_there = measure_processor_time(processes) - there
    return 1e6 * spent_here / count, 1e6 * spent_there / count


def main() -> None:
    """Measure on the strongest rung that works here, or on the one asked for, and print a table."""
    parser = make_parser(__doc__)
    parser.add_argument(
        "--calls", type=int, default=2000, help="how many of each kind to make (default 2000)"
    )
    parser.add_argument("--rung", type=int, choices=(1, 2, 3), help="only this rung")
    options = parser.parse_args()
    line = "{:<28} {:>10} {:>10} {:>10}".format
    print(line("call", "test's us", "jail's us", "both us"))
    with Jail(rung=options.rung) as jail, jail.spawn() as jailed:
        kernel = Kernel(jailed.socket, jail.limits, jailed.check_limits)
        kernel.run_cell(STUDENT)
        _zygote, *submission = list_jail_processes(jail)
        kernel.namespace.observer = lambda call: None
        for name, call in CALLS.items():
            names = CellGlobals({}, kernel.namespace, {})
            here, there = measure(call, names, submission, FEW.get(name, options.calls))
            print(line(name, f"{here:.0f}", f"{there:.0f}", f"{here + there:.0f}"))
        kernel.close()


if __name__ == "__main__":
    main()
