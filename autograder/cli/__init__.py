"""The command line: `main` runs it. Each module beside this one adds its commands to the application."""

from __future__ import annotations

from autograder.cli import actions, audit, demo, export, grading, publishing, student, verify
from autograder.cli.frame import run_app as main

__all__ = ["actions", "audit", "demo", "export", "grading", "main", "publishing", "student", "verify"]
