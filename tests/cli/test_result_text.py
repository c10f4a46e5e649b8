"""Results as text: what a terminal shows of a class."""

import io

import pytest
from pages_class import practice_class
from rich.console import Console

from autograder.cli.result_text import print_standings


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (100, "on-time 10 / 10 graded forward: 6 / 6 graded 28"),
        (80, "on-time forward 6 / 6 graded"),
        (80, "late hw01_numpy 0 / 10 pushed too late"),
        (80, "just-pushed hw02_linear_regression – / 20"),
        (80, "late all 16.8"),
    ],
)
def test_standings_fit_where_they_are_shown(width: int, words: str) -> None:
    shown = io.StringIO()
    print_standings(practice_class().standings, Console(file=shown, width=width))
    lines = shown.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert words in [" ".join(line.split()) for line in lines]
    assert "…" not in shown.getvalue()
