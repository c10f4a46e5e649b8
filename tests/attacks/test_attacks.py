"""No attack succeeds on any rung this machine has; those that do no harm are shown to succeed without a jail.

All of them are run on the strongest rung, and one for each defence on the others; before a release all on all.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator

import jailless
import numpy as np
import pytest

from attacks import bombs, cheating, doors, reaching, reading
from attacks.attack import LIMITS, Attack
from attacks.defences import ON_EVERY_RUNG
from attacks.world import World, services, write_diary
from autograder.course.errors import KernelError
from autograder.grader import test_cells as testcell
from autograder.jail import Jail, Limits
from autograder.jail.keeper import JoinedKeeper
from autograder.kernel.jailed_kernel import Kernel

pytestmark = pytest.mark.slow

ATTACKS = reading.ATTACKS + reaching.ATTACKS + doors.ATTACKS + bombs.ATTACKS + cheating.ATTACKS
ONE_FOR_EACH_DEFENCE = tuple(
    attack for attack in ATTACKS if any(attack.name in names for names in ON_EVERY_RUNG.values())
)
each_attack = pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])


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


@contextlib.contextmanager
def jail_with_a_neighbour(world: World, rung: int | None = None) -> Iterator[Jail]:
    """Open a jail in which another notebook has written down what must not be read."""
    with Jail(LIMITS, rung=rung) as jail, jail.spawn(limits=Limits(seconds=3600)) as sibling:
        kernel = Kernel(sibling.socket, Limits(seconds=3600))
        write_diary(world, kernel)
        yield jail
        kernel.close()


@pytest.fixture(scope="module")
def strongest(world: World) -> Iterator[Jail]:
    with jail_with_a_neighbour(world) as jail:
        yield jail


@pytest.fixture(scope="module")
def jail(world: World, rung: int) -> Iterator[Jail]:
    with jail_with_a_neighbour(world, rung) as jail:
        yield jail


@pytest.fixture(scope="module")
def without_jail(world: World) -> Iterator[JoinedKeeper]:
    with jailless.kernels() as kernels, jailless.kernel(keeper=kernels) as sibling:
        write_diary(world, sibling)
        yield kernels


@each_attack
def test_an_attack_fails_on_the_strongest_rung(
    strongest: Jail, world: World, attack: Attack
) -> None:
    assert_that_it_fails(strongest, world, attack)


@pytest.mark.strongest_at_release
def test_an_attack_on_each_defence_fails(jail: Jail, world: World) -> None:
    assert_that_they_fail(jail, world, ONE_FOR_EACH_DEFENCE)


@pytest.mark.release
def test_every_attack_fails_on_every_rung(jail: Jail, world: World) -> None:
    assert_that_they_fail(jail, world, ATTACKS)


@pytest.mark.skipif(
    os.geteuid() == 0,
    reason="attacks without a jail are for ordinary users; as root: test_as_others",
)
def test_harmless_attacks_would_succeed_without_a_jail(
    without_jail: JoinedKeeper, world: World
) -> None:
    stopped = {}
    for attack in ATTACKS:
        if attack.without_jail:
            with jailless.kernel(keeper=without_jail) as kernel:
                succeeded, shown = attempt(kernel, attack, world, in_the_same_kernel)
            if not (world.traces() if attack.leaves else succeeded):
                stopped[attack.name] = shown
    assert stopped == {}


def assert_that_they_fail(jail: Jail, world: World, attacks: Iterable[Attack]) -> None:
    for attack in attacks:
        try:
            assert_that_it_fails(jail, world, attack)
        except (AssertionError, KernelError) as error:
            error.add_note(f"the attack was: {attack.name}, on rung {jail.rung}")
            raise


def assert_that_it_fails(jail: Jail, world: World, attack: Attack) -> None:
    with jail.spawn({"shipped.txt": b"shipped"}, attack.limits) as jailed:
        kernel = Kernel(jailed.socket, attack.limits, jailed.check_limits)
        succeeded, shown = attempt(kernel, attack, world, by_value)
        kernel.close()
    assert not succeeded, shown
    assert world.hidden_marker not in shown
    assert world.traces() == []
    assert (world.directory / "writable").read_text() == "of the grader"


def attempt(
    kernel: Kernel, attack: Attack, world: World, test: Callable[[Kernel, str], bool]
) -> tuple[bool, str]:
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
        testcell.run_test_cell(source, testcell.CellGlobals({}, kernel.namespace, {"np": np}))
    except Exception:
        return False
    return True


def in_the_same_kernel(kernel: Kernel, source: str) -> bool:
    """Run a hidden test in the student's kernel, as others do."""
    return kernel.run_cell(f"import numpy as np\n{source}").error is None
