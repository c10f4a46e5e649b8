"""nbgrader's options for the markers in source notebooks, spelt as it spells them."""

from __future__ import annotations

from pathlib import Path

from traitlets.config.loader import Config, PyFileConfigLoader

from autograder.course.errors import ConfigError
from autograder.course.source_markers import NBGRADERS, Markers

NBGRADER_FILE = "nbgrader_config.py"
# Of its options, those that say what begins and ends what students do not get.
SECTIONS = ("ClearSolutions", "ClearHiddenTests", "ClearMarkScheme")


def read_marker_options(path: Path, config: Config) -> Markers:
    """Return what nbgrader's own options say of the markers in source notebooks.

    Parameters
    ----------
    path : Path
        The course's configuration. Where it names no marker, `nbgrader_config.py` beside it may.
    config : Config
        What stands in it.

    Raises
    ------
    ConfigError
        If `nbgrader_config.py` is asked and fails.
    """
    if not any(section in config for section in SECTIONS):
        config = _nbgraders_own(path.with_name(NBGRADER_FILE)) or config
    solutions = config.ClearSolutions
    tests = config.ClearHiddenTests
    schemes = config.ClearMarkScheme
    known = NBGRADERS
    # nbgrader's option has a stub for each language; only Python is graded here.
    code_stub = dict(solutions.get("code_stub", {})).get("python")
    text_stub = solutions.get("text_stub")
    return Markers(
        solution=(
            str(solutions.get("begin_solution_delimeter", known.solution[0])),
            str(solutions.get("end_solution_delimeter", known.solution[1])),
        ),
        hidden_tests=(
            str(tests.get("begin_test_delimeter", known.hidden_tests[0])),
            str(tests.get("end_test_delimeter", known.hidden_tests[1])),
        ),
        mark_scheme=(
            str(schemes.get("begin_mark_scheme_delimeter", known.mark_scheme[0])),
            str(schemes.get("end_mark_scheme_delimeter", known.mark_scheme[1])),
        ),
        # nbgrader's own stay: what was released before the option was set has them.
        code_stubs=_with_first(code_stub, known.code_stubs),
        text_stubs=_with_first(text_stub, known.text_stubs),
    )


def _nbgraders_own(path: Path) -> Config | None:
    """Return nbgrader's own configuration where it says something of markers."""
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    # Not run for nothing: it may import nbgrader, for which every command would wait a second.
    if not any(section in text for section in SECTIONS):
        return None
    try:
        return PyFileConfigLoader(path.name, path=str(path.parent)).load_config()
    # The file is a program, and may raise whatever it likes.
    except Exception as error:
        raise ConfigError(f"{path}: {type(error).__name__}: {error}") from None


def _with_first(stub: object, others: tuple[str, ...]) -> tuple[str, ...]:
    return (
        (stub, *(other for other in others if other != stub)) if isinstance(stub, str) else others
    )
