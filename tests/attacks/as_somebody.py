"""Run a program as somebody else: `python as_somebody.py (USER_ID | container) CLONE SCRATCH PROGRAM …`, as root.

Where Python, the clone or the scratch directory is in a directory of root's alone, the program runs in a mount
namespace of its own that shows these, and nothing else of that directory, to everybody; nothing of the machine is
changed. `container` is root as in a container engine's default: a few capabilities, none of them for namespaces, and
Docker's system call filter.
"""

from __future__ import annotations

import os
import stat
import struct
import sys
from pathlib import Path

from autograder.jail import lockdown, seccomp

DOCKERS_CAPABILITIES = (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31)


def main(somebody: str, clone: str, scratch: str, *program: str) -> None:
    """Become somebody and start the program."""
    os.umask(0o022)
    lockdown.unshare(lockdown.CLONE_NEWNS)
    lockdown.mount("", "/", None, lockdown.MS_REC | lockdown.MS_PRIVATE)
    show(*(Path(place).resolve() for place in (sys.base_prefix, sys.prefix, clone, scratch)))
    os.environ.update(HOME="/tmp", PYTHONDONTWRITEBYTECODE="1")
    if somebody == "container":
        contain()
    else:
        lockdown.become_user(int(somebody))
    os.execv(program[0], program)


def show(*places: Path) -> None:
    """Let everybody into some directories, by mounting an empty one over each that keeps them out."""
    pieces = {
        piece for place in places for piece in ([place] if is_open(place) else place.iterdir())
    }
    hidden = {piece: closed for piece in pieces if (closed := outermost_closed(piece))}
    themselves = {piece: os.open(piece, os.O_PATH) for piece in sorted(hidden)}
    for closed in set(hidden.values()):
        lockdown.mount("tmpfs", str(closed), "tmpfs", 0, "mode=755")
    for piece, itself in themselves.items():
        if not piece.exists():
            make_like(piece, itself)
            lockdown.mount(
                f"/proc/self/fd/{itself}", str(piece), None, lockdown.MS_BIND | lockdown.MS_REC
            )
        os.close(itself)


def is_open(directory: Path) -> bool:
    return bool(directory.stat().st_mode & 1)


def outermost_closed(piece: Path) -> Path | None:
    """Return the outermost directory above that not everybody can enter."""
    return next((parent for parent in reversed(piece.parents) if not is_open(parent)), None)


def make_like(piece: Path, itself: int) -> None:
    """Make what something can be mounted over: a directory, or a file."""
    if stat.S_ISDIR(os.fstat(itself).st_mode):
        piece.mkdir(parents=True)
    else:
        piece.parent.mkdir(parents=True, exist_ok=True)
        piece.touch()


def contain() -> None:
    """Give up what a container engine takes from root by default."""
    seccomp.install_filter(dockers_filter())  # first: it takes a right that goes away below
    for capability in set(range(41)) - set(DOCKERS_CAPABILITIES):
        lockdown.prctl(lockdown.PR_CAPBSET_DROP, capability)
    kept = sum(1 << capability for capability in DOCKERS_CAPABILITIES)
    header = struct.pack("Ii", lockdown.CAPABILITY_VERSION_3, 0)
    result = lockdown.call_system(
        lockdown.NR_CAPSET, header, struct.pack("6I", kept, kept, 0, 0, 0, 0)
    )
    lockdown.check_result(result, "giving up capabilities")


def dockers_filter() -> bytes:
    """Compile Docker's default profile, as far as it matters here."""
    import errno
    import tempfile

    import pyseccomp

    rules = pyseccomp.SyscallFilter(defaction=pyseccomp.ERRNO(errno.EPERM))
    for name in {
        *seccomp.read_call_table()["docker_allows"],
        "ptrace",
        "process_vm_readv",
        "process_vm_writev",
    }:
        number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
        if number >= 0:
            rules.add_rule(pyseccomp.ALLOW, number)
    no_namespaces = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, seccomp.NEW_NAMESPACES, 0)
    rules.add_rule(pyseccomp.ALLOW, "clone", no_namespaces)
    rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    for persona in (0, 8, 0x20000, 0x20008, 0xFFFFFFFF):
        rules.add_rule(pyseccomp.ALLOW, "personality", pyseccomp.Arg(0, pyseccomp.EQ, persona))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
