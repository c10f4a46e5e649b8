"""The course a command works on: the one of `--config`, or of the folder we are in."""

from __future__ import annotations

from pathlib import Path

from autograder.classroom.classroom import Classroom
from autograder.course.configuration_file import find_config


def open_classroom(config: Path | None) -> Classroom:
    """Open the course of a configuration file, or of the folder we are in."""
    return Classroom.open(config or find_config(Path.cwd()))
