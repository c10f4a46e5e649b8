"""What a process can do to itself so that it can do less: namespaces, mounts, capabilities, limits
of the kernel.

Thin, checked calls of the C library; the numbers are those of the kernel's headers for x86_64 and aarch64.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
from pathlib import Path

CLONE_NEWNS = 0x20000
CLONE_NEWUTS = 0x4000000
CLONE_NEWIPC = 0x8000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MS_MOVE = 0x2000
MNT_DETACH = 2
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_GET_SECCOMP = 21
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
HUGE_PAGE = 2 << 20
MADV_COLLAPSE = 25
CAPABILITY_VERSION_3 = 0x20080522
AT_FDCWD = -100
AT_RECURSIVE = 0x8000
MOUNT_ATTR_RDONLY = 1
MOUNT_ATTR_NOSUID = 2
MOUNT_ATTR_NODEV = 4
X86_64 = platform.machine() == "x86_64"
NR_PIVOT_ROOT = 155 if X86_64 else 41
NR_CAPGET = 125 if X86_64 else 90
NR_CAPSET = 126 if X86_64 else 91
# These are the same everywhere.
NR_CLOSE_RANGE = 436
NR_MOUNT_SETATTR = 442

_libc = ctypes.CDLL(None, use_errno=True)


def check_result(result: int, what: str) -> int:
    """Return the result of a C function, or raise the OSError it stands for."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def call_system(number: int, *arguments: object) -> int:
    """Make a system call by its number; the result is unchecked, see `check_result`."""
    result: int = _libc.syscall(ctypes.c_long(number), *arguments)
    return result


def prctl(option: int, argument: int = 0, second: int = 0) -> int:
    """Set an attribute of this process."""
    # All of them: for some options the kernel refuses anything but zeros in those left over.
    values = map(ctypes.c_ulong, (argument, second, 0, 0))
    return check_result(_libc.prctl(option, *values), f"prctl({option})")


def die_with_parent(signal: int) -> None:
    """Ask for a signal when the parent dies; a change of identity cancels it."""
    prctl(PR_SET_PDEATHSIG, signal)


def unshare(flags: int) -> None:
    """Leave namespaces of the parent for new ones."""
    # Named for the message: which of them is refused decides what has to be set.
    names = {
        CLONE_NEWNS: "mount",
        CLONE_NEWUSER: "user",
        CLONE_NEWPID: "pid",
        CLONE_NEWIPC: "ipc",
        CLONE_NEWNET: "net",
    }
    asked = [name for flag, name in names.items() if flags & flag]
    kinds = ", ".join(asked)
    check_result(_libc.unshare(flags), f"making namespaces ({kinds})")


def enter_namespace(descriptor: int, kind: int) -> None:
    """Enter the namespace that an open file of /proc/…/ns names."""
    check_result(_libc.setns(descriptor, kind), "entering a namespace")


def enter_user_namespace(inner: int) -> None:
    """Enter a new user namespace, in which this process has the user and group id `inner` and every
    capability.

    Outside, its ids stay what they were. /proc must be that of this process's own process namespace.
    """
    maps = {
        # In this order: the kernel allows a group map only after groups are denied.
        "setgroups": "deny",
        "uid_map": f"{inner} {os.geteuid()} 1",
        "gid_map": f"{inner} {os.getegid()} 1",
    }
    unshare(CLONE_NEWUSER)
    for name, content in maps.items():
        try:
            Path(f"/proc/self/{name}").write_text(content, "ascii")
        except OSError as error:
            raise OSError(
                error.errno, f"setting {name} of a user namespace: {error.strerror}"
            ) from error


def mount(
    source: str, target: str, kind: str | None = None, flags: int = 0, options: str | None = None
) -> None:
    """Mount a file system, or change a mount."""
    names = (os.fsencode(source), os.fsencode(target), kind and os.fsencode(kind))
    result = _libc.mount(*names, ctypes.c_ulong(flags), options and os.fsencode(options))
    check_result(result, f"mounting {kind or source} on {target}")


def unmount(target: str) -> None:
    """Take a mount away; what is still open of it stays usable by who has it open."""
    check_result(_libc.umount2(os.fsencode(target), MNT_DETACH), f"unmounting {target}")


class _MountAttributes(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "user_namespace")
    )


def make_read_only(target: str, *, recursive: bool) -> None:
    """Make a mount read-only; a recursive one also loses device files and set-uid programs."""
    flags = MOUNT_ATTR_RDONLY | (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV if recursive else 0)
    attributes = _MountAttributes(flags, 0, 0, 0)
    depth = AT_RECURSIVE if recursive else 0
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    result = call_system(
        NR_MOUNT_SETATTR, AT_FDCWD, os.fsencode(target), depth, ctypes.byref(attributes), size
    )
    check_result(result, f"making {target} read-only")


def change_root(new_root: str) -> None:
    """Make a mounted directory the root of this mount namespace and let go of the old one."""
    os.chdir(new_root)
    # Both the same: the old root lies above the new one, and goes with the next unmount.
    check_result(call_system(NR_PIVOT_ROOT, b".", b"."), "pivot_root")
    unmount(".")
    os.chdir("/")


def drop_bounding_set() -> None:
    """Make sure that no program started from here can gain a capability; needs CAP_SETPCAP."""
    capability = 0
    # Until the kernel knows no more: newer ones have more than our headers.
    while _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1


def drop_capabilities() -> None:
    """Give up every capability, and the right to get any by starting a program."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
    check_result(call_system(NR_CAPSET, header, bytes(24)), "dropping capabilities")


def read_capabilities() -> int:
    """Return the capabilities this process could use, as a bit set."""
    sets = ctypes.create_string_buffer(24)
    check_result(
        call_system(NR_CAPGET, struct.pack("Ii", CAPABILITY_VERSION_3, 0), sets),
        "reading capabilities",
    )
    low = struct.unpack_from("I", sets, 4)[0]
    high = struct.unpack_from("I", sets, 16)[0]
    permitted: int = low | high << 32
    return permitted


def become_user(uid: int) -> None:
    """Change to a user and a group of the same number, and to no other group."""
    # Groups first, and the user last: he may change none of them.
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def act_on_files_as(uid: int) -> None:
    """Let the kernel judge what this process opens as if it were another user.

    Its own id undoes it. Without the privilege to do so nothing happens.
    """
    _libc.setfsgid(uid)
    _libc.setfsuid(uid)


def close_descriptors(*kept: int) -> None:
    """Close every open file but those given; 0, 1 and 2 become /dev/null unless given."""
    for descriptor in {0, 1, 2}.difference(kept):
        nothing = os.open("/dev/null", os.O_RDWR)
        if nothing != descriptor:
            os.dup2(nothing, descriptor)
            os.close(nothing)
    first = 3
    # In ranges: a limit of a million descriptors would take a million calls.
    for descriptor in sorted(number for number in kept if number >= first):
        _close_range(first, descriptor - 1)
        first = descriptor + 1
    _close_range(first, 0xFFFFFFFF)


def _close_range(first: int, last: int) -> None:
    if first <= last:
        check_result(
            call_system(NR_CLOSE_RANGE, ctypes.c_uint(first), ctypes.c_uint(last), 0),
            "closing files",
        )


def measure_address_space() -> int:
    """Return the bytes of address space this process uses now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    return pages * resource.getpagesize()


def gather_memory() -> None:
    """Gather this process's memory in huge pages, where the kernel can (Linux 6.1).

    A fork then copies some hundred page table entries instead of tens of thousands, which is half of its cost.
    """
    for line in Path("/proc/self/maps").read_text("ascii", "replace").splitlines():
        span, rights, _, _, inode, *_ = line.split()
        # Private memory without a file: of all else a fork copies no page tables.
        if rights == "rw-p" and inode == "0":
            first, last = (int(address, 16) // HUGE_PAGE for address in span.split("-"))
            # Only whole huge pages within the span.
            for page in range(first + 1, last):
                _libc.madvise(
                    ctypes.c_void_p(page * HUGE_PAGE), ctypes.c_size_t(HUGE_PAGE), MADV_COLLAPSE
                )


def limit_process(*, cpu_seconds: int, address_space: int, file_bytes: int, processes: int) -> None:
    """Set the kernel's limits for this process, which each of its children inherits for itself.

    They are the first line only: they count per process or per user, the jail's own limits count the whole tree.
    """
    limits = {
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_AS: address_space,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_NPROC: processes,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 64 << 10,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_SIGPENDING: 256,
    }
    for kind, wanted in limits.items():
        # Raising it takes a privilege; an administrator's lower one stands.
        ceiling = resource.getrlimit(kind)[1]
        value = wanted if ceiling == resource.RLIM_INFINITY else min(wanted, ceiling)
        resource.setrlimit(kind, (value, value))
