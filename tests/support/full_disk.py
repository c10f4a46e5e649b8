"""A course on a small file system, filled up but for some kilobytes: one run meets the end, the next goes on.

    python tests/support/full_disk.py FOLDER KILOBYTES

Prints as JSON what both runs said, and what is not as after an undisturbed one.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from campaign import World
from meeting import Meeting

COMMAND = ("run",)
BLOCK = 1 << 12


def fill(path: Path, kilobytes: int) -> None:
    """Fill the file system at a path, but for some kilobytes."""
    status = os.statvfs(path.parent)
    size = status.f_bavail * status.f_frsize - kilobytes * 1024
    with path.open("wb") as file:
        for _ in range(size // BLOCK):
            file.write(bytes(BLOCK))
        file.flush()


def main(folder: Path, kilobytes: int) -> None:
    """Run the course with and without room, and print what came of it."""
    calm = World.make(folder / "calm")
    undisturbed = calm.autograder(*COMMAND)
    assert undisturbed.returncode == 0, undisturbed.stderr
    wanted = calm.memory()
    world = World.make(folder / "world")
    filler = folder / "filler"
    fill(filler, kilobytes)
    full = world.autograder(*COMMAND)
    filler.unlink()
    again = world.autograder(*COMMAND)
    got = world.memory()
    differences = [
        f"{name}: {got[name]!r} instead of {wanted[name]!r}"
        for name in wanted
        if got[name] != wanted[name]
    ]
    differences += [f"left behind: {line}" for line in world.left_behind()]
    runs = {"full": full, "again": again}
    said = {
        name: {"code": done.returncode, "said": done.stderr[-3000:]} for name, done in runs.items()
    }
    print(json.dumps({**said, "differences": differences}, default=str))


if __name__ == "__main__":
    # Its warm `autograder` sees the small file system, that of the test run would not.
    meeting = Meeting()
    main(Path(sys.argv[1]), int(sys.argv[2]))
    meeting.end()
