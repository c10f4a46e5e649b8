"""What a command does not load as it starts: nobody should wait for what nobody needs."""

from __future__ import annotations

import subprocess
import sys

LOADED = """
import sys
from autograder.cli.application import leave_out_grammars

leave_out_grammars()
import nbformat.v4

nbformat.validate(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]))
try:
    nbformat.validate({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "pie"}]})
except nbformat.ValidationError:
    print("refused")
print(*sorted(name for name in sys.modules if name.startswith("rfc3987")))
"""


def test_notebooks_are_validated_without_grammars_for_addresses() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["refused", "rfc3987_syntax"]  # the name stands for "not installed"


def test_help_loads_none_of_the_heavy_libraries() -> None:
    line = "import sys; sys.argv[1:] = ['--help']\nfrom autograder.cli import main\n"
    told = "try:\n    main()\nexcept SystemExit:\n    print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", line + told], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {"numpy", "matplotlib", "nbgrader", "nbformat", "IPython", "sqlalchemy", "sklearn"}
