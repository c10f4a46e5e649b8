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
    "in lines": "got = area(2)\nassert got == 4\ndone = True",
    "partial": "score = 2 * (area(2) == 4)\nscore",
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
}
# In a plain cell of this jail these fail by themselves, or win by what only a kernel of Jupyter's would show.
NOTHING_IN_PLAIN_CELLS = {
    "errors handled by the student",
    "builtins replaced",
    "compile replaced",
    "a thread that replaces again and again",
    "a timer that replaces again and again",
    "an exit from the tested function",
    "a trace that leaps over asserts",  # IPython runs every statement by itself; an inside test runs in one piece
}
