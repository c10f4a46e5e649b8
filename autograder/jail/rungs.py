"""Which of the three ways to make a jail works on this machine: found out by trying, never from
version numbers.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course.errors import JailFailed, NoJail
from autograder.course.limits import Limits
from autograder.course.temporary_folders import temporary_folder
from autograder.jail import small_root as smallroot
from autograder.jail.keeper import Jailed, Keeper

RUNGS = {
    1: "namespaces and a user id of its own for every submission (root or sudo)",
    2: "unprivileged user namespaces",
    3: "Landlock and seccomp",
}
CONTAINER = "run it in a Linux container, see docs/security.md"
SWITCHES = {
    "/proc/sys/kernel/unprivileged_userns_clone": ("0", "kernel.unprivileged_userns_clone=1"),
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": (
        "1",
        "kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    "/proc/sys/user/max_user_namespaces": ("0", "user.max_user_namespaces=10000"),
}
# The probe takes milliseconds; a machine under load may make it wait.
QUICK = Limits(seconds=30)


@dataclass(frozen=True)
class RungReport:
    """Whether a rung works here.

    Attributes
    ----------
    rung : int
        1, 2 or 3.
    works : bool
        Whether a jail was made and held when its doors were tried.
    reason : str
        What is missing and how to get it; when it works, what it is.
    """

    rung: int
    works: bool
    reason: str


def try_rungs() -> tuple[RungReport, ...]:
    """Try all rungs, the strongest first; takes a second or less."""
    return tuple(map(try_rung, RUNGS))


def start_strongest(
    rung: int | None,
    modules: Sequence[str] | None = None,
    *,
    single: bool = False,
    meanwhile: Iterable[object] = (),
) -> Keeper:
    """Return a warm process on the strongest rung that works, or on the given one if it does.

    The jail is tried out in the very process that will make those of the submissions.

    Parameters
    ----------
    rung : int | None
        1, 2 or 3 to insist on one.
    modules, single, meanwhile
        What the notebooks to come import, whether there is one only, and what to do while the warm
        process gets ready; see `Keeper`.

    Raises
    ------
    NoJail
        If none does.
    ValueError
        If there is no such rung.
    """
    if rung is not None and rung not in RUNGS:
        raise ValueError(f"rung {rung!r}: there are rungs 1, 2 and 3")
    failures = []
    for candidate in RUNGS if rung is None else (rung,):
        try:
            return start_checked(candidate, modules=modules, single=single, meanwhile=meanwhile)
        except JailFailed as error:
            failures.append(f"  rung {candidate}, {RUNGS[candidate]}: {error}")
    raise NoJail("this machine cannot run students' code safely:\n" + "\n".join(failures))


def try_rung(rung: int) -> RungReport:
    """Make a jail and let a process in it try the doors."""
    try:
        start_checked(rung, warm=False).close()
    except JailFailed as error:
        return RungReport(rung, False, str(error))
    return RungReport(rung, True, RUNGS[rung])


def start_checked(
    rung: int,
    *,
    warm: bool = True,
    modules: Sequence[str] | None = None,
    single: bool = False,
    meanwhile: Iterable[object] = (),
) -> Keeper:
    """Return a process that makes jails, after one in which the doors were tried.

    Raises
    ------
    JailFailed
        If there is none, or a door was open; with the reason and the next step.
    """
    if sys.platform != "linux":
        raise JailFailed(f"this is not Linux; {CONTAINER}")
    try:
        keeper = Keeper(rung, warm=warm, modules=modules, single=single, meanwhile=meanwhile)
    except JailFailed as error:
        raise JailFailed(f"{error}; {_advice(rung)}") from None
    try:
        findings = tuple(_findings(keeper))
    except BaseException as error:
        keeper.close()
        if isinstance(error, JailFailed | ValueError):
            raise JailFailed(f"{error}; {_advice(rung)}") from None
        raise
    if findings:
        keeper.close()
        raise JailFailed(f"a jail was made, but {', and '.join(findings)}; {_advice(rung)}")
    return keeper


def _findings(keeper: Keeper) -> Iterator[str]:
    """Yield what a jailed process found wrong."""
    with temporary_folder("probe") as directory:
        # Readable for everybody: if the jail cannot read it, it is the jail's doing.
        Path(directory).chmod(0o755)
        forbidden = Path(directory, "forbidden")
        forbidden.write_text("out of reach", "utf-8")
        with keeper.spawn({"shipped.txt": b"shipped"}, QUICK, test=str(forbidden)) as jailed:
            yield from json.loads(_read_all(jailed))


def _read_all(jailed: Jailed) -> bytes:
    jailed.socket.settimeout(QUICK.seconds)
    received = bytearray()
    try:
        while data := jailed.socket.recv(1 << 16):
            received += data
    except OSError as error:
        raise JailFailed(f"the check of the jail did not end: {error}") from error
    if not received:
        raise JailFailed(jailed.await_end() or "the check of the jail ended without a result")
    return bytes(received)


def _advice(rung: int) -> str:
    """Return the next step for a rung that does not work."""
    if rung > 1 and os.geteuid() == 0 and smallroot.find_closed_folder():
        return "install Python, or make the virtual environment, where every user can read it"
    if rung == 1:
        if os.geteuid() == 0:
            return "root without the needed rights, as in most containers: start it with --privileged, or use rung 3"
        return "run the grader as root, or allow sudo without a password"
    if rung == 2:
        wrong = []
        for file, (bad, setting) in SWITCHES.items():
            if _reads(file, bad):
                wrong.append(setting)
        if wrong:
            return f"as root: sysctl {' '.join(wrong)}"
        return "the kernel, or the container's seccomp profile, forbids user namespaces to ordinary users"
    return f"it takes Linux 5.13 (as an ordinary user 6.12) with Landlock among its lsm= modules; or {CONTAINER}"


def _reads(file: str, value: str) -> bool:
    try:
        return Path(file).read_text("ascii").strip() == value
    except OSError:
        return False
