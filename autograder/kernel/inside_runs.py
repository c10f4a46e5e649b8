"""The trusted end of a test that runs inside the jail: what the student's process says of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.course.errors import KernelError, WireError
from autograder.kernel.exception_values import remake_exception
from autograder.kernel.jailed_kernel import Kernel


@dataclass(frozen=True)
class InsideRun:
    """What a test said that ran in the student's own process.

    Attributes
    ----------
    number : float or None
        The value of its last expression, where that was a number.
    error : Exception or None
        What ended it, as the same built-in class; its words are the student's.
    line : int
        At which line of the test, 0 where it ended in none.
    printed : str
        What it printed.
    shown : str
        The value of its last expression as a notebook shows it, "" for none.
    """

    number: float | None
    error: Exception | None
    line: int
    printed: str
    shown: str = ""


def run_inside_test(
    kernel: Kernel,
    source: str,
    imports: str = "",
    free: Sequence[str] = (),
    kept: Sequence[str] = (),
    used: Sequence[str] = (),
) -> InsideRun:
    """Run a test in the student's names; `InsideTests.run` says what the operands mean.

    Raises
    ------
    KernelError
        If the kernel is lost.
    """
    # As before a cell: what an earlier test passed may not be called from this one.
    kernel.forget_functions()
    operands = (source, imports, list(free), list(kept), list(used))
    try:
        reply = kernel.request("inside test", operands, seconds=kernel.limits.cell_seconds)
    except KernelError:
        raise
    except Exception as raised:
        # The student has changed what the runner itself needs: this test fails, no more.
        return InsideRun(None, raised, 0, "")
    printed = ""
    for output in kernel.last_outputs:
        if output["output_type"] == "stream":
            printed += str(output["text"])
    if type(reply) is not list or len(reply) != 5:
        raise WireError("malformed message (a test's end)")
    number, description, line, shown, by_clock = reply
    is_number = number is None or type(number) is float
    if not is_number or type(line) is not int or type(shown) is not str:
        raise WireError("malformed message (a test's end)")
    # The student's process says so; the worst it gains is to be graded once more, alone.
    kernel.out_of_time |= by_clock is True
    error = None if description is None else remake_exception(description)
    # Points that are no number, a mean of nothing, would make every sum of points none.
    if number is not None and math.isnan(number):
        number = 0.0
    return InsideRun(number, error, line, printed, shown)
