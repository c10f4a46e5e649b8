"""What students' notebooks hold, whatever they are called and wherever they lie: whose cells, and
which answers.

Looked at when a push is collected, so that the record says it. Nothing of a student's is run or parsed as Python here:
texts are compared with what was given out, and functions are found by their first line. What cannot be told by that is
left to grading.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePosixPath

from autograder.collecting.files_beside import add_files_beside
from autograder.course.errors import RemoteFailed
from autograder.course.exam import Exam
from autograder.course.layout import notebook_places, place_notebooks
from autograder.course.names import name_assignment
from autograder.course.notebook_files import Cell, Unreadable, read_notebook
from autograder.course.submissions import NotebookFile, Push
from autograder.git.pushed_trees import PushedTree
from autograder.git.student_stores import Fork

MAX_LOOK_MB = 64  # read of one push; its notebooks beyond that are not looked at
OTHER_ENDINGS = (
    "",
    ".txt",
    ".json",
    ".bak",
    ".orig",
)  # under which a browser or an editor may have saved a notebook
DEFINED = re.compile(r"^(?:async[ \t]+def|def|class)[ \t]+(\w+)", re.MULTILINE)
# Possessive, or one without an end would be tried again at each of its lengths.
DOCSTRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+"""' + "|" + r"'''(?:[^'\\]|\\.|'(?!''))*+'''", re.DOTALL
)
SCAFFOLD = re.compile(
    r"(?:#.*|@.*|(?:async )?def .*|class .*|import .*|from .* import .*|pass|\.\.\.)?"
)
STUB = re.compile(r"raise NotImplementedError\b.*")


@dataclass(frozen=True)
class Holding:
    """What a notebook holds of one assignment.

    Attributes
    ----------
    known : int
        How many of the assignment's cells were recognised.
    written : tuple of str
        nbgrader ids of the solution cells in which something was written.
    changed : bool
        Whether anything in it was not given out.
    """

    assignment: str
    known: int
    written: tuple[str, ...]
    changed: bool


@dataclass(frozen=True)
class _Sheet:
    """An exam as it is looked for in students' notebooks."""

    exam: Exam

    @cached_property
    def ids(self) -> frozenset[str]:
        """nbgrader ids of the cells that students answer in, and of those that give points."""
        graded = {cell.grade_id for cell in self.exam.cells if cell.graded}
        return self.answers | graded - {""}

    @cached_property
    def answers(self) -> frozenset[str]:
        """nbgrader ids of the cells that students answer in."""
        answers = {cell.grade_id for cell in self.exam.cells if cell.solution}
        return frozenset(answers - {""})

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The functions and classes that are asked for, and the cell in which each is answered."""
        names: dict[str, str] = {}
        for cell in self.exam.cells:
            if cell.solution and cell.kind == "code":
                names |= dict.fromkeys(DEFINED.findall(cell.source), cell.grade_id)
        return names

    def holding(self, cells: Sequence[Cell]) -> Holding | None:
        """Return what cells hold of the assignment, None if they are not of it."""
        known = {cell.grade_id for cell in cells} & self.ids
        found = set(known)
        given = 0
        for cell in cells:
            found |= self.named(cell)
            given += self.exam.handout.is_given(cell.source)
        # Without ids it is the assignment's if it defines most of what is asked for, or most of it
        # was given out.
        asked_for = set(self.names.values())
        named_most = 2 * len(found & asked_for) > len(asked_for)
        if not known and not named_most and 2 * given <= len(self.exam.cells):
            return None
        written = set()
        changed = False
        for cell in cells:
            changed = changed or bool(cell.source.strip() and not self.is_given(cell))
            for answer in self.answered(cell):
                if self.is_written(answer, cell):
                    written.add(answer)
        return Holding(
            self.exam.assignment,
            len(found) + given,
            tuple(sorted(written)),
            changed or bool(written),
        )

    def named(self, cell: Cell) -> set[str]:
        """The solution cells whose functions a cell defines."""
        answers = set()
        for name in DEFINED.findall(cell.source):
            if name in self.names:
                answers.add(self.names[name])
        return answers

    def answered(self, cell: Cell) -> set[str]:
        """The solution cells that a cell is, by its id, or stands for."""
        return {cell.grade_id} if cell.grade_id in self.answers else self.named(cell)

    def is_given(self, cell: Cell) -> bool:
        return self.exam.handout.is_unchanged(
            cell.grade_id, cell.source
        ) or self.exam.handout.is_given(cell.source)

    def is_written(self, answer: str, cell: Cell) -> bool:
        """Whether a cell holds more than was given out for an answer, or a stub of an older
        release.
        """
        # A picture of what was written on paper is an answer without a word of text.
        if getattr(cell, "attachments", None):
            return True
        if self.exam.handout.is_unchanged(answer, cell.source) or self.is_given(cell):
            return False
        # Line by line: a stub of an older release is not in the handout, most of its lines are.
        given: set[str] = set()
        for text in self.exam.handout.by_id.get(answer, ()):
            given.update(map(str.strip, text.splitlines()))
        is_code = cell.kind == "code"
        source = DOCSTRING.sub("", cell.source) if is_code else cell.source
        for line in map(str.strip, source.splitlines()):
            is_scaffold = is_code and (SCAFFOLD.fullmatch(line) or STUB.fullmatch(line))
            if line and line not in given and not is_scaffold:
                return True
        return False


class Sightings:
    """Looks at what was pushed; what it saw of a file once it knows, by the file's blob, for all
    students.

    Parameters
    ----------
    exams : iterable of Exam
        What is looked for.
    notebook_mb : float
        Larger files are not looked at.
    layouts : mapping of str to sequence of str
        Where notebooks lie, if not at the usual places: see `course.layout.place_notebooks`.
    """

    def __init__(
        self,
        exams: Iterable[Exam],
        notebook_mb: float,
        layouts: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._layouts = layouts or {}
        self._sheets = tuple(map(_Sheet, exams))
        self._most = notebook_mb * 1e6
        self._seen: dict[str, tuple[Holding, ...] | None] = {}
        # One at a time: a notebook takes many times its size while it is read.
        self._alone = threading.Lock()

    def look_at(self, fork: Fork, push: Push) -> Push:
        """Return a push with what is held by its files, among them those of another name, and what
        leads elsewhere.
        """
        if not self._sheets:
            return push
        tree = fork.tree(push.commit)
        there = {file.path for file in push.notebooks}
        others = []
        for entry in tree.files:
            if entry.path not in there and _may_be_notebook(PurePosixPath(entry.path)):
                others.append(NotebookFile(entry.path, entry.blob, entry.size))
        with self._alone:
            self._read(fork, (*push.notebooks, *others))
        submissions = []
        for file in (*push.notebooks, *others):
            seen = self._seen_of(file, push.assignment)
            # Of a file of another name it is known only by what it holds that it is homework.
            if seen.holds or file.path in there:
                submissions.append(self._with_files_beside(fork, push, seen, tree))
        placed = place_notebooks(submissions, self._layouts, push.assignment)
        return replace(push, notebooks=placed, pointers=tree.pointers)

    def _with_files_beside(
        self, fork: Fork, push: Push, file: NotebookFile, tree: PushedTree
    ) -> NotebookFile:
        """Return an assignment's notebook with the student's own files beside it; another one as it
        is.
        """
        for sheet in self._sheets:
            name = sheet.exam.assignment
            is_place = file.holds is None and file.path in notebook_places(name)
            if (file.holds == name or is_place) and file.size <= self._most:
                with suppress(
                    RemoteFailed
                ):  # a damaged file: it is fetched anew when it is to be graded
                    return add_files_beside(fork, push, file, tree, sheet.exam.files)
        return file

    def _read(self, fork: Fork, files: Iterable[NotebookFile]) -> None:
        """Look at every file that was not seen before, as long as there is not too much of it."""
        left = MAX_LOOK_MB * 1e6
        wanted = []
        for file in files:
            if file.blob not in self._seen and file.size <= min(left, self._most):
                left -= file.size
                wanted.append(file.blob)
        with suppress(RemoteFailed):  # a damaged file: it is fetched anew when it is to be graded
            for blob, content in fork.read_blobs(wanted):
                self._seen[blob] = tuple(self._holdings(content))

    def _holdings(self, content: bytes) -> Iterator[Holding]:
        try:
            cells = read_notebook(content).cells
        # Grading tells the student why, and what to do; here it only holds nothing.
        except Unreadable:
            return
        for sheet in self._sheets:
            holding = sheet.holding(cells)
            if holding is not None:
                yield holding

    def _seen_of(self, file: NotebookFile, own: str) -> NotebookFile:
        """Return a file with what it holds; of two assignments that share cells it is its place
        that decides.

        Of a repository for one assignment, `own`, only that is looked for.
        """
        holdings = self._seen.get(file.blob)
        if holdings is None:
            return file
        meant = []
        for holding in holdings:
            if own in ("", holding.assignment, name_assignment(holding.assignment)):
                meant.append(holding)
        if not meant:
            return replace(file, holds="")
        best = max(
            meant,
            key=lambda holding: (holding.known, file.path in notebook_places(holding.assignment)),
        )
        return replace(file, holds=best.assignment, written=best.written, changed=best.changed)


def _may_be_notebook(path: PurePosixPath) -> bool:
    """Whether a file that is not called a notebook may be one all the same: `hw.ipynb.txt`,
    `hw.ipynb (1)`, `hw`.
    """
    return ".ipynb" in path.name.lower() or (
        path.suffix.lower() in OTHER_ENDINGS and path.name[0] != "."
    )
