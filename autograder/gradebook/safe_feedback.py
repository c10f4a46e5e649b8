"""nbgrader's feedback without what students are not to see."""

from __future__ import annotations

import logging
from typing import Any

from nbgrader import utils
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, NbGraderPreprocessor

PASSED = "This cell ran without an error."
FAILED = "This test failed."


class HideHiddenTests(NbGraderPreprocessor):  # type: ignore[misc]
    """Takes hidden tests and mark schemes out of the feedback, and every output in which they could
    be read.

    A student's function can find out who calls it; so what any cell printed after a hidden test may
    hold that test's text.
    """

    def preprocess(self, nb: Any, resources: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Hide them."""
        # Silent: as parts of another step they would warn of an option that is not theirs.
        silent = make_silent_log("autograder.feedback")
        hide = ClearHiddenTests(parent=self, log=silent)
        hidden_before = False
        for cell in nb.cells:
            hidden_before |= hide.begin_test_delimeter in cell.source
            if cell.cell_type == "code" and hidden_before:
                cell.outputs = _replace_outputs(cell)
        for preprocessor in (hide, ClearMarkScheme(parent=self, log=silent)):
            nb, resources = preprocessor.preprocess(nb, resources)
        return nb, resources


def make_silent_log(name: str) -> logging.Logger:
    """Return a log that nobody reads."""
    log = logging.getLogger(name)
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    return log


def _replace_outputs(cell: Any) -> list[Any]:
    """Return a fixed sentence in the place of what a cell showed; nothing where it showed
    nothing.
    """
    if not utils.is_grade(cell):
        return []
    failed = any(output.output_type == "error" for output in cell.outputs)
    sentence = FAILED if failed else PASSED
    return [type(cell)(output_type="stream", name="stdout", text=sentence)]
