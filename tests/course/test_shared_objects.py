"""What a test asks of objects in common, read from its text."""

from __future__ import annotations

import pytest

from autograder.course.shared_objects import asks_of_its_process, asks_what_is_shared

CLASSES = {"Stack"}
FUNCTIONS = {"f", "save"}


@pytest.mark.parametrize(
    "test",
    [
        "xs = [1]\ns = Stack(xs)\nxs.append(2)\nassert s.size() == 1",
        "s = Stack()\nxs = [1]\ns.fill_with(xs)\nxs[0] = 2\nassert s.top() == 1",
        "s = Stack()\ns.items().append(2)\nassert s.items() == []",
        "one, other = Stack(), Stack()\none.items.append(2)\nassert other.items == []",
        "got = f(3)\ngot['a'] = 1\nassert f(3) == {}",
        "xs = [1]\nsave(xs)\nxs.extend([2])\nassert load() == [1]",
        "one, other = f(1), f(1)\nassert one is not other",
        "X = np.eye(2)\nassert not np.shares_memory(X, f(X))",
        "def check():\n    rows = f(2)\n    del rows[0]\n    return f(2)\ncheck()",
    ],
)
def test_what_only_one_process_can_tell(test: str) -> None:
    assert asks_what_is_shared(test, CLASSES, FUNCTIONS)


@pytest.mark.parametrize(
    "test",
    [
        "xs = []\nfor x in range(3):\n    xs.append(f(x))\nassert xs == [0, 1, 2]",
        "s = Stack()\ns.add(3)\ns.pop()\ns[0] = 1\nassert s.size() == 0",
        "w = np.ones(2)\nw[0] += eps\nmore = f(w)\nw[0] -= 2 * eps\nless = f(w)",
        "x = [1]\nkept = x[:]\nassert f(x) is not x and x == kept",
        "assert f(3) is None and type(f(3)) is int and (f(1) is True)",
        "total = 0\ntotal += f(1)",
        "this is no Python",
        "%time f(1)",
    ],
)
def test_what_can_be_told_by_value(test: str) -> None:
    assert not asks_what_is_shared(test, CLASSES, FUNCTIONS)


@pytest.mark.parametrize(
    ("test", "asks"),
    [
        ("import tracemalloc\ntracemalloc.start()\nf(1)", True),
        ("from time import process_time\nassert process_time() - begin < 1", True),
        ("import sys\nassert 'pandas' not in sys.modules", True),
        ("import sys, time\nassert time.perf_counter() and sys.maxsize and modules", False),
    ],
)
def test_what_is_asked_of_the_process(test: str, asks: bool) -> None:
    assert asks_of_its_process(test) is asks
