"""No attack succeeds on any rung this machine has; those that do no harm are shown to succeed without a jail."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

import jailless
import numpy as np
import pytest

from attacks import bombs, cheating, doors, reaching, reading
from attacks.attack import LIMITS, Attack
from attacks.world import World, services, write_diary
from autograder.errors import KernelError
from autograder.grader import testcell
from autograder.grader.kernel import Kernel
from autograder.jail import Jail, Limits
from autograder.jail.rungs import RUNGS, try_rung

ATTACKS = reading.ATTACKS + reaching.ATTACKS + doors.ATTACKS + bombs.ATTACKS + cheating.ATTACKS
HARMLESS = [attack for attack in ATTACKS if attack.without_jail]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("world")
    for parent in [directory, *directory.parents][:-2]:
        with contextlib.suppress(PermissionError):
            parent.chmod(parent.stat().st_mode | 0o755)
    made = World(directory)
    os.environ["GRADERS_TOKEN"] = made.marker
    with services(made):
        yield made
    del os.environ["GRADERS_TOKEN"]


@pytest.fixture(scope="module", params=RUNGS, ids="rung{}".format)
def jail(request: pytest.FixtureRequest, world: World) -> Iterator[Jail]:
    report = try_rung(request.param)
    if not report.works:
        pytest.skip(f"rung {report.rung}: {report.reason}")
    with Jail(LIMITS, rung=report.rung) as jail, jail.spawn(limits=Limits(seconds=3600)) as sibling:
        kernel = Kernel(sibling.socket, Limits())
        write_diary(world, kernel)
        yield jail
        kernel.close()


@pytest.fixture(scope="module")
def without_jail(world: World) -> Iterator[None]:
    if os.geteuid() == 0:
        pytest.skip("attacks without a jail are for ordinary users only")
    with jailless.kernel() as sibling:
        write_diary(world, sibling)
        yield


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
def test_an_attack_fails_in_the_jail(jail: Jail, world: World, attack: Attack) -> None:
    with jail.spawn({"shipped.txt": b"shipped"}, attack.limits) as jailed:
        kernel = Kernel(jailed.socket, attack.limits, jailed.watch)
        succeeded, shown = attempt(kernel, attack, world, by_value)
        kernel.close()
    assert not succeeded, shown
    assert world.hidden_marker not in shown
    assert world.traces() == []
    assert (world.directory / "writable").read_text() == "of the grader"


@pytest.mark.usefixtures("without_jail")
@pytest.mark.parametrize("attack", HARMLESS, ids=[attack.name for attack in HARMLESS])
def test_an_attack_would_succeed_without_a_jail(world: World, attack: Attack) -> None:
    with jailless.kernel(Limits(cell_seconds=30, call_seconds=10)) as kernel:
        succeeded, shown = attempt(kernel, attack, world, in_the_same_kernel)
    assert world.traces() if attack.leaves else succeeded, shown


def attempt(kernel: Kernel, attack: Attack, world: World, test: Callable[[Kernel, str], bool]) -> tuple[bool, str]:
    """Run an attack and its hidden test; return whether it has succeeded, and all a student gets to see of it."""
    *before, report = attack.cells(world.facts())
    shown, passed, heard = "", False, world.heard
    try:
        for cell in before:
            shown += str(kernel.run_cell(cell).outputs)
        if attack.spies or attack.cheats:
            passed = test(kernel, attack.hidden_test(world.hidden_marker))
        if not attack.cheats:
            shown += str(kernel.run_cell(report).outputs)
    except KernelError as error:
        shown += str(error)
    if attack.signals:
        return world.heard > heard, shown
    return (passed if attack.cheats else world.success in shown), shown


def by_value(kernel: Kernel, source: str) -> bool:
    """Run a hidden test out here, as we do."""
    try:
        testcell.run_cell(source, testcell.Names({}, kernel.namespace, {"np": np}))
    except Exception:
        return False
    return True


def in_the_same_kernel(kernel: Kernel, source: str) -> bool:
    """Run a hidden test in the student's kernel, as others do."""
    return kernel.run_cell(f"import numpy as np\n{source}").error is None
