"""nbgrader's feedback without what students are not to see."""

from __future__ import annotations

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
        hide = ClearHiddenTests(parent=self)
        hidden_before = False
        for cell in nb.cells:
            hidden_before |= hide.begin_test_delimeter in cell.source
            if cell.cell_type == "code" and hidden_before:
                cell.outputs = _replace_outputs(cell)
        for preprocessor in (hide, ClearMarkScheme(parent=self)):
            nb, resources = preprocessor.preprocess(nb, resources)
        return nb, resources


def _replace_outputs(cell: Any) -> list[Any]:
    """Return a fixed sentence in the place of what a cell showed; nothing where it showed
    nothing.
    """
    if not utils.is_grade(cell):
        return []
    failed = any(output.output_type == "error" for output in cell.outputs)
    sentence = FAILED if failed else PASSED
    return [type(cell)(output_type="stream", name="stdout", text=sentence)]
