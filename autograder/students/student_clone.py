"""A student's clone of the course: where it is, which homework is in it, and the copy to work
in.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath

from autograder.course.course_card import read_card
from autograder.course.errors import UsageError
from autograder.course.layout import (
    FOLDER,
    find_misplaced,
    notebook_places,
    original_place,
    say_where_it_belongs,
)
from autograder.course.names import BETWEEN, name_assignment, name_notebook
from autograder.course.nearest_names import say_nearest_name
from autograder.course.notebook_files import Unreadable, read_notebook
from autograder.course.submissions import NotebookFile
from autograder.git.repository import GitRepository

BROKEN = (
    "{path} cannot be copied. {reason} Or get the course's version back first: autograder update"
)


@dataclass(frozen=True)
class StudentClone:
    """The folder of a student's clone."""

    root: Path

    @property
    def assignments(self) -> tuple[str, ...]:
        """Names of the assignments that are in the clone, of one with several notebooks of each."""
        several: dict[str, list[str]] = {}
        with suppress(UsageError):  # without the card, what has a notebook of its own name is found
            for name in read_card(self.root).assignments:
                if BETWEEN in name:
                    several.setdefault(name_assignment(name), []).append(name)
        names = []
        for folder in sorted((self.root / FOLDER).iterdir()):
            for name in several.get(folder.name, [folder.name]):
                # An original that was thrown away leaves the homework where it was begun
                if self.original_path(name).exists() or self.copy_path(name).exists():
                    names.append(name)
        return tuple(names)

    def original_path(self, assignment: str) -> Path:
        """Path of the notebook as the course gives it."""
        return self.root / original_place(assignment)

    def copy_path(self, assignment: str) -> Path:
        """Path of the copy students work in."""
        original = self.original_path(assignment)
        return original.with_name(f"{original.stem}_solved.ipynb")

    def find_graded_notebook(self, assignment: str) -> Path | None:
        """Path of the notebook that will be graded: the copy, wherever it may lie, else the
        original.
        """
        for place in notebook_places(assignment):
            if (self.root / place).is_file():
                return self.root / place
        return None

    def find_all_notebooks(self, names: Iterable[str]) -> list[str]:
        """Return the notebooks meant by several names, in their order; see `find_notebooks`."""
        found: list[str] = []
        for name in names:
            found += self.find_notebooks(name)
        return found

    def find_notebooks(self, name: str) -> tuple[str, ...]:
        """Return the notebooks of the assignment meant by a name; a path to a notebook means that
        one.

        Raises
        ------
        UsageError
            If there is none, with the nearest name there is.
        """
        there = self.assignments
        path = PurePath(name.rstrip("/\\"))
        stem = path.name.removesuffix(".ipynb").removesuffix("_solved")
        in_folder = f"{path.parent.name}{BETWEEN}{stem}"
        if in_folder in there:
            return (in_folder,)
        of_assignment = tuple(one for one in there if name_assignment(one) == stem)
        if of_assignment:
            return of_assignment
        called_so = tuple(one for one in there if name_notebook(one) == stem)
        if len(called_so) == 1:
            return called_so
        raise UsageError(f"no assignment is called {name!r}; {say_nearest_name(stem, there)}")

    def start_homework(self, assignment: str) -> Path:
        """Make the copy to work in and return its path.

        Raises
        ------
        UsageError
            If there is a copy already, or the original is no notebook.
        """
        copy = self.find_graded_notebook(assignment)
        if copy is not None and copy.name.endswith("_solved.ipynb"):
            raise UsageError(
                f"{self.relative_path(copy)} is there already and was left as it is; go on working in it"
            )
        original = self.original_path(assignment)
        try:
            content = original.read_bytes()
            # What cannot be read here cannot be graded either: better told before the work than after it
            for problem in read_notebook(content).problems:
                raise Unreadable(problem)
        except FileNotFoundError:
            raise UsageError(
                f"{self.relative_path(original)} is missing; bring it back: autograder update"
            ) from None
        except Unreadable as error:
            raise UsageError(
                BROKEN.format(path=self.relative_path(original), reason=error)
            ) from None
        write_new_file(self.copy_path(assignment), content)
        return self.copy_path(assignment)

    def changed_since(self, commit: str) -> set[str] | None:
        """Return the paths that changed after a commit, None where git does not know that
        commit.
        """
        repository = GitRepository(self.root)
        if repository.says("cat-file", "-e", f"{commit}^{{commit}}") is None:
            return None
        return set(
            repository.paths(
                "diff", "--name-only", "-z", "--no-renames", "--relative", commit, "HEAD", "--"
            )
        )

    def describe_misplaced(self) -> tuple[str, ...]:
        """Sentences about copies that lie where they are not graded."""
        copies = list(self._find_copies())
        places: set[str] = set()
        for name in self.assignments:
            places.update(notebook_places(name))
        sentences = []
        for name in self.assignments:
            # At the place of another notebook it is that one, however like this one's its name is.
            others = places.difference(notebook_places(name))
            files = [NotebookFile(path, "", 0) for path in copies if path not in others]
            for path in find_misplaced(files, name):
                sentences.append(say_where_it_belongs(path, name))
        return tuple(sentences)

    def _find_copies(self) -> Iterator[str]:
        """Paths of all copies, and of all notebooks of homework; environments and hidden folders
        are passed by.
        """
        for folder, folders, files in os.walk(self.root):
            inside = Path(folder)
            # os.walk goes on into what is left in its list: an environment has thousands of folders
            for name in sorted(folders):
                if name.startswith(".") or (inside / name / "pyvenv.cfg").exists():
                    folders.remove(name)
            folders.sort()
            ending = ".ipynb" if inside.parent == self.root / FOLDER else "_solved.ipynb"
            for file in sorted(files):
                if file.endswith(ending):
                    yield self.relative_path(inside / file)

    def relative_path(self, path: Path) -> str:
        """Return a path within the clone as one writes it."""
        return path.relative_to(self.root).as_posix()


def find_clone(start: Path) -> StudentClone:
    """Return the clone a folder is in.

    Raises
    ------
    UsageError
        If it is in none.
    """
    for folder in (start, *start.parents):
        if (folder / FOLDER).is_dir():
            return StudentClone(folder)
    raise UsageError(
        f"there is no {FOLDER}/ in {start} or above it; run this in the folder of your clone"
    )


def write_new_file(path: Path, content: bytes) -> None:
    """Write a file that must not exist yet.

    Raises
    ------
    UsageError
        If it exists.
    """
    try:
        # "x" and no look beforehand: a copy made by another window meanwhile is not written over
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise UsageError(f"{path} is there already and was left as it is") from None
