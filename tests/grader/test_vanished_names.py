"""Names that NumPy no longer has: told by name, with what works instead, as the installed NumPy itself says."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from autograder.grader.accidents import describe_accident
from autograder.grader.vanished_names import METHODS, NAMES, vanished_name

LOST = [name for name in NAMES if name not in vars(np)]


def raised(code: str) -> Exception:
    """What the installed NumPy raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(code, {"np": np, "a": np.ones(3)})
        except (AttributeError, ImportError) as error:
            error.student_traceback = ""  # type: ignore[union-attr]
            return error
    raise AssertionError(f"{code} works")


@pytest.mark.parametrize("name", LOST)
@pytest.mark.parametrize(
    "code", ["np.{}", "from numpy import {}"], ids=["as an attribute", "imported"]
)
def test_a_name_that_numpy_lost_is_told_with_what_works_instead(name: Any, code: str) -> None:
    hint = describe_accident(raised(code.format(name)))
    assert hint == f"NumPy no longer has `np.{name}`: write `{NAMES[name]}`."


@pytest.mark.parametrize("name", LOST)
def test_what_is_advised_works(name: Any) -> None:
    advice = NAMES[name].partition("(")[0]
    if advice not in {"pickle.loads", "a.item"}:
        eval(advice, {"np": np})


@pytest.mark.parametrize("name", [name for name in METHODS if name not in dir(np.ndarray)])
def test_a_method_that_arrays_lost_is_told(name: Any) -> None:
    assert vanished_name(str(raised(f"a.{name}()"))).startswith(f"NumPy no longer has `a.{name}`")


@pytest.mark.parametrize(
    "code", ["np.arrange", "np.x4711", "a.x4711", "np.linalg.float", "from numpy import x4711"]
)
def test_another_name_is_not_told(code: str) -> None:
    assert vanished_name(str(raised(code))) == ""


def test_there_are_many_such_names() -> None:
    assert {"float", "int", "Inf", "float_", "product"} <= set(LOST)
