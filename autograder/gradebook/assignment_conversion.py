"""Source notebooks converted by nbgrader itself: into the notebook that students get, and into the
gradebook.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config.loader import Config, PyFileConfigLoader

from autograder.course.configuration import CONFIG_FILE, Course
from autograder.course.errors import ReleaseError
from autograder.course.exam import read_files_beside
from autograder.course.names import name_assignment, name_notebook
from autograder.course.temporary_folders import temporary_folder
from autograder.gradebook.gradebook_database import put_tools_on_path


def enter_assignment(course: Course, assignment: str) -> None:
    """Enter an assignment into the gradebook as its source is now, with all its notebooks.

    Raises
    ------
    ReleaseError
        If nbgrader cannot convert it, or refuses because of what was handed in; see
        `gradebook.clear_outdated_exam`.
    """
    with temporary_folder("entered") as folder:
        convert_assignment(course, assignment, folder, enter=True)


def convert_assignment(course: Course, assignment: str, folder: Path, *, enter: bool) -> Path:
    """Run nbgrader's generate_assignment into a folder, and into the gradebook too where `enter`
    says so.

    Where an assignment has several notebooks, `assignment` names one of them. All are entered
    together, as nbgrader takes away what is not there; else only that one is converted, so that
    another one's trouble is not its own.

    Returns
    -------
    Path
        The converted notebook.

    Raises
    ------
    ReleaseError
        If nbgrader cannot convert the source.
    """
    config = nbgrader_config(course)
    config.CourseDirectory.root = str(course.root)
    siblings = course.list_notebooks().get(name_assignment(assignment), ())
    names = [entry.name for entry in siblings] if enter else [assignment]
    config.CourseDirectory.source_directory = str(_stage_source(course, names, folder))
    config.CourseDirectory.release_directory = str(folder / "release")
    config.CourseDirectory.db_url = course.database
    if not enter:  # what its option --no-db means
        config.GenerateAssignment.no_database = True
        config.SaveCells.enabled = False
    config.CourseDirectory.assignment_id = name_assignment(assignment)
    # nbgrader prints what it does, with tracebacks; of all that a person needs one line.
    log = logging.getLogger("autograder.nbgrader")
    said = _FirstError()
    log.propagate = False
    log.handlers = [said]
    coursedir = CourseDirectory(config=config, log=log)
    converter = GenerateAssignment(coursedir=coursedir, config=config, log=log)
    put_tools_on_path()
    try:
        converter.start()
    except (Exception, SystemExit) as error:  # it ends the program where a notebook fails
        reason = said.last or str(error)
        raise ReleaseError(
            f"{course.source_path(assignment)}: nbgrader could not convert it: {reason}"
        ) from error
    made = folder / "release" / "." / name_assignment(assignment)
    return made / f"{name_notebook(assignment)}.ipynb"


def _stage_source(course: Course, names: Sequence[str], folder: Path) -> Path:
    """Return a folder of sources with these notebooks of an assignment and the files beside them.

    That is the course's own, unless the assignment has several: what else lies there is none of it.
    """
    if names == [name_assignment(names[0])]:
        return course.sources
    staged = folder / "source" / name_assignment(names[0])
    files = read_files_beside(course.source_path(names[0]).parent)
    for name in names:
        source = course.source_path(name)
        files[source.name] = source.read_bytes()
    for place, content in files.items():
        path = staged / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return staged.parent


# Between what nbgrader has to say of a cell and the whole of it
WRONG_CELL = "Cell contents are:"


class _FirstError(logging.Handler):
    """Keeps the reason of what nbgrader logs first as an error: it stands behind a traceback, or
    before the cell that is wrong.
    """

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.ERROR or self.last:
            return
        # The first one with a traceback: what follows only says that there was one.
        reason, with_cell, cell = record.getMessage().strip().partition(WRONG_CELL)
        if with_cell:
            begin = cell.strip().splitlines()[0] if cell.strip() else ""
            self.last = f"{reason.strip(' .;')}, in the cell that begins with: {begin}"
            return
        lines = reason.splitlines()
        if len(lines) > 1:
            self.last = lines[-1].strip()


def nbgrader_config(course: Course) -> Config:
    """Return the course's configuration as nbgrader reads it."""
    config: Config = PyFileConfigLoader(CONFIG_FILE, path=str(course.root)).load_config()
    return config
