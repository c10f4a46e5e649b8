"""The command line: `main` runs it. Each module beside this one adds its commands to the application."""

from __future__ import annotations

from autograder.cli import action_commands as actions
from autograder.cli import audit_command as audit
from autograder.cli import demo_command as demo
from autograder.cli import export_command as export
from autograder.cli import grading_commands as grading
from autograder.cli import publishing_commands as publishing
from autograder.cli import student_commands as student
from autograder.cli import verify_command as verify
from autograder.cli.application import run_app as main

__all__ = ["actions", "audit", "demo", "export", "grading", "main", "publishing", "student", "verify"]
