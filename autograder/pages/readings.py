"""The course to read in a browser: executed demo notebooks and the text of released homework, kept
by their hash.

A reading is made once for each state of its notebook and kept in a folder beside the site, which is never committed.
Homework is only rendered; a demo is run from top to bottom, which takes its time and is done when somebody asks for it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course.configuration import Course
from autograder.course.errors import AutograderError, DiskFailed
from autograder.course.names import name_file

DEMOS = "demonotebooks"
FOLDER = "readings"
ABOUT = "reading.json"
BODY = "body.html"
# Raise it when the same notebook would give another page.
VERSION = 2
Prepare = Callable[[Path], dict[str, Any]]


class ReadingFailed(AutograderError):
    """A notebook that cannot be shown."""

    exit_code = 1


@dataclass(frozen=True)
class ReadingSource:
    """A notebook that can be read: what it is called, where it lies, whether it is run."""

    name: str
    path: Path
    is_demo: bool

    @property
    def key(self) -> str:
        """Fingerprint of what its page depends on."""
        digest = hashlib.sha256(f"{VERSION} {self.is_demo}\n".encode())
        digest.update(self.path.read_bytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Reading:
    """A page that is there to be read: its title, its HTML, and its pictures."""

    name: str
    title: str
    is_demo: bool
    folder: Path
    pictures: tuple[str, ...]

    @property
    def place(self) -> str:
        """Where its page lies in the site."""
        return f"read/{name_file(self.name)}.html"

    def read_body(self) -> str:
        """Return its HTML."""
        return (self.folder / BODY).read_text(encoding="utf-8")


def list_sources(course: Course) -> tuple[ReadingSource, ...]:
    """Return what can be read: demos in the order of their names, then the released homework."""
    sources = []
    for path in sorted((course.root / DEMOS).glob("*.ipynb")):
        sources.append(ReadingSource(path.stem, path, True))
    for name in course.assignments:
        path = course.release_path(name)
        if path.exists():
            sources.append(ReadingSource(name, path, False))
    return tuple(sources)


def list_readings(course: Course) -> tuple[Reading, ...]:
    """Return the readings that are made and still those of their notebooks."""
    found = []
    for source in list_sources(course):
        reading = find_reading(course, source)
        if reading is not None:
            found.append(reading)
    return tuple(found)


def find_reading(course: Course, source: ReadingSource) -> Reading | None:
    """Return a notebook's reading, None where it is not made yet or the notebook has changed
    since.
    """
    folder = _folder_of(course, source)
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if about["key"] != source.key:
            return None
        return Reading(
            source.name, about["title"], source.is_demo, folder, tuple(about["pictures"])
        )
    except (OSError, ValueError, KeyError):
        return None


def list_stale(course: Course) -> tuple[ReadingSource, ...]:
    """Return the notebooks whose reading is missing or of an older state."""
    stale = []
    for source in list_sources(course):
        if find_reading(course, source) is None:
            stale.append(source)
    return tuple(stale)


def render_homework(course: Course) -> None:
    """Make the readings of released homework that are missing: nothing of it is run."""
    for source in list_stale(course):
        if not source.is_demo:
            make_reading(course, source)


def load_notebook(path: Path) -> dict[str, Any]:
    """Return a notebook as it is in its file.

    Raises
    ------
    ReadingFailed
        If it is none.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReadingFailed(f"{path}: not a notebook ({error})") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise ReadingFailed(
            f"{path}: not a notebook of format 4; open it in JupyterLab and save it"
        )
    return notebook


def make_reading(
    course: Course, source: ReadingSource, prepare: Prepare = load_notebook
) -> Reading:
    """Make a notebook's reading and keep it.

    Parameters
    ----------
    prepare : callable
        Returns the notebook at a path: as it is, or run from top to bottom.

    Raises
    ------
    ReadingFailed
        If it is no notebook, or a cell of it fails.
    DiskFailed
        If it cannot be kept.
    """
    # Markdown, Pygments and Pillow take half a second, which most builds of the pages do not need.
    from autograder.pages.notebook_html import render_notebook

    # Taken before it is read: a notebook saved meanwhile is then seen to have changed.
    key = source.key
    notebook = prepare(source.path)
    others = [name_file(other.name) for other in list_sources(course)]
    page = render_notebook(notebook, name_file(source.name), others)
    folder = _folder_of(course, source)
    about = {"key": key, "title": page.title, "pictures": sorted(page.pictures)}
    files = {BODY: page.body.encode(), **page.pictures, ABOUT: json.dumps(about).encode()}
    try:
        _replace_folder(folder, files)
    except OSError as error:
        raise DiskFailed.at(folder, error) from None
    return Reading(source.name, page.title, source.is_demo, folder, tuple(sorted(page.pictures)))


def _folder_of(course: Course, source: ReadingSource) -> Path:
    return course.site.with_name(FOLDER) / name_file(source.name)


def _replace_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Write a folder anew; what says that it is whole comes last."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # In the given order: a folder without its last file is not taken for a reading.
    for name, content in files.items():
        (folder / name).write_bytes(content)


def copy_pictures(readings: Sequence[Reading], folder: Path) -> None:
    """Copy the readings' pictures into the folder of their pages."""
    for reading in readings:
        for picture in reading.pictures:
            shutil.copyfile(reading.folder / picture, folder / picture)
