"""The worked example of the guide for instructors is an exercise that passes its own audit."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from small_course import REPOSITORY, SmallCourse, code, solution, test

from autograder.auditing.audit_cases import CaseKind, read_cases
from autograder.auditing.audit_run import CaseAuditor, GradedCase
from autograder.auditing.audit_tally import (
    count_cases,
    describe_shortfalls,
    list_misnamed,
    list_survivors,
)
from autograder.course.configuration_file import load_course
from autograder.grader.examiner import Examiner
from autograder.jail import Limits

pytestmark = pytest.mark.slow

GUIDE = (REPOSITORY / "docs" / "writing-exercises.md").read_text(encoding="utf-8")


def block(name: str) -> str:
    """The code block that begins with this comment."""
    (found,) = re.findall(rf"```python\n# {re.escape(name)}\n(.*?)```", GUIDE, re.DOTALL)
    return found.replace('"NAME"', '"hw"')


@pytest.fixture
def guided(small_course: SmallCourse) -> SmallCourse:
    small_course.write(
        solution(block("solution cell"), "weighted_mean_solution"),
        code(block("checks cell"), grade_id="weighted_mean_checks", locked=True),
        test(block("tests cell"), "weighted_mean", 4),
    )
    for name in ("mistakes.py", "alternatives.py", "shortcuts.py"):
        small_course.source.with_name(name).write_text(block(name), encoding="utf-8")
    return small_course


def test_the_worked_example_passes_its_audit(guided: SmallCourse) -> None:
    exam, cases = read_cases(load_course(guided.config), "hw")
    with Examiner(Limits(cell_seconds=10, call_seconds=10, seconds=60)) as examiner:
        auditor = CaseAuditor(examiner, {"hw": exam})
        graded: list[GradedCase] = [auditor.grade(case) for case in cases]
    assert (describe_shortfalls(graded), list_survivors(graded), list_misnamed(graded)) == (
        [],
        [],
        [],
    )
    count = count_cases(graded)
    assert count.mistakes >= 5
    assert count.alternatives >= 2
    assert count.shortcuts >= 2
    assert count.keeping >= 1
    assert count.mutants >= 5
    assert {entry.case.kind for entry in graded} == set(CaseKind)


def test_the_worked_examples_visible_check_passes() -> None:
    names: dict[str, Any] = {}
    exec(block("solution cell") + block("checks cell"), names)
    assert names["weighted_mean_of_two_rows"].status == "passed"


def test_a_training_is_followed_as_the_guide_says() -> None:
    def loss(parameters: Any, X: Any, Y: Any) -> Any:
        return 0.5 * np.mean((X @ parameters["W"] + parameters["b"] - Y) ** 2)

    def gradients(parameters: Any, X: Any, Y: Any) -> Any:
        misses = X @ parameters["W"] + parameters["b"] - Y
        return {"W": X.T @ misses / len(X), "b": np.mean(misses, keepdims=True)}

    def train(start: Any, bias: Any = lambda b, step: b - step) -> Any:
        def run(X: Any, Y: Any, n_iter: Any, lr: Any) -> Any:
            w = {"W": start(X.shape[1]), "b": np.zeros(1)}
            for _ in range(n_iter):
                slopes = gradients(w, X, Y)
                w = {"W": w["W"] - lr * slopes["W"], "b": bias(w["b"], lr * slopes["b"])}
            return w, []

        return run

    def follows(training: Any, n_iter: Any) -> None:
        names = {
            "np": np,
            "train": training,
            "reference": SimpleNamespace(loss=loss, gradients=gradients),
        }
        exec(block("following a training"), names)
        draw = np.random.default_rng(0)
        names["expect_descent"](0.5 * draw.normal(size=(5, 3)), draw.normal(size=5), n_iter, 0.2)

    follows(train(np.random.randn), 4)
    follows(
        train(lambda N: np.random.default_rng().normal(size=N)), 4
    )  # another start in every run
    for wrong in (lambda b, step: -step, lambda b, step: b, lambda b, step: b + step):
        with pytest.raises(AssertionError, match="the way of"):
            follows(train(np.random.randn, wrong), 4)
    with pytest.raises(AssertionError, match="differs from run to run"):
        follows(train(lambda N: np.random.default_rng().normal(size=N), lambda b, step: -step), 4)
