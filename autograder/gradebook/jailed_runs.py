"""The runs of one `nbgrader autograde`: in jails, several at once, and ahead of nbgrader.

nbgrader comes to one notebook after the other. What it will come to is known, so the notebooks of
the students who come next are run meanwhile, one for each core.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import weakref
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import utils
from nbgrader.converters import Autograde

from autograder.course.errors import AutograderError
from autograder.course.exam import Exam
from autograder.course.limits import Limits
from autograder.course.whole_files import write_whole
from autograder.gradebook.hardened_tests import (
    HardenedTests,
    find_plain_tests,
    list_code_cells,
    read_as_exam,
    read_course_names,
)
from autograder.gradebook.jailed_cells import (
    CellsToRun,
    CourseNames,
    RanNotebook,
    run_cells,
    run_cells_here,
)
from autograder.gradebook.safe_feedback import make_silent_log
from autograder.grader.needed_modules import list_needed_modules
from autograder.grading.worker_pool import open_workers
from autograder.jail import Jail

# Notebooks that are run in advance for each grading process, so that none waits for nbgrader.
AHEAD = 2
# Of the files beside a notebook: they have to fit into the jail's own folder.
MAX_FILES_BYTES = 32 << 20
# In the course's folder: which tests run as plain cells, by what was tried to find out.
TRIED_FILE = ".jailed_autograde.json"
MAX_TRIED = 200
NOT_HARDENED = (
    "%s, %s: the test runs as a plain cell, as under nbgrader: hardened it gives the course's own "
    "notebook other points"
)


@dataclass(frozen=True)
class ComingNotebook:
    """A submitted notebook that nbgrader will come to, and its file."""

    student: str
    assignment: str
    notebook: str
    path: str


class JailedRuns:
    """A jail, and grading processes where there is more than one notebook.

    Parameters
    ----------
    converter : nbgrader.converters.Autograde
        Which submissions it will come to, and in which order, is read from it.
    """

    def __init__(self, converter: Autograde) -> None:
        self._closing = ExitStack()
        self._coming = list(_list_coming(converter))
        self._pool: Executor | None = None
        self._ahead: dict[str, Future[RanNotebook]] = {}
        self._log = converter.log
        # The converter changes what it reads and writes while it works; what is looked ahead at
        # needs its first look.
        self._look = LookAhead(converter)
        self._root = Path(converter.coursedir.root)
        self._tests: dict[tuple[str, str], HardenedTests] = {}
        self._jail = self._closing.enter_context(Jail(Limits(), modules=self._list_modules()))
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
        wanted = self._want(student, assignment, notebook, nb, seconds)
        if self._pool is None:
            return run_cells(self._jail, wanted)
        key = name_run(wanted)
        if key not in self._ahead:
            self._ahead[key] = self._pool.submit(run_cells_here, wanted)
        self._drop(student, assignment, notebook)
        self._send_ahead(self._pool, seconds)
        return self._ahead.pop(key).result()

    def _list_modules(self) -> tuple[str, ...] | None:
        """Return the libraries that the course's own notebooks import; None where these are
        unknown.

        The formgrader's button grades one notebook: loading what it does not use took longer.
        """
        exams: list[Exam] = []
        for assignment, notebook in {(entry.assignment, entry.notebook) for entry in self._coming}:
            own = list(self._look.read_own_notebooks(assignment, notebook))
            if not own:
                return None
            exams += map(read_as_exam, own)
        return list_needed_modules(exams) if exams else None

    def _want(
        self, student: str, assignment: str, notebook: str, nb: Any, seconds: float | None
    ) -> CellsToRun:
        tests = self._tests.get((assignment, notebook))
        if tests is None:
            tests = self._try_tests(assignment, notebook, seconds)
            self._tests[assignment, notebook] = tests
        return tests.harden(self._look.cells_of(student, assignment, nb, seconds), nb)

    def _drop(self, student: str, assignment: str, notebook: str) -> None:
        left = []
        for entry in self._coming:
            if (entry.student, entry.assignment, entry.notebook) != (student, assignment, notebook):
                left.append(entry)
        self._coming = left

    def _send_ahead(self, pool: Executor, seconds: float | None) -> None:
        """Keep the processes busy with what comes next."""
        while self._coming and len(self._ahead) <= AHEAD * self._processes:
            entry = self._coming.pop(0)
            nb = self._look.sanitize(entry)
            if nb is None:
                continue  # nbgrader will say what is wrong with it
            wanted = self._want(entry.student, entry.assignment, entry.notebook, nb, seconds)
            key = name_run(wanted)
            if key not in self._ahead:
                self._ahead[key] = pool.submit(run_cells_here, wanted)

    def _try_tests(self, assignment: str, notebook: str, seconds: float | None) -> HardenedTests:
        """Find out which tests of a notebook run hardened, by the course's own notebooks."""
        names = CourseNames()
        notebooks = []
        for number, nb in enumerate(self._look.read_own_notebooks(assignment, notebook)):
            if number == 0:  # its source, where the course has one
                names = read_course_names(nb)
            notebooks.append((nb, self._look.cells_of(".", assignment, nb, seconds)))
        said = [[name_run(wanted) for _, wanted in notebooks], [names.imports, *names.free]]
        key = hashlib.sha256(json.dumps(said).encode()).hexdigest()
        tried = _read_tried(self._root)
        if key not in tried:
            tried[key] = sorted(find_plain_tests(self._run_all, names, notebooks))
            _write_tried(self._root, tried)
        for grade_id in tried[key]:
            self._log.warning(NOT_HARDENED, notebook, grade_id)
        return HardenedTests(names, frozenset(tried[key]))

    def _run_all(self, wanted: Sequence[CellsToRun]) -> Sequence[RanNotebook]:
        if self._pool is None:
            return [run_cells(self._jail, each) for each in wanted]
        return list(self._pool.map(run_cells_here, wanted))


class LookAhead:
    """What nbgrader will make of a submission before it runs it: the same steps, nothing
    written.
    """

    def __init__(self, converter: Autograde) -> None:
        self._converter = weakref.proxy(converter)
        self._exporter = type(converter.exporter)(parent=converter, config=converter.config)
        # Silent: nbgrader will say what it finds when it comes to the notebook itself.
        self._exporter.log = make_silent_log("autograder.look_ahead")
        for preprocessor in converter.sanitize_preprocessors:
            self._exporter.register_preprocessor(preprocessor)

    def sanitize(self, entry: ComingNotebook) -> Any:
        """Return a notebook as nbgrader will run it, None where it cannot be read."""
        about = {
            "student": entry.student,
            "assignment": entry.assignment,
            "notebook": entry.notebook,
            "db_url": self._converter.coursedir.db_url,
        }
        try:
            text, _ = self._exporter.from_filename(
                entry.path, resources={"unique_key": entry.notebook, "nbgrader": about}
            )
            return nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
        except Exception:  # whatever it is, nbgrader meets it again, and tells
            return None

    def read_own_notebooks(self, assignment: str, notebook: str) -> Iterator[Any]:
        """Yield the course's own notebook and the one that students get, as far as there are any,
        with the tests that nbgrader puts into a submission.
        """
        course = self._converter.coursedir
        for step in (course.source_directory, course.release_directory):
            folder = Path(course.root) / course.format_path(step, ".", assignment)
            path = folder / f"{notebook}.ipynb"
            if path.is_file():
                nb = self.sanitize(ComingNotebook(".", assignment, notebook, str(path)))
                if nb is not None:
                    yield nb

    def cells_of(self, student: str, assignment: str, nb: Any, seconds: float | None) -> CellsToRun:
        """Return the code of a notebook, with the files that will lie beside it."""
        sources = tuple(str(cell.source) for cell in list_code_cells(nb))
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
                # Followed, a link of a student's would bring a file of the instructor's into the
                # jail.
                left -= Path(path).lstat().st_size
                if left >= 0 and not Path(path).is_symlink():
                    files[name] = Path(path).read_bytes()
        return files


def _list_coming(converter: Autograde) -> Iterator[ComingNotebook]:
    """Yield what the converter will come to, in its order."""
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
            yield ComingNotebook(student, assignment, Path(path).stem, path)


def name_run(wanted: CellsToRun) -> str:
    """Return a name that two runs share only if they are the same."""
    names = wanted.names
    said: list[Any] = [wanted.sources, wanted.cell_seconds, sorted(wanted.hardened)]
    said += [names.imports, names.free, names.kept]
    digest = hashlib.sha256(json.dumps(said).encode())
    for name, content in sorted(wanted.files.items()):
        digest.update(json.dumps([name, len(content)]).encode())
        digest.update(content)
    return digest.hexdigest()


def _read_tried(root: Path) -> dict[str, list[str]]:
    """Return what was tried before; nothing where that cannot be read."""
    try:
        said = json.loads((root / TRIED_FILE).read_text(encoding="utf-8"))
        return {str(key): list(map(str, names)) for key, names in said.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _write_tried(root: Path, tried: Mapping[str, list[str]]) -> None:
    newest = dict(list(tried.items())[-MAX_TRIED:])
    with suppress(AutograderError, OSError):  # then it is tried again the next time
        write_whole(root / TRIED_FILE, json.dumps(newest, indent=1).encode(), "tried tests")
