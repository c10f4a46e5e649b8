"""Which names of a notebook a test can come to use."""

from __future__ import annotations

import pytest

from autograder.grader.reachable_names import can_reach, find_read_names

TARGET = "def predict(X):\n    return X"

REACHED = {
    "by a function": "def step(x):\n    return predict(x)",
    "by a function of a function": "def half(x):\n    return predict(x)\ndef step(x):\n    return half(x)",
    "by another name": "other = predict\nstep = other",
    "by a default": "def step(x, f=predict):\n    return f(x)",
    "by a decorator": "def noted(f):\n    return lambda x: predict(f(x))\n@noted\ndef step(x):\n    return x",
    "by a lambda": "step = lambda x: predict(x)",
    "by a closure": "def make():\n    def inner(x):\n        return predict(x)\n    return inner\nstep = make()",
    "by a method": "class Net:\n    def go(self, x):\n        return predict(x)\n"
    "net = Net()\ndef step(x):\n    return net.go(x)",
    "by a table": "table = {'f': predict}\ndef step(x):\n    return table['f'](x)",
    "by a table filled later": "table = {}\ntable['f'] = predict\ndef step(x):\n    return table['f'](x)",
    "by a list": "fs = []\nfs.append(predict)\ndef step(x):\n    return fs[0](x)",
    "by a list that a function fills": "fs = []\ndef keep(f):\n    fs.append(f)\n"
    "keep(predict)\ndef step(x):\n    return fs[0](x)",
    "by a list filled within a function": "fs = []\ndef fill():\n    fs.append(predict)\n"
    "fill()\ndef step(x):\n    return fs[0](x)",
    "by an attribute": "class Net: pass\nNet.go = predict\ndef step(x):\n    return Net.go(x)",
    "by a library's attribute": "import numpy as np\nnp.go = predict\ndef step(x):\n    return np.go(x)",
    "by a global that is bound within": "def bind():\n    global f\n    f = predict\nbind()\n"
    "def step(x):\n    return f(x)",
    "by its text": "def step(x):\n    return eval('predict')(x)",
    "by all globals": "def step(x):\n    return globals()['predict'](x)",
    "by a library's attribute, by its text": "import numpy as np\nsetattr(np, 'go', predict)\n"
    "def step(x):\n    return np.go(x)",
    "by an attribute's text": "import sys\ndef step(x):\n    return getattr(sys, 'f')(x)",
    "by the notebook's module": "import sys\nm = sys.modules['__main__']\ndef step(x):\n    return m.predict(x)",
    "perhaps: a star": "from numpy import *\ndef step(x):\n    return x",
    "perhaps: a magic": "%run other.py\ndef step(x):\n    return x",
    "perhaps: no Python": "def step(x:\n    return x",
}
NOT_REACHED = {
    "alone": "import numpy as np\ndef step(x):\n    return np.sum(x.T)",
    "an example": "X = [1]\nprint(predict(X))\ndef step(x):\n    return x",
    "another function's": "def loss(x):\n    return predict(x)\ndef step(x):\n    return x",
    "a parameter of that name": "def step(predict):\n    return predict",
    "shown by a library": "import matplotlib.pyplot as plt\nX = [1]\nplt.plot(X, predict(X))\n"
    "def step(x):\n    plt.figure()\n    return x",
    "called within an example": "def step(x):\n    return x\nprint(step(predict([1])))",
    "with a harmless magic": "%matplotlib inline\ndef step(x):\n    return x",
}


@pytest.mark.parametrize("cell", REACHED.values(), ids=REACHED)
def test_what_is_reached_is_found(cell: str) -> None:
    assert can_reach({"step"}, {"predict"}, [TARGET, cell])


@pytest.mark.parametrize("cell", NOT_REACHED.values(), ids=NOT_REACHED)
def test_what_is_not_reached_is_known(cell: str) -> None:
    assert not can_reach({"step"}, {"predict"}, [TARGET, cell])


def test_what_the_test_itself_reads_is_reached() -> None:
    assert can_reach({"step", "predict"}, {"predict"}, [TARGET])


def test_a_test_reads_what_its_functions_read_and_not_what_it_makes_within() -> None:
    assert find_read_names("def check():\n    x = 1\n    return step(x)") == {"step"}
    assert find_read_names("globals()[name]") is None
