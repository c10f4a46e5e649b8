"""The strongest rung that works is chosen, and what does not work says why."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.course.errors import JailFailed, NoJail
from autograder.jail import Limits, keeper, rungs, scratch, try_rungs
from autograder.jail.enclosures import SPARE_USERS, Order, spare_user

pytestmark = pytest.mark.usefixtures("own_zygotes")


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "10", None, True], ids=repr)
def test_a_limit_is_a_positive_number(value: object) -> None:
    with pytest.raises(ValueError, match=r"Limits: memory_mb is .*; it must be a positive number"):
        Limits(memory_mb=value)  # type: ignore[arg-type]


@dataclass
class StartedRung:
    """What stands for a warm process."""

    rung: int


def let_work(monkeypatch: pytest.MonkeyPatch, *working: int) -> None:
    def start(rung: int, **_: object) -> StartedRung:
        if rung not in working:
            raise JailFailed(f"reason {rung}")
        return StartedRung(rung)

    monkeypatch.setattr(rungs, "start_checked", start)


@pytest.mark.parametrize(
    ("working", "wanted", "chosen"),
    [((1, 2, 3), None, 1), ((2, 3), None, 2), ((3,), None, 3), ((1, 3), 3, 3)],
    ids=["the strongest", "without root", "in a container", "the one asked for"],
)
def test_the_strongest_rung_that_works_is_chosen(
    monkeypatch: pytest.MonkeyPatch, working: tuple[int, ...], wanted: int | None, chosen: int
) -> None:
    let_work(monkeypatch, *working)
    assert rungs.start_strongest(wanted).rung == chosen


def test_without_any_rung_all_reasons_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    let_work(monkeypatch)
    with pytest.raises(NoJail, match=r"(?s)reason 1.*reason 2.*reason 3"):
        rungs.start_strongest(None)


def test_a_rung_that_does_not_work_is_not_replaced_by_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    let_work(monkeypatch, 1)
    with pytest.raises(NoJail, match="reason 2"):
        rungs.start_strongest(2)


def test_a_jail_with_an_open_door_is_closed_and_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[int] = []

    class OpenKeeper:
        def __init__(self, rung: int, **_: object) -> None:
            self.rung = rung

        def close(self) -> None:
            closed.append(self.rung)

    monkeypatch.setattr(rungs, "Keeper", OpenKeeper)
    monkeypatch.setattr(rungs, "_findings", lambda keeper: ["it can write outside"])
    with pytest.raises(NoJail, match="a jail was made, but it can write outside"):
        rungs.start_strongest(1)
    assert closed == [1]


def test_there_is_no_fourth_rung() -> None:
    with pytest.raises(ValueError, match="there are rungs 1, 2 and 3"):
        rungs.start_strongest(4)


def test_elsewhere_than_on_linux_the_way_to_a_container_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert all(not report.works and "docs/security.md" in report.reason for report in try_rungs())


def test_rung_one_is_reached_through_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: started.append(command))
    ours, theirs = socket.socketpair()
    with ours, theirs, Path(os.devnull).open("rb") as nothing:
        keeper._start(1, {"rung": 1}, theirs, nothing)
    assert started[0][:5] == ["sudo", "-n", "--", "env", "-i"]
    assert "OPENBLAS_NUM_THREADS=1" in started[0]
    assert started[0][-1] == '{"rung": 1}'


@pytest.mark.parametrize(
    ("owner", "slot", "uid_map", "expected"),
    [
        (1, 0, "0 0 4294967295", SPARE_USERS + 256),
        (4_194_303, 255, "0 0 4294967295", SPARE_USERS + (1 << 30) - 1),
        (1, 1, "0 100000 65536", 32768 + 257),
        (1000, 0, "0 1000 1\n1 100000 65536", 1 + 32768 + 256000 % 32768),
    ],
    ids=[
        "a whole machine",
        "the largest process id",
        "a small container",
        "a container without root",
    ],
)
def test_a_submission_gets_a_user_id_that_is_nobodys(
    owner: int, slot: int, uid_map: str, expected: int
) -> None:
    assert spare_user(owner, slot, uid_map) == expected


def test_a_container_with_root_alone_has_none_to_spare() -> None:
    with pytest.raises(OSError, match="no user ids to give"):
        spare_user(1, 1, "0 1000 1")


def test_shipped_files_are_counted_with_their_directories() -> None:
    order = Order(Limits(), (("a.csv", 1000), ("data/more/b.csv", 0)), slot=0)
    assert order.own_bytes == 1000 + 2 * 4096
    assert order.own_files == len(scratch.SCAFFOLD) + 1 + 1 + 3
