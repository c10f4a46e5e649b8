"""Cheats against tests that run in a student's own process, and the kinds of tests they are after."""

from __future__ import annotations

COURSE = """
import math
import unittest
import numpy as np
from numpy.testing import assert_allclose
"""
IMPORTS = (
    "import math\nimport unittest\nimport numpy as np\nfrom numpy.testing import assert_allclose"
)
WRONG = "def area(x):\n    return -1\n"
KINDS = {
    "assertion": "assert area(2) == 4 and area(3) == 9",
    "allclose": "np.testing.assert_allclose(area(2), 4)",
    "imported": "from numpy.testing import assert_allclose\nassert_allclose(area(2), 4)",
    "isclose": "assert math.isclose(area(2), 4)",
    "builtin": "assert all([area(x) == x * x for x in (2, 3)])\nassert isinstance(area(2), int) and abs(area(2)) == 4",
    "unittest": (
        "class TestArea(unittest.TestCase):\n    def test_area(self):\n        self.assertEqual(area(2), 4)\n"
        "suite = unittest.defaultTestLoader.loadTestsFromTestCase(TestArea)\n"
        "assert unittest.TestResult().wasSuccessful() and suite.run(unittest.TestResult()).wasSuccessful()"
    ),
    "afterwards": "got = area(2)\nassert math.isclose(got, 4)\nassert math.isclose(area(3), 9)",
    "builtins afterwards": "got = area(2)\nassert isinstance(got, int) and abs(got) == 4",
    "a pattern": "got = area(2)\nmatch [got]:\n    case [int(4)]:\n        pass\n    case _:\n        assert False",
    "a text": "got = area(2)\nassert eval('abs(got) == 4')",
    "a function of the test": "def all_right(xs):\n    return all(x == 4 for x in xs)\nassert all_right([area(2)])",
    "in lines": "got = area(2)\nassert got == 4\ndone = True",
    "partial": "score = 2 * (area(2) == 4)\nscore",
    "numpy": "assert np.allclose([area(2), area(3)], [4, 9])",
    "arrays": "assert np.array_equal([area(2)], [4])",
    "frames": (
        "import pandas as pd\n"
        "pd.testing.assert_frame_equal(pd.DataFrame({'a': [area(2)]}), pd.DataFrame({'a': [4]}))"
    ),
    "equal frames": "import pandas as pd\nassert pd.DataFrame({'a': [area(2)]}).equals(pd.DataFrame({'a': [4]}))",
    "counter": "from collections import Counter\nassert Counter([area(2), 1]) == Counter([4, 1])",
    "mock": "from unittest import mock\nspy = mock.Mock()\nspy(area(2))\nspy.assert_called_once_with(4)",
    "await": "async def later():\n    return area(2)\nassert await later() == 4",
    "pytest": "import pytest\nassert area(2) == pytest.approx(4)",
    "source": "import inspect\nassert area(3) == 9 or 'x * x' in inspect.getsource(area)",
    "redirect": (
        "import io\nfrom contextlib import redirect_stdout\nwith redirect_stdout(io.StringIO()) as out:\n"
        "    print(area(2))\nassert out.getvalue() == '4\\n'"
    ),
    "fraction": "from fractions import Fraction\nassert Fraction(area(2), 1) == Fraction(4, 1)",
    "doctest": (
        'import doctest\ndef of_area():\n    """\n    >>> area(2)\n    4\n    """\n'
        "runner = doctest.DocTestRunner(verbose=False)\n"
        "for case in doctest.DocTestFinder().find(of_area, 'area', globs={'area': area}):\n"
        "    runner.run(case, out=lambda text: None)\nassert runner.tries == 1 and runner.failures == 0"
    ),
}
# name -> the kind of test it is after, and what the student runs before it
CHEATS = {
    "a transformer of the source": (
        "assertion",
        "get_ipython().input_transformers_cleanup.append("
        "lambda lines: [] if any('assert' in line for line in lines) else lines)",
    ),
    "a transformer of the tree": (
        "assertion",
        "import ast\nclass NoAsserts(ast.NodeTransformer):\n"
        "    def visit_Assert(self, node):\n        return ast.Pass()\n"
        "get_ipython().ast_transformers.append(NoAsserts())",
    ),
    "an assertion replaced": ("allclose", "np.testing.assert_allclose = lambda *a, **k: None"),
    "an assertion's code replaced": (
        "imported",
        "assert_allclose.__code__ = (lambda actual, desired, rtol=1, atol=1, equal_nan=1, err_msg='', verbose=1, *,"
        " strict=0: None).__code__",
    ),
    "a module replaced": (
        "imported",
        "import sys, types\nfake = types.ModuleType('numpy.testing')\nfake.assert_allclose = lambda *a, **k: None\n"
        "sys.modules['numpy.testing'] = fake",
    ),
    "an import replaced": (
        "imported",
        "import builtins, types\nreal = builtins.__import__\n"
        "def fake_import(name, *a, **k):\n    if name == 'numpy.testing':\n"
        "        return types.SimpleNamespace(assert_allclose=lambda *a, **k: None)\n    return real(name, *a, **k)\n"
        "builtins.__import__ = fake_import",
    ),
    "isclose replaced": ("isclose", "math.isclose = lambda *a, **k: True"),
    "the name of a module rebound": (
        "isclose",
        "class math:\n    @staticmethod\n    def isclose(*a, **k):\n        return True",
    ),
    "builtins replaced": (
        "builtin",
        "import builtins\nbuiltins.all = lambda x: True\nbuiltins.isinstance = lambda *a: True\n"
        "builtins.abs = lambda x: 4",
    ),
    "builtins shadowed": (
        "builtin",
        "def all(x): return True\ndef isinstance(*a): return True\ndef abs(x): return 4",
    ),
    "builtins shadowed while they are needed": (
        "builtins afterwards",
        "def area(x):\n    global isinstance, abs\n    isinstance = lambda *a: True\n"
        "    abs = lambda x: 4\n    return -1",
    ),
    "the name of a module rebound while it is needed": (
        "afterwards",
        "def area(x):\n    global math\n    class math:\n"
        "        isclose = staticmethod(lambda *a, **k: True)\n    return -1",
    ),
    "a builtin shadowed that a test's function uses": (
        "a function of the test",
        "def all(x): return True",
    ),
    "a builtin shadowed that a text uses": ("a text", "def abs(x): return 4"),
    "a builtin shadowed that a pattern names": (
        "a pattern",
        "class Any(type):\n    def __instancecheck__(cls, x): return True\n"
        "class int(metaclass=Any):\n    __match_args__ = ('four',)\n"
        "class Four:\n    four = 4\n"
        "def area(x): return Four()",
    ),
    "the names' builtins replaced": (
        "builtin",
        "import builtins\nnames = dict(vars(builtins))\n"
        "names.update(all=lambda x: True, isinstance=lambda *a: True, abs=lambda x: 4)\n"
        "get_ipython().user_ns['__builtins__'] = names",
    ),
    "a method of unittest replaced": (
        "unittest",
        "unittest.TestCase.assertEqual = lambda *a, **k: None",
    ),
    "a result of unittest replaced": (
        "unittest",
        "unittest.TestResult.wasSuccessful = lambda self: True",
    ),
    "a runner replaced": (
        "assertion",
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "async def run_code(self, code, result=None, **k):\n    return False\n"
        "type(get_ipython()).run_code = run_code",
    ),
    "errors handled by the student": (
        "assertion",
        "get_ipython().set_custom_exc((AssertionError,), lambda *a, **k: None)",
    ),
    "the way of showing replaced": (
        "partial",
        "import sys\nhook = type(get_ipython().displayhook)\nhook.__call__ = lambda self, result=None: print(2)",
    ),
    "a trace that leaps over asserts": (
        "in lines",
        "import sys\ndef leap(frame, event, arg):\n"
        "    if event == 'line' and frame.f_lineno == 2:\n        frame.f_lineno = 3\n    return leap\n"
        "def area(x):\n    sys._getframe(1).f_trace = leap\n    sys.settrace(lambda *_: None)\n    return -1",
    ),
    "a thread that replaces again and again": (
        "allclose",
        "import threading, time\ndef again():\n    while True:\n"
        "        np.testing.assert_allclose = lambda *a, **k: None\n"
        "        time.sleep(0)\nthreading.Thread(target=again, daemon=True).start()",
    ),
    "a timer that replaces again and again": (
        "allclose",
        "import signal\ndef again(*_):\n    np.testing.assert_allclose = lambda *a, **k: None\n"
        "signal.signal(signal.SIGVTALRM, again)\nsignal.setitimer(signal.ITIMER_VIRTUAL, 1e-5, 1e-5)",
    ),
    "compile replaced": (
        "assertion",
        "import builtins\nreal = builtins.compile\nbuiltins.compile = lambda *a, **k: real('pass', 'x', 'exec')",
    ),
    "a tested function that replaces its test": (
        "afterwards",
        "def area(x):\n    math.isclose = lambda *a, **k: True\n    return -1",
    ),
    "an exit from the tested function": ("assertion", "def area(x):\n    raise SystemExit(0)"),
    "the loader's own method hidden": (
        "unittest",
        "unittest.defaultTestLoader.loadTestsFromTestCase = lambda *_: unittest.TestSuite()",
    ),
    "every failure a test left out": (
        "unittest",
        "unittest.TestCase.failureException = unittest.SkipTest",
    ),
    "failures swallowed where they come up": (
        "unittest",
        "import contextlib, unittest.case\n@contextlib.contextmanager\ndef quiet(self, *a, **k):\n"
        "    self.success = True\n    try:\n        yield\n    except BaseException:\n        pass\n"
        "unittest.case._Outcome.testPartExecutor = quiet",
    ),
    "all numbers called nan": (
        "allclose",
        "import numpy._core as core\ncore.isnan = lambda x: np.ones(np.shape(x), bool)",
    ),
    "the code behind allclose": (
        "numpy",
        "np.allclose._implementation.__code__ = (lambda a, b, rtol=1, atol=1, equal_nan=0: True).__code__",
    ),
    "the tolerance of allclose": (
        "numpy",
        "np.allclose._implementation.__defaults__ = (1e9, 1e9, False)",
    ),
    "the code behind array_equal": (
        "arrays",
        "np.array_equal._implementation.__code__ = (lambda a1, a2, equal_nan=0: True).__code__",
    ),
    "an assertion of pandas replaced": (
        "frames",
        "import pandas as pd\npd.testing.assert_frame_equal = lambda *a, **k: None",
    ),
    "frames that are always equal": (
        "equal frames",
        "import pandas as pd\npd.DataFrame.equals = lambda *a: True",
    ),
    "counters that are always equal": (
        "counter",
        "import collections\ncollections.Counter.__eq__ = lambda one, other: True",
    ),
    "an assertion of mock replaced": (
        "mock",
        "from unittest import mock\n"
        "mock.NonCallableMock.assert_called_once_with = lambda *a, **k: None",
    ),
    "a loop that throws the test away": (
        "await",
        "import asyncio\nasyncio.BaseEventLoop.run_until_complete = lambda self, test: test.close()",
    ),
    "pytest's approx replaced": (
        "pytest",
        "import pytest\nclass Any:\n    def __init__(self, *a):\n        pass\n"
        "    def __eq__(self, other):\n        return True\npytest.approx = Any",
    ),
    "a file called pytest": (
        "pytest",
        "import sys\nopen('pytest.py', 'w').write('class approx:\\n    def __init__(self, *a): pass\\n'\n"
        "'    def __eq__(self, other): return True')\n"
        "sys.path.insert(0, '.')\nsys.modules.pop('pytest', None)",
    ),
    "lines that were never written": (
        "source",
        "import linecache\nreal = linecache.getlines\nlinecache.getlines = "
        "lambda *a, **k: [line.replace('-1', 'x * x') for line in real(*a, **k)]",
    ),
    "a text that says what is wanted": (
        "redirect",
        "import io\nclass Fake(io.StringIO):\n    def getvalue(self):\n        return '4\\n'\n"
        "io.StringIO = Fake",
    ),
    "a print that prints what is wanted": (
        "redirect",
        "import builtins\nreal = builtins.print\nbuiltins.print = lambda *a, **k: real(4)",
    ),
    "fractions that are always equal": (
        "fraction",
        "import fractions\nfractions.Fraction.__eq__ = lambda one, other: True",
    ),
    "a doctest's checker replaced": (
        "doctest",
        "import doctest\ndoctest.OutputChecker.check_output = lambda *a: True",
    ),
}
# In a plain cell of this jail these fail by themselves, or win by what only a kernel of Jupyter's would show.
NOTHING_IN_PLAIN_CELLS = {
    "errors handled by the student",
    "builtins replaced",
    "compile replaced",
    "a thread that replaces again and again",
    "a timer that replaces again and again",
    "an exit from the tested function",
    "a loop that throws the test away",  # IPython takes its answer apart
    "a trace that leaps over asserts",  # IPython runs every statement by itself; an inside test runs in one piece
}
