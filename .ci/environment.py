"""Make the environment the Makefile's commands run in: `python3 environment.py FOLDER`.

Says before it starts what is missing, with the command that brings it, and while it works what it is doing. Any
Python 3 can run it, so that one that is too old is told, too.
"""

import ctypes.util
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

OLDEST = (3, 11)
NEWEST_TRIED = (3, 13)
LOCK = Path("requirements.lock")
SAY_EVERY = 15  # seconds
READY_MADE = ("x86_64", "aarch64", "arm64")  # processors for which all packages are there compiled
LAST_LINES = 40


def main(folder):
    """Make the environment in a folder; returns the exit code."""
    missing = list(what_is_missing())
    for what in missing:
        print(f"missing: {what}", file=sys.stderr)
    if missing:
        return 2
    say(f"1 of 3: an environment with Python {platform.python_version()} in {folder}/")
    made = subprocess.run([sys.executable, "-m", "venv", folder], check=False)
    if made.returncode:
        return made.returncode
    count = LOCK.read_text(encoding="utf-8").count("==")
    say(
        f"2 of 3: {count} packages from {LOCK}; this takes minutes the first time, less from pip's cache"
    )
    pip = [
        str(Path(folder, "bin", "python")),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
    ]
    failed = watched([*pip, "--progress-bar", "off", "-r", str(LOCK)])
    if failed:
        return failed
    say("3 of 3: this package itself")
    return watched([*pip, "--quiet", "--no-deps", "-e", "."])


def what_is_missing():
    """Yield what has to be there before anything is begun, each with the command that brings it."""
    python = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    if sys.version_info < OLDEST:
        yield f"Python {OLDEST[0]}.{OLDEST[1]} or newer, this is {python}; say which one: make PYTHON=python3.12 …"
        return
    if not all(map(importlib.util.find_spec, ("venv", "ensurepip"))):
        yield f"Python's venv module: {bring(python + '-venv')}"
    if shutil.which("git") is None:
        yield f"git: {bring('git')}"
    if sys.platform == "linux" and not can_be_loaded("libseccomp.so.2"):
        yield f"libseccomp, which the jail is made with: {bring('libseccomp2')}"
    if are_packages_compiled_for_this():
        return
    if shutil.which(os.environ.get("CC", "cc")) is None:
        yield f"a C compiler, since some packages are not there compiled for this machine: {bring('build-essential')}"
    if not Path(sysconfig.get_paths()["include"], "Python.h").exists():
        yield f"Python's headers, since some packages have to be compiled: {bring(python + '-dev')}"


def can_be_loaded(library):
    """Say whether the system has a library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def are_packages_compiled_for_this():
    """Say whether every package is there compiled for this processor, system and Python."""
    system = sys.platform == "darwin" or platform.libc_ver()[0] == "glibc"
    return system and platform.machine() in READY_MADE and sys.version_info[:2] <= NEWEST_TRIED


def bring(package):
    """Return the command that installs a package of the system."""
    return f"apt-get install {package} (or what your system calls it)"


def watched(pip):
    """Run pip and say now and then how far it is; when it fails, what it said. Returns its exit code."""
    lines, said = [], time.monotonic()
    with subprocess.Popen(
        pip, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace"
    ) as process:
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Installing collected packages"):
                say("   all found; unpacking them")
            elif time.monotonic() > said + SAY_EVERY:
                said = time.monotonic()
                found = len(
                    {entry.split()[1] for entry in lines if entry.startswith("Collecting ")}
                )
                say(f"   {found} found so far")
    if process.returncode:
        sys.stderr.writelines(lines[-LAST_LINES:])
    return process.returncode


def say(words):
    """Print at once."""
    print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
