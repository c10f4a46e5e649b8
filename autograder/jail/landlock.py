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
# Everything up to making symbolic links.
FIRST_VERSION_RIGHTS = (1 << 13) - 1
RIGHTS_SINCE = {2: REFER, 3: TRUNCATE, 5: IOCTL_DEVICE}
ON_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEVICE
NETWORK_SINCE = 4
SCOPES_SINCE = 6
# Neither bind nor connect.
NO_TCP = 3
# No abstract sockets and no signals beyond the confined processes.
SCOPES = 3
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
        if spoken >= since:
            every |= right
    wanted = _Ruleset(every, NO_TCP, SCOPES)
    # An older kernel refuses a structure with fields that it does not know.
    size = 8 * (1 + (spoken >= NETWORK_SINCE) + (spoken >= SCOPES_SINCE))
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
    # A right that only directories can have is refused for a file.
    handled = rights if os.path.isdir(path) else rights & ON_A_FILE  # noqa: PTH112
    spoken = read_landlock_version()
    for since, right in RIGHTS_SINCE.items():
        if spoken < since:
            handled &= ~right
    rule = _Rule(handled, descriptor)
    lockdown.check_result(
        lockdown.call_system(NR_ADD_RULE, ruleset, 1, ctypes.byref(rule), 0), f"Landlock, {path}"
    )
    os.close(descriptor)
