"""Landlock: a process confines itself to the files it names, without any privilege (Linux 5.13 and
newer).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable

from autograder.jail import lockdown

NR_CREATE_RULESET = 444
NR_ADD_RULE = 445
NR_RESTRICT_SELF = 446
EXECUTE = 1
WRITE_FILE = 2
READ_FILE = 4
READ_DIR = 8
REFER = 1 << 13
TRUNCATE = 1 << 14
IOCTL_DEVICE = 1 << 15
FIRST_VERSION_RIGHTS = (1 << 13) - 1  # everything up to making symbolic links
RIGHTS_SINCE = {2: REFER, 3: TRUNCATE, 5: IOCTL_DEVICE}
ON_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEVICE
NETWORK_SINCE = 4
SCOPES_SINCE = 6
NO_TCP = 3  # neither bind nor connect
SCOPES = 3  # no abstract sockets and no signals beyond the confined processes
SIGNALS_CONFINED_SINCE = SCOPES_SINCE


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    )


class _Rule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("parent", ctypes.c_int32))


def read_landlock_version() -> int:
    """Return the version of Landlock this kernel speaks, 0 for none."""
    return max(0, lockdown.call_system(NR_CREATE_RULESET, None, ctypes.c_size_t(0), 1))


def confine_files(read_only: Iterable[str], writable: Iterable[str]) -> None:
    """Confine this process and its descendants to files below the given paths, for good; needs
    no_new_privs.

    Raises
    ------
    OSError
        If the kernel has no Landlock or refuses.
    """
    spoken = read_landlock_version()
    every = FIRST_VERSION_RIGHTS
    for since, right in RIGHTS_SINCE.items():
        every |= right if spoken >= since else 0
    wanted = _Ruleset(every, NO_TCP, SCOPES)
    size = 8 if spoken < NETWORK_SINCE else 16 if spoken < SCOPES_SINCE else 24
    ruleset = lockdown.check_result(
        lockdown.call_system(NR_CREATE_RULESET, ctypes.byref(wanted), ctypes.c_size_t(size), 0),
        "Landlock",
    )
    for path in read_only:
        _allow(ruleset, path, EXECUTE | READ_FILE | READ_DIR)
    for path in writable:
        _allow(ruleset, path, every)
    lockdown.check_result(lockdown.call_system(NR_RESTRICT_SELF, ruleset, 0), "Landlock")
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    handled = rights if os.path.isdir(path) else rights & ON_A_FILE  # noqa: PTH112
    for since, right in RIGHTS_SINCE.items():
        handled &= ~right if read_landlock_version() < since else -1
    rule = _Rule(handled, descriptor)
    lockdown.check_result(
        lockdown.call_system(NR_ADD_RULE, ruleset, 1, ctypes.byref(rule), 0), f"Landlock, {path}"
    )
    os.close(descriptor)
