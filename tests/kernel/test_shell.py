"""Cells do what they do in Jupyter, and show what they show there."""

from __future__ import annotations

import base64
import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from jailless import kernel

from autograder.course.limits import Limits
from autograder.kernel.jailed_kernel import CellRun, Kernel


@pytest.fixture
def fresh() -> Iterator[Kernel]:
    with kernel() as made:
        yield made


def stdout(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def stderr(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stderr", "text": text}


def shown(kind: str = "display_data", **data: Any) -> dict[str, Any]:
    names = {
        "plain": "text/plain",
        "html": "text/html",
        "latex": "text/latex",
        "markdown": "text/markdown",
    }
    return {
        "output_type": kind,
        "data": {names[key]: value for key, value in data.items()},
        "metadata": {},
    }


def result(**data: Any) -> dict[str, Any]:
    return shown("execute_result", **data)


def without_counts(ran: CellRun) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in output.items() if key != "execution_count"}
        for output in ran.outputs
    ]


CELLS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "last expression": ("1\n2", [result(plain="2")]),
    "semicolon": ("1 + 1;", []),
    "nothing": ("   ", []),
    "comment": ("# nothing here", []),
    "print": ("print('a'); print('b')", [stdout("a\nb\n")]),
    "print without newline": ("print('a', end='')", [stdout("a")]),
    "stderr": ("import sys\nprint('a', file=sys.stderr)", [stderr("a\n")]),
    "streams in turn": (
        "import sys\nprint('a'); print('b', file=sys.stderr); print('c')",
        [stdout("a\n"), stderr("b\n"), stdout("c\n")],
    ),
    "display": ("display('a', 2)", [shown(plain="'a'"), shown(plain="2")]),
    "display, then the result": ("display(1)\n2", [shown(plain="1"), result(plain="2")]),
    "html": (
        "from IPython.display import HTML\nHTML('<b>a</b>')",
        [result(plain="<IPython.core.display.HTML object>", html="<b>a</b>")],
    ),
    "latex": (
        "from IPython.display import Latex, display\ndisplay(Latex('$x$'))",
        [shown(plain="<IPython.core.display.Latex object>", latex="$x$")],
    ),
    "rich representation": (
        "class A:\n    def _repr_html_(self): return '<i>'\n    def __repr__(self): return 'A'\nA()",
        [result(plain="A", html="<i>")],
    ),
    "magic without effect": ("%matplotlib inline", []),
    "result of a magic": ("x = %env HOME\ntype(x) is str", [result(plain="True")]),
    "shell command": ("!echo one; echo two", [stdout("one\ntwo\n")]),
    "shell command with a variable": ("n = 3\n!echo {n} $n", [stdout("3 3\n")]),
    "shell command to a list": ("x = !printf 'a\\nb'\nlist(x)", [result(plain="['a', 'b']")]),
    "shell command's exit code": ("!exit 3\n_exit_code", [result(plain="3")]),
    "shell command on stderr": ("!echo a >&2", [stdout("a\n")]),
    "bash cell": ("%%bash\necho one\necho two", [stdout("one\ntwo\n")]),
    "capture": ("%%capture said\nprint('a')", []),
    "captured": ("said.stdout", [result(plain="'a\\n'")]),
    "written file": ("%%writefile mine.py\nvalue = 3\nprint('loaded')", [stdout("Writing mine.py\n")]),
    "import of a file beside the notebook": ("import mine", [stdout("loaded\n")]),
    "run": ("%run mine.py\nvalue", [stdout("loaded\n"), result(plain="3")]),
    "subprocess": (
        "import subprocess\nprint('a')\ndone = subprocess.run(['echo', 'b'])\nprint('c')",
        [stdout("a\nb\nc\n")],
    ),
    "os.write": ("import os\ndone = os.write(1, b'a')", [stdout("a")]),
    "bytes on stdout": ("import sys\ndone = sys.stdout.buffer.write(b'a')", [stdout("a")]),
    "top-level await": ("import asyncio\nawait asyncio.sleep(0.001, 5)", [result(plain="5")]),
    "await twice": ("async def f(): return 2\nawait f() + await f()", [result(plain="4")]),
    "asyncio tasks": (
        "import asyncio\nawait asyncio.gather(*[asyncio.sleep(0, n) for n in range(3)])",
        [result(plain="[0, 1, 2]")],
    ),
    "exit": ("exit()", [stdout("[exit() has no effect while a notebook is graded.]\n")]),
    "quit": ("quit", [stdout("[exit() has no effect while a notebook is graded.]\n")]),
    "help in the pager": ("print?", []),
    "underscore": ("1 + 1\n", [result(plain="2")]),
    "underscore again": ("_ + 1", [result(plain="3")]),
    "docstring first": ('"""text"""\nx = 1', []),
    "main": ("__name__", [result(plain="'__main__'")]),
    "global variables": ("globals()['x'] = 9\nx", [result(plain="9")]),
    "stdin": ("import sys\nsys.stdin.readline()", [result(plain="''")]),
    "redirect": ("import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as s: print(1)\ns.getvalue()",
                 [result(plain="'1\\n'")]),
    "threads": (
        "import threading\nt = threading.Thread(target=print, args=('in a thread',)); t.start(); t.join()",
        [stdout("in a thread\n")],
    ),
    "processes": (
        "import multiprocessing\ndef square(x): return x * x\n"
        "with multiprocessing.get_context('fork').Pool(2) as pool: print(pool.map(square, [1, 2, 3]))",
        [stdout("[1, 4, 9]\n")],
    ),
    "printing in a process": (
        "import multiprocessing\n"
        "p = multiprocessing.get_context('fork').Process(target=print, args=('in a process',)); p.start(); p.join()",
        [stdout("in a process\n")],
    ),
    "fork": ("import os\npid = os.fork()\nif pid: os.waitpid(pid, 0)\nprint(pid > 0)", [stdout("False\nTrue\n")]),
    "clear": ("from IPython.display import clear_output\nprint(1); clear_output(); print(2)", [stdout("2\n")]),
    "clear and wait": (
        "from IPython.display import clear_output\nprint(1); clear_output(wait=True); print(2)",
        [stdout("2\n")],
    ),
    "clear and wait in vain": (
        "from IPython.display import clear_output\nprint(1); clear_output(wait=True)",
        [stdout("1\n")],
    ),
    "update": ("h = display(1, display_id=True); h.update(2)", [shown(plain="2")]),
    "markdown": (
        "from IPython.display import Markdown\nMarkdown('*a*')",
        [result(plain="<IPython.core.display.Markdown object>", markdown="*a*")],
    ),
    "precision": ("import numpy as np\n%precision 3\nnp.pi", [result(plain="3.142")]),
}  # fmt: skip
# Cells that go on from another one, which is run first.
AFTER = {
    "captured": "capture",
    "import of a file beside the notebook": "written file",
    "run": "written file",
    "underscore again": "underscore",
}


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_shows(fresh: Kernel, name: str) -> None:
    if name in AFTER:
        fresh.run_cell(CELLS[AFTER[name]][0])
    source, expected = CELLS[name]
    ran = fresh.run_cell(source)
    assert ran.error is None
    assert without_counts(ran) == expected


def merged(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Outputs without counts, line ends of terminals and the accidental pieces in which streams arrive."""
    plain: list[dict[str, Any]] = []
    for output in json.loads(json.dumps(outputs).replace("\\r\\n", "\\n")):
        output.pop("execution_count", None)
        if plain and output["output_type"] == "stream" and plain[-1].get("name") == output["name"]:
            plain[-1]["text"] += output["text"]
        else:
            plain.append(output)
    return plain


OTHERWISE_IN_JUPYTER = {
    "exit": "ends the kernel there",
    "quit": "ends the kernel there",
    "fork": "kills the kernel there",
    "streams in turn": "the order of streams is lost there",
    "subprocess": "what a process prints may come after what the cell prints next",
    "bytes on stdout": "fails there",
}


@pytest.mark.slow
def test_jupyter_shows_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(
        "PYTEST_CURRENT_TEST"
    )  # with it, ipykernel would not record what child processes print
    alike = {name: cell for name, cell in CELLS.items() if name not in OTHERWISE_IN_JUPYTER}
    cells = [nbformat.v4.new_code_cell(source) for source, _ in alike.values()]
    notebook = nbformat.v4.new_notebook(cells=cells)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(
        notebook, kernel_name="python3", timeout=60, resources=resources
    ).execute()
    for (name, (_, expected)), cell in zip(alike.items(), notebook.cells, strict=True):
        assert merged(cell.outputs) == expected, name


ERRORS = {
    "exception": ("1 / 0", "ZeroDivisionError", "division by zero"),
    "syntax": ("x = (", "SyntaxError|_IncompleteInputError", "was never closed|incomplete input"),
    "indentation": ("def f():\nreturn 1", "IndentationError", "expected an indented block"),
    "python 2": ("print 'a'", "SyntaxError", "Missing parentheses"),
    "conflict marks": (
        "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> main",
        "SyntaxError",
        "invalid",
    ),
    "sys.exit": ("import sys\nsys.exit(3)", "SystemExit", "3"),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt", ""),
    "base exception": ("class Odd(BaseException): pass\nraise Odd('a')", "Odd", "a"),
    "input": ("input('name?')", "EOFError", "nobody to ask"),
    "getpass": ("import getpass\ngetpass.getpass('name?')", "EOFError", "nobody to ask"),
    "unknown magic": ("%nosuchmagic", "UsageError", "not found"),
    "unknown cell magic": ("%%nosuchmagic\n1", "UsageError", "not found"),
    "failing bash": ("%%bash\nexit 3", "CalledProcessError", "exit status 3"),
    "null byte": ("x = 1\0", "SyntaxError|ValueError", "null bytes"),
    "unprintable message": (
        "class E(Exception):\n    def __str__(self): 1 / 0\nraise E",
        "E",
        "cannot be read",
    ),
    "exception group": (
        "raise ExceptionGroup('several', [ValueError(1)])",
        "ExceptionGroup",
        "several",
    ),
    "endless recursion": ("def f(): return f()\nf()", "RecursionError", "maximum recursion depth"),
    "failing await": ("async def f(): 1 / 0\nawait f()", "ZeroDivisionError", "division"),
    "not implemented": ("raise NotImplementedError", "NotImplementedError", ""),
}


@pytest.mark.parametrize("name", ERRORS)
def test_a_cell_fails_and_the_next_runs(fresh: Kernel, name: str) -> None:
    source, ename, evalue = ERRORS[name]
    ran = fresh.run_cell(source)
    assert ran.error is not None
    assert re.fullmatch(ename, ran.error.ename)
    assert re.search(evalue, ran.error.evalue)
    errors = [output for output in ran.outputs if output["output_type"] == "error"]
    assert [(error["ename"], "\n".join(error["traceback"])) for error in errors] == [
        (ran.error.ename, ran.error.traceback)
    ]
    assert "site-packages/IPython" not in ran.error.traceback
    assert len(ran.error.traceback) < 25_000
    assert fresh.run_cell("1 + 1").error is None


@pytest.mark.parametrize(
    "source",
    [
        "!pip install nothing-of-the-kind",
        "!pip3 install -q nothing-of-the-kind",
        "!python -m pip install nothing-of-the-kind",
        "import sys\n!{sys.executable} -m pip install nothing-of-the-kind",
        "%pip install nothing-of-the-kind",
        "%conda install nothing-of-the-kind",
        "!conda install -y nothing-of-the-kind",
        "%pip -q install nothing-of-the-kind",
    ],
)
def test_nothing_is_installed_and_the_cell_goes_on(fresh: Kernel, source: str) -> None:
    ran = fresh.run_cell(source + "\nprint('next')")
    assert ran.error is None
    note = "[Nothing is installed while a notebook is graded: the course's packages are there.]\n"
    assert without_counts(ran) == [stdout(note + "next\n")]


@pytest.mark.parametrize("source", ["%%time\nsum([1])", "%time sum([1])"], ids=["cell", "line"])
def test_time_prints_times_and_shows_the_result(fresh: Kernel, source: str) -> None:
    ran = fresh.run_cell(source)
    streams = [output for output in ran.outputs if output["output_type"] == "stream"]
    assert "Wall time" in streams[0]["text"]
    assert without_counts(ran)[-1] == result(plain="1")


def test_timeit_prints_a_time(fresh: Kernel) -> None:
    assert "per loop" in fresh.run_cell("%timeit -n 2 -r 2 sum([1])").outputs[0]["text"]


def test_a_warning_is_recorded_and_no_error(fresh: Kernel) -> None:
    ran = fresh.run_cell("import warnings\nwarnings.warn('careful')")
    assert ran.error is None
    assert [output["name"] for output in ran.outputs] == ["stderr"]
    assert "UserWarning: careful" in ran.outputs[0]["text"]


@pytest.mark.parametrize(
    "source",
    [
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
        "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\n_ = axes.imshow([[1, 2]])",
    ],
    ids=["magic", "show", "neither"],
)
def test_a_plot_is_shown_once_as_png(fresh: Kernel, source: str) -> None:
    outputs = fresh.run_cell(source).outputs
    assert [output["output_type"] for output in outputs] == ["display_data"]
    assert base64.b64decode(outputs[0]["data"]["image/png"]).startswith(b"\x89PNG")
    assert fresh.run_cell("1").outputs[0]["data"] == {"text/plain": "1"}


def test_counts_and_outputs_are_valid_notebook_outputs(fresh: Kernel) -> None:
    runs = [fresh.run_cell(source) for source in ("1", "print(1)", "1/0", "display(2)", "3")]
    assert runs[0].outputs[0]["execution_count"] == 1
    assert runs[4].outputs[0]["execution_count"] == 5
    cells = [
        nbformat.v4.new_code_cell("", outputs=[nbformat.from_dict(o) for o in run.outputs])
        for run in runs
    ]
    nbformat.validate(nbformat.v4.new_notebook(cells=cells))


def test_an_update_reaches_what_an_earlier_cell_displayed(fresh: Kernel) -> None:
    first = fresh.run_cell("h = display('old', display_id='here')\ndisplay('other')")
    fresh.run_cell("h.update('new')")
    assert [output["data"]["text/plain"] for output in first.outputs] == ["'new'", "'other'"]


def test_text_beyond_the_limit_is_cut_with_a_word(fresh: Kernel) -> None:
    limits = Limits(output_bytes=1000)
    with kernel(limits) as made:
        for source in (
            "print('x' * 5000)\nprint('y')",
            "for _ in range(5000): print('x')",
            "!yes | head -c 100000",
        ):
            text = made.run_cell(source).outputs[0]["text"]
            assert len(text) < 1100
            assert text.endswith("[The rest of the output was cut off.]\n")
        assert made.run_cell("print('z')").outputs[0]["text"] == "z\n"


def test_rich_output_beyond_the_limit_is_left_out_with_a_word() -> None:
    with kernel(Limits(rich_bytes=10_000)) as made:
        source = "from IPython.display import HTML, display\nfor n in range(5): display(HTML('x' * 4000))"
        outputs = made.run_cell(source).outputs
        assert ["text/html" in output["data"] for output in outputs] == [
            True,
            True,
            False,
            False,
            False,
        ]
        assert "left out" in outputs[4]["data"]["text/plain"]


def test_many_small_outputs_are_cut() -> None:
    with kernel() as made:
        assert len(made.run_cell("for n in range(2_100): display(n)").outputs) == 2000


def test_randomness_is_the_same_in_every_run() -> None:
    source = "import random, numpy as np\n(random.random(), float(np.random.rand()))"
    shows = []
    for _ in range(2):
        with kernel() as made:
            shows.append(made.run_cell(source).outputs)
    assert shows[0] == shows[1]


def test_the_last_traceback_can_be_shown_again(fresh: Kernel) -> None:
    assert fresh.run_cell("%tb").outputs == ()
    first = fresh.run_cell("1 / 0").outputs
    again = fresh.run_cell("%tb")
    assert again.outputs == first
    assert again.error is None


def test_hooks_of_the_notebook_run(fresh: Kernel) -> None:
    fresh.run_cell(
        textwrap.dedent(
            """
            ip = get_ipython()
            ip.events.register("pre_run_cell", lambda info: print("before"))
            ip.input_transformers_post.append(lambda lines: [line.replace("ONE", "1") for line in lines])
            """
        )
    )
    assert without_counts(fresh.run_cell("ONE")) == [stdout("before\n"), result(plain="1")]


def test_a_forked_process_that_comes_back_does_not_answer(fresh: Kernel) -> None:
    ran = fresh.run_cell("import os\nchild = os.fork() == 0\nif child: 1 / 0")
    assert ran.error is None
    assert fresh.namespace["child"] is False
