"""Answers after the points of a test that runs inside the jail: what would win in a plain cell, and wins no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from inside_cheats import CHEATS, COURSE, IMPORTS, KINDS, NOTHING_IN_PLAIN_CELLS, WRONG
from jails import SMALL, jailed_kernel

from autograder.jail import Jail
from autograder.kernel.inside_runs import run_inside_test

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def one_jail() -> Iterator[Jail]:
    with Jail(SMALL, modules=("pandas", "pytest")) as jail:
        yield jail


def test_the_right_answer_passes_every_kind_of_test(one_jail: Jail) -> None:
    with jailed_kernel(one_jail) as kernel:
        kernel.run_cell(COURSE)
        kernel.run_cell("def area(x):\n    return x * x")
        runs = {kind: run_inside_test(kernel, source, IMPORTS) for kind, source in KINDS.items()}
    assert {kind: (str(run.error or ""), run.number) for kind, run in runs.items()} == {
        kind: ("", 2.0 if kind == "partial" else None) for kind in KINDS
    }


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_wins_nothing(name: str, one_jail: Jail) -> None:
    kind, cheat = CHEATS[name]
    with jailed_kernel(one_jail) as kernel:
        for cell in (COURSE, WRONG, cheat):
            kernel.run_cell(cell)
        run = run_inside_test(kernel, KINDS[kind], IMPORTS)
    assert run.error is not None or (kind == "partial" and run.number == 0.0)


@pytest.mark.release
@pytest.mark.parametrize("name", [name for name in CHEATS if name not in NOTHING_IN_PLAIN_CELLS])
def test_the_same_cheat_wins_in_a_plain_cell(name: str, one_jail: Jail) -> None:
    kind, cheat = CHEATS[name]
    with jailed_kernel(one_jail) as kernel:
        for cell in (COURSE, WRONG, cheat):
            kernel.run_cell(cell)
        ran = kernel.run_cell(KINDS[kind])
    texts = "".join(output.get("text", "") or str(output.get("data", "")) for output in ran.outputs)
    assert ran.error is None and not any(output["output_type"] == "error" for output in ran.outputs)
    assert kind != "partial" or "2" in texts


# What ordinary code changes of Python, and of the libraries, while it is tested; and what tests change themselves.
LEGAL_IN_ANSWERS = {
    "a loop of its own": "import asyncio\nloop = asyncio.new_event_loop()\nloop.run_until_complete(asyncio.sleep(0))\n"
    "loop.close()\nasyncio.set_event_loop(asyncio.new_event_loop())",
    "warnings": "import warnings\nwarnings.simplefilter('ignore')\nwarnings.showwarning = print",
    "random numbers": "import random\nrandom.seed(3)\nnp.random.seed(4)\nrandom.setstate(random.getstate())",
    "a decimal context": "import decimal\ndecimal.getcontext().prec = 4\ndecimal.DefaultContext.prec = 7",
    "a locale": "import locale\nlocale.setlocale(locale.LC_ALL, 'C')",
    "how arrays are printed": "np.set_printoptions(precision=2)\nnp.seterr(all='warn')\nnp.seterrcall(print)",
    "old names of NumPy": "np.float = float\nnp.int = int",
    "options of pandas": "import pandas as pd\npd.set_option('display.max_rows', 5)",
    "an accessor of pandas": "import pandas as pd\n@pd.api.extensions.register_dataframe_accessor('mine')\n"
    "class Mine:\n    def __init__(self, frame):\n        self.n = len(frame)\n"
    "assert pd.DataFrame({'a': [1]}).mine.n == 1",
    "logging": "import logging\nlogging.basicConfig(level=10)\nlogging.getLogger().addHandler(logging.NullHandler())",
    "the system": "import os, sys\nos.environ['A'] = 'b'\nsys.path.insert(0, '.')\nsys.setrecursionlimit(5000)\n"
    "sys.excepthook = print",
    "caches": "import functools, re\n@functools.lru_cache\ndef f(x):\n    return x\nf(1)\nf.cache_clear()\nre.purge()",
    "abstract classes": "import collections.abc, numbers\nclass A:\n    pass\ncollections.abc.Sequence.register(A)\n"
    "numbers.Number.register(A)\nassert isinstance(A(), numbers.Number)",
    "mocks": "from unittest import mock\nwith mock.patch('math.sqrt', lambda x: 5):\n    assert math.sqrt(1) == 5\n"
    "with mock.patch('builtins.open', mock.mock_open(read_data='x')):\n    assert open('f').read() == 'x'",
    "an assertion more": "unittest.TestCase.assertEven = lambda self, x: self.assertEqual(x % 2, 0)",
    "unittest's signals": "unittest.installHandler()\nunittest.removeHandler()",
    "doctests": "import doctest\ndoctest.testmod()\ndoctest.run_docstring_examples(len, {})",
    "processes": "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(2) as pool:\n"
    "    assert pool.map(abs, [-1, 2]) == [1, 2]",
}
LEGAL_IN_TESTS = {
    "how much is shown": "unittest.TestCase.maxDiff = None\nunittest.util._MAX_LENGTH = 999",
    "a spy": "import builtins\nbuiltins.print = lambda *a: None",
    "a seed that is none": "np.random.seed = lambda *a: None",
    "old names of Python": "np.bool = bool",
}


def test_what_ordinary_code_changes_is_no_cheat(one_jail: Jail) -> None:
    failed = {}
    with jailed_kernel(one_jail) as kernel:
        kernel.run_cell(COURSE)
        for name, source in LEGAL_IN_ANSWERS.items():
            lines = "\n".join(f"    {line}" for line in source.splitlines())
            kernel.run_cell(f"def work():\n{lines}\n    return 1")
            failed[name] = run_inside_test(kernel, "assert work() == 1", IMPORTS).error
        for name, source in LEGAL_IN_TESTS.items():
            failed[name] = run_inside_test(kernel, source, IMPORTS).error
        # What a test changed is put back for the next.
        failed["after all"] = run_inside_test(
            kernel,
            "assert unittest.TestCase.maxDiff and np.bool is not bool",
            IMPORTS,
        ).error
    assert {name: str(error) for name, error in failed.items() if error is not None} == {}


def test_an_answer_that_changes_them_is_one(one_jail: Jail) -> None:
    with jailed_kernel(one_jail) as kernel:
        kernel.run_cell(f"{COURSE}\ndef work():\n    np.random.seed = print\n    return 1")
        run = run_inside_test(kernel, "assert work() == 1", IMPORTS)
    assert run.error is not None and "changed Python's" in str(run.error)


def test_only_the_clock_ended_it_is_told(one_jail: Jail) -> None:
    quick = replace(SMALL, cell_seconds=0.2)
    found = {}
    for name, body in {"waits": "time.sleep(60)", "computes": "while True: pass"}.items():
        with jailed_kernel(one_jail, limits=quick) as kernel:
            kernel.run_cell(f"import time\ndef area(x):\n    {body}")
            run = run_inside_test(kernel, "area(1)")
            found[name] = (type(run.error), kernel.out_of_time)
    assert found == {"waits": (TimeoutError, True), "computes": (TimeoutError, False)}
