"""The cells of a notebook as they will be run, and where the kernels come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from autograder.course.exam import Exercise
from autograder.kernel.jailed_kernel import Kernel


class Kernels(Protocol):
    """Where kernels come from: the examiner, who can start jailed processes."""

    def start(self) -> Kernel:
        """Start a fresh jailed kernel."""

    def why(self) -> str:
        """Say which limit ended the last kernel, empty if none did."""


@dataclass(frozen=True)
class Step:
    """A cell as it will be run: the student's own source, or the test of an exercise."""

    source: str
    number: int = 0
    exercise: Exercise | None = None
    may_fail: bool = False


def list_answers(exercise: Exercise, sources: Mapping[str, str]) -> list[str]:
    """Return what stands in the solution cells of an exercise, of those that are there."""
    return [sources[cell] for cell in exercise.solutions if cell in sources]
