"""The class at a glance, for instructors only: who needs something, what was not understood, which
tests look wrong.

Pure functions of standings and records; what is written is for the machine it is written on.
"""

from __future__ import annotations

from autograder.overview.class_overview import ClassOverview, make_overview
from autograder.overview.overview_site import write_overview

__all__ = ["ClassOverview", "make_overview", "write_overview"]
