"""The system calls a jailed process may use: Docker's default profile, less what a notebook does
not need.

A call that is refused by name fails with EPERM; one that the table does not know fails with ENOSYS, so that the C
library falls back on an older one.
"""

from __future__ import annotations

import ctypes
import errno
import json
import tempfile
from functools import cache
from importlib import resources
from typing import Any

from autograder.jail import lockdown

# The flags of clone() that make a namespace.
NEW_NAMESPACES = 0x7E020000
AF_UNIX = 1
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
# isatty, window size, number of waiting bytes, blocking or not, closed on exec or not; among the
# others is TIOCSTI, which types into the terminal of whoever started the grader
IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
ABOUT_ITSELF = (
    "prlimit64",
    "sched_setaffinity",
    "sched_setattr",
    "sched_setparam",
    "sched_setscheduler",
)


@cache
def read_call_table() -> dict[str, Any]:
    """Return the data table: what Docker allows and refuses, and what the jail refuses on top, with
    reasons.
    """
    loaded: dict[str, Any] = json.loads(
        resources.files("autograder.jail").joinpath("seccomp.json").read_text("utf-8")
    )
    return loaded


def list_refused_calls() -> frozenset[str]:
    """Return the names of the calls that fail with EPERM."""
    table = read_call_table()
    return frozenset(table["docker_refuses"]).union(*table["we_refuse"].values())


def compile_filter(*, shared_files: bool) -> bytes:
    """Compile the allow-list for this machine's processor.

    Parameters
    ----------
    shared_files : bool
        Whether the jail sees the machine's own files (rung 3). Landlock does not guard modes,
        owners and times, so calls that change them then do nothing and report success.

    Returns
    -------
    bytes
        The filter, a BPF program for `install_filter`.

    Raises
    ------
    OSError
        If libseccomp cannot build it.
    ImportError
        If pyseccomp or libseccomp is not installed.
    """
    try:
        # Here and not above: without the C library this module could not even be imported.
        import pyseccomp
    except RuntimeError as error:
        raise ImportError(
            "libseccomp is not installed (Debian, Ubuntu: apt install libseccomp2)"
        ) from error
    rules = pyseccomp.SyscallFilter(defaction=pyseccomp.ERRNO(errno.ENOSYS))
    # A binary tree, not three hundred comparisons in a row for each system call.
    rules.set_attr(pyseccomp.Attr.CTL_OPTIMIZE, 2)
    # The 32-bit doors have numbers of their own, which the rules below do not mean.
    rules.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)

    def add(action: int, name: str, *arguments: Any) -> None:
        number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
        # Negative: this processor has no such call.
        if number >= 0:
            rules.add_rule(action, number, *arguments)

    pretended = (
        frozenset(read_call_table()["pretended_where_files_are_shared"])
        if shared_files
        else frozenset()
    )
    conditional = {"clone", "ioctl", "personality", "setpriority", "socketpair", *ABOUT_ITSELF}
    allowed = set(read_call_table()["docker_allows"])
    for name in allowed - list_refused_calls() - pretended - conditional:
        add(pyseccomp.ALLOW, name)
    for name in list_refused_calls():
        add(pyseccomp.ERRNO(errno.EPERM), name)
    for name in pretended:
        add(pyseccomp.ERRNO(0), name)
    _add_conditional(add, pyseccomp)
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _add_conditional(add: Any, pyseccomp: Any) -> None:
    """Add the calls that are allowed with some arguments only.

    clone3 keeps failing with ENOSYS: its flags lie in memory, where no filter can look, and the C library does without.
    """

    def equals(position: int, value: int) -> Any:
        return pyseccomp.Arg(position, pyseccomp.EQ, value)

    add(pyseccomp.ALLOW, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, NEW_NAMESPACES, 0))
    # asyncio needs it; it leads nowhere else.
    add(pyseccomp.ALLOW, "socketpair", equals(0, AF_UNIX))
    for persona in (0, 0xFFFFFFFF):
        add(pyseccomp.ALLOW, "personality", equals(0, persona))
    for request in IOCTLS:
        add(pyseccomp.ALLOW, "ioctl", equals(1, request))
    # About process 0, which means itself; about others, they reach those of the same user.
    for name in ABOUT_ITSELF:
        add(pyseccomp.ALLOW, name, equals(0, 0))
        add(pyseccomp.ERRNO(errno.EPERM), name, pyseccomp.Arg(0, pyseccomp.NE, 0))
    add(pyseccomp.ALLOW, "setpriority", equals(0, 0), equals(1, 0))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def install_filter(program: bytes) -> None:
    """Put a compiled filter on this process and its descendants, for good.

    Raises
    ------
    OSError
        If the kernel refuses it, for example because no_new_privs is not set.
    """
    instructions = ctypes.create_string_buffer(program, len(program))
    pointer = ctypes.cast(instructions, ctypes.c_void_p)
    header = _Program(len(program) // 8, pointer)
    lockdown.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(header))
