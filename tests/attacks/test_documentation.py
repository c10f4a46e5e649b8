"""docs/security.md speaks of attacks that exist, and of every kind of them."""

from __future__ import annotations

import re

from attacks import bombs, cheating, doors, reaching, reading
from attacks.defences import ON_EVERY_RUNG
from attacks.test_attacks import ATTACKS
from attacks.world import REPOSITORY

PAGE = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
ROW = r"^\| ([^|]*) \| [^|]* \| (`[^|]*) \|$"
ROWS = re.findall(r"^\| .* \| .* \| (`.*) \|$", PAGE, re.MULTILINE)
NAMED = {name for row in ROWS for name in re.findall(r"`([^`]+)`", re.sub(r"\[`[^`]+`\]", "", row))}


def test_every_attack_that_is_named_exists() -> None:
    assert len(NAMED) > 80
    assert {attack.name for attack in ATTACKS} >= NAMED


def test_each_row_has_an_attack_that_is_run_on_every_rung() -> None:
    by_row = {
        tries: set(re.findall(r"`([^`]+)`", shown))
        for tries, shown in re.findall(ROW, PAGE, re.MULTILINE)
    }
    rows = {
        tries: names
        for tries, names in by_row.items()
        if names & {attack.name for attack in ATTACKS}
    }
    assert set(rows) == set(ON_EVERY_RUNG)
    for tries, names in ON_EVERY_RUNG.items():
        assert set(names) <= {attack.name for attack in ATTACKS}, tries


def test_no_two_attacks_have_one_name() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(names) == len(set(names))


def test_attacks_of_every_kind_are_named() -> None:
    groups = [
        *(
            reading.ATTACKS,
            reaching.NETWORK,
            reaching.PROCESSES,
            doors.NAMESPACES,
            doors.MOUNTS,
            doors.IDENTITY,
        ),
        *(doors.KERNEL, doors.FILES, bombs.MEMORY, bombs.PROCESSES, bombs.DISK, bombs.STAYING),
        *(cheating.SPYING, cheating.CHEATING, cheating.PROTOCOL),
    ]
    assert sum(map(len, groups)) == len(ATTACKS)
    for group in groups:
        assert NAMED & {attack.name for attack in group}, group[0].name
