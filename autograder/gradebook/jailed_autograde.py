"""Plain `nbgrader autograde`, and the formgrader's button, with students' code in a jail: for any
nbgrader course.

One line in `nbgrader_config.py` is all it takes:

    import autograder.gradebook.jailed_autograde as jailed; jailed.use_jails(c)

nbgrader does everything else as before: it finds submissions, restores the tests, reads scores from the outputs of
their cells, and keeps its gradebook. Only the step that runs the cells is another one, and the notebooks of the
students who come next are run meanwhile, one for each core.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import weakref
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.preprocessors import ClearMetadataPreprocessor, CSSHTMLHeaderPreprocessor
from nbgrader import utils
from nbgrader.converters import Autograde
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    Execute,
    GetGrades,
    IgnorePattern,
    LimitOutput,
    NbGraderPreprocessor,
    SaveAutoGrades,
)
from traitlets.config import Config

from autograder.course.limits import Limits
from autograder.gradebook.jailed_cells import CellsToRun, RanNotebook, run_cells, run_cells_here
from autograder.grading.worker_pool import open_workers
from autograder.jail import Jail

AHEAD = (
    2  # notebooks that are run in advance for each grading process, so that none waits for nbgrader
)
MAX_FILES_BYTES = (
    32 << 20
)  # of the files beside a notebook; they have to fit into the jail's own folder
PASSED = "This cell ran without an error."
FAILED = "This test failed."


def use_jails(c: Config) -> None:
    """Make nbgrader run students' code in jails, and keep hidden tests out of the feedback it
    writes.
    """
    c.Autograde.autograde_preprocessors = [
        JailedExecute,
        IgnorePattern,
        ClearMetadataPreprocessor,
        LimitOutput,
        SaveAutoGrades,
        AssignLatePenalties,
        CheckCellMetadata,
    ]
    c.GenerateFeedback.preprocessors = [GetGrades, HideHiddenTests, CSSHTMLHeaderPreprocessor]


class JailedExecute(Execute):  # type: ignore[misc]
    """nbgrader's `Execute`, which runs a notebook in a jail; `c.Execute.timeout` is the time of a
    cell, as there.
    """

    def preprocess(
        self, nb: Any, resources: dict[str, Any], km: Any = None
    ) -> tuple[Any, dict[str, Any]]:
        """Run the cells, and put what they gave into the notebook."""
        converter = _find_converter(self)
        runs = _open_runs(converter)
        entry = resources["nbgrader"]
        ran = runs.run(entry["student"], entry["assignment"], entry["notebook"], nb, self.timeout)
        if ran.ended:
            self.log.warning("%s: the kernel ended: %s", entry["student"], ran.ended)
        cells = [cell for cell in nb.cells if cell.cell_type == "code"]
        for number, (cell, outputs) in enumerate(zip(cells, ran.outputs, strict=True), start=1):
            cell.outputs = [type(nb)(output) for output in outputs]
            cell.execution_count = number if cell.source.strip() else None
        return nb, resources


class HideHiddenTests(NbGraderPreprocessor):  # type: ignore[misc]
    """Takes hidden tests and mark schemes out of the feedback, and every output in which they could
    be read.

    A student's function knows who calls it; so what any cell printed after a hidden test may hold that test's text.
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


class JailedRuns:
    """The runs of one `nbgrader autograde`: a jail, and grading processes where there is more than
    one notebook.

    Parameters
    ----------
    converter : nbgrader.converters.Autograde
        Which submissions it will come to, and in which order, is read from it.
    """

    def __init__(self, converter: Autograde) -> None:
        self._closing = ExitStack()
        self._jail = self._closing.enter_context(Jail(Limits()))
        self._coming = list(_list_submissions(converter))
        self._pool: Executor | None = None
        self._ahead: dict[str, Future[RanNotebook]] = {}
        # The converter changes what it reads and writes while it works; what is looked ahead at
        # needs its first look.
        self._look = _LookAhead(converter)
        self._processes = min(os.cpu_count() or 1, len(self._coming))
        if self._processes > 1:
            self._pool = self._closing.enter_context(open_workers(self._processes, self._jail, {}))

    def close(self) -> None:
        """End everything that runs."""
        self._closing.close()

    def run(
        self, student: str, assignment: str, notebook: str, nb: Any, seconds: float | None
    ) -> RanNotebook:
        """Return what running a notebook gives; it was run in advance, if it is what was
        expected.
        """
        wanted = self._look.cells_of(student, assignment, nb, seconds)
        if self._pool is None:
            return run_cells(self._jail, wanted)
        key = _name(wanted)
        if key not in self._ahead:
            self._ahead[key] = self._pool.submit(run_cells_here, wanted)
        self._drop(student, assignment, notebook)
        self._send_ahead(seconds)
        return self._ahead.pop(key).result()

    def _drop(self, student: str, assignment: str, notebook: str) -> None:
        here = (student, assignment, notebook)
        self._coming = [entry for entry in self._coming if entry[:3] != here]

    def _send_ahead(self, seconds: float | None) -> None:
        """Keep the processes busy with what comes next."""
        while (
            self._pool is not None and self._coming and len(self._ahead) <= AHEAD * self._processes
        ):
            student, assignment, notebook, path = self._coming.pop(0)
            nb = self._look.sanitize(student, assignment, notebook, path)
            if nb is None:
                continue  # nbgrader will say what is wrong with it
            wanted = self._look.cells_of(student, assignment, nb, seconds)
            key = _name(wanted)
            if key not in self._ahead:
                self._ahead[key] = self._pool.submit(run_cells_here, wanted)


class _LookAhead:
    """What nbgrader will make of a submission before it runs it: the same steps, nothing
    written.
    """

    def __init__(self, converter: Autograde) -> None:
        self._converter = weakref.proxy(converter)
        self._exporter = type(converter.exporter)(parent=converter, config=converter.config)
        for preprocessor in converter.sanitize_preprocessors:
            self._exporter.register_preprocessor(preprocessor)

    def sanitize(self, student: str, assignment: str, notebook: str, path: str) -> Any:
        """Return a submitted notebook as nbgrader will run it, None where it cannot be read."""
        about = {
            "student": student,
            "assignment": assignment,
            "notebook": notebook,
            "db_url": self._converter.coursedir.db_url,
        }
        try:
            text, _ = self._exporter.from_filename(
                path, resources={"unique_key": notebook, "nbgrader": about}
            )
            return nbformat.from_dict(json.loads(text))  # type: ignore[no-untyped-call]
        except Exception:
            return None

    def cells_of(self, student: str, assignment: str, nb: Any, seconds: float | None) -> CellsToRun:
        """Return the code of a notebook, with the files that will lie beside it."""
        sources = tuple(str(cell.source) for cell in nb.cells if cell.cell_type == "code")
        return CellsToRun(sources, self._files_of(student, assignment), seconds)

    def _files_of(self, student: str, assignment: str) -> Mapping[str, bytes]:
        """Return what the student handed in beside the notebooks, and the course's own files, which
        come first.
        """
        course = self._converter.coursedir
        own = self._converter.exclude_overwriting.get(assignment, [])
        files: dict[str, bytes] = {}
        left = MAX_FILES_BYTES
        for step, person in ((course.source_directory, "."), (course.submitted_directory, student)):
            folder = Path(course.format_path(step, person, assignment))
            for path in sorted(utils.find_all_files(str(folder), [*course.ignore, "*.ipynb"])):
                name = Path(path).relative_to(folder).as_posix()
                theirs = step == course.submitted_directory
                if (theirs and name in files) or (not theirs and name in own):
                    continue
                left -= Path(path).stat().st_size
                if left >= 0 and not Path(path).is_symlink():
                    files[name] = Path(path).read_bytes()
        return files


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
        vars(converter)["jailed_runs"] = runs
        weakref.finalize(converter, runs.close)
    return runs


def _list_submissions(converter: Autograde) -> Iterator[tuple[str, str, str, str]]:
    """Yield student, assignment, notebook and path of what the converter will come to, in its
    order.
    """
    course = converter.coursedir
    pattern = course.format_path(
        course.submitted_directory, "(?P<student_id>.*)", "(?P<assignment_id>.*)", escape=True
    )
    for folder in sorted(converter.assignments):
        found = re.match(pattern, folder)
        if found is None:
            continue
        student = found["student_id"]
        assignment = found["assignment_id"]
        graded = Path(course.format_path(course.autograded_directory, student, assignment))
        if graded.exists() and not converter.force:
            continue
        for path in sorted(converter.assignments[folder]):
            yield student, assignment, Path(path).stem, path


def _name(wanted: CellsToRun) -> str:
    """Return a name that two runs share only if they are the same."""
    digest = hashlib.sha256(json.dumps([wanted.sources, wanted.cell_seconds]).encode())
    for name, content in sorted(wanted.files.items()):
        digest.update(json.dumps([name, len(content)]).encode())
        digest.update(content)
    return digest.hexdigest()
