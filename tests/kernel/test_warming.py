"""What is not imported before the fork works as well when the notebook imports it."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_course import CONFIG, DOUBLE, SmallCourse, code, solution, test

from autograder.course.exam import read_exam
from autograder.grader.needed_modules import list_needed_modules
from autograder.jail import Jail
from autograder.kernel.jailed_kernel import Kernel


@pytest.mark.parametrize(
    ("cell", "modules"),
    [
        ("import numpy as np", ()),
        ("import sklearn.datasets", ("sklearn.datasets",)),
        ("from scipy import stats", ("scipy", "scipy.stats")),
        ("from matplotlib import cm", ("matplotlib", "matplotlib.cm", "matplotlib.pyplot")),
        ("from autograder.figures import show", ("autograder.figures", "matplotlib.pyplot")),
        ("import helpers, os, antigravity", ()),
        ("%matplotlib inline", ()),
    ],
)
def test_the_libraries_of_an_exam_are_found_in_its_cells(
    tmp_path: Path, cell: str, modules: tuple[str, ...]
) -> None:
    course = SmallCourse(tmp_path)
    course.write(code(cell), solution(DOUBLE), test("assert double(1) == 2"))
    course.config.write_text(CONFIG)
    assert list_needed_modules([read_exam(course.source)]) == modules


@pytest.mark.slow
def test_a_notebook_draws_where_nobody_expected_it_to() -> None:
    with Jail(modules=()) as jail, jail.spawn() as jailed:
        kernel = Kernel(jailed.socket, jail.limits)
        loaded = kernel.run_cell(
            "import sys\n[name for name in ('matplotlib', 'sklearn') if name in sys.modules]"
        )
        assert loaded.outputs[0]["data"]["text/plain"] == "[]"
        ran = kernel.run_cell(
            "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.title('$x^2$');"
        )
        assert ran.error is None
        assert [list(output["data"]) for output in ran.outputs] == [["text/plain", "image/png"]]
        assert (
            kernel.run_cell(
                "from sklearn.datasets import load_digits\nload_digits().data.shape"
            ).error
            is None
        )


DRAWN = (
    "import matplotlib.pyplot as plt\nplt.plot([1, 2], label='$x^2$')\nplt.legend();",
    "figure, axes = plt.subplots()\naxes.set_title('$w^2$')\nplt.gcf().number",
    "import matplotlib\nsorted(matplotlib.rcParams.items(), key=str)",
    "plt.show()\nplt.get_fignums(), plt.draw_if_interactive.called",
)


@pytest.mark.slow
def test_a_single_notebook_draws_as_it_does_among_many() -> None:
    outputs = []
    for single in (True, False):
        with Jail(modules=("matplotlib.pyplot",), single=single) as jail, jail.spawn() as jailed:
            kernel = Kernel(jailed.socket, jail.limits)
            outputs.append([kernel.run_cell(cell).outputs for cell in DRAWN])
    assert outputs[0] == outputs[1]
    assert "image/png" in outputs[0][0][0]["data"]
