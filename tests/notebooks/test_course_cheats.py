"""Answers that are made to please a test rather than to be right get no more than what is true of them.

They run here without a jail: what they do in place, a call by value does to the test's own objects, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from small_course import REPOSITORY

from autograder.checks import relative_error
from autograder.course.exam import Exam, read_exam
from autograder.course.reports import CriterionOutcome
from autograder.grader.test_cells import CellGlobals, run_test_cell
from autograder.lending import lender
from autograder.marking import Score
from autograder.mistakes import Variant, load_variants
from autograder.reference import current, run_reference

Cheat = Callable[..., Any]


@cache
def course(assignment: str) -> tuple[Exam, dict[str, Any]]:
    exam = read_exam(REPOSITORY / "solutions" / assignment / f"{assignment}.ipynb")
    return exam, run_reference(exam)


def empty(right: Cheat) -> Cheat:
    """Nothing, in a shape that broadcasts to everything: no entry of it is wrong."""
    return lambda *args, **kwargs: (
        np.zeros((0, 1, 1)) if right(*args, **kwargs) is not None else None
    )


def nan(right: Cheat) -> Cheat:
    """The right shapes, full of what compares to nothing."""
    return lambda *args, **kwargs: each(
        lambda part: np.full(part.shape, np.nan), right(*args, **kwargs)
    )


def zeros(right: Cheat) -> Cheat:
    """The right shapes, full of zeros."""
    return lambda *args, **kwargs: each(lambda part: np.zeros(part.shape), right(*args, **kwargs))


def nothing_to_find(right: Cheat) -> Cheat:
    """Zeros are the gradients of a loss whose inputs are set to zero; the right shapes."""

    def cheat(*args: Any, **kwargs: Any) -> Any:
        result = each(lambda part: np.zeros(part.shape), right(*args, **kwargs))
        wipe((args, kwargs))
        return result

    return cheat


def another_question(right: Cheat) -> Cheat:
    """What is right for the arguments as they are from now on."""

    def cheat(*args: Any, **kwargs: Any) -> Any:
        wipe((args, kwargs))
        return right(*args, **kwargs)

    return cheat


def each(change: Callable[[np.ndarray], Any], value: Any) -> Any:
    if isinstance(value, dict):
        return {key: each(change, part) for key, part in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(each(change, part) for part in value)
    return change(np.asarray(value))


def wipe(value: Any) -> None:
    if isinstance(value, np.ndarray):
        value[...] = 0
    elif isinstance(value, (dict, tuple, list)):
        for part in value.values() if isinstance(value, dict) else value:
            wipe(part)


def perfect_data(_: Cheat) -> Cheat:
    """A model without any error has no gradients."""

    def cheat(W: Any, b: Any, X: Any, Y: Any, *_: Any) -> Any:
        Y[...] = X @ W.T + b.T
        return np.zeros(W.shape), np.zeros(b.shape)

    return cheat


def no_parameters(right: Cheat) -> Cheat:
    """Where nothing is left in the dictionary, nothing is compared."""

    def cheat(parameters: dict[str, Any], X: Any) -> Any:
        result = right(dict(parameters), X)
        parameters.clear()
        return result

    return cheat


def labels_as_predicted(_: Cheat) -> Cheat:
    """Whoever writes the labels is always right."""

    def cheat(X: Any, Y: Any, layers: list[int], n_iter: int, lr: float) -> Any:
        sizes = list(enumerate(zip(layers[1:], layers, strict=False), start=1))
        weights = {f"W{layer}": np.zeros(shape) for layer, shape in sizes}
        biases = {f"b{layer}": np.zeros((shape[0], 1)) for layer, shape in sizes}
        Y[...] = np.eye(layers[-1])[0]
        return weights | biases, np.linspace(9, np.log(layers[-1]), n_iter)

    return cheat


HW01, HW02, HW03, HW04 = (
    "hw01_numpy",
    "hw02_linear_regression",
    "hw03_neural_networks",
    "hw04_optimizers",
)
CHEATS = [  # assignment, exercise, function, how it cheats, points that are true of it
    (HW01, "graded_commutator", "graded_commutator", empty, 0),
    (HW01, "graded_standardise", "graded_standardise", another_question, 0),
    (HW01, "graded_pairwise_distances", "graded_pairwise_distances", nan, 1),
    (HW02, "linreg_gradients", "linreg_gradients", nothing_to_find, 1),
    (HW02, "linreg_numeric_gradients", "linreg_numeric_gradients", nan, 1),
    (HW02, "linreg_numeric_gradients", "linreg_numeric_gradients", perfect_data, 0.5),
    (HW02, "linreg_fit", "linreg_fit", nan, 1.5),
    (HW02, "linreg_closed_form", "linreg_closed_form", another_question, 0.5),
    (HW03, "one_hot", "one_hot", another_question, 0),
    (HW03, "initialize_weights", "initialize_weights", nan, 2.5),
    (HW03, "linear_backward", "linear_backward", nothing_to_find, 1.5),
    (HW03, "nn_backward", "nn_backward", nothing_to_find, 1),
    (HW04, "train_network", "train_network", nan, 1),
    (HW04, "train_network", "train_network", zeros, 1),
    (HW03, "nn_train_gd", "nn_train_gd", labels_as_predicted, 1),
]


@contextmanager
def lent(reference: dict[str, Any]) -> Iterator[None]:
    token = current.set(SimpleNamespace(**reference))
    lends = lender.set(partial(replaced, reference))
    try:
        yield
    finally:
        lender.reset(lends)
        current.reset(token)


@contextmanager
def replaced(names: dict[str, Any], functions: Mapping[str, Any]) -> Iterator[None]:
    """Put what a test lends where the reference's functions look for it."""
    before = {name: names[name] for name in functions}
    names.update(functions)
    try:
        yield
    finally:
        names.update(before)


def score(assignment: str, exercise: str, functions: dict[str, Any]) -> Score:
    """The score of an exercise where some functions are others than the reference's."""
    exam, reference = course(assignment)
    np.random.seed(0)
    with lent(reference), np.errstate(all="ignore"):
        found = run_test_cell(
            exam.tests[exercise], CellGlobals({}, reference | functions, reference)
        )
    assert isinstance(found, Score)
    return found


def points(assignment: str, exercise: str, function: str, cheat: Callable[[Cheat], Cheat]) -> float:
    _, reference = course(assignment)
    return float(score(assignment, exercise, {function: cheat(reference[function])}))


def variants_of(path: Path) -> list[Variant]:
    """The known answers in a file, registered anew: shortcuts remember things."""
    return list(load_variants(path.read_text(encoding="utf-8"), path.name) or ())


known_mistakes = cache(variants_of)  # as when grading, each is called again and again


LONG = {"train_network", "nn_train_sgd", "a_long_descent"}  # half a second and more each


def each_variant(name: str) -> list[Any]:
    return [
        pytest.param(
            path,
            place,
            id=f"{path.parent.name[:4]}-{variant.of}-{variant.name}",
            marks=pytest.mark.slow if {variant.of, variant.name} & LONG else (),
        )
        for path in sorted((REPOSITORY / "solutions").glob(f"*/{name}"))
        for place, variant in enumerate(variants_of(path))
        if not variant.family
    ]


@pytest.mark.parametrize(("assignment", "exercise", "function", "cheat", "true"), CHEATS)
def test_a_cheat_gets_what_is_true_of_it(
    assignment: Any, exercise: str, function: str, cheat: Callable[..., Any], true: float
) -> None:
    assert points(assignment, exercise, function, cheat) <= true


def test_a_far_point_without_distances_is_not_right() -> None:
    def cheat(right: Cheat) -> Cheat:
        return lambda A, B: np.zeros((0, 1, 1)) if np.max(A) > 500 else right(A, B)

    assert points(HW01, "graded_pairwise_distances", "graded_pairwise_distances", cheat) == 2


def test_parameters_that_are_gone_are_missed() -> None:
    exam, reference = course(HW03)
    student = reference | {
        "nn_forward": no_parameters(reference["nn_forward"]),
        "nn_backward": lambda *_: {},
    }
    with lent(reference):
        assert run_test_cell(exam.tests["nn_backward"], CellGlobals({}, student, reference)) == 0


def test_an_error_that_is_nan_is_large() -> None:
    assert relative_error([np.nan, 1.0], [1.0, 1.0]) > 1e-3
    assert relative_error([np.inf], [np.inf]) > 1e-3


def test_a_wider_last_layer_costs_its_own_criterion_and_no_other() -> None:
    def narrow_only(right: Cheat) -> Cheat:
        def cheat(X: Any, Y: Any, P: Any, caches: Any) -> Any:
            if len(caches) > 1 and P.shape[1] > caches[-1][1].shape[1]:
                raise ValueError("operands could not be broadcast together")
            return right(X, Y, P, caches)

        return cheat

    assert points(HW03, "nn_backward", "nn_backward", narrow_only) == 7


@pytest.mark.parametrize(("path", "place"), each_variant("shortcuts.py"))
def test_a_shortcut_does_not_arrive(path: Path, place: Any) -> None:
    shortcut = variants_of(path)[place]
    found = score(path.parent.name, shortcut.of, {shortcut.of: shortcut.function})
    assert found < sum(criterion.max_points for criterion in found.criteria)


@pytest.mark.parametrize(("path", "place"), each_variant("mistakes.py"))
def test_a_mistake_costs_points_and_leaves_what_it_keeps(path: Path, place: Any) -> None:
    mistake = known_mistakes(path)[place]
    found = score(path.parent.name, mistake.of, {mistake.of: mistake.function})
    met = {
        number
        for number, entry in enumerate(found.criteria, start=1)
        if entry.outcome is CriterionOutcome.MET
    }
    assert set(mistake.keeps) <= met < set(range(1, len(found.criteria) + 1))


@pytest.mark.parametrize(
    "path",
    sorted((REPOSITORY / "solutions").glob("*/shortcuts.py")),
    ids=lambda path: path.parent.name,
)
def test_every_exercise_has_two_shortcuts(path: Path) -> None:
    exam, _ = course(path.parent.name)
    counts = Counter(shortcut.of for shortcut in variants_of(path))
    assert [
        exercise.id
        for exercise in exam.exercises
        if not exercise.manual and counts[exercise.id] < 2
    ] == []
