"""The student's own cells that failed: which, with which error, at which of their lines.

What a cell raised is text from the jail. It is repeated only from runs in which no test has run
yet: what a test hands to the student's functions could stand in it later. A cell that fails below
a test is therefore run once more in a fresh kernel, with all cells above it and no test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from autograder.course.reports import ExerciseResult, Status, make_printable
from autograder.grader.accidents import NO_NAME
from autograder.grader.bound_names import bound_names
from autograder.grader.vanished_names import vanished_name
from autograder.kernel.jailed_kernel import StudentError

EXPECTED = frozenset({"NotImplementedError"})  # an exercise that is not written yet
MAX_TOLD = 20
MAX_LINE = 60
MAX_MESSAGE = 200
CELL_FILE = re.compile(r" ?\(<cell \d+>, line \d+\)")
FRAME = re.compile(r'^ *File "<cell (\d+)>", line (\d+)', re.MULTILINE)
NOT_INSTALLED = re.compile(r"No module named '([\w.]+)'")
PACKAGE = "The package {package} is not there when notebooks are graded: do without it. The rest of the cell was run."
UNTOLD = "{cells} of your notebook stopped with an error while it was graded: run all cells, and see which."
FURTHER = "{cells} more of your notebook stop with an error: run all cells, and see which."
DEFINES = "No `{name}` was found in your notebook: cell {cell}, which should define it, stops with an error."
MISSES = (
    "Your code uses a name that is not there: cell {cell} stops with an error, "
    "so what it should define is missing."
)


def first_line(source: str, most: int = MAX_LINE) -> str:
    """Return the line of a cell by which its author knows it: Jupyter shows no numbers of cells."""
    for line in map(str.strip, source.splitlines()):
        if line and not line.startswith(("#", "@", "with attempt(")):
            return shorten_line(line, most)
    return ""


def shorten_line(line: str, most: int = MAX_LINE) -> str:
    """Return a line that is no longer than so many characters."""
    return line if len(line) <= most else line[: most - 1] + "…"


@dataclass(frozen=True)
class Failure:
    """A cell that stopped with an error, and what may be told of it."""

    number: int
    source: str
    sentence: str


@dataclass
class Failures:
    """The failing cells of one notebook."""

    told: dict[int, Failure] = field(default_factory=dict)
    untold: set[int] = field(default_factory=set)

    def note(self, number: int, source: str, error: StudentError, *, tested: bool) -> str:
        """Note that a cell failed; return the sentence about it, empty where a test has run before
        or it was told.
        """
        if error.ename in EXPECTED or number in self.told:
            return ""
        if tested:
            # Its words may quote what a test handed over: it is run once more without tests.
            self.untold.add(number)
            return ""
        self.untold.discard(number)
        self.told[number] = Failure(number, source, _sentence(number, source, error))
        return self.told[number].sentence if len(self.told) <= MAX_TOLD else ""

    def closing_sentences(self) -> list[str]:
        """Return what is to be said in the end, of cells of which no more may be said than their
        number.
        """
        further = len(self.told) - MAX_TOLD
        sentences = [FURTHER.format(cells=_cells(further))] if further > 0 else []
        return sentences + ([UNTOLD.format(cells=_cells(len(self.untold)))] if self.untold else [])

    def pointed(self, result: ExerciseResult, missing: str) -> ExerciseResult:
        """Return a result whose hint names the failing cell behind a name that is missing, where
        there is one.
        """
        if result.status is Status.NOT_FOUND:
            for number in sorted(self.told):
                if missing in bound_names(self.told[number].source):
                    return replace(result, hint=DEFINES.format(name=missing, cell=number))
            return result
        if NO_NAME in result.hint and self.told:
            # The first of them: those below it often fail for what it did not make.
            misses = MISSES.format(cell=min(self.told))
            return replace(result, hint=result.hint.replace(NO_NAME, misses))
        return result


def _sentence(number: int, source: str, error: StudentError) -> str:
    begin = first_line(source)
    # A class may be given any text as its name.
    name = error.ename if error.ename.isidentifier() else "an error"
    lost = vanished_name(error.evalue)
    evalue = error.evalue.partition("\n")[0] if lost else error.evalue
    message = shorten_line(" ".join(CELL_FILE.sub("", evalue).split()), MAX_MESSAGE)
    line = _line(source, error)
    at = f" at its line `{line}`" if line and line != begin else ""
    said = f"Cell {number} (`{begin}`) raised {shorten_line(name)}{at}{': ' if message else ''}{message}"
    package = NOT_INSTALLED.search(message) if error.ename == "ModuleNotFoundError" else None
    advice = PACKAGE.format(package=package[1].split(".")[0]) if package else lost
    end = "" if said.endswith((".", "?", "!", "…")) else "."
    return make_printable(f"{said}{end} {advice}".strip())


def _line(source: str, error: StudentError) -> str:
    """Return the line of a cell at which its error came up; where it is called from counts, not
    where it went.
    """
    frame = FRAME.search(error.traceback)
    lines = source.splitlines()
    # The traceback is text from the jail: a number of a million digits would take hours to read.
    number = int(frame[2]) if frame and len(frame[2]) < 9 else 0
    return shorten_line(lines[number - 1].strip()) if 0 < number <= len(lines) else ""


def _cells(number: int) -> str:
    return "1 cell" if number == 1 else f"{number} cells"
