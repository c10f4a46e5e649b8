"""A cell that fails loses one statement: what stands below it runs, where it would have run at home."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from jailless import kernel

from autograder.course.limits import MOST_CLOCK_FACTOR, Limits
from autograder.kernel.jailed_kernel import Kernel

pytestmark = pytest.mark.slow


@pytest.fixture
def fresh() -> Iterator[Kernel]:
    with kernel(Limits(cell_seconds=3, call_seconds=3)) as fresh:
        yield fresh


FAILING = {
    "a package that is not there": "import no_such_package",
    "a part of a package that is not there": "from os import no_such_name",
    "one of several": "import math as m, no_such_package, json as j",
    "Colab": "from google.colab import drive\ndrive.mount('/content/drive')",
    "a progress bar": "from no_such_progress_bar.notebook import tqdm",
    "a style that matplotlib lost": "import matplotlib.pyplot as plt\nplt.style.use('seaborn')",
    "a style that is not there": "import matplotlib.pyplot as plt\nplt.style.use('no such style')",
    "a magic that is not there": "%no_such_magic",
    "a backend that only a browser has": "%matplotlib widget",
    "an extension that is not there": "%load_ext no_such_extension",
    "a file that is not there": "open('no such file')",
    "a question": "input('name?')",
    "a name that NumPy lost": "import numpy\nnumpy.float(3)",
    "a mistake": "1 / 0",
    "a claim that does not hold": "assert 1 == 2",
    "typographic quotes": "print(“hi”)",
    "Python 2": "print 'hi'",
    "an indent too many": "x = 1\n  y = 2",
    "a bracket too many": "print(1))",
}


@pytest.mark.parametrize("first", FAILING.values(), ids=FAILING)
def test_what_stands_below_a_line_that_fails_is_there(fresh: Kernel, first: str) -> None:
    ran = fresh.run_cell(
        f"{first}\nimport numpy as np\ndef double(x):\n    return 2 * x\nn = double(4)", run_on=True
    )
    assert ran.error is not None
    assert fresh.namespace["n"] == 8
    assert "np" in fresh.namespace


def test_as_a_notebook_does_a_cell_ends_at_its_first_error_unless_it_is_to_be_run_on(
    fresh: Kernel,
) -> None:
    fresh.run_cell("import no_such_package\nn = 1")
    assert "n" not in fresh.namespace


def test_of_several_imports_in_one_line_those_that_work_are_there(fresh: Kernel) -> None:
    fresh.run_cell(
        "import no_such_package, math as m\nfrom math import no_such_name, pi", run_on=True
    )
    assert {"m", "pi"} <= set(fresh.namespace)


@pytest.mark.parametrize(
    "last",
    [
        "raise SystemExit",
        "raise ValueError('no further')",
        "import os, signal\nraise KeyboardInterrupt",
    ],
)
def test_below_what_ends_a_cell_on_purpose_nothing_is_run(fresh: Kernel, last: str) -> None:
    fresh.run_cell(f"{last}\nn = 1", run_on=True)
    assert "n" not in fresh.namespace


@pytest.mark.parametrize(
    ("first", "kept"), [("1 / 0", 1), ("print 'hi'", 1), ("import no_such_package", 2)]
)
def test_what_never_ran_at_home_replaces_nothing(fresh: Kernel, first: str, kept: int) -> None:
    """Below a mistake nothing ran at home either; below what only this machine lacks it did."""
    fresh.run_cell("def answer():\n    return 1")
    fresh.run_cell(f"{first}\ndef answer():\n    return 2", run_on=True)
    assert fresh.namespace["answer"]() == kept


def test_lines_of_what_is_run_on_are_those_of_the_cell(fresh: Kernel) -> None:
    fresh.run_cell("print 'hi'\n\ndef f():\n    return 1 / 0\n", run_on=True)
    with pytest.raises(ZeroDivisionError) as caught:
        fresh.namespace["f"]()
    assert 'File "<cell 1>", line 4, in f\n    return 1 / 0' in caught.value.student_traceback  # type: ignore[attr-defined]


def test_what_is_run_on_shows_what_it_prints_and_draws(fresh: Kernel) -> None:
    ran = fresh.run_cell(
        "import no_such_package\nprint('below')\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])",
        run_on=True,
    )
    kinds = [output["output_type"] for output in ran.outputs]
    assert kinds == ["error", "stream", "display_data"]
    assert ran.error is not None
    assert ran.error.ename == "ModuleNotFoundError"


@pytest.mark.parametrize(
    "loop",
    [
        "while True: pass",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    ],
)
def test_what_is_run_on_has_the_time_of_its_cell(fresh: Kernel, loop: str) -> None:
    ran = fresh.run_cell(f"import no_such_package\n{loop}", run_on=True)
    assert ran.timed_out
    assert ran.seconds < 3 * MOST_CLOCK_FACTOR
    assert fresh.run_cell("1").error is None


def test_the_courses_own_statements_are_bound_each_by_itself(fresh: Kernel) -> None:
    fresh.bind_settings("import no_such_package\nimport math\nn = 4")
    assert fresh.namespace["n"] == 4
    assert fresh.run_cell("math.pi, In").error is None


@pytest.mark.parametrize("magic", ["%%time", "%%capture", "%%capture said", "%%prun -q"])
def test_a_cell_that_is_timed_or_captured_loses_no_more(fresh: Kernel, magic: str) -> None:
    ran = fresh.run_cell(
        f"{magic}\nimport no_such_package\nimport math as m\ndef f():\n    return m.pi", run_on=True
    )
    assert ran.error is not None
    assert ran.error.ename == "ModuleNotFoundError"
    assert fresh.namespace["f"]() > 3
    assert fresh.run_cell("%%time\nx = 1").error is None


def test_below_a_mistake_nothing_long_is_begun(fresh: Kernel) -> None:
    """At home the cell ended at once: here it must not take the time that other cells need."""
    ran = fresh.run_cell("1 / 0\nwhile True: pass\nfor _ in iter(int, 1): pass\nn = 4", run_on=True)
    assert not ran.timed_out
    assert fresh.namespace["n"] == 4
    ran = fresh.run_cell("1 / 0\nforever = [0 for _ in iter(int, 1)]\nm = 4", run_on=True)
    assert not ran.timed_out
    assert ran.error is not None
    assert ran.error.ename == "ZeroDivisionError"
