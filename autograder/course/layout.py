"""Where homework lies in a student's repository, and what is told of work that lies elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from autograder.course.names import BETWEEN, name_assignment, name_formerly, name_notebook
from autograder.course.submissions import NotebookFile

FOLDER = "assignments"

BESIDE = (
    "",
    "_solved",
    "_edited",
    "_solution",
)  # endings of notebooks that we or the course put into its folder


def notebook_places(assignment: str) -> tuple[str, ...]:
    """Return the paths at which an assignment's notebook is looked for, the wanted one first."""
    places = [f"{FOLDER}/{name_assignment(assignment)}/{name_notebook(assignment)}"]
    # Whoever began while each notebook was an assignment of its own goes on there.
    own = name_formerly(assignment)
    if own != assignment:
        places.append(f"{FOLDER}/{own}/{own}")
    places.append(f"{FOLDER}/{own}")
    copies = [f"{place}_solved.ipynb" for place in places]
    originals = [f"{place}.ipynb" for place in places]
    # The copy before the original: `autograder start` makes it to be worked in.
    return (*copies, *originals)


def original_place(assignment: str) -> str:
    """Return the path of an assignment's notebook as the course gives it."""
    return f"{FOLDER}/{name_assignment(assignment)}/{name_notebook(assignment)}.ipynb"


def is_own_folder(folder: str, assignment: str) -> bool:
    """Whether what lies in a folder of a pushed tree belongs to the notebook in it.

    Parameters
    ----------
    assignment : str
        Where a repository is for one assignment only, that one: then its top is such a folder, too.
    """
    return bool(assignment) or folder not in {".", "", FOLDER}


def place_notebooks(
    files: Sequence[NotebookFile], layouts: Mapping[str, Sequence[str]], own: str = ""
) -> tuple[NotebookFile, ...]:
    """Return what was pushed with each assignment's notebook at its place, wherever the course's
    layout has it.

    So the rest of the house knows one layout only. A notebook that lies at a place already stays.

    Parameters
    ----------
    layouts : mapping of str to sequence of str
        Patterns of paths by assignment, the first that fits counts.
    own : str
        The only assignment the repository is for, if it is: its notebooks may then lie anywhere.
    """
    placed = list(files)
    meant: Iterable[str] = layouts
    if own:
        meant = [name for name in layouts if own in (name, name_assignment(name))] or [own]
    for assignment in meant:
        places = notebook_places(assignment)
        # Who put it where it belongs is not second-guessed by a pattern.
        if any(file.path in places for file in placed):
            continue
        found = _find_by_layout(placed, assignment, layouts.get(assignment, ()))
        if found is None and own:
            found = _find_anywhere(placed, assignment)
        if found is not None:
            placed[placed.index(found)] = replace(found, path=original_place(assignment))
    return tuple(placed)


def _find_by_layout(
    files: Sequence[NotebookFile], assignment: str, layout: Sequence[str]
) -> NotebookFile | None:
    # By fnmatchcase: plain fnmatch heeds capitals on some systems and not on others.
    for pattern in layout:
        fitting = []
        for file in files:
            is_meant = fnmatchcase(file.path, pattern) and file.holds in (None, assignment)
            if is_meant and not is_backup(file.path):
                fitting.append(file)
        if fitting:  # a stub beside the work fits as well: the one with most answers is meant
            return max(fitting, key=lambda file: len(file.written))
    return None


def _find_anywhere(files: Sequence[NotebookFile], assignment: str) -> NotebookFile | None:
    """Return the notebook with the most answers to an assignment, else the only one there is.

    Of several notebooks, the only one of the right name.
    """
    notebooks = [file for file in files if not is_backup(file.path)]
    holding = [file for file in notebooks if file.holds == assignment]
    if holding:
        return max(holding, key=lambda file: len(file.written))
    if BETWEEN in assignment:
        stem = name_notebook(assignment)
        notebooks = [file for file in notebooks if PurePosixPath(file.path).stem == stem]
    # Of several none is taken: a wrong guess would grade somebody's scratch paper.
    return notebooks[0] if len(notebooks) == 1 else None


def find_notebook(files: Sequence[NotebookFile], assignment: str) -> NotebookFile | None:
    """Return the notebook of an assignment in a pushed tree, None where there is none at its place.

    Of several, the one with answers: a copy in which nothing is written must not hide an original that was worked in.
    """
    by_path = {file.path: file for file in files}
    first = None
    for path in notebook_places(assignment):
        file = by_path.get(path)
        if file is not None and is_begun(file, assignment):
            return file
        first = first or file
    return first


def is_begun(file: NotebookFile, assignment: str) -> bool:
    """Whether a file holds an answer to an assignment; one at which nobody has looked is taken for
    one that does.
    """
    return file.holds is None or (file.holds == assignment and bool(file.written))


def put_at_its_place(file: NotebookFile, assignment: str) -> NotebookFile:
    """Return a file with the path at which it belongs, unless it lies at such a place.

    A report is of a notebook's bytes and may serve several students: it tells nobody how another one called the file.
    """
    right = notebook_places(assignment)
    return file if file.path in right else replace(file, path=right[0])


def find_answers_elsewhere(
    files: Sequence[NotebookFile], assignment: str
) -> tuple[NotebookFile, ...]:
    """Return the files with answers to an assignment that lie where they are not graded, the
    likeliest first.

    Automatic backups come last; the course's own solution is nobody's work.
    """
    right = PurePosixPath(notebook_places(assignment)[0])

    def rank(file: NotebookFile) -> tuple[bool, int, bool, int, str]:
        path = PurePosixPath(file.path)
        return (
            is_backup(file.path),
            -len(file.written),
            path.parent != right.parent,
            len(path.parts),
            file.path,
        )

    # Of files at which nobody looked only the name can tell.
    named = find_misplaced([file for file in files if file.holds is None], assignment)
    found = []
    for file in files:
        holds_answers = file.holds == assignment and bool(file.written)
        if file.path in named or (holds_answers and not _is_expected(file.path, assignment)):
            found.append(file)
    return tuple(sorted(found, key=rank))


def _is_expected(path: str, assignment: str) -> bool:
    """Whether a file with answers lies where it is graded, or is the course's own solution."""
    is_solution = PurePosixPath(path).stem == f"{name_notebook(assignment)}_solution"
    return is_solution or path in notebook_places(assignment)


def is_backup(path: str) -> bool:
    """Whether it is one of Jupyter's automatic backups."""
    return ".ipynb_checkpoints" in PurePosixPath(path).parts


def find_misplaced(files: Sequence[NotebookFile], assignment: str) -> tuple[str, ...]:
    """Return the paths of notebooks that look like the assignment's, but have a place or a name
    that is not graded.
    """
    right = notebook_places(assignment)
    paths = [file.path for file in files if not is_backup(file.path)]
    copied = any(path in right and path.endswith("_solved.ipynb") for path in paths)
    names = {PurePosixPath(path).name for path in right}
    found = []
    for path in paths:
        place = PurePosixPath(path)
        named = place.name in names and not _is_of_another(place, assignment)
        if path not in right and (named or (not copied and _is_renamed(place, assignment))):
            found.append(path)
    return tuple(found)


def say_where_it_belongs(path: str, assignment: str) -> str:
    """Say what to do with a notebook that is misplaced."""
    right = PurePosixPath(notebook_places(assignment)[0])
    if PurePosixPath(path).parent == right.parent:
        return f"{path} is not graded under this name; rename it to {right.name}"
    return f"{path} is not graded where it lies; move it to {right}"


def _is_renamed(path: PurePosixPath, assignment: str) -> bool:
    """Whether it lies in the assignment's folder under a name like the right one: `hw01_solved`,
    `hw01_numpy (1)`.
    """
    if path.parent != PurePosixPath(notebook_places(assignment)[0]).parent:
        return False
    stem = name_notebook(assignment)
    rest = path.stem.removeprefix(stem)
    if rest in BESIDE:
        return False
    if BETWEEN in assignment:  # beside `problem1`, `problem10` is another notebook
        return rest != path.stem and not rest[0].isalnum()
    return path.stem.startswith(stem) or stem.startswith(path.stem.removesuffix("_solved"))


def _is_of_another(path: PurePosixPath, assignment: str) -> bool:
    """Whether a notebook lies in the folder of another assignment, which may call its own so, too.

    Only notebooks of several are called alike in two folders.
    """
    in_folder = len(path.parts) == 3 and path.parts[0] == FOLDER
    return BETWEEN in assignment and in_folder and path.parts[1] != name_assignment(assignment)
