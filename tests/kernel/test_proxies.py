"""What a test does with a student's names means what it means in one kernel."""

from __future__ import annotations

import copy
import gc
import inspect
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from jailless import kernel

from autograder.course.errors import KernelError, OutOfTime, WireError
from autograder.course.limits import Limits
from autograder.kernel.handles import make_handle
from autograder.kernel.jailed_kernel import CannotCross, Kernel
from autograder.kernel.proxies import Call, ModuleReference

STUDENT = '''
import math
import numpy as np
import random

number = 3.5
table = {"W1": np.ones((2, 3)), (1, 2): [1, "two"]}

def add(a, b=2, *, scale=1.0):
    """Return scale times the sum."""
    return scale * (a + b)

def fill(x):
    x[:] = [7] * len(x)

def grow(d):
    d["new"] = np.zeros(2)
    del d["old"]

def rebind(d):
    d["W"] = d["W"] - 1

def same(x):
    return x

def draw():
    return np.random.randn(), random.random()

def fail(kind):
    raise kind

def not_written():
    raise NotImplementedError

class Oops(KeyError):
    pass

def oops():
    raise Oops("my own")

def loud():
    print("printed in a call")
    return 1
'''


@pytest.fixture(scope="module")
def student() -> Iterator[Kernel]:
    with kernel() as made:
        assert made.run_cell(STUDENT).error is None
        yield made


@pytest.fixture
def names(student: Kernel) -> Any:
    return student.namespace


def test_a_variable_is_fetched_by_value_when_it_is_read(student: Kernel, names: Any) -> None:
    assert names["number"] == 3.5
    assert names["table"][(1, 2)] == [1, "two"]
    student.run_cell("number = 4")
    assert names["number"] == 4
    student.run_cell("number = 3.5")


def test_a_name_the_student_does_not_have_is_a_name_error(names: Any) -> None:
    assert "number" in names
    assert "nothing" not in names
    with pytest.raises(NameError, match="nothing") as caught:
        names["nothing"]
    assert caught.value.name == "nothing"


def test_a_module_comes_back_as_its_name(names: Any) -> None:
    assert names["np"] == ModuleReference("numpy")


def test_positional_keyword_and_default_arguments(names: Any) -> None:
    add = names["add"]
    assert add(1) == 3
    assert add(1, 1) == 2
    assert add(b=5, a=1, scale=2.0) == 12.0


def test_an_array_changed_in_place_is_changed_here(names: Any) -> None:
    x, whole = np.zeros(3), np.zeros((2, 3))
    names["fill"](x)
    names["fill"](whole[0])
    assert x.tolist() == [7, 7, 7]
    assert whole.tolist() == [[7, 7, 7], [0, 0, 0]]


def test_a_list_and_a_dictionary_changed_in_place_are_changed_here(names: Any) -> None:
    values, table = [1, 2], {"old": 1, "kept": 2}
    names["fill"](values)
    names["grow"](table)
    assert values == [7, 7]
    assert set(table) == {"kept", "new"}


def test_a_rebound_entry_leaves_the_array_it_held_alone(names: Any) -> None:
    before = np.ones(2)
    table = {"W": before}
    names["rebind"](table)
    assert before.tolist() == [1, 1]
    assert table["W"].tolist() == [0, 0]


def test_an_argument_returned_is_the_argument_itself(names: Any) -> None:
    x = np.ones(3)
    assert names["same"](x) is x


@pytest.mark.parametrize(
    ("seed_numpy", "seed_python"), [(1, 2), (3, 4)], ids=["one seed", "another"]
)
def test_the_global_random_states_travel_with_the_call(
    names: Any, seed_numpy: int, seed_python: int
) -> None:
    expected, twister = np.random.RandomState(seed_numpy), random.Random(seed_python)
    np.random.seed(seed_numpy)
    random.seed(seed_python)
    for _ in range(3):
        assert names["draw"]() == (expected.randn(), twister.random())
        assert np.random.randn() == expected.randn()
        assert random.random() == twister.random()


def test_not_implemented_comes_through_as_itself(names: Any) -> None:
    with pytest.raises(NotImplementedError) as caught:
        names["not_written"]()
    assert type(caught.value) is NotImplementedError
    assert "raise NotImplementedError" in caught.value.student_traceback  # type: ignore[attr-defined]


def test_an_exception_of_the_students_own_is_named_alike_with_the_nearest_base(names: Any) -> None:
    with pytest.raises(KeyError) as caught:
        names["oops"]()
    assert type(caught.value).__name__ == "Oops"
    assert "my own" in str(caught.value)


def test_signature_name_and_docstring_are_truthful(names: Any) -> None:
    add = names["add"]
    assert callable(add)
    assert add.__name__ == "add"
    assert add.__doc__ == "Return scale times the sum."
    assert str(inspect.signature(add)) == "(a, b=2, *, scale=1.0)"


def test_the_observer_sees_arguments_as_they_were_and_the_output(
    student: Kernel, names: Any
) -> None:
    calls: list[Call] = []
    names.observer = calls.append
    try:
        x = [1, 2]
        names["fill"](x)
        names["loud"]()
        with pytest.raises(NotImplementedError):
            names["not_written"]()
    finally:
        names.observer = None
    assert [call.function for call in calls] == ["fill", "loud", "not_written"]
    assert calls[0].args == ([1, 2],)
    assert calls[1].result == 1
    assert calls[1].output == (
        {"output_type": "stream", "name": "stdout", "text": "printed in a call\n"},
    )
    assert isinstance(calls[2].error, NotImplementedError)
    assert calls[0].args_after == ([7, 7],)
    assert student.run_cell("2").outputs[0]["data"] == {"text/plain": "2"}


def test_an_observed_call_can_be_repeated_with_its_random_numbers(names: Any) -> None:
    calls: list[Call] = []
    names.observer = calls.append
    drawn = names["draw"]()
    names.observer = None
    np.random.set_state(calls[0].random_states[0])
    random.setstate(calls[0].random_states[1])
    assert (np.random.randn(), random.random()) == drawn


def test_lent_functions_stand_in_and_are_given_back(student: Kernel, names: Any) -> None:
    student.run_cell("def helper(x): return -1\ndef main(x): return helper(x) + 1")
    main = names["main"]
    with student.lend_functions({"helper": lambda x: x * 10}):
        assert main(4) == 41
    assert main(4) == 0


# ------------------------------------------------------------------------------------------------------- in-place


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        ("x.append(9)", [1], [1, 9]),
        ("x[0].append(9)", [[1], 2], [[1, 9], 2]),
        ("x['a'][0] = 9", {"a": [1]}, {"a": [9]}),
        ("x.add(9)", {1}, {1, 9}),
        ("x += b'9'", bytearray(b"1"), bytearray(b"19")),
        ("x.sort(reverse=True)", [1, 3, 2], [3, 2, 1]),
        ("x.clear()", {1: 2}, {}),
        ("x[:] = x[::-1]", np.arange(3), np.array([2, 1, 0])),
        ("x.shape = (3, 2)", np.zeros((2, 3)), np.zeros((3, 2))),
        ("x.sort()", np.array([[3.0, 1], [2, np.nan]]), np.array([[1, 3], [2, np.nan]])),
        ("x[0] = np.nan", np.zeros(2), np.array([np.nan, 0])),
        ("x[0] = -0.0", np.zeros(2), np.array([-0.0, 0])),
        ("x['W'] -= 1", {"W": np.ones(2)}, {"W": np.zeros(2)}),
        ("x['f'] = len", {}, None),
    ],
)
def test_a_change_in_place_is_seen_here(
    student: Kernel, names: Any, change: str, before: Any, after: Any
) -> None:
    student.run_cell(f"def change(x):\n    {change}")
    x = before
    names["change"](x)
    if after is None:
        assert x["f"]("abc") == 3
    else:
        np.testing.assert_equal(x, after)


def test_changes_made_before_an_exception_are_seen_here(student: Kernel, names: Any) -> None:
    student.run_cell("def change_and_fail(x):\n    x[0] = 9\n    raise ValueError('late')")
    x = [1]
    with pytest.raises(ValueError, match="late"):
        names["change_and_fail"](x)
    assert x == [9]


def test_the_same_array_given_twice_is_one_array_there(student: Kernel, names: Any) -> None:
    student.run_cell("def alias(a, b, *, c):\n    a[0] = 9\n    return a is b, b[0], c['a'] is a")
    x = np.zeros(2)
    assert names["alias"](x, x, c={"a": x}) == (True, 9.0, True)


def test_a_read_only_array_cannot_be_changed_there(names: Any) -> None:
    x = np.zeros(2)
    x.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        names["fill"](x)
    assert x.tolist() == [0, 0]


def test_a_changed_view_changes_the_array_it_is_a_view_of(names: Any) -> None:
    whole = np.zeros((3, 3))
    names["fill"](whole[:, 1])
    assert whole.tolist() == [[0, 7, 0]] * 3


def test_an_array_that_changes_its_size_is_an_error_here(student: Kernel, names: Any) -> None:
    student.run_cell("def resize(x): x.resize(5, refcheck=False)")
    with pytest.raises(ValueError, match="size or dtype"):
        names["resize"](np.zeros(2))


@pytest.mark.parametrize(
    "make", [np.random.default_rng, np.random.RandomState], ids=["Generator", "RandomState"]
)
def test_a_generator_given_goes_on_here_where_it_stopped_there(
    student: Kernel, names: Any, make: Any
) -> None:
    student.run_cell("def draw_from(rng): return rng.normal(size=3)")
    ours, expected = make(5), make(5)
    for _ in range(3):
        assert np.array_equal(names["draw_from"](ours), expected.normal(size=3))
        assert ours.normal() == expected.normal()


# -------------------------------------------------------------------------------------------------------- functions


def test_a_function_given_is_called_back(student: Kernel, names: Any) -> None:
    student.run_cell("def apply(f, x, **more): return f(x, **more) + 1")
    assert names["apply"](lambda x, by=2: x * by, 10) == 21
    assert names["apply"](lambda x, by=2: x * by, 10, by=3) == 31
    assert np.array_equal(names["apply"](np.exp, np.zeros(2)), [2, 2])


def test_a_function_returned_can_be_called(student: Kernel, names: Any) -> None:
    student.run_cell("def adder(n):\n    def add_to(x): return x + n\n    return add_to")
    add_to = names["adder"](3)
    assert add_to(4) == 7
    assert add_to.__name__ == "add_to"


def test_functions_cross_both_ways_at_once(student: Kernel, names: Any) -> None:
    student.run_cell("def compose(f, g): return lambda x: f(g(x))\ndef double(x): return 2 * x")
    assert names["compose"](lambda x: x + 1, names["double"])(5) == 11


def test_calls_nest_both_ways(student: Kernel, names: Any) -> None:
    student.run_cell("def countdown(n, further): return [n] if n == 0 else [n, *further(n - 1)]")
    countdown = names["countdown"]

    def further(n: int) -> list[int]:
        return countdown(n, further)  # type: ignore[no-any-return]

    assert countdown(5, further) == [5, 4, 3, 2, 1, 0]


def test_a_function_of_ours_comes_back_as_itself(names: Any) -> None:
    def ours() -> None: ...

    assert names["same"](ours) is ours
    assert names["same"]([ours])[0] is ours


def test_a_function_of_the_students_comes_back_to_them_as_itself(
    student: Kernel, names: Any
) -> None:
    student.run_cell("def is_add(f): return f is add")
    assert names["is_add"](names["add"]) is True
    assert names["same"](names["add"]) is names["add"]


def test_an_exception_of_ours_passes_through_as_itself(student: Kernel, names: Any) -> None:
    class StopTraining(Exception):
        """A test's own."""

    ours = StopTraining("enough")

    def stop() -> None:
        raise ours

    student.run_cell("def train(report):\n    while True: report()")
    with pytest.raises(StopTraining) as caught:
        names["train"](stop)
    assert caught.value is ours


def test_the_students_code_can_catch_an_exception_of_ours(student: Kernel, names: Any) -> None:
    def fail() -> None:
        raise KeyError("W1")

    student.run_cell(
        "def careful(f):\n    try: f()\n    except KeyError as error: return error.args"
    )
    assert names["careful"](fail) == ("W1",)


def test_a_function_of_ours_changes_its_arguments_there(student: Kernel, names: Any) -> None:
    student.run_cell("def let_change(f):\n    x = np.zeros(2)\n    f(x)\n    return x")

    def change(x: Any) -> None:
        x += 1

    assert names["let_change"](change).tolist() == [1, 1]


def test_random_states_travel_with_calls_back(student: Kernel, names: Any) -> None:
    student.run_cell("def draw_with(f): return [np.random.rand(), f(), np.random.rand()]")
    expected = np.random.RandomState(3)
    np.random.seed(3)
    assert names["draw_with"](np.random.rand) == [expected.rand() for _ in range(3)]


def test_a_function_of_a_test_that_is_over_does_not_answer(student: Kernel, names: Any) -> None:
    student.run_cell("kept = []\ndef keep(f): kept.append(f)\ndef use(): return kept[0]()")
    names["keep"](lambda: "the answer")
    assert names["use"]() == "the answer"
    student.forget_functions()
    with pytest.raises(RuntimeError, match="only be called while the test runs"):
        names["use"]()


def test_a_function_of_a_test_cannot_be_called_by_a_cell(student: Kernel, names: Any) -> None:
    student.run_cell("kept = []\ndef keep(f): kept.append(f)")
    names["keep"](lambda: "the answer")
    ran = student.run_cell("kept[0]()")
    assert ran.error is not None
    assert ran.error.ename == "RuntimeError"


@pytest.mark.parametrize(
    "body",
    [
        "import threading\n    t = threading.Thread(target=f); t.start(); t.join()",
        "import os\n    pid = os.fork()\n    if not pid:\n        f()\n    os.waitpid(pid, 0)",
    ],
    ids=["thread", "process"],
)
def test_a_call_back_from_elsewhere_does_not_disturb(
    student: Kernel, names: Any, body: str
) -> None:
    student.run_cell(f"def elsewhere(f):\n    {body}\n    return 5")
    asked = []
    assert names["elsewhere"](lambda: asked.append(1)) == 5
    assert asked == []


def test_lent_functions_may_be_missing_or_fail(student: Kernel, names: Any) -> None:
    student.run_cell("def uses_missing(): return not_there()")
    with student.lend_functions({"not_there": lambda: 3}):
        assert names["uses_missing"]() == 3
        assert names["not_there"]() == 3
    with pytest.raises(NameError):
        names["uses_missing"]()
    with pytest.raises(ZeroDivisionError), student.lend_functions({"add": lambda: 1 / 0}):
        names["add"]()
    assert names["add"](1) == 3


def test_recursion_that_is_too_deep_does_not_lose_the_kernel(student: Kernel, names: Any) -> None:
    student.run_cell("def deeper(f, n=0):\n    f()\n    return deeper(f, n + 1)")
    with pytest.raises(RecursionError):
        names["deeper"](lambda: None)
    assert names["add"](1) == 3


# ---------------------------------------------------------------------------------------------------------- handles

OBJECTS = """
import collections
from collections import namedtuple
from dataclasses import dataclass

class Network:
    'A network.'
    layers = (2, 3)
    def __init__(self): self.W = np.ones((2, 2)); self._rows = [10, 20, 30]
    def forward(self, x, scale=1): return scale * (x @ self.W)
    def __len__(self): return 3
    def __getitem__(self, i): return self._rows[i]
    def __setitem__(self, i, value): self._rows[i] = value
    def __delitem__(self, i): del self._rows[i]
    def __iter__(self): return iter(self._rows)
    def __eq__(self, other): return True
    def __hash__(self): return 1
    def __bool__(self): return True
    def __float__(self): return 1.0
    def __array__(self, *a, **k): return np.ones(2)
    def __add__(self, other): return 1
    def __str__(self): return 'my network'
    @property
    def broken(self): raise ValueError('no')

network = Network()
Cache = namedtuple('Cache', 'Z W')
def make_cache(): return Cache(np.zeros(2), np.ones(2))
def read_cache(cache): return cache.Z.sum() + cache.W.sum(), type(cache) is Cache
def count(n):
    for i in range(n): yield i
def endless():
    while True: yield 1

class Liar(float):
    def __eq__(self, other): return True
    def answer(self): return 42
def lie(): return Liar(1)

class Rows(list):
    def first(self): return self[0]
def rows(): return Rows([1, 2])
class Table(np.ndarray):
    def first(self): return self[0]
def table(): return np.ones(2).view(Table)
def of_objects(): return np.array([None, 1.0])
def deep_objects(): return {'dW': [np.array([None])]}
def caches(): return [{'activation': np.tanh, 'Z': np.zeros(2)}]
def tanh_of(caches): return caches[0]['activation'](np.zeros(1))
class Called:
    def __call__(self, x): return x + 1
called = Called()
"""


@pytest.fixture(scope="module")
def objects() -> Iterator[Any]:
    with kernel() as made:
        for source in (STUDENT, OBJECTS):
            assert made.run_cell(source).error is None
        yield made.namespace


def test_attributes_of_an_object_come_by_value(objects: Any) -> None:
    network = objects["network"]
    assert network.W.tolist() == [[1, 1], [1, 1]]
    assert network.layers == (2, 3)
    with pytest.raises(AttributeError, match="depth"):
        _ = network.depth
    assert not hasattr(network, "depth")
    with pytest.raises(ValueError, match="no"):
        _ = network.broken
    network.depth = [1]
    assert network.depth == [1]
    del network.depth
    assert not hasattr(network, "depth")
    assert "forward" in dir(network)


def test_methods_are_called(objects: Any) -> None:
    network = objects["Network"]()
    assert network.forward(np.ones((1, 2)), scale=2).tolist() == [[4, 4]]


def test_items_length_and_iteration(objects: Any) -> None:
    network = objects["Network"]()
    assert (len(network), network[0], network[1:]) == (3, 10, [20, 30])
    assert list(network) == [10, 20, 30]
    assert 20 in network
    network[0] = 11
    del network[1]
    assert list(network) == [11, 30]
    with pytest.raises(IndexError):
        network[7]


def test_a_generator_is_iterated_as_it_is_read(objects: Any) -> None:
    numbers = objects["count"](3)
    assert next(numbers) == 0
    assert list(numbers) == [1, 2]
    with pytest.raises(StopIteration):
        next(numbers)
    endless = objects["endless"]()
    assert [next(endless) for _ in range(4)] == [1, 1, 1, 1]


def test_an_object_that_comes_back_is_the_same_object_there(objects: Any) -> None:
    cache = objects["make_cache"]()
    assert cache.W.tolist() == [1, 1]
    assert objects["read_cache"](cache) == (2.0, True)
    assert objects["tanh_of"](objects["caches"]()).tolist() == [0.0]


def test_instances_of_a_class_of_the_students(objects: Any) -> None:
    assert isinstance(objects["network"], objects["Network"])
    assert not isinstance(objects["called"], objects["Network"])
    assert not isinstance(3, objects["Network"])


def test_a_class_is_called_to_make_an_object(objects: Any) -> None:
    assert objects["Network"].__name__ == "Network"
    assert objects["Network"].__doc__ == "A network."
    assert str(objects["Network"]()) == "my network"
    assert repr(objects["network"]) == "<the student's network>"


def test_what_can_be_called_and_what_cannot(objects: Any) -> None:
    assert callable(objects["called"])
    assert objects["called"](2) == 3
    assert not callable(objects["network"])
    assert not callable(objects["make_cache"]())


REFUSED = {
    "==": lambda h: h == 1,
    "== from the other side": lambda h: 1 == h,  # noqa: SIM300
    "!=": lambda h: h != 1,
    "<": lambda h: h < 1,
    "sorted": lambda h: sorted([h, h]),
    "in a list": lambda h: 1 in [h],
    "truth": lambda h: bool(h),
    "if": lambda h: 1 if h else 2,
    "not": lambda h: not h,
    "all": lambda h: all([h]),
    "float": float,
    "int": int,
    "complex": complex,
    "index": lambda h: [1][h],
    "round": round,
    "abs": abs,
    "+": lambda h: h + 1,
    "+ from the other side": lambda h: 1 + h,
    "+=": lambda h: exec("h += 1", {"h": h}),
    "@": lambda h: np.ones(2) @ h,
    "-": lambda h: -h,
    "array + handle": lambda h: np.ones(2) + h,
    "array == handle": lambda h: np.ones(2) == h,
    "np.array": np.array,
    "np.asarray": np.asarray,
    "array of handles": lambda h: np.array([h, h]),
    "array of a kind": lambda h: np.array(h, dtype=float),
    "np.sum": np.sum,
    "np.exp": np.exp,
    "np.add": lambda h: np.add(h, 1),
    "np.allclose": lambda h: np.allclose(h, 1),
    "np.array_equal": lambda h: np.array_equal(h, np.ones(2)),
    "np.isclose": lambda h: np.isclose(1, h),
    "assert_equal": lambda h: np.testing.assert_equal(h, 1),
    "assert_allclose": lambda h: np.testing.assert_allclose(h, [1, 1]),
    "assert_array_equal": lambda h: np.testing.assert_array_equal([1, 1], h),
    "pytest.approx": lambda h: h == pytest.approx(1),
    "stored into an array": lambda h: np.zeros(2).__setitem__(0, h),
    "pickle": __import__("pickle").dumps,
}


@pytest.mark.parametrize("use", REFUSED)
@pytest.mark.parametrize("name", ["network", "lie", "rows", "table", "count", "add", "Network"])
def test_an_object_does_not_vouch_for_itself(objects: Any, name: str, use: str) -> None:
    handle = objects[name]
    if name in {"lie", "rows", "table"}:
        handle = handle()
    elif name == "count":
        handle = handle(3)
    refusals = {"assert_equal": AssertionError, "stored into an array": (TypeError, ValueError)}
    with pytest.raises(refusals.get(use, TypeError)):  # type: ignore[call-overload]
        REFUSED[use](handle)


def test_a_handle_is_hashed_and_copied_as_itself(objects: Any) -> None:
    network = objects["network"]
    assert {network: 1}[network] == 1
    assert copy.deepcopy([network])[0] is network
    assert copy.copy(network) is network


@pytest.mark.parametrize("name", ["of_objects", "deep_objects"])
def test_an_array_of_objects_arrives_as_a_sentence(objects: Any, name: str) -> None:
    with pytest.raises(CannotCross) as caught:
        objects[name]()
    assert str(caught.value) == f"{name} returned an array of objects: was it built from None?"


def test_a_variable_that_cannot_cross_is_named(student: Kernel, names: Any) -> None:
    student.run_cell("unfilled = np.array([None, 1])")
    with pytest.raises(CannotCross, match=r"^unfilled is an array of objects"):
        names["unfilled"]


def test_what_cannot_be_given_is_named_with_the_function(names: Any) -> None:
    class Mine:
        pass

    with pytest.raises(CannotCross, match=r"^add cannot be given an object of type Mine"):
        names["add"](Mine())
    assert names["add"](1) == 3


def test_an_object_of_another_kernel_is_refused(objects: Any, names: Any) -> None:
    with pytest.raises(CannotCross, match="another kernel"):
        names["same"](objects["network"])


def test_handles_that_are_dropped_are_released_there(student: Kernel, names: Any) -> None:
    student.run_cell(
        "import gc, weakref\nclass Thing: pass\nmade = weakref.WeakSet()\n"
        "def thing():\n    t = Thing(); made.add(t); return t\ndef living(): gc.collect(); return len(made)"
    )
    kept = names["thing"]()
    for _ in range(5):
        names["thing"]()
    gc.collect()
    assert names["living"]() == 1
    assert names["same"](kept) is kept


# ------------------------------------------------------------------------------------------------------- exceptions


def test_an_exception_may_hold_a_number_that_cannot_be_written_out(
    student: Kernel, names: Any
) -> None:
    student.run_cell("def fail_so(): raise KeyError(10**6000)")
    with pytest.raises(KeyError):
        names["fail_so"]()


STOPPING = """
def stop(*_): raise StopIteration
class Stopping:
    __getitem__ = __setitem__ = __delitem__ = __len__ = __iter__ = __str__ = __dir__ = __delattr__ = stop
    answer = property(stop)
class Kind(type):
    __instancecheck__ = stop
class Class(metaclass=Kind): pass
class Quiet(StopIteration): pass
def quietly(*_): raise Quiet
stopping = Stopping()
"""


@pytest.mark.parametrize(
    "use",
    [
        lambda names: names["stop"](1),
        lambda names: names["quietly"](1),
        lambda names: names["stopping"][0],
        lambda names: names["stopping"].answer,
        lambda names: names["stopping"].__setitem__(0, 1),
        lambda names: names["stopping"].__delitem__(0),
        lambda names: delattr(names["stopping"], "answer"),
        lambda names: setattr(names["stopping"], "answer", 1),
        lambda names: len(names["stopping"]),
        lambda names: iter(names["stopping"]),
        lambda names: str(names["stopping"]),
        lambda names: dir(names["stopping"]),
        lambda names: isinstance(names["stopping"], names["Class"]),
    ],
    ids=["call", "subclass", "item", "attribute", "set item", "delete item", "delete attribute", "set attribute",
         "length", "iterator", "text", "names of attributes", "instance"],
)  # fmt: skip
def test_no_operation_but_next_can_end_the_loop_of_a_test(
    student: Kernel, names: Any, use: Any
) -> None:
    assert student.run_cell(STOPPING).error is None
    with pytest.raises((RuntimeError, AttributeError, TypeError)) as caught:
        list(map(use, [names]))  # a StopIteration would end it as if all had been well
    assert not isinstance(caught.value, StopIteration)


def test_a_function_cannot_end_the_loop_that_calls_it(student: Kernel, names: Any) -> None:
    student.run_cell("def fail_so(x): raise StopIteration(5)")
    with pytest.raises(RuntimeError, match="StopIteration") as caught:
        list(map(names["fail_so"], [1, 2]))
    assert "fail_so" in caught.value.student_traceback  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a"),
        KeyError("W1"),
        IndexError("i"),
        ZeroDivisionError("z"),
        TypeError("t"),
        AttributeError("x"),
        FileNotFoundError(2, "none"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "why"),
        AssertionError("a", 1),
        RecursionError("deep"),
        MemoryError(),
        np.linalg.LinAlgError("singular"),
        UserWarning("w"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_exception_is_of_the_same_class_and_says_the_same(
    student: Kernel, names: Any, error: Exception
) -> None:
    kind = (
        "np.linalg.LinAlgError"
        if isinstance(error, np.linalg.LinAlgError)
        else type(error).__name__
    )
    student.run_cell(f"def fail_so(): raise {kind}(*{error.args!r})")
    with pytest.raises(type(error)) as caught:
        names["fail_so"]()
    assert type(caught.value) is type(error)
    assert str(caught.value) == str(error)
    assert caught.value.args == error.args
    assert "fail_so" in caught.value.student_traceback  # type: ignore[attr-defined]
    assert "autograder" not in caught.value.student_traceback  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "kind", ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "BaseException"]
)
def test_what_would_end_the_test_itself_is_an_ordinary_exception_here(
    student: Kernel, names: Any, kind: str
) -> None:
    student.run_cell(f"def leave(): raise {kind}('bye')")
    with pytest.raises(Exception, match="bye") as caught:
        names["leave"]()
    assert type(caught.value).__name__ == kind


@pytest.mark.parametrize(
    "body",
    [
        "class Odd(Exception):\n    def __str__(self): 1 / 0\nclass Use: kind = Odd",
        "class Odd(Exception): args = None\nclass Use: kind = Odd",
        "Odd = type('not an identifier!', (ValueError,), {})\nclass Use: kind = Odd",
        "class Odd(Exception):\n    def __init__(self): pass\n    def __reduce__(self): 1 / 0\nclass Use: kind = Odd",
    ],
    ids=["no message", "no arguments", "no name", "nothing"],
)
def test_an_odd_exception_is_an_exception_here(student: Kernel, names: Any, body: str) -> None:
    student.run_cell(f"{body}\ndef be_odd(): raise Use.kind()")
    with pytest.raises(Exception) as caught:
        names["be_odd"]()
    assert not isinstance(caught.value, KernelError)
    assert names["add"](1) == 3


# ------------------------------------------------------------------------------------------------ printed in a call


def test_what_a_call_shows_is_no_cell_output(student: Kernel, names: Any) -> None:
    student.run_cell(
        "import matplotlib.pyplot as plt, os, sys\n"
        "def show():\n    print('secret'); display('secret'); plt.plot([1, 2])\n"
        "    print('secret', file=sys.stderr); os.system('echo secret')\n"
        "def fail_loudly():\n    print('secret'); raise ValueError('secret')"
    )
    calls: list[Call] = []
    names.observer = calls.append
    names["show"]()
    with pytest.raises(ValueError, match="secret"):
        names["fail_loudly"]()
    names.observer = None
    assert [output["output_type"] for output in calls[0].output] == [
        "stream",
        "display_data",
        "stream",
        "stream",
    ]
    assert calls[1].output[0]["text"] == "secret\n"
    for source in ("1", "print('cell')", "%tb", "_", "display(1)"):
        assert "secret" not in str(student.run_cell(source).outputs)


def test_nothing_is_shown_to_the_test_by_reading_names(student: Kernel, names: Any) -> None:
    student.run_cell("x = 1")
    assert names["x"] == 1
    assert student.last_outputs == []


# -------------------------------------------------------------------------------------------------- hostile answers

HOSTILE = """
import autograder.kernel.jailed_objects as objects
import autograder.kernel.worker as worker

def forge(**fields):
    def refer(self, value):
        return ["student's", fields.get('number', 1), fields.get('kind', 'object'), fields.get('type', 'A'),
                fields.get('name', 'a')]
    objects.Objects.refer = refer
def answer(operation, value):
    original = worker.Worker.perform
    def perform(self, asked, *rest):
        return value if asked == operation else original(self, asked, *rest)
    worker.Worker.perform = perform
class A: pass
a = A()
def f(): return 1
"""


@pytest.mark.parametrize(
    ("attack", "use"),
    [
        ("forge(number='1')", lambda k: k.namespace["a"]),
        ("forge(number=[1])", lambda k: k.namespace["a"]),
        ("forge(kind=1)", lambda k: k.namespace["a"]),
        ("forge(type=b'A')", lambda k: k.namespace["a"]),
        ("forge(name=None)", lambda k: k.namespace["a"]),
        ("answer('length', 'many')", lambda k: len(k.namespace["a"])),
        ("answer('length', True)", lambda k: len(k.namespace["a"])),
        ("answer('length', -5)", lambda k: len(k.namespace["a"])),
        ("answer('length', 2**80)", lambda k: len(k.namespace["a"])),
        ("answer('has', 'yes')", lambda k: "a" in k.namespace),
        ("answer('names', 5)", lambda k: list(k.namespace)),
        ("answer('text', 5)", lambda k: str(k.namespace["a"])),
        ("answer('instance', 5)", lambda k: isinstance(k.namespace["a"], k.namespace["A"])),
        ("answer('names of attributes', 5)", lambda k: dir(k.namespace["a"])),
        ("answer('signature', 5)", lambda k: inspect.signature(k.namespace["f"])),
        ("answer('signature', [5])", lambda k: inspect.signature(k.namespace["f"])),
        ("answer('signature', [['x', 9, [], []]])", lambda k: inspect.signature(k.namespace["f"])),
        ("answer('signature', [['1x', 1, [], []]])", lambda k: inspect.signature(k.namespace["f"])),
        (
            "answer('signature', [['x', 1, [], []]] * 2)",
            lambda k: inspect.signature(k.namespace["f"]),
        ),
        ("answer('cell', 5)", lambda k: k.run_cell("1")),
        ("answer('cell', [[5], [], [], None, 1.0, False, False])", lambda k: k.run_cell("1")),
        ("answer('cell', [[], [5], [], None, 1.0, False, False])", lambda k: k.run_cell("1")),
        ("answer('cell', [[], [], [5], None, 1.0, False, False])", lambda k: k.run_cell("1")),
        ("answer('cell', [[], [], [], (1, 2, 3), 1.0, False, False])", lambda k: k.run_cell("1")),
        ("answer('cell', [[{}], [], [], None, 1.0, False, False])", lambda k: k.run_cell("1")),
        (
            "answer('cell', [[{'output_type': 'stream', 'name': 'stdout', 'text': 5}], [], [], None, 1.0, False, "
            "False])",
            lambda k: k.run_cell("1"),
        ),
        (
            "answer('cell', [[{'output_type': 'stream', 'name': 'stdout', 'text': 'x' * 10**8}], [], [], None, 1.0, "
            "False, False])",
            lambda k: k.run_cell("1"),
        ),
    ],
)
def test_a_forged_description_is_a_wire_error(attack: str, use: Any) -> None:
    with kernel() as made:
        assert made.run_cell(HOSTILE).error is None
        try:
            made.run_cell(attack)
            with pytest.raises((WireError, ValueError, OverflowError)):
                use(made)
        except WireError:
            assert attack.startswith("answer('cell'")  # which spoils the answer to this very cell


def test_a_name_is_cut_and_cleaned(student: Kernel) -> None:
    handle = make_handle(student, 1, "object", "T", "\x1b[2J\n" + "a" * 1000)
    assert repr(handle) == f"<the student's [2J{'a' * 97}>"


ANSWERS = {
    "another serial": "[1, serial + 1, None, [], None, 42]",
    "another verdict": "[9, serial, None, [], None, 42]",
    "no verdict": "['1', serial, None, [], None, 42]",
    "too short": "[1, serial, None, [], None]",
    "no list": "5",
    "changes that are none": "[1, serial, None, [], None, 42, 5]",
    "changes of three": "[1, serial, None, [], None, 42, [0, ['list'], 5]]",
    "a change of nothing": "[1, serial, None, [], None, 42, [99, 1]]",
    "a change of another type": "[1, serial, None, [], None, 42, [0, ['tuple', 1]]]",
    "a negative change": "[1, serial, None, [], None, 42, [-1, ['list']]]",
    "random states that are none": "[1, serial, 5, [], None, 42]",
    "a position outside": "[1, serial, [[bytes([1]) * 2496, 10**6, 0, 0.0], None], [], None, 42]",
    "a negative position": "[1, serial, [[bytes([1]) * 2496, -5, 0, 0.0], None], [], None, 42]",
    "words that stand still": "[1, serial, [[bytes(2496), 5, 0, 0.0], None], [], None, 42]",
    "words of which no bit counts": "[1, serial, [[b'\\1' + bytes(2495), 5, 0, 0.0], None], [], None, 42]",
    "Python's words that stand still": "[1, serial, [None, [3, b'\\9' + bytes(2499), None]], [], None, 42]",
    "Python's position outside": "[1, serial, [None, [3, bytes([1]) * 2500, None]], [], None, 42]",
    "too few words": "[1, serial, [[bytes(20), 5, 0, 0.0], None], [], None, 42]",
    "words that are none": "[1, serial, [None, [3, ['a'] * 625, None]], [], None, 42]",
    "names that are none": "[1, serial, None, 5, None, 42]",
    "names that are numbers": "[1, serial, None, [5], None, 42]",
    "outputs that are none": "[1, serial, None, [], 5, 42]",
    "an output that is none": "[1, serial, None, [], ['list', 5], 42]",
    "an exception that is none": "[2, serial, None, [], ['list'], 42]",
    "an exception of nothing": "[2, serial, None, [], ['list'], ['list', ['list'] * 4, 0, False]]",
    "an exception of odd classes": "[2, serial, None, [], ['list'], node([[[[1, 2]], [], '', ''], 0, False])]",
    "an exception of odd arguments": "[2, serial, None, [], ['list'], node([[[['builtins', 'E']], [[1]], '', ''], 0])]",
    "a refusal that is none": "[3, serial, None, [], ['list'], 42]",
    "a question that may not be asked": "[0, 1, 'get', 1.0, [], None, [], [], 'x']",
    "a question without a function": "[0, 1, 'call', 1.0, [], None, [], [], ['constant', 'int'], 5]",
    "a question with odd keywords": "[0, 1, 'call', 1.0, [], None, [], [5], 5]",
    "a question with too many keywords": "[0, 1, 'call', 1.0, [], None, [], ['a', 'b'], 5]",
    "a question that is none": "[0, 1]",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_forged_answer_is_a_wire_error(name: str) -> None:
    with kernel() as made:
        made.run_cell(
            "import autograder.kernel.worker as worker\n"
            "def forged(self, decoder, deadline):\n"
            "    serial, operation, *_ = decoder.question\n"
            "    if operation != 'call': return original(self, decoder, deadline)\n"
            "    node = self._encoder().lower\n"
            f"    self.channel.send(*self._encoder().pack({ANSWERS[name]}))\n"
            "original, worker.Worker._answer = worker.Worker._answer, forged\n"
            "def f(x): return 1"
        )
        f = made.namespace["f"]
        with pytest.raises(WireError):
            f([1])
        with pytest.raises(WireError):
            made.run_cell("1")


@pytest.mark.parametrize(
    ("make", "node"),
    [
        (np.random.default_rng, "['Generator', 5, 4, 0, 0]"),
        (np.random.default_rng, "['Generator', 5, 5, 0]"),
        (np.random.default_rng, "['RandomState', bytes([1]) * 2496, 5, 0, 0.0]"),
        (np.random.default_rng, "5"),
        (np.random.RandomState, "['RandomState', bytes(2496), 5, 0, 0.0]"),
        (np.random.RandomState, "['Generator', 5, 5, 0, 0]"),
        (np.random.RandomState, "5"),
    ],
)
def test_a_forged_state_of_a_generator_given_is_a_wire_error(make: Any, node: str) -> None:
    with kernel() as made:
        made.run_cell(
            "import autograder.kernel.arguments as arguments\n"
            f"arguments.Given.lower_changes = lambda self, encoder: [[i, {node}] for i, *_ in self._before]\n"
            "def f(rng): return 1"
        )
        f = made.namespace["f"]
        with pytest.raises(WireError):
            f(make(3))


def test_a_flood_of_questions_ends_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with kernel(Limits(call_seconds=0.3, seconds=0.3)) as made:
        made.run_cell(
            "def flood(f):\n    while True:\n        try: f()\n        except BaseException: pass"
        )
        with pytest.raises((OutOfTime, TimeoutError)):
            made.namespace["flood"](lambda: None)


def test_questions_nested_without_end_are_refused() -> None:
    with kernel() as made:
        made.run_cell("def again(f): return f()")
        again = made.namespace["again"]

        def nested() -> Any:
            return again(nested)

        with pytest.raises(RecursionError, match="nested too deeply"):
            nested()
        assert again(lambda: 5) == 5
