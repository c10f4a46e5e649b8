"""What a test does with a student's names means what it means in one kernel."""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from jailless import kernel

from autograder.kernel import Kernel
from autograder.proxy import Call, ModuleReference

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
    with pytest.raises(NameError, match="nothing"):
        names["nothing"]


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


@pytest.mark.parametrize(("seed_numpy", "seed_python"), [(1, 2), (3, 4)], ids=["one seed", "another"])
def test_the_global_random_states_travel_with_the_call(names: Any, seed_numpy: int, seed_python: int) -> None:
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


def test_the_observer_sees_arguments_as_they_were_and_the_output(student: Kernel, names: Any) -> None:
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
    assert calls[1].output == ({"output_type": "stream", "name": "stdout", "text": "printed in a call\n"},)
    assert isinstance(calls[2].error, NotImplementedError)
    assert student.run_cell("2").outputs[0]["data"] == {"text/plain": "2"}


def test_lent_functions_stand_in_and_are_given_back(student: Kernel, names: Any) -> None:
    student.run_cell("def helper(x): return -1\ndef main(x): return helper(x) + 1")
    main = names["main"]
    with student.lend({"helper": lambda x: x * 10}):
        assert main(4) == 41
    assert main(4) == 0
