"""The small read-only root directory in which jailed processes live: what Python needs, and nothing
of the project.
"""

from __future__ import annotations

import os
import site
import stat
import sys
from pathlib import Path

from autograder.jail import lockdown

SYSTEM = (
    *("/bin", "/lib", "/lib32", "/lib64"),
    *("/usr/bin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib"),
    *("/usr/share/fonts", "/usr/share/zoneinfo", "/usr/share/locale", "/usr/share/terminfo"),
    *("/etc/fonts", "/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime"),
)
OF_AN_INSTALLATION = ("bin", "lib", "lib64", "pyvenv.cfg")
DEVICES = ("null", "zero", "full", "random", "urandom")
SCRATCH = "/jail"
FILES = {
    "/etc/passwd": "student:x:1000:1000::/jail/home:/bin/sh\n",
    "/etc/group": "student:x:1000:\n",
    "/etc/hosts": "127.0.0.1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
LINKS = {
    "/tmp": f"{SCRATCH}/tmp",
    "/dev/shm": f"{SCRATCH}/shm",
    "/dev/fd": "/proc/self/fd",
    "/dev/stdin": "/proc/self/fd/0",
    "/dev/stdout": "/proc/self/fd/1",
    "/dev/stderr": "/proc/self/fd/2",
}


def list_needed_paths() -> tuple[str, ...]:
    """Return the paths that Python, its packages and a shell need, the outer before the inner."""
    prefixes = (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)
    paths = set(map(Path, (*SYSTEM, *site.getsitepackages())))
    if site.ENABLE_USER_SITE:
        paths.add(Path(site.getusersitepackages()))
    for prefix in map(Path, prefixes):
        # Under both names: a virtual environment points to one that may be a symbolic link.
        for installation in (prefix, prefix.resolve()):
            paths.update(map(installation.joinpath, OF_AN_INSTALLATION))
    present = sorted(filter(os.path.lexists, paths))
    return tuple(str(path) for path in present if not _is_below_another(path, present))


def _is_below_another(path: Path, others: list[Path]) -> bool:
    return any(other in path.parents and not other.is_symlink() for other in others)


def find_closed_folder() -> str | None:
    """Return a directory on the way to Python that ordinary users cannot enter, None if there is
    none.
    """
    for installation in (Path(sys.prefix), Path(sys.base_prefix).resolve()):
        for directory in (*reversed(installation.parents), installation):
            if not directory.stat().st_mode & stat.S_IXOTH:
                return str(directory)
    return None


def build_root(base: str, paths: tuple[str, ...]) -> None:
    """Build the root on the directory `base` of this process's own mount namespace.

    It is a small tmpfs with read-only views of `paths`, an empty place for the scratch directory,
    and /proc left for the caller to mount.

    Raises
    ------
    OSError
        If a mount is not permitted.
    """
    lockdown.mount("", "/", None, lockdown.MS_REC | lockdown.MS_PRIVATE)
    lockdown.mount(
        "tmpfs", base, "tmpfs", lockdown.MS_NOSUID | lockdown.MS_NODEV, "size=4m,mode=755"
    )
    # Whoever the jailed process becomes, it must be able to walk through.
    os.umask(0o022)
    for path in paths:
        _show(path, base)
    for directory in ("/proc", "/dev", "/etc", SCRATCH):
        Path(base + directory).mkdir(exist_ok=True)
    for device in DEVICES:
        Path(f"{base}/dev/{device}").touch()
        lockdown.mount(f"/dev/{device}", f"{base}/dev/{device}", None, lockdown.MS_BIND)
    for name, target in LINKS.items():
        # It is there already where Python itself is installed below /tmp.
        if not os.path.lexists(base + name):
            Path(base + name).symlink_to(target)
    for name, content in FILES.items():
        Path(base + name).write_text(content, "utf-8")


def _show(path: str, base: str) -> None:
    """Make a path of the machine visible, read-only, below `base`."""
    shown = Path(base + path)
    shown.parent.mkdir(parents=True, exist_ok=True)
    source = Path(path)
    if source.is_symlink():
        # As a link: what it leads to is shown where it really is.
        shown.symlink_to(source.readlink())
        return
    if source.is_dir():
        shown.mkdir(exist_ok=True)
    else:
        shown.touch()
    lockdown.mount(path, str(shown), None, lockdown.MS_BIND | lockdown.MS_REC)
    lockdown.make_read_only(str(shown), recursive=True)
