"""A function that a test has found is asked for once, until the student's code binds its name anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jailless import kernel

from autograder.kernel.jailed_kernel import Kernel

STUDENT = """
def f(): return "old"
def g(): return "g"
def rebind():
    global f
    f = lambda: "new"
def delete():
    global f
    del f
def become_number():
    global f
    f = 5
def exchange():
    global f, g
    f, g = g, f
def fail_after_rebinding():
    rebind()
    raise ValueError("late")
def call_between(function):
    rebind()
    return function()
def later():
    rebind()
    while True: pass
alias = f
values = [1]
"""


@pytest.fixture(scope="module")
def shared() -> Iterator[Kernel]:
    with kernel() as made:
        yield made


@pytest.fixture
def student(shared: Kernel) -> Kernel:
    assert shared.run_cell(STUDENT).error is None
    return shared


@pytest.fixture
def asked(student: Kernel, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    operations: list[str] = []
    request = student.request

    def counted(operation: str, *rest: Any, **more: Any) -> Any:
        operations.append(operation)
        return request(operation, *rest, **more)

    monkeypatch.setattr(student, "request", counted)
    return operations


def fail(student: Kernel) -> None:
    with pytest.raises(ValueError, match="late"):
        student.namespace["fail_after_rebinding"]()


def test_a_call_costs_one_question(student: Kernel, asked: list[str]) -> None:
    for _ in range(3):
        assert student.namespace["f"]() == "old"
    assert "f" in student.namespace
    assert asked == ["get", "call", "call", "call"]


def test_a_value_is_fetched_at_each_read(student: Kernel, asked: list[str]) -> None:
    assert student.namespace["values"] == student.namespace["values"] == [1]
    assert asked == ["get", "get"]


@pytest.mark.parametrize(
    ("bind", "expected"),
    [
        (lambda kernel: kernel.namespace["rebind"](), "new"),
        (lambda kernel: kernel.namespace["exchange"](), "g"),
        (lambda kernel: kernel.run_cell("def f(): return 'again'"), "again"),
        (lambda kernel: kernel.bind_settings("f = lambda: 'bound'"), "bound"),
        (fail, "new"),
    ],
    ids=["call", "exchange", "cell", "settings", "call that fails"],
)
def test_a_name_bound_anew_is_asked_for_again(
    student: Kernel, bind: Callable[[Kernel], object], expected: str
) -> None:
    assert student.namespace["f"]() == "old"
    bind(student)
    assert student.namespace["f"]() == expected


def test_a_name_bound_anew_is_told_to_a_function_that_is_called_back(student: Kernel) -> None:
    assert student.namespace["f"]() == "old"
    assert student.namespace["call_between"](lambda: student.namespace["f"]()) == "new"


def test_a_name_bound_anew_before_the_time_was_up_is_asked_for_again(student: Kernel) -> None:
    assert student.namespace["f"]() == "old"
    with pytest.raises(TimeoutError):
        student.request("call", (student.namespace["later"],), seconds=0.2)
    assert student.namespace["f"]() == "new"


def test_a_name_that_is_deleted_is_missed(student: Kernel) -> None:
    assert student.namespace["f"]() == "old"
    student.namespace["delete"]()
    assert "f" not in student.namespace
    with pytest.raises(NameError):
        student.namespace["f"]


def test_a_name_that_is_a_number_now_is_one(student: Kernel) -> None:
    assert student.namespace["f"]() == "old"
    student.namespace["become_number"]()
    assert student.namespace["f"] == 5


def test_a_loan_stands_in_for_what_was_found_before_and_ends(student: Kernel) -> None:
    def ours() -> str:
        return "lent"

    assert student.namespace["f"]() == "old"
    with student.lend_functions({"f": ours}):
        assert student.namespace["f"] is ours
    assert student.namespace["f"]() == "old"


def test_two_names_of_one_function_keep_their_own(student: Kernel) -> None:
    f, alias = student.namespace["f"], student.namespace["alias"]
    assert f is alias
    assert repr(student.namespace["f"]) == "<the student's f>"
    assert repr(student.namespace["alias"]) == "<the student's alias>"
