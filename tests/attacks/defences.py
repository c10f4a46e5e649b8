"""One attack for each thing that stops attacks: these are run on every rung and as every user, the others once.

The keys are the rows of docs/security.md. Within a row there is an attack for each thing its middle column names, since
what stops the attack changes with the rung there, and with the user.
"""

from __future__ import annotations

ON_EVERY_RUNG: dict[str, tuple[str, ...]] = {
    "read tests, solutions, the record, the roster": (
        "hidden tests by their path",
        "hidden tests through /proc/self/root",
        "the repository",
    ),
    "read secrets of the grader": (
        "the grader's environment",
        "secrets in its own environment",
        "files that were left open",
        "the parent's memory",
    ),
    "see a hidden test while it runs": ("walking the frames",),
    "make a hidden test accept a wrong answer": (
        "an object equal to everything",
        "changed builtins",
    ),
    "deceive or hang the grader over the wire": (
        "the protocol: a pickle",
        "the protocol: false lengths",
    ),
    "reach the network, or a local service such as Docker's": (
        "TCP",
        "a local socket such as docker.sock",
        "an abstract local socket",
        "a socket through io_uring",
        "a socket through the 32-bit door",
    ),
    "signal, trace or slow down other processes": (
        "signals to everybody",
        "signals through a pipe",
        "tracing the parent",
        "limits of the grader",
    ),
    "read or change another notebook": (
        "another notebook's files",
        "another notebook's files by looking around",
    ),
    "gain rights": ("becoming root", "capabilities", "a set-uid program of its own"),
    "make namespaces or mounts": (
        "a user namespace",
        "a namespace by clone3",
        "writable again",
        "another root",
    ),
    "use rarely tested parts of the kernel": ("a key", "BPF", "a memfd"),
    "change files outside": (
        "writing into site-packages",
        "emptying a file of the grader",
        "modes of the grader's files",
        "how the kernel dumps cores",
    ),
    "use up the memory": (
        "memory",
        "memory of many processes",
        "shared memory of many processes",
        "files as memory",
    ),
    "use up processes, files, disk": (
        "a fork bomb",
        "many threads",
        "a large file",
        "deleted files",
        "many files",
        "many open files",
    ),
    "run for ever": ("a cell that cannot be interrupted",),
    "stay when its time is over": (
        "a daemon",
        "a stopped process",
        "a directory that cannot be removed",
    ),
    "leave something for the next notebook": (
        "a file for the next notebook",
        "shared memory that stays",
    ),
}
