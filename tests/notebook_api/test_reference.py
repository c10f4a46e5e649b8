"""What a reference solution may contain, and that nothing else of the process has a say in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython import get_ipython
from IPython.core.interactiveshell import InteractiveShell
from small_course import SmallCourse, code, test

from autograder.course.exam import read_exam
from autograder.kernel.output_recorder import Recorder
from autograder.kernel.shell import Shell, make_shell
from autograder.reference import run_reference

MAGICS = {
    "matplotlib inline": "%matplotlib inline",
    "matplotlib widget": "%matplotlib widget",
    "a call of a magic": "get_ipython().run_line_magic('matplotlib', 'inline')",
    "a timed cell": "%%time\ntimed = 1",
    "a timed use of a name": "seconds = 1\n%time twice = 2 * seconds",
    "a shell command": "!ls",
    "output that is captured": "%%capture said\nprint('a')",
    "a magic of its own": "from IPython.core.magic import register_line_magic\n"
    "@register_line_magic\ndef greet(line): return 'hello'\n%greet",
    "something displayed": "display({'a': 1})",
    "what IPython's own shell is": "import IPython\nassert IPython.get_ipython() is get_ipython()",
}


def nothing(course: Any) -> None:
    """Leave IPython alone."""


def plain_shell(course: Any) -> None:
    """Make a shell as a test of checks does."""
    InteractiveShell.instance()


def jails_shell(course: Any) -> None:
    """Make the shell of a jailed kernel."""
    make_shell(Recorder())


def jupyters_shell(course: Any) -> None:
    """Make the shell of a Jupyter kernel."""
    ZMQInteractiveShell.instance()


def another_reference(course: Any) -> None:
    """Run a source notebook, as an audit or another homework does."""
    course.write(code("%matplotlib widget\nimport matplotlib.pyplot as plt"), test("", "y"))
    run_reference(read_exam(course.source))


@pytest.fixture
def ipython_untouched() -> Iterator[None]:
    """Begin without an IPython shell, and leave none, nor what a kernel's sets in the environment."""
    kept, main, environment = InteractiveShell._instance, sys.modules["__main__"], dict(os.environ)
    InteractiveShell.clear_instance()
    yield
    # Each class keeps its own: one that stays would be taken by the next kernel that is forked from here.
    for kind in (Shell, ZMQInteractiveShell, InteractiveShell):
        kind.clear_instance()
    os.environ.clear()
    os.environ.update(environment)
    InteractiveShell._instance, sys.modules["__main__"] = kept, main


@pytest.mark.usefixtures("ipython_untouched")
@pytest.mark.parametrize(
    "before", [nothing, plain_shell, jails_shell, jupyters_shell, another_reference]
)
@pytest.mark.parametrize("magic", MAGICS)
def test_a_source_may_use_magics_whatever_the_process_did_before(
    small_course: SmallCourse, magic: str, before: Callable[..., Any]
) -> None:
    before(small_course)
    current, main = get_ipython(), sys.modules["__main__"]
    plot = code("import matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()")
    small_course.write(code(MAGICS[magic]), plot, test("", "x"))
    names = run_reference(read_exam(small_course.source))
    assert "plt" in names
    assert ("timed" in names) == (magic == "a timed cell")
    assert names.get("twice", 2) == 2
    assert get_ipython() is current
    assert sys.modules["__main__"] is main
