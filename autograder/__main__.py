"""`python -m autograder` is the `autograder` command."""

from autograder.cli.entry_point import run_process

run_process()
