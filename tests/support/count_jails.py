"""How many jails, and warm processes to make them, a command starts, by the tests that start them.

    python tests/support/count_jails.py COMMAND …            e.g. make test
    python tests/support/count_jails.py --files COMMAND …    and by file

Whatever Python the command starts writes down each jail it orders: it finds a `sitecustomize` that wraps what orders
them. Processes with an environment of their own are not seen.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

VARIABLE = "AUTOGRADER_JAILS_COUNTED"
LISTENER = """\
import functools, importlib.abc, importlib.util, os, sys

NAME = "autograder.jail.keeper"


def noting(kind, function):
    @functools.wraps(function)
    def noted(*arguments, **named):
        test = os.environ.get("PYTEST_CURRENT_TEST", "no test").partition(" (")[0]
        # Somebody who becomes a command with an environment of its own is not counted any more.
        with open(os.environ.get("AUTOGRADER_JAILS_COUNTED", os.devnull), "a") as file:
            file.write(f"{kind} {test}\\n")
        return function(*arguments, **named)
    return noted


class Listener(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name != NAME:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            module.Keeper.spawn = noting("jail", module.Keeper.spawn)
            module.Keeper.__init__ = noting("zygote", module.Keeper.__init__)

        spec.loader.exec_module = exec_module
        return spec


if os.environ.get("AUTOGRADER_JAILS_COUNTED"):
    sys.meta_path.insert(0, Listener())
"""


def main(*words: str) -> int:
    """Run a command and print what it started; returns its exit code."""
    by_file = words[:1] == ("--files",)
    command = words[1:] if by_file else words
    with tempfile.TemporaryDirectory(prefix="counting-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "sitecustomize.py").write_text(LISTENER)
        counted = folder / "counted"
        counted.touch()
        counted.chmod(0o666)  # some tests become other users
        paths = [name, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {"PYTHONPATH": os.pathsep.join(paths), VARIABLE: str(counted)}
        code = subprocess.run(command, env=os.environ | environment, check=False).returncode
        lines = counted.read_text().splitlines()
    kinds = Counter(line.split()[0] for line in lines)
    print(f"{kinds['jail']} jails were started by {kinds['zygote']} warm processes")
    files = Counter(line.split()[1].partition("::")[0] for line in lines if line.startswith("jail"))
    for file, count in files.most_common() if by_file else ():
        print(f"{count:6} {file}")
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
