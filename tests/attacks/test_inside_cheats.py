"""Answers after the points of a test that runs inside the jail: what would win in a plain cell, and wins no more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from inside_cheats import CHEATS, COURSE, IMPORTS, KINDS, NOTHING_IN_PLAIN_CELLS, WRONG
from jails import SMALL, jailed_kernel

from autograder.jail import Jail
from autograder.kernel.inside_runs import run_inside_test

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def one_jail() -> Iterator[Jail]:
    with Jail(SMALL) as jail:
        yield jail


def test_the_right_answer_passes_every_kind_of_test(one_jail: Jail) -> None:
    with jailed_kernel(one_jail) as kernel:
        kernel.run_cell(COURSE)
        kernel.run_cell("def area(x):\n    return x * x")
        runs = {kind: run_inside_test(kernel, source, IMPORTS) for kind, source in KINDS.items()}
    assert {kind: (str(run.error or ""), run.number) for kind, run in runs.items()} == {
        kind: ("", 2.0 if kind == "partial" else None) for kind in KINDS
    }


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_wins_nothing(name: str, one_jail: Jail) -> None:
    kind, cheat = CHEATS[name]
    with jailed_kernel(one_jail) as kernel:
        for cell in (COURSE, WRONG, cheat):
            kernel.run_cell(cell)
        run = run_inside_test(kernel, KINDS[kind], IMPORTS)
    assert run.error is not None or (kind == "partial" and run.number == 0.0)


@pytest.mark.release
@pytest.mark.parametrize("name", [name for name in CHEATS if name not in NOTHING_IN_PLAIN_CELLS])
def test_the_same_cheat_wins_in_a_plain_cell(name: str, one_jail: Jail) -> None:
    kind, cheat = CHEATS[name]
    with jailed_kernel(one_jail) as kernel:
        for cell in (COURSE, WRONG, cheat):
            kernel.run_cell(cell)
        ran = kernel.run_cell(KINDS[kind])
    texts = "".join(output.get("text", "") or str(output.get("data", "")) for output in ran.outputs)
    assert ran.error is None and not any(output["output_type"] == "error" for output in ran.outputs)
    assert kind != "partial" or "2" in texts
