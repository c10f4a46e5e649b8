"""Running students' code where it can do no harm: see docs/security.md for what that means."""

from autograder.course.errors import JailFailed, NoJail
from autograder.course.limits import Limits
from autograder.jail.keeper import Jailed
from autograder.jail.launch import Jail
from autograder.jail.rungs import RungReport, try_rungs

__all__ = ["Jail", "JailFailed", "Jailed", "Limits", "NoJail", "RungReport", "try_rungs"]
