"""nbgrader looks for this name; the configuration itself is grading_config.py."""

load_subconfig("grading_config.py")  # noqa: F821
