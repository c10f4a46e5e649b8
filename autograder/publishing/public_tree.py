"""What the public course repository holds, made by allow-list: whatever is not named here stays
private.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from autograder.course.configuration import Assignment, Course
from autograder.course.course_card import CARD_FILE, Card, Homework, write_card
from autograder.course.errors import ConfigError, PublishRefused
from autograder.course.exam import Exam
from autograder.course.layout import FOLDER, original_place
from autograder.course.names import name_assignment, quote_name
from autograder.course.roster import read_extensions
from autograder.course.source_markers import NBGRADERS, Markers, keep_lines_with_solution
from autograder.publishing.leak_search import find_notebook_leaks, list_files
from autograder.publishing.notebook_fields import keep_student_fields, read_source

README = "docs/public-readme.md"
ALLOWED = (
    "LICENSE",
    "pyproject.toml",
    "requirements.txt",
    ".gitattributes",
    ".gitignore",
    ".github/workflows/check.yml",
    ".devcontainer/devcontainer.json",
    "binder/*.txt",
    "docs/students.md",
    "demonotebooks/*.ipynb",
    "autograder/**/*.py",
    "autograder/jail/*.json",
    "autograder/pages/templates/*.html",
    "autograder/pages/static/*.css",
    "autograder/pages/static/*.js",
    "autograder/pages/static/*.svg",
)
PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True)
class PublicTree:
    """The files of the public repository by path, the assignments whose solution is among them, and
    what is not.
    """

    files: Mapping[str, bytes] = field(repr=False)
    solved: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()


def build_public_tree(course: Course, exams: Mapping[str, Exam], now: datetime) -> PublicTree:
    """Gather what may be public.

    Raises
    ------
    PublishRefused
        If a release holds what its source hides, or a file is a link to another one.
    ConfigError
        If the students' README is missing, or has a place nobody fills.
    """
    files = dict(_allowed(course.root))
    solved = []
    held_back = []
    for name, entry in course.assignments.items():
        if not course.release_path(name).exists():
            held_back.append(f"{name} is not released yet")
            continue
        files |= _release(course, exams[name])
        for sentence in _others(course, exams[name]):
            # Two notebooks of a folder have the same beside them.
            if sentence not in held_back:
                held_back.append(sentence)
        reason = _too_early(course, entry, now)
        if entry.solutions and reason:
            held_back.append(f"the solution of {name}: {reason}")
        elif entry.solutions:
            solved.append(name)
            files[_solution_place(name)] = build_solution_notebook(
                course.source_path(name).read_bytes(), course.markers
            )
    files[CARD_FILE] = write_card(build_card(course)).encode()
    files["README.md"] = build_readme(course, solved).encode()
    return PublicTree(dict(sorted(files.items())), tuple(solved), tuple(held_back))


def _allowed(root: Path) -> Iterator[tuple[str, bytes]]:
    for pattern in ALLOWED:
        for path in sorted(root.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                content = _read(path)
                if path.suffix == ".ipynb":
                    content = build_demonstration(path, content)
                yield path.relative_to(root).as_posix(), content


def _read(path: Path) -> bytes:
    if path.is_symlink():
        raise PublishRefused(
            f"{path} is a link to another file; only files themselves are published"
        )
    return path.read_bytes()


def _release(course: Course, exam: Exam) -> dict[str, bytes]:
    name = exam.assignment
    released = course.release_path(name)
    # Proved when it was released, too; but the source may hide more since then.
    leaked = find_notebook_leaks(exam, released)
    if leaked:
        raise PublishRefused(f"{name} would give away, so release it again:\n" + "\n".join(leaked))
    folder = f"{FOLDER}/{name_assignment(name)}"
    files = {f"{folder}/{released.name}": _read(released)}
    for path in list_files(released.parent):
        if path in exam.files:
            files[f"{folder}/{path}"] = _read(released.parent / path)
    return files


def _solution_place(name: str) -> str:
    return original_place(name).removesuffix(".ipynb") + "_solution.ipynb"


def _others(course: Course, exam: Exam) -> Iterator[str]:
    """Say what lies beside a released notebook and is not part of the release."""
    released = course.release_path(exam.assignment)
    notebooks = course.list_released_names(exam.assignment)
    for path in list_files(released.parent):
        if path not in notebooks and path not in exam.files:
            where = released.parent / path
            yield f"{where} is no part of the release; whatever students should get lies beside the source notebook"


def _too_early(course: Course, entry: Assignment, now: datetime) -> str:
    """Say why a solution may not be published yet, empty when it may."""
    if entry.solutions and now < entry.solutions:
        return f"from {course.to_local_time(entry.solutions):%Y-%m-%d %H:%M}"
    # Whoever still works on it would find the solution in their next pull.
    later = []
    for (_, name, _), moment in read_extensions(course.extensions, course).items():
        if name == entry.name and moment >= now:
            later.append(moment)
    if not later:
        return ""
    return f"somebody has time until {course.to_local_time(max(later)):%Y-%m-%d %H:%M}"


def build_card(course: Course) -> Card:
    """Return the course's card with the assignments that are released."""
    homework = {}
    for name, entry in course.assignments.items():
        if not course.release_path(name).exists():
            continue
        deadlines = {}
        for part in entry.parts:
            if part.deadline:
                deadlines[part.name] = course.to_local_time(part.deadline)
        homework[name] = Homework(entry.title, deadlines)
    return Card(course.name, course.upstream, course.branch, course.site_url, homework)


def build_readme(course: Course, solved: list[str]) -> str:
    """Return the students' README with its places filled.

    Raises
    ------
    ConfigError
        If there is no `docs/public-readme.md`, or it has a place of an unknown name.
    """
    path = course.root / README
    if not path.exists():
        raise ConfigError(f"{path}: no such file; it becomes the README of the public repository")
    # The account before the repository's name, in an address of either kind: https or git@host:
    fork = re.sub(r"[^/:]+(?=/[^/]+$)", "YOUR-NAME", course.upstream)
    page = f"[the course's page]({course.site_url})" if course.site_url else "the course's page"
    places = {
        "name": course.name,
        "upstream": course.upstream,
        "fork": fork,
        "folder": fork.rsplit("/", 1)[-1].removesuffix(".git"),
        "branch": course.branch,
        "page": page,
        "first": quote_name(name_assignment(next(iter(build_card(course).assignments), "NAME"))),
        "assignments": "\n".join(_table(course, solved)),
    }

    def fill(match: re.Match[str]) -> str:
        if match[1] not in places:
            raise ConfigError(f"{path}: nobody fills {match[0]}; there is {', '.join(places)}")
        return places[match[1]]

    return PLACEHOLDER.sub(fill, path.read_text(encoding="utf-8"))


def _table(course: Course, solved: list[str]) -> Iterator[str]:
    yield f"| homework | about | due ({course.timezone.key}) |"
    yield "|---|---|---|"
    card = build_card(course)
    for name, notebooks in course.list_notebooks().items():
        released = [entry.name for entry in notebooks if entry.name in card.assignments]
        if not released:
            continue
        homework = card.assignments[released[0]]
        dues = []
        for part, when in homework.deadlines.items():
            dues.append(f"{part} {when:%a %d %B %H:%M}".strip())
        due = ", ".join(dues)
        links = []
        for notebook in released:
            if notebook in solved:
                links.append(f"[solution]({quote(_solution_place(notebook))})")
        link = f" ({', '.join(links)})" if links else ""
        yield f"| `{name}` | {homework.title}{link} | {due or 'no deadline'} |"


def build_solution_notebook(source: bytes, markers: Markers = NBGRADERS) -> bytes:
    """Return a source notebook as a solution for students: without hidden tests and without
    nbgrader's marks.
    """
    notebook = json.loads(source)
    for cell in notebook["cells"]:
        cell["source"] = "\n".join(
            keep_lines_with_solution(read_source(cell).splitlines(), markers)
        )
        metadata = cell["metadata"]
        cell["metadata"] = {"tags": metadata["tags"]} if "tags" in metadata else {}
        # Outputs of a source may show what its hidden tests print.
        if cell["cell_type"] == "code":
            cell["outputs"] = []
            cell["execution_count"] = None
    kept: list[dict[str, Any]] = [cell for cell in notebook["cells"] if cell["source"].strip()]
    return _dumped(keep_student_fields(notebook | {"cells": kept}))


def build_demonstration(path: Path, content: bytes) -> bytes:
    """Return a notebook to play with as it is published: as it is, with those fields only that are
    for students.

    Raises
    ------
    PublishRefused
        If it is no notebook.
    """
    try:
        notebook = json.loads(content)
    except ValueError as error:
        raise PublishRefused(
            f"{path} is no notebook ({error}); repair it, or take it out of its folder"
        ) from None
    kept = keep_student_fields(notebook)
    # Byte for byte where nothing was taken out: else every publication would change it.
    return content if kept == notebook else _dumped(kept)


def _dumped(notebook: Mapping[str, Any]) -> bytes:
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()
