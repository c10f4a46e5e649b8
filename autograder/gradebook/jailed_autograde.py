"""Plain `nbgrader autograde`, and the formgrader's button, with students' code in a jail: for any
nbgrader course.

One line in `nbgrader_config.py` is all it takes:

    import autograder.gradebook.jailed_autograde as jailed; jailed.use_jails(c)

nbgrader does everything else as before: it finds submissions, restores the tests, reads scores from
the outputs of their cells, and keeps its gradebook. Only the step that runs the cells is another one.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.preprocessors import Execute, GetGrades
from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from autograder.course.errors import UsageError
from autograder.gradebook.hardened_tests import list_code_cells
from autograder.gradebook.jailed_runs import JailedRuns
from autograder.gradebook.safe_feedback import HideHiddenTests


def use_jails(c: Config) -> None:
    """Make nbgrader run students' code in jails, and keep hidden tests out of the feedback it
    writes.

    Steps that the course has set itself stay, if they were set before.
    """
    steps = _read_list(c.Autograde, Autograde, "autograde_preprocessors")
    c.Autograde.autograde_preprocessors = _replace_execution(steps)
    shown = _read_list(c.GenerateFeedback, GenerateFeedback, "preprocessors")
    # Behind the grades and before all that writes: nothing of the course's own sees hidden tests.
    place = shown.index(GetGrades) + 1 if GetGrades in shown else 0
    shown.insert(place, HideHiddenTests)
    c.GenerateFeedback.preprocessors = shown


def _read_list(section: Config, kind: type, name: str) -> list[Any]:
    """Return what an option of nbgrader's would be without us."""
    default: list[Any] = list(getattr(kind, name).default())
    chosen = section.get(name, default)
    if isinstance(chosen, LazyConfigValue):  # of `c.Autograde.….append(…)`
        return list(chosen.get_value(default))
    return list(chosen)


def _replace_execution(steps: Sequence[Any]) -> list[Any]:
    """Return nbgrader's steps with students' code run in jails where it was run before."""
    replaced: list[Any] = []
    for step in steps:
        name = step if isinstance(step, str) else step.__name__
        replaced.append(JailedExecute if name.rpartition(".")[2] == Execute.__name__ else step)
    return replaced


class JailedExecute(Execute):  # type: ignore[misc]
    """nbgrader's `Execute`, which runs a notebook in a jail; `c.Execute.timeout` is the time of a
    cell, as there.
    """

    def preprocess(
        self, nb: Any, resources: dict[str, Any], km: Any = None
    ) -> tuple[Any, dict[str, Any]]:
        """Run the cells, and put what they gave into the notebook."""
        refuse_other_languages(nb, resources["nbgrader"]["notebook"])
        converter = _find_converter(self)
        runs = _open_runs(converter)
        entry = resources["nbgrader"]
        ran = runs.run(entry["student"], entry["assignment"], entry["notebook"], nb, self.timeout)
        if ran.ended:
            self.log.warning("%s: the kernel ended: %s", entry["student"], ran.ended)
        pairs = zip(list_code_cells(nb), ran.outputs, strict=True)
        for number, (cell, outputs) in enumerate(pairs, start=1):
            cell.execution_count = number if cell.source.strip() else None
            cell.outputs = []
            for output in outputs:
                if output["output_type"] == "execute_result":
                    output["execution_count"] = number
                cell.outputs.append(type(nb)(output))
        return nb, resources


def refuse_other_languages(nb: Any, notebook: str) -> None:
    """Refuse a notebook that is not Python's: run as Python, it would get everybody nothing.

    Raises
    ------
    UsageError
        Naming the language, which nbgrader has set to that of the course's own notebook.
    """
    language = str(nb.metadata.get("kernelspec", {}).get("language") or "python")
    if language.lower() not in {"python", "python3", "ipython"}:
        raise UsageError(
            f"{notebook}: a notebook of {language}; the jail runs Python. Grade this assignment "
            "without the line that calls use_jails, on a machine that may run students' code"
        )


def _find_converter(preprocessor: Any) -> Autograde:
    """Return the converter that a preprocessor works for: the parent of its exporter."""
    found = preprocessor
    while found is not None and not isinstance(found, Autograde):
        found = found.parent
    if found is None:
        raise TypeError("JailedExecute runs within nbgrader autograde only")
    return found


def _open_runs(converter: Autograde) -> JailedRuns:
    """Return the runs of a converter, which end with it."""
    runs: JailedRuns | None = vars(converter).get("jailed_runs")
    if runs is None:
        runs = JailedRuns(converter)
        # On the converter: in the formgrader's process many follow each other, and each has its own
        # submissions to come to.
        vars(converter)["jailed_runs"] = runs
        weakref.finalize(converter, runs.close)
    return runs
